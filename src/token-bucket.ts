/** So many tokens come in a second, as long as there is room for them. What is taken beyond them is owed. */
export class TokenBucket {
  readonly #perSecond: number
  readonly #room: number
  #tokens: number
  readonly #now: () => number
  #filledAt: number

  /**
   * @param room as many as come in a second unless given; a new bucket is full
   * @param now milliseconds of a clock that never goes back
   */
  constructor(perSecond: number, room = perSecond, now = () => performance.now()) {
    this.#perSecond = perSecond
    this.#room = room
    this.#tokens = room
    this.#now = now
    this.#filledAt = now()
  }

  /** Takes a token if there is a whole one. */
  tryTake(): boolean {
    this.#fill()
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  take(count = 1): void {
    this.#fill()
    this.#tokens -= count
  }

  get owed(): number {
    this.#fill()
    return Math.max(0, -this.#tokens)
  }

  /** Milliseconds until nothing is owed. */
  get wait(): number {
    return (this.owed / this.#perSecond) * 1000
  }

  #fill(): void {
    const now = this.#now()
    const gained = ((now - this.#filledAt) / 1000) * this.#perSecond
    this.#tokens = Math.min(this.#room, this.#tokens + gained)
    this.#filledAt = now
  }
}
