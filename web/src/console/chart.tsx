interface ChartProps {
  /** What it shows, for those who do not see it. */
  readonly label: string
  /** The newest last; null: there is no value. */
  readonly values: readonly (number | null)[]
  /** The top of the chart, unless a value is higher. */
  readonly top: number
}

/** A minute: with fewer values there is room at the left. */
const leastValues = 30
const height = 40

/** The last minutes as a line that moves to the left. */
export function Chart({ label, values, top }: ChartProps) {
  const width = Math.max(leastValues, values.length) - 1
  const highest = Math.max(top, ...values.map((value) => value ?? 0))
  const first = width - (values.length - 1)
  const runs = runsOf(values).map((run) =>
    run.map(([index, value]) => [first + index, height - 1 - (value / highest) * (height - 3)] as const),
  )
  const line = runs.map((run) => `M${run.map(([x, y]) => `${x} ${y.toFixed(2)}`).join('L')}h0`).join('')
  const area = runs
    .map((run) => `M${run[0]?.[0]} ${height}L${run.map(([x, y]) => `${x} ${y.toFixed(2)}`).join('L')}V${height}Z`)
    .join('')
  return (
    <svg className="chart" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={label}>
      <path className="chart-area" d={area} />
      <path className="chart-line" d={line} />
    </svg>
  )
}

type Run = [index: number, value: number][]

/** What stands side by side, without the places where there is no value. */
function runsOf(values: readonly (number | null)[]): Run[] {
  const runs: Run[] = []
  let run: Run | null = null
  for (const [index, value] of values.entries()) {
    if (value === null) run = null
    else if (run === null) {
      run = [[index, value]]
      runs.push(run)
    } else run.push([index, value])
  }
  return runs
}
