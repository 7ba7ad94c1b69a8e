import type { ListTimes } from '../config.ts'
import type { Conversation } from '../entities/conversation.ts'
import { listCursorExpired } from '../errors.ts'
import { readConversations } from '../storage/conversation/conversation.ts'
import {
  changeMoment,
  type ListChanges,
  type ListPosition,
  type ListState,
  readListChanges,
  readListStates,
} from '../storage/list/conversation-list-changes.ts'
import { conversationMark } from '../storage/list/conversation-mark.ts'
import type { AnswerBudget } from '../storage/postgres/answer-budget.ts'
import type { Store } from '../storage/postgres/store.ts'
import type { Batch, Reader } from './feed.ts'
import { KnownStates, type ListKnown, maxStates } from './known-states.ts'
import type { OthersConversations } from './others-conversations.ts'
import type { HeldReads } from './shared-reads.ts'
import { states } from './watchers.ts'

const rowsPerRead = 100
/** So many conversations have room in one read, however long their metadata is. */
const seenPerRead = 20
/** In more conversations than this a user does not read on before the feed tells of it. */
const mostSeen = 1_000
const microsecondsPerDay = 24 * 60 * 60 * 1_000_000

/**
 * What a list's feed tells: a conversation as it is now, a deleted one, or that it has told all that was there at its
 * start.
 */
export type ListEvent = { readonly known: ListKnown } & (
  | { readonly kind: 'listed' | 'unlisted'; readonly conversation: Conversation }
  | { readonly kind: 'caught-up' }
)

/**
 * Reads how a user's list changes after what its caller knows: every conversation that has a new state, by the moment of
 * the change (`changeMoment`), as it is at the read. Once it has told everything that stood there at its first read it
 * says so.
 *
 * A state gets its moment while its transaction still runs. So it may become visible after states with a later moment,
 * but no more than `settleMs` after its own. A read at T has therefore seen every state from before T − `settleMs`: the
 * list is settled up to that moment. A sweep reads the list from the settled moment to its end, in
 * reads of limited size, and leaves out states that were told already. The list is then settled up to what the sweep's
 * first read settles. Whoever goes on from an event begins a sweep at the moment of the event's state, or at the settled moment
 * if that is earlier.
 */
export class ListReader<Event> implements Reader<Event> {
  readonly #store: Store
  readonly #userId: string
  readonly #settleMicroseconds: number
  readonly #others: OthersConversations
  readonly #toEvent: (event: ListEvent) => Event
  readonly #states = new KnownStates()
  readonly #deletedSince: number
  #settled: number
  /** A sweep that needs more than one read: where it goes on, and up to which moment it settles the list. */
  #sweep: { readonly from: ListPosition; readonly settles: number } | null = null
  #isCaughtUp = false
  /** The conversations in which the user has read on, by key; first those that are being read. */
  #seen: readonly string[] = []
  #seenAsked = 0

  constructor(
    store: Store,
    userId: string,
    settleMs: number,
    start: ListStart,
    others: OthersConversations,
    toEvent: (event: ListEvent) => Event,
  ) {
    this.#store = store
    this.#userId = userId
    this.#others = others
    this.#settleMicroseconds = settleMs * 1_000
    this.#toEvent = toEvent
    this.#settled = start.known.settled
    this.#deletedSince = start.known.deletedSince
    for (const mark of start.known.marks) this.#states.add({ key: null, mark, at: start.readAt })
    for (const state of start.states) this.#states.add({ ...state, mark: conversationMark(state) })
  }

  read(reads: HeldReads, _hasMoved: boolean, tell: (batch: Batch<Event>) => void): void {
    const from = this.#sweep?.from ?? { at: this.#settled, key: null }
    const since = this.#deletedSince
    const marks = this.#states.marksFrom(from.at)
    const ask = (budget: AnswerBudget) =>
      readListChanges(this.#store, budget, this.#userId, from, since, marks, rowsPerRead)
    reads.once(`list ${this.#userId} ${from.at} ${from.key} ${since} ${marks}`, ask, (read) => tell(this.#take(read)))
  }

  stirred(keys: readonly string[]): void {
    const asked = this.#seen.slice(0, this.#seenAsked)
    const others = new Set([...this.#seen.slice(this.#seenAsked), ...keys])
    this.#seen = [...asked, ...others].slice(0, mostSeen)
  }

  /** A marker is no change of the conversation: it is told as it is, and the place of the feed stays. */
  readStates(reads: HeldReads, _moved: number, tell: (batch: Batch<Event>) => void): void {
    const keys = this.#seen.slice(0, seenPerRead)
    this.#seenAsked = keys.length
    const refs = keys.map((key) => ({ key, userId: this.#userId, epoch: null, id: null }))
    const ask = (budget: AnswerBudget) => readConversations(this.#store, budget, refs)
    reads.once(`seen ${this.#userId} ${keys}`, ask, (found) => {
      this.#seen = this.#seen.slice(keys.length)
      this.#seenAsked = 0
      const known = this.#known(this.#settled)
      const events = found.flatMap((conversation) =>
        conversation === null ? [] : [this.#toEvent({ kind: 'listed', conversation, known })],
      )
      tell({ events, rest: 'all', revision: null, stirs: this.#seen.length > 0 ? states.seen : states.none })
    })
  }

  over(): void {
    this.#others[Symbol.dispose]()
  }

  #take(read: ListChanges): Batch<Event> {
    const settles = this.#sweep?.settles ?? read.readAt - this.#settleMicroseconds
    const events = read.conversations.map((conversation) => this.#tell(conversation, settles))
    const isOnePage = this.#sweep === null
    const last = read.conversations.at(-1)
    if (read.hasMore && last !== undefined) {
      this.#sweep = { from: { at: changeMoment(last), key: last.key }, settles }
    } else {
      this.#sweep = null
      this.#settled = settles
      if (!this.#isCaughtUp) events.push(this.#toEvent({ kind: 'caught-up', known: this.#known(settles) }))
      this.#isCaughtUp = true
    }
    this.#states.forgetBefore(this.#sweep === null ? settles : Math.min(this.#sweep.from.at, settles))
    // During a sweep of several reads a state may have been committed at a place that the sweep had passed, and its
    // hint may have come meanwhile. So another sweep follows. With more states than are kept that would never end; then
    // the poll looks.
    const isWhole = this.#sweep === null && (isOnePage || this.#states.hasForgotten)
    return { events, rest: isWhole ? 'all' : 'more', revision: 0 }
  }

  #tell(conversation: Conversation, settles: number): Event {
    const at = changeMoment(conversation)
    this.#states.add({ key: conversation.key, mark: conversationMark(conversation), at })
    const kind = conversation.deletedAt === null ? 'listed' : 'unlisted'
    if (conversation.userId !== this.#userId) this.#others[kind](conversation.key)
    return this.#toEvent({ kind, conversation, known: this.#known(Math.min(at, settles)) })
  }

  #known(settled: number): ListKnown {
    return { settled, deletedSince: this.#deletedSince, marks: this.#states.lastMarksFrom(settled) }
  }
}

/** What a reader of a list knows at its start. */
export interface ListStart {
  readonly known: ListKnown
  /** The present moment. */
  readonly readAt: number
  /** The states that are known beside the marks, by time. */
  readonly states: readonly ListState[]
}

/** How far back lists can be told what changed. */
export interface ListMemory extends ListTimes {
  /** The moment when rows were last imported or restored beside the servers; 0: never. */
  readonly lastTransfer: number
}

/**
 * Makes the start of a reader: after what a cursor knows, from the beginning of the list, or from now on.
 *
 * @throws ApiError CURSOR_EXPIRED when the cursor is so old that tombstones it does not know may have been purged, or is
 *   of before an import or a restore
 */
export async function readStart(
  store: Store,
  userId: string,
  { settleMs, tombstoneDays, lastTransfer }: ListMemory,
  after: ListKnown | 'beginning' | 'now',
): Promise<ListStart> {
  const which = after === 'now' ? 'all' : after === 'beginning' ? 'deleted' : 'none'
  const settleMicroseconds = settleMs * 1_000
  const { readAt, states } = await readListStates(store, userId, which, settleMicroseconds, maxStates)
  const settled = readAt - settleMicroseconds
  if (after === 'now') return { known: { settled, deletedSince: settled, marks: [] }, readAt, states }
  if (after === 'beginning') return { known: { settled: 0, deletedSince: settled, marks: [] }, readAt, states }
  // A cursor is made from a read, and the later of its moments is that of a read less the time to settle.
  const lastRead = Math.max(after.settled, after.deletedSince)
  if (lastRead < readAt - tombstoneDays * microsecondsPerDay) throw listCursorExpired()
  if (lastRead < lastTransfer - settleMicroseconds) throw listCursorExpired()
  // After the database's clock was set back, a cursor may lie in its future; nothing from there is known.
  const deletedSince = Math.min(after.deletedSince, settled)
  return { known: { ...after, settled: Math.min(after.settled, settled), deletedSince }, readAt, states }
}
