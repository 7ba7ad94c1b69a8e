import { Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import { Field, Int, ObjectType } from 'type-graphql'
import { Json } from '../json.ts'
import { Message } from './message.ts'

@ObjectType({ description: 'A piece of text added to a message that is still streaming.', simpleResolvers: true })
@Entity({ tableName: 'message_chunk' })
export class MessageChunk {
  @ManyToOne(() => Message, {
    primary: true,
    joinColumns: ['conversation_key', 'seq'],
    foreignKeyName: 'message_chunk_message_foreign',
    updateRule: 'no action',
    deleteRule: 'cascade',
  })
  message!: Message

  @Field(() => Int, { description: 'The number of this chunk: 0, 1, 2 …' })
  @PrimaryKey({ type: 'integer' })
  chunk!: number

  @Field(() => String, { description: 'The text of this chunk; it may be empty.' })
  @Property({ type: 'text' })
  text!: string

  @Field(() => Json, { nullable: true, description: 'Data that is not text, as the producer sent it.' })
  @Property({ type: 'json', columnType: 'json', nullable: true })
  data!: unknown
}
