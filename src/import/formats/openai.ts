import { Fault } from '../fault.ts'
import {
  type Format,
  type Input,
  type ReadConversation,
  type ReadItem,
  type ReadMessage,
  readEach,
} from '../told/conversation.ts'
import { idOf, OpenCalls } from '../told/made-id.ts'
import { keepRest } from '../told/metadata.ts'
import { hasText, isRecord, type JsonRecord, textOf, withoutNothing } from '../told/record.ts'
import { takeTime } from '../told/time.ts'
import type { Told } from '../told/told.ts'
import { readOpenAiMessage } from './openai-message.ts'

/**
 * Chat completions, one `{id, messages}` a conversation, and fine-tuning files: `{messages, tools}` without an id, and
 * preferences, `{input: {messages}, preferred_output, non_preferred_output}`. Source: the types of the package `openai`,
 * and OpenAI's guides to supervised and to direct preference fine-tuning, 2026-11.
 */
export const openAi: Format = {
  name: 'openai',
  fits: (value) =>
    hasMessages(value) || isPreference(value) || (Array.isArray(value) && value.some((one) => hasText(one, 'role'))),
  read(value, told) {
    if (isPreference(value)) return readPreference(value, told)
    const { id, title, messages, ...rest } = isRecord(value) ? value : { messages: value }
    if (!Array.isArray(messages) || messages.length === 0) {
      throw new Fault('"messages" must be a list with at least one message.')
    }
    return {
      ...about(idOf(id, value), title, rest, told),
      messages: readEach(messages, 'messages', told, readerOf(told)),
      leaf: null,
    }
  },
}

/** Reads the messages of one path, one after the other. */
export function readerOf(told: Told, more: Input = {}): (message: unknown, index: number) => ReadItem {
  const calls = new OpenCalls()
  return (message, index) => {
    const { input, rest, hadSound } = readOpenAiMessage(message, index, calls)
    const { time, rest: kept } = takeTime(rest, 'created_at', 'createdAt')
    told.note('sound: left out; its transcript and its id are kept', hadSound ? 1 : 0)
    const metadata = keepRest('openai', { ...kept, ...more }, told)
    return { input: Object.keys(metadata).length === 0 ? input : { ...input, metadata }, time }
  }
}

/** The id, title, time and metadata of a conversation whose other fields have no place of their own. */
function about(
  id: string,
  title: unknown,
  others: JsonRecord,
  told: Told,
): Omit<ReadConversation, 'messages' | 'leaf'> {
  const { time, rest } = takeTime(others, 'created_at', 'createdAt', 'create_time')
  return {
    id,
    title: textOf(title),
    time,
    metadata: keepRest(
      'openai',
      { ...rest, ...withoutNothing({ title: textOf(title) === null ? title : null }) },
      told,
    ),
  }
}

function hasMessages(value: unknown): boolean {
  return isRecord(value) && 'messages' in value
}

interface Preference extends JsonRecord {
  readonly input: { readonly messages: readonly unknown[] }
}

function isPreference(value: unknown): value is Preference {
  const outputs = isRecord(value) && ('preferred_output' in value || 'non_preferred_output' in value)
  return outputs && isRecord(value.input) && Array.isArray(value.input.messages)
}

/** Both answers continue the last message of the input, and the preferred one ends the active path. */
function readPreference(value: Preference, told: Told): ReadConversation {
  const { id, title, input, preferred_output: preferred, non_preferred_output: other, ...rest } = value
  const { messages, ...ofInput } = input
  const asked = readEach(messages, 'input.messages', told, readerOf(told))
  const parent = asked.at(-1)?.clientId ?? null
  const answers = (list: unknown, name: string, isPreferred: boolean): ReadMessage[] => {
    if (list === undefined || list === null) return []
    if (!Array.isArray(list)) {
      told.attempt(name, () => {
        throw new Fault(': must be a list of messages.')
      })
      return []
    }
    const read = readEach(list, name, told, readerOf(told, { preferred: isPreferred }), `import:${name}:`)
    return read.map((message, index) => ({ ...message, parent: read[index - 1]?.clientId ?? parent }))
  }
  return {
    ...about(idOf(id, value), title, { ...rest, ...ofInput }, told),
    messages: [
      ...asked.map((message, index) => ({ ...message, parent: asked[index - 1]?.clientId ?? null })),
      ...answers(other, 'non_preferred_output', false),
      ...answers(preferred, 'preferred_output', true),
    ],
    leaf: null,
  }
}
