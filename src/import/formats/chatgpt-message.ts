import { Fault } from '../fault.ts'
import type { ReadMessage } from '../told/conversation.ts'
import { parseJson } from '../told/json-text.ts'
import { keepRest } from '../told/metadata.ts'
import { isRecord, type JsonRecord, textOf, withoutNothing } from '../told/record.ts'
import { takeTime } from '../told/time.ts'
import type { Told } from '../told/told.ts'

/** A call that a tool of the same turn may answer. */
export interface LastCall {
  readonly callId: string
  readonly name: string
  readonly isAnswered: boolean
}

export interface ChatGptMessage {
  readonly message: Pick<ReadMessage, 'input' | 'time'>
  /** What the tools after it answer; null: no call of an earlier turn either. Absent: as before it. */
  readonly call?: LastCall | null
}

/**
 * Reads the message of a node. What an assistant says to a tool (its `recipient`) is a call; what the tool says is the
 * result.
 *
 * @param call the last call above, in the same turn
 * @returns null if ChatGPT hides the message or it says nothing; that is told
 * @throws Fault; its sentence begins with the path in the node
 */
export function readChatGptMessage(
  id: string,
  message: unknown,
  call: LastCall | null,
  told: Told,
): ChatGptMessage | null {
  if (!isRecord(message)) throw new Fault('.message: must be an object.')
  const { id: _id, author, content, metadata: given, recipient, ...others } = message
  const metadata = isRecord(given) ? given : {}
  if (metadata.is_visually_hidden_from_conversation === true) return leaveOut('message that ChatGPT hides: left out')
  const { role: authorRole, ...ofAuthor } = isRecord(author) ? author : {}
  const role = typeof authorRole === 'string' ? roles.get(authorRole) : undefined
  if (role === undefined) {
    throw new Fault(`.message.author.role: ${JSON.stringify(authorRole)} is none of ${[...roles.keys()].join(', ')}.`)
  }
  if (!isRecord(content)) throw new Fault('.message.content: must be an object.')
  const { text, parts, rest: ofContent } = readContent(content)
  const tool = role === 'ASSISTANT' ? toolOf(recipient) : null
  const isSaid = textOf(text) !== null || parts !== null || hasAny(metadata.attachments)
  if (!isSaid && tool === null && role !== 'TOOL') return leaveOut('message that says nothing: left out')
  countFiles(content, metadata, told)
  if (role === 'TOOL' && call?.isAnswered !== false)
    told.note('result without a call of its own: a model does not read it')
  const { time, rest } = takeTime(others, 'create_time')
  const { model_slug: model, ...more } = metadata
  const kept = withoutNothing({
    ...rest,
    recipient: recipient === 'all' ? null : recipient,
    author: withoutNothing(ofAuthor),
    content: withoutNothing(ofContent),
    metadata: withoutNothing(textOf(model) === null ? metadata : more),
  })
  const made = tool === null ? null : { callId: id, name: tool }
  return {
    message: {
      time,
      input: {
        role: isInstruction(content) ? 'SYSTEM' : role,
        ...(parts === null ? {} : { parts, partsFormat: 'OTHER' }),
        ...(made === null
          ? { content: text ?? (parts === null ? '' : null) }
          : { toolCalls: [{ ...made, arguments: text ?? '', type: isObjectText(text) ? 'function' : 'custom' }] }),
        ...(role === 'TOOL'
          ? {
              toolName: textOf(ofAuthor.name) ?? call?.name ?? null,
              toolCallId: call?.callId ?? id,
              ...(content.content_type === 'system_error' ? { toolError: true } : {}),
            }
          : { name: textOf(ofAuthor.name) }),
        model: textOf(model),
        finishReason: isRecord(metadata.finish_details) ? textOf(metadata.finish_details.type) : null,
        metadata: keepRest('chatgpt', kept, told),
      },
    },
    ...nextCall(),
  }

  function nextCall(): Pick<ChatGptMessage, 'call'> {
    if (made !== null) return { call: { ...made, isAnswered: false } }
    if (role === 'USER') return { call: null }
    return role === 'TOOL' && call !== null ? { call: { ...call, isAnswered: true } } : {}
  }

  function leaveOut(what: string): null {
    told.note(what)
    return null
  }
}

const roles = new Map([
  ['system', 'SYSTEM'],
  ['developer', 'DEVELOPER'],
  ['user', 'USER'],
  ['assistant', 'ASSISTANT'],
  ['tool', 'TOOL'],
])

/** The tool that a message is for; null: it is for people. */
function toolOf(recipient: unknown): string | null {
  return recipient === 'all' || recipient === 'assistant' ? null : textOf(recipient)
}

/** What a user told ChatGPT about all conversations, and what ChatGPT remembers. */
function isInstruction({ content_type: type }: JsonRecord): boolean {
  return type === 'user_editable_context' || type === 'model_editable_context'
}

interface Content {
  readonly text: string | null
  /** The whole content, if the text is not all that it says; null: the text is all. */
  readonly parts: readonly unknown[] | null
  /** What belongs to the text, such as its language. */
  readonly rest: JsonRecord
}

/** Types that say one text, and the field that has it. */
const textFields: Readonly<Record<string, string>> = {
  code: 'text',
  execution_output: 'text',
  system_error: 'text',
  tether_quote: 'text',
  sonic_webpage: 'text',
  tether_browsing_display: 'result',
}

/**
 * Reads a content. Pictures and other files are references (`file-service://…`, `sediment://…`), thoughts and unknown
 * types have a form of their own: such a content is kept whole.
 */
function readContent(content: JsonRecord): Content {
  const { content_type: type, ...fields } = content
  const field = textFields[String(type)]
  if (field !== undefined && typeof content[field] === 'string') {
    const { [field]: text, ...rest } = content
    return { text: String(text), parts: null, rest }
  }
  const list = Array.isArray(content.parts) ? content.parts : []
  if (type === 'text' && list.length <= 1 && (list.length === 0 || typeof list[0] === 'string')) {
    const { parts: _, content_type: _type, ...rest } = content
    return { text: list[0] ?? '', parts: null, rest }
  }
  return {
    text: textOfParts(content, list),
    parts: saysAny({ ...fields, source_analysis_msg_id: null }) ? [content] : null,
    rest: {},
  }
}

/** What people read of a content that is kept whole; null: nothing, as of thoughts. */
function textOfParts(content: JsonRecord, list: readonly unknown[]): string | null {
  if (isInstruction(content)) {
    const texts = [content.user_profile, content.user_instructions, content.model_set_context]
    return (
      texts
        .map(textOf)
        .filter((text) => text !== null)
        .join('\n\n') || null
    )
  }
  const texts = list.flatMap((part) => textOf(part) ?? (isRecord(part) ? (textOf(part.text) ?? []) : []))
  return texts.length === 0 ? null : texts.join('\n')
}

/** Whether there is a text that is not empty anywhere in a value. */
function saysAny(value: unknown): boolean {
  if (typeof value === 'string') return value !== ''
  return typeof value === 'object' && value !== null && Object.values(value).some(saysAny)
}

function hasAny(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0
}

function isObjectText(text: string | null): boolean {
  return isRecord(parseJson(text ?? ''))
}

function countFiles({ parts }: JsonRecord, { attachments }: JsonRecord, told: Told): void {
  const files = (Array.isArray(parts) ? parts : []).filter((part) => /asset_pointer/.test(typeOf(part)))
  told.note(
    'picture, sound or video: its reference is kept, because its file is not in conversations.json',
    files.length,
  )
  told.note(
    'attachment: its name is kept, because its file is not in the conversation',
    Array.isArray(attachments) ? attachments.length : 0,
  )
}

function typeOf(part: unknown): string {
  return isRecord(part) ? String(part.content_type) : ''
}
