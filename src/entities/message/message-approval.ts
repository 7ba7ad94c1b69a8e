import { Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import { Timestamp } from '../timestamp.ts'
import { Message } from './message.ts'

/** What a person answered to a tool call of a message. The message's revision moved with it. */
@Entity({ tableName: 'message_approval' })
export class MessageApproval {
  @ManyToOne(() => Message, {
    primary: true,
    joinColumns: ['conversation_key', 'seq'],
    foreignKeyName: 'message_approval_message_foreign',
    updateRule: 'no action',
    deleteRule: 'cascade',
  })
  message!: Message

  @PrimaryKey({ type: 'text', collation: 'C' })
  callId!: string

  /** Who answered. */
  @Property({ type: 'text', collation: 'C' })
  userId!: string

  /** false: the call is refused. */
  @Property({ type: 'boolean' })
  approved!: boolean

  @Property({ type: 'text', nullable: true })
  reason!: string | null

  @Property({ type: Timestamp })
  answeredAt!: string
}
