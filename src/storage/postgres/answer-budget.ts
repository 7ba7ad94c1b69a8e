import { AnswerTooLarge, TooManyAnswers } from '../../facts.ts'
import { query, queryKey, type Row, type Statement } from './statement.ts'
import type { Store } from './store.ts'

/** How many bytes of rows this instance holds for all answers that are not sent yet. */
export class AnswerMemory {
  #held = 0
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  get held(): number {
    return this.#held
  }

  /** @throws TooManyAnswers while the limit is reached: an early refusal protects the answers under way. */
  requireRoom(): void {
    if (this.#held >= this.#limit) throw new TooManyAnswers()
  }

  hold(bytes: number): void {
    this.#held += bytes
  }
}

/**
 * The bytes of rows that one answer may still read. A statement gets this number before it runs, so that rows beyond it
 * never leave PostgreSQL. The statements run one after the other: two at once would spend the same bytes.
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
   * Runs a statement. Its last parameter is the number of bytes that its rows may have. Its first column is the sum of
   * bytes up to each row, in the order in which the rows count. The statement also answers the first row past the
   * limit. This method then refuses the answer and says how many bytes it needed. The exception is an answer that
   * consists of one row: one row can always be read.
   *
   * @throws AnswerTooLarge, TooManyAnswers
   */
  query(store: Store, statement: Statement, values: unknown[]): Promise<Row[]> {
    return this.spend((left) => query(store.pool, statement, [...values, left]))
  }

  /**
   * The same for a statement about one conversation. @param values from `$2` on, without the number of bytes
   */
  readKey(store: Store, statement: Statement<'key'>, key: string, values: unknown[]): Promise<Row[]> {
    return this.spend((left) => queryKey(store.reads, statement, key, [...values, left]))
  }

  /** The same for several conversations: a statement for each, and its rows, in order. */
  async readKeys(store: Store, statement: Statement<'key'>, asks: readonly KeyAsk[]): Promise<Row[][]> {
    const answers: Row[][] = []
    for (const { key, values } of asks) answers.push(await this.readKey(store, statement, key, values))
    return answers
  }

  /**
   * Does the same as `query` for rows that are read in another way. @param read gets the number of bytes that they may
   * have
   */
  spend(read: (left: number) => Promise<Row[]>): Promise<Row[]> {
    const turn = this.#last.then(async () => {
      this.#memory.requireRoom()
      const left = this.#limit - this.#spent
      const rows = await read(left)
      const bytes = rows.reduce((most, row) => Math.max(most, Number(row[0] ?? 0)), 0)
      if (bytes > left && !(this.#spent === 0 && isOne(rows)))
        throw new AnswerTooLarge(this.#limit, this.#spent + bytes)
      // The caller may have gone while the statement ran. Then nobody would give these bytes back.
      if (this.#isDisposed) return rows
      this.#spent += bytes
      this.#memory.hold(bytes)
      return rows
    })
    this.#last = turn.catch(() => {})
    return turn
  }

  /** To be called when the answer was sent, or when nobody waits for it any more. */
  [Symbol.dispose](): void {
    this.#isDisposed = true
    this.#memory.hold(-this.#spent)
    this.#spent = 0
  }
}

/** What a statement about one conversation gets: `$1`, and the values from `$2` on. */
export interface KeyAsk {
  readonly key: string
  readonly values: unknown[]
}

function isOne(rows: readonly Row[]): boolean {
  return rows.filter((row) => row[0] !== null).length === 1
}
