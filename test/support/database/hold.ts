import type { Client } from 'pg'
import type { TestDatabase } from './database.ts'

/** Holds the row of a conversation until the transaction of this connection ends: appends to it stay in flight. */
export async function hold(database: TestDatabase, id: string): Promise<Client> {
  const client = await database.connect()
  const { rows } = await client.query('select key from conversation where id = $1', [id])
  await client.query('begin')
  await client.query('select from conversation where key = $1 for update', [rows[0].key])
  return client
}
