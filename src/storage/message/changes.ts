import type { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message/message.ts'
import { reachable } from '../conversation/conversation-ref.ts'
import {
  conversationBytes,
  conversationColumns,
  conversationWidth,
  readConversation,
} from '../conversation/conversation-row.ts'
import { firstSeqOf, inPart, statementFor } from '../conversation/history-part.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import type { Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { messageColumns, messageColumnsIf, readMessage, rowBytes } from './message-row.ts'

/** How much of a conversation its reader knows: every message up to `seq`, in its state at `revision`. */
export interface Known {
  readonly key: string
  readonly epoch: number
  readonly seq: number
  readonly revision: number
}

export interface Changes {
  /** The conversation at the time of this read. */
  readonly conversation: Conversation
  /** Messages up to the known seq that changed after the known revision: by revision, in their present state. */
  readonly changed: Message[]
  /** Messages after the known seq, by seq. */
  readonly appended: Message[]
  /** Whether there are more changed or appended messages than were read. */
  readonly hasMore: boolean
  /** Whether all changed messages were read. */
  readonly hasAllChanged: boolean
}

/**
 * Reads what the reader does not know yet: at most `count` messages, the changed ones first. null if this viewer has no
 * such conversation. One statement reads all of it, so all of it is of one moment. What lies before the first message
 * that the viewer reads counts as known.
 *
 * Writers take revisions and seqs under the conversation's lock. So a message that was not read has, or will get, a
 * higher revision or seq than the messages that were read.
 *
 * @param ownerId the owner of the conversation
 */
export async function readChanges(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  ownerId: string,
  known: Known,
  count: number,
): Promise<Changes | null> {
  const { key, epoch, seq, revision } = known
  const rows = await budget.readKey(
    store,
    { statement: statementFor(select, userId, ownerId), key, values: [userId, epoch, seq, revision, count] },
    'cut',
  )
  const [first] = rows
  if (first === undefined) return null
  const conversation = readConversation(first, 4)
  const at = 4 + conversationWidth
  const messages = rows.filter((row) => row[at] !== null).map((row) => readMessage(row, at, conversation))
  const changed = messages.filter((message) => message.seq <= seq)
  const appended = messages.filter((message) => message.seq > seq)
  // Both counts include one row beyond `count`, if there is one: it shows whether there is more.
  const isChangedWhole = changed.length >= Number(first[2])
  const hasMore = messages.length < Number(first[3])
  return { conversation, changed, appended, hasMore, hasAllChanged: isChangedWhole }
}

/** @param known the seq up to which the reader knows the messages */
function selectAfter(known: string): Statement<'key'> {
  return {
    name: 'message-changes',
    kind: 'key',
    text: `
    with c as materialized (
      select c.*, ${conversationBytes('c')} as bytes from conversation c where ${reachable('c')}
    ),
    changed as (
      select m.*, row_number() over (order by m.revision) as place from c
      join message m on m.conversation_key = $1 and m.revision > $5 and m.seq <= ${known}
      order by m.revision limit $6 + 1
    ),
    appended as (
      select m.*, m.seq - ${known} + (select count(*) from changed) as place from c
      join message m on m.conversation_key = $1 and m.seq > ${known}
        and m.seq <= ${known}::bigint + greatest($6 + 1 - (select count(*) from changed), 0)
    ),
    found as (
      select ${messageColumns('m', 'all', '$1')}, m.place, ${rowBytes('m', '$1')} as own,
        sum(${rowBytes('m', '$1')}) over (order by m.place) as bytes
      from (select * from changed union all select * from appended) m
    )
    select
      coalesce(m.bytes, 0) + c.bytes,
      m.place,
      (select count(*)::int from changed),
      (select count(*)::int from found),
      ${conversationColumns('c')}, ${messageColumnsIf('m.bytes + c.bytes <= $7', 'm', 'all')}
    from c left join found m on m.place <= $6 and m.bytes - m.own + c.bytes <= $7
    order by m.place`,
  }
}

const select = { whole: selectAfter('$4'), part: inPart(selectAfter(`greatest($4::int, ${firstSeqOf()} - 1)`)) }
