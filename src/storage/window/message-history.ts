import type { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message.ts'
import { activeLeafOf, isStraight, readPaths } from '../branch/path.ts'
import { messageColumns, readMessage, rowBytes } from '../message/message-row.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import type { Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

export interface HistoryRequest {
  readonly conversation: Conversation
  readonly last: number
  /** Exclusive; null is the end. */
  readonly beforeSeq: number | null
}

/**
 * For each request, in order: the last messages of its active path that are neither deleted nor streaming, oldest
 * first. One statement if nothing branched, otherwise at most three.
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
  const histories = new Map<HistoryRequest, Message[]>(requests.map((request) => [request, []]))
  const read = async (statement: Statement, asked: readonly HistoryRequest[], ...more: unknown[]) => {
    const values = [userId, ...toValues(asked), ...more]
    for (const row of await budget.query(store, statement, values)) {
      const request = asked[Number(row[2]) - 1] as HistoryRequest
      histories.get(request)?.push(readMessage(row, 3, request.conversation))
    }
  }
  const straight = requests.filter(({ conversation }) => isStraight(conversation))
  if (straight.length > 0) await read(selectOfLogs, straight)
  const bent = requests.filter(({ conversation }) => !isStraight(conversation))
  if (bent.length > 0) await read(selectOfPaths, bent, ...(await rangeValues(store, userId, bent)))
  return requests.map((request) => histories.get(request) as Message[])
}

function toValues(requests: readonly HistoryRequest[]): unknown[] {
  return [
    requests.map(({ conversation }) => conversation.key),
    requests.map(({ conversation }) => conversation.epoch),
    requests.map(({ last }) => last),
    // A message that came after the conversation was read may have branched it.
    requests.map(({ beforeSeq, conversation }) => Math.min(beforeSeq ?? Infinity, conversation.lastSeq + 1)),
  ]
}

/** The ranges of all paths, each with the number of its request. */
async function rangeValues(store: Store, userId: string, requests: readonly HistoryRequest[]): Promise<unknown[]> {
  const asked = requests.map(({ conversation, beforeSeq }) => {
    const below = Math.min(beforeSeq ?? Infinity, conversation.lastSeq + 1)
    return { conversation, leaf: activeLeafOf(conversation), above: 0, below, count: null }
  })
  const paths = await readPaths(store, userId, asked)
  const ranges = paths.flatMap((path, index) => path.ranges.map((range) => ({ ...range, n: index + 1 })))
  return [ranges.map(({ n }) => n), ranges.map(({ low }) => low), ranges.map(({ high }) => high)]
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

/** The first seq of the history that `asked` (n, last, before) asks for, in the conversation `c`. */
function beginning({ select, reach }: Source): string {
  const isCall = `
    call.seq < f.seq and call.seq >= ${reach} and call.role = 'ASSISTANT' and ${isVisible('call')}
    and call.tool_calls is not null
    and exists (select from json_array_elements(call.tool_calls) one where one->>'callId' = f.tool_call_id)`
  const isNear = `near.seq < f.seq and near.seq >= ${reach} and near.role <> 'TOOL' and ${isVisible('near')}`
  const isNext = `next.seq > f.seq and next.seq < asked.before and next.role <> 'TOOL' and ${isVisible('next')}`
  return `
    cross join lateral (
      select min(seq) as seq
      from (${select('n.seq', 'n', `n.seq < asked.before and ${isVisible('n')}`, 'desc', 'asked.last')}) newest
    ) oldest
    join message f on f.conversation_key = c.key and f.seq = oldest.seq
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

/**
 * `offset 0` keeps this step the last one. If PostgreSQL joined the messages before it knew the first seq, it would
 * read the whole log: 1,000 messages took 1.3 ms instead of 0.2 ms, depending on the other rows of the tables.
 */
const selectOfLogs: Statement = {
  name: 'message-history',
  text: `
    with history as (
      select
        sum(${rowBytes('m')}) over (order by asked.n, m.seq) as bytes, ${rowBytes('m')} as own, asked.n,
        ${messageColumns('m')}
      from unnest($2::uuid[], $3::bigint[], $4::int[], $5::int[]) with ordinality as asked(key, epoch, last, before, n)
      join conversation c on c.key = asked.key and c.epoch = asked.epoch
      ${beginning({
        select: (columns, table, isWanted, order, limit) => `
          select ${columns} from message ${table}
          where ${table}.conversation_key = c.key and ${isWanted} order by ${table}.seq ${order} limit ${limit}`,
        reach: 'f.seq - 1000',
      })}
      cross join lateral (
        select * from message m
        where m.conversation_key = c.key and m.seq >= start.seq and m.seq < asked.before and ${isVisible('m')}
        offset 0
      ) m
      where c.user_id = $1 and c.deleted_at is null
    )
    select * from history where bytes - own <= $6 order by n, seq`,
}

/**
 * Each range is read separately, along the primary key, and its limit applies inside it. As one join, PostgreSQL would
 * read the messages of other branches in between.
 */
const selectOfPaths: Statement = {
  name: 'message-path-history',
  text: `
    with range as materialized (
      select * from unnest($6::int[], $7::int[], $8::int[]) as range(n, low, high)
    ),
    begun as materialized (
      select asked.n, asked.before, c.key, start.seq
      from unnest($2::uuid[], $3::bigint[], $4::int[], $5::int[]) with ordinality as asked(key, epoch, last, before, n)
      join conversation c on c.key = asked.key and c.epoch = asked.epoch
      ${beginning({
        select: (columns, table, isWanted, order, limit) => `
          select ${columns} from range cross join lateral (
            select * from message ${table}
            where ${table}.conversation_key = c.key and ${table}.seq between range.low and range.high and ${isWanted}
            order by ${table}.seq ${order} limit ${limit}
          ) ${table}
          where range.n = asked.n order by ${table}.seq ${order} limit ${limit}`,
        reach: `(
          select coalesce(max(low + places - 1000) filter (where places >= 1000), min(low)) from (
            select low, sum(greatest(least(high, f.seq - 1) - low + 1, 0)) over (order by low desc) as places
            from range where range.n = asked.n
          ) counted
        )`,
      })}
      where c.user_id = $1 and c.deleted_at is null
    ),
    history as (
      select
        sum(${rowBytes('m')}) over (order by begun.n, m.seq) as bytes, ${rowBytes('m')} as own, begun.n,
        ${messageColumns('m')}
      from begun join range on range.n = begun.n and range.high >= begun.seq
      cross join lateral (
        select * from message m
        where m.conversation_key = begun.key and m.seq between greatest(range.low, begun.seq) and least(range.high, begun.before - 1)
          and ${isVisible('m')}
        offset 0
      ) m
    )
    select * from history where bytes - own <= $9 order by n, seq`,
}
