import { Entity, ManyToOne, Property } from '@mikro-orm/decorators/legacy'
import { Message } from './message.ts'

/** Which message a message replies to, and whom it mentions. A message that does neither has no row. */
@Entity({ tableName: 'message_link' })
export class MessageLink {
  @ManyToOne(() => Message, {
    primary: true,
    joinColumns: ['conversation_key', 'seq'],
    foreignKeyName: 'message_link_message_foreign',
    updateRule: 'no action',
    deleteRule: 'cascade',
  })
  message!: Message

  /** null: it replies to none. */
  @Property({ type: 'integer', nullable: true })
  replyToSeq!: number | null

  /** The ids of users. */
  @Property({ type: 'jsonb' })
  mentions!: string[]
}
