import { errorCodes } from '../../errors.ts'
import { Distribution, seconds } from '../../observe/distribution.ts'

/** How operations came. */
export type Over = 'http' | 'websocket'

/** `ABORTED`: the client went before it had its answer. The others are codes of GraphQL and of Apollo. */
const otherCodes = [
  'OK',
  'ABORTED',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
]
const knownCodes: ReadonlySet<string> = new Set([...errorCodes, ...otherCodes])

/** Counts operations by what they ask for, how they came, and what became of them. No other label comes to be. */
export class OperationMeter {
  readonly #series = new Map<string, Series>()

  /**
   * @param field of `rootFieldOf`, or `none`
   * @param ms from the request to the end of its answer; null: it has no end of its own, as a subscription
   */
  ended(field: string, over: Over, code: string, ms: number | null): void {
    const series = this.#seriesOf(field, over)
    const known = knownCodes.has(code) ? code : 'OTHER'
    series.codes.set(known, (series.codes.get(known) ?? 0) + 1)
    if (ms !== null) series.durations.add(ms / 1_000)
  }

  series(): Iterable<Series> {
    return this.#series.values()
  }

  #seriesOf(field: string, over: Over): Series {
    const name = `${over} ${field}`
    let series = this.#series.get(name)
    if (series === undefined) {
      series = { field, over, codes: new Map(), durations: new Distribution(seconds) }
      this.#series.set(name, series)
    }
    return series
  }
}

interface Series {
  readonly field: string
  readonly over: Over
  readonly codes: Map<string, number>
  readonly durations: Distribution
}
