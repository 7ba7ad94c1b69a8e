import { type Bench, type Goal, type Outcome } from './case.ts'
import { meter } from './compare.ts'
import { broadcast, type Contender } from './contenders.ts'
import { connectionParams, subscription } from './documents.ts'
import type { Conversations, Members, WatchJob, WatchResult } from './load/job.ts'
import { mebibytes, median, show } from './numbers.ts'
import { Program } from './program.ts'
import { inTurns } from './turns.ts'

export interface Watching {
  readonly watchers: number
  readonly watchersPerSocket: number
  readonly conversations: Conversations
  readonly members?: Members
  readonly connections: number
  /** Appends per second; another number for servers that cannot do so many. */
  perSecond(contender: Contender): number
  readonly seconds: number
}

/** What one server did, in the median of its turns. */
export interface Delivery {
  /** Deliveries per second. */
  readonly throughput: number
  /** Milliseconds from when the message was made to its delivery. */
  readonly p50: number
  readonly p99: number
  /** Microseconds per delivery. */
  readonly serverCpu: number
  readonly databaseCpu: number
  /** Bytes, with all watchers there. */
  readonly resident: number
  readonly missing: number
  readonly errors: number
  /** Milliseconds. */
  readonly behind: number
}

/** Lets each server deliver in its turns. Each turn opens its watchers anew. */
export function compareDelivery(
  bench: Bench,
  contenders: readonly Contender[],
  databaseUrl: string,
  watching: Watching,
): Promise<Map<string, Delivery>> {
  const entrants = contenders.map((contender) => ({ name: contender.name, contender, watching }))
  return deliverInTurns(bench, entrants, databaseUrl)
}

/** The same with watchers of their own for each. */
export function deliverInTurns(
  bench: Bench,
  entrants: readonly { readonly name: string; readonly contender: Contender; readonly watching: Watching }[],
  databaseUrl: string,
): Promise<Map<string, Delivery>> {
  return inTurns(entrants, {
    rounds: Math.min(bench.options.rounds, 2),
    async take({ contender, watching }) {
      await using program = await Program.start(contender.command(databaseUrl))
      // The server is there until it has delivered.
      return await deliver(bench, contender, program, watching)
    },
    medians,
    describe,
  })
}

/** The sockets of a server, opened as a job says. */
export function watchJob(
  contender: Contender,
  program: Program,
  watching: Pick<Watching, 'watchers' | 'watchersPerSocket' | 'conversations' | 'members' | 'seconds'>,
  append: WatchJob['append'],
): WatchJob {
  return {
    kind: 'watch',
    port: program.port,
    socketPort: program.socketPort,
    path: '/graphql',
    protocol: contender === broadcast ? 'bare' : 'graphql-transport-ws',
    connectionParams,
    subscription,
    watchers: watching.watchers,
    watchersPerSocket: watching.watchersPerSocket,
    conversations: watching.conversations,
    ...(watching.members === undefined ? {} : { members: watching.members }),
    append,
    warmUpSeconds: 2,
    seconds: watching.seconds,
  }
}

export function reportDelivery(
  measured: ReadonlyMap<string, Delivery>,
  method: string,
  goals: readonly Goal[],
): Outcome {
  const [first] = measured.values()
  return {
    method,
    columns: [
      '',
      'deliveries per second',
      'p50 ms',
      'p99 ms',
      'server µs',
      'PostgreSQL µs',
      'resident MiB',
      'missing',
      'errors',
      'generator late ms',
      'our CPU ratio',
    ],
    rows: [...measured].map(([name, delivery], index) => [
      name,
      ...describe(delivery),
      index === 0 || first === undefined ? '' : `${show(first.serverCpu / delivery.serverCpu)} ×`,
    ]),
    goals,
    notes: [],
  }
}

async function deliver(bench: Bench, contender: Contender, program: Program, watching: Watching): Promise<Delivery> {
  const { connections } = watching
  const append = { request: contender.questions.append, connections, perSecond: watching.perSecond(contender) }
  const used = meter(program, bench.database)
  let resident = 0
  const end = () => {
    used.end()
    resident = program.resident
  }
  const result = await bench.generator.run<'watch'>(watchJob(contender, program, watching, append), used.begin, end)
  if (result.firstError !== null) console.error(`  ${contender.name}: ${result.errors} errors: ${result.firstError}`)
  return toDelivery(result, used, resident)
}

function toDelivery(result: WatchResult, used: ReturnType<typeof meter>, resident: number): Delivery {
  const { p50, p99, delivered, seconds, missing, errors, behind } = result
  return {
    throughput: delivered / seconds,
    p50,
    p99,
    serverCpu: used.server / delivered,
    databaseCpu: used.postgres / delivered,
    resident,
    missing,
    errors,
    behind,
  }
}

function describe(of: Delivery): string[] {
  const { throughput, p50, p99, serverCpu, databaseCpu, resident, missing, errors, behind } = of
  const numbers = [throughput, p50, p99, serverCpu, databaseCpu].map(show)
  return [...numbers, mebibytes(resident), String(missing), String(errors), show(behind)]
}

function medians(turns: readonly Delivery[]): Delivery {
  const of = (name: keyof Delivery) => median(turns.map((turn) => turn[name]))
  const sum = (name: 'missing' | 'errors') => turns.reduce((total, turn) => total + turn[name], 0)
  return {
    throughput: of('throughput'),
    p50: of('p50'),
    p99: of('p99'),
    serverCpu: of('serverCpu'),
    databaseCpu: of('databaseCpu'),
    resident: of('resident'),
    missing: sum('missing'),
    errors: sum('errors'),
    behind: Math.max(...turns.map(({ behind }) => behind)),
  }
}
