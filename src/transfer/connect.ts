import { telling } from '../database/database-errors.ts'
import { type OwnSession, openSession } from '../database/own-session.ts'

/** A connection for an export or an import. */
export interface TransferClient extends OwnSession {
  /** Whether the database is one of Citus, where a transaction of many conversations costs more than many of one. */
  readonly hasCitus: boolean
}

/** What the session asks for. It waits as long as it takes. */
const settings = {
  TimeZone: 'UTC',
  DateStyle: 'ISO,MDY',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  jit: 'off',
}

/**
 * Rows are read in the order of an index, also where nobody has counted them yet. Citus cannot plan with it: see
 * `database/session.ts`.
 */
const planning = 'set enable_seqscan = off; set enable_bitmapscan = off'

/**
 * @param url of PostgreSQL itself: a pooler may drop what the session asks for
 * @throws StartupError if the database cannot be reached
 */
export async function connect(url: string): Promise<TransferClient> {
  const options = Object.entries(settings).map(([name, value]) => `-c ${name}=${value}`)
  const client = await openSession({
    connectionString: url,
    application_name: 'colloquy transfer',
    options: options.join(' '),
  }).catch(telling(url)('cannot be reached'))
  const { rowCount } = await client.query("select from pg_extension where extname = 'citus'")
  const hasCitus = rowCount !== 0
  if (!hasCitus) await client.query(planning)
  return Object.assign(client, { hasCitus })
}
