import { BigIntType } from '@mikro-orm/core'
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy'
import { Field, ID, Int, ObjectType } from 'type-graphql'
import { type PlaceHead, placeHead } from './ids/place.ts'
import { JsonObject, type JsonRecord } from './json.ts'
import { Node } from './node.ts'
import { Timestamp } from './timestamp.ts'

@ObjectType({ description: 'An ordered log of messages with one owner.', implements: Node, simpleResolvers: true })
@Entity({ tableName: 'conversation' })
@Index({
  name: 'conversation_user_id_updated_at_key_index',
  properties: ['userId', 'updatedAt', 'key'],
  columns: [{ name: 'userId' }, { name: 'updatedAt', sort: 'desc' }, { name: 'key' }],
})
@Index({
  name: 'conversation_user_id_imported_at_key_index',
  expression:
    'create index "conversation_user_id_imported_at_key_index" on "conversation" ("user_id", "imported_at" desc, "key") where "imported_at" > "updated_at"',
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

  /** 48 random bits: an earlier conversation of the same id had others. */
  @Property({ type: new BigIntType('number') })
  epoch!: number

  @Field(() => String, { description: 'The user who owns this conversation.' })
  @Property({ type: 'text', collation: 'C' })
  userId!: string

  @Field(() => ID, {
    description:
      "For its owner: the owner's own id for it, or the UUIDv7 that the server gave it. For whoever else takes part: an opaque id. Both stand for it wherever an id is taken.",
  })
  @Property({ type: 'text', collation: 'C' })
  id!: string

  @Field(() => String, { nullable: true, description: 'A title to show; at most 1000 characters.' })
  @Property({ type: 'text', nullable: true })
  title!: string | null

  @Field(() => JsonObject, {
    description: "The caller's own data about this conversation. The order of its keys is not kept.",
  })
  @Property({ type: 'jsonb', default: '{}' })
  metadata!: JsonRecord

  @Field(() => Int, { description: 'The `seq` of the newest message; 0 while there is no message.' })
  @Property({ type: 'integer', default: 0 })
  lastSeq!: number

  /** Every change moves it. */
  @Property({ type: new BigIntType('number') })
  revision!: number

  /** The revision of the last change of title, metadata or archivedAt, or of the last `setActiveLeaf`. */
  @Property({ type: new BigIntType('number') })
  changedRevision!: number

  @Field(() => Timestamp, {
    description: 'When this conversation was created; if an import brought a time, that time.',
  })
  @Property({ type: Timestamp })
  createdAt!: string

  @Field(() => Timestamp, {
    description:
      'When this conversation last changed; if an import brought times, the latest of them. The list of conversations is in this order. This time never runs backwards.',
  })
  @Property({ type: Timestamp })
  updatedAt!: string

  /**
   * When the conversation last changed in a way that did not set `updatedAt` to the present, as an import does; null: it
   * never did.
   */
  @Property({ type: Timestamp, nullable: true })
  importedAt!: string | null

  @Field(() => Timestamp, {
    nullable: true,
    description: 'When this conversation was archived; null while it is not archived.',
  })
  @Property({ type: Timestamp, nullable: true })
  archivedAt!: string | null

  /** When the conversation became a tombstone; no query reaches a tombstone. */
  @Property({ type: Timestamp, nullable: true })
  deletedAt!: string | null

  /**
   * The seq of the message that ends the active path. null: the newest message ends it, so appends need not move this.
   */
  @Property({ type: 'integer', nullable: true })
  activeLeaf!: number | null

  /** Whether a message has a `parentSeq`. While none has one, every message continues the message before it. */
  @Property({ type: 'boolean', default: false })
  isBranched!: boolean

  /** The revision of the last change of who takes part; null: only the owner ever did. */
  @Property({ type: new BigIntType('number'), nullable: true })
  participantsRevision!: number | null

  @Field(() => Boolean, {
    description: 'Whether `searchMessages` and `recall` find messages of this conversation.',
  })
  @Property({ type: 'boolean', fieldName: 'is_searchable', default: true })
  searchable!: boolean

  @Field(() => String, {
    nullable: true,
    description: 'The user who has this conversation by `takeOver`: agents begin no turns in it. null: nobody has.',
  })
  @Property({ type: 'text', collation: 'C', nullable: true })
  takenOverBy!: string | null

  /** Set in every new object: to add a property later costs an allocation of its own. */
  private madeHead: PlaceHead | undefined = undefined

  /** Made once: all ids and cursors of its messages begin with it. */
  get placeHead(): PlaceHead {
    this.madeHead ??= placeHead(this)
    return this.madeHead
  }
}
