import type { PoolClient } from 'pg'
import type { Conversation } from '../../entities/conversation.ts'
import type { Participant } from '../../entities/participant.ts'
import { readable, toTimestamp } from '../../entities/timestamp.ts'
import type { Waiting } from '../../entities/waiting.ts'
import { TakenOver, TooManyParticipants } from '../../facts.ts'
import { commit, inTransaction, listMoved, movingOthers, unmoved, waitingMoved } from '../conversation/commit.ts'
import { type ConversationRef, reachable } from '../conversation/conversation-ref.ts'
import { conversationColumns, nextUpdate, readConversation } from '../conversation/conversation-row.ts'
import { lockPresent } from '../conversation/lock.ts'
import { readPart } from '../conversation/participant-role.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { queryKey, type Row, type Runner, type Statement } from '../postgres/statement.ts'
import type { Moved, Store } from '../postgres/store.ts'

/*
 *     none ── waitForPerson ──▶ it waits ── takeOver ──▶ taken
 *      ▲                         │                         │
 *      └── stopWaiting, deletion ┴─────── handBack ────────┘
 *
 * A row of `waiting` is in the second state, or with `taken_at` in the third. Whoever changes it has locked the
 * conversation. The third is there for those who support and come too late: they are told who was first.
 */

/**
 * Says that a conversation waits for a person, and why. One that waits already goes on waiting since the same time.
 *
 * @throws ConversationMissing, NotPermitted, TakenOver if a person has it
 */
export function waitForPerson(store: Store, ref: ConversationRef, reason: string | null): Promise<Conversation> {
  return commit(
    store,
    inTransaction(async (client) => {
      const found = await lockPresent(client, ref, 'writer')
      if (found.takenOverBy !== null) throw new TakenOver(found.takenOverBy)
      const isChanged = (await queryKey(client, upsert, found.key, [found.epoch, reason])).length > 0
      if (!isChanged) return unmoved(found)
      return movingOthers(await moveConversation(client, found), [waitingMoved])
    }),
  )
}

/** It waits no more, though nobody took it over. If it does not wait, nothing changes. @throws ConversationMissing, NotPermitted */
export function stopWaiting(store: Store, ref: ConversationRef): Promise<Conversation> {
  return commit(
    store,
    inTransaction(async (client) => {
      const found = await lockPresent(client, ref, 'writer')
      const ended = found.takenOverBy === null ? await endWaiting(client, found, 'forgotten') : []
      if (ended.length === 0) return unmoved(found)
      return movingOthers(await moveConversation(client, found), ended)
    }),
  )
}

/**
 * Somebody who supports reads a conversation for as long as it waits, as an observer. Whoever takes part already keeps its part.
 *
 * @param most how many participants the conversation may have beside its owner
 * @throws ConversationMissing unless it waits, TakenOver if a person has it since, TooManyParticipants
 */
export function joinWaiting(store: Store, ref: ConversationRef, most: number): Promise<Conversation> {
  return commit(
    store,
    inTransaction(async (client) => {
      const joined = await letIn(client, ref, 'OBSERVER', most)
      const found = await lockPresent(client, ref, 'reader')
      return joined.length === 0 ? unmoved(found) : movingOthers(found, joined)
    }),
  )
}

/**
 * Lets somebody who supports into a conversation that waits, within the transaction of the caller: an observer until it
 * waits no more, a member for good. Nothing changes for whoever takes such a part already, nor in a conversation that does not wait.
 *
 * @returns what moved beside the conversation
 * @throws TakenOver if a person has taken it since, TooManyParticipants
 */
export async function letIn(
  client: PoolClient,
  { key, userId, epoch }: ConversationRef,
  role: Participant['role'],
  most: number,
): Promise<Moved[]> {
  const [row] = await queryKey(client, lockWaiting, key, [epoch])
  if (row === undefined) return []
  const conversation = readConversation(row)
  const part = await readPart(client, conversation, userId)
  if (part !== null && (role === 'OBSERVER' || part.role !== 'OBSERVER')) return []
  const { takenOverBy } = conversation
  const [waiting] = await queryKey(client, selectState, key, [conversation.epoch])
  if (waiting === undefined || (takenOverBy !== null && part !== null)) return []
  if (takenOverBy !== null) throw new TakenOver(takenOverBy)
  const [present] = part === null ? await queryKey(client, countPresent, key, [conversation.epoch]) : []
  if (present !== undefined && Number(present[0]) >= most) throw new TooManyParticipants(most)
  const [moved] = await queryKey(client, moveParticipants, key, [])
  await queryKey(client, join, key, [userId, conversation.epoch, role, role === 'OBSERVER', moved?.[0]])
  return [listMoved(userId)]
}

/**
 * Ends the waiting of a conversation that is locked, and the parts of those who joined it meanwhile.
 *
 * @param end `taken`: a person took it over; `forgotten`: nothing of it stays
 * @returns what moved beside the conversation; nothing if it did not wait
 */
export async function endWaiting(
  client: PoolClient,
  { key, epoch }: Conversation,
  end: 'taken' | 'forgotten',
): Promise<Moved[]> {
  const [ended] = await queryKey(client, end === 'taken' ? take : forget, key, [])
  if (ended?.[0] !== true) return []
  const left = await queryKey(client, endParts, key, [epoch])
  return [waitingMoved, ...left.map(([userId]) => listMoved(userId as string))]
}

/** Moves what `ConversationUpdated` tells. */
async function moveConversation(client: Runner, { key }: Conversation): Promise<Conversation> {
  const [row] = await queryKey(client, moveOwn, key, [])
  return readConversation(row as Row)
}

const upsert: Statement<'key'> = {
  name: 'waiting-upsert',
  kind: 'key',
  text: `
    insert into waiting as w (conversation_key, epoch, since, reason) values ($1, $2, now(), $3)
    on conflict (conversation_key) do update set
      epoch = excluded.epoch, reason = excluded.reason, taken_at = null,
      since = case when w.taken_at is null and w.epoch = excluded.epoch then w.since else excluded.since end
    where w.taken_at is not null or w.epoch <> excluded.epoch or w.reason is distinct from excluded.reason
    returning w.epoch`,
}

const moveOwn: Statement<'key'> = {
  name: 'waiting-move',
  kind: 'key',
  text: `
    update conversation c set revision = c.revision + 1, changed_revision = c.revision + 1,
      updated_at = ${nextUpdate('c.updated_at')}
    where c.key = $1 returning ${conversationColumns('c')}`,
}

/** Whoever asks may take no part yet. Whether it still waits, only a statement after the lock sees. */
const lockWaiting: Statement<'key'> = {
  name: 'waiting-lock',
  kind: 'key',
  text: `
    select ${conversationColumns('c')} from conversation c
    where c.key = $1 and c.deleted_at is null and ($2::bigint is null or c.epoch = $2)
      and exists (select from waiting w where w.conversation_key = $1 and w.epoch = c.epoch)
    for update of c`,
}

const selectState: Statement<'key'> = {
  name: 'waiting-state',
  kind: 'key',
  text: 'select w.epoch from waiting w where w.conversation_key = $1 and w.epoch = $2',
}

const countPresent: Statement<'key'> = {
  name: 'waiting-count-present',
  kind: 'key',
  text: `
    select count(*)::int from participant p
    where p.conversation_key = $1 and p.epoch = $2 and p.ended_at is null`,
}

const moveParticipants: Statement<'key'> = {
  name: 'waiting-move-participants',
  kind: 'key',
  text: `
    update conversation c set revision = c.revision + 1, participants_revision = c.revision + 1,
      updated_at = ${nextUpdate('c.updated_at')}
    where c.key = $1 returning c.revision`,
}

/** Whoever took part before, and is no stranger, reads from where it did. */
const join: Statement<'key'> = {
  name: 'waiting-join',
  kind: 'key',
  text: `
    insert into participant as p
      (conversation_key, user_id, epoch, role, while_waiting, revision, created_at, changed_at)
    values ($1, $2, $3, $4, $5, $6, now(), now())
    on conflict (conversation_key, user_id) do update set
      epoch = excluded.epoch, role = excluded.role, while_waiting = excluded.while_waiting, revision = excluded.revision,
      created_at = case when p.ended_at is null and p.epoch = excluded.epoch then p.created_at else excluded.created_at end,
      history_from = case when p.ended_at is null and p.epoch = excluded.epoch then p.history_from end,
      changed_at = excluded.changed_at, ended_at = null`,
}

const take: Statement<'key'> = {
  name: 'waiting-take',
  kind: 'key',
  text: `
    update waiting w set taken_at = now() where w.conversation_key = $1 and w.taken_at is null returning true`,
}

const forget: Statement<'key'> = {
  name: 'waiting-forget',
  kind: 'key',
  text: 'delete from waiting w where w.conversation_key = $1 returning w.taken_at is null',
}

const endParts: Statement<'key'> = {
  name: 'waiting-end-parts',
  kind: 'key',
  text: `
    with ended as (
      update participant p set ended_at = now(), changed_at = now(), revision = c.revision + 1 from conversation c
      where p.conversation_key = $1 and c.key = $1 and p.epoch = $2 and p.while_waiting and p.ended_at is null
      returning p.user_id
    ),
    moved as (
      update conversation c set revision = c.revision + 1, participants_revision = c.revision + 1,
        updated_at = ${nextUpdate('c.updated_at')}
      where c.key = $1 and exists (select from ended)
    )
    select ended.user_id from ended`,
}

/** For each conversation, in order: since when it waits, and why; null: it does not. A statement for each. */
export async function readWaiting(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  conversations: readonly Conversation[],
): Promise<(Pick<Waiting, 'since' | 'reason'> | null)[]> {
  const asks = conversations.map(({ key, epoch }) => ({ statement: select, key, values: [userId, epoch] }))
  const answers = await budget.readKeys(store, asks, 'refused')
  return answers.map(([row]) => {
    return row === undefined ? null : { since: toTimestamp(row[1] as string), reason: row[2] as string | null }
  })
}

const select: Statement<'key'> = {
  name: 'waiting-read',
  kind: 'key',
  text: `
    select 32 + coalesce(octet_length(w.reason), 0), ${readable('w.since')}, w.reason
    from conversation c join waiting w on w.conversation_key = $1 and w.epoch = c.epoch and w.taken_at is null
    where ${reachable('c')} and $4::bigint is not null`,
}
