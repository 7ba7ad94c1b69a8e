import type { Config } from '../../config.ts'
import { NobodyWaits, TooManyWait } from '../../facts.ts'
import { type Engine, sessionSettings } from '../session.ts'
import type { Asked } from './lone-reads.ts'
import { Pipeline, type PipelineOptions } from './pipeline.ts'

/**
 * How long one statement may run in a pipeline, because others stand behind it. A statement that needs longer is asked
 * again on the pool.
 */
const statementMs = 1_000

/** The most statements under way in one pipeline. It bounds the memory of answers that have come in part. */
const maxUnderWay = 32

const maxWaiting = 10_000

/** Milliseconds until a lost pipeline is opened again: at once, and then after pauses that grow. */
const pauses = { least: 100, most: 5_000 }

interface Answer {
  readonly rows: unknown[][]
}

interface Ask {
  readonly config: Asked
  /** When it came. */
  readonly since: number
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/** The pool, where a read has a connection alone. */
interface Alone {
  query(config: Asked): Promise<Answer>
}

type Place = Pipeline | Alone

/**
 * Runs short reads over few connections. While a statement runs, the next ones are on their way already, so fewer
 * processes of PostgreSQL wake up, and for more work each.
 *
 * What fails here is asked once more on the pool, because it only reads: the connection may be lost, or the statement
 * may need more time. While no pipeline is open, the pool answers everything.
 */
export class Pipelines implements AsyncDisposable {
  readonly #pool: Alone
  readonly #waitMs: number
  readonly #lines: Line[]
  readonly #waiting: Ask[] = []
  #onPool = 0
  #refused = 0
  #isEnded = false

  /**
   * @param url a postgresql:// URL
   * @param onWarning is told of lost connections, which are replaced
   */
  constructor(url: string, engine: Engine, config: Config['pool'], pool: Alone, onWarning: (text: string) => void) {
    const limit = Math.min(config.statementMs, statementMs)
    const options = {
      url,
      settings: sessionSettings(engine, { ...config, statementMs: limit }),
      quietMs: limit + 1_000,
    }
    this.#lines = Array.from({ length: config.pipelines }, () => new Line(options, onWarning))
    this.#pool = pool
    this.#waitMs = config.waitMs
  }

  /** Settles when each pipeline is open, or its first attempt has failed. */
  async open(): Promise<void> {
    await Promise.all(this.#lines.map((line) => line.open()))
  }

  /** How it stands, for who watches the server. */
  get state(): { open: number; underWay: number; waiting: number; refused: number } {
    const open = this.#lines.flatMap(({ pipeline }) => pipeline ?? [])
    const underWay = open.reduce((sum, pipeline) => sum + pipeline.underWay, this.#onPool)
    return { open: open.length, underWay, waiting: this.#waiting.length, refused: this.#refused }
  }

  /** @throws TooManyWait, NobodyWaits */
  query(config: Asked): Promise<Answer> {
    if (this.#waiting.length >= maxWaiting) return Promise.reject(this.#refusal())
    return new Promise((resolve, reject) => {
      this.#waiting.push({ config, since: performance.now(), resolve, reject })
      this.#send()
    })
  }

  #send(): void {
    while (this.#waiting.length > 0) {
      const place = this.#findRoom()
      if (place === null) return
      const ask = this.#waiting.shift() as Ask
      if (ask.config.awaiting?.isOver) ask.reject(new NobodyWaits())
      else if (performance.now() - ask.since > this.#waitMs) ask.reject(this.#refusal())
      else void this.#ask(place, ask)
    }
  }

  #refusal(): TooManyWait {
    this.#refused += 1
    return new TooManyWait()
  }

  #findRoom(): Place | null {
    let least: Pipeline | null = null
    for (const line of this.#lines) {
      const { pipeline } = line
      if (pipeline === null) void line.open()
      else if (least === null || pipeline.underWay < least.underWay) least = pipeline
    }
    if (least !== null) return least.underWay < maxUnderWay ? least : null
    return this.#onPool < maxUnderWay ? this.#pool : null
  }

  async #ask(place: Place, { config, resolve, reject }: Ask): Promise<void> {
    try {
      resolve(await (place === this.#pool ? this.#askPool(config) : place.query(config)))
    } catch (error) {
      if (place === this.#pool || this.#isEnded) reject(error)
      else this.#askPool(config).then(resolve, reject)
    }
    this.#send()
  }

  async #askPool(config: Asked): Promise<Answer> {
    this.#onPool += 1
    try {
      return await this.#pool.query(config)
    } finally {
      this.#onPool -= 1
    }
  }

  /** Breaks the statements that still run: nobody waits for them any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('The pipelines have ended.'))
    await Promise.all(this.#lines.map((line) => line[Symbol.asyncDispose]()))
  }
}

/** The place of a pipeline, which is opened again when it was lost. */
class Line implements AsyncDisposable {
  readonly #options: PipelineOptions
  readonly #onWarning: (text: string) => void
  #pipeline: Pipeline | null = null
  #opening: Promise<void> | null = null
  #pauseMs = 0
  #notBefore = 0
  #isEnded = false

  constructor(options: PipelineOptions, onWarning: (text: string) => void) {
    this.#options = options
    this.#onWarning = onWarning
  }

  get pipeline(): Pipeline | null {
    return this.#pipeline?.isOpen === true ? this.#pipeline : null
  }

  /** Opens the pipeline if it is not open, unless it is too early for another attempt. */
  async open(): Promise<void> {
    if (this.#isEnded || this.pipeline !== null || performance.now() < this.#notBefore) return
    this.#opening ??= this.#open().finally(() => {
      this.#opening = null
    })
    await this.#opening
  }

  async #open(): Promise<void> {
    try {
      this.#pipeline = await Pipeline.open(this.#options, this.#onWarning)
      this.#pauseMs = 0
    } catch (error) {
      this.#onWarning(`A pipeline cannot be opened: ${(error as Error).message}`)
      this.#pauseMs = Math.min(Math.max(2 * this.#pauseMs, pauses.least), pauses.most)
      this.#notBefore = performance.now() + this.#pauseMs
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true
    await this.#opening
    await this.#pipeline?.[Symbol.asyncDispose]()
  }
}
