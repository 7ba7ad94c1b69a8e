import { Conversation } from '../../entities/conversation.ts'
import type { JsonRecord } from '../../entities/json.ts'
import type { Message } from '../../entities/message/message.ts'
import {
  briefWidth,
  type ConversationColumns,
  conversationWidth,
  readBriefConversation,
  readConversation,
} from '../conversation/conversation-row.ts'
import { type MessageColumns, readMessage } from '../message/message-row.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { writeJson } from '../postgres/column.ts'
import { query, type Row } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { type ListForm, listStatement } from './list-statement.ts'

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
  /** The title contains it. */
  readonly title: string | null
}

export interface ListRequest {
  readonly after: ListPlace | null
  readonly before: ListPlace | null
  readonly count: number
  /** true: the page holds the last `count` of the conversations between the bounds; false: the first. */
  readonly fromEnd: boolean
  /** null: all conversations. They have a statement of their own without any of these conditions. */
  readonly filter: ListFilter | null
  /** Which columns of the conversations the operation looks at. */
  readonly columns: ConversationColumns
  /** The same of their last messages; null: it looks at none. */
  readonly lastMessages: MessageColumns | null
  /** Whether the operation looks at `readAt`. */
  readonly tellsTime: boolean
}

/** A conversation as an element of a list. */
export class ListedConversation extends Conversation {
  /** Its newest message that is not deleted; null: there is none; undefined: it must be read by itself. */
  lastMessage: Message | null | undefined
}

/** A conversation of which only the brief columns were read. To ask it for another column is a mistake. */
class BriefConversation extends ListedConversation {}

for (const property of [
  'metadata',
  'changedRevision',
  'deletedAt',
  'activeLeaf',
  'isBranched',
  'importedAt',
  'participantsRevision',
  'searchable',
  'takenOverBy',
]) {
  Object.defineProperty(BriefConversation.prototype, property, {
    get() {
      throw new Error(`${property} was not read.`)
    },
  })
}

export interface ListPage {
  /** Newest activity first. */
  readonly conversations: ListedConversation[]
  readonly hasNext: boolean
  readonly hasPrevious: boolean
  /** A moment no later than the state that this page shows; null: nobody asked for it. */
  readonly readAt: number | null
}

/**
 * The largest page that shares a connection with other reads. A last message in it has at most 16 KiB, and a
 * conversation about 20.
 */
const mostBesideOthers = 50

/**
 * One page of a viewer's conversations, and exactly whether there are more on each side. One statement; two if the viewer
 * takes part in conversations of others or the page is empty.
 *
 * @throws AnswerTooLarge
 */
export async function readList(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  asked: ListRequest,
): Promise<ListPage> {
  // A database that spreads conversations would join the page with all messages of everybody. It reads each by itself.
  const request = store.spreads ? { ...asked, lastMessages: null } : asked
  const isShort = request.filter === null && request.count <= mostBesideOthers
  let head: Row | undefined
  const readRows = async (whose: ListForm['whose']) => {
    const { statement, hasHead } = listStatement(toForm(whose, request))
    const read = await query(isShort ? store.reads : store.lone, statement, toValues(userId, request), budget)
    head = hasHead ? read.shift() : undefined
    return read
  }
  const rows = await budget.spend(async (room) => {
    // A filter may read all of the user's conversations to find none. PostgreSQL on several machines is asked once.
    let read = request.filter === null && !store.spreads ? await readRows('own') : []
    if (read.length === 0) read = await readRows('all')
    return withinRoom(read, request, room)
  })
  return toPage(head, rows, request)
}

function toForm(whose: ListForm['whose'], request: ListRequest): ListForm {
  const { fromEnd, filter, after, before, tellsTime, columns, lastMessages } = request
  const isBounded = after !== null || before !== null
  const head = isBounded ? 'bounds' : tellsTime ? 'time' : null
  return { whose, fromEnd, isFiltered: filter !== null, head, columns, lastMessages }
}

/** In the order of the parameters of `listStatement`. */
function toValues(userId: string, { count, after, before, filter }: ListRequest): unknown[] {
  const values: unknown[] = [userId, count]
  if (after !== null || before !== null) {
    const [from, to] = [after ?? beginning, before ?? end]
    values.push(from.updatedAt, from.key, to.updatedAt, to.key)
  }
  if (filter !== null) {
    values.push(writeJson(filter.metadata), filter.archived, filter.updatedAfter ?? '-infinity', filter.title)
  }
  return values
}

/** Bounds that exclude nothing. With nulls instead, PostgreSQL could not use the bounds in the index. */
const beginning: ListPlace = { updatedAt: 'infinity', key: '00000000-0000-0000-0000-000000000000' }
const end: ListPlace = { updatedAt: '-infinity', key: 'ffffffff-ffff-ffff-ffff-ffffffffffff' }

/**
 * Cuts the rows of a page after the first one that an answer has no room for, and puts before each the sum of bytes up
 * to it. If the last messages do not fit, none of them is in the rows: each is read by itself then, and refused if it
 * still does not fit. If there is more than the page, a row without bytes ends it.
 */
function withinRoom(rows: Row[], { count, columns }: ListRequest, room: number): Row[] {
  const page = rows.length > count ? rows.slice(0, count) : rows
  const fits = page.reduce((sum, row) => sum + Number(row[0]) + Number(row[1]), 0) <= room
  let sum = 0
  let length = 0
  for (const row of page as unknown[][]) {
    if (sum > room) break
    sum += Number(row[0]) + (fits ? Number(row[1]) : 0)
    row[0] = sum
    if (!fits) row.length = lastMessageAt(columns)
    length += 1
  }
  return length < rows.length ? [...page.slice(0, length), [null]] : page
}

function toPage(head: Row | undefined, rows: readonly Row[], request: ListRequest): ListPage {
  const hasMore = rows.at(-1)?.[0] === null
  const listed = hasMore ? rows.slice(0, -1) : rows
  const conversations = listed.map((row) => readListed(row, request))
  if (request.fromEnd) conversations.reverse()
  const [, readAt, hasBefore, hasAfter] = head ?? []
  return {
    conversations,
    hasPrevious: hasBefore === true || (request.fromEnd && hasMore),
    hasNext: hasAfter === true || (!request.fromEnd && hasMore),
    readAt: readAt === undefined ? null : Number(readAt),
  }
}

/** Where the columns of the conversation begin in a row. */
const conversationAt = 4

function lastMessageAt(columns: ConversationColumns): number {
  return conversationAt + (columns === 'brief' ? briefWidth : conversationWidth)
}

function readListed(row: Row, { columns, lastMessages }: ListRequest): ListedConversation {
  const conversation = columns === 'brief' ? new BriefConversation() : new ListedConversation()
  if (columns === 'brief') {
    readBriefConversation(row, conversationAt, conversation)
  } else {
    readConversation(row, conversationAt, conversation)
  }
  if (lastMessages === null) return conversation
  const at = lastMessageAt(columns)
  if (typeof row[at] === 'number') conversation.lastMessage = readMessage(row, at, conversation, lastMessages)
  else if (conversation.lastSeq === 0) conversation.lastMessage = null
  return conversation
}
