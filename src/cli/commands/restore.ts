import type { Command } from 'commander'
import { whichDatabase } from '../database.ts'
import { givenPath } from '../given-path.ts'
import { importBeside } from '../import-beside.ts'

export function define(command: Command): void {
  command
    .description(
      'Fills an empty database from a backup. Stop all servers first. The whole file is checked before anything is ' +
        'stored, and a restore that was killed goes on when it is run again. What clients held of before expires: ' +
        'cursors, and ids of messages.',
    )
    .argument('<file>', 'what colloquy backup wrote')
    .option('--json', 'print what was stored as JSON')
    .addHelpText('after', whichDatabase)
    .action((file: string, { json }: { json?: true }) => importBeside(givenPath(file), 'restore', json))
}
