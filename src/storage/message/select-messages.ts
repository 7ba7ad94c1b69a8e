import type { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message/message.ts'
import { reachable } from '../conversation/conversation-ref.ts'
import {
  conversationBytes,
  conversationColumn,
  conversationWidth,
  readConversationColumn,
} from '../conversation/conversation-row.ts'
import { type ByViewer, firstSeqOf, inPart } from '../conversation/history-part.ts'
import type { Row, Statement } from '../postgres/statement.ts'
import { type MessageColumns, messageColumns, messageColumnsIf, readMessage, rowBytes } from './message-row.ts'

export interface MessageSelection {
  readonly name: string
  readonly columns: MessageColumns
  /**
   * The condition on a message `m`; `c` is its conversation. `$1`, `$2` and `$3` are those of `reachable`. The last
   * parameter is the room.
   */
  readonly found: string
  /** The same in place of `found`, where a viewer's first seq is this expression. */
  readonly foundFrom?: (first: string) => string
  readonly room: string
  readonly order: 'asc' | 'desc'
  readonly limit?: number
  /** How many rows a message has; one unless given. A message that is shown twice counts twice. */
  readonly times?: string
  /** Whether the first row carries the conversation. */
  readonly withConversation: boolean
}

/**
 * Statements that read messages of one conversation, for `AnswerBudget.readKeys`. If there are none, but the conversation, then there is one row
 * without a message.
 *
 * Only the first row carries the conversation: in every row it could take more bytes than the messages. It is written
 * once, before the rows are read: within the rows it took 17 % of PostgreSQL's time for a page. The messages are summed
 * in the order of their index, so that PostgreSQL sorts nothing.
 */
export function selectMessages(selection: MessageSelection): ByViewer {
  const { found, foundFrom } = selection
  return {
    whole: statementOf(selection, found, conversationColumn('c')),
    part: inPart(statementOf(selection, foundFrom?.(firstSeqOf()) ?? found, conversationColumn('c', firstSeqOf()))),
  }
}

function statementOf(selection: MessageSelection, found: string, conversation: string): Statement<'key'> {
  const { name, columns, room, order, limit, times, withConversation } = selection
  const own = rowBytes('m', '$1')
  const head = withConversation
    ? `${conversationBytes('c')} as bytes, ${conversation} as conversation`
    : '0 as bytes, null as conversation'
  return {
    name,
    kind: 'key',
    text: `
    select coalesce(m.bytes, 0) + head.bytes,
      case when coalesce(m.bytes = m.own, true) then head.conversation end,
      ${messageColumnsIf(`m.bytes + head.bytes <= ${room}`, 'm', columns)}
    from conversation c
    cross join lateral (select ${head} offset 0) head
    left join lateral (
      select ${messageColumns('m', columns, '$1')}, ${own} as own,
        sum(${own}) over (order by m.seq ${order} rows unbounded preceding) as bytes
      from message m${times === undefined ? '' : ` cross join lateral generate_series(1, ${times})`}
      where m.conversation_key = $1 and ${found}
      order by m.seq ${order}${limit === undefined ? '' : ` limit ${limit}`}
    ) m on m.bytes - m.own + head.bytes <= ${room}::bigint
    where ${reachable('c')}`,
  }
}

/** The conversation of these rows; null if there is none. @param conversation the object to fill */
export function readHead<C extends Conversation>(rows: readonly Row[], conversation: C): C | null {
  const row = rows.find(([, head]) => head !== null)
  return row === undefined ? null : readConversationColumn(row[1], conversation)
}

/** The first seq that the viewer reads, from the rows of a statement `part`. */
export function readFirstSeq(rows: readonly Row[]): number {
  const [, head] = rows.find(([, found]) => found !== null) ?? []
  return JSON.parse(head as string)[conversationWidth]
}

/** The messages of these rows, by seq. */
export function readSelected(rows: readonly Row[], conversation: Conversation, columns: MessageColumns): Message[] {
  const found = rows.filter((row) => row[messageAt] !== null)
  const messages = found.map((row) => readMessage(row, messageAt, conversation, columns))
  return messages.sort((one, other) => one.seq - other.seq)
}

/** Where the columns of the message begin; the first is its seq. */
const messageAt = 2
