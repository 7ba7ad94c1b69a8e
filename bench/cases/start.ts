import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Case } from '../case.ts'
import { median, show } from '../numbers.ts'
import { Program } from '../program.ts'

const goal = 1.5

export const start: Case = {
  name: 'start',
  title: 'Start with the embedded database',
  async run({ options }) {
    const folder = await mkdtemp(join(tmpdir(), 'colloquy-bench-'))
    try {
      const first = await timeStart(folder)
      const later: number[] = []
      for (let round = 0; round < options.rounds; round++) later.push(await timeStart(folder))
      const second = median(later)
      return {
        method: 'From the start of the process until it says that it is ready; the first one makes the cluster.',
        columns: ['', 'seconds'],
        rows: [
          ['first start', show(first)],
          ['second start', show(second)],
        ],
        goals: [{ goal: `second start ≤ ${goal} s`, reached: `${show(second)} s`, isReached: second <= goal }],
        notes: [],
      }
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  },
}

async function timeStart(folder: string): Promise<number> {
  const began = performance.now()
  const env = { PORT: '0', DATA_DIR: join(folder, 'data'), LOG_LEVEL: 'warn' }
  await using _server = await Program.start({ script: 'dist/src/main.js', env })
  return (performance.now() - began) / 1000
}
