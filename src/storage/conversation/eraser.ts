import type { Logger } from 'pino'
import type { Store } from '../postgres/store.ts'
import { eraseMessages, readUnerased, type Tombstone } from './erase.ts'

/**
 * Erases the messages of deleted conversations, one conversation after the other. The deletions were answered before.
 */
export class Eraser implements AsyncDisposable {
  readonly #store: Store
  readonly #log: Logger
  readonly #stop = new AbortController()
  #last: Promise<void> = Promise.resolve()

  constructor(store: Store, log: Logger) {
    this.#store = store
    this.#log = log
  }

  /** Erases what earlier servers left. */
  async resume(): Promise<void> {
    for (const tombstone of await readUnerased(this.#store, 1_000)) this.erase(tombstone)
  }

  erase(tombstone: Tombstone): void {
    this.#last = this.#last
      .then(() => (this.#stop.signal.aborted ? undefined : eraseMessages(this.#store, tombstone, this.#stop.signal)))
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted)
          this.#log.warn({ err: error }, 'could not erase the messages of a deleted conversation; the next start will')
      })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#last
  }
}
