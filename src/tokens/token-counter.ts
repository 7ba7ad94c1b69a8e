import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import type { TokenEncoding } from '../entities/window-enums.ts'
import { unavailable } from '../errors.ts'
import { cutSlices } from './cut-slices.ts'

/** What the thread is sent; it answers a number for each of the texts. */
export interface Batch {
  readonly encoding: TokenEncoding
  readonly texts: readonly string[]
}

interface Job {
  readonly encoding: TokenEncoding
  /** What is left to count, and which text it is of. */
  readonly slices: { readonly index: number; readonly text: string }[]
  readonly counts: number[]
  readonly resolve: (counts: number[]) => void
  readonly reject: (error: Error) => void
}

interface Counting {
  readonly job: Job
  /** What of it the thread has. */
  readonly taken: Job['slices']
}

/** In UTF-16 units. A batch takes a few milliseconds, and at worst fifty. */
const batchUnits = 65_536
const sliceUnits = 32_768
const maxWaitingUnits = 64 * 1_048_576

/** As this file: .ts where Node runs TypeScript, .js where it was compiled. */
const workerFile = new URL(`./worker${extname(import.meta.url)}`, import.meta.url)

/**
 * Counts tokens in a thread of its own, which is started when it is first needed, and again when it broke down. All that
 * is asked is counted in turn, a batch of each, so that a long text makes nobody wait for all of it.
 *
 *     no thread ── count() ──▶ counting ◀── count() ──▶ idle
 *         ▲                       │                      │
 *         └──── it broke down ────┴──────────────────────┘
 */
export class TokenCounter implements AsyncDisposable {
  readonly #log: Logger
  #thread: Worker | null = null
  #waiting: Job[] = []
  #waitingUnits = 0
  #counting: Counting | null = null
  #isDisposed = false

  constructor(log: Logger) {
    this.#log = log
  }

  /**
   * The tokens of each text, in order.
   *
   * @throws ApiError UNAVAILABLE while too much waits, and when the thread broke down over it
   */
  count(encoding: TokenEncoding, texts: readonly string[]): Promise<number[]> {
    if (this.#isDisposed) return Promise.reject(isStopping())
    const slices = texts.flatMap((text, index) => sliced(text).map((slice) => ({ index, text: slice })))
    const counts = texts.map(() => 0)
    if (slices.length === 0) return Promise.resolve(counts)
    const units = unitsOf(slices)
    if (this.#waitingUnits > 0 && this.#waitingUnits + units > maxWaitingUnits) {
      return Promise.reject(unavailable('Too much text waits for its tokens to be counted; try again.'))
    }
    this.#waitingUnits += units
    return new Promise((resolve, reject) => {
      this.#waiting.push({ encoding, slices, counts, resolve, reject })
      this.#goOn()
    })
  }

  #goOn(): void {
    if (this.#counting !== null) return
    const job = this.#waiting.shift()
    if (job === undefined) return
    const taken = takeBatch(job.slices)
    this.#counting = { job, taken }
    this.#thread ??= this.#start()
    this.#thread.postMessage({ encoding: job.encoding, texts: taken.map(({ text }) => text) } satisfies Batch)
  }

  #start(): Worker {
    const thread = new Worker(workerFile)
    thread.on('message', (counts: number[]) => this.#counted(counts))
    thread.on('error', (error) => this.#log.error({ err: error }, 'counting tokens broke down'))
    thread.on('exit', () => this.#ended())
    return thread
  }

  #counted(counts: readonly number[]): void {
    // A thread answers only what it was sent.
    const { job, taken } = this.#counting as Counting
    for (const [place, { index }] of taken.entries())
      job.counts[index] = (job.counts[index] ?? 0) + (counts[place] ?? 0)
    this.#waitingUnits -= unitsOf(taken)
    this.#counting = null
    if (job.slices.length === 0) job.resolve(job.counts)
    else this.#waiting.push(job)
    this.#goOn()
  }

  #ended(): void {
    this.#thread = null
    const counting = this.#counting
    this.#counting = null
    if (counting !== null) {
      this.#waitingUnits -= unitsOf(counting.taken) + unitsOf(counting.job.slices)
      counting.job.reject(unavailable('The tokens could not be counted; try again.'))
    }
    this.#goOn()
  }

  /** Ends the thread. Whoever still waits is told so. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    for (const job of this.#waiting.splice(0)) job.reject(isStopping())
    await this.#thread?.terminate()
  }
}

function isStopping(): Error {
  return unavailable('The server is stopping; try again.')
}

function sliced(text: string): string[] {
  return text === '' ? [] : cutSlices(text, sliceUnits)
}

/** The first slices, as many as a batch holds and at least one; they are taken away. */
function takeBatch(slices: Job['slices']): Job['slices'] {
  let units = 0
  const end = slices.findIndex(({ text }, place) => {
    units += text.length
    return place > 0 && units > batchUnits
  })
  return slices.splice(0, end === -1 ? slices.length : end)
}

function unitsOf(slices: Job['slices']): number {
  return slices.reduce((sum, { text }) => sum + text.length, 0)
}
