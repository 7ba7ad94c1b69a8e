import type { FiguresQuery } from '../gql/graphql.ts'

export type Answered = NonNullable<FiguresQuery['operator']>
type Figures = NonNullable<Answered['figures']>
type Labels = Figures[number]['labels']

/** What happened between two looks, or is the case at the second one. */
export interface Point {
  /** In a second. */
  readonly appends: number
  readonly deliveries: number
  readonly errors: number
  /** Of the mean delivery, in milliseconds; null: nothing was delivered to who watched. */
  readonly lag: number | null
  /** Nineteen of twenty took no longer, in milliseconds; null: longer than what is told apart, or as `lag`. */
  readonly lagOfMost: number | null
  readonly watchers: number
  readonly busy: number
}

/** Of one server since the page looks at it, the newest last. */
export interface History {
  readonly server: string
  readonly at: number
  readonly figures: Figures
  readonly points: readonly Point[]
}

/** So many looks are shown: five minutes. */
export const shownPoints = 150
export const lookEveryMs = 2_000

/** Another server, or one that started anew, counts from zero. */
export function withLook(history: History | null, { server, startedAt, figures }: Answered, at: number): History {
  const now = { server: `${server} ${startedAt}`, at, figures: figures ?? [] }
  if (history === null || history.server !== now.server) return { ...now, points: [] }
  if (at <= history.at) return history
  const point = between(history.figures, now.figures, (at - history.at) / 1_000)
  return { ...now, points: [...history.points, point].slice(-shownPoints) }
}

export function sumOf(figures: Figures, name: string, fits: (labels: Labels) => boolean = () => true): number {
  return figures.reduce((sum, one) => (one.name === name && fits(one.labels) ? sum + one.value : sum), 0)
}

export const isError = ({ code }: Labels) => code !== 'OK' && code !== 'ABORTED'

function between(before: Figures, now: Figures, seconds: number): Point {
  const grown = (name: string, fits?: (labels: Labels) => boolean) => sumOf(now, name, fits) - sumOf(before, name, fits)
  const lags = grown('colloquy_delivery_lag_seconds_count')
  const lag = lags === 0 ? null : (grown('colloquy_delivery_lag_seconds_sum') / lags) * 1_000
  return {
    appends: grown('colloquy_appends_total') / seconds,
    deliveries: grown('colloquy_deliveries_total') / seconds,
    errors: (grown('colloquy_operations_total', isError) + grown('colloquy_refused_total')) / seconds,
    lag,
    lagOfMost: lags === 0 ? null : boundOf(0.95 * lags, boundsOf(now), grown),
    watchers: sumOf(now, 'colloquy_watchers'),
    busy: sumOf(now, 'colloquy_pool_connections', ({ state }) => state === 'busy'),
  }
}

const buckets = 'colloquy_delivery_lag_seconds_bucket'

function boundsOf(figures: Figures): number[] {
  const found = figures.filter(({ name }) => name === buckets).map(({ labels }) => Number(labels.le))
  return found.filter(Number.isFinite).sort((one, other) => one - other)
}

/** Each bucket holds all that is at most its bound. */
function boundOf(
  count: number,
  bounds: readonly number[],
  grown: (name: string, fits: (labels: Labels) => boolean) => number,
): number | null {
  const bound = bounds.find((bound) => grown(buckets, ({ le }) => Number(le) === bound) >= count)
  return bound === undefined ? null : bound * 1_000
}

export interface OperationCount {
  readonly operation: string
  readonly count: number
  /** By code, the most frequent first. */
  readonly errors: readonly (readonly [code: string, count: number])[]
}

/** What was asked since the server started, the most frequent first. */
export function countOperations(figures: Figures): OperationCount[] {
  const byOperation = new Map<string, Map<string, number>>()
  for (const { name, labels, value } of figures) {
    if (name !== 'colloquy_operations_total') continue
    const codes = byOperation.get(String(labels.operation)) ?? new Map<string, number>()
    codes.set(String(labels.code), (codes.get(String(labels.code)) ?? 0) + value)
    byOperation.set(String(labels.operation), codes)
  }
  const counted = [...byOperation].map(([operation, codes]) => ({
    operation,
    count: [...codes.values()].reduce((sum, count) => sum + count, 0),
    errors: [...codes].filter(([code]) => isError({ code })).sort(([, one], [, other]) => other - one),
  }))
  return counted.sort((one, other) => other.count - one.count)
}

/** What was refused beside operations since the server started. */
export function countRefusals(figures: Figures): (readonly [reason: string, count: number])[] {
  const refused = figures.filter(({ name, value }) => name === 'colloquy_refused_total' && value > 0)
  return refused.map(({ labels, value }) => [String(labels.reason), value])
}
