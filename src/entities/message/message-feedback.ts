import { Entity, Enum, Index, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import { registerEnumType } from 'type-graphql'
import { Timestamp } from '../timestamp.ts'
import { Message } from './message.ts'

export const FeedbackRating = { UP: 'UP', DOWN: 'DOWN' } as const
export type FeedbackRating = keyof typeof FeedbackRating
registerEnumType(FeedbackRating, {
  name: 'FeedbackRating',
  description: 'What a user thinks of a message.',
  valuesConfig: {
    UP: { description: 'It is good.' },
    DOWN: { description: 'It is bad.' },
  },
})

/** What a user thinks of a message that an assistant wrote. */
@Entity({ tableName: 'message_feedback' })
@Index({
  name: 'message_feedback_given_at_conversation_key_seq_user_id_index',
  properties: ['givenAt', 'message', 'userId'],
})
export class MessageFeedback {
  @ManyToOne(() => Message, {
    primary: true,
    joinColumns: ['conversation_key', 'seq'],
    foreignKeyName: 'message_feedback_message_foreign',
    updateRule: 'no action',
    deleteRule: 'cascade',
  })
  message!: Message

  @PrimaryKey({ type: 'text', collation: 'C' })
  userId!: string

  @Enum({ items: () => FeedbackRating })
  rating!: FeedbackRating

  /** A short word for programs. */
  @Property({ type: 'text', nullable: true })
  reason!: string | null

  @Property({ type: 'text', nullable: true })
  comment!: string | null

  /** When the user last gave it. */
  @Property({ type: Timestamp })
  givenAt!: string
}
