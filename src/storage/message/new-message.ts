import type { Conversation } from '../../entities/conversation.ts'
import { Message } from '../../entities/message.ts'
import { compileFill } from './compile-fill.ts'
import { type MessageProperty, readColumns, type WrittenBy } from './message-columns.ts'

/**
 * A message that passed every check and has no seq yet. The payload hash of a message that is appended is set exactly when
 * its client id is; of one that is there, null keeps the hash that it has.
 */
export type NewMessage = Readonly<Pick<Message, WrittenBy<'append'>>>

/**
 * The message as it was stored at `seq`: what reading it again would answer, without reading it again. Its members come in
 * the order in which `readMessage` sets them, so that both have one shape for the code that answers them.
 *
 * @param parentSeq what it continues, where that is not the message before it
 */
export function storedMessage(
  input: NewMessage,
  conversation: Conversation,
  seq: number,
  parentSeq: number | null = null,
): Message {
  return fill(input, conversation, seq, parentSeq)
}

/** What the server gives a message that it stores; null for all else that no append writes. */
const given: Partial<Record<MessageProperty, string>> = {
  seq: 'seq',
  parentSeq: 'parentSeq',
  createdAt: 'conversation.updatedAt',
  updatedAt: 'conversation.updatedAt',
}

const fill = compileFill<Parameters<typeof storedMessage>>(
  Message,
  ['input', 'conversation', 'seq', 'parentSeq'],
  [
    ...readColumns.map(({ property, writers }): [string, string] => [
      property,
      writers.includes('append') ? `input.${property}` : (given[property] ?? 'null'),
    ]),
    ['nextChunk', "input.status === 'STREAMING' ? 0 : null"],
  ],
)
