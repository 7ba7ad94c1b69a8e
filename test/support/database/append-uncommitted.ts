import type { Client } from 'pg'
import { nextUpdate } from '../../../src/storage/conversation/conversation-row.ts'

/**
 * Appends past every server: takes the next seq of a conversation, sends no hint, and leaves the transaction open. As
 * with a server's own transactions, its time is that of `begin`.
 */
export async function appendUncommitted(client: Client, id: string, content: string): Promise<void> {
  await client.query('begin')
  await appendWithin(client, id, content)
}

/** The same within a transaction that has begun. */
export async function appendWithin(client: Client, id: string, content: string): Promise<void> {
  const { rows } = await client.query('select key from conversation where id = $1', [id])
  const { key } = rows[0]
  await client.query(
    `update conversation set last_seq = last_seq + 1, revision = revision + 1, updated_at = ${nextUpdate('updated_at')}
     where key = $1`,
    [key],
  )
  await client.query(
    `insert into message (conversation_key, seq, role, content, size, created_at, updated_at)
     select key, last_seq, 'USER', $2, octet_length($2), updated_at, updated_at from conversation where key = $1`,
    [key, content],
  )
}
