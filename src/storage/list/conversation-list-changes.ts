import type { Conversation } from '../../entities/conversation.ts'
import { toMicroseconds } from '../../entities/timestamp.ts'
import {
  conversationBytes,
  conversationColumnNames,
  conversationColumns,
  readConversation,
} from '../conversation/conversation-row.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { clock, fromMoment, microseconds, toMoment } from '../postgres/moment.ts'
import { query, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { markOf } from './conversation-mark.ts'
import { participants } from './list-statement.ts'

/**
 * When a conversation came to its present state, as a moment of the database's clock: at `updatedAt`, or at `importedAt`
 * if that is later. Every change moves its conversation to the end of this order.
 */
export function changeMoment({ updatedAt, importedAt }: Conversation): number {
  const updated = toMicroseconds(updatedAt)
  return importedAt === null ? updated : Math.max(updated, toMicroseconds(importedAt))
}

/**
 * The moment of change of a conversation `c`, which is in one of two columns, each with an index of its own: a
 * conversation is in the second one while its `importedAt` is the later time.
 */
export const changeColumns = [
  { at: 'c.updated_at', isHere: '(c.imported_at > c.updated_at) is not true' },
  { at: 'c.imported_at', isHere: 'c.imported_at > c.updated_at' },
]

/**
 * Conversations of the user `$1` with their moments of change, `at`. The user's own are read in two parts, each in the
 * order of its index, and only as far as the whole needs. Those in which the user takes part come from its rows as a
 * participant. What became of one in which the user takes no part any more it is not told: for the user it is as one
 * that was deleted when the part ended.
 *
 * @param columns of the table `c`
 * @param where the condition for a moment, which is an expression
 * @param end the order and the limit of each part, by the same moment
 */
function changedConversations(
  columns: readonly string[],
  where: (at: string) => string,
  end: (at: string) => string,
): string {
  const present = columns.map((column) => `c.${column}`).join(', ')
  const parts = changeColumns.flatMap(({ at, isHere }) => [
    `select ${present}, ${at} as at from conversation c where c.user_id = $1 and ${isHere} and ${where(at)} ${end(at)}`,
    `select ${present}, ${at} as at ${participants}
     where p.user_id = $1 and p.ended_at is null and ${isHere} and ${where(at)} ${end(at)}`,
  ])
  const former = `
    select ${present}, c.deleted_at as at from (
      select ${endedColumns} from participant p cross join lateral (
        select * from conversation c where c.key = p.conversation_key limit 1
      ) c
      where p.user_id = $1 and p.ended_at is not null
    ) c where ${where('c.deleted_at')} ${end('c.deleted_at')}`
  return [...parts, former].map((part) => `(${part})`).join(' union all ')
}

/** Of a conversation `c` in which the participant `p` took part. */
const ended: Readonly<Record<string, string>> = {
  epoch: 'p.epoch',
  title: 'null::text',
  last_seq: '0',
  revision: 'p.revision',
  changed_revision: 'p.revision',
  updated_at: 'p.ended_at',
  archived_at: 'null::timestamptz',
  metadata: `'{}'::jsonb`,
  deleted_at: 'p.ended_at',
  active_leaf: 'null::int',
  is_branched: 'false',
  imported_at: 'null::timestamptz',
  participants_revision: 'null::bigint',
  is_searchable: 'true',
  taken_over_by: 'null::text',
}

const endedColumns = conversationColumnNames.map((name) => `${ended[name] ?? `c.${name}`} as ${name}`).join(', ')

/** Where to read on in the order of `changeMoment`. */
export interface ListPosition {
  /** A moment. */
  readonly at: number
  /** The last key at this moment that the reader knows; null: the reader knows none of this moment. */
  readonly key: string | null
}

export interface ListChanges {
  /** A moment no later than the state that this page shows. */
  readonly readAt: number
  /** By `changeMoment`, in their present state; tombstones are among them. */
  readonly conversations: Conversation[]
  readonly hasMore: boolean
}

/**
 * The conversations of a user from a position on: at most `count`, and none whose present state has one of the marks.
 * One statement, so all of it is of one moment.
 *
 * @param deletedSince a moment: older tombstones are left out
 * @param marks of states that the reader knows already, so that they do not leave PostgreSQL again
 */
export async function readListChanges(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  from: ListPosition,
  deletedSince: number,
  marks: readonly string[],
  count: number,
): Promise<ListChanges> {
  const values = [userId, from.at, from.key ?? lastKey, deletedSince, marks, count]
  const rows = await budget.spend((room) => query(store.reads, select, [...values, room]))
  const conversations = rows.filter((row) => row[3] !== null).map((row) => readConversation(row, 3))
  // The count includes one row beyond `count`, if there is one: it shows whether there is more.
  return { readAt: Number(rows[0]?.[1]), conversations, hasMore: conversations.length < Number(rows[0]?.[2]) }
}

/**
 * Within one moment the list goes from the greatest key to the smallest: the index has the newest first, and is read
 * backwards.
 */
const lastKey = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** PostgreSQL hashes the marks once, as a subplan: 5,000 rows with as many marks took 4 ms. */
const select: Statement<'user'> = {
  name: 'conversation-list-changes',
  kind: 'user',
  text: `
    with ${clock},
    found as materialized (
      select c.*,
        row_number() over (order by c.at, c.key desc) as place,
        sum(${conversationBytes('c')}) over (order by c.at, c.key desc) as bytes
      from (${changedConversations(
        conversationColumnNames,
        (at) => `
        ${at} >= ${fromMoment('$2')} and (${at} > ${fromMoment('$2')} or c.key < $3)
        and (c.deleted_at is null or ${at} >= ${fromMoment('$4')})
        and ${markOf('c')} not in (select unnest($5::text[]))`,
        (at) => `order by ${at}, c.key desc limit $6 + 1`,
      )}) c
      order by c.at, c.key desc limit $6 + 1
    )
    select found.bytes, ${toMoment('clock.at')}, (select count(*)::int from found), ${conversationColumns('found')}
    from clock left join found on found.place <= $6 and (found.bytes <= $7 or found.place = 1)
    order by found.place`,
}

/** A state that a conversation of a list had. */
export interface ListState {
  readonly key: string
  readonly revision: number
  /** When the conversation came to this state, as a moment. */
  readonly at: number
}

/**
 * The present moment, and the states that conversations of a user came to since so many microseconds before it, by
 * time. `which` says of which conversations: all, deleted ones, or none. If there are more than `count`, the last ones.
 */
export async function readListStates(
  store: Store,
  userId: string,
  which: 'all' | 'deleted' | 'none',
  forMicroseconds: number,
  count: number,
): Promise<{ readAt: number; states: ListState[] }> {
  const rows = await query(store.reads, selectStates, [userId, which, forMicroseconds, count])
  const states = rows
    .filter(([, key]) => key !== null)
    .map(([, key, revision, at]) => ({ key: key as string, revision: Number(revision), at: Number(at) }))
  return { readAt: Number(rows[0]?.[0]), states: states.reverse() }
}

const selectStates: Statement<'user'> = {
  name: 'conversation-list-states',
  kind: 'user',
  text: `
    with ${clock}
    select ${toMoment('clock.at')}, c.key, c.revision, ${toMoment('c.at')}
    from clock left join (
      select * from (${changedConversations(
        ['key', 'revision'],
        (at) => `
        ${at} >= (select clock.at from clock) - ${microseconds('$3')}
        and ($2 = 'all' or ($2 = 'deleted' and c.deleted_at is not null))`,
        (at) => `order by ${at} desc, c.key limit $4`,
      )}) c
      order by c.at desc, c.key limit $4
    ) c on true
    order by c.at desc, c.key`,
}
