import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Logger } from 'pino'
import type { TokenEncoding } from '../entities/window-enums.ts'
import { unavailable } from '../errors.ts'
import { cutSlices } from './cut-slices.ts'

/** What is sent to the thread. The thread answers with one number for each text. */
export interface Batch {
  readonly encoding: TokenEncoding
  readonly texts: readonly string[]
}

interface Job {
  readonly encoding: TokenEncoding
  /** The slices that are not counted yet; `index` says which text a slice is of. */
  readonly slices: { readonly index: number; readonly text: string }[]
  readonly counts: number[]
  readonly resolve: (counts: number[]) => void
  readonly reject: (error: Error) => void
}

interface Counting {
  readonly job: Job
  /** The slices of the job that the thread counts now. */
  readonly taken: Job['slices']
}

/** In UTF-16 units. The thread needs a few milliseconds for a batch, and fifty at worst. */
const batchUnits = 65_536
const sliceUnits = 32_768
const maxWaitingUnits = 64 * 1_048_576

/** The worker lies beside this file and has its ending: .ts when Node runs TypeScript, .js when it was built. */
const workerFile = new URL(`./token-worker${extname(import.meta.url)}`, import.meta.url)

/**
 * Counts tokens in a separate thread. The first `count` starts the thread; after a breakdown the next batch starts it
 * again. All callers take turns, a batch each, so that nobody waits for the whole of another caller's long text.
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
   * Counts the tokens of each text; the numbers are in the order of the texts.
   *
   * @throws ApiError UNAVAILABLE when too much text waits already, and when the thread broke down over these texts
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
    // The thread answers only when a batch was sent to it, so `#counting` is set.
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

  /** Ends the thread. Callers that still wait get UNAVAILABLE. */
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

/** Takes the first slices away: as many as a batch may have, but at least one. */
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
