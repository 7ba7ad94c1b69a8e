import { BigIntType } from '@mikro-orm/core'
import { Entity, Index, ManyToOne, Property } from '@mikro-orm/decorators/legacy'
import { Timestamp } from '../timestamp.ts'
import { Message } from './message.ts'
import type { MessageRole } from './message-enums.ts'

/** What a search looks at of a message. It is right only while its `revision` equals the message's. */
@Entity({ tableName: 'message_words' })
@Index({
  name: 'message_words_words_index',
  expression:
    'create index "message_words_words_index" on "message_words" using gin ("words") with (gin_pending_list_limit = 256)',
})
@Index({
  name: 'message_words_conversation_key_parent_seq_index',
  expression:
    'create index "message_words_conversation_key_parent_seq_index" on "message_words" ("conversation_key", "parent_seq") where "parent_seq" <> "seq" - 1',
})
export class MessageWords {
  @ManyToOne(() => Message, {
    primary: true,
    joinColumns: ['conversation_key', 'seq'],
    foreignKeyName: 'message_words_message_foreign',
    updateRule: 'no action',
    deleteRule: 'cascade',
  })
  message!: Message

  /** The revision of the message when its words were read; 0 for a message that was never changed. */
  @Property({ type: new BigIntType('number') })
  revision!: number

  /** The seq of the message that this one continues; 0: it continues none. */
  @Property({ type: 'integer' })
  parentSeq!: number

  @Property({ type: 'text' })
  role!: MessageRole

  @Property({ type: Timestamp })
  createdAt!: string

  /** How many words the searched text has. */
  @Property({ type: 'integer' })
  length!: number

  /** The lexemes, without places. */
  @Property({ type: 'text', columnType: 'tsvector' })
  words!: string
}
