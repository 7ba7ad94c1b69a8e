import { BigIntType } from '@mikro-orm/core'
import { Entity, Index, ManyToOne, Property } from '@mikro-orm/decorators/legacy'
import { Field, ObjectType } from 'type-graphql'
import { Conversation } from './conversation.ts'
import { Timestamp } from './timestamp.ts'

@ObjectType({ description: 'That a conversation waits for a person.', simpleResolvers: true })
@Entity({ tableName: 'waiting' })
@Index({
  name: 'waiting_since_conversation_key_index',
  expression:
    'create index "waiting_since_conversation_key_index" on "waiting" ("since", "conversation_key") where "taken_at" is null',
})
export class Waiting {
  @ManyToOne(() => Conversation, {
    primary: true,
    joinColumn: 'conversation_key',
    createForeignKeyConstraint: false,
  })
  conversation!: Conversation

  /** That of the conversation: a later one of the same key does not wait. */
  @Property({ type: new BigIntType('number') })
  epoch!: number

  @Field(() => Timestamp, { description: 'Since when.' })
  @Property({ type: Timestamp })
  since!: string

  @Field(() => String, { nullable: true, description: 'Why, as `waitForPerson` said it last.' })
  @Property({ type: 'text', nullable: true })
  reason!: string | null

  /** When a person took the conversation over; null: it still waits. Such a row stays until the person hands back. */
  @Property({ type: Timestamp, nullable: true })
  takenAt!: string | null
}
