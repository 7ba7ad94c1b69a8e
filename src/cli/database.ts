import type { Config } from '../config.ts'
import { telling } from '../database/database-errors.ts'
import { findRunningDatabase, holdsDatabase, startEmbeddedDatabase } from '../database/embedded/embedded.ts'
import { type OwnSession, openSession } from '../database/own-session.ts'
import { StartupError } from '../errors.ts'

/** What the help of such a command says of it. */
export const whichDatabase =
  '\nThe database is that of DATABASE_DIRECT_URL or DATABASE_URL, or the embedded one in DATA_DIR.'

/** The database that a command works on. Disposing it stops what was started for the command. */
export interface OpenDatabase extends AsyncDisposable {
  readonly url: string
  /** The same without a pooler before it. */
  readonly directUrl: string
  /** The setting that names `directUrl`. */
  readonly name: string
  /** In words for people. */
  readonly where: string
}

/**
 * The database of the settings: that of DATABASE_URL, or the embedded one in DATA_DIR. While a server runs, the embedded
 * one is shared with it; otherwise it is started, and nobody else can start it meanwhile.
 *
 * @param whenMissing whether an embedded database that is not there is made
 * @throws StartupError
 */
export async function openDatabase(config: Config, whenMissing: 'make' | 'refuse'): Promise<OpenDatabase> {
  const { databaseUrl: url, dataDir: directory } = config
  if (url !== undefined) {
    const { directUrl = url } = config
    const name = config.directUrl === undefined ? 'DATABASE_URL' : 'DATABASE_DIRECT_URL'
    return { url, directUrl, name, where: 'the database of DATABASE_URL', [Symbol.asyncDispose]: async () => {} }
  }
  if (whenMissing === 'refuse' && !(await holdsDatabase(directory))) {
    throw new StartupError(`There is no database in ${directory} yet; colloquy start makes it, or set DATABASE_URL`)
  }
  const running = await findRunningDatabase(directory)
  const named = { name: 'DATA_DIR', where: `the embedded database in ${directory}` }
  if (running !== null) return { ...named, url: running, directUrl: running, [Symbol.asyncDispose]: async () => {} }
  const started = await startEmbeddedDatabase({ directory })
  // Without this, a command that is interrupted would leave PostgreSQL running.
  const stop = async () => {
    await started[Symbol.asyncDispose]()
    process.exit(1)
  }
  for (const signal of signals) process.once(signal, stop)
  return {
    ...named,
    url: started.url,
    directUrl: started.url,
    async [Symbol.asyncDispose]() {
      await started[Symbol.asyncDispose]()
      for (const signal of signals) process.off(signal, stop)
    },
  }
}

const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const

/** A session of the command's own, past any pooler. @throws StartupError */
export async function connect({ directUrl, name }: OpenDatabase, { waitMs }: Config['pool']): Promise<OwnSession> {
  const settings = {
    connectionString: directUrl,
    connectionTimeoutMillis: waitMs,
    application_name: 'colloquy command',
  }
  return openSession(settings).catch(telling(directUrl, name)('cannot be reached'))
}
