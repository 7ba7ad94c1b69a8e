/** Milliseconds between two changes of the line. */
const calm = 200

/** On a terminal, one line that changes while long work goes on: how much is done, how fast, and how long it still takes. */
export class Progress {
  readonly #stream: NodeJS.WriteStream
  readonly #now: () => number
  readonly #begin: number
  #shownAt = Number.NEGATIVE_INFINITY

  /** @param now milliseconds of a clock that never goes back */
  constructor(stream: NodeJS.WriteStream, now = () => performance.now()) {
    this.#stream = stream
    this.#now = now
    this.#begin = now()
  }

  /**
   * @param before what the line begins with, for example `3 conversations`
   * @param unit of `count`
   * @param part of the whole, from 0 to 1
   */
  show(before: string, count: number, unit: string, part: number): void {
    const now = this.#now()
    if (!this.#stream.isTTY || now - this.#shownAt < calm) return
    this.#shownAt = now
    const seconds = (now - this.#begin) / 1000
    const rate = seconds === 0 ? 0 : Math.round(count / seconds)
    const left = part > 0 ? `, ${duration((seconds * (1 - part)) / part)} left` : ''
    const line = `${before}, ${count} ${unit}, ${rate} a second, ${Math.floor(part * 100)} %${left}`
    this.#stream.write(`\r\x1b[K${line}`)
  }

  /** Makes room for another line. */
  clear(): void {
    if (this.#stream.isTTY && this.#shownAt > Number.NEGATIVE_INFINITY) this.#stream.write('\r\x1b[K')
  }
}

function duration(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} s`
  if (seconds < 3_600) return `${Math.ceil(seconds / 60)} min`
  return `${Math.floor(seconds / 3_600)} h ${Math.ceil((seconds % 3_600) / 60)} min`
}
