import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Options } from './case.ts'
import { cases } from './cases.ts'
import { Database } from './database.ts'
import { Generator } from './generator.ts'
import { keepOutcome, renderOutcome, writeResults } from './results.ts'

const { chosen, options } = readArguments()
await using database = await Database.start()
using generator = new Generator()
for (const one of chosen) {
  console.error(`${one.name} …`)
  try {
    const outcome = await one.run({ database, generator, options })
    // The figures that are kept compare with the peers.
    if (options.against === undefined) await keepOutcome(one, options, outcome)
    console.log(renderOutcome(one, outcome))
  } catch (error) {
    console.error(error)
    process.exitCode = 1
  }
}
if (options.against === undefined) await writeResults(cases)

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      seconds: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      full: { type: 'boolean', default: false },
      against: { type: 'string' },
    },
  })
  const unknown = positionals.find((name) => !cases.some((one) => one.name === name))
  if (unknown !== undefined) {
    console.error(`There is no case ${unknown}; there are ${cases.map(({ name }) => name).join(', ')}.`)
    process.exit(1)
  }
  // All of them are to end within ten minutes, and one within two.
  const { seconds = positionals.length === 0 ? 2 : 4 } = values
  const { rounds, full, against } = values
  const options: Options = {
    seconds: Number(seconds),
    rounds: Number(rounds),
    full,
    against: against === undefined ? undefined : resolve(against),
  }
  return { chosen: cases.filter(({ name }) => positionals.length === 0 || positionals.includes(name)), options }
}
