import { setTimeout as delay } from 'node:timers/promises'
import type { Context } from '@opentelemetry/api'
import { TooManyWait } from '../../facts.ts'
import type { Distribution } from '../../observe/distribution.ts'
import { inJoinedSpan, outsideRequests, presentContext } from '../../observe/spans.ts'

/** What a run answers for one item: its result, or a promise of it for which the other items do not wait. */
export type Outcome<Result> = { readonly result: Result } | { readonly later: Promise<Result> }

/** What was gathered, for who watches the server. Several may share it. */
export interface GatherCounts {
  /** How many items the runs had. */
  readonly batches: Distribution
  /** How many items wait for their run. */
  waiting: number
  /** How many items were refused because their run did not begin. */
  refused: number
}

export interface GatherOptions<Item, Result> {
  /** What is gathered, for traces. */
  readonly name: string
  readonly counts: GatherCounts
  /** Two runs never work on items of one key at once: while a result of that key is to come, its later items wait. */
  readonly keyOf: (item: Item) => string
  /** In the unit of `runSize`. */
  readonly sizeOf: (item: Item) => number
  /** Does items of many keys at once, and answers an outcome for each, in order. If it throws, all items fail. */
  readonly run: (items: readonly Item[]) => Promise<Outcome<Result>[]>
  /** Called when nothing waits and no result is to come. */
  readonly onRest?: () => void
  /** Milliseconds between the beginnings of two runs. The first run after a rest begins at once. */
  readonly windowMs: number
  /** An item whose run has not begun after so many milliseconds is refused. */
  readonly waitMs: number
  /**
   * The most that one run takes: items, items of one key, and size. An item that is larger than `runSize` has a run of
   * its own.
   */
  readonly runItems: number
  readonly runItemsOfKey: number
  readonly runSize: number
}

const maxWaiting = 10_000

interface Waiting<Item, Result> {
  readonly item: Item
  readonly key: string
  /** When it came. */
  readonly since: number
  /** To what it belongs in a trace. */
  readonly origin: Context | null
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Gathers the items of many callers into few runs, one run after the other. A run takes the items that have come since
 * the last run began, in the order in which they came. This class does not know what the items are.
 *
 *     resting ── add() ──▶ running ── more has come, the window is over ──▶ running
 *        ▲                    │
 *        └── nothing waits ───┘
 */
export class Gather<Item, Result> implements AsyncDisposable {
  readonly #options: GatherOptions<Item, Result>
  #waiting: Waiting<Item, Result>[] = []
  /** The keys that have results to come. Their promise settles when all of them have come. */
  readonly #busy = new Map<string, Promise<void>>()
  #running: Promise<void> | null = null
  #lastBegan = Number.NEGATIVE_INFINITY
  #window = new AbortController()
  #isHurried = false
  #isEnding = false

  constructor(options: GatherOptions<Item, Result>) {
    this.#options = options
  }

  /** Settles when the item is done. @throws TooManyWait: its run did not begin */
  add(item: Item): Promise<Result> {
    const { counts, keyOf } = this.#options
    if (this.#waiting.length >= maxWaiting) {
      counts.refused += 1
      return Promise.reject(new TooManyWait())
    }
    return new Promise((resolve, reject) => {
      const origin = presentContext()
      this.#waiting.push({ item, key: keyOf(item), since: performance.now(), origin, resolve, reject })
      counts.waiting += 1
      this.#wake()
    })
  }

  /** Begins the next run without waiting for the window. */
  hurry(): void {
    this.#isHurried = true
    this.#window.abort()
  }

  #wake(): void {
    // Whoever comes first begins what is then done for all.
    this.#running ??= outsideRequests(() => this.#run()).finally(() => {
      this.#running = null
      this.#goOn()
    })
  }

  #goOn(): void {
    if (this.#hasWork()) this.#wake()
    else if (this.#running === null && this.#busy.size + this.#waiting.length === 0) this.#options.onRest?.()
  }

  #hasWork(): boolean {
    return this.#waiting.some(({ key }) => !this.#busy.has(key))
  }

  async #run(): Promise<void> {
    // Items that are added in the same turn of the event loop come into this run.
    await null
    while (this.#hasWork()) {
      await this.#untilWindowIsOver()
      this.#isHurried = false
      const taken = this.#take()
      this.#lastBegan = performance.now()
      if (taken.length > 0) await this.#do(taken)
    }
  }

  async #untilWindowIsOver(): Promise<void> {
    const rest = this.#lastBegan + this.#options.windowMs - performance.now()
    if (rest <= 0 || this.#isHurried || this.#isEnding) return
    this.#window = new AbortController()
    await delay(rest, undefined, { signal: this.#window.signal }).catch(() => {})
  }

  #take(): Waiting<Item, Result>[] {
    const { sizeOf, waitMs, runItems, runItemsOfKey, runSize, counts } = this.#options
    const soonest = performance.now() - waitMs
    const taken: Waiting<Item, Result>[] = []
    const left: Waiting<Item, Result>[] = []
    const ofKey = new Map<string, number>()
    let size = 0
    for (const waiting of this.#waiting) {
      const { item, key, since, reject } = waiting
      if (since < soonest) {
        counts.refused += 1
        reject(new TooManyWait())
        continue
      }
      const count = ofKey.get(key) ?? 0
      const isFull = taken.length === runItems || (taken.length > 0 && size + sizeOf(item) > runSize)
      if (isFull || count === runItemsOfKey || this.#busy.has(key)) {
        left.push(waiting)
        // Later items of this key must not overtake this one.
        ofKey.set(key, runItemsOfKey)
      } else {
        taken.push(waiting)
        ofKey.set(key, count + 1)
        size += sizeOf(item)
      }
    }
    counts.waiting -= this.#waiting.length - left.length
    this.#waiting = left
    return taken
  }

  async #do(taken: readonly Waiting<Item, Result>[]): Promise<void> {
    const { name, run, counts } = this.#options
    counts.batches.add(taken.length)
    const origins = taken.map(({ origin }) => origin)
    try {
      const outcomes = await inJoinedSpan(name, origins, () => run(taken.map(({ item }) => item)))
      for (const [index, { key, resolve, reject }] of taken.entries()) {
        const outcome = outcomes[index] as Outcome<Result>
        if ('result' in outcome) resolve(outcome.result)
        else this.#await(key, outcome.later.then(resolve, reject))
      }
    } catch (error) {
      for (const { reject } of taken) reject(error)
    }
  }

  #await(key: string, settled: Promise<void>): void {
    const all = Promise.all([this.#busy.get(key), settled]).then(() => {
      if (this.#busy.get(key) !== all) return
      this.#busy.delete(key)
      this.#goOn()
    })
    this.#busy.set(key, all)
  }

  /** Does the items that wait, without waiting for windows. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true
    this.hurry()
    while (this.#running !== null || this.#busy.size > 0) {
      await Promise.all([this.#running, ...this.#busy.values()])
    }
  }
}
