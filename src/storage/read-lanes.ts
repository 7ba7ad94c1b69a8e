import { Gather } from './gather.ts'
import type { Row } from './store.ts'

/** While the rows of one statement are taken in, PostgreSQL is at work on the other. */
const laneCount = 2
const runItems = 32

/** Puts what is asked at once, by whomever, into few statements. Nobody waits for others to come. */
export class ReadLanes<Ask> {
  readonly #lanes: { readonly gather: Gather<Ask, Row[]>; asked: number }[]

  /** @param read answers the rows of each ask, in order, by one statement */
  constructor(read: (asks: readonly Ask[]) => Promise<Row[][]>) {
    this.#lanes = Array.from({ length: laneCount }, () => ({
      asked: 0,
      gather: new Gather<Ask, Row[]>({
        keyOf: () => '',
        sizeOf: () => 0,
        run: async (asks) => (await read(asks)).map((result) => ({ result })),
        windowMs: 0,
        runItems,
        runItemsOfKey: runItems,
        runBytes: 1,
      }),
    }))
  }

  async read(ask: Ask): Promise<Row[]> {
    const lane = this.#lanes.reduce((best, other) => (other.asked < best.asked ? other : best))
    lane.asked += 1
    try {
      return await lane.gather.add(ask)
    } finally {
      lane.asked -= 1
    }
  }
}
