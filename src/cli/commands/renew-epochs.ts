import type { Command } from 'commander'
import { readConfig } from '../../config.ts'
import { Progress } from '../../progress.ts'
import { openDatabase, whichDatabase } from '../database.ts'

export function define(command: Command): void {
  command
    .description(
      'Gives every conversation a new epoch, so that cursors and ids of before expire. Run it after PostgreSQL itself was ' +
        'taken back to an earlier time, before any server starts. If it is killed, run it again.',
    )
    .option('--json', 'print how many conversations there are as JSON')
    .addHelpText('after', whichDatabase)
    .action(run)
}

async function run({ json }: { json?: true }): Promise<void> {
  const config = readConfig(process.env)
  const { renewEpochs } = await import('../../transfer/renew-epochs.ts')
  await using database = await openDatabase(config, 'refuse')
  const progress = new Progress(process.stderr)
  const tell = (sentence: string) => console.error(sentence)
  const conversations = await renewEpochs(database, config.pool, tell, (done) =>
    progress.show('New epochs', done, 'conversations', 0),
  )
  progress.clear()
  console.log(json ? JSON.stringify({ conversations }) : `${conversations} conversations have new epochs.`)
}
