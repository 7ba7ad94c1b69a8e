import { Entity, Index, ManyToOne, Property } from '@mikro-orm/decorators/legacy'
import { Timestamp } from '../timestamp.ts'
import { Message } from './message.ts'

/**
 * The state of a message that is still being written. The row exists exactly while the message's status is STREAMING.
 */
@Entity({ tableName: 'message_stream' })
@Index({ name: 'message_stream_expires_at_index', properties: ['expiresAt'] })
export class MessageStream {
  @ManyToOne(() => Message, {
    primary: true,
    joinColumns: ['conversation_key', 'seq'],
    foreignKeyName: 'message_stream_message_foreign',
    updateRule: 'no action',
    deleteRule: 'cascade',
  })
  message!: Message

  /** A producer that takes the stream over raises it. Writes of an older attempt are refused. */
  @Property({ type: 'integer' })
  attempt!: number

  /** How many chunks there are, and the number of the next one. */
  @Property({ type: 'integer' })
  nextChunk!: number

  /** UTF-8 bytes of all chunks. */
  @Property({ type: 'integer' })
  size!: number

  /** How long the producer may give no sign of life. */
  @Property({ type: 'integer' })
  timeoutSeconds!: number

  /** When that time has passed, by the database's clock. */
  @Property({ type: Timestamp })
  expiresAt!: string
}
