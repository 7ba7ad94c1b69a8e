import { AnswerTooLarge, TooManyAnswers } from '../../facts.ts'
import { query, type Row, type Statement } from './statement.ts'
import type { Store } from './store.ts'

/** How many bytes of rows all answers in flight hold on this instance. */
export class AnswerMemory {
  #held = 0
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  get held(): number {
    return this.#held
  }

  /** @throws TooManyAnswers while too much is held: refusing early keeps the answers under way safe. */
  requireRoom(): void {
    if (this.#held >= this.#limit) throw new TooManyAnswers()
  }

  hold(bytes: number): void {
    this.#held += bytes
  }
}

/**
 * The bytes of rows that one answer may still read. Statements are told what is left before they run, so that rows
 * beyond it never leave PostgreSQL; they run one after the other, or two of them would spend the same bytes.
 */
export class AnswerBudget implements Disposable {
  readonly #memory: AnswerMemory
  readonly #limit: number
  #spent = 0
  #isDisposed = false
  #last: Promise<unknown> = Promise.resolve()

  constructor(memory: AnswerMemory, limit: number) {
    this.#memory = memory
    this.#limit = limit
  }

  /**
   * Runs a statement whose last parameter is the number of bytes that its rows may have, and whose first column is how
   * many they have so far, in the order in which they count. The first row past the limit it still answers: this then
   * refuses the answer and says what was needed, unless the row is all there is, for one row can always be read.
   *
   * @throws AnswerTooLarge, TooManyAnswers
   */
  query(store: Store, statement: Statement, values: unknown[]): Promise<Row[]> {
    return this.spend((left) => query(store.pool, statement, [...values, left]))
  }

  /** As `query`, for rows that are read in another way. @param read is told how many bytes the rows may have */
  spend(read: (left: number) => Promise<Row[]>): Promise<Row[]> {
    const turn = this.#last.then(async () => {
      this.#memory.requireRoom()
      const left = this.#limit - this.#spent
      const rows = await read(left)
      const bytes = rows.reduce((most, row) => Math.max(most, Number(row[0] ?? 0)), 0)
      if (bytes > left && !(this.#spent === 0 && isOne(rows)))
        throw new AnswerTooLarge(this.#limit, this.#spent + bytes)
      // Whoever asked may have gone while the statement ran: nobody would give back what is taken now.
      if (this.#isDisposed) return rows
      this.#spent += bytes
      this.#memory.hold(bytes)
      return rows
    })
    this.#last = turn.catch(() => {})
    return turn
  }

  /** The answer was sent, or nobody waits for it any more. */
  [Symbol.dispose](): void {
    this.#isDisposed = true
    this.#memory.hold(-this.#spent)
    this.#spent = 0
  }
}

function isOne(rows: readonly Row[]): boolean {
  return rows.filter((row) => row[0] !== null).length === 1
}
