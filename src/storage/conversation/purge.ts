import type { ListTimes } from '../../config.ts'
import { query, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

const batch = 500

/**
 * Deletes the tombstones that no valid cursor of a list may still ask for. Each has a statement of its own: a statement
 * that locked several would lock them in no fixed order. A tombstone that still has messages stays. Two calls may run
 * at once.
 */
export async function purgeTombstones(
  store: Pick<Store, 'pool'>,
  { tombstoneDays, settleMs }: ListTimes,
  signal?: AbortSignal,
): Promise<void> {
  for (;;) {
    const old = await query(store.pool, selectOld, [tombstoneDays, settleMs, batch])
    for (const [key] of old) {
      signal?.throwIfAborted()
      await query(store.pool, purge, [tombstoneDays, settleMs, key])
    }
    if (old.length < batch) return
  }
}

const isOld = `
  c.deleted_at < now() - make_interval(days => $1::int) - $2::int * interval '1 millisecond'
  and not exists (select from message m where m.conversation_key = c.key)`

const selectOld: Statement = {
  name: 'conversation-old',
  text: `select c.key from conversation c where ${isOld} order by c.deleted_at limit $3`,
}

/**
 * The statement waits for a transaction that creates the conversation again. Then PostgreSQL checks the condition
 * again, and the row is not a tombstone any more.
 */
const purge: Statement = {
  name: 'conversation-purge',
  text: `delete from conversation c where c.key = $3 and ${isOld}`,
}
