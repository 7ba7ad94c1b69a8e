/** In milliseconds. The server asks for a repetition every 3 seconds, and forgets who does not repeat it. */
const repeatEvery = 3_000
const restAfter = 5_000

/** Tells that the viewer types: seldom while keys are pressed, and once when no more are. */
export class Typing {
  readonly #tell: (isTyping: boolean) => Promise<unknown>
  /** By `performance.now()`; null: it is not told that the viewer types. */
  #toldAt: number | null = null
  #rest: ReturnType<typeof setTimeout> | undefined
  #telling: Promise<unknown> | null = null

  constructor(tell: (isTyping: boolean) => Promise<unknown>) {
    this.#tell = tell
  }

  types(): void {
    clearTimeout(this.#rest)
    this.#rest = setTimeout(() => this.rests(), restAfter)
    const now = performance.now()
    // Without a connection nothing piles up.
    if (this.#telling !== null || (this.#toldAt !== null && now - this.#toldAt < repeatEvery)) return
    this.#toldAt = now
    this.#say(true)
  }

  rests(): void {
    const wasTold = this.#toldAt !== null
    this.stops()
    if (wasTold) this.#say(false)
  }

  /** A message was sent, which tells it. */
  stops(): void {
    clearTimeout(this.#rest)
    this.#toldAt = null
  }

  #say(isTyping: boolean): void {
    const telling = this.#tell(isTyping)
      .catch(() => {})
      .finally(() => {
        if (this.#telling === telling) this.#telling = null
      })
    this.#telling = telling
  }
}
