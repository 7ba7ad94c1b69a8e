import { query, queryKey, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

/** A deleted conversation. Some of its messages may still be stored. */
export interface Tombstone {
  readonly key: string
  readonly epoch: number
}

const batch = 500

/**
 * Deletes the messages of a tombstone in batches of limited size, each in its own transaction. Two calls may run at
 * once.
 */
export async function eraseMessages(
  store: Pick<Store, 'pool'>,
  tombstone: Tombstone,
  signal?: AbortSignal,
): Promise<void> {
  for (;;) {
    signal?.throwIfAborted()
    const [row] = await queryKey(store.pool, erase, tombstone.key, [tombstone.epoch, batch])
    if (Number(row?.[0] ?? 0) < batch) return
  }
}

/**
 * The statement has one snapshot. The snapshot sees the tombstone and the messages of its epoch, and never messages of
 * a later epoch. So an eraser that is late cannot delete messages of a new conversation with the same key.
 */
const erase: Statement<'key'> = {
  name: 'message-erase',
  kind: 'key',
  text: `
    with erased as (
      delete from message m
      where m.conversation_key = $1 and m.seq in (
        select old.seq from conversation c, message old
        where c.key = $1 and old.conversation_key = $1 and c.epoch = $2 and c.deleted_at is not null
        order by old.seq limit $3
      )
      returning 1
    )
    select count(*)::int from erased`,
}

/** At most `count` tombstones that still have messages, because a server ended before it had erased them. */
export async function readUnerased(store: Store, count: number): Promise<Tombstone[]> {
  const rows = await query(store.pool, unerased, [count])
  return rows.map(([key, epoch]) => ({ key: key as string, epoch: Number(epoch) }))
}

const unerased: Statement<'maintenance'> = {
  name: 'conversation-unerased',
  kind: 'maintenance',
  text: `
    select c.key, c.epoch from conversation c
    where c.deleted_at is not null and exists (select from message m where m.conversation_key = c.key)
    order by c.deleted_at limit $1`,
}
