import type { Message } from '../../../src/entities/message/message.ts'
import type { PartsFormat } from '../../../src/entities/message/message-enums.ts'
import type { ToolCall } from '../../../src/entities/message/tool-call.ts'
import type { ContextFormat } from '../../../src/entities/window-enums.ts'
import type { Counted } from '../../../src/window/items/spoken.ts'
import { type ContextWindow, WindowBuilder, type WindowRequest } from '../../../src/window/window.ts'
import { storedMessage } from './transcripts.ts'
import { type Exchange, readAsProvider, readBySdk } from './window-rules.ts'

/** The fields of a message, and what people answered to its calls. */
export type Fields = Partial<Message> & Pick<Counted, 'callAnswers'>

/** Each message counts ten tokens, and its reasoning five. */
export function build(
  format: ContextFormat,
  fields: readonly Fields[],
  request: Partial<WindowRequest> = {},
): ContextWindow {
  const counted = fields.map(({ callAnswers, ...field }, index) => ({
    ...(callAnswers === undefined ? {} : { callAnswers }),
    message: storedMessage(index + 1, { clientId: `m${index + 1}`, ...field }),
    tokens: 10,
    reasoningTokens: 5,
  }))
  const others = counted.findIndex(({ message: { role } }) => role !== 'SYSTEM' && role !== 'DEVELOPER')
  const whole = { format, maxTokens: 1_000_000, reserve: 0, system: null, userMessage: null, ...request }
  const builder = new WindowBuilder(whole, counted.slice(0, others === -1 ? counted.length : others))
  builder.add(counted.toReversed())
  return builder.finish()
}

/** A window that was also read as its provider would, and by the AI SDK where it is one of its own. */
export async function buildValid(
  format: ContextFormat,
  fields: readonly Fields[],
  request?: Partial<WindowRequest>,
): Promise<ContextWindow & { readonly exchanges: Exchange[] }> {
  const window = build(format, fields, request)
  const exchanges = readAsProvider(format, window)
  if (format === 'AI_SDK' || format === 'AI_SDK_MODEL') await readBySdk(format, window)
  return { ...window, exchanges }
}

export const user = (content: string, more: Fields = {}): Fields => ({ role: 'USER', content, ...more })
export const assistant = (content: string | null, ...toolCalls: ToolCall[]): Fields => ({
  role: 'ASSISTANT',
  content,
  toolCalls,
})
export const tool = (toolCallId: string, content: string, more: Fields = {}): Fields => ({
  role: 'TOOL',
  toolCallId,
  content,
  ...more,
})
export const call = (callId: string, text = '{}', more: Partial<ToolCall> = {}): ToolCall => ({
  callId,
  name: 'look',
  arguments: text,
  type: 'function',
  extra: null,
  ...more,
})
export const parts = (role: Message['role'], partsFormat: PartsFormat, ...list: unknown[]): Fields => ({
  role,
  partsFormat,
  parts: list,
})
