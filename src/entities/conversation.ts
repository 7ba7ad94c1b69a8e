import { BigIntType } from '@mikro-orm/core'
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import { Field, ID, Int, ObjectType } from 'type-graphql'
import { JsonObject, type JsonRecord } from './json.ts'
import { Node } from './node.ts'
import { type PlaceHead, placeHead } from './place.ts'
import { Timestamp } from './timestamp.ts'

@ObjectType({ description: 'An ordered log of messages with one owner.', implements: Node, simpleResolvers: true })
@Entity({ tableName: 'conversation' })
@Index({
  name: 'conversation_user_id_updated_at_key_index',
  properties: ['userId', 'updatedAt', 'key'],
  columns: [{ name: 'userId' }, { name: 'updatedAt', sort: 'desc' }, { name: 'key' }],
})
@Index({
  name: 'conversation_deleted_at_index',
  expression:
    'create index "conversation_deleted_at_index" on "conversation" ("deleted_at") where "deleted_at" is not null',
})
export class Conversation implements Node {
  /** The first 128 bits of SHA-256 over (first owner, NUL, id); opaque once made. */
  @PrimaryKey({ type: 'uuid' })
  key!: string

  /** 48 random bits that tell it from an earlier conversation of the same id. */
  @Property({ type: new BigIntType('number') })
  epoch!: number

  @Field(() => String, { description: 'The user who owns it.' })
  @Property({ type: 'text', collation: 'C' })
  userId!: string

  @Field(() => ID, { description: "The owner's own id for it, or the UUIDv7 that it was given." })
  @Property({ type: 'text', collation: 'C' })
  id!: string

  @Field(() => String, { nullable: true, description: 'A title to show, at most 1000 characters.' })
  @Property({ type: 'text', nullable: true })
  title!: string | null

  @Field(() => JsonObject, { description: "The caller's own data about it; keys keep no order." })
  @Property({ type: 'jsonb', default: '{}' })
  metadata!: JsonRecord

  @Field(() => Int, { description: 'The `seq` of its newest message; 0 while it is empty.' })
  @Property({ type: 'integer', default: 0 })
  lastSeq!: number

  /** Moved by every change. */
  @Property({ type: new BigIntType('number') })
  revision!: number

  /** The revision of the last change of title, metadata, archivedAt or of the active leaf by `setActiveLeaf`. */
  @Property({ type: new BigIntType('number') })
  changedRevision!: number

  @Field(() => Timestamp, { description: 'When it was created.' })
  @Property({ type: Timestamp })
  createdAt!: string

  @Field(() => Timestamp, { description: 'When it last changed; never runs backwards.' })
  @Property({ type: Timestamp })
  updatedAt!: string

  @Field(() => Timestamp, { nullable: true, description: 'When it was archived; null while it is not.' })
  @Property({ type: Timestamp, nullable: true })
  archivedAt!: string | null

  /** Set on a tombstone, which no query reaches. */
  @Property({ type: Timestamp, nullable: true })
  deletedAt!: string | null

  /** The seq at which its active path ends; null: the newest message, so that appends need not move it. */
  @Property({ type: 'integer', nullable: true })
  activeLeaf!: number | null

  /** Whether any message has a `parentSeq` of its own; while none has, each continues the one before it. */
  @Property({ type: 'boolean', default: false })
  isBranched!: boolean

  private madeHead?: PlaceHead

  /** Made once: all ids and cursors of its messages begin with it. */
  get placeHead(): PlaceHead {
    this.madeHead ??= placeHead(this)
    return this.madeHead
  }
}
