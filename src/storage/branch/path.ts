import type { Awaiting } from '../../database/reads/lone-reads.ts'
import type { Conversation } from '../../entities/conversation.ts'
import { ConversationMissing, PathTooLong } from '../../facts.ts'
import { reachable } from '../conversation/conversation-ref.ts'
import { firstSeqOf, readPart } from '../conversation/participant-role.ts'
import { queryKey, type Statement } from '../postgres/statement.ts'
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
  /** From the leaf down. There is at least one range if there is a leaf, and the viewer reads it. */
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
 * A path, as far as the request asks or as 10,000 ranges go, and as far as the viewer reads it; null if this viewer does
 * not have the conversation any more. A message never gets another parent, so a path is the same at every read. At most
 * one statement, and none if the conversation has no branches; for whoever does not own the conversation one more.
 */
export async function readPath(
  store: Store,
  userId: string,
  request: PathRequest,
  awaiting: Awaiting,
): Promise<Path | null> {
  const part = await readPart(store.reads, request.conversation, userId, awaiting)
  if (part === null) return null
  const from = firstSeqOf(part)
  const path = await readLog(store, userId, { ...request, above: Math.max(request.above, from - 1) }, awaiting)
  return path === null || from === 1 ? path : behind(path, from)
}

/** What of a path is not before a seq. */
function behind({ ranges, next }: Path, from: number): Path {
  const kept = ranges.filter(({ high }) => high >= from)
  return { ranges: kept.map(({ low, high }) => ({ low: Math.max(low, from), high })), next: next < from ? 0 : next }
}

async function readLog(
  store: Store,
  userId: string,
  { conversation, leaf, above, below, count }: PathRequest,
  awaiting: Awaiting,
): Promise<Path | null> {
  if (leaf === 0) return { ranges: [], next: 0 }
  if (!conversation.isBranched) return { ranges: [{ low: 1, high: leaf }], next: 0 }
  // A path to the beginning may be long.
  const on = count === null ? store.lone : store.reads
  const rows = await queryKey(
    on,
    selectPath,
    conversation.key,
    [userId, conversation.epoch, leaf, above, below, count],
    awaiting,
  )
  if (rows.length === 0) return null
  const ranges = rows.map(([low, high]) => ({ low: low as number, high: high as number }))
  return { ranges, next: (rows.at(-1)?.[2] ?? 0) as number }
}

/**
 * The whole path as far as the viewer reads it, from its leaf down. Statements as for `readPath`.
 *
 * @throws PathTooLong; ConversationMissing if the conversation was deleted meanwhile
 */
export async function readWholePath(
  store: Store,
  userId: string,
  conversation: Conversation,
  leaf: number,
  awaiting: Awaiting,
): Promise<readonly Range[]> {
  const request = { conversation, leaf, above: 0, below: leaf + 1, count: null }
  const path = await readPath(store, userId, request, awaiting)
  if (path === null) throw new ConversationMissing()
  const { ranges, next } = path
  if (next > 0) throw new PathTooLong(rangesPerPath, ranges.length + 1)
  return ranges
}

/** Goes from a seq down to the first message that names its parent: there the path leaves the log. */
function turn(seq: string): string {
  return `
    left join lateral (
      select m.seq, m.parent_seq from message m
      where m.conversation_key = $1 and m.seq <= ${seq} and m.parent_seq is not null
      order by m.seq desc limit 1
    ) turn on true`
}

/** How many messages are missing after a range that ends with `high`. */
function missing(before: string, high: string): string {
  return `${before}::bigint - greatest(least(${high}, $6::int - 1) - coalesce(turn.seq, 1) + 1, 0)`
}

/** Each step is one descent into an index. The index holds only messages that name a parent. */
const selectPath: Statement<'key'> = {
  name: 'message-path',
  kind: 'key',
  text: `
    with recursive path as (
      select 1 as place, coalesce(turn.seq, 1) as low, $4::int as high, coalesce(turn.parent_seq, 0) as next,
        ${missing('coalesce($7::int, 2147483647)', '$4')} as missing
      from conversation c
      ${turn('$4')}
      where ${reachable('c')}
      union all
      select path.place + 1, coalesce(turn.seq, 1), path.next, coalesce(turn.parent_seq, 0),
        ${missing('path.missing', 'path.next')}
      from path
      ${turn('path.next')}
      where path.next > $5::int and path.missing > 0 and path.place < ${rangesPerPath}
    )
    select low, high, next from path order by place`,
}

/** Ranges in the form of the arrays that `onPath` takes. */
export function rangeArrays(ranges: readonly Range[]): [low: number[], high: number[]] {
  return [ranges.map(({ low }) => low), ranges.map(({ high }) => high)]
}

/**
 * The ranges of two arrays, as the table `range`. `offset 0` hides from PostgreSQL how many they are: a worker of Citus
 * plans for the values that it is sent. For 10,000 ranges it compiled the plan of a history first: 14 s instead of 0.6 s.
 */
export function rangesOf(lows: string, highs: string): string {
  return `
    (select ${lows}::int[] as lows, ${highs}::int[] as highs offset 0) as given
    cross join unnest(given.lows, given.highs) as range(low, high)`
}

/**
 * The messages of the conversation `$1` in the ranges from `lows` to `highs`. Each range is read separately, along the
 * primary key.
 */
export function onPath(lows: string, highs: string, isWanted: string, order: string): string {
  return `
    ${rangesOf(lows, highs)}
    cross join lateral (
      select * from message m
      where m.conversation_key = $1 and m.seq between range.low and range.high and ${isWanted}
      order by m.seq ${order}
    ) m`
}
