import { readConfig } from '../config.ts'
import { openDatabase } from './database.ts'
import { TransferProgress } from './transfer-progress.ts'

/** Stores an export in the database, beside its servers, and says what was stored. */
export async function importBeside(path: string, kind: 'import' | 'restore', json: true | undefined): Promise<void> {
  const config = readConfig(process.env)
  const { importAlone } = await import('../transfer/import-alone.ts')
  await using database = await openDatabase(config, 'make')
  const progress = new TransferProgress()
  const imported = await importAlone(database, path, kind, {
    pool: config.pool,
    tell: (sentence) => console.error(sentence),
    onConflict: (sentence) => {
      progress.clear()
      console.error(sentence)
    },
    onProgress: (done, all) => progress.show(done, all),
  })
  progress.clear()
  if (json) console.log(JSON.stringify(imported, null, 2))
  else {
    console.log(`Conversations stored        ${imported.conversations}
Messages stored             ${imported.messages}
Conversations there before  ${imported.there}
Conversations left out      ${imported.conflicts}`)
  }
  if (imported.conflicts > 0) process.exitCode = 1
}
