import type { Logger } from 'pino'
import { textHint } from '../storage/postgres/store.ts'
import { HeldReads, type SharedReads } from './shared-reads.ts'
import type { Watcher, Watchers, Watching } from './watchers.ts'

/** What feeds share on one instance. */
export interface FeedSource {
  readonly watchers: Watchers
  readonly reads: SharedReads
  readonly log: Logger
}

/** Reads the log from a place that it keeps: after each read it goes on behind what that answered. */
export interface Reader<Event> {
  /**
   * A read that fails leaves the place as it was.
   *
   * @param hasMoved whether there may be more than text; it was read to its end before, otherwise
   */
  read(reads: HeldReads, hasMoved: boolean): Promise<Batch<Event>>
}

export interface Batch<Event> {
  readonly events: readonly Event[]
  /** `more`: there was more than one read may take; `all`: that was all; `end`: and nothing will ever come after it. */
  readonly rest: 'more' | 'all' | 'end'
  /** Where the conversation stood. */
  readonly revision: number
}

const none: readonly never[] = []

/**
 * What happens in a conversation, each event once and in order, first what is there and then live.
 *
 *     idle ── next() ──▶ reading ── events ──▶ idle
 *                          │  ▲
 *            nothing new ──▼  │── moved ──
 *                         waiting
 *     any ── return(), or the reader's end ──▶ closed
 *
 * The log is the truth: a hint only says when to read again. Events are pulled, so a slow reader holds one read's rows
 * and nothing piles up behind it. It is written out because an async generator that waits for a promise cannot be ended
 * from outside before that promise is settled. Whoever waits is a callback,
 * too: the frame and the promises of a function that waits were a twentieth of what an idle watcher held.
 */
export class Feed<Event> implements AsyncGenerator<Event, undefined, undefined>, Watcher {
  readonly #source: FeedSource
  readonly #registration: Watching
  #reader: Reader<Event> | null = null
  /** What the last read brought, and how much of it was handed out. */
  #events: readonly Event[] = none
  #told = 0
  #held: HeldReads | null = null
  #readRevision = -1
  /** Set by what moved since the last read began. */
  #isStale = true
  /** Whether it was more than text. */
  #hasMoved = true
  #isConfirmed = false
  #isEnding = false
  #isClosed = false
  #isReading = false
  /** Answers the `next` that waits. */
  #answer: ((result: IteratorResult<Event, undefined>) => void) | null = null

  /**
   * Registers for hints at once: what commits after this is seen, wherever the reader begins.
   *
   * @param listOf the user whose list the key stands for; null: it is a conversation's
   */
  constructor(source: FeedSource, key: string, listOf: string | null = null) {
    this.#source = source
    this.#registration = source.watchers.watch(key, this, listOf)
  }

  /** Says what to read; before the first `next`. */
  begin(reader: Reader<Event>): this {
    this.#reader = reader
    return this
  }

  moved(revision: number): void {
    if (revision <= this.#readRevision) return
    this.#isStale = true
    if (revision > textHint) this.#hasMoved = true
    this.#goOn()
  }

  /** One at a time. */
  next(): Promise<IteratorResult<Event, undefined>> {
    return new Promise((resolve) => {
      this.#answer = resolve
      this.#goOn()
    })
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#isClosed = true
    this.#release()
    this.#registration[Symbol.dispose]()
    this.#goOn()
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

  /** Answers whoever waits, or sees to it that there will be something to answer. */
  #goOn(): void {
    if (this.#answer === null) return
    const event = this.#events[this.#told]
    if (this.#isClosed) this.#give({ done: true, value: undefined })
    else if (event !== undefined) {
      this.#told += 1
      this.#give({ done: false, value: event })
    } else if (!this.#isReading) {
      // Everything that was read has been sent: whoever waits holds nothing, or idle feeds would use up the memory of all.
      this.#release()
      if (this.#isEnding) void this.return()
      else if (this.#isStale) void this.#read()
    }
  }

  #give(result: IteratorResult<Event, undefined>): void {
    const answer = this.#answer
    this.#answer = null
    answer?.(result)
  }

  /** Never fails. */
  async #read(): Promise<void> {
    this.#isReading = true
    // Before this instance hears of the conversation, what moves after a read would be missed.
    if (!this.#isConfirmed) {
      await this.#registration.confirmed
      this.#isConfirmed = true
    }
    const hasMoved = this.#hasMoved
    this.#isStale = false
    this.#hasMoved = false
    const { reads, log } = this.#source
    const held = new HeldReads(reads)
    try {
      const batch = this.#isClosed ? undefined : await this.#reader?.read(held, hasMoved)
      // What was ended while it read could not yet release what the read came to hold.
      if (this.#isClosed || batch === undefined) held[Symbol.dispose]()
      else this.#take(batch, held, hasMoved)
    } catch (error) {
      held[Symbol.dispose]()
      this.#hasMoved ||= hasMoved
      // The next hint or poll tries again, from the same place.
      log.warn({ err: error }, 'a feed could not read on and will try again')
    }
    this.#isReading = false
    this.#goOn()
  }

  #take(batch: Batch<Event>, held: HeldReads, hasMoved: boolean): void {
    this.#held = held
    this.#events = batch.events
    this.#told = 0
    if (batch.rest === 'more') {
      this.#isStale = true
      this.#hasMoved ||= hasMoved
    } else this.#readRevision = batch.revision
    this.#isEnding = batch.rest === 'end'
  }

  #release(): void {
    this.#events = none
    this.#told = 0
    this.#held?.[Symbol.dispose]()
    this.#held = null
  }
}
