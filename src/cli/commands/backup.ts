import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { openDatabase, whichDatabase } from '../database.ts'
import { givenPath } from '../given-path.ts'

export function define(command: Command): void {
  command
    .description(
      'Writes all conversations into a file that is there whole, and on the disk, or not at all. What was acknowledged ' +
        'before is in it. Servers may run meanwhile. colloquy restore reads it.',
    )
    .argument('<file>', 'where to; packed if the name ends in .gz')
    .option('--json', 'print how much was written as JSON')
    .addHelpText('after', whichDatabase)
    .action(run)
}

async function run(file: string, { json }: { json?: true }): Promise<void> {
  const config = readConfig(process.env)
  const { exportToFile } = await import('../../transfer/export-database.ts')
  const { CountedExport } = await import('../export-counted.ts')
  const path = givenPath(file)
  await using database = await openDatabase(config, 'refuse')
  const counted = new CountedExport(null)
  await exportToFile(database.directUrl, path, counted.options)
  console.log(counted.summary(path, json))
}
