import { BigIntType } from '@mikro-orm/core'
import { Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import type { TokenEncoding } from '../window-enums.ts'
import { Message } from './message.ts'

/** How many tokens a message has. The count is right only while its `revision` equals the message's. */
@Entity({ tableName: 'message_token_count' })
export class MessageTokenCount {
  @ManyToOne(() => Message, {
    primary: true,
    joinColumns: ['conversation_key', 'seq'],
    foreignKeyName: 'message_token_count_message_foreign',
    updateRule: 'no action',
    deleteRule: 'cascade',
  })
  message!: Message

  @PrimaryKey({ type: 'text', collation: 'C' })
  encoding!: TokenEncoding

  /** The revision of the message when it was counted; 0 for a message that was never changed. */
  @Property({ type: new BigIntType('number') })
  revision!: number

  @Property({ type: 'integer' })
  tokens!: number

  /** `tokens` does not include them: only a window of the reasoning's own dialect has the reasoning. */
  @Property({ type: 'integer' })
  reasoningTokens!: number
}
