import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { openDatabase, whichDatabase } from '../database.ts'
import { givenPath } from '../given-path.ts'

export function define(command: Command): void {
  command
    .description(
      'Writes all conversations as JSON lines, or those of one user, with all that they have: epochs, revisions, times, ' +
        'branches, tombstones. Servers may run meanwhile. colloquy import reads it.',
    )
    .option('--user <id>', "whose conversations; without it, everybody's")
    .option('--output <file>', 'where to; packed if the name ends in .gz; without it, standard output')
    .option('--json', 'print how much was written as JSON; it needs --output')
    .addHelpText('after', whichDatabase)
    .action(run)
}

interface Given {
  readonly user?: string
  readonly output?: string
  readonly json?: true
}

async function run({ user, output, json }: Given, command: Command): Promise<void> {
  if (json && output === undefined) command.error("error: option '--json' needs --output", { exitCode: 2 })
  const config = readConfig(process.env)
  const { exportDatabase, exportToFile } = await import('../../transfer/export-database.ts')
  const { connect } = await import('../../transfer/connect.ts')
  const { CountedExport } = await import('../export-counted.ts')
  await using database = await openDatabase(config, 'refuse')
  const counted = new CountedExport(user ?? null)
  if (output === undefined) {
    await using client = await connect(database.directUrl)
    await pipeline(exportDatabase(client, counted.options), process.stdout, { end: false })
    return
  }
  const path = givenPath(output)
  await exportToFile(database.directUrl, path, counted.options)
  console.log(counted.summary(path, json))
}
