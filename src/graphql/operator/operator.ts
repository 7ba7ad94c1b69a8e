import { Arg, Ctx, Field, FieldResolver, ID, Int, ObjectType, Query, Resolver, Root } from 'type-graphql'
import { contractLimits } from '../../config.ts'
import { readGlobalId } from '../../entities/ids/global-id.ts'
import { Timestamp } from '../../entities/timestamp.ts'
import { badInput, forbidden } from '../../errors.ts'
import type { Figure, ServerSelf } from '../../observe/server-self.ts'
import { readList } from '../../storage/list/conversation-list.ts'
import { findRecord } from '../../storage/operator/conversation-record.ts'
import { readChanged, readLog } from '../../storage/operator/message-log.ts'
import { readOpenStreams } from '../../storage/operator/open-streams.ts'
import type { Context } from '../context.ts'
import { readConversationId } from '../input/conversation-id.ts'
import { isGiven } from '../input/is-given.ts'
import { requireName } from '../input/text-rules.ts'
import { readListCursor } from '../page/cursor.ts'
import { readCount } from '../page/page-args.ts'
import { ConversationRecord, ConversationRecordConnection } from './conversation-record.ts'
import { LogEntry, toLogEntries } from './log-entry.ts'
import { OpenStream, toOpenStream } from './open-stream.ts'
import { ServerFigure } from './server-figure.ts'
import { Setting } from './setting.ts'

@ObjectType({
  description: 'What whoever runs the server may see: the server that answers, and the conversations of all users.',
  simpleResolvers: true,
})
export class Operator {
  @Field(() => String, { description: 'The server that answers: its host, and the number of its process.' })
  server: string

  @Field(() => String, { description: 'The version of its program.' })
  version: string

  @Field(() => Timestamp, { description: 'When it started.' })
  startedAt: string

  @Field(() => [Setting], { description: 'All settings of this server. Secrets are named, and never told.' })
  settings: readonly Setting[]

  constructor({ name, version, startedAt, settings }: ServerSelf) {
    this.server = name
    this.version = version
    this.startedAt = startedAt
    this.settings = settings
  }
}

/** Only `Query.operator` leads to these types, so it is the one place that asks who may see them. */
@Resolver(() => Operator)
export class OperatorResolver {
  @Query(() => Operator, {
    nullable: true,
    description:
      'What the role `colloquy:operator` shows, and development everybody. Whoever else asks gets FORBIDDEN. Nothing can be changed here, and nothing here has a word of what was said: to read that, act for the user.',
  })
  operator(@Ctx() { viewer, services }: Context): Operator {
    if (!viewer.maySeeServer) throw forbidden('Only an operator may ask for this: a token with colloquy:operator.')
    return new Operator(services.self)
  }

  @FieldResolver(() => [ServerFigure], {
    nullable: true,
    description: 'What this server counts. For all of it, and for several servers, let Prometheus read them.',
  })
  figures(@Ctx() { services }: Context): Promise<Figure[]> {
    return services.self.readFigures()
  }

  @FieldResolver(() => ConversationRecord, {
    nullable: true,
    description: 'A conversation of any user; null: there is none of this id.',
  })
  async conversation(
    @Arg('id', () => ID, {
      description: "The conversation's opaque id, the `id` of one of its messages, or the owner's own id.",
    })
    id: string,
    @Arg('userId', () => String, { nullable: true, description: "The owner; needed for the owner's own id." })
    userId: string | null,
    @Ctx() { services, budget }: Context,
  ): Promise<ConversationRecord | null> {
    const place = readPlace(id, userId ?? null)
    const stored = place === null ? null : await findRecord(services.store, budget, place.key, place.epoch)
    return stored === null ? null : new ConversationRecord(stored, services.feeds.watchers)
  }

  @FieldResolver(() => ConversationRecordConnection, {
    nullable: true,
    description: 'The conversations in which a user takes part, newest activity first.',
  })
  async conversations(
    @Arg('userId', () => String, { description: 'The user.' }) userId: string,
    @Arg('first', () => Int, { nullable: true, description: 'How many to read; 50 unless given, at most 100.' })
    first: number | null,
    @Arg('after', () => String, { nullable: true, description: 'Only what comes after this cursor.' })
    after: string | null,
    @Ctx() { services, budget }: Context,
  ): Promise<ConversationRecordConnection> {
    requireName('userId', userId, contractLimits.userId)
    const page = await readList(services.store, budget, userId, {
      ...readCount({ first }),
      filter: null,
      after: after ? readListCursor('after', after) : null,
      before: null,
      columns: 'all',
      lastMessages: null,
      tellsTime: false,
    })
    const { watchers } = services.feeds
    const nodes = page.conversations.map((listed) => new ConversationRecord(listed, watchers))
    return new ConversationRecordConnection(nodes, page)
  }

  @FieldResolver(() => [OpenStream], {
    nullable: true,
    description: 'Messages that are still being written, of all users: those that expire first.',
  })
  async streams(
    @Arg('first', () => Int, { nullable: true, description: 'How many to read; 50 unless given, at most 100.' })
    first: number | null,
    @Ctx() { services, budget }: Context,
  ): Promise<OpenStream[]> {
    const streams = await readOpenStreams(services.store, budget, readCount({ first }).count)
    return streams.map((stream) => toOpenStream(stream, services.feeds.watchers))
  }
}

@Resolver(() => ConversationRecord)
export class ConversationRecordResolver {
  @FieldResolver(() => [LogEntry], { nullable: true, description: 'Its messages, the newest first.' })
  async log(
    @Root() record: ConversationRecord,
    @Arg('first', () => Int, { nullable: true, description: 'How many to read; 50 unless given, at most 100.' })
    first: number | null,
    @Arg('beforeSeq', () => Int, { nullable: true, description: 'Only those before this `seq`.' })
    beforeSeq: number | null,
    @Ctx() { services, budget }: Context,
  ): Promise<LogEntry[]> {
    const { count } = readCount({ first })
    return toLogEntries(record, await readLog(services.store, budget, record.key, beforeSeq ?? null, count))
  }

  @FieldResolver(() => [LogEntry], {
    nullable: true,
    description: 'Its messages that changed after they were appended, the last change first.',
  })
  async changed(
    @Root() record: ConversationRecord,
    @Arg('first', () => Int, { nullable: true, description: 'How many to read; 50 unless given, at most 100.' })
    first: number | null,
    @Arg('beforeRevision', () => String, { nullable: true, description: 'Only those before this `revision`.' })
    beforeRevision: string | null,
    @Ctx() { services, budget }: Context,
  ): Promise<LogEntry[]> {
    const { count } = readCount({ first })
    const before = isGiven(beforeRevision) ? readRevision(beforeRevision) : null
    return toLogEntries(record, await readChanged(services.store, budget, record.key, before, count))
  }
}

interface RecordPlace {
  readonly key: string
  /** null: the present one. */
  readonly epoch: number | null
}

/** @throws ApiError BAD_USER_INPUT if it is an owner's own id, and there is no owner */
function readPlace(id: string, ownerId: string | null): RecordPlace | null {
  if (ownerId !== null) requireName('userId', ownerId, contractLimits.userId)
  const named = readGlobalId(id)
  if (named.kind === 'message') return named.place
  if (named.kind === 'own' && ownerId === null) throw badInput('userId', "say whose it is: this is an owner's own id.")
  return readConversationId(ownerId ?? '', id)
}

/** @throws ApiError BAD_USER_INPUT */
function readRevision(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw badInput('beforeRevision', 'is no revision.')
  return Number(text)
}
