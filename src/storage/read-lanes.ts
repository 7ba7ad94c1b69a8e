import { Gather, type Outcome } from './gather.ts'
import { isRefused } from './refused.ts'
import type { Row } from './store.ts'

/** One is enough until it is full: with two from the start a page took 6 % more of the server's CPU. */
const laneCount = 2
const runItems = 32
/** Who asks for much is not to make many others wait for it. */
const runRows = 5_000

export interface ReadOptions<Ask> {
  /** Answers the rows of all asks, by one statement. */
  readonly read: (asks: readonly Ask[]) => Promise<Row[]>
  /** Which column says whose row it is: 1 for the first ask. */
  readonly numberAt: number
  /** How many rows are asked for. */
  readonly rowsOf: (ask: Ask) => number
}

/** Puts what is asked at once, by whomever, into few statements. Nobody waits for others to come. */
export class ReadLanes<Ask> {
  readonly #options: ReadOptions<Ask>
  readonly #lanes: { readonly gather: Gather<Ask, Row[]>; asked: number }[]

  constructor(options: ReadOptions<Ask>) {
    this.#options = options
    this.#lanes = Array.from({ length: laneCount }, () => ({
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
      best.asked < runItems || best.asked <= other.asked ? best : other,
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
      // One of them is refused: each is asked by itself, and the others are answered.
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
