import type { Message } from '../../entities/message.ts'

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

/** A message and its tokens. The `tokens` do not include the reasoning. */
export interface Counted<M extends Spoken = Message> {
  readonly message: M
  readonly tokens: number
  readonly reasoningTokens: number
}
