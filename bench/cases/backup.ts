import type { Bench, Case } from '../case.ts'
import { ours } from '../contenders.ts'
import { standardData } from '../data.ts'
import { connect } from '../database.ts'
import { median, show } from '../numbers.ts'
import { Program } from '../program.ts'

const writers = 16
const goal = 500

export const backup: Case = {
  name: 'backup',
  title: "One conversation's appends while a backup holds a snapshot open",
  async run(bench) {
    const seconds = bench.options.full ? 60 : 10 * Math.min(4, bench.options.seconds)
    const withIndex = await appendDuringBackup(bench, seconds, true)
    const withoutIndex = await appendDuringBackup(bench, seconds, false)
    const rows = [
      ['with the index on updated_at', ...describe(withIndex)],
      ['without it', ...describe(withoutIndex)],
    ]
    const slowest = Math.min(...withIndex.perSecond)
    return {
      method: `${writers} writers append to one conversation for ${seconds} s, while a transaction keeps its snapshot: no old version of the conversation's row can be removed.`,
      columns: ['per second', 'before', 'first 5 s', 'last 5 s', 'slowest second', 'PostgreSQL µs per append'],
      rows,
      goals: [{ goal: `no second below ${goal} appends`, reached: `${show(slowest)}`, isReached: slowest >= goal }],
      notes: [
        'Without the index the list of conversations would have to be sorted each time; it is dropped only here.',
      ],
    }
  },
}

interface Appended {
  /** Before the snapshot is taken. */
  readonly before: number
  readonly perSecond: readonly number[]
  /** Microseconds per append. */
  readonly databaseCpu: number
}

async function appendDuringBackup(bench: Bench, seconds: number, withIndex: boolean): Promise<Appended> {
  const url = await bench.database.copy('bench', standardData)
  await using client = await connect(url)
  if (!withIndex) await client.query('drop index conversation_user_id_updated_at_key_index')
  await using program = await Program.start(ours.command(url))
  const job = {
    kind: 'requests',
    port: program.port,
    request: ours.questions.append,
    connections: writers,
    conversations: { first: 4711, count: 1 },
  } as const
  const nothing = () => {}
  const before = await bench.generator.run<'requests'>({ ...job, warmUpSeconds: 2, seconds: 3 }, nothing, nothing)
  await client.query('begin isolation level repeatable read')
  await client.query('select count(*) from conversation where false')
  let cpu = -bench.database.cpu
  const during = await bench.generator.run<'requests'>({ ...job, warmUpSeconds: 0, seconds }, nothing, nothing)
  cpu += bench.database.cpu
  await client.query('commit')
  if (during.errors > 0) throw new Error(`${during.errors} errors: ${during.firstError}`)
  const perSecond = Array.from({ length: seconds }, (_, second) => during.perSecond[second] ?? 0)
  console.error(`  ${withIndex ? 'with' : 'without'} the index: ${perSecond.join(' ')}`)
  return { before: before.completed / before.seconds, perSecond, databaseCpu: cpu / during.completed }
}

function describe({ before, perSecond, databaseCpu }: Appended): string[] {
  const slowest = Math.min(...perSecond)
  return [before, median(perSecond.slice(0, 5)), median(perSecond.slice(-5)), slowest, databaseCpu].map(show)
}
