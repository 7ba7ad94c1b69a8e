import type { Message } from '../../entities/message/message.ts'
import type { ToolCall } from '../../entities/message/tool-call.ts'
import type { GivenProperty } from './message-columns.ts'

/** The properties of a message that a caller gives. The server adds the others. */
export type GivenMessage = {
  readonly [P in GivenProperty]?: (P extends 'toolCalls' ? readonly GivenToolCall[] : Message[P]) | null
}

export interface GivenToolCall extends Readonly<Pick<ToolCall, 'callId' | 'name' | 'arguments'>> {
  readonly type?: string | null
  readonly extra?: ToolCall['extra']
}
