import { Field, ID, Int, ObjectType } from 'type-graphql'
import { messageId } from '../../entities/ids/global-id.ts'
import { placeHead } from '../../entities/ids/place.ts'
import { Timestamp } from '../../entities/timestamp.ts'
import type { Watchers } from '../../live/watchers.ts'
import type { StoredStream } from '../../storage/operator/open-streams.ts'
import { ConversationRecord } from './conversation-record.ts'

@ObjectType({ description: 'A message that is still being written.', simpleResolvers: true })
export class OpenStream {
  @Field(() => ID, { description: "The message's `id`." })
  messageId!: string

  @Field(() => ConversationRecord, { description: 'The conversation that holds it.' })
  conversation!: ConversationRecord

  @Field(() => Int, { description: 'Its position in the conversation.' })
  seq!: number

  @Field(() => Int, { description: 'Which producer writes it: each one that takes over raises this number.' })
  attempt!: number

  @Field(() => Int, { description: 'How many chunks it has.' })
  chunks!: number

  @Field(() => Int, { description: 'The UTF-8 bytes of its chunks.' })
  bytes!: number

  @Field(() => Timestamp, { description: 'When it began.' })
  startedAt!: string

  @Field(() => Timestamp, { description: 'When its producer last gave a sign of life.' })
  lastSignAt!: string

  @Field(() => Timestamp, { description: 'When the message fails unless its producer gives another one.' })
  expiresAt!: string

  @Field(() => Boolean, {
    description: 'Whether that time has passed. A server fails such a message within `POLL_MS`; one that stays hangs.',
  })
  isOverdue!: boolean
}

export function toOpenStream({ conversation, ...stream }: StoredStream, watchers: Watchers): OpenStream {
  const record = new ConversationRecord(conversation, watchers)
  return { ...stream, messageId: messageId(placeHead(record), stream.seq), conversation: record }
}
