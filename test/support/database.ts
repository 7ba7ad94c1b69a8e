import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { inject } from 'vitest'
import { withDatabase } from './database-url.ts'

export interface TestDatabase extends AsyncDisposable {
  readonly url: string
  /** A connection of the test's own; it ends with the database. */
  connect(): Promise<Client>
}

/**
 * What the sessions of a user's database may have. No statement may depend on it: behind a pooler, the server cannot ask
 * for something else.
 */
const unusual = {
  TimeZone: 'Asia/Kolkata',
  DateStyle: 'German, DMY',
  IntervalStyle: 'sql_standard',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  xmloption: 'document',
  default_transaction_deferrable: 'on',
}

/** A database of the caller's own, cloned from the migrated template. */
export async function createDatabase(): Promise<TestDatabase> {
  const { url, template } = inject('cluster')
  const name = `colloquy_test_${randomBytes(6).toString('hex')}`
  await execute(url, `create database ${name} template ${template}`)
  const settings = Object.entries(unusual).map(
    ([setting, value]) => `alter database ${name} set ${setting} = '${value}'`,
  )
  await execute(url, settings.join('; '))
  const clients: Client[] = []
  const own = withDatabase(url, name)
  return {
    url: own,
    async connect() {
      const client = new Client({ connectionString: own })
      client.on('error', () => {})
      clients.push(client)
      await client.connect()
      return client
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.end().catch(() => {})))
      await execute(url, `drop database ${name} with (force)`)
    },
  }
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
