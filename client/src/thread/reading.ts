/** Tells how far the viewer has read: one call at a time, and then of the newest place. */
export class Reading {
  readonly #tell: (seq: number) => Promise<unknown>
  #read: number
  #told: number
  #isTelling = false

  /** @param readSeq how far the server knows already */
  constructor(readSeq: number, tell: (seq: number) => Promise<unknown>) {
    this.#tell = tell
    this.#read = readSeq
    this.#told = readSeq
  }

  /** What the viewer writes itself is told by that. */
  wrote(seq: number): void {
    this.#told = Math.max(seq, this.#told)
  }

  reads(seq: number): void {
    this.#read = Math.max(seq, this.#read)
    if (!this.#isTelling && this.#read > this.#told) void this.#tellAll()
  }

  async #tellAll(): Promise<void> {
    this.#isTelling = true
    while (this.#read > this.#told) {
      const seq = this.#read
      // What is refused now would be refused again.
      await this.#tell(seq).catch(() => {})
      this.wrote(seq)
    }
    this.#isTelling = false
  }
}
