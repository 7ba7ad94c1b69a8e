import type { Message } from '../../entities/message/message.ts'

/** The fields of a message that a window reads. A message that is not stored yet has no id. */
export type Spoken = Pick<
  Message,
  | 'role'
  | 'name'
  | 'content'
  | 'parts'
  | 'partsFormat'
  | 'toolCalls'
  | 'toolName'
  | 'toolCallId'
  | 'toolError'
  | 'clientId'
  | 'status'
> &
  Partial<Pick<Message, 'id' | 'deletedAt' | 'finishReason'>>

/** A message of words alone, which nobody has stored. */
export function plainMessage(role: Message['role'], content: string): Spoken {
  return {
    role,
    name: null,
    content,
    parts: null,
    partsFormat: null,
    toolCalls: [],
    toolName: null,
    toolCallId: null,
    toolError: null,
    clientId: null,
    status: 'COMPLETE',
  }
}

/** What a person answered to a call, beside what the messages say. */
export interface CallAnswer {
  readonly approved: boolean
  readonly reason: string | null
}

/** A message and its tokens. The `tokens` do not include the reasoning. */
export interface Counted<M extends Spoken = Message> {
  readonly message: M
  readonly tokens: number
  readonly reasoningTokens: number
  /** By the id of the call; absent: nobody answered any. */
  readonly callAnswers?: ReadonlyMap<string, CallAnswer>
  /** Who is said to have written it, and the tokens that this takes. Absent: nobody is named. */
  readonly author?: { readonly name: string; readonly tokens: number }
}
