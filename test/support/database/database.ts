import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { inject } from 'vitest'
import { withDatabase } from './database-url.ts'
import { ask, createOnAll, dropOnAll } from './nodes.ts'

export interface TestDatabase extends AsyncDisposable {
  readonly url: string
  /** A URL of it on each machine, `url` first. */
  readonly nodes: readonly string[]
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

/** A database of the caller's own, with the tables or without. On Citus, each machine has one of that name. */
export async function createDatabase(template: 'template' | 'bare' = 'template'): Promise<TestDatabase> {
  const { nodes, ...templates } = inject('cluster')
  const name = `colloquy_test_${randomBytes(6).toString('hex')}`
  await createOnAll(nodes, name, templates[template])
  const settings = Object.entries(unusual).map(
    ([setting, value]) => `alter database ${name} set ${setting} = '${value}'`,
  )
  await Promise.all(nodes.map((node) => ask(node, settings.join('; '))))
  const clients: Client[] = []
  const own = withDatabase(nodes[0], name)
  return {
    url: own,
    nodes: nodes.map((node) => withDatabase(node, name)),
    async connect() {
      // On Citus, the coordinator would write times as its session does, and the workers take them for others.
      const client = new Client({ connectionString: own, options: '-c DateStyle=ISO,MDY' })
      client.on('error', () => {})
      clients.push(client)
      await client.connect()
      return client
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client.end().catch(() => {})))
      await dropOnAll(nodes, name)
    },
  }
}
