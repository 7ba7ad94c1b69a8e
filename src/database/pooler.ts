import { escapeIdentifier } from 'pg'
import type { Config } from '../config.ts'
import { StartupError } from '../errors.ts'
import { telling } from './database-errors.ts'
import { type OwnSession, openSession } from './own-session.ts'
import { requiredSettings } from './session.ts'

/**
 * Whether sessions keep the settings that they ask for. A pooler refuses such settings, or drops them. Then the role must
 * have them, migrations and LISTEN need another way to PostgreSQL, and the pooler must carry prepared statements.
 *
 * Nothing is SET: behind a transaction pooler, a setting of a session reaches the transactions of others.
 *
 * @param directUrl undefined: there is no other way to PostgreSQL
 * @throws StartupError if the database cannot be reached, or if the pooler cannot be used as it is; one sentence says
 *   what to do
 */
export async function findWhetherSettingsHold(
  url: string,
  directUrl: string | undefined,
  config: Config['pool'],
): Promise<boolean> {
  const told = telling(url)
  if (await holdsSettings(url, config).catch(told('cannot be reached'))) return true
  await requirePreparedStatements(url, config).catch(told('cannot be used'))
  await requireSettings(url, directUrl, config).catch(told('cannot be used'))
  if (directUrl !== undefined) await requireDirect(url, directUrl, config)
  return false
}

/** Asks for a setting that nobody else asks for, and looks whether the session has it. */
async function holdsSettings(url: string, config: Config['pool']): Promise<boolean> {
  try {
    await using session = await connect(url, config, '-c colloquy.session=asked')
    const { rows } = await session.query<{ holds: boolean | null }>(
      `select current_setting('colloquy.session', true) = 'asked' as holds`,
    )
    return rows[0]?.holds === true
  } catch (error) {
    if (/unsupported startup parameter/i.test((error as Error).message)) return false
    throw error
  }
}

/**
 * While one client is inside a transaction, another client gets another connection from a transaction pooler, or the
 * first client got the connection of the other. One of the two then misses a statement, or finds that it is there.
 */
async function requirePreparedStatements(url: string, config: Config['pool']): Promise<void> {
  await using one = await connect(url, config)
  await using other = await connect(url, config)
  const prepared = { name: 'colloquy-pooler', text: 'select $1::int', values: [1] }
  try {
    await one.query(prepared)
    await other.query('begin')
    await other.query(prepared)
    await one.query(prepared)
    await other.query('rollback')
  } catch (error) {
    if (!/prepared statement/i.test((error as Error).message)) throw error
    throw new StartupError(
      'The connection pooler before the database gives each transaction another connection, and carries no prepared statements; ' +
        'use PgBouncer 1.21 or later with max_prepared_statements = 200, or pool_mode = session, or set DATABASE_URL to PostgreSQL itself',
    )
  }
}

interface Role {
  readonly role: string
  readonly database: string
  /** PostgreSQL's own values, of some settings by name. Times are in milliseconds. */
  readonly settings: Readonly<Record<string, string>>
  readonly spreads: boolean
}

async function requireSettings(url: string, directUrl: string | undefined, config: Config['pool']): Promise<void> {
  await using session = await connect(url, config)
  const { rows } = await session.query<Role>(
    `select session_user as role, current_database() as database, json_object_agg(name, setting) as settings,
       exists (select from pg_extension where extname = 'citus') as spreads
     from pg_settings`,
  )
  const { role, database, settings, spreads } = rows[0] as Role
  const lacking = Object.entries(requiredSettings({ spreads }, config)).filter(
    ([name, value]) => settings[name] !== value,
  )
  const remedies: string[] = []
  if (directUrl === undefined) {
    remedies.push('set DATABASE_DIRECT_URL to PostgreSQL itself, for migrations and LISTEN')
  }
  if (lacking.length > 0) {
    const whose = `ALTER ROLE ${escapeIdentifier(role)} IN DATABASE ${escapeIdentifier(database)}`
    const commands = lacking.map(([name, value]) => `${whose} SET ${name} = ${value};`).join(' ')
    remedies.push(`run ${commands} and then let the pooler connect anew, in PgBouncer by RECONNECT`)
  }
  if (remedies.length === 0) return
  throw new StartupError(
    'A connection pooler, such as PgBouncer, stands before the database, and drops the settings that sessions ask for; ' +
      `set DATABASE_URL to PostgreSQL itself, or keep the pooler and ${remedies.join('; ')}`,
  )
}

async function requireDirect(url: string, directUrl: string, config: Config['pool']): Promise<void> {
  const told = telling(directUrl, 'DATABASE_DIRECT_URL')
  if (!(await holdsSettings(directUrl, config).catch(told('cannot be reached')))) {
    throw new StartupError(
      'A connection pooler stands behind DATABASE_DIRECT_URL too; set DATABASE_DIRECT_URL to PostgreSQL itself',
    )
  }
  if ((await identify(url, config)) !== (await identify(directUrl, config))) {
    throw new StartupError(
      'DATABASE_URL and DATABASE_DIRECT_URL lead to different databases; set DATABASE_DIRECT_URL to the one behind the pooler',
    )
  }
}

/** A text that no two databases share. */
async function identify(url: string, config: Config['pool']): Promise<string> {
  await using session = await connect(url, config)
  const { rows } = await session.query<{ identity: string }>(
    `select format('%s %s', oid, extract(epoch from pg_postmaster_start_time())) as identity
     from pg_database where datname = current_database()`,
  )
  return rows[0]?.identity ?? ''
}

function connect(url: string, { waitMs, statementMs }: Config['pool'], options?: string): Promise<OwnSession> {
  return openSession({
    connectionString: url,
    connectionTimeoutMillis: waitMs,
    query_timeout: statementMs,
    ...(options === undefined ? {} : { options }),
  })
}
