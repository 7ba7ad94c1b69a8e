import { ForeignParent } from '../../facts.ts'
import type { Reached } from '../conversation/participant-role.ts'
import type { NewMessage } from '../message/new-message.ts'
import { hashWithParent, type WithParent } from '../message/payload-hash.ts'
import { activeLeafOf } from './path.ts'

/**
 * The message that a message continues, as the caller names it. The caller may name a message of any conversation, or
 * one that does not exist.
 */
export type ParentName = ParentPlace | { readonly clientId: string }

interface ParentPlace {
  readonly key: string
  /** null: any epoch of the conversation. */
  readonly epoch: number | null
  /** 0: the conversation itself. Then the message continues no other. */
  readonly seq: number
}

export interface ParentRef {
  readonly name: ParentName
  /** What the caller gave of the message that names the parent. */
  readonly given: WithParent
}

interface Asked {
  /** In the order of the input. */
  readonly messages: readonly NewMessage[]
  /** The parents of those messages that name one. */
  readonly parents?: ReadonlyMap<NewMessage, ParentRef> | undefined
}

/** A message of an append, and the message that it continues. */
interface Placed {
  /** Its payload hash is the one to store: it covers the seq of the parent that the message names. */
  readonly message: NewMessage
  /** null: the caller names a parent that the conversation does not have. */
  readonly parentSeq: number | null
  /** The seq that the message has or gets. */
  readonly seq: number
}

/**
 * Where each message of an append belongs, in order. A message that names no parent continues the message before it in
 * the batch; the first one continues the active leaf. If the message before it was stored by an earlier call, it
 * continues that one only if a message of the batch named a parent before.
 *
 * @param place the conversation as it is before the messages are stored
 * @param seqs of the stored messages that have a client id of the append, also one that names a parent
 */
export function placeMessages(
  place: Reached,
  { messages, parents }: Asked,
  seqs: ReadonlyMap<string, number>,
): Placed[] {
  const known = new Map(seqs)
  let last = place.conversation.lastSeq
  let tip = activeLeafOf(place.conversation)
  let hasBranched = false
  return messages.map((message) => {
    const parent = parents?.get(message)
    hasBranched ||= parent !== undefined
    const parentSeq = parent === undefined ? tip : seqOf(place, parent.name, known)
    const stored = message.clientId === null ? undefined : seqs.get(message.clientId)
    const seq = stored ?? ++last
    if (stored === undefined || hasBranched) tip = seq
    if (message.clientId !== null) known.set(message.clientId, seq)
    if (parent === undefined || parentSeq === null || message.payloadHash === null) return { message, parentSeq, seq }
    const payloadHash = hashWithParent(parent.given, parentSeq)
    return { message: { ...message, payloadHash }, parentSeq, seq }
  })
}

/** The client ids by which messages name their parents. */
export function namedClientIds({ parents }: Asked): string[] {
  return [...(parents?.values() ?? [])].flatMap(({ name }) => ('clientId' in name ? [name.clientId] : []))
}

/**
 * The seq of a parent in this conversation; null if it is not here, or not where the viewer reads. The answer tells
 * nothing about another conversation.
 *
 * @param known the seqs of messages of this conversation that the viewer reads, by client id
 */
function seqOf(
  { conversation: { key, epoch, lastSeq }, firstSeq }: Reached,
  name: ParentName,
  known: ReadonlyMap<string, number>,
): number | null {
  if ('clientId' in name) return known.get(name.clientId) ?? null
  const isHere = name.key === key && (name.epoch === null || name.epoch === epoch)
  const isRead = name.seq === 0 || (name.seq >= firstSeq && name.seq <= lastSeq)
  return isHere && isRead ? name.seq : null
}

/** @param known as in `seqOf`. @throws ForeignParent */
export function parentSeqIn(place: Reached, name: ParentName, known: ReadonlyMap<string, number> = new Map()): number {
  const seq = seqOf(place, name, known)
  if (seq === null) throw new ForeignParent(0)
  return seq
}
