import { query, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import type { ConversationRef } from './conversation-ref.ts'

/** A conversation that was deleted and whose messages may still be there. */
export interface Tombstone {
  readonly key: string
  readonly epoch: number
}

/** The tombstone of a conversation, or null where it is none. */
export async function findTombstone(store: Store, ref: ConversationRef): Promise<Tombstone | null> {
  const [row] = await query(store.pool, selectTombstone, [ref.key, ref.userId])
  return row === undefined ? null : { key: ref.key, epoch: Number(row[0]) }
}

const selectTombstone: Statement = {
  name: 'conversation-tombstone',
  text: 'select c.epoch from conversation c where c.key = $1 and c.user_id = $2 and c.deleted_at is not null',
}

const batch = 500

/** Deletes the messages of a tombstone in bounded batches, each its own transaction. Safe to run twice at once. */
export async function eraseMessages(
  store: Pick<Store, 'pool'>,
  tombstone: Tombstone,
  signal?: AbortSignal,
): Promise<void> {
  for (;;) {
    signal?.throwIfAborted()
    const [row] = await query(store.pool, erase, [tombstone.key, tombstone.epoch, batch])
    if (Number(row?.[0] ?? 0) < batch) return
  }
}

/**
 * One snapshot sees the tombstone and the messages of its own life, and never those of a life that began after it: an
 * eraser that is late cannot delete what a new conversation of the same key has stored.
 */
const erase: Statement = {
  name: 'message-erase',
  text: `
    with erased as (
      delete from message m
      where m.conversation_key = $1 and m.seq in (
        select old.seq from conversation c join message old on old.conversation_key = c.key
        where c.key = $1 and c.epoch = $2 and c.deleted_at is not null
        order by old.seq limit $3
      )
      returning 1
    )
    select count(*)::int from erased`,
}

/** Tombstones that still have messages, because a server ended in the middle. At most `count`. */
export async function readUnerased(store: Store, count: number): Promise<Tombstone[]> {
  const rows = await query(store.pool, unerased, [count])
  return rows.map(([key, epoch]) => ({ key: key as string, epoch: Number(epoch) }))
}

const unerased: Statement = {
  name: 'conversation-unerased',
  text: `
    select c.key, c.epoch from conversation c
    where c.deleted_at is not null and exists (select from message m where m.conversation_key = c.key)
    order by c.deleted_at limit $1`,
}
