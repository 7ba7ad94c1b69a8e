import { BigIntType } from '@mikro-orm/core'
import { Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import { Conversation } from './conversation.ts'
import { Timestamp } from './timestamp.ts'

/** How far a user has read a conversation. */
@Entity({ tableName: 'read_marker' })
export class ReadMarker {
  @ManyToOne(() => Conversation, {
    primary: true,
    joinColumn: 'conversation_key',
    createForeignKeyConstraint: false,
  })
  conversation!: Conversation

  @PrimaryKey({ type: 'text', collation: 'C' })
  userId!: string

  /** That of the conversation: a later one of the same key has not been read. */
  @Property({ type: new BigIntType('number') })
  epoch!: number

  @Property({ type: 'integer' })
  seq!: number

  @Property({ type: Timestamp })
  updatedAt!: string
}
