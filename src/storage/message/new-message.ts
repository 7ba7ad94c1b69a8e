import type { Conversation } from '../../entities/conversation.ts'
import { Message } from '../../entities/message/message.ts'
import { compileFill } from './compile-fill.ts'
import { type MessageProperty, readColumns, type WrittenBy } from './message-columns.ts'

/**
 * A message that passed every check and has no seq yet. A message to append has a payload hash if it has a client id,
 * and otherwise null. For a message that is stored, null keeps the hash that it has.
 */
export type NewMessage = Readonly<Pick<Message, WrittenBy<'append'>> & Partial<Pick<Message, WrittenBy<'import'>>>>

/** Who wrote a message, as its row says it. */
export type Authorship = Pick<Message, 'authorId' | 'authorKind' | 'authorName'>

export function authorshipOf({ authorId, authorKind, authorName }: Authorship): Authorship {
  return { authorId, authorKind, authorName }
}

/** Whether a message brings the time when it was created elsewhere. */
export function bringsTime(message: NewMessage): message is NewMessage & { readonly createdAt: string } {
  return message.createdAt !== undefined
}

/**
 * The message as it was stored at `seq`: the same as a new read would answer, without the read. Its members have the
 * order in which `readMessage` sets them, so that V8 sees one shape.
 *
 * @param parentSeq the seq of the message that it continues; null: the message before it
 */
export function storedMessage(
  input: NewMessage,
  conversation: Conversation,
  seq: number,
  parentSeq: number | null = null,
): Message {
  return fill(input, conversation, seq, parentSeq)
}

/** The values that the server gives a message that it stores. Any other column that no append writes is null. */
const given: Partial<Record<MessageProperty, string>> = {
  seq: 'seq',
  parentSeq: 'parentSeq',
  createdAt: '(input.createdAt ?? conversation.updatedAt)',
  updatedAt: '(input.createdAt ?? conversation.updatedAt)',
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
