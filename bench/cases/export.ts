import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bench, Case } from '../case.ts'
import { type DataSet, standardData } from '../data.ts'
import { cpuOf, residentOf } from '../meter.ts'
import { mebibytes, median, show } from '../numbers.ts'
import { root } from '../program.ts'

const goal = 20_000
const nothing: DataSet = { conversations: 0, long: 0 }

export const exportAll: Case = {
  name: 'export',
  title: 'Exporting a million messages, and importing them',
  async run(bench) {
    const folder = await mkdtemp(join(tmpdir(), 'colloquy-bench-'))
    try {
      const file = join(folder, 'all.jsonl')
      const full = await bench.database.copy('bench', standardData)
      const exported: Transfer[] = []
      for (let round = 0; round < bench.options.rounds; round++)
        exported.push(await measure(bench, full, ['export', '--output', file, '--json']))
      const imported = await measure(bench, await bench.database.copy('bench_empty', nothing), [
        'import',
        file,
        '--json',
      ])
      const rate = median(exported.map(({ rate }) => rate))
      return {
        method: `\`colloquy export\` and \`colloquy import\`, each a program of its own; ${bench.options.rounds} exports and one import.`,
        columns: ['', 'messages/s', 'µs of the program', 'µs of PostgreSQL', 'most MiB resident'],
        rows: [
          ['export', ...describe(exported)],
          ['import', ...describe([imported])],
        ],
        goals: [{ goal: `export ≥ ${show(goal)} messages/s`, reached: show(rate), isReached: rate >= goal }],
        notes: ['CPU is for each message. The time of the program is from its start to its end.'],
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}

/** Of one program: messages a second, microseconds for each message, and bytes. */
interface Transfer {
  readonly rate: number
  readonly cpu: number
  readonly databaseCpu: number
  readonly resident: number
}

async function measure({ database }: Bench, databaseUrl: string, command: readonly string[]): Promise<Transfer> {
  const began = performance.now()
  const databaseBegan = database.cpu
  const child = spawn(process.execPath, ['dist/src/main.js', ...command], {
    cwd: root,
    env: { PATH: process.env.PATH, NODE_ENV: 'production', DATABASE_URL: databaseUrl },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let [cpu, resident, output] = [0, 0, '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const sampler = setInterval(() => {
    try {
      resident = Math.max(resident, residentOf(child.pid as number))
      cpu = Math.max(cpu, cpuOf(child.pid as number))
    } catch {
      // It has just ended.
    }
  }, 50)
  const [code] = await once(child, 'exit')
  clearInterval(sampler)
  const seconds = (performance.now() - began) / 1_000
  if (code !== 0) throw new Error(`colloquy ${command.join(' ')} ended with ${code}`)
  const { messages } = JSON.parse(output) as { messages: number }
  const databaseCpu = (database.cpu - databaseBegan) / messages
  return { rate: messages / seconds, cpu: cpu / messages, databaseCpu, resident }
}

function describe(transfers: readonly Transfer[]): string[] {
  const of = (what: keyof Transfer) => median(transfers.map((transfer) => transfer[what]))
  return [show(of('rate')), show(of('cpu')), show(of('databaseCpu')), mebibytes(of('resident'))]
}
