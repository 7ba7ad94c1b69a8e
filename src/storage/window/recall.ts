import type { Conversation } from '../../entities/conversation.ts'
import type { TokenEncoding } from '../../entities/window-enums.ts'
import { type Counted, plainMessage, type Spoken } from '../../window/items/spoken.ts'
import type { WindowBuilder } from '../../window/window.ts'
import type { WordQuery } from '../../words/word-query.ts'
import { onPath, type Range, rangeArrays } from '../branch/path.ts'
import { reachable } from '../conversation/conversation-ref.ts'
import { type ByViewer, byViewer, statementFor } from '../conversation/history-part.ts'
import { queryKey } from '../postgres/statement.ts'
import { searchWords } from '../search/search-messages.ts'
import { isVisible } from './message-history.ts'
import { countMessages } from './message-tokens.ts'
import type { WindowReader } from './window-reader.ts'

export interface RecallAsk {
  readonly conversation: Conversation
  readonly path: readonly Range[]
  readonly query: WordQuery
  /** Only turns after this seq. */
  readonly after: number
}

/** Reads so many messages of the path before a seq, newest first, as far as their tokens have room. */
type ReadRows = (before: number, rows: number) => Promise<Counted[]>

/** So many of the messages that were found are looked at, best first. */
const mostFound = 50
/** A longer turn is not recalled. */
const mostRows = 200
/** So many turns are read. */
const mostTurns = 10

/** Takes the turns that fit a query best into a window: whole turns of its path, from before its first message. */
export async function recallTurns(
  reader: WindowReader,
  { conversation, path, query, after }: RecallAsk,
  builder: WindowBuilder,
  readRows: ReadRows,
): Promise<void> {
  const end = builder.firstSeq ?? (path[0]?.high ?? 0) + 1
  const ask = { query, conversation, from: null, to: null, roles: null, after: null, count: mostFound }
  const found = await searchWords(reader.store, reader.userId, ask, reader.budget)
  const isOlder = (seq: number) => seq > after && seq < end && path.some(({ low, high }) => seq >= low && seq <= high)
  const known: Range[] = []
  for (const { seq } of found.filter((place) => isOlder(place.seq))) {
    if (known.length === mostTurns || builder.recallLeft <= 0) return
    if (known.some(({ low, high }) => seq >= low && seq <= high)) continue
    const turn = await readTurn(reader, { conversation, path, query, after }, builder, readRows, seq)
    if (turn === null) continue
    known.push({ low: turn.low, high: turn.high })
    if (turn.messages.length > 0) builder.recall(turn.messages, turn.next)
  }
}

interface FoundTurn extends Range {
  /** Oldest first; empty: it has too many messages or tokens. */
  readonly messages: readonly Counted[]
  readonly next: Counted | null
}

/** The turn that a message is in; null: no turn begins before it. */
async function readTurn(
  reader: WindowReader,
  { conversation, path, after }: RecallAsk,
  builder: WindowBuilder,
  readRows: ReadRows,
  seq: number,
): Promise<FoundTurn | null> {
  const bound = async (statements: ByViewer, from: number): Promise<Counted | null> => {
    const statement = statementFor(statements, reader.userId, conversation.userId)
    for (let at = from; ; ) {
      const values = [reader.userId, conversation.epoch, ...rangeArrays(path), at]
      const [row] = await queryKey(reader.store.lone, statement, conversation.key, values, reader.budget)
      const one = (row?.[0] ?? 0) as number
      if (one <= after) return null
      const [counted] = await readRows(one + 1, 1)
      if (counted?.message.seq === one && builder.begins(counted)) return counted
      // It has no words of the user, only results.
      at = statements === selectBegin ? one - 1 : one
    }
  }
  const begin = await bound(selectBegin, seq)
  if (begin === null) return null
  const next = await bound(selectNext, seq)
  const low = begin.message.seq
  const high = next === null ? (path[0]?.high ?? low) : next.message.seq - 1
  const messages = (await readRows(high + 1, mostRows)).filter((one) => one.message.seq >= low)
  const isWhole = messages.at(-1)?.message.seq === low
  return { low, high, messages: isWhole ? messages.toReversed() : [], next }
}

const isOfUser = `m.role = 'USER' and ${isVisible('m')}`

const selectBegin = byViewer({
  name: 'recall-begin',
  kind: 'key',
  text: `
    select m.seq from conversation c
    cross join ${onPath('$4', '$5', `m.seq <= $6 and ${isOfUser}`, 'desc limit 1')}
    where ${reachable('c')} order by m.seq desc limit 1`,
})

const selectNext = byViewer({
  name: 'recall-next',
  kind: 'key',
  text: `
    select m.seq from conversation c
    cross join ${onPath('$4', '$5', `m.seq > $6 and ${isOfUser}`, 'asc limit 1')}
    where ${reachable('c')} order by m.seq limit 1`,
})

const marks = [
  '[Recalled from earlier in this conversation, because it fits what is asked now:]',
  '[End of what was recalled. The conversation goes on:]',
] as const

/** What stands before and behind recalled turns, with its tokens. */
export async function countMarks(
  { tokens }: WindowReader,
  encoding: TokenEncoding,
): Promise<readonly [before: Counted<Spoken>, behind: Counted<Spoken>]> {
  // A model takes them as words of the user in any format.
  const said = marks.map((mark) => plainMessage('USER', mark))
  const [before, behind] = await countMessages(tokens, encoding, said)
  return [before as Counted<Spoken>, behind as Counted<Spoken>]
}
