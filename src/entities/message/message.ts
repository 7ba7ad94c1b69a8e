import { BigIntType } from '@mikro-orm/core'
import { Entity, Enum, Index, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import { Field, ID, Int, ObjectType } from 'type-graphql'
import { Conversation } from '../conversation.ts'
import { GetterField } from '../getter-field.ts'
import { messageId } from '../ids/global-id.ts'
import { Json, JsonObject, type JsonRecord } from '../json.ts'
import { Node } from '../node.ts'
import { Timestamp } from '../timestamp.ts'
import { AuthorKind, MessageRole, MessageStatus, PartsFormat } from './message-enums.ts'
import { MessageError } from './message-error.ts'
import { ToolCall } from './tool-call.ts'

@ObjectType({ description: 'One entry of a conversation.', implements: Node, simpleResolvers: true })
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
  @GetterField(() => ID, {
    description: 'Opaque. After its conversation was deleted, `node` answers null for this id.',
  })
  get id(): string {
    return messageId(this.conversation.placeHead, this.seq)
  }

  @Field(() => Conversation, { description: 'The conversation that holds this message.' })
  @ManyToOne(() => Conversation, {
    primary: true,
    joinColumn: 'conversation_key',
    createForeignKeyConstraint: false,
  })
  conversation!: Conversation

  @Field(() => Int, {
    description:
      'The position of this message in its conversation: 1, 2, 3 … without gaps, in the order of commit. A deleted message keeps its position.',
  })
  @PrimaryKey({ type: 'integer' })
  seq!: number

  @Field(() => MessageRole, { description: 'Who speaks.' })
  @Enum({ items: () => MessageRole })
  role!: MessageRole

  @Field(() => String, { nullable: true, description: 'The name of the speaker, when several speakers share a role.' })
  @Property({ type: 'text', nullable: true })
  name!: string | null

  @Field(() => String, {
    nullable: true,
    description: 'The text of this message, byte for byte; null when it has only tool calls or parts.',
  })
  @Property({ type: 'text', nullable: true })
  content!: string | null

  @Field(() => [Json], {
    nullable: true,
    description:
      'Typed content in the dialect that `partsFormat` names. The JSON is equal to what was sent, with its keys in the same order.',
  })
  @Property({ type: 'json', columnType: 'json', nullable: true })
  parts!: unknown[] | null

  @Field(() => PartsFormat, { nullable: true, description: 'The dialect that `parts` is written in.' })
  @Enum({ items: () => PartsFormat, nullable: true })
  partsFormat!: PartsFormat | null

  @Field(() => [ToolCall], { description: 'The tool calls that an assistant asks for, in order.' })
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

  @Field(() => String, { nullable: true, description: 'The model that wrote this message.' })
  @Property({ type: 'text', nullable: true })
  model!: string | null

  @Field(() => String, { nullable: true, description: 'Why the model stopped, in the word of its provider.' })
  @Property({ type: 'text', nullable: true })
  finishReason!: string | null

  @Field(() => JsonObject, { nullable: true, description: 'The token counts that the provider reported.' })
  @Property({ type: 'json', columnType: 'json', nullable: true })
  usage!: JsonRecord | null

  @Field(() => MessageError, {
    nullable: true,
    description: 'Why this message failed, or what its producer could not store of it.',
  })
  @Property({ type: 'json', columnType: 'json', nullable: true })
  error!: MessageError | null

  @Field(() => JsonObject, {
    description: "The caller's own data about this message. The order of its keys is not kept.",
  })
  @Property({ type: 'jsonb', default: '{}' })
  metadata!: JsonRecord

  @Field(() => String, {
    nullable: true,
    description:
      "The caller's own id for this message, unique in its conversation. An append with a client id is safe to retry.",
  })
  @Property({ type: 'text', collation: 'C', nullable: true })
  clientId!: string | null

  /** A version byte and the SHA-256 of the original input; null for a message without a client id. */
  @Property({ type: 'blob', nullable: true })
  payloadHash!: Buffer | null

  @Field(() => MessageStatus, {
    description: 'Whether this message is still being written, and how its writing ended.',
  })
  @Enum({ items: () => MessageStatus, default: MessageStatus.COMPLETE })
  status!: MessageStatus

  /** UTF-8 bytes of all that the caller wrote. With it a statement can limit its answer before it reads the texts. */
  @Property({ type: 'integer' })
  size!: number

  @Field(() => Timestamp, {
    nullable: true,
    description: "The caller's own time for this message. Nothing is ordered by it.",
  })
  @Property({ type: Timestamp, nullable: true })
  sentAt!: string | null

  @Field(() => Timestamp, { description: 'When this message was stored.' })
  @Property({ type: Timestamp })
  createdAt!: string

  @Field(() => Timestamp, { description: 'When this message last changed.' })
  @Property({ type: Timestamp })
  updatedAt!: string

  @Field(() => Timestamp, { nullable: true, description: 'When this message was last edited; null when it never was.' })
  @Property({ type: Timestamp, nullable: true })
  editedAt!: string | null

  @Field(() => Timestamp, {
    nullable: true,
    description:
      'When this message was deleted; null when it is not. A deleted message stays in its place, without its content.',
  })
  @Property({ type: Timestamp, nullable: true })
  deletedAt!: string | null

  /** The conversation's revision at the last change of this message; null before the first change. */
  @Property({ type: new BigIntType('number'), nullable: true })
  revision!: number | null

  @Field(() => Timestamp, {
    nullable: true,
    description: 'When somebody asked the producer of this message to stop; null when nobody did.',
  })
  @Property({ type: Timestamp, nullable: true })
  stopRequestedAt!: string | null

  /**
   * Tells whether a completion repeats the first one or is another one; null until the producer completed the message.
   */
  @Property({ type: 'blob', nullable: true })
  completionHash!: Buffer | null

  /**
   * The seq of the message that this one continues. null: the message before it, `seq` − 1. 0: it continues no message.
   */
  @Property({ type: 'integer', nullable: true })
  parentSeq!: number | null

  /** The user who wrote this message; null: the owner of the conversation. */
  @Property({ type: 'text', collation: 'C', nullable: true })
  authorId!: string | null

  /** null: USER. */
  @Enum({ items: () => AuthorKind, nullable: true })
  authorKind!: AuthorKind | null

  /** The name of the backend that wrote it for its user; null: the user itself did. */
  @Property({ type: 'text', nullable: true })
  authorName!: string | null

  /** While this message streams: how many chunks `content` holds. */
  @Field(() => Int, {
    nullable: true,
    description:
      'While this message streams: the number of the next chunk; `content` holds all chunks before it. Otherwise null.',
  })
  nextChunk!: number | null
}
