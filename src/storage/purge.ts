import type { ListTimes } from '../config.ts'
import { query, type Statement, type Store } from './store.ts'

const batch = 500

/**
 * Deletes the tombstones of conversations that no valid cursor of a list may still ask for, in bounded batches, each its
 * own transaction. Those whose messages are not erased yet stay. Safe to run twice at once.
 */
export async function purgeTombstones(
  store: Pick<Store, 'pool'>,
  { tombstoneDays, settleMs }: ListTimes,
  signal?: AbortSignal,
): Promise<void> {
  for (;;) {
    signal?.throwIfAborted()
    const [row] = await query(store.pool, purge, [tombstoneDays, settleMs, batch])
    if (Number(row?.[0] ?? 0) < batch) return
  }
}

/**
 * Locking a row looks at it again as it is then: one that was created again meanwhile is none of them any more. One that
 * is being created again is locked, and passed over.
 */
const purge: Statement = {
  name: 'conversation-purge',
  text: `
    with old as (
      select c.key from conversation c
      where c.deleted_at < now() - make_interval(days => $1::int) - $2::int * interval '1 millisecond'
        and not exists (select from message m where m.conversation_key = c.key)
      order by c.deleted_at limit $3
      for update skip locked
    ),
    purged as (delete from conversation c using old where c.key = old.key returning 1)
    select count(*)::int from purged`,
}
