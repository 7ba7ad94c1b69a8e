import type { Conversation } from '../../entities/conversation.ts'
import { ConversationMissing, PathTooLong } from '../../facts.ts'
import { query, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

/** Seqs that follow one another on a path, both ends included. */
export interface Range {
  readonly low: number
  readonly high: number
}

/**
 * The messages from the first one to a leaf. Each message continues the one before it. Seqs ascend along a path. So a
 * path is a list of ranges of seqs, and a seq names a place on it.
 */
export interface Path {
  /** From the leaf down. There is at least one range if there is a leaf. */
  readonly ranges: readonly Range[]
  /** The seq with which the path goes on below the last range; 0 if the path begins with that range. */
  readonly next: number
}

export interface PathRequest {
  readonly conversation: Conversation
  /** The seq of the last message of the path; 0: the path is empty. */
  readonly leaf: number
  /** The path is read down to this seq, exclusive; 0: to its beginning. */
  readonly above: number
  /** Only messages below this seq are counted. */
  readonly below: number
  /** The path is read until it has so many messages; null: to its beginning. */
  readonly count: number | null
}

/** How many ranges one statement looks for: 10,000 took 30 ms. */
export const rangesPerPath = 10_000

/** The seq with which the active path of a conversation ends; 0 while the conversation is empty. */
export function activeLeafOf({ activeLeaf, lastSeq }: Conversation): number {
  return activeLeaf ?? lastSeq
}

/** Whether the active path is the whole log. Then no statement has to ask for the path. */
export function isStraight({ isBranched, activeLeaf }: Conversation): boolean {
  return !isBranched && activeLeaf === null
}

/**
 * For each request, in order: its path, as far as the request asks or as 10,000 ranges go. The path has no ranges if
 * this viewer does not have the conversation any more. A message never gets another parent, so a path is the same at
 * every read. At most one statement, and none if no conversation has branches.
 */
export async function readPaths(store: Store, userId: string, requests: readonly PathRequest[]): Promise<Path[]> {
  const ranges: Range[][] = requests.map(({ conversation, leaf }) =>
    conversation.isBranched || leaf === 0 ? [] : [{ low: 1, high: leaf }],
  )
  const nexts = requests.map(() => 0)
  const asked = requests.flatMap((request, index) =>
    request.conversation.isBranched && request.leaf > 0 ? [{ ...request, n: index }] : [],
  )
  const rows = asked.length === 0 ? [] : await query(store.pool, selectPaths, toValues(userId, asked))
  for (const [n, low, high, next] of rows) {
    ranges[n as number]?.push({ low: low as number, high: high as number })
    nexts[n as number] = next as number
  }
  return ranges.map((found, index) => ({ ranges: found, next: nexts[index] ?? 0 }))
}

/**
 * The whole path, from its leaf down. At most one statement, and none if the conversation has no branches.
 *
 * @throws PathTooLong; ConversationMissing if the conversation was deleted meanwhile
 */
export async function readWholePath(
  store: Store,
  userId: string,
  conversation: Conversation,
  leaf: number,
): Promise<readonly Range[]> {
  const [path] = await readPaths(store, userId, [{ conversation, leaf, above: 0, below: leaf + 1, count: null }])
  const { ranges, next } = path as Path
  if (leaf > 0 && ranges.length === 0) throw new ConversationMissing()
  if (next > 0) throw new PathTooLong(rangesPerPath, ranges.length + 1)
  return ranges
}

function toValues(userId: string, asked: readonly (PathRequest & { readonly n: number })[]): unknown[] {
  return [
    userId,
    asked.map(({ conversation }) => conversation.key),
    asked.map(({ conversation }) => conversation.epoch),
    asked.map(({ leaf }) => leaf),
    asked.map(({ above }) => above),
    asked.map(({ below }) => below),
    asked.map(({ count }) => count),
    asked.map(({ n }) => n),
  ]
}

/** Goes from a seq down to the first message that names its parent: there the path leaves the log. */
function turn(seq: string): string {
  return `
    left join lateral (
      select m.seq, m.parent_seq from message m
      where m.conversation_key = path.key and m.seq <= ${seq} and m.parent_seq is not null
      order by m.seq desc limit 1
    ) turn on true`
}

/** Each step is one descent into an index. The index holds only messages that name a parent. */
const selectPaths: Statement = {
  name: 'message-paths',
  text: `
    with recursive path as (
      select path.n, path.key, path.above, path.below, 1 as place, coalesce(turn.seq, 1) as low, path.leaf as high,
        coalesce(turn.parent_seq, 0) as next,
        coalesce(path.count, 2147483647)::bigint - greatest(least(path.leaf, path.below - 1) - coalesce(turn.seq, 1) + 1, 0) as missing
      from unnest($2::uuid[], $3::bigint[], $4::int[], $5::int[], $6::int[], $7::int[], $8::int[])
        as path(key, epoch, leaf, above, below, count, n)
      join conversation c on c.key = path.key and c.epoch = path.epoch and c.user_id = $1 and c.deleted_at is null
      ${turn('path.leaf')}
      union all
      select path.n, path.key, path.above, path.below, path.place + 1, coalesce(turn.seq, 1), path.next,
        coalesce(turn.parent_seq, 0),
        path.missing - greatest(least(path.next, path.below - 1) - coalesce(turn.seq, 1) + 1, 0)
      from path
      ${turn('path.next')}
      where path.next > path.above and path.missing > 0 and path.place < ${rangesPerPath}
    )
    select n, low, high, next from path order by n, place`,
}

/** Ranges in the form of the arrays that `onPath` takes. */
export function rangeArrays(ranges: readonly Range[]): [low: number[], high: number[]] {
  return [ranges.map(({ low }) => low), ranges.map(({ high }) => high)]
}

/** The messages of `c` in the ranges from `lows` to `highs`. Each range is read separately, along the primary key. */
export function onPath(lows: string, highs: string, isWanted: string, order: string): string {
  return `
    unnest(${lows}::int[], ${highs}::int[]) as range(low, high)
    cross join lateral (
      select * from message m
      where m.conversation_key = c.key and m.seq between range.low and range.high and ${isWanted}
      order by m.seq ${order}
    ) m`
}
