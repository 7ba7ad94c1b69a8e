import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'

export interface RoundsOptions {
  /** Milliseconds between two rounds. */
  readonly everyMs: number
  /** Whether the first one is at once, and not after the first pause. */
  readonly beginsAtOnce: boolean
  readonly work: (signal: AbortSignal) => Promise<void>
  /** What is logged of a round that failed: another server does it, or this one the next time. */
  readonly failure: string
}

/** Does the same work again and again until it is disposed. */
export class Rounds implements AsyncDisposable {
  readonly #stop = new AbortController()
  readonly #running: Promise<void>

  constructor(options: RoundsOptions, log: Logger) {
    this.#running = this.#run(options, log)
  }

  async #run({ everyMs, beginsAtOnce, work, failure }: RoundsOptions, log: Logger): Promise<void> {
    const { signal } = this.#stop
    const pause = () => delay(everyMs, undefined, { signal, ref: false }).catch(() => {})
    if (!beginsAtOnce) await pause()
    while (!signal.aborted) {
      try {
        await work(signal)
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error }, failure)
      }
      await pause()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
  }
}
