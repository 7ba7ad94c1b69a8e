import type { ListTimes } from '../../config.ts'
import { query, queryKey, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

const batch = 500

/**
 * Deletes the tombstones that no valid cursor of a list may still ask for, and what is left of parts that ended. Each has a statement of its own: a statement
 * that locked several would lock them in no fixed order. A tombstone that still has messages stays. Two calls may run
 * at once.
 */
export async function purgeTombstones(
  store: Pick<Store, 'pool'>,
  { tombstoneDays, settleMs }: ListTimes,
  signal?: AbortSignal,
): Promise<void> {
  for (;;) {
    const old = await query(store.pool, selectOld, [batch, tombstoneDays, settleMs])
    for (const [key] of old) {
      signal?.throwIfAborted()
      await queryKey(store.pool, purge, key as string, [tombstoneDays, settleMs])
    }
    if (old.length < batch) break
  }
  for (;;) {
    const old = await query(store.pool, selectOldParts, [batch, tombstoneDays, settleMs])
    for (const [key, userId] of old) {
      signal?.throwIfAborted()
      await queryKey(store.pool, purgePart, key as string, [userId, tombstoneDays, settleMs])
    }
    if (old.length < batch) return
  }
}

/** @param key the conversation's key in SQL */
function isPurgeable(key: string): string {
  return `
    c.deleted_at < now() - make_interval(days => $2::int) - $3::int * interval '1 millisecond'
    and not exists (select from message m where m.conversation_key = ${key})`
}

const selectOld: Statement<'maintenance'> = {
  name: 'conversation-old',
  kind: 'maintenance',
  text: `select c.key from conversation c where ${isPurgeable('c.key')} order by c.deleted_at limit $1`,
}

/**
 * The statement waits for a transaction that creates the conversation again. Then PostgreSQL checks the condition
 * again, and the row is not a tombstone any more.
 */
const purge: Statement<'key'> = {
  name: 'conversation-purge',
  kind: 'key',
  text: `
    with purged as (delete from conversation c where c.key = $1 and ${isPurgeable('$1')} returning c.key),
    unread as (delete from read_marker k using purged where k.conversation_key = $1),
    unmet as (delete from waiting w using purged where w.conversation_key = $1)
    delete from participant p using purged where p.conversation_key = $1`,
}

const isOver = (days: string, settle: string) =>
  `p.ended_at < now() - make_interval(days => ${days}::int) - ${settle}::int * interval '1 millisecond'`

/** The parts that ended before so long. */
const selectOldParts: Statement<'maintenance'> = {
  name: 'participant-old',
  kind: 'maintenance',
  text: `select p.conversation_key, p.user_id from participant p where ${isOver('$2', '$3')} order by p.ended_at limit $1`,
}

const purgePart: Statement<'key'> = {
  name: 'participant-purge',
  kind: 'key',
  text: `delete from participant p where p.conversation_key = $1 and p.user_id = $2 and ${isOver('$3', '$4')}`,
}
