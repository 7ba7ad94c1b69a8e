import { Field, ID, Int, ObjectType } from 'type-graphql'
import { messageId } from '../../entities/ids/global-id.ts'
import { placeHead } from '../../entities/ids/place.ts'
import { MessageAuthor } from '../../entities/message/message-author.ts'
import { AuthorKind, MessageRole, MessageStatus } from '../../entities/message/message-enums.ts'
import { Timestamp } from '../../entities/timestamp.ts'
import type { LoggedMessage } from '../../storage/operator/message-log.ts'
import type { ConversationRecord } from './conversation-record.ts'

@ObjectType({ description: 'A message as an operator sees it: everything but what it says.', simpleResolvers: true })
export class LogEntry {
  @Field(() => ID, { description: "The message's `id`." })
  messageId!: string

  @Field(() => Int, { description: 'Its position in the conversation.' })
  seq!: number

  @Field(() => String, {
    nullable: true,
    description: "The conversation's revision at its last change; null: it is as it was appended.",
  })
  revision!: string | null

  @Field(() => MessageRole, { description: 'Who speaks.' })
  role!: MessageRole

  @Field(() => MessageStatus, { description: 'Whether it is still being written, and how its writing ended.' })
  status!: MessageStatus

  @Field(() => MessageAuthor, { description: 'Who wrote it.' })
  author!: MessageAuthor

  @Field(() => Int, {
    description: 'The UTF-8 bytes of all that was written, without the text of a message that still streams.',
  })
  bytes!: number

  @Field(() => Timestamp, { description: 'When it was stored.' })
  createdAt!: string

  @Field(() => Timestamp, { description: 'When it last changed.' })
  updatedAt!: string

  @Field(() => Timestamp, { nullable: true, description: 'When it was last edited; null: it never was.' })
  editedAt!: string | null

  @Field(() => Timestamp, { nullable: true, description: 'When it was deleted; null: it is not.' })
  deletedAt!: string | null
}

export function toLogEntries(record: ConversationRecord, logged: readonly LoggedMessage[]): LogEntry[] {
  const head = placeHead(record)
  return logged.map(({ seq, revision, authorId, authorKind, authorName, size, ...same }) => ({
    ...same,
    messageId: messageId(head, seq),
    seq,
    revision: revision === null ? null : String(revision),
    author: { userId: authorId ?? record.ownerId, kind: authorKind ?? AuthorKind.USER, name: authorName },
    bytes: size,
  }))
}
