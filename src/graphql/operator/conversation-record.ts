import { Field, ID, Int, ObjectType } from 'type-graphql'
import { contractLimits } from '../../config.ts'
import { opaqueConversationId } from '../../entities/ids/global-id.ts'
import { Timestamp } from '../../entities/timestamp.ts'
import type { Watchers } from '../../live/watchers.ts'
import type { StoredRecord } from '../../storage/operator/conversation-record.ts'
import { PageInfo } from '../page/connection.ts'
import { listCursor } from '../page/cursor.ts'

@ObjectType({
  description: 'A conversation as an operator sees it: everything but what was said in it.',
  simpleResolvers: true,
})
export class ConversationRecord {
  readonly key: string
  readonly epoch: number

  @Field(() => ID, { description: 'The opaque id of the conversation, which stands for it wherever an id is taken.' })
  readonly conversationId: string

  @Field(() => String, { description: 'Who owns it.' })
  readonly ownerId: string

  @Field(() => ID, { description: "The owner's own id for it." })
  readonly ownId: string

  @Field(() => Int, { description: 'The `seq` of its newest message; 0: it has none.' })
  readonly lastSeq: number

  @Field(() => String, { description: 'How often it changed: every append, edit, deletion and status counts.' })
  readonly revision: string

  @Field(() => Timestamp, { description: 'When it was created.' })
  readonly createdAt: string

  @Field(() => Timestamp, { description: 'When it last changed.' })
  readonly updatedAt: string

  @Field(() => Timestamp, { nullable: true, description: 'When it was archived; null: it is not.' })
  readonly archivedAt: string | null

  @Field(() => Timestamp, {
    nullable: true,
    description: 'When it was deleted; null: it is not. Its messages are removed a little later.',
  })
  readonly deletedAt: string | null

  @Field(() => Int, { description: 'How many feeds of it are open on this server.' })
  readonly watchers: number

  @Field(() => [String], {
    description: `The users for whom they are, by id; at most ${contractLimits.namedPeople}. The viewer of a backend is the user for whom it acts.`,
  })
  readonly watchedBy: readonly string[]

  constructor(stored: StoredRecord, watchers: Watchers) {
    const { key, epoch, userId, id, revision } = stored
    // A list that somebody follows watches it too, for nobody by name.
    const feeds = watchers.of(key).flatMap(({ viewerId }) => (viewerId === undefined ? [] : [viewerId]))
    const named = feeds.filter((viewerId) => viewerId !== null)
    this.key = key
    this.epoch = epoch
    this.conversationId = opaqueConversationId(stored)
    this.ownerId = userId
    this.ownId = id
    this.lastSeq = stored.lastSeq
    this.revision = String(revision)
    this.createdAt = stored.createdAt
    this.updatedAt = stored.updatedAt
    this.archivedAt = stored.archivedAt
    this.deletedAt = stored.deletedAt
    this.watchers = feeds.length
    this.watchedBy = [...new Set(named)].sort().slice(0, contractLimits.namedPeople)
  }
}

@ObjectType({ description: "A page of a user's conversations, newest activity first.", simpleResolvers: true })
export class ConversationRecordConnection {
  @Field(() => [ConversationRecord], { description: 'The conversations.' })
  readonly nodes: readonly ConversationRecord[]

  @Field(() => PageInfo, { description: 'What lies before and after this page.' })
  readonly pageInfo: PageInfo

  constructor(
    nodes: readonly ConversationRecord[],
    ends: { readonly hasNext: boolean; readonly hasPrevious: boolean },
  ) {
    this.nodes = nodes
    this.pageInfo = new PageInfo(ends, (index) => {
      const record = nodes.at(index)
      return record === undefined ? null : listCursor(record)
    })
  }
}
