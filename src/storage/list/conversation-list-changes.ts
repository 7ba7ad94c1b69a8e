import type { Conversation } from '../../entities/conversation.ts'
import { conversationBytes, conversationColumns, readConversation } from '../conversation/conversation-row.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { fromMoment, microseconds, toMoment } from '../postgres/moment.ts'
import { query, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { markOf } from './conversation-mark.ts'

/** Where to read on in the order of `updatedAt`, in which every change moves its conversation to the end. */
export interface ListPosition {
  /** A moment. */
  readonly at: number
  /** The key of the last one at this moment that is known; `null`: none of them is. */
  readonly key: string | null
}

export interface ListChanges {
  /** A moment no later than the one that this shows. */
  readonly readAt: number
  /** By `updatedAt`, as they are now; tombstones among them. */
  readonly conversations: Conversation[]
  readonly hasMore: boolean
}

/**
 * The conversations of a user from a position on, at most `count` of them, and none whose present state is among those
 * marked. One statement, so all of it stood at one moment.
 *
 * @param deletedSince a moment: tombstones from before it are left out
 * @param marks of states that are known, so that they do not leave PostgreSQL again
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
  // The count includes one row beyond `count`, to tell whether there is more.
  return { readAt: Number(rows[0]?.[1]), conversations, hasMore: conversations.length < Number(rows[0]?.[2]) }
}

/** At one moment the list goes from the last key to the first: the index, newest first, is read backwards. */
const lastKey = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/**
 * `now()` is when the statement arrived, before its snapshot was taken. The marks are hashed once, as a subplan: of
 * 5,000 rows and as many marks this took 4 ms.
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

/** A state that a list had. */
export interface ListState {
  readonly key: string
  readonly revision: number
  /** When it came to be, as a moment. */
  readonly at: number
}

/**
 * The present moment, and the states that conversations of a user came to have since so many microseconds before it,
 * by time: all of them, those of deleted ones, or none. Of more than `count` the last.
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
