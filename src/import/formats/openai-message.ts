import { Fault } from '../fault.ts'
import type { Input } from '../told/conversation.ts'
import type { OpenCalls } from '../told/made-id.ts'
import { isRecord, type JsonRecord, textOf } from '../told/record.ts'

/** An input whose metadata may still be larger than a server takes. */
export interface OpenAiMessage {
  readonly input: Input
  /** The fields that the API has no field for. */
  readonly rest: JsonRecord
  /** Whether a sound was left out; its transcript is kept. */
  readonly hadSound: boolean
}

/**
 * Turns a message of a chat completion, or of a fine-tuning file, into the input of an append. null is the same as
 * absent, as in the API itself. An assistant may say nothing: its content is then an empty text.
 *
 * @param index of the message in its conversation, from which the id of a call is made that has none
 * @param calls of the old fields `function_call` and role `function`, which have no ids
 * @throws Fault; its sentence begins with the path in the message
 */
export function readOpenAiMessage(message: unknown, index: number, calls: OpenCalls): OpenAiMessage {
  if (!isRecord(message)) throw new Fault(': must be an object.')
  const { role, content = null, name = null, tool_calls: toolCalls, tool_call_id: toolCallId, ...others } = message
  const roleName = typeof role === 'string' ? roles.get(role) : undefined
  if (roleName === undefined) {
    throw new Fault(`.role: ${JSON.stringify(role)} is none of ${[...roles.keys()].join(', ')}.`)
  }
  const { parts, transcript, hadSound, rest } = takeParts(others)
  const call = role === 'assistant' ? takeFunctionCall(rest, index, calls) : null
  const answered = role === 'function' ? calls.answer(textOf(name)) : null
  if (role === 'function') rest.role = role
  return {
    input: {
      role: roleName,
      ...readContent(content ?? transcript, parts, {
        isOptional: role === 'function' || (role === 'assistant' && call === null && !hasAny(toolCalls)),
      }),
      [roleName === 'TOOL' ? 'toolName' : 'name']: readText('.name', name),
      toolCalls: call === null ? readToolCalls(toolCalls ?? null) : [...(readToolCalls(toolCalls ?? null) ?? []), call],
      toolCallId:
        readText('.tool_call_id', toolCallId ?? null) ??
        (role === 'function' ? (answered?.callId ?? madeCallId(index)) : null),
    },
    rest,
    hadSound,
  }
}

const roles = new Map([
  ...['system', 'developer', 'user', 'assistant', 'tool'].map((role) => [role, role.toUpperCase()] as const),
  ['function', 'TOOL'],
])

export function madeCallId(index: number): string {
  return `call_import_${index}`
}

function hasAny(list: unknown): boolean {
  return Array.isArray(list) && list.length > 0
}

interface Taken {
  readonly parts: { readonly before: JsonRecord[]; readonly after: JsonRecord[] }
  readonly transcript: string | null
  readonly hadSound: boolean
  readonly rest: JsonRecord
}

/**
 * Providers that speak OpenAI's language answer reasoning beside the content, each in its own field. It becomes a part
 * that has the name of the field as its type.
 */
const reasoningFields = ['reasoning_content', 'reasoning', 'reasoning_details']

/** Takes out of a message what becomes a part: its reasoning stands before the text, its refusal behind it. */
function takeParts({ refusal, audio, ...rest }: JsonRecord): Taken {
  const refused = textOf(refusal)
  if (refused === null && refusal !== undefined) rest.refusal = refusal
  const before: JsonRecord[] = []
  for (const field of reasoningFields) {
    const { [field]: reasoning } = rest
    if (textOf(reasoning) === null && !hasAny(reasoning)) continue
    before.push({ type: field, [field]: reasoning })
    delete rest[field]
  }
  const { data, ...sound } = isRecord(audio) ? audio : {}
  if (audio !== undefined) rest.audio = isRecord(audio) ? sound : audio
  return {
    parts: {
      before,
      after: refused === null ? [] : [{ type: 'refusal', refusal: refused }],
    },
    transcript: textOf(sound.transcript),
    hadSound: textOf(data) !== null,
    rest,
  }
}

function readContent(
  content: unknown,
  { before, after }: Taken['parts'],
  { isOptional }: { readonly isOptional: boolean },
): Input {
  if (content !== null && typeof content !== 'string' && !Array.isArray(content)) {
    throw new Fault('.content: must be a text, a list of parts or null.')
  }
  const isEmpty = content === null || content.length === 0
  if (before.length + after.length === 0) {
    if (isEmpty && isOptional) return { content: '' }
    return Array.isArray(content) ? { parts: content, partsFormat: 'OPENAI_CHAT' } : { content }
  }
  const said = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  return { parts: [...before, ...(isEmpty || said === null ? [] : said), ...after], partsFormat: 'OPENAI_CHAT' }
}

function readText(path: string, text: unknown): string | null {
  if (text === null || typeof text === 'string') return text
  throw new Fault(`${path}: must be a text.`)
}

/** A call of the time before `tool_calls`. null stays among the other fields. */
function takeFunctionCall(rest: JsonRecord, index: number, calls: OpenCalls): Input | null {
  const { function_call: call } = rest
  if (call === undefined || call === null) return null
  delete rest.function_call
  const read = readToolCall('.function_call', { id: madeCallId(index), function: call }, '')
  calls.add(madeCallId(index), String(read.name))
  return read
}

function readToolCalls(toolCalls: unknown): Input[] | null {
  if (toolCalls === null) return null
  if (!Array.isArray(toolCalls)) throw new Fault('.tool_calls: must be a list.')
  return toolCalls.map((call, index) => readToolCall(`.tool_calls[${index}]`, call))
}

/**
 * A call of type `function` has its name and its `arguments` in the field `function`. A call of type `custom` has its
 * name and its `input` in the field `custom`.
 *
 * @param within how a path goes on to the fields of the function
 */
function readToolCall(path: string, call: unknown, within?: string): Input {
  if (!isRecord(call)) throw new Fault(`${path}: must be an object.`)
  const { id, type = 'function', ...rest } = call
  if (typeof id !== 'string') throw new Fault(`${path}.id: must be a text.`)
  if (type !== 'function' && type !== 'custom') throw new Fault(`${path}.type: must be "function" or "custom".`)
  const { [type]: called, ...others } = rest
  const inner = `${path}${within ?? `.${type}`}`
  if (!isRecord(called)) throw new Fault(`${inner}: must be an object.`)
  const field = type === 'function' ? 'arguments' : 'input'
  const { name, [field]: text, ...more } = called
  if (typeof name !== 'string') throw new Fault(`${inner}.name: must be a text.`)
  if (typeof text !== 'string') throw new Fault(`${inner}.${field}: must be a text, as the model wrote it.`)
  const extra = Object.keys(more).length > 0 ? { ...others, [type]: more } : others
  return { callId: id, name, arguments: text, type, ...(Object.keys(extra).length > 0 ? { extra } : {}) }
}
