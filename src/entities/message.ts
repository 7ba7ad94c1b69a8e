import { BigIntType } from '@mikro-orm/core'
import { Entity, Enum, Index, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import { Field, ID, Int, ObjectType } from 'type-graphql'
import { Conversation } from './conversation.ts'
import { messageId } from './global-id.ts'
import { Json, JsonObject, type JsonRecord } from './json.ts'
import { MessageRole, MessageStatus, PartsFormat } from './message-enums.ts'
import { MessageError } from './message-error.ts'
import { Node } from './node.ts'
import { Timestamp } from './timestamp.ts'
import { ToolCall } from './tool-call.ts'

@ObjectType({ description: 'One entry of the log.', implements: Node, simpleResolvers: true })
@Entity({ tableName: 'message' })
@Index({
  name: 'message_conversation_key_client_id_unique',
  expression:
    'create unique index "message_conversation_key_client_id_unique" on "message" ("conversation_key", "client_id") where "client_id" is not null',
})
@Index({
  name: 'message_conversation_key_revision_unique',
  expression:
    'create unique index "message_conversation_key_revision_unique" on "message" ("conversation_key", "revision") where "revision" is not null',
})
@Index({
  name: 'message_conversation_key_seq_parent_seq_index',
  expression:
    'create index "message_conversation_key_seq_parent_seq_index" on "message" ("conversation_key", "seq") include ("parent_seq") where "parent_seq" is not null',
})
@Index({
  name: 'message_conversation_key_parent_seq_seq_index',
  expression:
    'create index "message_conversation_key_parent_seq_seq_index" on "message" ("conversation_key", "parent_seq", "seq") where "parent_seq" is not null',
})
export class Message implements Node {
  @Field(() => ID, { description: 'Opaque; null again for `node` once its conversation is deleted.' })
  get id(): string {
    return messageId(this.conversation.placeHead, this.seq)
  }

  @Field(() => Conversation, { description: 'The conversation it belongs to.' })
  @ManyToOne(() => Conversation, {
    primary: true,
    joinColumn: 'conversation_key',
    createForeignKeyConstraint: false,
  })
  conversation!: Conversation

  @Field(() => Int, {
    description:
      'Its position in the conversation: 1, 2, 3 … without gaps, in the order of commit; a deleted message keeps its place.',
  })
  @PrimaryKey({ type: 'integer' })
  seq!: number

  @Field(() => MessageRole, { description: 'Who speaks.' })
  @Enum({ items: () => MessageRole })
  role!: MessageRole

  @Field(() => String, { nullable: true, description: 'The name of the speaker, where a role has several.' })
  @Property({ type: 'text', nullable: true })
  name!: string | null

  @Field(() => String, {
    nullable: true,
    description: 'Its text, byte for byte; null when it has none, only tool calls or parts.',
  })
  @Property({ type: 'text', nullable: true })
  content!: string | null

  @Field(() => [Json], {
    nullable: true,
    description: 'Typed content in the dialect of `partsFormat`, as equal JSON, keys in order.',
  })
  @Property({ type: 'json', columnType: 'json', nullable: true })
  parts!: unknown[] | null

  @Field(() => PartsFormat, { nullable: true, description: 'The dialect of `parts`.' })
  @Enum({ items: () => PartsFormat, nullable: true })
  partsFormat!: PartsFormat | null

  @Field(() => [ToolCall], { description: 'The tools that an assistant asks to be called, in order.' })
  @Property({ type: 'json', columnType: 'json', nullable: true })
  toolCalls!: ToolCall[]

  @Field(() => String, { nullable: true, description: 'Of a TOOL message: the name of the tool.' })
  @Property({ type: 'text', nullable: true })
  toolName!: string | null

  @Field(() => String, { nullable: true, description: 'Of a TOOL message: the call that it answers.' })
  @Property({ type: 'text', nullable: true })
  toolCallId!: string | null

  @Field(() => Boolean, { nullable: true, description: 'Of a TOOL message: whether the tool failed.' })
  @Property({ type: 'boolean', nullable: true })
  toolError!: boolean | null

  @Field(() => String, { nullable: true, description: 'The model that wrote it.' })
  @Property({ type: 'text', nullable: true })
  model!: string | null

  @Field(() => String, { nullable: true, description: "The provider's reason for ending there." })
  @Property({ type: 'text', nullable: true })
  finishReason!: string | null

  @Field(() => JsonObject, { nullable: true, description: "The provider's token counts." })
  @Property({ type: 'json', columnType: 'json', nullable: true })
  usage!: JsonRecord | null

  @Field(() => MessageError, { nullable: true, description: 'Why it failed.' })
  @Property({ type: 'json', columnType: 'json', nullable: true })
  error!: MessageError | null

  @Field(() => JsonObject, { description: "The caller's own data about it; keys keep no order." })
  @Property({ type: 'jsonb', default: '{}' })
  metadata!: JsonRecord

  @Field(() => String, {
    nullable: true,
    description: "The caller's own id for it, unique in its conversation; makes its append safe to retry.",
  })
  @Property({ type: 'text', collation: 'C', nullable: true })
  clientId!: string | null

  /** A version byte and the SHA-256 of the original input; only where there is a client id. */
  @Property({ type: 'blob', nullable: true })
  payloadHash!: Buffer | null

  @Field(() => MessageStatus, { description: 'Where it stands.' })
  @Enum({ items: () => MessageStatus, default: MessageStatus.COMPLETE })
  status!: MessageStatus

  /** UTF-8 bytes of all that a caller wrote, so that statements can bound what they answer without reading it. */
  @Property({ type: 'integer' })
  size!: number

  @Field(() => Timestamp, { nullable: true, description: "The caller's own time for it; orders nothing." })
  @Property({ type: Timestamp, nullable: true })
  sentAt!: string | null

  @Field(() => Timestamp, { description: 'When it was stored.' })
  @Property({ type: Timestamp })
  createdAt!: string

  @Field(() => Timestamp, { description: 'When it last changed.' })
  @Property({ type: Timestamp })
  updatedAt!: string

  @Field(() => Timestamp, { nullable: true, description: 'When it was last edited.' })
  @Property({ type: Timestamp, nullable: true })
  editedAt!: string | null

  @Field(() => Timestamp, {
    nullable: true,
    description: 'When it was deleted: the row stays as a tombstone, without its content.',
  })
  @Property({ type: Timestamp, nullable: true })
  deletedAt!: string | null

  /** The conversation's revision at its last change; null until it was first changed. */
  @Property({ type: new BigIntType('number'), nullable: true })
  revision!: number | null

  @Field(() => Timestamp, {
    nullable: true,
    description: 'When somebody asked its producer to stop; null while nobody has.',
  })
  @Property({ type: Timestamp, nullable: true })
  stopRequestedAt!: string | null

  /** Tells a repeated completion from another one; null until it was complete by its producer. */
  @Property({ type: 'blob', nullable: true })
  completionHash!: Buffer | null

  /** The seq of the message that it continues; null: the one before it, `seq` − 1; 0: it begins anew, and continues none. */
  @Property({ type: 'integer', nullable: true })
  parentSeq!: number | null

  /** While it streams: how many chunks `content` holds. */
  @Field(() => Int, {
    nullable: true,
    description: 'While it streams: the number of the next chunk, so `content` holds all before it. null otherwise.',
  })
  nextChunk!: number | null
}
