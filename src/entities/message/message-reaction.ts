import { BigIntType } from '@mikro-orm/core'
import { Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import { Message } from './message.ts'

/** An emoji that a user put on a message. The message's revision moved with it. */
@Entity({ tableName: 'message_reaction' })
export class MessageReaction {
  @ManyToOne(() => Message, {
    primary: true,
    joinColumns: ['conversation_key', 'seq'],
    foreignKeyName: 'message_reaction_message_foreign',
    updateRule: 'no action',
    deleteRule: 'cascade',
  })
  message!: Message

  @PrimaryKey({ type: 'text', collation: 'C' })
  emoji!: string

  @PrimaryKey({ type: 'text', collation: 'C' })
  userId!: string

  /** The conversation's revision at this reaction: the emojis of a message stand in the order of their first use. */
  @Property({ type: new BigIntType('number') })
  revision!: number
}
