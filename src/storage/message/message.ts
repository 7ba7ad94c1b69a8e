import type { Conversation } from '../../entities/conversation.ts'
import type { Place } from '../../entities/ids/place.ts'
import type { Message } from '../../entities/message.ts'
import {
  conversationBytes,
  conversationColumns,
  conversationWidth,
  readConversation,
} from '../conversation/conversation-row.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import type { Row, Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { messageColumns, readMessage, rowBytes } from './message-row.ts'

/** For each conversation, in order: its newest message that is not deleted, or null. One statement. */
export async function readLastMessages(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  conversations: readonly Conversation[],
): Promise<(Message | null)[]> {
  const columns = [conversations.map(({ key }) => key), conversations.map(({ epoch }) => epoch)]
  const rows = await budget.query(store, selectLast, [userId, ...columns])
  return inOrder(rows, conversations)
}

const selectLast = selectMessagesOnly(
  'message-last',
  `unnest($2::uuid[], $3::bigint[]) with ordinality as asked(key, epoch, n)
   join conversation c on c.key = asked.key and c.epoch = asked.epoch
   cross join lateral (
     select * from message where conversation_key = c.key and deleted_at is null order by seq desc limit 1
   ) m`,
  '$4',
)

/** For each place, in order: its message, or null if this viewer has no message there. One statement. */
export async function readMessagesAt(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  places: readonly Place[],
): Promise<(Message | null)[]> {
  const columns = [places.map((p) => p.key), places.map((p) => p.epoch), places.map((p) => p.seq)]
  const messages: (Message | null)[] = places.map(() => null)
  for (const row of await budget.query(store, selectAt, [userId, ...columns])) {
    messages[Number(row[2]) - 1] = readMessage(row, 3 + conversationWidth, readConversation(row, 3))
  }
  return messages
}

const selectAt = selectMessages(
  'message-at',
  `unnest($2::uuid[], $3::bigint[], $4::bigint[]) with ordinality as asked(key, epoch, seq, n)
   join conversation c on c.key = asked.key and c.epoch = asked.epoch
   join message m on m.conversation_key = c.key and m.seq = asked.seq`,
  '$5',
  { columns: `${conversationColumns('c')}, `, bytes: ` + ${conversationBytes('c')}` },
)

export interface ClientIdPlace {
  readonly conversation: Conversation
  readonly clientId: string
}

/** For each client id, in order: its message, or null. One statement. */
export async function readMessagesByClientId(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  asked: readonly ClientIdPlace[],
): Promise<(Message | null)[]> {
  const columns = [
    asked.map((one) => one.conversation.key),
    asked.map((one) => one.conversation.epoch),
    asked.map((one) => one.clientId),
  ]
  const rows = await budget.query(store, selectByClientId, [userId, ...columns])
  return inOrder(
    rows,
    asked.map(({ conversation }) => conversation),
  )
}

const selectByClientId = selectMessagesOnly(
  'message-by-client-id',
  `unnest($2::uuid[], $3::bigint[], $4::text[]) with ordinality as asked(key, epoch, client_id, n)
   join conversation c on c.key = asked.key and c.epoch = asked.epoch
   join message m on m.conversation_key = c.key and m.client_id = asked.client_id`,
  '$5',
)

/**
 * Reads one message for each row of `asked`. The from clause `found` brings the tables asked, c and m. `$1` is the
 * viewer.
 */
function selectMessages(
  name: string,
  found: string,
  limit: string,
  conversation: { columns: string; bytes: string },
): Statement {
  const own = `(${rowBytes('m')}${conversation.bytes})`
  return {
    name,
    text: `
      select * from (
        select sum(${own}) over (order by asked.n) as bytes, ${own} as own, asked.n,
          ${conversation.columns}${messageColumns('m')}
        from ${found}
        where c.user_id = $1 and c.deleted_at is null
      ) found
      where bytes - own <= ${limit}`,
  }
}

/** Reads only the messages, where the caller has their conversations already. */
function selectMessagesOnly(name: string, found: string, limit: string): Statement {
  return selectMessages(name, found, limit, { columns: '', bytes: '' })
}

function inOrder(rows: readonly Row[], conversations: readonly Conversation[]): (Message | null)[] {
  const messages: (Message | null)[] = conversations.map(() => null)
  for (const row of rows) {
    const index = Number(row[2]) - 1
    messages[index] = readMessage(row, 3, conversations[index] as Conversation)
  }
  return messages
}
