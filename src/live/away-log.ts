import type { Logger } from 'pino'

const pauseMs = 60_000

/** Says in the log that something cannot be reached: one line, and one a minute for as long as that lasts. */
export class AwayLog {
  readonly #log: Logger
  readonly #sentence: string
  #lastTold = Number.NEGATIVE_INFINITY
  #isTold = false

  /** @param sentence what that means, and which setting names the place */
  constructor(log: Logger, sentence: string) {
    this.#log = log
    this.#sentence = sentence
  }

  /** To be called at each attempt that has failed. @param now in milliseconds, by a stopwatch */
  failed(error: unknown, now: number): void {
    if (now - this.#lastTold < pauseMs) return
    this.#lastTold = now
    this.#isTold = true
    const { message, code } = error as { message?: string; code?: string }
    // The stack says nothing of the place that cannot be reached.
    this.#log.warn({ reason: message || code || String(error) }, this.#sentence)
  }

  /** To be called when it is there. */
  back(): void {
    if (this.#isTold) this.#log.info('hints from other servers come again')
    this.#isTold = false
  }
}
