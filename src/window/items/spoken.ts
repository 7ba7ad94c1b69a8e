import type { Message } from '../../entities/message.ts'

/** What a window reads of a message. One that is not stored yet has no id. */
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
  Partial<Pick<Message, 'id' | 'deletedAt'>>

/** A message, stored unless it is the new one, and how many tokens a model reads of it, apart from its reasoning. */
export interface Counted<M extends Spoken = Message> {
  readonly message: M
  readonly tokens: number
  readonly reasoningTokens: number
}
