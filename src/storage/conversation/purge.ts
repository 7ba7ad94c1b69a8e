import type { ListTimes } from '../../config.ts'
import { query, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

const batch = 500

/**
 * Deletes the tombstones of conversations that no valid cursor of a list may still ask for, one after the other: a
 * statement that locked several would lock them in no order. Those whose messages are not erased yet stay. Safe to run
 * twice at once.
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

/** It waits for whoever creates the conversation again, and then looks anew: it is no tombstone any more. */
const purge: Statement = {
  name: 'conversation-purge',
  text: `delete from conversation c where c.key = $3 and ${isOld}`,
}
