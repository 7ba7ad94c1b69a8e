import type { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message/message.ts'
import { PathTooLong } from '../../facts.ts'
import { statementFor } from '../conversation/history-part.ts'
import { readSelected, selectMessages } from '../message/select-messages.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import type { Row } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { type Path, type PathRequest, rangesPerPath, readPath } from './path.ts'

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
 * most two statements for each: the first tells which seqs are on the page, the second reads the messages.
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
  const paths = await Promise.all(requests.map((request) => readPath(store, userId, toPathRequest(request), budget)))
  const seqs = requests.map((request, index) => seqsOfPage(paths[index] ?? nowhere, toBounds(request)))
  const asks = requests.map(({ conversation: { key, epoch, userId: owner }, fromEnd }, index) => {
    const statement = statementFor(fromEnd ? selectLast : selectFirst, userId, owner)
    return { statement, key, values: [userId, epoch, seqs[index]] }
  })
  const answers = await budget.readKeys(store, asks, 'cut')
  return requests.map((request, index) => {
    const path = paths[index] ?? null
    const found = readSelected(answers[index] as Row[], request.conversation, 'all')
    const isGone = found.length === 0 && seqs[index]?.length !== 0
    return path === null || isGone ? null : withEnds(found, request.leaf, path, toBounds(request))
  })
}

const nowhere: Path = { ranges: [], next: 0 }

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

/** @param messages by seq */
function withEnds(
  messages: Message[],
  leaf: number,
  { ranges, next }: Path,
  { after, before, fromEnd }: Bounds,
): PathPage {
  // An empty page stands at the bound from which it was read.
  const first = messages[0]?.seq ?? (fromEnd ? before : after + 1)
  const last = messages.at(-1)?.seq ?? (fromEnd ? before - 1 : after)
  const hasPrevious = (next > 0 && next < first) || ranges.some(({ low }) => low < first)
  return { messages, hasPrevious, hasNext: last < leaf }
}

const places = { columns: 'all', found: 'm.seq = any($4::int[])', room: '$5', withConversation: false } as const
const selectFirst = selectMessages({ ...places, name: 'message-path-page-first', order: 'asc' })
const selectLast = selectMessages({ ...places, name: 'message-path-page-last', order: 'desc' })
