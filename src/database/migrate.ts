import type { MikroORM } from '@mikro-orm/postgresql'
import { Client, type Pool } from 'pg'
import type { Config } from '../config.ts'
import { StartupError } from '../errors.ts'
import { explainDatabaseError } from './database-errors.ts'
import type { Orm } from './orm.ts'

/** Any number that no other program on the database uses as an advisory lock. It must never change. */
const migrationLock = 4_815_162_342

/**
 * Brings the schema up to date. If several servers start at once, one migrates and the others wait for it. A separate
 * connection holds the advisory lock, without the timeouts of the pool.
 *
 * @throws StartupError if the database cannot be reached, cannot serve, or refuses a migration
 */
export async function migrate({ orm, pool }: Orm, url: string, config: Config['pool']): Promise<void> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: config.waitMs,
    application_name: 'colloquy',
  })
  // An error also fails the query below that it concerns. If it concerns none, there is nobody to tell.
  client.on('error', () => {})
  const saying = (what: string) => (error: unknown) => {
    if (error instanceof StartupError) throw error
    const sentence = explainDatabaseError(error) ?? (error as Error).message
    throw new StartupError(`The database at ${withoutPassword(url)} ${what}: ${sentence}`)
  }
  await client.connect().catch(saying('cannot be reached'))
  try {
    await requireFit(client).catch(saying('cannot be used'))
    await requireSessions(pool, config).catch(saying('cannot be used'))
    // The role or the database may have timeouts of its own.
    await client.query('set statement_timeout = 0; set lock_timeout = 0')
    await client.query('select pg_advisory_lock($1)', [migrationLock])
    await orm.migrator.up().catch(saying('cannot be migrated'))
    await requireRights(client, orm).catch(saying('cannot be used'))
  } finally {
    await client.end()
  }
}

interface Fitness {
  readonly version: string
  readonly version_number: number
  readonly encoding: string
  readonly reads_only: boolean
}

async function requireFit(client: Client): Promise<void> {
  const { rows } = await client.query<Fitness>(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as version_number,
       current_setting('server_encoding') as encoding,
       pg_is_in_recovery() or current_setting('transaction_read_only')::bool as reads_only`,
  )
  const [fitness] = rows
  if (fitness === undefined || fitness.version_number < 150_000) {
    throw new StartupError(
      `PostgreSQL 15 or later is needed, and this is ${fitness?.version ?? 'unknown'}; set DATABASE_URL to a later one`,
    )
  }
  if (fitness.reads_only) {
    throw new StartupError(
      'The database takes no writes: it is a replica, or default_transaction_read_only is on; set DATABASE_URL to one that does',
    )
  }
  if (fitness.encoding !== 'UTF8') {
    throw new StartupError(
      `The database has the encoding ${fitness.encoding}, which cannot hold every text; create one with ENCODING 'UTF8' TEMPLATE template0`,
    )
  }
}

/**
 * A pooler between may take a connection and drop the settings that its session asks for. Then no wait would have an end,
 * and what a session prepares or listens to may be lost as well.
 */
async function requireSessions(pool: Pool, config: Config['pool']): Promise<void> {
  const { rows } = await pool.query<{ plans: string; timeout: number }>(
    `select current_setting('plan_cache_mode') as plans,
       (extract(epoch from current_setting('statement_timeout')::interval) * 1000)::int as timeout`,
  )
  if (rows[0]?.plans !== 'force_generic_plan' || rows[0].timeout !== config.statementMs) {
    throw new StartupError(
      'A connection pooler, such as PgBouncer, stands before the database, and sessions do not keep their settings; ' +
        'set DATABASE_URL to PostgreSQL itself: Colloquy has a pool of its own',
    )
  }
}

/** A role that may not write would be noticed by the first caller who does. */
async function requireRights(client: Client, orm: MikroORM): Promise<void> {
  const { rows } = await client.query<{ missing: string }>(
    `select format('%s on %s', string_agg(privilege, ', '), t.oid::regclass) as missing
     from pg_class t, unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) as privilege
     where t.relnamespace = current_schema()::regnamespace and t.relkind = 'r'
       and t.relname = any($1) and not has_table_privilege(t.oid, privilege)
     group by t.oid order by t.oid::regclass::text limit 1`,
    [[...orm.getMetadata().getAll().values()].map(({ tableName }) => tableName)],
  )
  const [right] = rows
  if (right !== undefined) {
    throw new StartupError(
      `The role of DATABASE_URL has no right to ${right.missing}; GRANT it, or use the role that owns the tables`,
    )
  }
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/([^:@/]*):[^@/]*@/, '//$1:…@')
}
