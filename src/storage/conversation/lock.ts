import type { PoolClient } from 'pg'
import type { Conversation } from '../../entities/conversation.ts'
import { query, type Statement } from '../postgres/statement.ts'
import { drawEpoch } from './conversation-key.ts'
import type { ConversationRef } from './conversation-ref.ts'
import { conversationColumns, nextImport, readConversation } from './conversation-row.ts'

/**
 * Locks the conversation, or its tombstone, until the transaction ends; null if this viewer has neither. A ref with an
 * epoch finds only a conversation of that epoch.
 */
export async function lockConversation(client: PoolClient, ref: ConversationRef): Promise<Conversation | null> {
  const [row] = await query(client, lock, [ref.key, ref.userId, ref.epoch])
  return row === undefined ? null : readConversation(row)
}

const lock: Statement = {
  name: 'conversation-lock',
  text: `
    select ${conversationColumns('c')} from conversation c
    where c.key = $1 and c.user_id = $2 and ($3::bigint is null or c.epoch = $3)
    for update`,
}

/**
 * Creates an empty conversation. If the key exists, nothing happens; only a new statement can see what holds the key.
 *
 * @param createdAt the time that an import brings; null: now
 */
export async function insertConversation(
  client: PoolClient,
  to: { readonly key: string; readonly userId: string; readonly id: string },
  createdAt: string | null,
): Promise<void> {
  await query(client, insert, [to.key, drawEpoch(), to.userId, to.id, createdAt])
}

/**
 * `created_at`, `updated_at` and `imported_at` of a new conversation. @param createdAt a parameter; null: now
 */
export function newTimes(createdAt: string): string {
  const time = `coalesce(${createdAt}::timestamptz, clock)`
  return `${time}, ${time}, case when ${createdAt}::timestamptz is not null then clock end`
}

const insert: Statement = {
  name: 'conversation-insert',
  text: `
    insert into conversation
      (key, epoch, user_id, id, revision, changed_revision, created_at, updated_at, imported_at)
    select $1, $2, $3, $4, 1, 1, ${newTimes('$5')} from (select clock_timestamp() as clock) now
    on conflict (key) do nothing`,
}

/**
 * Makes a locked tombstone an empty conversation again, with a new epoch. Answers null while messages of the old epoch
 * are left. A tombstone takes no appends, so its messages cannot come back once they are erased.
 *
 * @param createdAt the time that an import brings; null: now
 */
export async function reviveConversation(
  client: PoolClient,
  tombstone: Conversation,
  createdAt: string | null,
): Promise<Conversation | null> {
  const [row] = await query(client, revive, [tombstone.key, drawEpoch(), createdAt])
  return row === undefined ? null : readConversation(row)
}

const revive: Statement = {
  name: 'conversation-revive',
  text: `
    update conversation c set
      epoch = $2, title = null, metadata = '{}', last_seq = 0, revision = c.revision + 1,
      changed_revision = c.revision + 1, created_at = coalesce($3::timestamptz, clock), archived_at = null,
      deleted_at = null, active_leaf = null, is_branched = false,
      updated_at = coalesce($3::timestamptz, greatest(clock, c.updated_at + interval '1 microsecond')),
      imported_at = case when $3::timestamptz is null then c.imported_at else ${nextImport('c')} end
    from (select clock_timestamp() as clock) now
    where c.key = $1 and c.deleted_at is not null
      and not exists (select from message m where m.conversation_key = c.key)
    returning ${conversationColumns('c')}`,
}
