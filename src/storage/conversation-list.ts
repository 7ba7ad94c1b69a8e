import type { Conversation } from '../entities/conversation.ts'
import { type AnswerBudget, conversationBytes } from './answer-budget.ts'
import { conversationColumns, readConversation } from './conversation-row.ts'
import { toMoment } from './moment.ts'
import type { Statement, Store } from './store.ts'

/** A conversation's place in the list: newest activity first, then by key. */
export interface ListPlace {
  /** RFC 3339 with microseconds: a list paged by milliseconds would lose rows. */
  readonly updatedAt: string
  readonly key: string
}

export interface ListRequest {
  readonly after: ListPlace | null
  readonly before: ListPlace | null
  readonly count: number
  /** Whether the page is the last `count` of what is asked for, and not the first. */
  readonly fromEnd: boolean
}

export interface ListPage {
  /** Newest activity first. */
  readonly conversations: Conversation[]
  readonly hasNext: boolean
  readonly hasPrevious: boolean
  /** A moment no later than the one that this shows. */
  readonly readAt: number
}

/** One page of a viewer's conversations, and exactly whether there are more on either side. One statement. */
export async function readConversationList(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  request: ListRequest,
): Promise<ListPage> {
  const after = request.after ?? beginning
  const before = request.before ?? end
  const values = [userId, after.updatedAt, after.key, before.updatedAt, before.key, request.count]
  const rows = await budget.query(store, 'conversations', request.fromEnd ? listLast : listFirst, values)
  const [summary] = rows
  return {
    conversations: rows.filter((row) => row[4] !== null).map((row) => readConversation(row, 4)),
    hasPrevious: summary?.[1] === true,
    hasNext: summary?.[2] === true,
    readAt: Number(summary?.[3]),
  }
}

/** Bounds that exclude nothing: with nulls instead, PostgreSQL could not take the bounds into the index. */
const beginning: ListPlace = { updatedAt: 'infinity', key: '00000000-0000-0000-0000-000000000000' }
const end: ListPlace = { updatedAt: '-infinity', key: 'ffffffff-ffff-ffff-ffff-ffffffffffff' }

/**
 * Always answers at least one row, so that an empty page, which stands where it began to look, says what lies around it.
 *
 * The two questions about what lies around are asked in the index's own order: as plain EXISTS they were answered by
 * reading the table from its start, in 37 ms at 100,000 conversations instead of 0.1 ms.
 */
function list(fromEnd: boolean): Statement {
  const newestFirst = 'c.updated_at desc, c.key asc'
  const oldestFirst = 'c.updated_at asc, c.key desc'
  const order = fromEnd ? oldestFirst : newestFirst
  const mine = 'c.user_id = $1 and c.deleted_at is null'
  // Of an empty page, the bound where it began is itself on one of the sides: behind a first page, before a last one.
  const [emptyAt, emptyKey] = fromEnd ? ['$4::timestamptz', '$5::uuid'] : ['$2::timestamptz', '$3::uuid']
  return {
    name: fromEnd ? 'conversation-list-last' : 'conversation-list-first',
    text: `
      with page as materialized (
        select sum(${conversationBytes('c')}) over (order by ${order}) as bytes, ${conversationBytes('c')} as own,
          ${conversationColumns('c')}
        from conversation c
        where ${mine}
          and c.updated_at <= $2 and (c.updated_at < $2 or c.key > $3)
          and c.updated_at >= $4 and (c.updated_at > $4 or c.key < $5)
        order by ${order} limit $6
      ),
      first as materialized (
        (select updated_at as at, key, false as itself from page order by updated_at desc, key limit 1)
        union all select ${emptyAt}, ${emptyKey}, ${!fromEnd} where not exists (select from page)
      ),
      last as materialized (
        (select updated_at as at, key, false as itself from page order by updated_at, key desc limit 1)
        union all select ${emptyAt}, ${emptyKey}, ${fromEnd} where not exists (select from page)
      )
      select
        page.bytes,
        (
          select true from conversation c
          where ${mine} and c.updated_at >= (select at from first) and (
            c.updated_at > (select at from first) or c.key < (select key from first)
            or (c.key = (select key from first) and (select itself from first))
          )
          order by ${oldestFirst} limit 1
        ),
        (
          select true from conversation c
          where ${mine} and c.updated_at <= (select at from last) and (
            c.updated_at < (select at from last) or c.key > (select key from last)
            or (c.key = (select key from last) and (select itself from last))
          )
          order by ${newestFirst} limit 1
        ),
        ${toMoment('now()')},
        ${conversationColumns('page')}
      from (select) always left join page on page.bytes - page.own <= $7
      order by page.updated_at desc, page.key`,
  }
}

const listFirst = list(false)
const listLast = list(true)
