import type { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message/message.ts'
import { ConversationMissing } from '../../facts.ts'
import { findConversation } from '../conversation/conversation.ts'
import { type ConversationRef, mayAccess, reachable } from '../conversation/conversation-ref.ts'
import { byViewer, readsAt, statementFor } from '../conversation/history-part.ts'
import { readList } from '../list/conversation-list.ts'
import { firstSeqOfAny, theirs } from '../list/list-statement.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { query, queryKey, type Row, type Runner, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

/** How far a user has read a conversation. */
export interface ReadState {
  /** The last seq that the user has read; 0: none. */
  readonly readSeq: number
  /** Messages behind it that are to be read, up to `mostUnread`. */
  readonly unread: number
}

/** Who has read a message. */
export interface Readers {
  readonly count: number
  /** Up to `mostReaders` of them, by id. */
  readonly userIds: readonly string[]
}

export const mostUnread = 100
export const mostReaders = 50
/** As many of a user's conversations are looked at for unread ones, those that changed last. */
export const mostLookedAt = 200
/** So many of the newest messages of a conversation are looked at: a marker may be far behind. */
const newest = 2_000

/**
 * Moves the viewer's marker forward, to this seq or to the last one if there are fewer. It never moves back. The
 * conversation is not locked, and nothing in it changes.
 *
 * @throws ConversationMissing
 */
export async function markRead(
  store: Store,
  ref: ConversationRef,
  seq: number,
): Promise<{ readonly conversation: Conversation; readonly hasMoved: boolean }> {
  const moved = await queryKey(store.pool, upsert, ref.key, [ref.userId, ref.epoch, seq])
  const conversation = await findConversation(store, ref)
  if (conversation === null) throw new ConversationMissing()
  return { conversation, hasMoved: moved.length > 0 }
}

const upsert: Statement<'key'> = {
  name: 'read-marker-upsert',
  kind: 'key',
  text: `
    insert into read_marker as k (conversation_key, user_id, epoch, seq, updated_at)
    select c.key, $2, c.epoch, least($4::int, c.last_seq), now() from conversation c where ${reachable('c')}
    on conflict (conversation_key, user_id) do update set
      epoch = excluded.epoch, seq = excluded.seq, updated_at = excluded.updated_at
    where k.epoch <> excluded.epoch or k.seq < excluded.seq
    returning k.seq`,
}

/** Whether the user `$2` wrote the message itself, and no backend for it. */
const isOwn = (message: string, user = '$2') =>
  `(${message}.author_kind is null and coalesce(${message}.author_id, c.user_id) = ${user})`

/** What a person reads, and others wrote. */
const isToRead = (user: string) => `
  m.role in ('USER', 'ASSISTANT') and m.status <> 'STREAMING' and m.deleted_at is null
  and octet_length(m.content) > 0 and not ${isOwn('m', user)}`

/** The marker of a user, or what it wrote itself after that. */
const readSeq = (key: string, user: string) => `
  greatest(
    coalesce((
      select k.seq from read_marker k where k.conversation_key = ${key} and k.user_id = ${user} and k.epoch = c.epoch
    ), 0),
    coalesce((
      select m.seq from message m
      where m.conversation_key = ${key} and m.seq > c.last_seq - ${newest} and ${isOwn('m', user)}
      order by m.seq desc limit 1
    ), 0)
  )`

/** For each conversation, in order. A statement for each. */
export async function readReadStates(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  conversations: readonly Conversation[],
): Promise<ReadState[]> {
  const asks = conversations.map(({ key, epoch, userId: owner }) => {
    return { statement: statementFor(selectState, userId, owner), key, values: [userId, epoch] }
  })
  const answers = await budget.readKeys(store, asks, 'refused')
  return answers.map(([row]) => ({ readSeq: (row?.[1] as number) ?? 0, unread: (row?.[2] as number) ?? 0 }))
}

const selectState = byViewer({
  name: 'read-state',
  kind: 'key',
  text: `
    select 16, seen.seq, (
      select count(*)::int from (
        select from message m
        where m.conversation_key = $1 and m.seq > greatest(seen.seq, c.last_seq - ${newest}) and ${isToRead('$2')}
        limit ${mostUnread}
      ) unread
    )
    from conversation c
    cross join lateral (select ${readSeq('$1', '$2')} as seq offset 0) seen
    where ${reachable('c')} and $4::bigint is not null`,
})

/** For each conversation, in order: how many messages behind the marker mention the viewer, up to `mostUnread`. */
export async function readUnreadMentions(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  conversations: readonly Conversation[],
): Promise<number[]> {
  const asks = conversations.map(({ key, epoch }) => ({ statement: selectMentions, key, values: [userId, epoch] }))
  const answers = await budget.readKeys(store, asks, 'refused')
  return answers.map(([row]) => (row?.[1] as number) ?? 0)
}

const selectMentions: Statement<'key'> = {
  name: 'read-mentions',
  kind: 'key',
  text: `
    select 16, (
      select count(*)::int from (
        select from message_link l
        where l.conversation_key = $1 and l.seq > greatest(seen.seq, c.last_seq - ${newest}) and l.mentions ? $2
          and ${readsAt('c', 'l.seq')}
        limit ${mostUnread}
      ) unread
    )
    from conversation c
    cross join lateral (select ${readSeq('$1', '$2')} as seq offset 0) seen
    where ${reachable('c')} and $4::bigint is not null`,
}

/** How many conversations of a user have something to read, among those that changed last, up to `mostUnread`. */
export async function countUnreadConversations(store: Store, budget: AnswerBudget, userId: string): Promise<number> {
  if (store.spreads) return countOneByOne(store, budget, userId)
  const [row] = await query(store.lone, countUnread, [userId])
  return Number(row?.[0] ?? 0)
}

/** A database that spreads conversations does not join what it has found with what lies on other machines. */
async function countOneByOne(store: Store, budget: AnswerBudget, userId: string): Promise<number> {
  const newestFirst = { after: null, before: null, fromEnd: false, filter: null, tellsTime: false }
  const request = { ...newestFirst, count: mostLookedAt, columns: 'brief', lastMessages: null } as const
  const { conversations } = await readList(store, budget, userId, request)
  const states = await readReadStates(store, budget, userId, conversations)
  return Math.min(states.filter(({ unread }) => unread > 0).length, mostUnread)
}

const countUnread: Statement<'gathered'> = {
  name: 'conversation-list-unread',
  kind: 'gathered',
  text: `
    select count(*)::int from (
      select true from (
        select c.* from (
          ${theirs.map((from) => `(select c.* ${from} and c.deleted_at is null order by c.updated_at desc limit ${mostLookedAt})`).join(' union all ')}
        ) c
        order by c.updated_at desc limit ${mostLookedAt}
      ) c
      cross join lateral (select ${readSeq('c.key', '$1')} as seq offset 0) seen
      where exists (
        select from message m
        where m.conversation_key = c.key and m.seq > greatest(seen.seq, c.last_seq - ${newest}, ${firstSeqOfAny} - 1)
          and ${isToRead('$1')}
      )
      limit ${mostUnread}
    ) unread`,
}

/** For each message, in order: who has read it, beside its author. A statement for each. */
export async function readReaders(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  messages: readonly Message[],
): Promise<Readers[]> {
  const asks = messages.map(({ conversation: { key, epoch }, seq }) => {
    return { statement: selectReaders, key, values: [userId, epoch, seq] }
  })
  const answers = await budget.readKeys(store, asks, 'refused')
  return answers.map(([row]) => toReaders(row))
}

function toReaders(row: Row | undefined): Readers {
  return { count: (row?.[1] as number) ?? 0, userIds: JSON.parse((row?.[2] as string | null) ?? '[]') }
}

/**
 * Who wrote a later message has read this one. Who takes no part any more, or never read from here, does not count. An id
 * counts 256 bytes.
 */
const selectReaders: Statement<'key'> = {
  name: 'message-readers',
  kind: 'key',
  text: `
    select 256 * least(count(*), ${mostReaders}), count(*)::int,
      json_agg(reader.user_id order by reader.user_id) filter (where reader.place <= ${mostReaders})
    from (
      select reader.user_id, row_number() over (order by reader.user_id) as place
      from conversation c
      cross join message m
      cross join lateral (
        select k.user_id from read_marker k where k.conversation_key = $1 and k.epoch = c.epoch and k.seq >= m.seq
        union
        select coalesce(later.author_id, c.user_id) from message later
        where later.conversation_key = $1 and later.seq > greatest(m.seq, c.last_seq - ${newest})
          and later.author_kind is null
      ) reader
      where ${reachable('c')} and m.conversation_key = $1 and m.seq = $4::int and $5::bigint is not null
        and ${mayAccess('c', 'reader', '$1', 'reader.user_id')} and ${readsAt('c', 'm.seq', '$1', 'reader.user_id')}
        and not (m.author_kind is null and coalesce(m.author_id, c.user_id) = reader.user_id)
    ) reader`,
}

/** How far those who take part in a conversation have read it. */
export interface Markers {
  /** The owner is among them. */
  readonly participantCount: number
  /** By user id; empty if there are more users than are named. */
  readonly readMarkers: readonly { readonly userId: string; readonly readSeq: number }[]
}

/** @param most so many users are named @returns null if the conversation is not there any more */
export async function readMarkers(
  on: Runner,
  { key, epoch }: Pick<Conversation, 'key' | 'epoch'>,
  most: number,
): Promise<Markers | null> {
  const [row] = await queryKey(on, selectMarkers, key, [epoch, most])
  if (row === undefined) return null
  const markers: [string, number][] = JSON.parse((row[1] as string | null) ?? '[]')
  return {
    participantCount: row[0] as number,
    readMarkers: markers.map(([userId, readSeq]) => ({ userId, readSeq })),
  }
}

/**
 * `readSeq` of all of them: what they wrote is looked through once, and not once for each of them. For 50 users and 5,000
 * messages it took 4.2 ms, where `select 1` took 0.3.
 */
const selectMarkers: Statement<'key'> = {
  name: 'read-markers',
  kind: 'key',
  text: `
    with c as materialized (
      select c.user_id, c.epoch, c.last_seq from conversation c
      where c.key = $1 and c.epoch = $2 and c.deleted_at is null
    ),
    part as materialized (
      select c.user_id from c
      union all
      select p.user_id from participant p where p.conversation_key = $1 and p.epoch = $2 and p.ended_at is null
    ),
    size as materialized (select count(*)::int as count from part),
    wrote as materialized (
      select coalesce(m.author_id, c.user_id) as user_id, max(m.seq) as seq
      from c join message m on m.conversation_key = $1 and m.seq > c.last_seq - ${newest} and m.author_kind is null
      where (select count from size) <= $3
      group by 1
    )
    select size.count, (
      select json_agg(json_build_array(part.user_id, greatest(k.seq, wrote.seq, 0)) order by part.user_id)
      from part
      left join wrote on wrote.user_id = part.user_id
      left join read_marker k on k.conversation_key = $1 and k.user_id = part.user_id and k.epoch = $2
      where size.count <= $3
    )
    from c cross join size`,
}
