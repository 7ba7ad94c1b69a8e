import type { Message } from './message.ts'
import type { ToolCall } from './tool-call.ts'

/** A symbol, so that neither JSON nor a comparison of names sees it. */
const ofMessage = Symbol('of message')

interface Linked extends ToolCall {
  [ofMessage]?: Message
}

/**
 * Lets tool calls know the message that they were read with: what stands beside a call is found by its message. It costs
 * a message without calls nothing, and others less than a resolver for all messages of a page.
 */
export function linkCalls(calls: ToolCall[], message: Message): ToolCall[] {
  for (const call of calls as Linked[]) call[ofMessage] = message
  return calls
}

/** null: the call was not read from the database, so it has just been stored. */
export function messageOf(call: ToolCall): Message | null {
  return (call as Linked)[ofMessage] ?? null
}
