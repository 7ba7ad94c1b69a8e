import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { listRevision, type Moved, type Store, textHint } from '../postgres/store.ts'
import { fillWords } from './fill-words.ts'
import { firstKey, readUnfilled } from './unfilled.ts'

/** How long moved conversations are gathered, so that one that moves often is not read for each move. */
const gatherMs = 250
/** How often the filler looks at all conversations for what other servers left. */
const sweepMs = 10 * 60_000
/** What would not fit in here is found by looking at all conversations. */
const mostNoted = 100_000

/**
 * Fills the words of messages, beside the writes: one conversation after the other, in the order in which they moved. It
 * is told of what this server writes. What a server left that ended is found when one starts, and every ten minutes.
 */
export class WordFiller implements AsyncDisposable {
  readonly #store: Store
  readonly #log: Logger
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  #noted = new Set<string>()
  #wake: () => void = () => {}

  constructor(store: Store, log: Logger) {
    this.#store = store
    this.#log = log
    this.#running = Promise.all([this.#fillNoted(), this.#sweep()]).then(() => {})
  }

  /** Every write calls it, so it must be cheap. */
  moved({ key, revision }: Moved): void {
    if (revision === listRevision || revision === textHint || this.#noted.size >= mostNoted) return
    this.#noted.add(key)
    if (this.#noted.size === 1) this.#wake()
  }

  async #fillNoted(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      if (this.#noted.size === 0) await new Promise<void>((resolve) => this.#whenNoted(resolve))
      await this.#pause(gatherMs)
      const keys = this.#noted
      this.#noted = new Set()
      for (const key of keys) {
        if (signal.aborted) return
        // It waits for its turn again, so that a long conversation holds up no other one.
        if ((await this.#fill(key)) !== 'whole') this.#noted.add(key)
      }
    }
  }

  #whenNoted(resolve: () => void): void {
    this.#wake = resolve
    if (this.#noted.size > 0 || this.#stop.signal.aborted) resolve()
  }

  async #fill(key: string): Promise<'whole' | 'later'> {
    try {
      return (await fillWords(this.#store, key)) === 'whole' ? 'whole' : 'later'
    } catch (error) {
      if (!this.#stop.signal.aborted) {
        this.#log.warn({ err: error }, 'could not fill the words of a conversation; they are filled later')
        await this.#pause(5_000)
      }
      return 'later'
    }
  }

  async #sweep(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#noteUnfilled()
      } catch (error) {
        if (!this.#stop.signal.aborted) this.#log.warn({ err: error }, 'could not look for words that are not filled')
      }
      await this.#pause(sweepMs)
    }
  }

  async #noteUnfilled(): Promise<void> {
    for (let after: string | null = firstKey; after !== null && !this.#stop.signal.aborted; ) {
      const { keys, last }: Awaited<ReturnType<typeof readUnfilled>> = await readUnfilled(this.#store, after)
      for (const key of keys) this.moved({ key, revision: 1 })
      // Nobody looks further while there is enough to do.
      while (this.#noted.size >= mostNoted / 2 && !this.#stop.signal.aborted) await this.#pause(1_000)
      after = last
    }
  }

  #pause(milliseconds: number): Promise<void> {
    return delay(milliseconds, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    this.#wake()
    await this.#running
  }
}
