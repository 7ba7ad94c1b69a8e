import { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message.ts'
import { conversationBytes, conversationColumn, readConversationColumn } from '../conversation/conversation-row.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { ReadLanes } from '../postgres/read-lanes.ts'
import { query, type Row, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { type MessageColumns, messageColumnNames, messageColumns, readMessage, rowBytes } from './message-row.ts'

export interface PageRequest {
  readonly key: string
  /** null: any epoch. */
  readonly epoch: number | null
  /** Exclusive; 0 is the beginning. */
  readonly after: number
  /** Exclusive; null is the end. */
  readonly before: number | null
  readonly count: number
  /** true: the page holds the last `count` of the messages between the bounds; false: the first. */
  readonly fromEnd: boolean
  /** Which columns of the messages the operation looks at. */
  readonly columns: MessageColumns
}

/** A conversation that was read together with a page of its messages. */
export class PagedConversation extends Conversation {
  /** The page, and the request for it. */
  pageRead: { readonly request: PageRequest; readonly page: Page } | undefined
}

export interface Page {
  /** The conversation at the time of the read. */
  readonly conversation: PagedConversation
  /** By seq. There are fewer than asked for if their bytes pass the limit, but at least one if there is one. */
  readonly messages: Message[]
  readonly hasNext: boolean
  readonly hasPrevious: boolean
}

/** The pages that one operation asks for at once, and how many bytes their rows may have. */
interface PageAsk {
  readonly userId: string
  readonly requests: readonly PageRequest[]
  readonly room: number
}

/** Reads pages, with one statement for all operations that ask at the same time for the same columns. */
export class PageReads {
  readonly #lanes: Readonly<Record<MessageColumns, ReadLanes<PageAsk>>>

  constructor(store: Store) {
    const lanes = (statement: Statement) =>
      new ReadLanes<PageAsk>({
        read: (asks) => readPages(store, statement, asks),
        numberAt: 1,
        rowsOf: ({ requests }) => requests.reduce((sum, { count }) => sum + count, 0),
      })
    this.#lanes = { brief: lanes(selectPages('brief')), all: lanes(selectPages('all')) }
  }

  /**
   * For each request, in order: its page, or null if this viewer has no such conversation.
   *
   * @throws AnswerTooLarge if the first messages of all pages do not fit
   */
  async read(budget: AnswerBudget, userId: string, requests: readonly PageRequest[]): Promise<(Page | null)[]> {
    const columns = requests.every((request) => request.columns === 'brief') ? 'brief' : 'all'
    const rows = await budget.spend((room) => this.#lanes[columns].read({ userId, requests, room }))
    return toPages(rows, requests, columns)
  }
}

function readPages(store: Store, statement: Statement, asks: readonly PageAsk[]): Promise<Row[]> {
  const all = asks.flatMap(({ userId, requests, room }, index) =>
    requests.map((request, place) => ({ ...request, userId, room, ask: index + 1, n: place + 1 })),
  )
  return query(store.pool, statement, [
    all.map(({ userId }) => userId),
    all.map(({ key }) => key),
    all.map(({ epoch }) => epoch),
    all.map(({ after }) => after),
    all.map(({ before }) => before),
    all.map(({ count }) => count),
    all.map(({ fromEnd }) => fromEnd),
    all.map(({ ask }) => ask),
    all.map(({ n }) => n),
    all.map(({ room }) => room),
  ])
}

/** Seqs have no gaps, and a deleted message keeps its seq. So the seqs alone tell what lies before and after a page. */
function toPages(rows: readonly Row[], requests: readonly PageRequest[], columns: MessageColumns): (Page | null)[] {
  const found: (Unbounded | null)[] = requests.map(() => null)
  for (const row of rows) {
    const index = Number(row[2]) - 1
    const page = found[index] ?? {
      conversation: readConversationColumn(row[3], new PagedConversation()),
      messages: [],
    }
    found[index] = page
    if (row[4] !== null) page.messages.push(readMessage(row, 4, page.conversation, columns))
  }
  // The rows come by rank, and the rank counts from the end from which the page was asked for.
  found.forEach((page, index) => {
    if (requests[index]?.fromEnd) page?.messages.reverse()
  })
  return found.map((page, index) => (page === null ? null : withEnds(page, requests[index] as PageRequest)))
}

/** A page before the two facts about its ends are known. */
type Unbounded = Pick<Page, 'conversation' | 'messages'>

function withEnds({ conversation, messages }: Unbounded, request: PageRequest): Page {
  const { lastSeq } = conversation
  const end = request.before ?? lastSeq + 1
  // An empty page stands at the bound from which it was read.
  const first = messages[0]?.seq ?? (request.fromEnd ? end : request.after + 1)
  const last = messages.at(-1)?.seq ?? (request.fromEnd ? end - 1 : request.after)
  const page = { conversation, messages, hasPrevious: Math.min(first - 1, lastSeq) > 0, hasNext: last < lastSeq }
  conversation.pageRead = { request, page }
  return page
}

/**
 * Only the first row of a page carries the conversation: in every row it could take more bytes than the messages. The
 * rows come in the order in which their bytes are summed, so PostgreSQL sorts only once.
 */
function selectPages(columns: MessageColumns): Statement {
  return {
    name: `message-page-${columns}`,
    text: `
    select bytes, ask, n, conversation, ${messageColumnNames(columns).join(', ')} from (
      select
        sum(own) over (partition by asked.ask order by m.rank, asked.n) as bytes, own, m.rank, asked.n, asked.ask,
        ${conversationColumn('c', 'is_first')} as conversation, ${messageColumns('m', columns)}, asked.room
      from unnest($1::text[], $2::uuid[], $3::bigint[], $4::int[], $5::int[], $6::int[], $7::boolean[], $8::int[],
        $9::int[], $10::bigint[])
        as asked(user_id, key, epoch, after, before, count, from_end, ask, n, room)
      join conversation c on c.key = asked.key and c.user_id = asked.user_id
        and (asked.epoch is null or c.epoch = asked.epoch)
      cross join lateral (
        select asked.after, least(coalesce(asked.before, c.last_seq + 1), c.last_seq + 1) as before
      ) bounds
      left join lateral (
        select message.*,
          case when asked.from_end then bounds.before - seq else seq - bounds.after end as rank
        from message
        where conversation_key = c.key
          and seq > case when asked.from_end then greatest(bounds.after, bounds.before - asked.count - 1) else bounds.after end
          and seq < case when asked.from_end then bounds.before else least(bounds.before, bounds.after::bigint + asked.count + 1) end
      ) m on true
      cross join lateral (select coalesce(m.rank, 1) = 1 as is_first) place
      cross join lateral (
        select coalesce(${rowBytes('m')}, 0) + case when is_first then ${conversationBytes('c')} else 0 end as own
      ) weight
      where c.deleted_at is null
    ) page
    where rank is null or bytes <= room or (rank = 1 and bytes - own <= room)
    order by ask, rank, n`,
  }
}
