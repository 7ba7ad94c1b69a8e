import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
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
  if (one.needs !== undefined && !process.env[one.needs]) {
    console.error(`${one.name}: not run, for ${one.needs} is not set`)
    continue
  }
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
  const { values, positionals } = parse()
  const unknown = positionals.find((name) => !cases.some((one) => one.name === name))
  if (unknown !== undefined) {
    refuse(`There is no case ${unknown}; there are ${cases.map(({ name }) => name).join(', ')}.`)
  }
  for (const name of ['seconds', 'rounds'] as const) {
    const value = values[name]
    if (value !== undefined && !(Number(value) > 0)) refuse(`--${name} must be a number above 0, and is ${value}.`)
  }
  if (values.against !== undefined && !existsSync(join(values.against, 'dist/src/main.js'))) {
    refuse(`--against must be a folder with a built Colloquy, and ${values.against} is none.`)
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

function parse() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        seconds: { type: 'string' },
        rounds: { type: 'string', default: '3' },
        full: { type: 'boolean', default: false },
        against: { type: 'string' },
      },
    })
  } catch (error) {
    return refuse(
      `${(error as Error).message.split('. ')[0]}. The options are --seconds N, --rounds N, --full and --against FOLDER.`,
    )
  }
}

function refuse(sentence: string): never {
  console.error(sentence)
  process.exit(1)
}
