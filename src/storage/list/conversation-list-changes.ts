import type { Conversation } from '../../entities/conversation.ts'
import { conversationBytes, conversationColumns, readConversation } from '../conversation/conversation-row.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { fromMoment, microseconds, toMoment } from '../postgres/moment.ts'
import { query, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { markOf } from './conversation-mark.ts'

/** Where to read on in the order of `updatedAt`. Every change moves its conversation to the end of this order. */
export interface ListPosition {
  /** A moment. */
  readonly at: number
  /** The last key at this moment that the reader knows; null: the reader knows none of this moment. */
  readonly key: string | null
}

export interface ListChanges {
  /** A moment no later than the state that this page shows. */
  readonly readAt: number
  /** By `updatedAt`, in their present state; tombstones are among them. */
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
  const rows = await budget.query(store, select, values)
  const conversations = rows.filter((row) => row[3] !== null).map((row) => readConversation(row, 3))
  // The count includes one row beyond `count`, if there is one: it shows whether there is more.
  return { readAt: Number(rows[0]?.[1]), conversations, hasMore: conversations.length < Number(rows[0]?.[2]) }
}

/**
 * Within one moment the list goes from the greatest key to the smallest: the index has the newest first, and is read
 * backwards.
 */
const lastKey = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/**
 * `now()` is the time when the statement arrived, before its snapshot was taken. PostgreSQL hashes the marks once, as a
 * subplan: 5,000 rows with as many marks took 4 ms.
 */
const select: Statement = {
  name: 'conversation-list-changes',
  text: `
    with found as materialized (
      select c.*,
        row_number() over (order by c.updated_at, c.key desc) as place,
        sum(${conversationBytes('c')}) over (order by c.updated_at, c.key desc) as bytes
      from conversation c
      where c.user_id = $1
        and c.updated_at >= ${fromMoment('$2')} and (c.updated_at > ${fromMoment('$2')} or c.key < $3)
        and (c.deleted_at is null or c.updated_at >= ${fromMoment('$4')})
        and ${markOf('c')} not in (select unnest($5::text[]))
      order by c.updated_at, c.key desc limit $6 + 1
    )
    select found.bytes, ${toMoment('now()')}, (select count(*)::int from found), ${conversationColumns('found')}
    from (select) always left join found on found.place <= $6 and (found.bytes <= $7 or found.place = 1)
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
  const rows = await query(store.pool, selectStates, [userId, which, forMicroseconds, count])
  const states = rows
    .filter(([, key]) => key !== null)
    .map(([, key, revision, at]) => ({ key: key as string, revision: Number(revision), at: Number(at) }))
  return { readAt: Number(rows[0]?.[0]), states: states.reverse() }
}

const selectStates: Statement = {
  name: 'conversation-list-states',
  text: `
    select ${toMoment('now()')}, c.key, c.revision, ${toMoment('c.updated_at')}
    from (select) always left join (
      select key, revision, updated_at from conversation
      where user_id = $1 and updated_at >= now() - ${microseconds('$3')}
        and ($2 = 'all' or ($2 = 'deleted' and deleted_at is not null))
      order by updated_at desc, key limit $4
    ) c on true
    order by c.updated_at desc, c.key`,
}
