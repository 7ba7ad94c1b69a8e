import { BigIntType } from '@mikro-orm/core'
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'

/** How far the words of a conversation's messages are filled. */
@Entity({ tableName: 'conversation_words' })
export class ConversationWords {
  @PrimaryKey({ type: 'uuid' })
  conversationKey!: string

  /** That of the conversation whose messages were read. */
  @Property({ type: new BigIntType('number') })
  epoch!: number

  /** All messages up to this seq were read. */
  @Property({ type: 'integer' })
  seq!: number

  /** They were read as they were at this revision of the conversation, or later. */
  @Property({ type: new BigIntType('number') })
  revision!: number
}
