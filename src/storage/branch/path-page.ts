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
  /** The seq of the last message of the path. */
  readonly leaf: number
  /** Exclusive; 0 is the beginning. */
  readonly after: number
  /** Exclusive; null is the end. */
  readonly before: number | null
  readonly count: number
  /** true: the page holds the last `count` of the messages between the bounds; false: the first. */
  readonly fromEnd: boolean
}

export interface PathPage {
  /** By seq. There are fewer than asked for if their bytes pass the limit, but at least one if there is one. */
  readonly messages: Message[]
  readonly hasNext: boolean
  readonly hasPrevious: boolean
}

/** Both ends are exclusive. `after` may be greater than `before`. */
interface Bounds {
  readonly after: number
  readonly before: number
  readonly count: number
  readonly fromEnd: boolean
}

/**
 * For each request, in order: a page of its path, or null if this viewer does not have the conversation any more. At
 * most two statements: the first tells which seqs are on the pages, the second reads the messages.
 *
 * @throws AnswerTooLarge if the first messages of all pages do not fit; PathTooLong if the path branches more often,
 *   between its leaf and the page, than one statement looks at
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
    // The path must show what lies before the page. An empty page stands at `before`.
    above: Math.max(Math.min(after, before - 1), 0),
    below: before,
    count: fromEnd ? Math.max(count, 1) : null,
  }
}

/** The seqs on a page, beginning at the end from which the page was asked for. @throws PathTooLong */
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
  // An empty page stands at the bound from which it was read.
  const first = messages[0]?.seq ?? (fromEnd ? before : after + 1)
  const last = messages.at(-1)?.seq ?? (fromEnd ? before - 1 : after)
  const hasPrevious = (next > 0 && next < first) || ranges.some(({ low }) => low < first)
  return { messages, hasPrevious, hasNext: last < leaf }
}

/** The rows come by rank, as in pages of the log: the rank counts from the end from which the page was asked for. */
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
