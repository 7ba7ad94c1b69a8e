import { setTimeout as delay } from 'node:timers/promises'

/** What a client holds open: a socket, an event stream. */
export interface Connection {
  /** Whether the client waits for an answer that ends by itself. */
  readonly isBusy: boolean
  /** Ends the connection so that its client goes on at another server. */
  letGo(): void
  /** Ends the connection without waiting for its client. */
  terminate(): void
}

/**
 * Milliseconds between letting go of one connection and of the next, unless all of them together would take longer than
 * `longestTurns`.
 */
const turn = 5
const longestTurns = 3_000

/** The connections of one kind that are open, and how they are let go when the server stops. */
export class Connections<Item extends Connection> implements Iterable<Item> {
  readonly #open = new Set<Item>()
  /** The connections whose turn has come while their clients waited for an answer. */
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

  /** To be called when a connection is closed. */
  delete(item: Item): void {
    this.#open.delete(item)
    this.#due.delete(item)
    this.#onChange()
  }

  /** To be called when an answer on a connection has ended. */
  answered(item: Item): void {
    if (item.isBusy || !this.#due.delete(item)) return
    item.letGo()
    this.#onChange()
  }

  /**
   * Lets go of all connections, one after the other in a random order, so that their clients do not all connect again
   * at once. A client that waits for an answer gets it first. After three quarters of the limit the server waits for no
   * answer any more; in the last quarter the clients may still agree to the close.
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

  /** @param span in milliseconds, for all connections together */
  async #takeTurns(span: number): Promise<void> {
    const items = shuffle([...this.#open])
    const start = performance.now()
    for (const [place, item] of items.entries()) {
      const wait = start + (place / items.length) * span - performance.now()
      // Timers count in whole milliseconds. Where turns are closer than that, several are taken at once.
      if (wait >= 1) await delay(wait)
      if (!this.#open.has(item)) continue
      if (item.isBusy) this.#due.add(item)
      else item.letGo()
    }
  }

  /** Waits until a condition holds; it is looked at when a connection changes. @param limit in milliseconds */
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

/** Shuffles in place; every order is equally likely (Fisher and Yates). */
function shuffle<T>(items: T[]): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const drawn = Math.floor(Math.random() * (last + 1))
    ;[items[last], items[drawn]] = [items[drawn] as T, items[last] as T]
  }
  return items
}
