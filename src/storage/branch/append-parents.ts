import type { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message.ts'
import { ForeignParent } from '../../facts.ts'
import type { NewMessage } from '../message/new-message.ts'
import { activeLeafOf } from './path.ts'

/** What a message is to continue, as its caller names it: that may be in any conversation, or nowhere. */
export interface ParentRef {
  readonly key: string
  /** null: any life of the conversation. */
  readonly epoch: number | null
  /** 0: the conversation itself; the message continues none. */
  readonly seq: number
  /** Of the message that names it, in its append, from 0: for the error. */
  readonly index: number
}

interface Asked {
  /** In the order of the input. */
  readonly messages: readonly NewMessage[]
  /** For those that name their parent. */
  readonly parents?: ReadonlyMap<NewMessage, ParentRef> | undefined
}

/**
 * The `parentSeq` of each message that is to be stored, in order. One that names no parent continues the message before
 * it in the batch once an earlier one named its own, stored now or known already; otherwise the active leaf.
 *
 * @param conversation locked, as it is before they are stored
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
 * The seq of a parent in this conversation. The same error whatever there is elsewhere: a parent of another conversation
 * tells nothing about it.
 *
 * @throws ForeignParent
 */
export function parentSeqIn({ key, epoch, lastSeq }: Conversation, parent: ParentRef): number {
  const isHere = parent.key === key && (parent.epoch === null || parent.epoch === epoch) && parent.seq <= lastSeq
  if (!isHere) throw new ForeignParent(parent.index)
  return parent.seq
}
