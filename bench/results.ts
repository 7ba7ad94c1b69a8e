import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Case, Options, Outcome } from './case.ts'
import { show } from './numbers.ts'
import { root } from './program.ts'
import { renderTable } from './table.ts'

/** What was measured last of a case, and when. */
interface Kept {
  readonly date: string
  readonly options: Options
  readonly outcome: Outcome
}

const folder = join(root, 'bench/.data/outcomes')

/** Keeps it until the case runs again: a run of one case leaves the others in the results. */
export async function keepOutcome({ name }: Case, options: Options, outcome: Outcome): Promise<void> {
  await mkdir(folder, { recursive: true })
  const kept: Kept = { date: new Date().toISOString().slice(0, 16).replace('T', ' '), options, outcome }
  await writeFile(join(folder, `${name}.json`), JSON.stringify(kept, null, 2))
}

/** One case as Markdown. */
export function renderOutcome({ name, title }: Case, { method, columns, rows, goals, notes }: Outcome): string {
  const reached = goals.map(({ goal, reached, isReached }) => [goal, reached, isReached ? 'yes' : 'no'])
  return [
    `## ${title}`,
    `${method} \`npm run bench -- ${name}\``,
    renderTable(columns, rows),
    ...(goals.length > 0 ? [renderTable(['goal', 'measured', 'reached'], reached)] : []),
    ...notes,
  ].join('\n\n')
}

/** Writes `bench/results.md` of everything that was kept. */
export async function writeResults(cases: readonly Case[]): Promise<void> {
  const sections: string[] = []
  for (const one of cases) {
    const text = await readFile(join(folder, `${one.name}.json`), 'utf8').catch(() => null)
    if (text === null) continue
    const { date, options, outcome } = JSON.parse(text) as Kept
    const how = `--seconds ${options.seconds} --rounds ${options.rounds}${options.full ? ' --full' : ''}`
    sections.push(`${renderOutcome(one, outcome)}\n\n_Measured ${date} UTC with ${how}._`)
  }
  await writeFile(join(root, 'bench/results.md'), `${[introduction(), ...sections].join('\n\n')}\n`)
}

function introduction(): string {
  const [cpu] = cpus()
  return [
    '# Results',
    'Written by `npm run bench`; see [README.md](README.md) for what is measured and how.',
    `Machine: ${cpus().length} × ${cpu?.model.trim()}, ${show(totalmem() / 1024 ** 3)} GiB, ${process.platform}, Node ${process.versions.node}. ` +
      'The server, PostgreSQL and the generator of the load share its processors. CPU is in microseconds per request ' +
      '(per delivery where something is delivered), from /proc; it is steadier than throughput and latency, which are ' +
      'medians over the rounds.',
  ].join('\n\n')
}
