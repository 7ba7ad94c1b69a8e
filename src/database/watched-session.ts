import type { Client, ClientBase, Pool } from 'pg'

/**
 * Watches the sessions of a pool for what pg itself takes for success.
 *
 * A commit whose wait for a synchronous standby was cancelled is stored here, and may be lost when the standby is
 * promoted. PostgreSQL only warns: its statement fails here, with an unknown outcome.
 *
 * A session that takes no writes stays as it is when another server is promoted. It leaves the pool when its user is done
 * with it, so that the next one connects anew.
 */
export function watchSessions(pool: Pool): void {
  const readOnly = new WeakSet<ClientBase>()
  pool.on('connect', (client) => {
    failUnsureCommits(client)
    client.connection.on('errorMessage', ({ code }: { code?: unknown }) => {
      if (code === readOnlyCode) readOnly.add(client)
    })
  })
  pool.on('release', (_error, client) => {
    if (readOnly.has(client)) void (client as Client).end()
  })
}

/**
 * Whether the session is with a primary. A name that leads to several servers may lead to a standby while another one is
 * promoted, and its answers would be of the past.
 *
 * @throws an error with the code of PostgreSQL for it
 */
export async function requirePrimary(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ recovers: boolean }>('select pg_is_in_recovery() as recovers')
  if (rows[0]?.recovers === false) return
  throw Object.assign(new Error('This server is a standby.'), { code: readOnlyCode })
}

/** read_only_sql_transaction */
const readOnlyCode = '25006'

/** statement_completion_unknown */
const unknownCode = '40003'

/**
 * The warning comes before the end of the statement that commits, in the language of the server. pg fails a statement
 * that has this property when the statement ends.
 */
export function failUnsureCommits(client: ClientBase): void {
  client.on('notice', ({ routine }) => {
    if (routine !== 'SyncRepWaitForLSN') return
    const { _activeQuery: statement } = client as unknown as { _activeQuery: { _canceledDueToError: unknown } | null }
    const error = new Error('The wait for a synchronous standby was cancelled.')
    if (statement !== null) statement._canceledDueToError = Object.assign(error, { code: unknownCode })
  })
}
