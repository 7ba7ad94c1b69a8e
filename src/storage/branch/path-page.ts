import type { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message.ts'
import { PathTooLong } from '../../facts.ts'
import { messageColumns, readMessage, rowBytes } from '../message/message-row.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import type { Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { type Path, type PathRequest, rangesPerPath, readPaths } from './path.ts'

export interface PathPageRequest {
  readonly conversation: Conversation
  /** The seq with which the path ends. */
  readonly leaf: number
  /** Exclusive; 0 is the beginning. */
  readonly after: number
  /** Exclusive; null is the end. */
  readonly before: number | null
  readonly count: number
  /** Whether the page is the last `count` of what is asked for, and not the first. */
  readonly fromEnd: boolean
}

export interface PathPage {
  /** By seq; fewer than asked for where their bytes pass the limit, but at least one where there is one. */
  readonly messages: Message[]
  readonly hasNext: boolean
  readonly hasPrevious: boolean
}

/** One end of a page is left out of it, as the other is; they may be crossed. */
interface Bounds {
  readonly after: number
  readonly before: number
  readonly count: number
  readonly fromEnd: boolean
}

/**
 * For each request, in order, a page of its path; null where this viewer has no such conversation any more. At most two
 * statements: one says which seqs are on the pages, the other reads them.
 *
 * @throws AnswerTooLarge when not even the first message of every page fits; PathTooLong when a path turns off more
 *   often than is looked at before its page
 */
export async function readPathPages(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  requests: readonly PathPageRequest[],
): Promise<(PathPage | null)[]> {
  const bounds = requests.map(toBounds)
  const paths = await readPaths(store, userId, requests.map(toPathRequest))
  const seqs = paths.map((path, index) => seqsOfPage(path, bounds[index] as Bounds))
  const asked = seqs.flatMap((found, n) => found.map((seq, rank) => ({ n, rank: rank + 1, seq })))
  const messages: Message[][] = requests.map(() => [])
  const rows = await budget.query(store, selectPlaces, [
    userId,
    asked.map(({ n }) => requests[n]?.conversation.key),
    asked.map(({ n }) => requests[n]?.conversation.epoch),
    asked.map(({ seq }) => seq),
    asked.map(({ n }) => n),
    asked.map(({ rank }) => rank),
  ])
  for (const row of rows) {
    const n = row[2] as number
    messages[n]?.push(readMessage(row, 4, (requests[n] as PathPageRequest).conversation))
  }
  return requests.map(({ leaf }, n) => {
    const found = messages[n] as Message[]
    const path = paths[n] as Path
    const isGone = path.ranges.length === 0 || (found.length === 0 && seqs[n]?.length !== 0)
    return isGone ? null : withEnds(found, leaf, path, bounds[n] as Bounds)
  })
}

function toBounds({ leaf, after, before, count, fromEnd }: PathPageRequest): Bounds {
  return { after, before: Math.min(before ?? leaf + 1, leaf + 1), count, fromEnd }
}

function toPathRequest(request: PathPageRequest): PathRequest {
  const { after, before, count, fromEnd } = toBounds(request)
  return {
    conversation: request.conversation,
    leaf: request.leaf,
    // As far as tells what lies before the page, which stands at `before` when it is empty.
    above: Math.max(Math.min(after, before - 1), 0),
    below: before,
    count: fromEnd ? Math.max(count, 1) : null,
  }
}

/** The seqs on a page, from the end that it is asked from. @throws PathTooLong */
function seqsOfPage({ ranges, next }: Path, { after, before, count, fromEnd }: Bounds): number[] {
  const found: number[] = []
  for (const { low, high } of fromEnd ? ranges : ranges.toReversed()) {
    const [first, last] = [Math.max(low, after + 1), Math.min(high, before - 1)]
    const room = Math.min(last - first + 1, count - found.length)
    for (let i = 0; i < room; i++) found.push(fromEnd ? last - i : first + i)
  }
  const isWhole = next <= after || (fromEnd && found.length === count)
  if (!isWhole) throw new PathTooLong(rangesPerPath, ranges.length + 1)
  return found
}

function withEnds(
  found: Message[],
  leaf: number,
  { ranges, next }: Path,
  { after, before, fromEnd }: Bounds,
): PathPage {
  const messages = fromEnd ? found.toReversed() : found
  // An empty page stands where it began to look.
  const first = messages[0]?.seq ?? (fromEnd ? before : after + 1)
  const last = messages.at(-1)?.seq ?? (fromEnd ? before - 1 : after)
  const hasPrevious = (next > 0 && next < first) || ranges.some(({ low }) => low < first)
  return { messages, hasPrevious, hasNext: last < leaf }
}

/** By rank, as pages of the log are read: each begins at the end that it was asked from. */
const selectPlaces: Statement = {
  name: 'message-path-page',
  text: `
    select * from (
      select
        sum(${rowBytes('m')}) over (order by asked.rank, asked.n) as bytes, ${rowBytes('m')} as own, asked.n, asked.rank,
        ${messageColumns('m')}
      from unnest($2::uuid[], $3::bigint[], $4::int[], $5::int[], $6::int[]) as asked(key, epoch, seq, n, rank)
      join conversation c on c.key = asked.key and c.epoch = asked.epoch and c.user_id = $1 and c.deleted_at is null
      join message m on m.conversation_key = c.key and m.seq = asked.seq
    ) page
    where bytes <= $7 or (rank = 1 and bytes - own <= $7)
    order by rank, n`,
}
