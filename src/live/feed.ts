import type { Logger } from 'pino'
import type { Message } from '../entities/message.ts'
import type { Place } from '../entities/place.ts'
import { AnswerBudget, type AnswerMemory } from '../storage/answer-budget.ts'
import { type Page, readMessagePages } from '../storage/message-page.ts'
import type { Store } from '../storage/store.ts'
import type { Watcher, Watchers } from './watchers.ts'

/** What feeds share on one instance. */
export interface FeedSource {
  readonly store: Store
  readonly watchers: Watchers
  readonly memory: AnswerMemory
  readonly log: Logger
}

const rowsPerRead = 20
const bytesPerRead = 1024 * 1024

/**
 * The messages of a conversation after a place, each once and in order, first those that are there and then live.
 *
 *     idle ── next() ──▶ reading ── rows ──▶ idle
 *                          │  ▲
 *            nothing new ──▼  │── moved ──
 *                         waiting
 *     any ── return(), or the conversation is gone ──▶ closed
 *
 * The log is the truth: a hint only says when to read again, and reading goes on from the last message that was taken.
 * Messages are pulled, so a slow reader holds one read's rows and nothing piles up behind it. It is written out because
 * an async generator that waits for a promise cannot be ended from outside before that promise is settled.
 */
export class Feed<Event> implements AsyncGenerator<Event, undefined, undefined>, Watcher {
  readonly #source: FeedSource
  readonly #userId: string
  readonly #toEvent: (message: Message) => Event
  readonly #registration: Disposable
  #place: Place
  #taken: Message[] = []
  #budget: AnswerBudget | null = null
  #readRevision = -1
  /** Set by what moved since the last read began. */
  #isStale = true
  #isClosed = false
  #wake: () => void = () => {}

  /** Registers for hints at once: what commits after this is seen, wherever `place` is set to later. */
  constructor(source: FeedSource, userId: string, key: string, toEvent: (message: Message) => Event) {
    this.#source = source
    this.#userId = userId
    this.#toEvent = toEvent
    this.#place = { key, epoch: 0, seq: 0 }
    this.#registration = source.watchers.watch(key, this)
  }

  /** Says after which place to begin; before the first `next`. */
  startAfter(place: Place): this {
    this.#place = place
    return this
  }

  moved(revision: number): void {
    if (revision <= this.#readRevision) return
    this.#isStale = true
    this.#wake()
  }

  async next(): Promise<IteratorResult<Event, undefined>> {
    while (!this.#isClosed) {
      const message = this.#taken.shift()
      if (message !== undefined) {
        this.#place = { ...this.#place, seq: message.seq }
        return { done: false, value: this.#toEvent(message) }
      }
      // Everything that was read has been sent: whoever waits holds nothing, or idle feeds would use up the memory of all.
      this.#release()
      if (this.#isStale) await this.#read()
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return { done: true, value: undefined }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#isClosed = true
    this.#taken = []
    this.#release()
    this.#registration[Symbol.dispose]()
    this.#wake()
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

  async #read(): Promise<void> {
    this.#isStale = false
    const budget = new AnswerBudget(this.#source.memory, bytesPerRead)
    const page = await this.#readPage(budget)
    // What was ended while it read could not yet release what the read came to hold.
    if (this.#isClosed || page === 'failed') return budget[Symbol.dispose]()
    this.#budget = budget
    if (page === null) {
      await this.return()
      return
    }
    this.#taken = page.messages
    if (page.hasNext) this.#isStale = true
    else this.#readRevision = page.conversation.revision
  }

  /** null: the conversation is gone, or begun anew. A failure leaves the place as it is; the next hint or poll retries. */
  async #readPage(budget: AnswerBudget): Promise<Page | null | 'failed'> {
    const { store, log } = this.#source
    const request = { ...this.#place, after: this.#place.seq, before: null, count: rowsPerRead, fromEnd: false }
    try {
      const [page] = await readMessagePages(store, budget, this.#userId, [request])
      return page ?? null
    } catch (error) {
      log.warn({ err: error }, 'a feed could not read on and will try again')
      return 'failed'
    }
  }

  #release(): void {
    this.#budget?.[Symbol.dispose]()
    this.#budget = null
  }
}
