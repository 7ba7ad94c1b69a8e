import type { Conversation } from '../entities/conversation.ts'
import type { Message } from '../entities/message.ts'
import { type AnswerBudget, rowBytes } from './answer-budget.ts'
import { messageColumns, readMessage } from './message-row.ts'
import { activeLeafOf, isStraight, readPaths } from './path.ts'
import type { Statement, Store } from './store.ts'

export interface HistoryRequest {
  readonly conversation: Conversation
  readonly last: number
  /** Exclusive; null is the end. */
  readonly beforeSeq: number | null
}

/**
 * For each request, in order, the last messages of its active path that are neither deleted nor streaming, oldest first.
 * One statement where nothing branched; otherwise at most three.
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
  const histories = new Map<HistoryRequest, Message[]>(requests.map((request) => [request, []]))
  const read = async (statement: Statement, asked: readonly HistoryRequest[], ...more: unknown[]) => {
    const values = [userId, ...toValues(asked), ...more]
    for (const row of await budget.query(store, 'history', statement, values)) {
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
    // What came after the conversation was read may have branched it.
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

const isVisible = (table: string) => `${table}.deleted_at is null and ${table}.status <> 'STREAMING'`

/** Where a history's messages are, as `from` and `where` say it, and from which seq on a call of `f` is looked for. */
interface Source {
  readonly from: (table: string) => string
  readonly isIn: (table: string) => string
  readonly callsFrom: string
}

function historyStatement(name: string, { from, isIn, callsFrom }: Source, limit: string): Statement {
  return {
    name,
    text: `
      with history as (
        select
          sum(${rowBytes('m')}) over (order by asked.n, m.seq) as bytes, ${rowBytes('m')} as own, asked.n,
          ${messageColumns('m')}
        from unnest($2::uuid[], $3::bigint[], $4::int[], $5::int[]) with ordinality as asked(key, epoch, last, before, n)
        join conversation c on c.key = asked.key and c.epoch = asked.epoch
        cross join lateral (
          select min(seq) as seq from (
            select n.seq from ${from('n')}
            where ${isIn('n')} and n.seq < asked.before and ${isVisible('n')}
            order by n.seq desc limit asked.last
          ) newest
        ) oldest
        join message f on f.conversation_key = c.key and f.seq = oldest.seq
        cross join lateral (
          select case when f.role <> 'TOOL' then f.seq else coalesce(
            (
              select call.seq from ${from('call')}
              where ${isIn('call')} and call.seq < f.seq and call.seq >= ${callsFrom}
                and call.role = 'ASSISTANT' and ${isVisible('call')} and call.tool_calls is not null
                and exists (select from json_array_elements(call.tool_calls) one where one->>'callId' = f.tool_call_id)
              order by call.seq desc limit 1
            ),
            (
              select nearest.seq from (
                select near.seq, near.role from ${from('near')}
                where ${isIn('near')} and near.seq < f.seq and near.seq >= ${callsFrom}
                  and near.role <> 'TOOL' and ${isVisible('near')}
                order by near.seq desc limit 1
              ) nearest
              where nearest.role = 'ASSISTANT'
            ),
            (
              select min(next.seq) from ${from('next')}
              where ${isIn('next')} and next.seq > f.seq and next.seq < asked.before
                and next.role <> 'TOOL' and ${isVisible('next')}
            )
          ) end as seq
        ) start
        cross join lateral (
          select m.* from ${from('m')}
          where ${isIn('m')} and m.seq >= start.seq and m.seq < asked.before and ${isVisible('m')}
        ) m
        where c.user_id = $1 and c.deleted_at is null
      )
      select * from history where bytes - own <= ${limit} order by n, seq`,
  }
}

const selectOfLogs = historyStatement(
  'message-history',
  {
    from: (table) => `message ${table}`,
    isIn: (table) => `${table}.conversation_key = c.key`,
    callsFrom: 'f.seq - 1000',
  },
  '$6',
)

const ofPath = {
  from: (table: string) =>
    `unnest($6::int[], $7::int[], $8::int[]) as range(n, low, high) join message ${table} on ${table}.seq between range.low and range.high`,
  isIn: (table: string) => `range.n = asked.n and ${table}.conversation_key = c.key`,
}

const selectOfPaths = historyStatement(
  'message-path-history',
  {
    ...ofPath,
    callsFrom: `(
      select min(seq) from (
        select earlier.seq from ${ofPath.from('earlier')}
        where ${ofPath.isIn('earlier')} and earlier.seq < f.seq order by earlier.seq desc limit 1000
      ) reached
    )`,
  },
  '$9',
)
