import { query, type Statement } from '../postgres/statement.ts'
import type { Moved, Store } from '../postgres/store.ts'

/**
 * The present revision of each conversation, for those who watch it. A key without a conversation is left out. One
 * statement.
 */
export async function readRevisions(store: Store, keys: readonly string[]): Promise<Moved[]> {
  const rows = await query(store.pool, select, [keys])
  return rows.map(([key, revision]) => ({ key: key as string, revision: Number(revision) }))
}

const select: Statement<'maintenance'> = {
  name: 'conversation-revisions',
  kind: 'maintenance',
  text: 'select key, revision from conversation where key = any($1::uuid[])',
}
