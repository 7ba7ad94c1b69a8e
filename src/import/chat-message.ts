/** A message as the API's `MessageInput` takes it. */
export type ChatMessageInput = Readonly<Record<string, unknown>>

/** What is wrong with a line, for the person who made the file. */
export class Fault extends Error {
  /** The conversation's id, if it was read. */
  readonly id: string | null

  constructor(sentence: string, id: string | null = null) {
    super(sentence)
    this.id = id
  }
}

/**
 * Turns a message of a chat completion into the input of an append. Every field has a place in the input, or the
 * message is refused. null is the same as absent, as in the API itself.
 *
 * @param index the place of the message in its conversation, from which its client id is made
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

/**
 * A call of type `function` has its name and its `arguments` in the field `function`. A call of type `custom` has its
 * name and its `input` in the field `custom`.
 */
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
