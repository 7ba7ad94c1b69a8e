import type { Bench, Goal, Outcome } from './case.ts'
import type { Contender } from './contenders.ts'
import { connect } from './database.ts'
import type { Question } from './documents.ts'
import type { Conversations, RequestResult } from './load/job.ts'
import { mebibytes, median, show } from './numbers.ts'
import { Program } from './program.ts'
import { inTurns } from './turns.ts'

/** What one server did in one turn, or in the median of its turns. */
export interface Measurement {
  /** Per second. */
  readonly throughput: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Microseconds per request. */
  readonly serverCpu: number
  readonly databaseCpu: number
  /** Bytes. */
  readonly resident: number
  readonly errors: number
}

/** What uses the processor, in microseconds so far. */
export interface Metered {
  readonly cpu: number
}

export interface Load {
  readonly question: Question
  readonly connections: number
  readonly conversations: Conversations
  readonly cursors?: readonly string[]
}

/** Whatever can take a turn under a load: a server, or a program that makes its own load. */
export interface Entrant extends AsyncDisposable {
  readonly name: string
  turn(bench: Bench, warmUpSeconds: number): Promise<Measurement>
}

/** Gives each its turns, and answers the medians by name. */
export function compare(bench: Bench, entrants: readonly Entrant[]): Promise<Map<string, Measurement>> {
  return inTurns(entrants, {
    rounds: bench.options.rounds,
    take: (entrant, round) => entrant.turn(bench, warmUpSeconds(round)),
    medians,
    describe,
  })
}

/** The first turn of a server also compiles its code. */
function warmUpSeconds(round: number): number {
  return round === 0 ? 2 : 0.5
}

/** Starts a server on a database; it is driven with requests in its turns. */
export async function enterServer(contender: Contender, databaseUrl: string, load: Load): Promise<Entrant> {
  const program = await Program.start(contender.command(databaseUrl))
  return {
    name: contender.name,
    turn: (bench, warmUpSeconds) => drive(bench, contender, program, databaseUrl, load, warmUpSeconds),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  }
}

/** Drives a server that runs with requests, and sees to it that the answers are right and every append is there. */
export async function drive(
  { database, generator, options }: Pick<Bench, 'generator' | 'options'> & { readonly database: Metered },
  { name, questions }: Contender,
  program: Program,
  databaseUrl: string,
  { question, ...how }: Load,
  warmUpSeconds: number,
): Promise<Measurement> {
  const before = question === 'append' ? await countAppended(databaseUrl) : 0
  const used = meter(program, database)
  const { port } = program
  const job = {
    kind: 'requests',
    port,
    request: questions[question],
    ...how,
    warmUpSeconds,
    seconds: options.seconds,
  } as const
  const result = await generator.run<'requests'>(job, used.begin, used.end)
  if (result.firstError !== null) console.error(`  ${name}: ${result.errors} errors: ${result.firstError}`)
  if (question === 'append') requireAll(name, result, (await countAppended(databaseUrl)) - before)
  return toMeasurement(result, used, program.resident)
}

/** Reads what a server and PostgreSQL use of the processor between two moments, in microseconds. */
export function meter(program: Program, database: Metered) {
  let server = 0
  let postgres = 0
  return {
    begin() {
      server -= program.cpu
      postgres -= database.cpu
    },
    end() {
      server += program.cpu
      postgres += database.cpu
    },
    get server() {
      return server
    },
    get postgres() {
      return postgres
    },
  }
}

/** All measurements as a table, and how the first one stands to the others. */
export function report(measured: ReadonlyMap<string, Measurement>, method: string, goals: readonly Goal[]): Outcome {
  const [first] = measured.values()
  return {
    method,
    columns: [
      '',
      'per second',
      'p50 ms',
      'p99 ms',
      'server µs',
      'PostgreSQL µs',
      'resident MiB',
      'errors',
      'our ratio',
    ],
    rows: [...measured].map(([name, measurement], index) => [
      name,
      ...describe(measurement),
      index === 0 || first === undefined ? '' : `${show(first.throughput / measurement.throughput)} ×`,
    ]),
    goals,
    notes: [],
  }
}

/** A goal of the form: our throughput is at least so many times a peer's. */
export function atLeast(measured: ReadonlyMap<string, Measurement>, peer: string, times: number): Goal[] {
  const [first] = measured.values()
  const other = measured.get(peer)
  if (first === undefined || other === undefined) return []
  const ratio = first.throughput / other.throughput
  return [
    { goal: `≥ ${times} × ${peer}`, reached: `${show(ratio)} ×`, isReached: Number.isFinite(ratio) && ratio >= times },
  ]
}

/** A goal of the form: a request takes at most so many microseconds of our server's processor. */
export function atMostServerCpu(measured: ReadonlyMap<string, Measurement>, microseconds: number): Goal[] {
  const [first] = measured.values()
  if (first === undefined) return []
  const reached = first.serverCpu <= microseconds
  return [{ goal: `≤ ${microseconds} µs of server`, reached: `${show(first.serverCpu)} µs`, isReached: reached }]
}

function describe(measurement: Measurement): string[] {
  const { throughput, p50, p99, serverCpu, databaseCpu, resident, errors } = measurement
  return [...[throughput, p50, p99, serverCpu, databaseCpu].map(show), mebibytes(resident), String(errors)]
}

function toMeasurement(result: RequestResult, used: ReturnType<typeof meter>, resident: number): Measurement {
  return {
    throughput: result.completed / result.seconds,
    p50: result.p50,
    p99: result.p99,
    serverCpu: used.server / result.completed,
    databaseCpu: used.postgres / result.completed,
    resident,
    errors: result.errors,
  }
}

function medians(turns: readonly Measurement[]): Measurement {
  const of = (name: keyof Measurement) => median(turns.map((turn) => turn[name]))
  return {
    throughput: of('throughput'),
    p50: of('p50'),
    p99: of('p99'),
    serverCpu: of('serverCpu'),
    databaseCpu: of('databaseCpu'),
    resident: of('resident'),
    errors: turns.reduce((total, { errors }) => total + errors, 0),
  }
}

/** Every append moves its conversation's last seq by one, and leaves a row of that seq. */
async function countAppended(databaseUrl: string): Promise<number> {
  await using client = await connect(databaseUrl)
  const { rows } = await client.query<{ sum: string }>('select sum(last_seq) from conversation')
  return Number(rows[0]?.sum)
}

function requireAll(name: string, { answered, errors }: RequestResult, appended: number): void {
  // What failed may have been stored or not.
  if (appended < answered || appended > answered + errors) {
    throw new Error(`${name} answered ${answered} appends and stored ${appended}`)
  }
}
