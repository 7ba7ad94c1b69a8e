import { setTimeout as delay } from 'node:timers/promises'

/** What a run made of one item; `aside`: it could not be done with the others, and goes with those of its key alone. */
export type Outcome<Result> = { readonly result: Result } | 'aside'

export interface GatherOptions<Item, Result> {
  /** Items of one key are never in two runs at once. */
  readonly keyOf: (item: Item) => string
  /** In bytes. */
  readonly sizeOf: (item: Item) => number
  /** Does items of many keys at once: an outcome for each, in order. If it throws, all of them fail. */
  readonly together: (items: readonly Item[]) => Promise<Outcome<Result>[]>
  /** Does items of one key, however long that takes; the runs of all others go on meanwhile. If it throws, they fail. */
  readonly alone: (items: readonly Item[]) => Promise<Result[]>
  /** Milliseconds between the beginnings of two runs. The first after a rest begins at once. */
  readonly windowMs: number
  /** The most that one run takes. */
  readonly runItems: number
  readonly runBytes: number
}

interface Waiting<Item, Result> {
  readonly item: Item
  readonly key: string
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/**
 * Gathers what many callers want done into few runs, one after the other: each takes what has come since the last one
 * began, in the order in which it came. It knows nothing of what the items are.
 *
 *     resting ── add() ──▶ running ── more has come, the window is over ──▶ running
 *        ▲                    │
 *        └── nothing waits ───┘
 */
export class Gather<Item, Result> implements AsyncDisposable {
  readonly #options: GatherOptions<Item, Result>
  #waiting: Waiting<Item, Result>[] = []
  /** Keys whose items are done alone at the moment, by when that is over. */
  readonly #aside = new Map<string, Promise<void>>()
  #running: Promise<void> | null = null
  #lastBegan = Number.NEGATIVE_INFINITY
  #window = new AbortController()
  #isHurried = false
  #isEnding = false

  constructor(options: GatherOptions<Item, Result>) {
    this.#options = options
  }

  /** Settles when the item is done. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, key: this.#options.keyOf(item), resolve, reject })
      this.#wake()
    })
  }

  /** What waits goes into the next run without waiting for the window. */
  hurry(): void {
    this.#isHurried = true
    this.#window.abort()
  }

  #wake(): void {
    this.#running ??= this.#run().finally(() => {
      this.#running = null
      if (this.#hasWork()) this.#wake()
    })
  }

  #hasWork(): boolean {
    return this.#waiting.some(({ key }) => !this.#aside.has(key))
  }

  async #run(): Promise<void> {
    // What is added in the same turn comes along.
    await null
    while (this.#hasWork()) {
      await this.#untilWindowIsOver()
      this.#isHurried = false
      const taken = this.#take()
      this.#lastBegan = performance.now()
      await this.#do(taken)
    }
  }

  async #untilWindowIsOver(): Promise<void> {
    const rest = this.#lastBegan + this.#options.windowMs - performance.now()
    if (rest <= 0 || this.#isHurried || this.#isEnding) return
    this.#window = new AbortController()
    await delay(rest, undefined, { signal: this.#window.signal }).catch(() => {})
  }

  #take(): Waiting<Item, Result>[] {
    const { sizeOf, runItems, runBytes } = this.#options
    const taken: Waiting<Item, Result>[] = []
    const left: Waiting<Item, Result>[] = []
    let bytes = 0
    for (const waiting of this.#waiting) {
      // What did not fit lets nothing of its key pass by, and neither does what is busy.
      const isFull = taken.length === runItems || (taken.length > 0 && bytes + sizeOf(waiting.item) > runBytes)
      if (isFull) bytes = Number.POSITIVE_INFINITY
      if (isFull || this.#aside.has(waiting.key)) left.push(waiting)
      else {
        taken.push(waiting)
        bytes += sizeOf(waiting.item)
      }
    }
    this.#waiting = left
    return taken
  }

  async #do(taken: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const outcomes = await this.#options.together(taken.map(({ item }) => item))
      const aside = Map.groupBy(
        taken.filter((_, index) => outcomes[index] === 'aside'),
        ({ key }) => key,
      )
      for (const [key, items] of aside) this.#aside.set(key, this.#doAlone(key, items))
      for (const [index, { resolve }] of taken.entries()) {
        const outcome = outcomes[index]
        if (outcome !== 'aside' && outcome !== undefined) resolve(outcome.result)
      }
    } catch (error) {
      for (const { reject } of taken) reject(error)
    }
  }

  async #doAlone(key: string, items: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#options.alone(items.map(({ item }) => item))
      for (const [index, { resolve }] of items.entries()) resolve(results[index] as Result)
    } catch (error) {
      for (const { reject } of items) reject(error)
    } finally {
      this.#aside.delete(key)
      if (this.#waiting.length > 0) this.#wake()
    }
  }

  /** Does what waits, without waiting for windows. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true
    this.hurry()
    while (this.#running !== null || this.#aside.size > 0) {
      await Promise.all([this.#running, ...this.#aside.values()])
    }
  }
}
