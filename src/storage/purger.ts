import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { ListTimes } from '../config.ts'
import { purgeTombstones } from './purge.ts'
import type { Store } from './store.ts'

const everyMs = 60 * 60 * 1_000

/** Purges old tombstones at the start, and then hourly. */
export class Purger implements AsyncDisposable {
  readonly #store: Store
  readonly #times: ListTimes
  readonly #log: Logger
  readonly #stop = new AbortController()
  readonly #running: Promise<void>

  constructor(store: Store, times: ListTimes, log: Logger) {
    this.#store = store
    this.#times = times
    this.#log = log
    this.#running = this.#run()
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        await purgeTombstones(this.#store, this.#times, signal)
      } catch (error) {
        // Another server does it, or this one the next time.
        if (!signal.aborted) this.#log.warn({ err: error }, 'could not purge conversations that were deleted long ago')
      }
      await delay(everyMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
  }
}
