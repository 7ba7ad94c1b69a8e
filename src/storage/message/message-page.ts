import { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message/message.ts'
import { statementFor } from '../conversation/history-part.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import type { Row } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import type { MessageColumns } from './message-row.ts'
import { readFirstSeq, readHead, readSelected, selectMessages } from './select-messages.ts'

export interface PageRequest {
  readonly key: string
  /** null: any epoch. */
  readonly epoch: number | null
  /** Who owns the conversation; null: it is not known. */
  readonly ownerId: string | null
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

/**
 * For each request, in order: its page, or null if this viewer has no such conversation. A statement for each.
 *
 * @throws AnswerTooLarge if the first messages of all pages do not fit
 */
export async function readPages(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  requests: readonly PageRequest[],
): Promise<(Page | null)[]> {
  const asks = requests.map(({ key, epoch, ownerId, after, before, count, fromEnd, columns }) => {
    return {
      statement: statementFor(selectPage[columns][fromEnd ? 'last' : 'first'], userId, ownerId),
      key,
      values: [userId, epoch, after, before, count],
    }
  })
  const answers = await budget.readKeys(store, asks, 'cut')
  return requests.map((request, index) => toPage(answers[index] as Row[], userId, request))
}

/** Seqs have no gaps, and a deleted message keeps its seq. So the seqs alone tell what lies before and after a page. */
function toPage(rows: readonly Row[], userId: string, request: PageRequest): Page | null {
  const conversation = readHead(rows, new PagedConversation())
  const isPart = request.ownerId !== userId
  // What was read for an owner is for nobody else.
  if (conversation === null || (!isPart && conversation.userId !== userId)) return null
  const messages = readSelected(rows, conversation, request.columns)
  const { lastSeq } = conversation
  const from = isPart ? readFirstSeq(rows) : 1
  const after = Math.max(request.after, from - 1)
  const end = Math.max(request.before ?? lastSeq + 1, from)
  // An empty page stands at the bound from which it was read.
  const first = messages[0]?.seq ?? (request.fromEnd ? end : after + 1)
  const last = messages.at(-1)?.seq ?? (request.fromEnd ? end - 1 : after)
  const page = { conversation, messages, hasPrevious: Math.min(first - 1, lastSeq) >= from, hasNext: last < lastSeq }
  conversation.pageRead = { request, page }
  return page
}

const selectPage = { brief: bothEnds('brief'), all: bothEnds('all') }

function bothEnds(columns: MessageColumns) {
  const before = 'least($5::int, c.last_seq + 1)'
  const common = { columns, room: '$7', withConversation: true }
  return {
    first: selectMessages({
      ...common,
      name: `message-page-first-${columns}`,
      found: `m.seq > $4::int and m.seq < least(${before}, $4::bigint + $6::int + 1)`,
      foundFrom: (first) =>
        `m.seq < least(${before}, greatest($4::int, ${first} - 1)::bigint + $6::int + 1) and m.seq > $4`,
      order: 'asc',
    }),
    last: selectMessages({
      ...common,
      name: `message-page-last-${columns}`,
      found: `m.seq > greatest($4::int, ${before} - $6::int - 1) and m.seq < ${before}`,
      order: 'desc',
    }),
  }
}
