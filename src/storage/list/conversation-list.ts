import { Conversation } from '../../entities/conversation.ts'
import type { JsonRecord } from '../../entities/json.ts'
import type { Message } from '../../entities/message.ts'
import {
  conversationBytes,
  conversationColumns,
  conversationWidth,
  readConversation,
} from '../conversation/conversation-row.ts'
import {
  type MessageColumns,
  messageColumnNames,
  messageColumns,
  readMessage,
  rowBytes,
} from '../message/message-row.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { writeJson } from '../postgres/column.ts'
import { toMoment } from '../postgres/moment.ts'
import { ReadLanes } from '../postgres/read-lanes.ts'
import { query, type Row, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

/** A conversation's place in the list: the newest activity comes first, then the key decides. */
export interface ListPlace {
  /** RFC 3339 with microseconds. A list that is paged by milliseconds would lose rows. */
  readonly updatedAt: string
  readonly key: string
}

/** The conditions that the conversations of a list fulfil; null: no condition. */
export interface ListFilter {
  readonly metadata: JsonRecord | null
  readonly archived: boolean | null
  /** Exclusive. */
  readonly updatedAfter: string | null
}

export interface ListRequest {
  readonly after: ListPlace | null
  readonly before: ListPlace | null
  readonly count: number
  /** true: the page holds the last `count` of the conversations between the bounds; false: the first. */
  readonly fromEnd: boolean
  /** null: all conversations. They have a statement of their own without any of these conditions. */
  readonly filter: ListFilter | null
  /** Which columns of the last messages the operation looks at; null: it looks at none. */
  readonly lastMessages: MessageColumns | null
}

/** A conversation as an element of a list. */
export class ListedConversation extends Conversation {
  /** Its newest message that is not deleted; null: there is none; undefined: it was not read. */
  lastMessage: Message | null | undefined
}

export interface ListPage {
  /** Newest activity first. */
  readonly conversations: ListedConversation[]
  readonly hasNext: boolean
  readonly hasPrevious: boolean
  /** A moment no later than the state that this page shows. */
  readonly readAt: number
}

/** What one operation asks for, and how many bytes its rows may have. */
interface ListAsk {
  readonly userId: string
  readonly request: ListRequest
  readonly room: number
}

/** Reads pages of lists, with one statement for all operations that ask at the same time in the same way. */
export class ListReads {
  readonly #store: Store
  readonly #lanes = new Map<string, ReadLanes<ListAsk>>()

  constructor(store: Store) {
    this.#store = store
  }

  /** One page of a viewer's conversations, and exactly whether there are more on each side. */
  async read(budget: AnswerBudget, userId: string, request: ListRequest): Promise<ListPage> {
    let columns = request.lastMessages
    const rows = await budget.spend(async (room) => {
      const ask = { userId, request, room }
      if (columns === null) return this.#lane(request, null).read(ask)
      const together = await this.#lane(request, columns).read(ask)
      if (together.every((row) => Number(row[0]) <= room)) return together
      // Not all of it fits. The conversations come first; a last message that does not fit is refused when it is read
      // by itself.
      columns = null
      return this.#lane(request, null).read(ask)
    })
    return toPage(rows, request, columns)
  }

  #lane({ fromEnd, filter }: ListRequest, columns: MessageColumns | null): ReadLanes<ListAsk> {
    const kind = filter === null ? 'conversation-list' : 'conversation-list-filtered'
    const name = `${kind}-${fromEnd ? 'last' : 'first'}${columns === null ? '' : `-${columns}`}`
    let lane = this.#lanes.get(name)
    if (lane === undefined) {
      const statement = { name, text: listText(fromEnd, filter !== null, columns) }
      lane = new ReadLanes({
        read: (asks) => readLists(this.#store, statement, asks, filter !== null),
        numberAt: 1,
        rowsOf: ({ request }) => request.count + 1,
        ...few,
      })
      this.#lanes.set(name, lane)
    }
    return lane
  }
}

/**
 * A list has many rows. With 32 lists in a statement, PostgreSQL and the server waited for one another, and so many
 * rows at once outlived the young generation of the garbage collector. At 32 connections, a list took 374 µs of the
 * server's CPU with 8 lists in a statement and 461 µs with 32, and nearly twice as many lists were answered.
 */
const few = { runItems: 8, lanes: 4 }

function readLists(store: Store, statement: Statement, asks: readonly ListAsk[], isFiltered: boolean): Promise<Row[]> {
  const filters = asks.map(({ request }) => request.filter)
  return query(store.pool, statement, [
    asks.map(({ userId }) => userId),
    asks.map(({ request }) => (request.after ?? beginning).updatedAt),
    asks.map(({ request }) => (request.after ?? beginning).key),
    asks.map(({ request }) => (request.before ?? end).updatedAt),
    asks.map(({ request }) => (request.before ?? end).key),
    asks.map(({ request }) => request.count),
    asks.map(({ room }) => room),
    ...(isFiltered ? filterValues(filters) : []),
  ])
}

function filterValues(filters: readonly (ListFilter | null)[]): unknown[] {
  return [
    filters.map((filter) => writeJson(filter?.metadata)),
    filters.map((filter) => filter?.archived ?? null),
    filters.map((filter) => filter?.updatedAfter ?? '-infinity'),
  ]
}

/** Bounds that exclude nothing. With nulls instead, PostgreSQL could not use the bounds in the index. */
const beginning: ListPlace = { updatedAt: 'infinity', key: '00000000-0000-0000-0000-000000000000' }
const end: ListPlace = { updatedAt: '-infinity', key: 'ffffffff-ffff-ffff-ffff-ffffffffffff' }

function toPage(rows: readonly Row[], request: ListRequest, columns: MessageColumns | null): ListPage {
  const conversations: ListedConversation[] = []
  let hasMore = false
  let around: Row = []
  for (const row of rows) {
    const place = Number(row[2] ?? 0)
    if (place <= 1) around = row
    if (place > request.count) hasMore = true
    else if (place > 0) {
      conversations[place - 1] = readListed(row, columns)
      if (place === rows.length) hasMore = row[3] === true
    }
  }
  if (request.fromEnd) conversations.reverse()
  const [, , , , hasBefore, hasAfter, readAt] = around
  return {
    conversations,
    hasPrevious: hasBefore === true || (request.fromEnd && hasMore),
    hasNext: hasAfter === true || (!request.fromEnd && hasMore),
    readAt: Number(readAt),
  }
}

const firstColumn = 7

function readListed(row: Row, columns: MessageColumns | null): ListedConversation {
  const conversation = new ListedConversation()
  readConversation(row, firstColumn, conversation)
  if (columns === null) return conversation
  const at = firstColumn + conversationWidth
  if (row[at] !== null) conversation.lastMessage = readMessage(row, at, conversation, columns)
  else if (conversation.lastSeq === 0) conversation.lastMessage = null
  return conversation
}

/**
 * On the side where the page ends, one row more than asked for says whether there is more. On the side where it begins,
 * a lookup from the bound, inclusive, says so; a page without a bound has nothing there. An empty page stands at the
 * bound from which it was read. A page of no rows reads one row to know what follows. Every part follows the order of
 * the index. As plain EXISTS over the whole list, PostgreSQL read the table from its start: 37 ms at 100,000
 * conversations instead of 0.1 ms.
 *
 * The last message is looked up by the last seq: 171 µs for a list of 20. Looking for the newest that is not deleted
 * took 213 µs. If the message with the last seq is deleted, the loader looks for another.
 */
function listText(fromEnd: boolean, isFiltered: boolean, columns: MessageColumns | null): string {
  const newestFirst = 'c.updated_at desc, c.key asc'
  const oldestFirst = 'c.updated_at asc, c.key desc'
  const order = fromEnd ? oldestFirst : newestFirst
  const wanted = `
    and c.updated_at > asked.updated_after
    and (asked.archived is null or (c.archived_at is not null) = asked.archived)
    and (asked.metadata is null or c.metadata @> asked.metadata)`
  const mine = `c.user_id = asked.user_id and c.deleted_at is null ${isFiltered ? wanted : ''}`
  const isAfter = 'c.updated_at <= asked.after_at and (c.updated_at < asked.after_at or c.key > asked.after_key)'
  const isBefore = 'c.updated_at >= asked.before_at and (c.updated_at > asked.before_at or c.key < asked.before_key)'
  const upToAfter = 'c.updated_at >= asked.after_at and (c.updated_at > asked.after_at or c.key <= asked.after_key)'
  const fromBefore = 'c.updated_at <= asked.before_at and (c.updated_at < asked.before_at or c.key >= asked.before_key)'
  // Only in the first row of a page. An empty page is one row of nulls, and has it too.
  const once = (expression: string) => `case when coalesce(page.place, 1) = 1 then ${expression} end`
  const exists = (bound: string, condition: string, nearestFirst: string) =>
    once(
      `${bound} and (select true from conversation c where ${mine} and ${condition} order by ${nearestFirst} limit 1)`,
    )
  const names = columns === null ? [] : messageColumnNames(columns).map((column) => `message_${column}`)
  return `
      select case when asked.count > 0 then page.bytes end, asked.ask, page.place, page.has_more,
        ${exists("asked.after_at < 'infinity'", fromEnd ? `${upToAfter} and ${isBefore}` : upToAfter, oldestFirst)},
        ${exists("asked.before_at > '-infinity'", fromEnd ? fromBefore : `${fromBefore} and ${isAfter}`, newestFirst)},
        ${once(toMoment('now()'))},
        ${[conversationColumns('page'), ...names.map((column) => `page.${column}`)].join(', ')}
      from unnest($1::text[], $2::timestamptz[], $3::uuid[], $4::timestamptz[], $5::uuid[], $6::int[], $7::bigint[]
          ${isFiltered ? ', $8::jsonb[], $9::boolean[], $10::timestamptz[]' : ''})
        with ordinality as asked(user_id, after_at, after_key, before_at, before_key, count, room
          ${isFiltered ? ', metadata, archived, updated_after' : ''}, ask)
      left join lateral (
        select
          row_number() over list as place, sum(weight.own) over list as bytes, lead(true) over list as has_more,
          weight.own, ${['c.*', ...names].join(', ')}
        from (
          select * from conversation c where ${mine} and ${isAfter} and ${isBefore}
          order by ${order} limit asked.count + 1
        ) c
        ${columns === null ? '' : lastMessage(columns, names)}
        cross join lateral (
          select ${conversationBytes('c')}${columns === null ? '' : ' + coalesce(message.bytes, 0)'} as own
        ) weight
        window list as (order by ${order})
      ) page on page.place <= greatest(asked.count, 1) and page.bytes - page.own <= asked.room`
}

function lastMessage(columns: MessageColumns, names: readonly string[]): string {
  return `
    left join lateral (
      select ${rowBytes('m')}, ${messageColumns('m', columns)} from message m
      where m.conversation_key = c.key and m.seq = c.last_seq and m.deleted_at is null
    ) message(bytes, ${names.join(', ')}) on true`
}
