import type { Client } from 'pg'
import type { Config } from '../config.ts'
import { telling } from './database-errors.ts'
import { type Distribute, distributeEmpty, type Spread } from './distribute.ts'
import { requireFit } from './fitness.ts'
import { openOrm, tablesOf } from './orm.ts'
import { openSession } from './own-session.ts'
import { requireRights } from './rights.ts'
import { onePostgres } from './session.ts'

/** Any number that no other program on the database uses as an advisory lock. It must never change. */
const migrationLock = 4_815_162_342

/** Milliseconds between two sentences about a wait for the lock. */
const patience = 10_000

export interface MigrateOptions {
  /** The setting that names the database: DATABASE_URL unless it is given. */
  readonly name?: string
  /** Is told why the start waits. */
  readonly tell?: (sentence: string) => void
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined
  /** What is done where Citus has workers: `distributeEmpty` unless it is given. */
  readonly distribute?: Distribute
}

/**
 * Brings the schema up to date, and spreads the tables where Citus has workers. If several servers start at once, one
 * does it and the others wait for it. A separate connection holds the advisory lock, without the timeouts of the pool. The lock belongs to a session, so no pooler may
 * stand between: it would keep the session, and with it the lock, for ever.
 *
 * @param url of PostgreSQL itself
 * @throws StartupError if the database cannot be reached, cannot serve, refuses a migration, or cannot be spread
 */
export async function migrate(
  url: string,
  config: Config['pool'],
  { name = 'DATABASE_URL', tell = () => {}, signal, distribute = distributeEmpty }: MigrateOptions = {},
): Promise<Spread> {
  const told = telling(url, name)
  await using client = await openSession({ connectionString: url, connectionTimeoutMillis: config.waitMs }).catch(
    told('cannot be reached'),
  )
  const stop = () => void client.end()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    await requireFit(client, name).catch(told('cannot be used'))
    // The role or the database may have timeouts of its own.
    await client.query('set statement_timeout = 0')
    await takeLock(client, tell)
    {
      await using opened = await openOrm(url, onePostgres, config, () => {})
      await opened.orm.migrator.up().catch(told('cannot be migrated'))
      await requireRights(client, tablesOf(opened.orm), name).catch(told('cannot be used'))
    }
    await client.query(`set lock_timeout = ${config.lockMs}`)
    return await distribute(client).catch(told('cannot be spread over its workers'))
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

async function takeLock(client: Client, tell: (sentence: string) => void): Promise<void> {
  const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [migrationLock])
  let isTaken = rows[0]?.taken === true
  await client.query(`set lock_timeout = ${patience}`)
  while (!isTaken) {
    tell(`waiting for ${await lockHolder(client)}, which may be migrating the database`)
    isTaken = await client.query('select pg_advisory_lock($1)', [migrationLock]).then(
      () => true,
      (error: { code?: unknown }) => {
        if (error.code !== '55P03') throw error
        return false
      },
    )
  }
}

async function lockHolder(client: Client): Promise<string> {
  const { rows } = await client.query<{ holder: string }>(
    `select format('process %s of PostgreSQL (%s, at %s)', a.pid, a.application_name, coalesce(host(a.client_addr), 'a socket'))
       as holder
     from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted and a.datname = current_database()
       and l.classid::bigint << 32 | l.objid::bigint = $1`,
    [migrationLock],
  )
  return rows[0]?.holder ?? 'another server'
}
