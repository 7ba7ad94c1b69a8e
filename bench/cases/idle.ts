import type { Bench, Case, Goal } from '../case.ts'
import { broadcast, type Contender, graphqlWs, ours } from '../contenders.ts'
import { standardData } from '../data.ts'
import { Generator } from '../generator.ts'
import type { Conversations } from '../load/job.ts'
import { median, show } from '../numbers.ts'
import { Program, probe } from '../program.ts'
import { watchJob } from '../watch-case.ts'

const earlier = 1_000
const watchers = 4_000

interface Footprint {
  /** KiB per watcher. */
  readonly heap: number
  readonly resident: number
}

export const idle: Case = {
  name: 'idle',
  title: 'An idle watcher',
  async run(bench) {
    const url = await bench.database.copy('bench', standardData)
    const measured = new Map<string, Footprint>()
    for (const contender of [ours, graphqlWs, broadcast]) {
      const turns: Footprint[] = []
      for (let round = 0; round < Math.ceil(bench.options.rounds / 3); round++)
        turns.push(await weigh(bench, contender, url))
      measured.set(contender.name, {
        heap: median(turns.map(({ heap }) => heap)),
        resident: median(turns.map(({ resident }) => resident)),
      })
    }
    return {
      method: `${watchers.toLocaleString('en-US')} watchers, each with a socket and a conversation of its own; after a garbage collection, less what it was with the ${earlier.toLocaleString('en-US')} watchers before them.`,
      columns: ['KiB per watcher', 'heap', 'resident'],
      rows: [...measured].map(([name, { heap, resident }]) => [name, show(heap), show(resident)]),
      goals: goals(measured),
      notes: [],
    }
  },
}

async function weigh(bench: Bench, contender: Contender, databaseUrl: string): Promise<Footprint> {
  const command = contender.command(databaseUrl)
  await using program = await Program.start({ ...command, nodeOptions: [...(command.nodeOptions ?? []), ...probe] })
  using others = new Generator()
  // The first ones bring code, buffers and a nursery of objects that later ones share. They stay: what they would leave free
  // the others could take.
  const there = open(others, contender, program, { first: 0, count: earlier }, 600)
  // It is ended before it is done.
  there.watched.catch(() => {})
  await there.filled
  const before = { heap: await program.ask('heap'), resident: program.resident }
  const { filled, watched } = open(bench.generator, contender, program, { first: earlier, count: watchers }, 3)
  await filled
  const after = { heap: await program.ask('heap'), resident: program.resident }
  const { errors, firstError } = await watched
  if (errors > 0) throw new Error(`${contender.name}: ${errors} errors: ${firstError}`)
  const footprint = {
    heap: (after.heap - before.heap) / 1024 / watchers,
    resident: (after.resident - before.resident) / 1024 / watchers,
  }
  console.error(`  ${contender.name}: ${show(footprint.heap)} ${show(footprint.resident)}`)
  return footprint
}

/** Opens a socket with a watcher for each of the conversations. */
function open(
  generator: Generator,
  contender: Contender,
  program: Program,
  conversations: Conversations,
  seconds: number,
) {
  const opened = Promise.withResolvers<void>()
  const watching = { watchers: conversations.count, watchersPerSocket: 1, conversations, seconds }
  const watched = generator.run<'watch'>(watchJob(contender, program, watching, null), opened.resolve, () => {})
  return { filled: opened.promise, watched }
}

function goals(measured: ReadonlyMap<string, Footprint>): Goal[] {
  const { heap = Number.NaN, resident = Number.NaN } = measured.get(ours.name) ?? {}
  return [
    { goal: 'heap ≤ 5 KiB', reached: `${show(heap)} KiB`, isReached: heap <= 5 },
    { goal: 'resident ≤ 10 KiB', reached: `${show(resident)} KiB`, isReached: resident <= 10 },
  ]
}
