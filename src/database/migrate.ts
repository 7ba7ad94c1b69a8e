import type { MikroORM } from '@mikro-orm/postgresql'
import { Client } from 'pg'
import { StartupError } from '../errors.ts'

/** Any number that no other program on the database uses as an advisory lock. It must never change. */
const migrationLock = 4_815_162_342

/**
 * Brings the schema up to date. If several servers start at once, one migrates and the others wait for it. A separate
 * connection holds the advisory lock, without the timeouts of the pool.
 *
 * @throws StartupError if the database cannot be reached, is older than PostgreSQL 15 or refuses a migration
 */
export async function migrate(orm: MikroORM, url: string, connectMs: number): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: connectMs, application_name: 'colloquy' })
  // An error also fails the query below that it concerns. If it concerns none, there is nobody to tell.
  client.on('error', () => {})
  await connect(client, url)
  try {
    await requireVersion(client)
    await client.query('select pg_advisory_lock($1)', [migrationLock])
    await orm.migrator.up().catch((error: Error) => {
      throw new StartupError(`The database at ${withoutPassword(url)} cannot be migrated: ${firstLine(error.message)}`)
    })
  } finally {
    await client.end()
  }
}

async function connect(client: Client, url: string): Promise<void> {
  try {
    await client.connect()
  } catch (error) {
    const reason = error instanceof AggregateError ? error.errors.map(String).join(', ') : (error as Error).message
    throw new StartupError(`The database at ${withoutPassword(url)} cannot be reached: ${reason}`)
  }
}

async function requireVersion(client: Client): Promise<void> {
  const { rows } = await client.query<{ server_version_num: string; server_version: string }>(
    "select current_setting('server_version_num') as server_version_num, current_setting('server_version') as server_version",
  )
  const version = rows[0]
  if (version === undefined || Number(version.server_version_num) < 150_000) {
    throw new StartupError(`PostgreSQL 15 or later is needed, and this is ${version?.server_version ?? 'unknown'}`)
  }
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? ''
}

function withoutPassword(url: string): string {
  return url.replace(/\/\/([^:@/]*):[^@/]*@/, '//$1:…@')
}
