import type { Logger } from 'pino'
import { textHint } from '../storage/postgres/store.ts'
import { HeldReads, type SharedReads } from './shared-reads.ts'
import type { Watcher, Watchers, Watching } from './watchers.ts'

/** What all feeds of one instance share. */
export interface FeedSource {
  readonly watchers: Watchers
  readonly reads: SharedReads
  readonly log: Logger
}

/** Reads the log, and keeps its place: each read goes on behind what the read before it brought. */
export interface Reader<Event> {
  /**
   * A read that fails does not move the place.
   *
   * @param hasMoved false: only text may be new, because everything else was read to its end before
   */
  read(reads: HeldReads, hasMoved: boolean): Promise<Batch<Event>>
}

export interface Batch<Event> {
  readonly events: readonly Event[]
  /** `more`: one read could not take everything; `all`: this was everything; `end`: this was everything, for ever. */
  readonly rest: 'more' | 'all' | 'end'
  /** The revision at which the conversation stood. */
  readonly revision: number
}

const none: readonly never[] = []

type State = 'new' | 'idle' | 'reading' | 'waiting' | 'closed'

/** What the log may hold beyond what was read. Behind `end` nothing will ever come. */
type Ahead = 'nothing' | 'text' | 'changes' | 'end'

/**
 * What happens in a conversation, each event once and in order, first what is there and then live.
 *
 *     new ── next() ──▶ reading ── events ──▶ idle
 *                        ▲  │                  │
 *              moved() ──┤  ├── nothing new    ├── next(), events are left ──▶ idle
 *                        │  ▼                  └── next(), none is left ──▶ reading, or waiting when nothing moved
 *                       waiting
 *     any ── return(), or next() behind the reader's end ──▶ closed
 *
 * A read that fails leads to `waiting`. Somebody waits for `next` while the feed is reading or waiting, and at no other
 * time.
 *
 * The log is the truth: a hint only says when to read again. Events are pulled, so a slow reader holds one read's rows
 * and nothing piles up behind it. The feed is written by hand, because an async generator that waits for a promise
 * cannot be ended from outside before that promise is settled. A feed that waits keeps a callback and no function that
 * waits: the frame and the promises of such a function were a twentieth of what an idle watcher held.
 */
export class Feed<Event> implements AsyncGenerator<Event, undefined, undefined>, Watcher {
  readonly #source: FeedSource
  readonly #registration: Watching
  #reader: Reader<Event> | null = null
  #state: State = 'new'
  #ahead: Ahead = 'changes'
  /** What the last read brought, and how much of it was handed out. */
  #events: readonly Event[] = none
  #told = 0
  #held: HeldReads | null = null
  #readRevision = -1
  /** Answers the `next` that waits. */
  #answer: ((result: IteratorResult<Event, undefined>) => void) | null = null

  /**
   * Registers for hints at once, so that the feed hears of every commit after this, wherever the reader begins.
   *
   * @param listOf the user whose list the key stands for; null: the key stands for a conversation
   */
  constructor(source: FeedSource, key: string, listOf: string | null = null) {
    this.#source = source
    this.#registration = source.watchers.watch(key, this, listOf)
  }

  /** Says what to read. To be called before the first `next`. */
  begin(reader: Reader<Event>): this {
    this.#reader = reader
    return this
  }

  moved(revision: number): void {
    if (revision <= this.#readRevision) return
    this.#expect(revision > textHint ? 'changes' : 'text')
    if (this.#state === 'waiting') void this.#read()
  }

  /** To be called again only after the last call has settled. */
  next(): Promise<IteratorResult<Event, undefined>> {
    return new Promise((resolve) => {
      this.#answer = resolve
      this.#goOn()
    })
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#state = 'closed'
    this.#release()
    this.#registration[Symbol.dispose]()
    this.#give({ done: true, value: undefined })
    return { done: true, value: undefined }
  }

  async throw(error: unknown): Promise<never> {
    await this.return()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }

  get #isClosed(): boolean {
    return this.#state === 'closed'
  }

  /** Answers `next` from what was read. When that has been handed out, reads on or waits. */
  #goOn(): void {
    const event = this.#events[this.#told]
    if (this.#isClosed) this.#give({ done: true, value: undefined })
    else if (event !== undefined) {
      this.#told += 1
      this.#state = 'idle'
      this.#give({ done: false, value: event })
    } else {
      // Everything that was read has been sent. A feed that waits holds nothing, or idle feeds would use up the memory
      // of all.
      this.#release()
      if (this.#ahead === 'end') void this.return()
      else if (this.#ahead === 'nothing') this.#state = 'waiting'
      else void this.#read()
    }
  }

  #give(result: IteratorResult<Event, undefined>): void {
    const answer = this.#answer
    this.#answer = null
    answer?.(result)
  }

  /** Never fails. */
  async #read(): Promise<void> {
    const isFirst = this.#state === 'new'
    this.#state = 'reading'
    // Before this instance hears of the conversation, what moves after a read would be missed.
    if (isFirst) await this.#registration.confirmed
    const wanted = this.#ahead
    this.#ahead = 'nothing'
    const { reads, log } = this.#source
    const held = new HeldReads(reads)
    try {
      const batch = this.#isClosed ? undefined : await this.#reader?.read(held, wanted === 'changes')
      // A feed that was ended while it read could not yet release what the read came to hold.
      if (this.#isClosed || batch === undefined) held[Symbol.dispose]()
      else this.#take(batch, held, wanted)
    } catch (error) {
      held[Symbol.dispose]()
      log.warn({ err: error }, 'a feed could not read on and will try again')
      return this.#tryAgain(wanted)
    }
    this.#goOn()
  }

  #take(batch: Batch<Event>, held: HeldReads, wanted: Ahead): void {
    this.#held = held
    this.#events = batch.events
    this.#told = 0
    if (batch.rest === 'more') this.#expect(wanted)
    else this.#readRevision = batch.revision
    if (batch.rest === 'end') this.#ahead = 'end'
  }

  /** After a read that failed: at once where something moved meanwhile, and otherwise at the next hint or poll. */
  #tryAgain(wanted: Ahead): void {
    const hasMoved = this.#ahead !== 'nothing'
    this.#expect(wanted)
    if (this.#isClosed) return
    if (hasMoved) void this.#read()
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
