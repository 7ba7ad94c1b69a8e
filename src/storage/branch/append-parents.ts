import type { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message.ts'
import { ForeignParent } from '../../facts.ts'
import type { NewMessage } from '../message/new-message.ts'
import { activeLeafOf } from './path.ts'

/**
 * The message that a message continues, as the caller names it. The caller may name a message of any conversation, or
 * one that does not exist.
 */
export interface ParentRef {
  readonly key: string
  /** null: any epoch of the conversation. */
  readonly epoch: number | null
  /** 0: the conversation itself. Then the message continues no other. */
  readonly seq: number
  /** The index of the message that names the parent, within its append, from 0: for the error. */
  readonly index: number
}

interface Asked {
  /** In the order of the input. */
  readonly messages: readonly NewMessage[]
  /** The parents of those messages that name one. */
  readonly parents?: ReadonlyMap<NewMessage, ParentRef> | undefined
}

/**
 * The `parentSeq` of each message that is to be stored, in order. A message that names no parent continues the message
 * before it in the batch; the first one continues the active leaf. If the message before it was stored by an earlier
 * call, it continues that one only if a message of the batch named a parent before.
 *
 * @param conversation locked, as it is before the messages are stored
 * @param known the stored messages that have one of the client ids
 * @throws ForeignParent
 */
export function parentSeqsOf(
  conversation: Conversation,
  { messages, parents }: Asked,
  known: ReadonlyMap<string, Message>,
): (number | null)[] {
  const parentSeqs: (number | null)[] = []
  let seq = conversation.lastSeq
  let tip = activeLeafOf(conversation)
  let hasBranched = false
  for (const message of messages) {
    const parent = parents?.get(message)
    hasBranched ||= parent !== undefined
    const stored = message.clientId === null ? undefined : known.get(message.clientId)
    if (stored !== undefined) {
      if (hasBranched) tip = stored.seq
      continue
    }
    const parentSeq = parent === undefined ? tip : parentSeqIn(conversation, parent)
    parentSeqs.push(parentSeq === seq ? null : parentSeq)
    seq += 1
    tip = seq
  }
  return parentSeqs
}

/**
 * The seq of a parent in this conversation. A parent of another conversation always gives the same error, so the error
 * tells nothing about the other conversation.
 *
 * @throws ForeignParent
 */
export function parentSeqIn({ key, epoch, lastSeq }: Conversation, parent: ParentRef): number {
  const isHere = parent.key === key && (parent.epoch === null || parent.epoch === epoch) && parent.seq <= lastSeq
  if (!isHere) throw new ForeignParent(parent.index)
  return parent.seq
}
