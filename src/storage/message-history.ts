import type { Conversation } from '../entities/conversation.ts'
import type { Message } from '../entities/message.ts'
import { type AnswerBudget, rowBytes } from './answer-budget.ts'
import { messageColumns, readMessage } from './message-row.ts'
import type { Statement, Store } from './store.ts'

export interface HistoryRequest {
  readonly conversation: Conversation
  readonly last: number
  /** Exclusive; null is the end. */
  readonly beforeSeq: number | null
}

/**
 * For each request, in order, the last messages that are neither deleted nor streaming, oldest first. One statement.
 *
 * A history never begins with a TOOL message: it reaches back to the message that made the call, at most 1000 places,
 * or else to the assistant's message directly before the results; results without either are left out.
 *
 * @throws ApiError PAYLOAD_TOO_LARGE: a history that was cut in silence would mislead a model
 */
export async function readHistories(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  requests: readonly HistoryRequest[],
): Promise<Message[][]> {
  const rows = await budget.query(store, 'history', selectHistories, [
    userId,
    requests.map((request) => request.conversation.key),
    requests.map((request) => request.conversation.epoch),
    requests.map((request) => request.last),
    requests.map((request) => request.beforeSeq),
  ])
  const histories: Message[][] = requests.map(() => [])
  for (const row of rows) {
    const index = Number(row[2]) - 1
    const conversation = (requests[index] as HistoryRequest).conversation
    histories[index]?.push(readMessage(row, 3, conversation))
  }
  return histories
}

const isVisible = (table: string) => `${table}.deleted_at is null and ${table}.status <> 'STREAMING'`

const selectHistories: Statement = {
  name: 'message-history',
  text: `
    with history as (
      select
        sum(${rowBytes('m')}) over (order by asked.n, m.seq) as bytes, ${rowBytes('m')} as own, asked.n,
        ${messageColumns('m')}
      from unnest($2::uuid[], $3::bigint[], $4::int[], $5::int[]) with ordinality as asked(key, epoch, last, before, n)
      join conversation c on c.key = asked.key and c.epoch = asked.epoch
      cross join lateral (select coalesce(asked.before, c.last_seq + 1) as before) bounds
      cross join lateral (
        select min(seq) as seq from (
          select seq from message n
          where n.conversation_key = c.key and n.seq < bounds.before and ${isVisible('n')}
          order by seq desc limit asked.last
        ) newest
      ) oldest
      join message f on f.conversation_key = c.key and f.seq = oldest.seq
      cross join lateral (
        select case when f.role <> 'TOOL' then f.seq else coalesce(
          (
            select call.seq from message call
            where call.conversation_key = c.key and call.seq < f.seq and call.seq >= f.seq - 1000
              and call.role = 'ASSISTANT' and ${isVisible('call')} and call.tool_calls is not null
              and exists (select from json_array_elements(call.tool_calls) one where one->>'callId' = f.tool_call_id)
            order by call.seq desc limit 1
          ),
          (
            select nearest.seq from (
              select near.seq, near.role from message near
              where near.conversation_key = c.key and near.seq < f.seq and near.seq >= f.seq - 1000
                and near.role <> 'TOOL' and ${isVisible('near')}
              order by near.seq desc limit 1
            ) nearest
            where nearest.role = 'ASSISTANT'
          ),
          (
            select min(next.seq) from message next
            where next.conversation_key = c.key and next.seq > f.seq and next.seq < bounds.before
              and next.role <> 'TOOL' and ${isVisible('next')}
          )
        ) end as seq
      ) start
      join message m on m.conversation_key = c.key and m.seq >= start.seq and m.seq < bounds.before and ${isVisible('m')}
      where c.user_id = $1 and c.deleted_at is null
    )
    select * from history where bytes - own <= $6 order by n, seq`,
}
