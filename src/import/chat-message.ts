/** A message as the API's `MessageInput` takes it. */
export type ChatMessageInput = Readonly<Record<string, unknown>>

/** What is wrong with a line, for the person who made the file. */
export class Fault extends Error {
  /** The conversation's id, when it was read. */
  readonly id: string | null

  constructor(sentence: string, id: string | null = null) {
    super(sentence)
    this.id = id
  }
}

/**
 * A message of a chat completion as input of an append. Every field finds a place in it, or the message is refused;
 * what is `null` is as absent, as it is for the API itself.
 *
 * @param index its place in the conversation, which makes its client id
 * @throws Fault beginning with the path below the message
 */
export function readChatMessage(message: unknown, index: number): ChatMessageInput {
  if (!isRecord(message)) throw new Fault(': must be an object.')
  const { role, content, name, tool_calls: toolCalls, tool_call_id: toolCallId, ...rest } = message
  const roleName = typeof role === 'string' ? roles.get(role) : undefined
  if (roleName === undefined) {
    throw new Fault(`.role: ${JSON.stringify(role)} is none of ${[...roles.keys()].join(', ')}.`)
  }
  return {
    role: roleName,
    clientId: `import:${index}`,
    ...readContent(content ?? null),
    [roleName === 'TOOL' ? 'toolName' : 'name']: readText('.name', name ?? null),
    toolCalls: readToolCalls(toolCalls ?? null),
    toolCallId: readText('.tool_call_id', toolCallId ?? null),
    ...(Object.keys(rest).length > 0 ? { metadata: { openai: rest } } : {}),
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const roles = new Map(['system', 'developer', 'user', 'assistant', 'tool'].map((role) => [role, role.toUpperCase()]))

function readContent(content: unknown): ChatMessageInput {
  if (Array.isArray(content)) return { parts: content, partsFormat: 'OPENAI_CHAT' }
  if (content === null || typeof content === 'string') return { content }
  throw new Fault('.content: must be a text, a list of parts or null.')
}

function readText(path: string, text: unknown): string | null {
  if (text === null || typeof text === 'string') return text
  throw new Fault(`${path}: must be a text.`)
}

function readToolCalls(toolCalls: unknown): ChatMessageInput[] | null {
  if (toolCalls === null) return null
  if (!Array.isArray(toolCalls)) throw new Fault('.tool_calls: must be a list.')
  return toolCalls.map((call, index) => readToolCall(`.tool_calls[${index}]`, call))
}

/** A call of type `function` holds what it calls in the field of that name, with `arguments`; `custom` likewise, with `input`. */
function readToolCall(path: string, call: unknown): ChatMessageInput {
  if (!isRecord(call)) throw new Fault(`${path}: must be an object.`)
  const { id, type = 'function', ...rest } = call
  if (typeof id !== 'string') throw new Fault(`${path}.id: must be a text.`)
  if (type !== 'function' && type !== 'custom') throw new Fault(`${path}.type: must be "function" or "custom".`)
  const { [type]: called, ...others } = rest
  if (!isRecord(called)) throw new Fault(`${path}.${type}: must be an object.`)
  const field = type === 'function' ? 'arguments' : 'input'
  const { name, [field]: text, ...more } = called
  if (typeof name !== 'string') throw new Fault(`${path}.${type}.name: must be a text.`)
  if (typeof text !== 'string') throw new Fault(`${path}.${type}.${field}: must be a text, as the model wrote it.`)
  const extra = Object.keys(more).length > 0 ? { ...others, [type]: more } : others
  return { callId: id, name, arguments: text, type, ...(Object.keys(extra).length > 0 ? { extra } : {}) }
}
