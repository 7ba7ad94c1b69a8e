import { BigIntType } from '@mikro-orm/core'
import { Entity, Enum, Index, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import { registerEnumType } from 'type-graphql'
import { Conversation } from './conversation.ts'
import { Timestamp } from './timestamp.ts'

export const ParticipantRole = { OWNER: 'OWNER', MEMBER: 'MEMBER', OBSERVER: 'OBSERVER' } as const
export type ParticipantRole = keyof typeof ParticipantRole
registerEnumType(ParticipantRole, {
  name: 'ParticipantRole',
  description: 'What a user may do in a conversation.',
  valuesConfig: {
    OWNER: { description: 'Everything. Each conversation has one owner.' },
    MEMBER: { description: 'Reads, appends, and changes what it wrote itself.' },
    OBSERVER: { description: 'Reads.' },
  },
})

/** A user who takes part in a conversation, or took part in it. The owner has no row. */
@Entity({ tableName: 'participant' })
@Index({ name: 'participant_user_id_changed_at_index', properties: ['userId', 'changedAt'] })
@Index({
  name: 'participant_ended_at_index',
  expression: 'create index "participant_ended_at_index" on "participant" ("ended_at") where "ended_at" is not null',
})
export class Participant {
  @ManyToOne(() => Conversation, {
    primary: true,
    joinColumn: 'conversation_key',
    createForeignKeyConstraint: false,
  })
  conversation!: Conversation

  @PrimaryKey({ type: 'text', collation: 'C' })
  userId!: string

  /** That of the conversation: a later conversation of the same key has other participants. */
  @Property({ type: new BigIntType('number') })
  epoch!: number

  @Enum({ items: ['MEMBER', 'OBSERVER'] })
  role!: Exclude<ParticipantRole, 'OWNER'>

  /** The first seq that the user reads; null: the user reads all messages. */
  @Property({ type: 'integer', nullable: true })
  historyFrom!: number | null

  /** Whether the part ends as soon as the conversation waits for a person no more. */
  @Property({ type: 'boolean', default: false })
  whileWaiting!: boolean

  /** The conversation's revision at the last change of this row. */
  @Property({ type: new BigIntType('number') })
  revision!: number

  /** Since when the user takes part. */
  @Property({ type: Timestamp })
  createdAt!: string

  /** When the user joined, left, was removed, or got another role. */
  @Property({ type: Timestamp })
  changedAt!: string

  /** When the user left or was removed; null: the user takes part. */
  @Property({ type: Timestamp, nullable: true })
  endedAt!: string | null
}
