import { Fault } from '../fault.ts'
import { type Format, type Input, type ReadItem, type ReadMessage, readEach } from '../told/conversation.ts'
import { membersOf, parseJson } from '../told/json-text.ts'
import { idOf, OpenCalls } from '../told/made-id.ts'
import { keepRest } from '../told/metadata.ts'
import { hasText, isRecord, type JsonRecord, textOf } from '../told/record.ts'
import { takeTime } from '../told/time.ts'
import type { Told } from '../told/told.ts'
import { readerOf } from './openai.ts'
import { madeCallId } from './openai-message.ts'

/**
 * ShareGPT: `{id, conversations: [{from, value}]}`, as LLaMA-Factory's data/README.md describes it (2026-11), with the
 * fields `system`, `tools`, `chosen` and `rejected`. Older files name the list `items` or `conversation`. A file may have
 * messages with `role` and `content` in the list.
 */
export const shareGpt: Format = {
  name: 'sharegpt',
  fits: (value) => (Array.isArray(value) ? value.some(isTurn) : isRecord(value) && listOf(value) !== null),
  read(value, told) {
    const list = Array.isArray(value) ? 'conversations' : isRecord(value) ? listOf(value) : null
    const whole: JsonRecord = Array.isArray(value) ? { conversations: value } : isRecord(value) ? value : {}
    if (list === null) throw new Fault('must be a JSON object with a list "conversations".')
    const { id, title, system, chosen, rejected, [list]: turns, ...others } = whole
    const { time, rest } = takeTime(others, 'created_at', 'createdAt', 'create_time')
    const instructions = textOf(system)
    const first: ReadMessage[] =
      instructions === null
        ? []
        : [{ place: 'system', clientId: 'import:system', time: null, input: { role: 'SYSTEM', content: instructions } }]
    const read = [...first, ...readEach(turns as unknown[], list, told, turnReader(told))]
    return {
      id: idOf(id, value),
      title: textOf(title),
      time,
      metadata: keepRest('sharegpt', rest, told),
      messages: [...read, ...readAnswers(read, { rejected, chosen }, told)],
      leaf: null,
    }
  },
}

function isTurn(value: unknown): boolean {
  return hasText(value, 'from')
}

/** The name of the list of turns. Only in `conversations` the turns may have a `role` instead of `from`. */
function listOf(value: JsonRecord): string | null {
  const isList = (name: string) => {
    const list = value[name]
    return (
      Array.isArray(list) && list.some((turn) => isTurn(turn) || (name === 'conversations' && hasText(turn, 'role')))
    )
  }
  return ['conversations', 'conversation', 'items', 'messages'].find(isList) ?? null
}

/** Of two answers to the same turn the chosen one ends the active path. */
function readAnswers(read: readonly ReadMessage[], answers: JsonRecord, told: Told): ReadMessage[] {
  const parent = read.at(-1)?.clientId ?? null
  return Object.entries(answers).flatMap(([name, answer]) => {
    if (answer === undefined || answer === null) return []
    const list = Array.isArray(answer) ? answer : [typeof answer === 'string' ? { from: 'gpt', value: answer } : answer]
    const messages = readEach(list, name, told, turnReader(told, { [name]: true }), `import:${name}:`)
    return messages.map((message, index) => ({ ...message, parent: messages[index - 1]?.clientId ?? parent }))
  })
}

const roles: Readonly<Record<string, string>> = {
  system: 'SYSTEM',
  developer: 'DEVELOPER',
  human: 'USER',
  user: 'USER',
  gpt: 'ASSISTANT',
  assistant: 'ASSISTANT',
  chatgpt: 'ASSISTANT',
  bing: 'ASSISTANT',
  bard: 'ASSISTANT',
  model: 'ASSISTANT',
  function_call: 'CALL',
  tool_call: 'CALL',
  observation: 'TOOL',
  tool: 'TOOL',
  tool_response: 'TOOL',
  function_response: 'TOOL',
}

function turnReader(told: Told, more: Input = {}): (turn: unknown, index: number) => ReadItem {
  const calls = new OpenCalls()
  const readOpenAi = readerOf(told, more)
  return (turn, index) => {
    if (!isRecord(turn)) throw new Fault(': must be an object.')
    if (isOpenAi(turn)) return readOpenAi(turn, index)
    const { from = turn.role, value = turn.content ?? null, role: _role, content: _content, ...others } = turn
    const role = roles[String(from).toLowerCase()]
    if (role === undefined) {
      throw new Fault(`.from: ${JSON.stringify(from)} is none of ${Object.keys(roles).join(', ')}.`)
    }
    const text = value ?? (role === 'USER' || role === 'SYSTEM' ? null : '')
    if (typeof text !== 'string') throw new Fault('.value: must be a text.')
    const { time, rest } = takeTime(others, 'created_at', 'createdAt', 'timestamp')
    const metadata = keepRest('sharegpt', { ...rest, ...more }, told)
    return {
      input: {
        ...readTurn(role, text, index, calls, told),
        ...(Object.keys(metadata).length === 0 ? {} : { metadata }),
      },
      time,
    }
  }
}

/** A message of the chat shape may have more than a text. A result that names no call is read as a turn. */
function isOpenAi({ from, role, tool_call_id: callId }: JsonRecord): boolean {
  return from === undefined && openAiRoles.has(role) && (role !== 'tool' || callId !== undefined)
}

const openAiRoles = new Set<unknown>(['system', 'developer', 'user', 'assistant', 'tool', 'function'])

function readTurn(role: string, text: string, index: number, calls: OpenCalls, told: Told): Input {
  if (role === 'CALL') {
    const toolCalls = readCalls(text, index, calls)
    if (toolCalls !== null) return { role: 'ASSISTANT', toolCalls }
    told.note('call that is not {"name", "arguments"} as JSON: kept as text')
  }
  if (role !== 'TOOL') return { role: role === 'CALL' ? 'ASSISTANT' : role, content: text }
  const call = calls.answer(null)
  if (call === null) told.note('result without a call of its own: a model does not read it')
  return { role, content: text, toolName: call?.name ?? null, toolCallId: call?.callId ?? madeCallId(index) }
}

/**
 * A turn `function_call` is a call or a list of calls, as JSON: `{"name", "arguments"}`. The arguments keep the form that
 * they have in that text. null: the text is something else.
 */
function readCalls(text: string, index: number, calls: OpenCalls): Input[] | null {
  const parsed = parseJson(text)
  const list = Array.isArray(parsed) ? membersOf(text).map((member) => member.text) : [text]
  const read = list.map((one, at) => readCall(one, at === 0 ? madeCallId(index) : `${madeCallId(index)}_${at}`))
  const found = read.filter((call) => call !== null)
  if (found.length < read.length || found.length === 0) return null
  for (const call of found) calls.add(call.callId, call.name)
  return found
}

function readCall(text: string, callId: string): (Input & { readonly callId: string; readonly name: string }) | null {
  const call = parseJson(text)
  if (!isRecord(call) || typeof call.name !== 'string') return null
  const { name, arguments: given, ...extra } = call
  const written = membersOf(text).findLast(({ key }) => key === 'arguments')?.text
  return {
    callId,
    name,
    arguments: typeof given === 'string' ? given : (written ?? '{}'),
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  }
}
