import { readConfig } from '../../src/config.ts'
import { migrate } from '../../src/database/migrate.ts'
import { withDatabase } from '../../test/support/database/database-url.ts'
import { createOnAll, dropOnAll, type Nodes, readNodes, registerNodes } from '../../test/support/database/nodes.ts'
import type { Case } from '../case.ts'
import { compare, drive, type Entrant, type Metered, report } from '../compare.ts'
import { ours } from '../contenders.ts'
import { seedConversations } from '../data.ts'
import { connect } from '../database.ts'
import { cpuOf, parentOf } from '../meter.ts'
import { show } from '../numbers.ts'
import { Program } from '../program.ts'

const conversations = 1_000
const load = { question: 'append', connections: 128, conversations: { first: 0, count: conversations } } as const
const goal = 0.5

/** The machine of the coordinator has the workers and the one PostgreSQL too: what differs is the work. */
export const citus: Case = {
  name: 'citus',
  title: 'Append on Citus, 128 connections',
  needs: 'BENCH_CITUS_URL',
  async run(bench) {
    const nodes = await readNodes(process.env.BENCH_CITUS_URL as string)
    const meter = await meterOf(nodes)
    await using cleared = new AsyncDisposableStack()
    const entrants: Entrant[] = []
    for (const spreads of [true, false]) {
      const name = `colloquy_bench_${spreads ? 'citus' : 'one'}`
      const on: Nodes = spreads ? nodes : [nodes[0]]
      await dropOnAll(on, name)
      cleared.defer(() => dropOnAll(on, name))
      await createOnAll(on, name)
      if (spreads) await registerNodes(on, name)
      const url = withDatabase(nodes[0], name)
      await fill(url)
      entrants.push(cleared.use(await enter(spreads ? 'on Citus' : 'on one PostgreSQL', url, meter)))
    }
    const measured = await compare(bench, entrants)
    const [spread, one] = [...measured.values()].map(({ throughput }) => throughput)
    const ratio = (spread ?? Number.NaN) / (one ?? Number.NaN)
    const reached = { goal: `≥ ${goal} × one PostgreSQL`, reached: `${show(ratio)} ×`, isReached: ratio >= goal }
    const method = `Each request appends one message with a client id to one of ${conversations} conversations; on a Citus of ${nodes.length - 1} workers, and on the PostgreSQL that is its coordinator. PostgreSQL µs are those of all machines of the Citus.`
    return report(measured, method, [reached])
  },
}

async function fill(url: string): Promise<void> {
  await migrate(url, readConfig({}).pool)
  await using client = await connect(url)
  await seedConversations(client, conversations)
}

async function enter(name: string, url: string, database: Metered): Promise<Entrant> {
  const program = await Program.start(ours.command(url))
  return {
    name,
    turn: ({ generator, options }, warmUpSeconds) =>
      drive({ database, generator, options }, { ...ours, name }, program, url, load, warmUpSeconds),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  }
}

/** All machines of the Citus run on this one. */
async function meterOf(nodes: Nodes): Promise<Metered> {
  const postmasters: number[] = []
  for (const node of nodes) {
    await using client = await connect(node)
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
    postmasters.push(parentOf(rows[0]?.pid as number))
  }
  return {
    get cpu() {
      return postmasters.reduce((sum, pid) => sum + cpuOf(pid), 0)
    },
  }
}
