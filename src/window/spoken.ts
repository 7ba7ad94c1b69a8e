import type { Message } from '../entities/message.ts'

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
  Partial<Pick<Message, 'id'>>
