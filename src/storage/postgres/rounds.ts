import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'

export interface RoundsOptions {
  /** Milliseconds between two rounds. */
  readonly everyMs: number
  /** true: the first round is at once. false: it comes after the first pause. */
  readonly beginsAtOnce: boolean
  readonly work: (signal: AbortSignal) => Promise<void>
  /** The log line of a round that failed. Another server does the work, or this server does it in its next round. */
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
