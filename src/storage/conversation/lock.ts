import type { PoolClient } from 'pg'
import type { Conversation } from '../../entities/conversation.ts'
import { query, type Statement } from '../postgres/statement.ts'
import { drawEpoch } from './conversation-key.ts'
import type { ConversationRef } from './conversation-ref.ts'
import { conversationColumns, readConversation } from './conversation-row.ts'

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
 */
export async function insertConversation(client: PoolClient, userId: string, key: string, id: string): Promise<void> {
  await query(client, insert, [key, drawEpoch(), userId, id])
}

const insert: Statement = {
  name: 'conversation-insert',
  text: `
    insert into conversation (key, epoch, user_id, id, revision, changed_revision, created_at, updated_at)
    select $1, $2, $3, $4, 1, 1, clock, clock from (select clock_timestamp() as clock) now
    on conflict (key) do nothing`,
}

/**
 * Makes a locked tombstone an empty conversation again, with a new epoch. Answers null while messages of the old epoch
 * are left. A tombstone takes no appends, so its messages cannot come back once they are erased.
 */
export async function reviveConversation(client: PoolClient, tombstone: Conversation): Promise<Conversation | null> {
  const [row] = await query(client, revive, [tombstone.key, drawEpoch()])
  return row === undefined ? null : readConversation(row)
}

const revive: Statement = {
  name: 'conversation-revive',
  text: `
    update conversation c set
      epoch = $2, title = null, metadata = '{}', last_seq = 0, revision = c.revision + 1,
      changed_revision = c.revision + 1, created_at = clock, archived_at = null, deleted_at = null,
      active_leaf = null, is_branched = false,
      updated_at = greatest(clock, c.updated_at + interval '1 microsecond')
    from (select clock_timestamp() as clock) now
    where c.key = $1 and c.deleted_at is not null
      and not exists (select from message m where m.conversation_key = c.key)
    returning ${conversationColumns('c')}`,
}
