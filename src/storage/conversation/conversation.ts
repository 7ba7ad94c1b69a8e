import { LockMode, raw } from '@mikro-orm/core'
import type { EntityManager } from '@mikro-orm/postgresql'
import { Conversation } from '../../entities/conversation.ts'
import type { JsonRecord } from '../../entities/json.ts'
import { Participant } from '../../entities/participant.ts'
import { Waiting } from '../../entities/waiting.ts'
import { ConversationContended, ConversationExists, ConversationMissing, NotPermitted } from '../../facts.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { writeJson } from '../postgres/column.ts'
import { free, within } from '../postgres/quota.ts'
import { queryKey, type Row, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import {
  atOnce,
  commit,
  inTransaction,
  inUnitOfWork,
  moving,
  movingOthers,
  unmoved,
  type Written,
  waitingMoved,
} from './commit.ts'
import { drawEpoch } from './conversation-key.ts'
import { type ConversationRef, reachable } from './conversation-ref.ts'
import { conversationBytes, conversationColumns, nextUpdate, readConversation } from './conversation-row.ts'
import { eraseMessages, type Tombstone } from './erase.ts'
import { lockConversation, newTimes, reviveConversation } from './lock.ts'

/** For each ref, in order: the conversation, or null. A statement for each. */
export async function readConversations(
  store: Store,
  budget: AnswerBudget,
  refs: readonly ConversationRef[],
): Promise<(Conversation | null)[]> {
  const asks = refs.map(({ key, userId, epoch }) => ({ statement: readWithin, key, values: [userId, epoch] }))
  const answers = await budget.readKeys(store, asks, 'refused')
  return answers.map(([row]) => (row === undefined ? null : readConversation(row, 1)))
}

const readWithin: Statement<'key'> = {
  name: 'conversation-read-within',
  kind: 'key',
  // One row is answered also where it has no room.
  text: `
    select ${conversationBytes('c')}, ${conversationColumns('c')} from conversation c
    where ${reachable('c')} and $4::bigint is not null`,
}

/** The conversation, or null. */
export async function findConversation(store: Store, ref: ConversationRef): Promise<Conversation | null> {
  const [row] = await queryKey(store.reads, readOne, ref.key, [ref.userId, ref.epoch])
  return row === undefined ? null : readConversation(row)
}

const readOne: Statement<'key'> = {
  name: 'conversation-read-one',
  kind: 'key',
  text: `select ${conversationColumns('c')} from conversation c where ${reachable('c')}`,
}

export interface NewConversation {
  readonly to: ConversationRef & { readonly id: string }
  readonly title: string | null
  readonly metadata: JsonRecord
  readonly isSearchable: boolean
  /** The time that an import brings; null: now. */
  readonly createdAt: string | null
}

/**
 * Creates a conversation, or finds the one that exists.
 *
 * @throws ConversationExists unless `returnExisting`; ConversationContended, QuotaExceeded
 */
export function createConversation(
  store: Store,
  input: NewConversation,
  returnExisting: boolean,
): Promise<{ conversation: Conversation; created: boolean }> {
  const { to } = input
  return within(store.quotas.conversations, to.userId, 1, async (room) => {
    // Without room, one that exists is answered all the same.
    if (!room.isWhole && (await findConversation(store, to)) === null) room.require(1)
    const answer = await createOrFind(store, input, returnExisting)
    room.use(answer.created ? 1 : 0)
    return answer
  })
}

async function createOrFind(
  store: Store,
  input: NewConversation,
  returnExisting: boolean,
): Promise<{ conversation: Conversation; created: boolean }> {
  const { to } = input
  for (let attempt = 0; attempt < 5; attempt++) {
    const values = [
      drawEpoch(),
      to.userId,
      to.id,
      input.title,
      writeJson(input.metadata),
      input.createdAt,
      input.isSearchable,
    ]
    const conversation = await commit(
      store,
      atOnce(async (pool) => toWritten(await queryKey(pool, create, to.key, values))),
    )
    if (conversation !== null) return { conversation, created: true }
    const existing = await findConversation(store, to)
    if (existing && !returnExisting) throw new ConversationExists()
    if (existing) return { conversation: existing, created: false }
    const overTombstone = await createOverTombstone(store, input)
    if (overTombstone instanceof Conversation) return { conversation: overTombstone, created: true }
    if (overTombstone !== null) await eraseMessages(store, overTombstone)
  }
  throw new ConversationContended()
}

const create: Statement<'key'> = {
  name: 'conversation-create',
  kind: 'key',
  text: `
    insert into conversation as c
      (key, epoch, user_id, id, title, metadata, revision, changed_revision, created_at, updated_at, imported_at, is_searchable)
    values ($1, $2, $3, $4, $5, $6, 1, 1, ${newTimes('$7')}, $8)
    on conflict (key) do nothing
    returning ${conversationColumns('c')}`,
}

/**
 * Answers the new conversation; or the tombstone, if its messages must be erased first; or null, if the tombstone is
 * gone.
 */
async function createOverTombstone(store: Store, input: NewConversation): Promise<Conversation | Tombstone | null> {
  const { to, title, metadata, createdAt, isSearchable } = input
  return commit<Conversation | Tombstone | null>(
    store,
    inTransaction(async (client) => {
      const found = (await lockConversation(client, to, 'owner'))?.conversation ?? null
      if (found === null || found.deletedAt === null) return unmoved(null)
      const revived = await reviveConversation(client, found, createdAt)
      if (revived === null) return unmoved({ key: found.key, epoch: found.epoch })
      return toWritten(await queryKey(client, fill, found.key, [title, writeJson(metadata), isSearchable]))
    }),
  )
}

/** The conversation that a statement wrote; null if the statement answered no row. */
function toWritten([row]: readonly Row[]): Written<Conversation | null> {
  if (row === undefined) return unmoved(null)
  const conversation = readConversation(row)
  return moving(conversation, conversation)
}

const fill: Statement<'key'> = {
  name: 'conversation-fill',
  kind: 'key',
  text: `
    update conversation c set title = $2, metadata = $3, is_searchable = $4 where c.key = $1
    returning ${conversationColumns('c')}`,
}

/** A property that is absent stays as it is. Metadata is merged at its top level; null clears the metadata. */
export interface ConversationChange {
  readonly title?: string | null | undefined
  readonly metadata?: JsonRecord | null | undefined
  readonly archived?: boolean | null | undefined
  readonly searchable?: boolean | null | undefined
}

/**
 * Changes a conversation. Such a change is rare, so it is a unit of work: lock, change, flush.
 *
 * @param check gets the merged metadata, and throws if it may not be stored
 * @throws ConversationMissing
 */
export async function updateConversation(
  store: Store,
  ref: ConversationRef,
  change: ConversationChange,
  check: (metadata: JsonRecord) => void,
): Promise<Conversation> {
  return commit(
    store,
    inUnitOfWork(async (em) => {
      const found = await findLocked(em, ref)
      if (change.title !== undefined) found.title = change.title
      if (change.metadata !== undefined) {
        found.metadata = change.metadata === null ? {} : { ...found.metadata, ...change.metadata }
        check(found.metadata)
      }
      if (change.archived !== undefined)
        found.archivedAt = change.archived === true ? (found.archivedAt ?? now()) : null
      if (change.searchable !== undefined) found.searchable = change.searchable ?? true
      move(found)
      found.changedRevision = found.revision
      await em.flush()
      return moving(found, found)
    }),
  )
}

/**
 * Turns a conversation into a tombstone. From then on no statement reaches the conversation. The caller still has to
 * erase its messages.
 *
 * @throws ConversationMissing
 */
export async function deleteConversation(store: Store, ref: ConversationRef): Promise<Conversation> {
  const tombstone = await commit(
    store,
    inUnitOfWork(async (em) => {
      const found = await findLocked(em, ref)
      found.title = null
      found.metadata = {}
      found.deletedAt = now()
      move(found)
      await em.flush()
      const waited = await em.nativeDelete(Waiting, { conversation: found })
      return movingOthers(found, waited === 0 ? [] : [waitingMoved])
    }),
  )
  free(store.quotas, ref.userId)
  return tombstone
}

/** @throws ConversationMissing, NotPermitted */
export async function findLocked(em: EntityManager, ref: ConversationRef): Promise<Conversation> {
  const life = ref.epoch === null ? {} : { epoch: ref.epoch }
  // MikroORM would ask for the null of the expression that reads the time.
  const where = { key: ref.key, userId: ref.userId, [raw('deleted_at')]: null, ...life }
  const found = await em.findOne(Conversation, where, { lockMode: LockMode.PESSIMISTIC_WRITE })
  if (found !== null) return found
  const part = await em.findOne(Participant, {
    conversation: { key: ref.key },
    userId: ref.userId,
    [raw('ended_at')]: null,
  })
  throw part === null ? new ConversationMissing() : new NotPermitted()
}

export function move(conversation: Conversation): void {
  conversation.revision += 1
  conversation.updatedAt = raw(nextUpdate('updated_at'))
}

/** The time of the database's clock: the clocks of servers may differ. */
export function now(): string {
  return raw('now()')
}
