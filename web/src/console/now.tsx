import type { ReactNode } from 'react'
import { Chart } from './chart.tsx'
import { countOperations, countRefusals, type History, type Point, sumOf } from './figures.ts'
import { Table } from './table.tsx'
import { sayBytes, sayCount, sayFigure, sayNumber } from './words.tsx'

/** What one server does now, and what it was asked since it started. */
export function Now({ history }: { readonly history: History | null }) {
  if (history === null) return null
  const { figures, points } = history
  const last = points.at(-1)
  const of = (name: string, state?: string) =>
    sumOf(figures, name, (labels) => state === undefined || labels.state === state)
  const size = of('colloquy_pool_size')
  const lag = points.findLast((point) => point.lag !== null)
  return (
    <>
      <div className="figures">
        <Figure name="Appends" unit="in a second" of={(point) => point.appends} points={points} value={last?.appends}>
          {sayNumber(of('colloquy_append_messages_total'), 'message')} in{' '}
          {sayNumber(of('colloquy_appends_total'), 'append')} since the start
        </Figure>
        <Figure
          name="Deliveries"
          unit="in a second"
          of={(point) => point.deliveries}
          points={points}
          value={last?.deliveries}
        >
          {sayCount(of('colloquy_deliveries_total'))} since the start
        </Figure>
        <Figure
          name="Watchers"
          unit="subscriptions"
          of={(point) => point.watchers}
          points={points}
          value={of('colloquy_watchers')}
        >
          of {sayNumber(of('colloquy_watched_keys'), 'conversation or list', 'conversations and lists')}, over{' '}
          {sayNumber(of('colloquy_sockets'), 'socket')} and {sayNumber(of('colloquy_event_streams'), 'event stream')}
        </Figure>
        <Figure
          name="Lag"
          unit="ms from the change to its watchers"
          of={(point) => point.lag}
          points={points}
          value={lag?.lag}
        >
          {sayMost(lag)}
        </Figure>
        <Figure
          name="Pool"
          unit={`of ${size} connections are busy`}
          of={(point) => point.busy}
          points={points}
          value={of('colloquy_pool_connections', 'busy')}
          top={size}
        >
          {sayCount(of('colloquy_pool_waiting'))} wait for one, {sayCount(of('colloquy_reads', 'waiting'))} reads and{' '}
          {sayCount(of('colloquy_writes_waiting'))} writes for their turn
        </Figure>
        <Figure name="Errors" unit="in a second" of={(point) => point.errors} points={points} value={last?.errors}>
          answers hold {sayBytes(of('colloquy_answer_bytes'))};{' '}
          {of('colloquy_bus_up') === 1 ? 'other servers are heard' : 'other servers are not heard'}
        </Figure>
      </div>
      <Operations history={history} />
    </>
  )
}

function sayMost(point: Point | undefined): string {
  if (point === undefined) return 'nothing was delivered while this page looked'
  if (point.lagOfMost === null) return 'nineteen of twenty took longer than is told apart'
  return `nineteen of twenty within ${sayFigure(point.lagOfMost)} ms`
}

interface FigureProps {
  readonly name: string
  readonly unit: string
  readonly of: (point: Point) => number | null
  readonly points: readonly Point[]
  readonly value: number | null | undefined
  readonly top?: number
  readonly children: ReactNode
}

function Figure({ name, unit, of, points, value, top = 1, children }: FigureProps) {
  const values = points.map(of)
  const highest = Math.max(0, ...values.map((one) => one ?? 0))
  return (
    <section className="figure" aria-label={name}>
      <h2>{name}</h2>
      <p className="figure-value">
        <b>{value === null || value === undefined ? '–' : sayFigure(value)}</b> {unit}
      </p>
      <Chart label={`${name} of the last minutes, at most ${sayFigure(highest)}`} values={values} top={top} />
      <p className="figure-more">{children}</p>
    </section>
  )
}

const shownOperations = 25

function Operations({ history: { figures } }: { readonly history: History }) {
  const refusals = countRefusals(figures)
  return (
    <>
      <Table title="Operations since the start" heads={['Operation', 'Ended', 'Errors']} numbers={[1]}>
        {countOperations(figures)
          .slice(0, shownOperations)
          .map(({ operation, count, errors }) => (
            <tr key={operation}>
              <td>{operation}</td>
              <td className="number">{sayCount(count)}</td>
              <td>{sayCounts(errors)}</td>
            </tr>
          ))}
      </Table>
      {refusals.length > 0 && <p className="console-text">Refused beside operations: {sayCounts(refusals)}.</p>}
    </>
  )
}

function sayCounts(counts: readonly (readonly [name: string, count: number])[]): string {
  return counts.map(([name, count]) => `${name} ${sayCount(count)}`).join(', ')
}
