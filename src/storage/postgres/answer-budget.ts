import type { Awaiting } from '../../database/reads/lone-reads.ts'
import { AnswerTooLarge, NobodyWaits, TooManyAnswers, TooManyRows } from '../../facts.ts'
import { bytesOf, type Excess, type KeyAsk, readKeys } from './key-reads.ts'
import type { Row } from './statement.ts'
import type { Store } from './store.ts'

/** How many bytes of rows this instance holds for all answers that are not sent yet. */
export class AnswerMemory {
  #held = 0
  #refused = 0
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  get held(): number {
    return this.#held
  }

  /** How many reads were refused. */
  get refused(): number {
    return this.#refused
  }

  /** @throws TooManyAnswers while the limit is reached: an early refusal protects the answers under way. */
  requireRoom(): void {
    if (this.#held < this.#limit) return
    this.#refused += 1
    throw new TooManyAnswers()
  }

  hold(bytes: number): void {
    this.#held += bytes
  }
}

/**
 * The bytes of rows that one answer may still read. A statement gets this number before it runs, so that rows beyond it
 * never leave PostgreSQL. The reads of an answer come one after the other: two at once would spend the same bytes.
 *
 * It counts the rows as well. The answer may read so many; the last read may pass that, and is then refused.
 *
 * If the answer is to one caller's query, nothing more is read for it once the budget is disposed.
 */
export class AnswerBudget implements Awaiting, Disposable {
  readonly #memory: AnswerMemory
  readonly #limit: number
  readonly #mostRows: number
  readonly #isOneQuery: boolean
  #spent = 0
  #rows = 0
  #isDisposed = false
  #last: Promise<unknown> = Promise.resolve()
  #ending: AbortController | null = null

  /** @param isOneQuery false: others may wait for what is read, or it belongs to a write */
  constructor(memory: AnswerMemory, limit: number, mostRows = Number.POSITIVE_INFINITY, isOneQuery = false) {
    this.#memory = memory
    this.#limit = limit
    this.#mostRows = mostRows
    this.#isOneQuery = isOneQuery
  }

  /** How many rows were read so far; the number stays when the budget is disposed. */
  get rows(): number {
    return this.#rows
  }

  get isOver(): boolean {
    return this.#isOneQuery && this.#isDisposed
  }

  get ended(): AbortSignal {
    if (this.#ending === null) {
      this.#ending = new AbortController()
      if (this.isOver) this.#ending.abort()
    }
    return this.#ending.signal
  }

  /**
   * Reads rows. The first column of each is the sum of bytes up to it, in the order in which the rows count; null: it
   * has none. The rows include the first one past the limit. This method then refuses the answer and says how many bytes
   * it needed. The exception is an answer that consists of one row: one row can always be read.
   *
   * @param read gets the number of bytes that the rows may have
   * @throws AnswerTooLarge, TooManyAnswers, TooManyRows, NobodyWaits
   */
  spend(read: (left: number) => Promise<Row[]>): Promise<Row[]> {
    return this.#inTurn(async (left) => {
      const rows = await read(left)
      this.#count(rows.length)
      const bytes = bytesOf(rows)
      if (bytes > left && !(this.#spent === 0 && isOne(rows)))
        throw new AnswerTooLarge(this.#limit, this.#spent + bytes)
      this.#hold(bytes)
      return rows
    })
  }

  /** Reads the rows of a statement about one conversation. @throws AnswerTooLarge, TooManyAnswers, TooManyRows, NobodyWaits */
  async readKey(store: Store, ask: KeyAsk, excess: Excess): Promise<Row[]> {
    const [rows] = await this.readKeys(store, [ask], excess)
    return rows as Row[]
  }

  /** The same for several conversations: the rows of each, in order. @throws AnswerTooLarge, TooManyAnswers, TooManyRows, NobodyWaits */
  readKeys(store: Store, asks: readonly KeyAsk[], excess: Excess): Promise<Row[][]> {
    return this.#inTurn(async (left) => {
      const answers = await readKeys(store, asks, { left, spent: this.#spent }, excess, this)
      this.#count(answers.reduce((sum, { length }) => sum + length, 0))
      this.#hold(answers.reduce((sum, rows) => sum + bytesOf(rows), 0))
      return answers
    })
  }

  #inTurn<Answer>(read: (left: number) => Promise<Answer>): Promise<Answer> {
    const turn = this.#last.then(() => {
      if (this.isOver) throw new NobodyWaits()
      this.#memory.requireRoom()
      this.#count(0)
      return read(this.#limit - this.#spent)
    })
    this.#last = turn.catch(() => {})
    return turn
  }

  /** @throws TooManyRows, from the read on that passes the limit */
  #count(rows: number): void {
    this.#rows += rows
    if (this.#rows > this.#mostRows) throw new TooManyRows(this.#mostRows, this.#rows)
  }

  #hold(bytes: number): void {
    // The caller may have gone while the statement ran. Then nobody would give these bytes back.
    if (this.#isDisposed) return
    this.#spent += bytes
    this.#memory.hold(bytes)
  }

  /** To be called when the answer was sent, or when nobody waits for it any more. */
  [Symbol.dispose](): void {
    this.#isDisposed = true
    if (this.isOver) this.#ending?.abort()
    this.#memory.hold(-this.#spent)
    this.#spent = 0
  }
}

function isOne(rows: readonly Row[]): boolean {
  return rows.filter((row) => row[0] !== null).length === 1
}
