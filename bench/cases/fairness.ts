import type { Bench, Case } from '../case.ts'
import { meter } from '../compare.ts'
import { ours } from '../contenders.ts'
import { standardData } from '../data.ts'
import { questions } from '../documents.ts'
import { Generator } from '../generator.ts'
import type { PacedJob } from '../load/job.ts'
import { median, show } from '../numbers.ts'
import { Program } from '../program.ts'
import { inTurns } from '../turns.ts'

/** The default. */
const rateLimit = 5_000
/** What the page costs that is asked for. */
const pageCost = 70
const timesItsLimit = 50
const floodPerSecond = Math.round((timesItsLimit * rateLimit) / pageCost)

const users = 10
const perUser = 10
/** So a turn has at least a thousand requests, and its p99 is not one request. */
const shortestTurn = 11
const goal = 2

/** What the other users met in one turn, or in the median of the turns. */
interface Turn {
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly requests: number
  /** Of the user who floods, per second. */
  readonly answered: number
  readonly refused: number
  /** Seconds of the processor in a second. */
  readonly server: number
  readonly postgres: number
}

/** With what a server does by default: it writes a log, and it has rates. */
const limited = {
  ...ours,
  command: (databaseUrl: string) => {
    const command = ours.command(databaseUrl)
    return { ...command, env: { ...command.env, LOG_LEVEL: 'info', RATE_LIMIT: String(rateLimit) } }
  },
}

export const fairness: Case = {
  name: 'fairness',
  title: 'Ten users beside one who floods',
  async run(bench) {
    const url = await bench.database.copy('bench', standardData)
    await using program = await Program.start(limited.command(url))
    using flooder = new Generator()
    const entrants = [
      { name: 'alone', flooder: null },
      { name: 'flooded', flooder },
    ]
    const measured = await inTurns(entrants, {
      rounds: bench.options.rounds,
      take: (entrant) => takeTurn(bench, program, entrant.flooder),
      medians,
      describe,
    })
    const [alone, flooded] = [...measured.values()] as [Turn, Turn]
    const ratio = flooded.p99 / alone.p99
    return {
      method: `${users} users ask for the last 50 messages of their conversations, ${perUser} times a second each; in every other turn one more user asks for ${floodPerSecond.toLocaleString('en-US')} pages a second, ${timesItsLimit} times its limit.`,
      columns: ['', 'p50 ms', 'p99 ms', 'requests', 'flood answered/s', 'refused/s', 'server CPU', 'PostgreSQL CPU'],
      rows: [...measured].map(([name, turn]) => [name, ...describe(turn)]),
      goals: [{ goal: `p99 ≤ ${goal} × alone`, reached: `${show(ratio)} ×`, isReached: ratio <= goal }],
      notes: [],
    }
  },
}

async function takeTurn(bench: Bench, program: Program, flooder: Generator | null): Promise<Turn> {
  const seconds = Math.max(bench.options.seconds, shortestTurn)
  const used = meter(program, bench.database)
  const job = { kind: 'paced', port: program.port, request: questions.page } as const
  const other: PacedJob = {
    ...job,
    conversations: { first: 100, count: users * 100 },
    perSecond: users * perUser,
    connections: 50,
    mayBeRefused: false,
    warmUpSeconds: 1,
    seconds,
  }
  const flood: PacedJob = {
    ...job,
    conversations: { first: 0, count: 100 },
    perSecond: floodPerSecond,
    // Each refusal takes 50 ms.
    connections: 512,
    mayBeRefused: true,
    // By then its burst is used up.
    warmUpSeconds: 3,
    seconds: seconds + 2,
  }
  const begun = Promise.withResolvers<void>()
  const flooding = flooder?.run<'paced'>(flood, begun.resolve, () => {})
  if (flooding !== undefined) await begun.promise
  const result = await bench.generator.run<'paced'>(other, used.begin, used.end)
  const flooded = await flooding
  for (const { errors, firstError } of [result, flooded ?? result]) {
    if (errors > 0) throw new Error(`${errors} errors: ${firstError}`)
  }
  const { p50, p99, completed } = result
  return {
    p50,
    p99,
    requests: completed,
    answered: (flooded?.completed ?? 0) / flood.seconds,
    refused: (flooded?.refused ?? 0) / flood.seconds,
    server: used.server / 1e6 / seconds,
    postgres: used.postgres / 1e6 / seconds,
  }
}

function describe({ p50, p99, requests, answered, refused, server, postgres }: Turn): string[] {
  return [...[p50, p99].map(show), String(requests), ...[answered, refused, server, postgres].map(show)]
}

function medians(turns: readonly Turn[]): Turn {
  const of = (name: keyof Turn) => median(turns.map((turn) => turn[name]))
  return {
    p50: of('p50'),
    p99: of('p99'),
    requests: turns.reduce((sum, { requests }) => sum + requests, 0),
    answered: of('answered'),
    refused: of('refused'),
    server: of('server'),
    postgres: of('postgres'),
  }
}
