import { statfs } from 'node:fs/promises'
import type { Pool } from 'pg'
import type { Pipelines } from '../../database/reads/pipelines.ts'
import type { Bus } from '../../live/bus/bus.ts'
import type { Poll } from '../../live/poll.ts'
import type { Watchers } from '../../live/watchers.ts'
import type { Appender } from '../../storage/append/appender.ts'
import type { AnswerMemory } from '../../storage/postgres/answer-budget.ts'
import type { StreamWriter } from '../../storage/stream/stream-writer.ts'
import type { Operations } from '../operation/operations.ts'
import type { OperationMeter } from './operation-meter.ts'
import type { Refusals } from './refusals.ts'
import { type Labelled, Metrics } from './registry.ts'

/** The parts of one server that know the numbers. */
export interface Measured {
  readonly meter: OperationMeter
  readonly refusals: Refusals
  readonly operations: Pick<Operations, 'deliveries'>
  readonly appender: Appender
  readonly streamWriter: StreamWriter
  readonly watchers: Watchers
  readonly bus: Bus
  readonly poll: Poll
  readonly sockets: { readonly size: number }
  readonly streams: { readonly size: number }
  readonly pool: Pool
  readonly reads: Pipelines
  readonly answers: AnswerMemory
  readonly feedMemory: AnswerMemory
  /** The folder of the embedded database; null: the database is elsewhere. */
  readonly directory: string | null
}

/** Every metric of a server, by the names that the dashboard and the alerts of `deploy/` ask for. */
export function createMetrics(measured: Measured): Metrics {
  const metrics = new Metrics()
  tellOperations(metrics, measured)
  tellWrites(metrics, measured)
  tellFeeds(metrics, measured)
  tellDatabase(metrics, measured)
  tellRefusals(metrics, measured)
  return metrics
}

function tellOperations(metrics: Metrics, { meter, answers, feedMemory }: Measured): void {
  metrics.counters(
    'colloquy_operations_total',
    'Operations that have ended, by their root field, how they came, and OK or the code of their first error.',
    ['operation', 'over', 'code'],
    () => {
      const counted: Labelled<number>[] = []
      for (const { field, over, codes } of meter.series()) {
        for (const [code, count] of codes) counted.push([{ operation: field, over, code }, count])
      }
      return counted
    },
  )
  metrics.distributions(
    'colloquy_operation_duration_seconds',
    'From a request to the end of its answer; subscriptions are not in it.',
    () =>
      [...meter.series()]
        .filter(({ durations }) => durations.counts.some((count) => count > 0))
        .map(({ field, over, durations }) => [{ operation: field, over }, durations]),
  )
  metrics.gauges('colloquy_answer_bytes', 'Bytes of rows that are held for answers in flight.', ['of'], () => [
    [{ of: 'operations' }, answers.held],
    [{ of: 'events' }, feedMemory.held],
  ])
}

function tellWrites(metrics: Metrics, { appender, streamWriter }: Measured): void {
  const { asked } = appender
  metrics.counter('colloquy_appends_total', 'Appends that were asked for.', () => asked.appends)
  metrics.counter('colloquy_append_messages_total', 'Messages that they had.', () => asked.messages)
  metrics.distribution(
    'colloquy_append_batch_size',
    'How many appends one statement did, of those that are gathered.',
    () => appender.gathered.batches,
  )
  metrics.distribution(
    'colloquy_text_batch_size',
    'How many chunks of streamed text one statement stored.',
    () => streamWriter.gathered.batches,
  )
  metrics.gauges('colloquy_writes_waiting', 'Writes that wait for their statement.', ['of'], () => [
    [{ of: 'appends' }, appender.gathered.waiting],
    [{ of: 'text' }, streamWriter.gathered.waiting],
  ])
}

function tellFeeds(metrics: Metrics, measured: Measured): void {
  const { operations, watchers, bus, poll, sockets, streams } = measured
  metrics.gauge('colloquy_sockets', 'WebSockets that are open.', () => sockets.size)
  metrics.gauge('colloquy_event_streams', 'Event streams that are open.', () => streams.size)
  metrics.gauge('colloquy_watchers', 'Subscriptions that follow something.', () => watchers.size)
  metrics.gauge('colloquy_watched_keys', 'Conversations and lists that somebody follows.', () => watchers.count)
  const { counts } = operations.deliveries
  metrics.counter('colloquy_event_results_total', 'Results of events that were made.', () => counts.made)
  metrics.counter('colloquy_deliveries_total', 'Results of events that were sent, to each watcher.', () => counts.sent)
  metrics.distribution(
    'colloquy_delivery_lag_seconds',
    "From a change, by the database's clock, to its result for who watched then, by this server's clock.",
    () => operations.deliveries.lag,
  )
  metrics.counters(
    'colloquy_hints_total',
    'Hints between servers: given by this one, sent after those of one key were put together, heard, and dropped.',
    ['what'],
    () => Object.entries(bus.counts).map(([what, count]) => [{ what }, count]),
  )
  metrics.gauge('colloquy_hints_waiting', 'Hints that wait to be sent.', () => bus.waiting)
  metrics.gauge('colloquy_bus_up', '1 while hints from other servers come.', () => Number(bus.isOpen))
  metrics.counter('colloquy_poll_failures_total', 'Looks of the poll that failed.', () => poll.failed)
}

function tellDatabase(metrics: Metrics, { pool, reads, directory }: Measured): void {
  metrics.gauges('colloquy_pool_connections', 'Connections of the pool, by what they do.', ['state'], () => [
    [{ state: 'busy' }, pool.totalCount - pool.idleCount],
    [{ state: 'idle' }, pool.idleCount],
  ])
  metrics.gauge('colloquy_pool_size', 'The most connections that the pool may have: POOL_SIZE.', () => pool.options.max)
  metrics.gauge('colloquy_pool_waiting', 'Who waits for a connection of the pool.', () => pool.waitingCount)
  metrics.gauge('colloquy_pipelines_open', 'Pipelines that are open.', () => reads.state.open)
  metrics.gauges('colloquy_reads', 'Short reads that are under way, and that wait.', ['state'], () => [
    [{ state: 'under_way' }, reads.state.underWay],
    [{ state: 'waiting' }, reads.state.waiting],
  ])
  metrics.gauges('colloquy_database_up', '1 if the database answers now.', [], async () => [[{}, await isUp(pool)]])
  metrics.gauge('colloquy_embedded_database', '1 if the database is the embedded one.', () =>
    Number(directory !== null),
  )
  if (directory === null) return
  metrics.gauges('colloquy_embedded_database_bytes', 'Bytes of the embedded database.', [], async () => {
    const size = await askNumber(pool, 'select pg_database_size(current_database())')
    return size === null ? [] : [[{}, size]]
  })
  metrics.gauges('colloquy_embedded_disk_free_bytes', 'Bytes that are free on its disk.', [], async () => {
    const { bavail, bsize } = await statfs(directory)
    return [[{}, bavail * bsize]]
  })
}

function tellRefusals(metrics: Metrics, measured: Measured): void {
  const { refusals, answers, feedMemory, appender, streamWriter, reads } = measured
  metrics.counters(
    'colloquy_refused_total',
    'What was refused or slowed down beside operations, or because too much waits or is held.',
    ['reason'],
    () => [
      ...Object.entries(refusals.counts).map(([reason, count]): Labelled<number> => [{ reason }, count]),
      [{ reason: 'answers_held' }, answers.refused],
      [{ reason: 'events_held' }, feedMemory.refused],
      [{ reason: 'appends_waiting' }, appender.gathered.refused],
      [{ reason: 'text_waiting' }, streamWriter.gathered.refused],
      [{ reason: 'reads_waiting' }, reads.state.refused],
    ],
  )
}

async function isUp(pool: Pool): Promise<number> {
  return (await askNumber(pool, 'select 1')) ?? 0
}

/** null: the database does not answer. */
async function askNumber(pool: Pool, question: string): Promise<number | null> {
  try {
    const { rows } = await pool.query({ text: question, rowMode: 'array' })
    return Number(rows[0]?.[0])
  } catch {
    return null
  }
}
