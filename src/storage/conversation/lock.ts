import type { PoolClient } from 'pg'
import type { Conversation } from '../../entities/conversation.ts'
import { ConversationMissing, NotPermitted } from '../../facts.ts'
import { queryKey, type Statement } from '../postgres/statement.ts'
import { drawEpoch } from './conversation-key.ts'
import { type Access, type ConversationRef, mayAccess } from './conversation-ref.ts'
import { conversationColumns, nextImport, nextUpdate, readConversation } from './conversation-row.ts'
import { allows, firstSeqOf, type Reached, readPart } from './participant-role.ts'

/**
 * Locks the conversation, or its tombstone, until the transaction ends; null if this viewer has neither. A ref with an
 * epoch finds only a conversation of that epoch.
 *
 * @throws NotPermitted if the viewer takes part in the conversation, but may not do this
 */
export async function lockConversation(
  client: PoolClient,
  ref: ConversationRef,
  access: Access,
): Promise<Reached | null> {
  const [row] = await queryKey(client, lock, ref.key, [ref.userId, ref.epoch])
  if (row === undefined) return null
  const conversation = readConversation(row)
  // A statement of its own: the one that waited for the lock has a snapshot from before, and whoever held the lock may
  // have removed this viewer.
  const part = await readPart(client, conversation, ref.userId)
  if (part === null) return null
  if (!allows(part.role, access)) throw new NotPermitted()
  return { conversation, firstSeq: firstSeqOf(part) }
}

/** The same for a conversation that is there. @throws ConversationMissing, NotPermitted */
export async function lockPresent(client: PoolClient, ref: ConversationRef, access: Access): Promise<Conversation> {
  const conversation = (await lockConversation(client, ref, access))?.conversation
  if (conversation === undefined || conversation.deletedAt !== null) throw new ConversationMissing()
  return conversation
}

/**
 * Locks two conversations that the viewer may read, and answers them in the given order. Every transaction locks in the
 * order of the keys.
 */
export async function lockBoth(
  client: PoolClient,
  one: ConversationRef,
  other: ConversationRef,
): Promise<[Reached | null, Reached | null]> {
  if (one.key > other.key) {
    const [last, first] = await lockBoth(client, other, one)
    return [first, last]
  }
  const first = await lockConversation(client, one, 'reader')
  return [first, await lockConversation(client, other, 'reader')]
}

const lock: Statement<'key'> = {
  name: 'conversation-lock',
  kind: 'key',
  text: `
    select ${conversationColumns('c')} from conversation c
    where c.key = $1 and ${mayAccess('c', 'reader')} and ($3::bigint is null or c.epoch = $3)
    for update of c`,
}

/**
 * Creates an empty conversation; null if the key exists. Only a new statement can see what holds the key.
 *
 * @param createdAt the time that an import brings; null: now
 */
export async function insertConversation(
  client: PoolClient,
  to: { readonly key: string; readonly userId: string; readonly id: string },
  createdAt: string | null,
): Promise<Conversation | null> {
  const [row] = await queryKey(client, insert, to.key, [drawEpoch(), to.userId, to.id, createdAt])
  return row === undefined ? null : readConversation(row)
}

/**
 * `created_at`, `updated_at` and `imported_at` of a new conversation. @param createdAt a parameter; null: now
 */
export function newTimes(createdAt: string): string {
  const time = `coalesce(${createdAt}::timestamptz, now())`
  return `${time}, ${time}, case when ${createdAt}::timestamptz is not null then now() end`
}

const insert: Statement<'key'> = {
  name: 'conversation-insert',
  kind: 'key',
  text: `
    insert into conversation as c
      (key, epoch, user_id, id, revision, changed_revision, created_at, updated_at, imported_at)
    values ($1, $2, $3, $4, 1, 1, ${newTimes('$5')})
    on conflict (key) do nothing
    returning ${conversationColumns('c')}`,
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
  const values: unknown[] = [drawEpoch()]
  if (createdAt !== null) values.push(createdAt)
  const [row] = await queryKey(client, createdAt === null ? reviveNow : reviveAt, tombstone.key, values)
  return row === undefined ? null : readConversation(row)
}

const reviveNow = reviveStatement(
  'conversation-revive-now',
  `created_at = now(), updated_at = ${nextUpdate('c.updated_at')}`,
)

const reviveAt = reviveStatement(
  'conversation-revive-at',
  `created_at = $3, updated_at = $3, imported_at = ${nextImport('c')}`,
)

function reviveStatement(name: string, times: string): Statement<'key'> {
  return {
    name,
    kind: 'key',
    text: `
      with ended as (
        update participant p set ended_at = now(), changed_at = now(), revision = c.revision + 1 from conversation c
        where p.conversation_key = $1 and c.key = $1 and p.ended_at is null and c.deleted_at is not null
      )
      update conversation c set
        epoch = $2, participants_revision = null, title = null, metadata = '{}', last_seq = 0, revision = c.revision + 1,
        changed_revision = c.revision + 1, archived_at = null, deleted_at = null, active_leaf = null,
        is_branched = false, is_searchable = true, taken_over_by = null, ${times}
      where c.key = $1 and c.deleted_at is not null
        and not exists (select from message m where m.conversation_key = $1)
      returning ${conversationColumns('c')}`,
  }
}
