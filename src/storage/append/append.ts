import type { Pool, PoolClient } from 'pg'
import type { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message.ts'
import { toMicroseconds } from '../../entities/timestamp.ts'
import {
  ClientIdTaken,
  ConversationContended,
  ConversationMissing,
  ForeignParent,
  LastSeqMoved,
  RepeatedClientId,
} from '../../facts.ts'
import { namedClientIds, type ParentRef, placeMessages } from '../branch/append-parents.ts'
import { atOnce, commit, inTransaction, moving, unmoved } from '../conversation/commit.ts'
import { drawEpoch } from '../conversation/conversation-key.ts'
import { type ConversationRef, reachable } from '../conversation/conversation-ref.ts'
import { conversationColumns, nextImport, nextUpdate, readConversation } from '../conversation/conversation-row.ts'
import { eraseMessages, type Tombstone } from '../conversation/erase.ts'
import { insertConversation, lockConversation, reviveConversation } from '../conversation/lock.ts'
import { appendColumns, createdColumn, type MessageColumn, parentColumn } from '../message/message-columns.ts'
import { messageColumns, readMessage } from '../message/message-row.ts'
import { arraysOf, arrayValuesOf, castsOf, namesOf, parametersOf, valuesOf } from '../message/message-values.ts'
import { bringsTime, type NewMessage, storedMessage } from '../message/new-message.ts'
import { type Rewrite, rewriteMessages } from '../message/rewrite.ts'
import { query, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

export interface Append {
  readonly to: ConversationRef
  readonly createIfMissing: boolean
  /** The last seq that the conversation must have; a missing conversation has 0. null: any. */
  readonly ifLastSeq: number | null
  /**
   * What to do with a known client id that has another payload: refuse the append, or give the message the new
   * contents.
   */
  readonly onExisting: 'FAIL' | 'REPLACE'
  /**
   * The parents of those messages that name one; the others come one after the other. Such an append needs the lock
   * first.
   */
  readonly parents?: ReadonlyMap<NewMessage, ParentRef> | undefined
  /** Runs in the same transaction, after the messages were stored. Such an append needs the lock first. */
  readonly alsoStore?: (client: PoolClient, appended: Appended) => Promise<void>
  /**
   * At least one. If several have one client id and one payload, the first is stored, and the others are its replays.
   */
  readonly messages: readonly NewMessage[]
}

export interface Appended {
  readonly conversation: Conversation
  /** In the order of the input. */
  readonly messages: Message[]
  /** For each message: whether an earlier call stored it. */
  readonly replayed: boolean[]
}

/**
 * Appends all messages in one transaction, or none.
 *
 * In the common case this is one statement. If something stands against the append, the statement answers no row; if a
 * client id is known, it fails. In both cases it stored nothing. Then a transaction locks the conversation and makes
 * all checks in order. So no write of unknown outcome is repeated.
 *
 * @throws ConversationMissing, RepeatedClientId, ClientIdTaken, LastSeqMoved, ForeignParent, ConversationContended
 */
export async function appendMessages(store: Store, append: Append): Promise<Appended> {
  const messages = withoutRepeats(append.messages)
  const distinct = messages === append.messages ? append : { ...append, messages }
  const appended =
    (needsLock(append) ? null : await tryInsert(store, distinct)) ?? (await checkAndInsert(store, distinct))
  return messages.length === append.messages.length ? appended : withRepeats(append.messages, appended)
}

/** Whether an append cannot be one statement without a lock before it. */
export function needsLock({ alsoStore, parents, messages }: Append): boolean {
  return alsoStore !== undefined || parents !== undefined || messages.some(bringsTime)
}

function withoutRepeats(messages: readonly NewMessage[]): readonly NewMessage[] {
  if (messages.length === 1) return messages
  const first = new Map<string, NewMessage>()
  return messages.filter((message, index) => {
    if (message.clientId === null) return true
    const earlier = first.get(message.clientId)
    if (earlier === undefined) {
      first.set(message.clientId, message)
      return true
    }
    if (earlier.payloadHash?.equals(message.payloadHash ?? Buffer.alloc(0))) return false
    throw new RepeatedClientId(index)
  })
}

function withRepeats(asked: readonly NewMessage[], appended: Appended): Appended {
  const placeOf = new Map<string, number>()
  const places: number[] = []
  const isRepeat: boolean[] = []
  let next = 0
  for (const { clientId } of asked) {
    const earlier = clientId === null ? undefined : placeOf.get(clientId)
    isRepeat.push(earlier !== undefined)
    places.push(earlier ?? next)
    if (earlier !== undefined) continue
    if (clientId !== null) placeOf.set(clientId, next)
    next += 1
  }
  return {
    conversation: appended.conversation,
    messages: places.map((place) => appended.messages[place] as Message),
    replayed: places.map((place, index) => isRepeat[index] === true || appended.replayed[place] === true),
  }
}

/** Inserts the messages with one statement and no checks before it; null if something stands against that. */
async function tryInsert(store: Store, append: Append): Promise<Appended | null> {
  const mayCreate = append.createIfMissing && append.to.id !== null && (append.ifLastSeq ?? 0) === 0
  try {
    return await commit(
      store,
      atOnce(async (pool) => {
        const appended = await insertMessages(pool, append, mayCreate ? 'upsert' : 'update')
        return appended === null ? unmoved(null) : moving(appended, appended.conversation)
      }),
    )
  } catch (error) {
    if (isKnownClientId(error)) return null
    throw error
  }
}

/**
 * Locks the conversation, checks in the promised order (replay, existence, `ifLastSeq`) and inserts. If the messages of a
 * tombstone are in the way, erases them and begins again.
 */
async function checkAndInsert(store: Store, append: Append): Promise<Appended> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const outcome = await commit(
      store,
      inTransaction<Appended | { tombstone: Tombstone }>(async (client) => {
        const appended = await insertOrFindTombstone(client, append)
        if ('tombstone' in appended) return unmoved(appended)
        await append.alsoStore?.(client, appended)
        return appended.replayed.includes(false) ? moving(appended, appended.conversation) : unmoved(appended)
      }),
    )
    if (!('tombstone' in outcome)) return outcome
    await eraseMessages(store, outcome.tombstone)
  }
  throw new ConversationContended()
}

/** Answers the tombstone if its messages must be erased before anything can be inserted. */
async function insertOrFindTombstone(client: PoolClient, append: Append): Promise<Appended | { tombstone: Tombstone }> {
  let conversation = await lockConversation(client, append.to)
  if (conversation === null || conversation.deletedAt !== null) {
    if (!append.createIfMissing || append.to.id === null) throw new ConversationMissing()
    if ((append.ifLastSeq ?? 0) !== 0) throw new LastSeqMoved(append.ifLastSeq ?? 0, 0)
    if (conversation !== null) {
      const revived = await reviveConversation(client, conversation, earliestOf(append.messages))
      if (revived === null) return { tombstone: conversation }
      conversation = revived
    } else {
      const { key, userId, id } = append.to
      await insertConversation(client, { key, userId, id }, earliestOf(append.messages))
      conversation = await lockConversation(client, append.to)
      if (conversation === null) throw new ConversationMissing()
      if (conversation.deletedAt !== null) return { tombstone: conversation }
    }
  }
  const stored = await readStored(client, conversation, append)
  const placed = placeMessages(conversation, append, stored.seqs)
  const messages = placed.map(({ message }) => message)
  const { known, outdated } = compare(append, messages, stored.rows)
  const isFresh = (message: NewMessage) => !isKnown(known, message)
  const fresh = messages.filter(isFresh)
  const isWrite = fresh.length > 0 || outdated.length > 0
  if (isWrite && append.ifLastSeq !== null && append.ifLastSeq !== conversation.lastSeq) {
    throw new LastSeqMoved(append.ifLastSeq, conversation.lastSeq)
  }
  if (outdated.length > 0) {
    const rewritten = await rewriteMessages(client, conversation, outdated)
    conversation = rewritten.conversation
    for (const message of rewritten.messages) known.set(message.clientId ?? '', message)
  }
  if (fresh.length > 0) {
    const parentSeqs = placed.flatMap(({ message, parentSeq, seq }, index) => {
      if (!isFresh(message)) return []
      if (parentSeq === null) throw new ForeignParent(index)
      return [parentSeq === seq - 1 ? null : parentSeq]
    })
    const isPlain = conversation.activeLeaf === null && parentSeqs.every((seq) => seq === null)
    const mode = fresh.some(bringsTime) ? 'import' : isPlain ? 'update' : 'branch'
    const inserted = await insertMessages(client, { ...append, messages: fresh, ifLastSeq: null }, mode, parentSeqs)
    if (inserted === null) throw new ConversationMissing()
    return inOrder(messages, fresh, outdated, inserted, known)
  }
  return inOrder(messages, fresh, outdated, { conversation, messages: [] }, known)
}

/** The earliest time that the messages bring; null: they bring none. */
function earliestOf(messages: readonly NewMessage[]): string | null {
  const times = messages.filter(bringsTime).map(({ createdAt }) => createdAt)
  return times.length === 0 ? null : times.reduce((a, b) => (toMicroseconds(b) < toMicroseconds(a) ? b : a))
}

function inOrder(
  asked: readonly NewMessage[],
  fresh: readonly NewMessage[],
  outdated: readonly Rewrite[],
  stored: Pick<Appended, 'conversation' | 'messages'>,
  known: ReadonlyMap<string, Message>,
): Appended {
  const storedAs = new Map(fresh.map((message, index) => [message, stored.messages[index]]))
  const isWritten = new Set([...fresh, ...outdated.map((rewrite) => rewrite.message)])
  return {
    conversation: stored.conversation,
    // Each message is in one of the two: it is fresh, or its client id is known.
    messages: asked.map((message) => (storedAs.get(message) ?? known.get(message.clientId ?? '')) as Message),
    replayed: asked.map((message) => !isWritten.has(message)),
  }
}

interface Stored {
  /** The messages that have a client id of the append. */
  readonly rows: readonly { readonly hash: Buffer; readonly message: Message }[]
  /** By client id: of those messages, and of the parents that messages of the append name. */
  readonly seqs: ReadonlyMap<string, number>
}

async function readStored(client: PoolClient, conversation: Conversation, append: Append): Promise<Stored> {
  const clientIds = append.messages.flatMap(({ clientId }) => clientId ?? [])
  const parents = namedClientIds(append)
  const seqs = new Map<string, number>()
  if (parents.length > 0) {
    const named = await query(client, selectSeqs, [conversation.key, parents])
    for (const [clientId, seq] of named) seqs.set(clientId as string, seq as number)
  }
  const found = clientIds.length === 0 ? [] : await query(client, selectKnown, [conversation.key, clientIds])
  const rows = found.map((row) => ({ hash: row[0] as Buffer, message: readMessage(row, 1, conversation) }))
  for (const { message } of rows) seqs.set(message.clientId ?? '', message.seq)
  return { rows, seqs }
}

/**
 * The stored messages that have one of the client ids, and which of them get new contents. A tombstone keeps its place
 * and gets no contents.
 *
 * @param messages those of the append, with the payload hashes to store
 * @throws ClientIdTaken if a stored message has another payload and may not be replaced
 */
function compare(
  append: Append,
  messages: readonly NewMessage[],
  rows: Stored['rows'],
): { known: Map<string, Message>; outdated: Rewrite[] } {
  const places = new Map(messages.map(({ clientId }, index) => [clientId, index]))
  const known = new Map<string, Message>()
  const outdated: Rewrite[] = []
  for (const { hash, message: stored } of rows) {
    const clientId = stored.clientId ?? ''
    const place = places.get(clientId) as number
    const message = messages[place] as NewMessage
    known.set(clientId, stored)
    // The hash as it was before the parent was looked up: 0.1.0 stored it.
    const hashes = [message.payloadHash, append.messages[place]?.payloadHash]
    if (hashes.some((payloadHash) => payloadHash?.equals(hash))) continue
    if (append.onExisting === 'FAIL' || stored.status === 'STREAMING') throw new ClientIdTaken(clientId, stored.id)
    if (stored.deletedAt === null) outdated.push({ seq: stored.seq, message })
  }
  return { known, outdated }
}

/**
 * A statement of its own, after the lock: a statement that also took the lock would look with a snapshot from before
 * the lock.
 */
const selectKnown: Statement = {
  name: 'append-known',
  text: `select m.payload_hash, ${messageColumns('m')} from message m where m.conversation_key = $1 and m.client_id = any($2)
    order by m.seq`,
}

const selectSeqs: Statement = {
  name: 'append-named',
  text: 'select client_id, seq from message where conversation_key = $1 and client_id = any($2)',
}

function isKnown(known: ReadonlyMap<string, Message>, message: NewMessage): boolean {
  return message.clientId !== null && known.has(message.clientId)
}

function isKnownClientId(error: unknown): boolean {
  const { code, constraint } = error as { code?: unknown; constraint?: unknown }
  return code === '23505' && constraint === 'message_conversation_key_client_id_unique'
}

/** Runs the statement that stores messages; null if it changed nothing. */
async function insertMessages(
  on: Pool | PoolClient,
  append: Append,
  mode: AppendMode,
  parentSeqs: readonly (number | null)[] = [],
): Promise<Appended | null> {
  const { to, messages } = append
  const [first] = messages
  const isSingle = first !== undefined && messages.length === 1
  const columns = isSingle ? valuesOf(appendColumns, first) : arrayValuesOf(appendColumns, messages)
  const values = [to.key, to.userId, to.epoch, messages.length, append.ifLastSeq, ...columns]
  if (mode === 'upsert') values.push(drawEpoch(), to.id)
  if (mode === 'branch' || mode === 'import') values.push(isSingle ? parentSeqs[0] : parentSeqs)
  if (mode === 'import') {
    const times = messages.map(({ createdAt }) => createdAt ?? null)
    values.push(isSingle ? times[0] : times)
  }
  const rows = await query(on, appendStatements[mode][isSingle ? 'one' : 'many'], values)
  const row = rows[0]
  if (row === undefined) return null
  const conversation = readConversation(row)
  const before = conversation.lastSeq - messages.length
  return {
    conversation,
    messages: messages.map((message, index) =>
      storedMessage(message, conversation, before + index + 1, parentSeqs[index]),
    ),
    replayed: messages.map(() => false),
  }
}

type AppendMode = 'update' | 'upsert' | 'branch' | 'import'

/** The columns that a mode writes beside `appendColumns`. */
const alsoWritten = {
  update: [],
  upsert: [],
  branch: [parentColumn],
  import: [parentColumn, createdColumn],
} satisfies Record<AppendMode, readonly MessageColumn[]>

/**
 * `seq` is taken while this statement holds the conversation's row, so seq order is commit order and has no gaps. `$4`
 * is the number of messages, `$5` the last seq that the caller asks for, or null. The messages follow: a parameter for
 * each column if there is one message, an array for each column if there are many. Only the modes `branch` and `import`
 * store parents and accept an active leaf that is not the newest message. The other modes change nothing where there is
 * such a leaf. Only the mode `import` stores the times that messages bring.
 */
function appendStatement(mode: AppendMode, count: 'one' | 'many'): Statement {
  const columns = [...appendColumns, ...alsoWritten[mode]]
  const first = 6
  const last = first + columns.length
  const input =
    count === 'one'
      ? `select 1 as n, ${parametersOf(columns, first)}`
      : `select n::int, ${castsOf(columns)}
         from unnest(${arraysOf(columns, first)}) with ordinality as input(${namesOf(columns)}, n)`
  const move = `
    last_seq = c.last_seq + $4,
    revision = c.revision + 1,
    ${mode === 'branch' || mode === 'import' ? branched : ''}
    ${mode === 'import' ? imported : `updated_at = ${nextUpdate('c.updated_at')}`}`
  const atNewest = mode === 'branch' || mode === 'import' ? '' : ' and c.active_leaf is null'
  const condition = `${reachable('c')} and ($5::int is null or c.last_seq = $5)${atNewest}`
  const moved =
    mode === 'upsert'
      ? `insert into conversation as c
           (key, epoch, user_id, id, last_seq, revision, changed_revision, created_at, updated_at)
         select $1, $${last}, $2, $${last + 1}, $4, 1, 1, clock, clock from (select clock_timestamp() as clock) now
         on conflict (key) do update set ${move} where ${condition}
         returning c.*`
      : `update conversation c set ${move} where ${condition} returning c.*`
  const stored = columns.filter((column) => column !== createdColumn)
  const time = mode === 'import' ? 'coalesce(input.created_at, moved.updated_at)' : 'moved.updated_at'
  return {
    name: `append-${mode}-${count}`,
    text: `
      with input as (${input}),
      moved as (${moved}),
      stored as (
        insert into message (conversation_key, seq, ${namesOf(stored)}, created_at, updated_at)
        select moved.key, moved.last_seq - $4 + input.n, ${namesOf(stored, 'input')}, ${time}, ${time}
        from moved cross join input
      )
      select ${conversationColumns('moved')} from moved`,
  }
}

/** The appended message becomes the newest, and the active path ends with it. */
const branched = `
    active_leaf = null,
    is_branched = c.is_branched or exists (select from input where parent_seq is not null),`

/**
 * The conversation comes to the latest time that the messages bring, unless it has a later one. If a message brings no
 * time, it also comes to the present.
 */
const imported = `
    imported_at = ${nextImport('c')},
    updated_at = greatest(c.updated_at, (select max(input.created_at) from input),
      case when exists (select from input where input.created_at is null) then ${nextUpdate('c.updated_at')} end)`

export const appendStatements = {
  update: { one: appendStatement('update', 'one'), many: appendStatement('update', 'many') },
  upsert: { one: appendStatement('upsert', 'one'), many: appendStatement('upsert', 'many') },
  branch: { one: appendStatement('branch', 'one'), many: appendStatement('branch', 'many') },
  import: { one: appendStatement('import', 'one'), many: appendStatement('import', 'many') },
}
