import { MikroORM } from '@mikro-orm/postgresql'
import type { Client, Pool, PoolClient } from 'pg'
import { ormOptions } from '../../mikro-orm.config.ts'
import type { Config } from '../config.ts'

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
export async function openOrm(url: string, config: Config['pool'], onWarning: (text: string) => void): Promise<Orm> {
  const orm = await MikroORM.init({
    ...ormOptions,
    // A misspelt name is a mistake, and must not create a database.
    ensureDatabase: false,
    clientUrl: url,
    logger: onWarning,
    colors: false,
    pool: { min: 0, max: config.size },
    driverOptions: sessionOptions(config),
  })
  // getNativeClient() is the pg pool. Its type there comes from MikroORM's own copy of pg.
  const pool = (await orm.em.getConnection().getNativeClient()) as unknown as Pool
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

/**
 * The settings of every session of the pool, as options of the `postgres` command.
 *
 * Each of our statements has one good plan. Planning a page again took 0.5 ms, and running it 0.3 ms. Every plan must
 * follow an index in its order. A bitmap scan would visit what appends left behind in the index: after 1,480,000 appends
 * the first page of a list took 59 ms and 41,784 pages of memory instead of 0.6 ms and 40. A plan from the time when a
 * table was empty would go on reading the whole table: a window took 210 ms instead of 33.
 */
export const sessionSettings =
  '-c TimeZone=UTC -c DateStyle=ISO -c plan_cache_mode=force_generic_plan -c jit=off -c enable_bitmapscan=off -c enable_seqscan=off'

export type SessionLimits = Omit<Config['pool'], 'size' | 'pipelines'>

/** What every connection takes, in words of pg. */
export function sessionOptions(config: SessionLimits): Record<string, unknown> {
  return {
    application_name: 'colloquy',
    connectionTimeoutMillis: config.waitMs,
    statement_timeout: config.statementMs,
    lock_timeout: config.lockMs,
    idle_in_transaction_session_timeout: config.transactionIdleMs,
    query_timeout: config.statementMs + 5_000,
    keepAlive: true,
    options: sessionSettings,
  }
}
