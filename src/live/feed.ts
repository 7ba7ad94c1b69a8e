import type { Logger } from 'pino'
import { textHint } from '../storage/postgres/store.ts'
import { HeldReads, type SharedReads } from './shared-reads.ts'
import { states, type Watcher, type Watchers, type Watching } from './watchers.ts'

/** What all feeds of one instance share. */
export interface FeedSource {
  readonly watchers: Watchers
  readonly reads: SharedReads
  readonly log: Logger
}

/** Reads the log, and keeps its place: each read goes on behind what the read before it brought. */
export interface Reader<Event> {
  /**
   * Reads once, and tells what the read brought, later and once, or that it failed (`HeldReads.failed`). A read that
   * fails does not move the place.
   *
   * @param hasMoved false: only text may be new, because everything else was read to its end before
   */
  read(reads: HeldReads, hasMoved: boolean, tell: (batch: Batch<Event>) => void): void
  /** Hears in which conversations of a list something moved, before it reads what did. */
  stirred?(keys: readonly string[]): void
  /** Reads what of these `states` moved. Absent: the feed tells of the log alone. */
  readStates?(reads: HeldReads, moved: number, tell: (batch: Batch<Event>) => void): void
  /** The feed is over. */
  over?(): void
  /** The user for whom it reads. */
  readonly viewerId?: string
}

export interface Batch<Event> {
  readonly events: readonly Event[]
  /** `more`: one read could not take everything; `all`: this was everything; `end`: this was everything, for ever. */
  readonly rest: 'more' | 'all' | 'end'
  /** The revision at which the conversation stood; null: the read did not ask for it. With `more` nobody looks at it. */
  readonly revision: number | null
  /** The `states` that are to be read next. Absent: none. */
  readonly stirs?: number
}

/** Is told what a feed tells. Neither function throws. */
export interface Follower<Event> {
  /** Takes an event. False: it wants the next one only after it has called `goOn` of the feed. */
  tell(event: Event): boolean
  /** The feed is over, whoever ended it: it tells nothing more. */
  over(): void
}

const none: readonly never[] = []
/** A revision below that of every hint, also of text hints. */
const nothingRead = -1

type State = 'new' | 'telling' | 'reading' | 'waiting' | 'closed'

/** What the log may hold beyond what was read. Behind `end` nothing will ever come. */
type Ahead = 'nothing' | 'text' | 'changes' | 'end'

/**
 * What happens in a conversation, each event once and in order, first what is there and then live.
 *
 *     new ── follow() ──▶ reading ── events ──▶ telling ── the follower has all of them ──▶ reading, or waiting when
 *                          ▲  │                                                             nothing moved
 *                moved() ──┤  │ nothing new
 *                          │  ▼
 *                         waiting
 *     any ── return(), or all told behind the reader's end ──▶ closed
 *
 * A read that fails leads to `waiting`.
 *
 * The log is the truth: a hint only says when to read again. The follower says when it wants the next event, so a slow
 * one holds one read's rows and nothing piles up behind it. A feed waits as an object and nothing more: a promise and a
 * function that waits for it would take a fifth of what an idle watcher holds, and half of what the server does for a
 * delivery beside the write.
 */
export class Feed<Event> implements Watcher, Disposable {
  readonly #source: FeedSource
  readonly #registration: Watching
  #reader: Reader<Event> | null = null
  #follower: Follower<Event> | null = null
  #state: State = 'new'
  #ahead: Ahead = 'changes'
  /** What the last read brought, and how much of it was told. */
  #events: readonly Event[] = none
  #told = 0
  #held: HeldReads | null = null
  #readRevision = nothingRead
  /** The `states` that moved and were not read yet. */
  #stirred: number = states.none

  /**
   * Registers for hints at once, so that the feed hears of every commit after this, wherever the reader begins.
   *
   * @param listOf the user whose list the key stands for; null: the key stands for a conversation
   */
  constructor(source: FeedSource, key: string, listOf: string | null = null) {
    this.#source = source
    this.#registration = source.watchers.watch(key, this, listOf)
  }

  /** Says what to read. To be called before `follow`. */
  begin(reader: Reader<Event>): this {
    this.#reader = reader
    if (this.#isClosed) reader.over?.()
    return this
  }

  get viewerId(): string | null {
    return this.#reader?.viewerId ?? null
  }

  /** Begins to read, and to tell. A feed has one follower. */
  follow(follower: Follower<Event>): void {
    this.#follower = follower
    if (this.#isClosed) {
      follower.over()
      return
    }
    this.#state = 'reading'
    // Before this instance hears of the conversation, what moves after a read would be missed.
    void this.#registration.confirmed.then(() => this.#read())
  }

  /** To be called by a follower that did not want the next event at once, when it wants it. */
  goOn(): void {
    const follower = this.#follower
    if (this.#isClosed || follower === null) return
    this.#state = 'telling'
    for (let event = this.#events[this.#told]; event !== undefined; event = this.#events[this.#told]) {
      this.#told += 1
      if (!follower.tell(event) || this.#isClosed) return
    }
    // Everything that was read has been sent. A feed that waits holds nothing, or idle feeds would use up the memory of
    // all.
    this.#release()
    if (this.#ahead === 'end') this.return()
    else if (this.#hasNews) this.#read()
    else this.#state = 'waiting'
  }

  moved(revision: number): void {
    if (revision > this.#readRevision) this.#expect(revision > textHint ? 'changes' : 'text')
    // What could not be read is tried again, whatever this hint brings.
    if (this.#state === 'waiting' && this.#hasNews) this.#read()
  }

  stir(moved: number, keys: readonly string[] = none): void {
    if (this.#reader?.readStates === undefined) return
    this.#reader.stirred?.(keys)
    this.#stirred |= moved
    if (this.#state === 'waiting') this.#read()
  }

  /** Ends the feed at once, whatever it does. */
  return(): void {
    if (this.#isClosed) return
    const wasReading = this.#state === 'reading'
    this.#state = 'closed'
    // What a read under way comes to hold is released when it ends.
    if (!wasReading) this.#release()
    this.#registration[Symbol.dispose]()
    this.#reader?.over?.()
    this.#follower?.over()
  }

  [Symbol.dispose](): void {
    this.return()
  }

  /** By this method GraphQL knows a source of events. It leaves it to the server to follow the source. */
  [Symbol.asyncIterator](): never {
    throw new Error('A feed is not iterated: it is followed.')
  }

  get #isClosed(): boolean {
    return this.#state === 'closed'
  }

  get #hasNews(): boolean {
    return this.#ahead !== 'nothing' || this.#stirred !== states.none
  }

  #read(): void {
    if (this.#isClosed) return
    this.#state = 'reading'
    const wanted = this.#ahead
    // The log comes first: what it tells of people is told before their states.
    const stirred = wanted === 'nothing' ? this.#stirred : states.none
    this.#ahead = 'nothing'
    this.#stirred &= ~stirred
    const { reads, log } = this.#source
    const held = new HeldReads(reads, (error) => {
      held[Symbol.dispose]()
      log.warn({ err: error }, 'a feed could not read on and will try again')
      this.#tryAgain(wanted, stirred)
    })
    this.#held = held
    try {
      const take = (batch: Batch<Event>) => this.#take(batch, wanted)
      if (stirred === states.none) this.#reader?.read(held, wanted === 'changes', take)
      else this.#reader?.readStates?.(held, stirred, take)
    } catch (error) {
      held.failed(error)
    }
  }

  #take(batch: Batch<Event>, wanted: Ahead): void {
    if (this.#isClosed) {
      this.#release()
      return
    }
    this.#events = batch.events
    this.#told = 0
    this.#stirred |= batch.stirs ?? states.none
    if (batch.rest === 'more') {
      this.#expect(wanted)
      // The next read may be of text. What comes while it reads has to count, whatever this one has seen.
      this.#readRevision = nothingRead
    } else if (batch.revision !== null) this.#readRevision = batch.revision
    if (batch.rest === 'end') this.#ahead = 'end'
    this.goOn()
  }

  /** After a read that failed: at once where something moved meanwhile, and otherwise at the next hint or poll. */
  #tryAgain(wanted: Ahead, stirred: number): void {
    if (this.#isClosed) return
    const hasMoved = this.#hasNews
    this.#expect(wanted)
    this.#stirred |= stirred
    if (hasMoved) this.#read()
    else this.#state = 'waiting'
  }

  #expect(ahead: Ahead): void {
    if (this.#ahead === 'nothing' || (this.#ahead === 'text' && ahead === 'changes')) this.#ahead = ahead
  }

  #release(): void {
    this.#events = none
    this.#told = 0
    this.#held?.[Symbol.dispose]()
    this.#held = null
  }
}
