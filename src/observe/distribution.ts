/** How many values lie below each of some bounds: what Prometheus calls a histogram. To add a value takes some nanoseconds. */
export class Distribution {
  /** Ascending. */
  readonly bounds: readonly number[]
  /** How many values are at most each bound and above the one before; the last number counts those above all bounds. */
  readonly counts: number[]
  #sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Array(bounds.length + 1).fill(0)
  }

  get sum(): number {
    return this.#sum
  }

  add(value: number): void {
    let at = 0
    while (at < this.bounds.length && value > (this.bounds[at] as number)) at += 1
    this.counts[at] = (this.counts[at] as number) + 1
    this.#sum += value
  }
}

/** Of durations in seconds: from an answer that needs no database to the longest time that a request may take. */
export const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const

/** Of how many things one statement does at once. */
export const batchSizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] as const
