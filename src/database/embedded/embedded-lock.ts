import { setTimeout as sleep } from 'node:timers/promises'
import { Client, DatabaseError } from 'pg'
import { StartupError } from '../../errors.ts'
import { superuser } from './embedded-cluster.ts'
import { type Postmaster, port } from './embedded-postmaster.ts'

/** The database in the cluster. */
export const database = 'colloquy'

/**
 * The session that holds the lock. `'ended'`: another server stopped the postmaster meanwhile. `'unreached'`: the
 * postmaster was gone before it answered.
 * @throws StartupError if another server holds the lock, or PostgreSQL does not answer in time; the signal's reason
 *   after an abort, unless another server holds the lock
 */
export async function own(
  postmaster: Postmaster,
  directory: string,
  deadline: number,
  signal?: AbortSignal,
): Promise<Client | 'ended' | 'unreached'> {
  let reached = false
  for (;;) {
    const client = await connectWhenReady(postmaster, 'postgres', deadline, signal)
    if (!client) return reached ? 'ended' : 'unreached'
    reached = true
    try {
      if (!(await takeLock(client, signal))) {
        throw new StartupError(`${directory} is in use by another server (${await lockHolder(client)})`)
      }
      // A new connection proves that no shutdown has begun. The lock alone does not: it is also free while its former
      // owner stops PostgreSQL.
      const probe = await connectWhenReady(postmaster, database, deadline, signal, () => createDatabase(client))
      await probe?.end()
      signal?.throwIfAborted()
      if (probe) return client
    } catch (error) {
      await client.end().catch(() => undefined)
      if (error instanceof StartupError || signal?.aborted) throw error
      if (!passes(error) || Date.now() > deadline) throw new StartupError(`PostgreSQL failed: ${sentence(error)}`)
      // The connection broke: PostgreSQL is stopping or recovering. The next attempt waits for that.
    }
  }
}

/** Milliseconds. */
const pollInterval = 20
/** Milliseconds. PostgreSQL may need a moment to notice that a killed server's connection is gone. */
const lockLimit = 2_000
/** The word "colloquy" in ASCII. JavaScript needs a string for a number of 64 bits. */
const lockId = '7165064745151722873'

async function connectWhenReady(
  postmaster: Postmaster,
  name: string,
  deadline: number,
  signal?: AbortSignal,
  createMissing?: () => Promise<void>,
): Promise<Client | undefined> {
  for (;;) {
    try {
      return await connect(postmaster, name)
    } catch (error) {
      if (!(await postmaster.isRunning())) return undefined
      if (createMissing && error instanceof DatabaseError && error.code === '3D000') await createMissing()
      else if (!passes(error)) throw new StartupError(`PostgreSQL refuses the connection: ${sentence(error)}`)
      if (Date.now() > deadline) {
        // PostgreSQL is left running. A recovery that is stopped here would begin again at the next start, and might
        // never end.
        throw new StartupError(
          `PostgreSQL (process ${postmaster.pid}) is not ready yet: ${sentence(error)}; start again later`,
        )
      }
      await sleep(pollInterval, undefined, { signal })
    }
  }
}

async function connect(postmaster: Postmaster, name: string): Promise<Client> {
  const client = new Client({
    host: postmaster.socketDirectory,
    port,
    user: superuser,
    database: name,
    ssl: false,
    connectionTimeoutMillis: 10_000,
    application_name: `colloquy ${process.pid}`,
  })
  // An 'end' event follows, and that one is handled.
  client.on('error', () => undefined)
  await client.connect()
  return client
}

/**
 * Whether asking again may help: there is no socket yet, all connections are taken, or PostgreSQL is starting up,
 * recovering or shutting down.
 */
function passes(error: unknown): boolean {
  if (error instanceof DatabaseError) return ['57P01', '57P02', '57P03', '53300'].includes(error.code ?? '')
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code !== 'EACCES' && code !== 'EPERM'
}

async function takeLock(client: Client, signal?: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + lockLimit
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [lockId])
    if (rows[0]?.taken) return true
    if (Date.now() > deadline || signal?.aborted) return false
    await sleep(pollInterval)
  }
}

async function lockHolder(client: Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>(
    `select a.application_name as name from pg_locks l join pg_stat_activity a on a.pid = l.pid
     where l.locktype = 'advisory' and l.granted and l.classid::bigint << 32 | l.objid::bigint = $1`,
    [lockId],
  )
  return rows[0]?.name.replace('colloquy', 'process') ?? 'unknown'
}

/** Only the holder of the lock comes here, so nobody else creates the database at the same time. */
async function createDatabase(client: Client): Promise<void> {
  await client.query(`create database ${database}`)
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
