import type { Client } from 'pg'
import type { Config } from '../config.ts'
import { readMigrationStatus } from '../database/migration-status.ts'
import { StartupError } from '../errors.ts'
import { connect } from './connect.ts'
import { epochAfter } from './epoch.ts'
import { type Imported, type ImportOptions, importFile, requireKnown } from './import-file.ts'
import type { Counts } from './lines.ts'
import { checkFile } from './read-file.ts'
import { readTables } from './tables.ts'
import { beginTransfer, endTransfer } from './transfers.ts'
import { type LoneDatabase, workAlone } from './work-alone.ts'

export interface AloneOptions {
  readonly pool: Config['pool']
  /** Why the work waits. */
  readonly tell: (sentence: string) => void
  readonly onConflict: ImportOptions['onConflict']
  /** @param all what the file has */
  readonly onProgress?: (done: Counts, all: Counts) => void
}

/**
 * Stores an export in a database. No server may run, because the times of what is stored lie in
 * the past, where no feed of a list looks. Nothing is changed before the whole file was read and found whole. A call
 * that broke off may be repeated with the same file, and goes on.
 *
 * `import` keeps epochs, so ids and cursors stay valid: for moving conversations to another database. `restore` fills an
 * empty database and gives new epochs: what clients hold from after the backup must not name something else.
 *
 * @throws StartupError; the error of the system if the file cannot be read
 */
export async function importAlone(
  database: LoneDatabase,
  path: string,
  kind: 'import' | 'restore',
  { pool, tell, onConflict, onProgress = () => {} }: AloneOptions,
): Promise<Imported> {
  const checked = await checkFile(path)
  return workAlone(database, pool, tell, async () => {
    await using client = await connect(database.directUrl)
    const { applied, unknown } = await readMigrationStatus(client)
    const migrations = [...applied.map(({ name }) => name), ...unknown]
    requireKnown(path, checked, await readTables(client), migrations)
    const id = await begin(client, kind, checked.sha256)
    const imported = await importFile(client, path, {
      toEpoch: (key, epoch) => (kind === 'restore' ? epochAfter(id, key, epoch) : epoch),
      onConflict,
      onProgress: (done) => onProgress(done, checked),
    })
    await endTransfer(client, id)
    return imported
  })
}

async function begin(client: Client, kind: 'import' | 'restore', sha256: string): Promise<string> {
  await client.query('begin')
  const { id, isNew } = await beginTransfer(client, kind, sha256)
  if (kind === 'restore' && isNew && (await client.query('select from conversation limit 1')).rowCount !== 0) {
    throw new StartupError(
      'The database has conversations, and a restore needs an empty one: import adds to what is there, or set DATA_DIR or DATABASE_URL to a new one',
    )
  }
  await client.query('commit')
  return id
}
