import { asJson, isRecord } from '../message/json.ts'
import type { Message, MessageInput } from '../schema/types.ts'

/**
 * An item as a message: the item itself is the one part, and comes back equal. Its text, call or result stands beside it, for
 * whoever else reads the conversation.
 *
 * @throws TypeError for what JSON cannot hold
 */
export function toInput(item: object): MessageInput {
  const part = asJson(item) as Record<string, unknown>
  return { ...fieldsOf(part), parts: [part], partsFormat: 'OTHER' }
}

function fieldsOf(item: Record<string, unknown>): MessageInput {
  const { type, role, callId, name, arguments: text } = item
  if (type === 'function_call' && typeof callId === 'string' && typeof name === 'string') {
    return { role: 'ASSISTANT', toolCalls: [{ callId, name, arguments: String(text ?? '') }] }
  }
  if (type === 'function_call_result' && typeof callId === 'string') {
    return {
      role: 'TOOL',
      toolCallId: callId,
      toolName: typeof name === 'string' ? name : null,
      content: textOf(item.output),
    }
  }
  const said = roles[String(role)]
  return said === undefined ? { role: 'ASSISTANT' } : { role: said, content: textOf(item.content) }
}

const roles: Readonly<Record<string, MessageInput['role']>> = { user: 'USER', assistant: 'ASSISTANT', system: 'SYSTEM' }

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  const parts = (Array.isArray(value) ? value : [value]).filter(isRecord)
  return parts.flatMap(({ text, refusal }) => [text, refusal].filter((one) => typeof one === 'string')).join('')
}

type StoredItem = Pick<Message, 'role' | 'content' | 'parts' | 'partsFormat' | 'toolCalls' | 'toolName' | 'toolCallId'>

/** The item again; of a message that another program has stored, its text, its calls and its result. */
export function toItems(message: StoredItem): object[] {
  const { role, parts, partsFormat } = message
  const [part] = partsFormat === 'OTHER' ? (parts ?? []) : []
  if (isRecord(part)) return [part]
  const text = message.content ?? ''
  switch (role) {
    case 'TOOL': {
      const { toolCallId: callId, toolName } = message
      const name = toolName ?? 'tool'
      return [{ type: 'function_call_result', callId, name, status: 'completed', output: { type: 'text', text } }]
    }
    case 'ASSISTANT': {
      const content = [{ type: 'output_text', text }]
      const said = text === '' ? [] : [{ type: 'message', role: 'assistant', status: 'completed', content }]
      const calls = message.toolCalls.map(({ callId, name, arguments: given }) => ({
        type: 'function_call',
        callId,
        name,
        status: 'completed',
        arguments: given,
      }))
      return [...said, ...calls]
    }
    default:
      return [{ type: 'message', role: role === 'USER' ? 'user' : 'system', content: text }]
  }
}
