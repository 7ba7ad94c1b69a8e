import type { PoolClient } from 'pg'
import type { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message/message.ts'
import { toMicroseconds } from '../../entities/timestamp.ts'
import {
  ClientIdTaken,
  ConversationContended,
  ConversationMissing,
  ForeignParent,
  LastSeqMoved,
  RepeatedClientId,
  TakenOver,
} from '../../facts.ts'
import { namedClientIds, type ParentRef, placeMessages } from '../branch/append-parents.ts'
import { type Links, removeLinks, requireLinks, storeLinks } from '../chat/message-links.ts'
import { atOnce, commit, inTransaction, moving, unmoved } from '../conversation/commit.ts'
import { drawEpoch } from '../conversation/conversation-key.ts'
import type { ConversationRef } from '../conversation/conversation-ref.ts'
import { readConversation } from '../conversation/conversation-row.ts'
import { eraseMessages, type Tombstone } from '../conversation/erase.ts'
import { insertConversation, lockConversation, reviveConversation } from '../conversation/lock.ts'
import type { Reached } from '../conversation/participant-role.ts'
import { appendColumns } from '../message/message-columns.ts'
import { messageColumns, readMessage } from '../message/message-row.ts'
import { arrayValuesOf, valuesOf } from '../message/message-values.ts'
import { type Authorship, bringsTime, type NewMessage, storedMessage } from '../message/new-message.ts'
import { type Rewrite, rewriteMessages } from '../message/rewrite.ts'
import { queryKey, type Runner, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { type AppendMode, appendStatements } from './append-statements.ts'

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
  /** The links of those messages that have some. Such an append needs the lock first. */
  readonly links?: ReadonlyMap<NewMessage, Links> | undefined
  /**
   * Gets what the append would store, and throws if there is no room for it. Such an append needs the lock first.
   *
   * @param bytes that the conversation would grow by
   */
  readonly requireRoom?: ((bytes: number, fresh: readonly NewMessage[]) => void) | undefined
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
 * In the common case the messages are inserted without checks before. If something stands against the append, the
 * statement answers no row; if a client id is known, it fails. In both cases nothing is stored. Then a transaction locks
 * the conversation and makes all checks in order. So no write of unknown outcome is repeated.
 *
 * @throws ConversationMissing, RepeatedClientId, ClientIdTaken, LastSeqMoved, ForeignParent, ForeignReply, MentionedOutsider,
 *   ConversationContended, TakenOver
 */
export async function appendMessages(store: Store, append: Append): Promise<Appended> {
  const messages = withoutRepeats(append.messages)
  const distinct = messages === append.messages ? append : { ...append, messages }
  const appended =
    (needsLock(append) ? null : await tryInsert(store, distinct)) ?? (await checkAndInsert(store, distinct))
  return messages.length === append.messages.length ? appended : withRepeats(append.messages, appended)
}

/** Whether an append cannot be one statement without a lock before it. */
export function needsLock({ to, alsoStore, requireRoom, parents, links, messages }: Append): boolean {
  // The owner may not be the one who appends, and then nothing but the lock keeps the access.
  return (
    to.id === null ||
    alsoStore !== undefined ||
    requireRoom !== undefined ||
    parents !== undefined ||
    links !== undefined ||
    messages.some(bringsTime)
  )
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

/** Inserts the messages without checks before; null if something stands against that. */
async function tryInsert(store: Store, append: Append): Promise<Appended | null> {
  const mayCreate = append.createIfMissing && append.to.id !== null && (append.ifLastSeq ?? 0) === 0
  try {
    const conversation = await insertAlone(store, { ...append, mode: mayCreate ? 'upsert' : 'update' })
    return conversation === null ? null : asStored(conversation, append.messages)
  } catch (error) {
    if (isKnownClientId(error)) return null
    throw error
  }
}

/**
 * Locks the conversation, checks in the promised order (replay, existence, `ifLastSeq`, whether a person has taken the
 * conversation over) and inserts. If the messages of a tombstone are in the way, erases them and begins again.
 */
async function checkAndInsert(store: Store, append: Append): Promise<Appended> {
  for (let attempt = 0; attempt < 5; attempt++) {
    const outcome = await commit(
      store,
      inTransaction<Appended | { tombstone: Tombstone }>(async (client) => {
        const appended = await insertOrFindTombstone(store, client, append)
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
async function insertOrFindTombstone(
  store: Store,
  client: PoolClient,
  append: Append,
): Promise<Appended | { tombstone: Tombstone }> {
  const locked = await lockOrCreate(client, append)
  if ('tombstone' in locked) return locked
  let { conversation } = locked
  const stored = await readStored(client, locked, append)
  const placed = placeMessages(locked, append, stored.seqs)
  const messages = placed.map(({ message }) => message)
  const { known, outdated } = compare(append, messages, stored.rows)
  const isFresh = (message: NewMessage) => !isKnown(known, message)
  const fresh = messages.filter(isFresh)
  const isWrite = fresh.length > 0 || outdated.length > 0
  if (isWrite && append.ifLastSeq !== null && append.ifLastSeq !== conversation.lastSeq) {
    throw new LastSeqMoved(append.ifLastSeq, conversation.lastSeq)
  }
  if (conversation.takenOverBy !== null && fresh.some(isAgentTurn)) throw new TakenOver(conversation.takenOverBy)
  if (isWrite) append.requireRoom?.(growthOf(fresh, outdated, known), fresh)
  const links = linksOf(
    append,
    placed,
    (message) => isFresh(message) || outdated.some((one) => one.message === message),
  )
  await requireLinks(client, locked, links)
  let added: Pick<Appended, 'conversation' | 'messages'> = { conversation, messages: [] }
  if (outdated.length > 0) {
    const rewritten = await rewriteMessages(client, conversation, outdated)
    conversation = rewritten.conversation
    added = { conversation, messages: [] }
    await removeLinks(
      client,
      conversation.key,
      rewritten.messages.map(({ seq }) => seq),
    )
    for (const message of rewritten.messages) known.set(message.clientId ?? '', message)
  }
  if (fresh.length > 0) {
    const parentSeqs = placed.flatMap(({ message, parentSeq, seq }, index) => {
      if (!isFresh(message)) return []
      if (parentSeq === null) throw new ForeignParent(index)
      return [parentSeq === seq - 1 ? null : parentSeq]
    })
    const { activeLeaf, takenOverBy } = conversation
    const isPlain = activeLeaf === null && takenOverBy === null && parentSeqs.every((seq) => seq === null)
    const mode = modeOf(fresh, isPlain)
    const insertion: Insertion = { to: append.to, ifLastSeq: null, messages: fresh, mode, parentSeqs }
    const inserted = await insertMessages(store, client, insertion)
    if (inserted === null) throw new ConversationMissing()
    added = asStored(inserted, fresh, parentSeqs)
  }
  await storeLinks(client, conversation.key, links)
  return inOrder(messages, fresh, outdated, added, known)
}

/** Whether an agent begins to speak. What it was given for its calls is no turn. */
function isAgentTurn({ authorKind, role, status }: NewMessage): boolean {
  return authorKind === 'AGENT' && (role === 'ASSISTANT' || status === 'STREAMING')
}

/** The links of the messages that are written, by seq. @param placed where each message of the append belongs, in order */
function linksOf(
  { links, messages }: Append,
  placed: readonly { readonly message: NewMessage; readonly seq: number }[],
  isWritten: (message: NewMessage) => boolean,
): ReadonlyMap<number, Links> {
  const found = new Map<number, Links>()
  if (links === undefined) return found
  for (const [index, { message, seq }] of placed.entries()) {
    const given = links.get(messages[index] as NewMessage)
    if (given !== undefined && isWritten(message)) found.set(seq, given)
  }
  return found
}

/** Answers the tombstone if its messages must be erased before a conversation can be created in its place. */
async function lockOrCreate(client: PoolClient, append: Append): Promise<Reached | { tombstone: Tombstone }> {
  const locked = await lockConversation(client, append.to, 'writer')
  if (locked !== null && locked.conversation.deletedAt === null) return locked
  if (!append.createIfMissing || append.to.id === null) throw new ConversationMissing()
  if ((append.ifLastSeq ?? 0) !== 0) throw new LastSeqMoved(append.ifLastSeq ?? 0, 0)
  const createdAt = timesOf(append.messages)[0] ?? null
  if (locked !== null) {
    const revived = await reviveConversation(client, locked.conversation, createdAt)
    return revived === null ? { tombstone: locked.conversation } : { conversation: revived, firstSeq: 1 }
  }
  const { key, userId, id } = append.to
  const created = await insertConversation(client, { key, userId, id }, createdAt)
  if (created !== null) return { conversation: created, firstSeq: 1 }
  const other = await lockConversation(client, append.to, 'writer')
  if (other === null) throw new ConversationMissing()
  return other.conversation.deletedAt === null ? other : { tombstone: other.conversation }
}

/** @param known by client id, the stored messages that get new contents, and others */
function growthOf(
  fresh: readonly NewMessage[],
  outdated: readonly Rewrite[],
  known: ReadonlyMap<string, Message>,
): number {
  const before = outdated.map(({ message }) => known.get(message.clientId ?? '')?.size ?? 0)
  return sum(fresh.map(({ size }) => size)) + sum(outdated.map(({ message }) => message.size)) - sum(before)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** @param isPlain whether each message continues the one before it, and the first one the newest */
function modeOf(messages: readonly NewMessage[], isPlain: boolean): AppendMode {
  if (messages.every(bringsTime)) return 'import'
  if (messages.some(bringsTime)) return 'mixed'
  return isPlain ? 'update' : 'branch'
}

/** The times that messages bring, the earliest first. */
function timesOf(messages: readonly NewMessage[]): string[] {
  const times = messages.filter(bringsTime).map(({ createdAt }) => createdAt)
  return times.sort((a, b) => toMicroseconds(a) - toMicroseconds(b))
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
  /** The messages that have a client id of the append, all of which whoever appends reads. */
  readonly rows: readonly { readonly hash: Buffer; readonly message: Message }[]
  /** By client id: of those messages, and of the parents that messages of the append name and whoever appends reads. */
  readonly seqs: ReadonlyMap<string, number>
}

/** @throws ClientIdTaken if a message that whoever appends does not read has a client id of the append */
async function readStored(client: PoolClient, { conversation, firstSeq }: Reached, append: Append): Promise<Stored> {
  const clientIds = append.messages.flatMap(({ clientId }) => clientId ?? [])
  const parents = namedClientIds(append)
  const seqs = new Map<string, number>()
  if (parents.length > 0) {
    const named = await queryKey(client, selectSeqs, conversation.key, [parents])
    for (const [clientId, seq] of named) if ((seq as number) >= firstSeq) seqs.set(clientId as string, seq as number)
  }
  const found = clientIds.length === 0 ? [] : await queryKey(client, selectKnown, conversation.key, [clientIds])
  const rows = found.map((row) => ({ hash: row[0] as Buffer, message: readMessage(row, 1, conversation) }))
  for (const { message } of rows) {
    if (message.seq < firstSeq) throw new ClientIdTaken(message.clientId ?? '', null)
    seqs.set(message.clientId ?? '', message.seq)
  }
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
    if (!isBySame(stored, message, stored.conversation.userId)) throw new ClientIdTaken(clientId, stored.id)
    if (hashes.some((payloadHash) => payloadHash?.equals(hash))) continue
    if (append.onExisting === 'FAIL' || stored.status === 'STREAMING') throw new ClientIdTaken(clientId, stored.id)
    if (stored.deletedAt === null) outdated.push({ seq: stored.seq, message })
  }
  return { known, outdated }
}

/** Before 0.2 nobody stored what kind of author a message of the owner had. */
function isBySame(stored: Authorship, message: Authorship, owner: string): boolean {
  const isOlder = stored.authorId === null && stored.authorKind === null
  return (
    (stored.authorId ?? owner) === (message.authorId ?? owner) && (isOlder || stored.authorKind === message.authorKind)
  )
}

/**
 * A statement of its own, after the lock: a statement that also took the lock would look with a snapshot from before
 * the lock.
 */
const selectKnown: Statement<'key'> = {
  name: 'append-known',
  kind: 'key',
  text: `select m.payload_hash, ${messageColumns('m', 'all', '$1')} from message m where m.conversation_key = $1 and m.client_id = any($2)
    order by m.seq`,
}

const selectSeqs: Statement<'key'> = {
  name: 'append-named',
  kind: 'key',
  text: 'select client_id, seq from message where conversation_key = $1 and client_id = any($2)',
}

function isKnown(known: ReadonlyMap<string, Message>, message: NewMessage): boolean {
  return message.clientId !== null && known.has(message.clientId)
}

/**
 * Whether a statement failed because a client id is stored already. Where conversations are spread over machines, the
 * error tells the index only in its message, and the index has the number of a part of the table at the end of its name.
 */
function isKnownClientId(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown }
  return code === '23505' && String(message).includes('message_conversation_key_client_id_unique')
}

/** What `insertMessages` stores. */
interface Insertion extends Pick<Append, 'to' | 'ifLastSeq' | 'messages'> {
  readonly mode: AppendMode
  /** The number of appends that these messages are. */
  readonly appends?: number
  /** For the modes that store parents: the parent of each message; null: the message before it. */
  readonly parentSeqs?: readonly (number | null)[]
}

/**
 * Stores messages with one statement, or in a transaction where conversations are spread over machines. Answers the
 * conversation, or null if nothing was stored.
 */
export function insertAlone(store: Store, insertion: Insertion): Promise<Conversation | null> {
  const insert = async (on: Runner) => {
    const conversation = await insertMessages(store, on, insertion)
    return conversation === null ? unmoved(null) : moving(conversation, conversation)
  }
  return commit(store, store.spreads ? inTransaction(insert) : atOnce(insert))
}

/** What an append answers that stored all its messages. @param conversation as it is after the append */
export function asStored(
  conversation: Conversation,
  messages: readonly NewMessage[],
  parentSeqs: readonly (number | null)[] = [],
): Appended {
  const first = conversation.lastSeq - messages.length + 1
  return {
    conversation,
    messages: messages.map((message, index) => storedMessage(message, conversation, first + index, parentSeqs[index])),
    replayed: messages.map(() => false),
  }
}

/** Answers the conversation after the append; null if nothing was stored. */
async function insertMessages(
  { spreads }: Store,
  on: Runner,
  { to, ifLastSeq, messages, mode, appends = 1, parentSeqs = [] }: Insertion,
): Promise<Conversation | null> {
  const count = messages.length === 1 ? 'one' : 'many'
  const of = <T>(values: readonly T[]) => (count === 'one' ? values[0] : values)
  const values: unknown[] = [to.userId, to.epoch, messages.length, ifLastSeq, appends]
  const columns: unknown[] =
    count === 'one' ? valuesOf(appendColumns, messages[0] as NewMessage) : arrayValuesOf(appendColumns, messages)
  if (mode === 'upsert') {
    values.push(drawEpoch(), to.id)
  } else if (mode !== 'update') {
    values.push(parentSeqs.some((seq) => seq !== null))
    columns.push(of(parentSeqs))
  }
  if (mode === 'import' || mode === 'mixed') {
    values.push(timesOf(messages).at(-1))
    columns.push(of(messages.map(({ createdAt }) => createdAt ?? null)))
  }
  const statements = appendStatements[mode]
  const [row] = await (spreads
    ? queryKey(on, statements.move, to.key, values)
    : queryKey(on, statements.atOnce[count], to.key, [...values, ...columns]))
  if (row === undefined) return null
  const conversation = readConversation(row)
  if (spreads) {
    const moved = count === 'one' ? [conversation.lastSeq, conversation.updatedAt] : [messages.length]
    await queryKey(on, statements.store[count], to.key, [...moved, ...columns])
  }
  return conversation
}
