import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { readRevisions } from '../storage/conversation-watch.ts'
import type { Store } from '../storage/store.ts'
import type { Watchers } from './watchers.ts'

const keysPerStatement = 1_000

/**
 * Looks at all watched conversations every `everyMs` milliseconds: the longest that a lost hint can delay anybody.
 * `now()` looks at once, for when hints are known to have been lost.
 */
export class Poll implements AsyncDisposable {
  readonly #store: Store
  readonly #watchers: Watchers
  readonly #log: Logger
  readonly #stop = new AbortController()
  readonly #running: Promise<void>

  constructor(store: Store, watchers: Watchers, everyMs: number, log: Logger) {
    this.#store = store
    this.#watchers = watchers
    this.#log = log
    this.#running = this.#run(everyMs)
  }

  /** Never throws: whoever is missed now is looked at the next time. */
  async now(): Promise<void> {
    try {
      await this.#look()
    } catch (error) {
      this.#log.warn({ err: error }, 'could not look at watched conversations')
    }
  }

  async #look(): Promise<void> {
    const keys = this.#watchers.keys()
    for (let from = 0; from < keys.length; from += keysPerStatement) {
      const moved = await readRevisions(this.#store, keys.slice(from, from + keysPerStatement))
      for (const one of moved) this.#watchers.moved(one)
    }
  }

  async #run(everyMs: number): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await delay(everyMs, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {})
      if (this.#stop.signal.aborted) return
      await this.now()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
  }
}
