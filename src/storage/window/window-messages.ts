import type { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message/message.ts'
import type { TokenEncoding } from '../../entities/window-enums.ts'
import { onPath, type Range, rangeArrays } from '../branch/path.ts'
import { reachable } from '../conversation/conversation-ref.ts'
import { byViewer, statementFor } from '../conversation/history-part.ts'
import { messageColumns, readMessage, rowBytes } from '../message/message-row.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { queryKey, type Row } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { isVisible } from './message-history.ts'
import { isCountOf } from './token-counts.ts'

/** A message, and how many tokens it has in its present state; null: it is not counted yet. */
export interface WindowMessage {
  readonly message: Message
  readonly counted: { readonly tokens: number; readonly reasoningTokens: number } | null
}

export interface WindowPageRequest {
  readonly conversation: Conversation
  /** From its end down. */
  readonly path: readonly Range[]
  readonly encoding: TokenEncoding
  /** Exclusive. */
  readonly before: number
  /** The page ends with the message that passes this sum. A message without a count is estimated low. */
  readonly tokens: number
  /** How many messages the statement looks at. */
  readonly rows: number
}

/**
 * The messages of a path before a seq, newest first: without deleted messages, but with streaming ones. Empty if there
 * are none, or none that this viewer may see.
 *
 * @throws AnswerTooLarge
 */
export async function readWindowPage(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  { conversation, path, encoding, before, tokens, rows }: WindowPageRequest,
): Promise<WindowMessage[]> {
  for (let below = before; ; ) {
    const ranges = nearest(path, below, rows)
    if (ranges.length === 0) return []
    const { key, epoch, userId: owner } = conversation
    const statement = statementFor(selectPage, userId, owner)
    const values = [userId, epoch, encoding, below, tokens, rows, ...rangeArrays(ranges)]
    const read = await budget.spend((left) => queryKey(store.lone, statement, key, [...values, left], budget))
    const found = toMessages(read, conversation)
    if (found.length > 0) return found
    // All messages of these ranges are deleted.
    below = ranges.at(-1)?.low ?? 0
  }
}

/** The ranges below a seq, from the end down, until they hold so many messages. */
function nearest(path: readonly Range[], below: number, count: number): Range[] {
  const ranges: Range[] = []
  let missing = count
  for (const { low, high } of path) {
    if (missing <= 0) break
    if (low >= below) continue
    ranges.push({ low, high })
    missing -= Math.min(high, below - 1) - low + 1
  }
  return ranges
}

/**
 * The SYSTEM and DEVELOPER messages with which a path begins, in order. Only the first `rows` messages after a seq are
 * looked at. If fewer than `rows` are found, they are all there are.
 *
 * @throws AnswerTooLarge
 */
export async function readLeading(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  request: {
    readonly conversation: Conversation
    readonly path: readonly Range[]
    readonly encoding: TokenEncoding
    readonly after: number
    readonly rows: number
  },
): Promise<WindowMessage[]> {
  const { conversation, path, encoding, after, rows } = request
  const { key, epoch, userId: owner } = conversation
  const statement = statementFor(selectLeading, userId, owner)
  const values = [userId, epoch, encoding, after, rows, ...rangeArrays(path)]
  const read = await budget.spend((left) => queryKey(store.lone, statement, key, [...values, left], budget))
  return toMessages(read, conversation)
}

function toMessages(rows: readonly Row[], conversation: Conversation): WindowMessage[] {
  return rows.map((row) => ({
    message: readMessage(row, 4, conversation),
    counted: row[2] === null ? null : { tokens: row[2] as number, reasoningTokens: row[3] as number },
  }))
}

/** The limit makes PostgreSQL look up the count of each message. It never reads all counts of a conversation. */
const withCount = (message: string, encoding: string) =>
  `left join lateral (
     select k.tokens, k.reasoning_tokens from message_token_count k where ${isCountOf('k', message)} and k.encoding = ${encoding} limit 1
   ) k on true`

/**
 * The most bytes of one page. A window of many tokens takes several pages, because messages that are not counted may
 * have more tokens than the estimate.
 */
const pageBytes = 262_144

/**
 * Whole rows are read only for messages that come into the page. Columns that stand in the row itself decide which
 * those are, so long texts, which PostgreSQL stores elsewhere, are not read for the others. The limit makes PostgreSQL
 * look up each message by its seq. As a join, before PostgreSQL had statistics of the tables, it read the whole
 * conversation for each message, and a window of 5,000 messages took 17 s.
 */
const selectPage = byViewer({
  name: 'window-page',
  kind: 'key',
  text: `
    with looked as (
      select n.seq, n.tokens, n.reasoning_tokens, ${rowBytes('n', '$1')} as own,
        sum(n.estimate) over newest - n.estimate as tokens_before,
        sum(${rowBytes('n', '$1')}) over newest as bytes
      from (
        select m.conversation_key, m.seq, m.status, m.size, k.tokens, k.reasoning_tokens,
          case when m.status = 'STREAMING' then 0 else coalesce(k.tokens, m.size / 8 + 4) end as estimate
        from (
          select m.* from conversation c cross join ${onPath('$8', '$9', 'm.seq < $5 and m.deleted_at is null', 'desc limit $7')}
          where ${reachable('c')} order by m.seq desc limit $7
        ) m
        ${withCount('m', '$4')}
      ) n
      window newest as (order by n.seq desc)
    )
    select looked.bytes, looked.own, looked.tokens, looked.reasoning_tokens, ${messageColumns('m', 'all', '$1')}
    from looked
    cross join lateral (select * from message m where m.conversation_key = $1 and m.seq = looked.seq limit 1) m
    where looked.tokens_before <= $6 and (looked.bytes <= least(${pageBytes}, $10::bigint) or looked.bytes = looked.own)
    order by looked.seq desc`,
})

const selectLeading = byViewer({
  name: 'window-leading',
  kind: 'key',
  text: `
    with looked as (
      select n.*, ${rowBytes('n', '$1')} as own, sum(${rowBytes('n', '$1')}) over oldest as bytes,
        bool_and(n.role in ('SYSTEM', 'DEVELOPER')) over oldest as leads
      from (
        select m.* from conversation c cross join ${onPath('$7', '$8', `m.seq > $5 and ${isVisible('m')}`, 'asc limit $6')}
        where ${reachable('c')} order by m.seq limit $6
      ) n
      window oldest as (order by n.seq)
    )
    select m.bytes, m.own, k.tokens, k.reasoning_tokens, ${messageColumns('m', 'all', '$1')}
    from looked m ${withCount('m', '$4')}
    where m.leads and m.bytes - m.own <= $9
    order by m.seq`,
})
