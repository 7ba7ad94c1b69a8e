import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Store } from './store.ts'
import { failExpired, readExpired } from './stream-end.ts'

const streamsPerRound = 100

/** Looks every `everyMs` milliseconds for streams whose producer is gone, and fails them: no message streams for ever. */
export class Reaper implements AsyncDisposable {
  readonly #store: Store
  readonly #log: Logger
  readonly #stop = new AbortController()
  readonly #running: Promise<void>

  constructor(store: Store, everyMs: number, log: Logger) {
    this.#store = store
    this.#log = log
    this.#running = this.#run(everyMs)
  }

  async #run(everyMs: number): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await delay(everyMs, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {})
      if (this.#stop.signal.aborted) return
      try {
        for (const expired of await readExpired(this.#store, streamsPerRound)) await failExpired(this.#store, expired)
      } catch (error) {
        // Another server does it, or this one the next time.
        this.#log.warn({ err: error }, 'could not fail streams whose producer is gone')
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
  }
}
