import type { Conversation } from '../entities/conversation.ts'
import { conversationColumns, readConversation } from './conversation-row.ts'
import { query, type Statement, type Store } from './store.ts'

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
}

/** One page of a viewer's conversations, and exactly whether there are more on either side. One statement. */
export async function readConversationList(store: Store, userId: string, request: ListRequest): Promise<ListPage> {
  const { after, before } = request
  const values = [userId, after?.updatedAt, after?.key, before?.updatedAt, before?.key, request.count]
  const rows = await query(store.pool, request.fromEnd ? listLast : listFirst, values)
  const [summary] = rows
  return {
    conversations: rows.filter((row) => row[2] !== null).map((row) => readConversation(row, 2)),
    hasPrevious: summary?.[0] === true,
    hasNext: summary?.[1] === true,
  }
}

/** Always answers at least one row, so that an empty page, which stands where it began to look, says what lies around it. */
function list(fromEnd: boolean): Statement {
  const order = fromEnd ? 'c.updated_at asc, c.key desc' : 'c.updated_at desc, c.key asc'
  const sooner = (bound: string) =>
    `c.updated_at >= ${bound}.updated_at and (c.updated_at > ${bound}.updated_at or c.key < ${bound}.key)`
  const later = (bound: string) =>
    `c.updated_at <= ${bound}.updated_at and (c.updated_at < ${bound}.updated_at or c.key > ${bound}.key)`
  const mine = 'c.user_id = $1 and c.deleted_at is null'
  return {
    name: fromEnd ? 'conversation-list-last' : 'conversation-list-first',
    text: `
      with after as (select $2::timestamptz as updated_at, $3::uuid as key where $2 is not null),
      before as (select $4::timestamptz as updated_at, $5::uuid as key where $4 is not null),
      page as materialized (
        select ${conversationColumns('c')} from conversation c
        where ${mine}
          and ($2::timestamptz is null or (c.updated_at <= $2 and (c.updated_at < $2 or c.key > $3::uuid)))
          and ($4::timestamptz is null or (c.updated_at >= $4 and (c.updated_at > $4 or c.key < $5::uuid)))
        order by ${order} limit $6
      ),
      first as (select updated_at, key from page order by updated_at desc, key limit 1),
      last as (select updated_at, key from page order by updated_at, key desc limit 1)
      select
        case
          when exists (select from page) then exists (select from conversation c, first where ${mine} and ${sooner('first')})
          when ${fromEnd} then exists (
            select from conversation c where ${mine} and ($4::timestamptz is null
              or exists (select from before where ${sooner('before')})))
          else exists (select from conversation c, after where ${mine} and not (${later('after')}))
        end,
        case
          when exists (select from page) then exists (select from conversation c, last where ${mine} and ${later('last')})
          when ${fromEnd} then exists (select from conversation c, before where ${mine} and not (${sooner('before')}))
          else exists (
            select from conversation c where ${mine} and ($2::timestamptz is null
              or exists (select from after where ${later('after')})))
        end,
        ${conversationColumns('page')}
      from (select) always left join page on true
      order by page.updated_at desc, page.key`,
  }
}

const listFirst = list(false)
const listLast = list(true)
