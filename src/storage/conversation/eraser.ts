import type { Logger } from 'pino'
import type { Store } from '../postgres/store.ts'
import { eraseMessages, readUnerased, type Tombstone } from './erase.ts'

/** Erases the messages of deleted conversations after the answer, one conversation after the other. */
export class Eraser implements AsyncDisposable {
  readonly #store: Store
  readonly #log: Logger
  readonly #stop = new AbortController()
  #last: Promise<void> = Promise.resolve()

  constructor(store: Store, log: Logger) {
    this.#store = store
    this.#log = log
  }

  /** Goes on with what earlier servers began and did not end. */
  async resume(): Promise<void> {
    for (const tombstone of await readUnerased(this.#store, 1_000)) this.erase(tombstone)
  }

  erase(tombstone: Tombstone): void {
    this.#last = this.#last
      .then(() => (this.#stop.signal.aborted ? undefined : eraseMessages(this.#store, tombstone, this.#stop.signal)))
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted)
          this.#log.warn({ err: error }, 'messages of a deleted conversation are left for the next start')
      })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#last
  }
}
