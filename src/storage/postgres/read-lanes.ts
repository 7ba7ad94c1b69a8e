import { Gather, type Outcome } from './gather.ts'
import { isRefused } from './refused.ts'
import type { Row } from './statement.ts'

/** The most rows that one statement is asked for. An ask for many rows must not make many other asks wait. */
const runRows = 5_000

export interface ReadOptions<Ask> {
  /** Reads the rows of all asks, with one statement. */
  readonly read: (asks: readonly Ask[]) => Promise<Row[]>
  /** The column that says to which ask a row belongs: 1 is the first ask. */
  readonly numberAt: number
  /** How many rows an ask is for. */
  readonly rowsOf: (ask: Ask) => number
  /** How many asks go into one statement. */
  readonly runItems?: number
  /** How many statements are under way at once. */
  readonly lanes?: number
}

/**
 * The second lane is used only when the first is full: with both from the start, a page took 6 % more of the server's
 * CPU.
 */
const usual = { runItems: 32, lanes: 2 }

/** Puts the asks that come at the same time, from all callers, into few statements. No ask waits for others to come. */
export class ReadLanes<Ask> {
  readonly #options: ReadOptions<Ask>
  readonly #runItems: number
  readonly #lanes: { readonly gather: Gather<Ask, Row[]>; asked: number }[]

  constructor(options: ReadOptions<Ask>) {
    const { runItems, lanes } = { ...usual, ...options }
    this.#options = options
    this.#runItems = runItems
    this.#lanes = Array.from({ length: lanes }, () => ({
      asked: 0,
      gather: new Gather<Ask, Row[]>({
        keyOf: () => '',
        sizeOf: options.rowsOf,
        run: (asks) => this.#run(asks),
        windowMs: 0,
        runItems,
        runItemsOfKey: runItems,
        runSize: runRows,
      }),
    }))
  }

  async read(ask: Ask): Promise<Row[]> {
    const lane = this.#lanes.reduce((best, other) =>
      best.asked < this.#runItems || best.asked <= other.asked ? best : other,
    )
    lane.asked += 1
    try {
      return await lane.gather.add(ask)
    } finally {
      lane.asked -= 1
    }
  }

  async #run(asks: readonly Ask[]): Promise<Outcome<Row[]>[]> {
    try {
      return (await this.#answer(asks)).map((result) => ({ result }))
    } catch (error) {
      if (asks.length === 1 || !isRefused(error)) throw error
      // PostgreSQL refused one of the asks. Each ask gets a statement of its own, so that the others are answered.
      return asks.map((ask) => ({ later: this.#answer([ask]).then(([rows]) => rows ?? []) }))
    }
  }

  async #answer(asks: readonly Ask[]): Promise<Row[][]> {
    const { read, numberAt } = this.#options
    const answers: Row[][] = asks.map(() => [])
    for (const row of await read(asks)) answers[Number(row[numberAt]) - 1]?.push(row)
    return answers
  }
}
