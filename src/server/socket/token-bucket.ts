/**
 * Counts how many things come: so many a second are allowed, and as many at once after a rest. More than that is owed.
 */
export class TokenBucket {
  readonly #perSecond: number
  #tokens: number
  #filledAt = performance.now()

  constructor(perSecond: number) {
    this.#perSecond = perSecond
    this.#tokens = perSecond
  }

  take(): void {
    this.#fill()
    this.#tokens -= 1
  }

  /** Milliseconds until nothing is owed. */
  get wait(): number {
    this.#fill()
    return Math.max(0, (-this.#tokens / this.#perSecond) * 1000)
  }

  #fill(): void {
    const now = performance.now()
    const gained = ((now - this.#filledAt) / 1000) * this.#perSecond
    this.#tokens = Math.min(this.#perSecond, this.#tokens + gained)
    this.#filledAt = now
  }
}
