import type { Config } from '../config.ts'
import { distributeEmpty, requireNoServers } from '../database/distribute.ts'
import { migrate } from '../database/migrate.ts'

/** A database that no server may use meanwhile. */
export interface LoneDatabase {
  /** Of PostgreSQL itself. */
  readonly directUrl: string
  /** The setting that names it. */
  readonly name: string
}

/**
 * Works on a database after it was migrated. A server that starts meanwhile waits.
 *
 * @param tell is told why the work waits
 * @throws StartupError while servers run, and what `work` throws
 */
export async function workAlone<T>(
  { directUrl, name }: LoneDatabase,
  config: Config['pool'],
  tell: (sentence: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const works: Promise<T>[] = []
  await migrate(directUrl, config, {
    name,
    tell,
    distribute: async (client) => {
      const spread = await distributeEmpty(client)
      await requireNoServers(client)
      // What it throws is no failure of a migration.
      works.push(work())
      await Promise.allSettled(works)
      return spread
    },
  })
  return works[0] as Promise<T>
}
