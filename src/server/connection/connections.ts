import { setTimeout as delay } from 'node:timers/promises'

/** What a client holds open: a socket, an event stream. */
export interface Connection {
  /** Whether the client waits for an answer, which will come to its end by itself. */
  readonly isBusy: boolean
  /** Ends it so that its client goes on elsewhere. */
  letGo(): void
  /** Ends it without waiting for its client. */
  terminate(): void
}

/** Milliseconds between one connection and the next that are let go, as long as all of them take no longer than the other. */
const turn = 5
const longestTurns = 3_000

/** The connections of one kind that are open, and how they are let go when the server stops. */
export class Connections<Item extends Connection> implements Iterable<Item> {
  readonly #open = new Set<Item>()
  /** Those whose turn has come while their clients waited for an answer. */
  readonly #due = new Set<Item>()
  #isDraining = false
  #onChange: () => void = () => {}

  get size(): number {
    return this.#open.size
  }

  /** Whether the server stops: nothing new begins. */
  get isDraining(): boolean {
    return this.#isDraining
  }

  [Symbol.iterator](): Iterator<Item> {
    return this.#open.values()
  }

  add(item: Item): void {
    this.#open.add(item)
  }

  /** To be called when it is closed. */
  delete(item: Item): void {
    this.#open.delete(item)
    this.#due.delete(item)
    this.#onChange()
  }

  /** To be called when an answer on it has ended. */
  answered(item: Item): void {
    if (item.isBusy || !this.#due.delete(item)) return
    item.letGo()
    this.#onChange()
  }

  /**
   * Lets go of all of them, one after the other and in an order that is drawn, so that their clients do not come back all
   * at once; whoever waits for an answer gets it first. Those that take longer than three quarters of the limit are cut,
   * and the rest is for the other sides to agree.
   *
   * @param limit in milliseconds
   */
  async drain(limit: number): Promise<void> {
    this.#isDraining = true
    const turns = Math.min(this.#open.size * turn, longestTurns, limit / 4)
    await this.#takeTurns(turns)
    await this.#until(() => this.#due.size === 0, (limit * 3) / 4 - turns)
    for (const item of this.#open) item.letGo()
    await this.#until(() => this.#open.size === 0, limit / 4)
    for (const item of this.#open) item.terminate()
  }

  /** @param span in milliseconds, for all of them together */
  async #takeTurns(span: number): Promise<void> {
    const items = shuffle([...this.#open])
    const start = performance.now()
    for (const [place, item] of items.entries()) {
      const wait = start + (place / items.length) * span - performance.now()
      // Timers count in milliseconds: where turns are closer than that, several are taken at once.
      if (wait >= 1) await delay(wait)
      if (!this.#open.has(item)) continue
      if (item.isBusy) this.#due.add(item)
      else item.letGo()
    }
  }

  /** Waits for a condition that only connections that change bring about. @param limit in milliseconds */
  async #until(isDone: () => boolean, limit: number): Promise<void> {
    if (isDone()) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, limit)
    this.#onChange = () => {
      if (isDone()) resolve()
    }
    await promise
    clearTimeout(timer)
    this.#onChange = () => {}
  }
}

/** In place, each order as likely as any other (Fisher and Yates). */
function shuffle<T>(items: T[]): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const drawn = Math.floor(Math.random() * (last + 1))
    ;[items[last], items[drawn]] = [items[drawn] as T, items[last] as T]
  }
  return items
}
