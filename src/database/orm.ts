import { MikroORM } from '@mikro-orm/postgresql'
import type { Client, Pool, PoolClient } from 'pg'
import { ormOptions } from '../../mikro-orm.config.ts'
import type { Config } from '../config.ts'
import { type Engine, sessionSettings } from './session.ts'
import { requirePrimary, watchSessions } from './watched-session.ts'

/** MikroORM, and the one pool of connections that it shares with the hand-written statements. */
export interface Orm extends AsyncDisposable {
  readonly orm: MikroORM
  readonly pool: Pool
}

/**
 * Opens the pool. Every wait in it has an end: for a connection, for a lock, for a statement, for an idle transaction,
 * and for an answer that a broken network never brings. Disposing it breaks the statements that still run: nobody waits
 * for them any more.
 *
 * @param url a postgresql:// URL
 * @param onWarning is told of lost connections, which the pool replaces by itself
 */
export async function openOrm(
  url: string,
  engine: Engine,
  config: Config['pool'],
  onWarning: (text: string) => void,
): Promise<Orm> {
  const orm = await MikroORM.init({
    ...ormOptions,
    // A misspelt name is a mistake, and must not create a database.
    ensureDatabase: false,
    clientUrl: url,
    logger: onWarning,
    colors: false,
    pool: { min: 0, max: config.size },
    driverOptions: {
      ...sessionSettings(engine, config),
      query_timeout: config.statementMs + 5_000,
      onConnect: requirePrimary,
    },
  })
  // getNativeClient() is the pg pool. Its type there comes from MikroORM's own copy of pg.
  const pool = (await orm.em.getConnection().getNativeClient()) as unknown as Pool
  watchSessions(pool)
  const clients = new Set<PoolClient>()
  pool.on('connect', (client) => clients.add(client))
  pool.on('remove', (client) => clients.delete(client))
  return {
    orm,
    pool,
    async [Symbol.asyncDispose]() {
      const closed = orm.close(true)
      // The pool waits for the connections that are in use, so they are ended here.
      for (const client of clients) void (client as unknown as Client).end()
      await closed
    },
  }
}

/** The tables of the entities. */
export function tablesOf(orm: MikroORM): string[] {
  return [...orm.getMetadata().getAll().values()].map(({ tableName }) => tableName)
}
