import type { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message/message.ts'
import { activeLeafOf, isStraight, rangeArrays, rangesOf, readPath } from '../branch/path.ts'
import { reachable } from '../conversation/conversation-ref.ts'
import { byViewer, statementFor } from '../conversation/history-part.ts'
import { messageColumns, rowBytes } from '../message/message-row.ts'
import { readSelected } from '../message/select-messages.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import type { KeyAsk } from '../postgres/key-reads.ts'
import type { Row } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

export interface HistoryRequest {
  readonly conversation: Conversation
  readonly last: number
  /** Exclusive; null is the end. */
  readonly beforeSeq: number | null
}

/**
 * For each request, in order: the last messages of its active path that are neither deleted nor streaming, oldest
 * first. One statement for each request, and another one for its path if it is not the whole log.
 *
 * A history never begins with a TOOL message. It then begins earlier, with the message that made the call, at most 1000
 * places before. If there is no such message, it begins with the assistant's message directly before the results. If
 * there is none either, the results are left out.
 *
 * @throws AnswerTooLarge: a history that is cut without an error would mislead a model
 */
export async function readHistories(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  requests: readonly HistoryRequest[],
): Promise<Message[][]> {
  const asks = await Promise.all(requests.map((request) => toAsk(store, budget, userId, request)))
  const answers = await budget.readKeys(store, asks, 'refused')
  return requests.map(({ conversation }, index) => readSelected(answers[index] as Row[], conversation, 'all'))
}

async function toAsk(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  { conversation, last, beforeSeq }: HistoryRequest,
): Promise<KeyAsk> {
  const { key, epoch, lastSeq, userId: owner } = conversation
  // A message that came after the conversation was read may have branched it.
  const below = Math.min(beforeSeq ?? Infinity, lastSeq + 1)
  const values = [userId, epoch, last, below]
  if (isStraight(conversation)) return { statement: statementFor(selectOfLog, userId, owner), key, values }
  const path = { conversation, leaf: activeLeafOf(conversation), above: 0, below, count: null }
  const ranges = (await readPath(store, userId, path, budget))?.ranges ?? []
  const statement = statementFor(selectOfPath, userId, owner)
  return { statement, key, values: [...values, ...rangeArrays(ranges)] }
}

/** What a model may read of a message table: neither deleted messages nor streaming ones. */
export const isVisible = (table: string) => `${table}.deleted_at is null and ${table}.status <> 'STREAMING'`

/** Where the messages of a history come from. */
interface Source {
  /** The nearest messages for which a condition is true, from the end or from the beginning. */
  readonly select: (columns: string, table: string, isWanted: string, order: 'desc' | 'asc', limit: string) => string
  /** The seq 1000 places before `f`. */
  readonly reach: string
}

/** The first seq of the history of the last `$4` messages before `$5`. */
function beginning({ select, reach }: Source): string {
  const isCall = `
    call.seq < f.seq and call.seq >= ${reach} and call.role = 'ASSISTANT' and ${isVisible('call')}
    and call.tool_calls is not null
    and exists (select from json_array_elements(call.tool_calls) one where one->>'callId' = f.tool_call_id)`
  const isNear = `near.seq < f.seq and near.seq >= ${reach} and near.role <> 'TOOL' and ${isVisible('near')}`
  const isNext = `next.seq > f.seq and next.seq < $5 and next.role <> 'TOOL' and ${isVisible('next')}`
  return `
    cross join lateral (
      select min(seq) as seq
      from (${select('n.seq', 'n', `n.seq < $5::int and ${isVisible('n')}`, 'desc', '$4::int')}) newest
    ) oldest
    join message f on f.conversation_key = $1 and f.seq = oldest.seq
    cross join lateral (
      select case when f.role <> 'TOOL' then f.seq else coalesce(
        (${select('call.seq', 'call', isCall, 'desc', '1')}),
        (
          select nearest.seq from (${select('near.seq, near.role', 'near', isNear, 'desc', '1')}) nearest
          where nearest.role = 'ASSISTANT'
        ),
        (${select('next.seq', 'next', isNext, 'asc', '1')})
      ) end as seq
    ) start`
}

/** What `readSelected` understands, with the sum of bytes. The second column decides with the first what is answered. */
const history = `
  sum(${rowBytes('m', '$1')}) over (order by m.seq) as bytes, ${rowBytes('m', '$1')} as own,
  ${messageColumns('m', 'all', '$1')}`

/**
 * `offset 0` keeps this step the last one. If PostgreSQL joined the messages before it knew the first seq, it would
 * read the whole log: 1,000 messages took 1.3 ms instead of 0.2 ms, depending on the other rows of the tables.
 */
const selectOfLog = byViewer({
  name: 'message-history',
  kind: 'key',
  text: `
    with history as (
      select ${history}
      from conversation c
      ${beginning({
        select: (columns, table, isWanted, order, limit) => `
          select ${columns} from message ${table}
          where ${table}.conversation_key = $1 and ${isWanted} order by ${table}.seq ${order} limit ${limit}`,
        reach: 'f.seq - 1000',
      })}
      cross join lateral (
        select * from message m
        where m.conversation_key = $1 and m.seq >= start.seq and m.seq < $5 and ${isVisible('m')}
        offset 0
      ) m
      where ${reachable('c')}
    )
    select * from history where bytes - own <= $6 order by seq`,
})

/**
 * Each range is read separately, along the primary key, and its limit applies inside it. As one join, PostgreSQL would
 * read the messages of other branches in between.
 */
const selectOfPath = byViewer({
  name: 'message-path-history',
  kind: 'key',
  text: `
    with range as materialized (
      select range.* from ${rangesOf('$6', '$7')}
    ),
    begun as materialized (
      select start.seq
      from conversation c
      ${beginning({
        select: (columns, table, isWanted, order, limit) => `
          select ${columns} from range cross join lateral (
            select * from message ${table}
            where ${table}.conversation_key = $1 and ${table}.seq between range.low and range.high and ${isWanted}
            order by ${table}.seq ${order} limit ${limit}
          ) ${table}
          order by ${table}.seq ${order} limit ${limit}`,
        reach: `(
          select coalesce(max(low + places - 1000) filter (where places >= 1000), min(low)) from (
            select low, sum(greatest(least(high, f.seq - 1) - low + 1, 0)) over (order by low desc) as places
            from range
          ) counted
        )`,
      })}
      where ${reachable('c')}
    ),
    history as (
      select ${history}
      from begun join range on range.high >= begun.seq
      cross join lateral (
        select * from message m
        where m.conversation_key = $1 and m.seq between greatest(range.low, begun.seq) and least(range.high, $5 - 1)
          and ${isVisible('m')}
        offset 0
      ) m
    )
    select * from history where bytes - own <= $8 order by seq`,
})
