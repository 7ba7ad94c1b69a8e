import { LockMode, raw } from '@mikro-orm/core'
import type { EntityManager } from '@mikro-orm/postgresql'
import { Conversation } from '../../entities/conversation.ts'
import { Participant } from '../../entities/participant.ts'
import { ConversationMissing, HistoryBeyondEnd, OwnerTakesPart, TooManyParticipants } from '../../facts.ts'
import { commit, inUnitOfWork, listMoved, movingOthers, unmoved, type Written } from '../conversation/commit.ts'
import { findLocked, move, now } from '../conversation/conversation.ts'
import type { ConversationRef } from '../conversation/conversation-ref.ts'
import type { Store } from '../postgres/store.ts'

/**
 * Lets a user take part in a conversation, or gives a participant another role. Whoever has the role already keeps it.
 *
 * @param historyFrom the first seq that the user reads; null: all for whoever joins, and as before for a participant
 * @param most how many participants the conversation may have beside its owner
 * @throws ConversationMissing, NotPermitted, OwnerTakesPart, HistoryBeyondEnd, TooManyParticipants
 */
export function addParticipant(
  store: Store,
  ref: ConversationRef,
  userId: string,
  role: Participant['role'],
  historyFrom: number | null,
  most: number,
): Promise<Conversation> {
  return commit(
    store,
    inUnitOfWork(async (em) => {
      const conversation = await findLocked(em, ref)
      if (userId === conversation.userId) throw new OwnerTakesPart()
      const next = conversation.lastSeq + 1
      if (historyFrom !== null && (historyFrom < 1 || historyFrom > next)) throw new HistoryBeyondEnd(next)
      const found = await find(em, conversation, userId)
      const takesPart = found !== null && isPresent(found, conversation)
      const first = historyFrom ?? (takesPart ? found.historyFrom : null)
      const isSame = takesPart && found.role === role && found.historyFrom === first && !found.whileWaiting
      if (isSame) return unmoved(conversation)
      if (!takesPart && (await countParticipants(em, conversation)) >= most) throw new TooManyParticipants(most)
      const revision = changeParticipants(conversation)
      const { epoch } = conversation
      const since = takesPart ? {} : { createdAt: now(), endedAt: null }
      const part = { role, historyFrom: first, whileWaiting: false, epoch, revision, changedAt: now() }
      if (found !== null) em.assign(found, { ...part, ...since })
      else em.create(Participant, { conversation, userId, ...part, createdAt: now(), endedAt: null })
      await em.flush()
      return changed(conversation, userId)
    }),
  )
}

/**
 * Ends the part that a user takes in a conversation. If the user takes none, nothing changes.
 *
 * @throws ConversationMissing, NotPermitted, OwnerTakesPart
 */
export function removeParticipant(store: Store, ref: ConversationRef, userId: string): Promise<Conversation> {
  return commit(
    store,
    inUnitOfWork(async (em) => {
      const conversation = await findLocked(em, ref)
      if (userId === conversation.userId) throw new OwnerTakesPart()
      const found = await find(em, conversation, userId)
      return found === null || !isPresent(found, conversation) ? unmoved(conversation) : end(em, conversation, found)
    }),
  )
}

/** The viewer leaves. @throws ConversationMissing, OwnerTakesPart */
export function leaveConversation(store: Store, { key, epoch, userId }: ConversationRef): Promise<Conversation> {
  return commit(
    store,
    inUnitOfWork(async (em) => {
      const life = epoch === null ? {} : { epoch }
      const here = { key, [raw('deleted_at')]: null, ...life }
      const part = await em.findOne(Participant, { conversation: { key }, userId, [raw('ended_at')]: null })
      if (part === null) {
        const own = await em.findOne(Conversation, { ...here, userId })
        throw own === null ? new ConversationMissing() : new OwnerTakesPart()
      }
      const conversation = await em.findOne(Conversation, here, { lockMode: LockMode.PESSIMISTIC_WRITE, refresh: true })
      if (conversation === null) throw new ConversationMissing()
      // Whoever held the lock may have removed this viewer.
      await em.refresh(part)
      if (!isPresent(part, conversation)) throw new ConversationMissing()
      return end(em, conversation, part)
    }),
  )
}

/** A part in an earlier conversation of the same key is none in this one. */
function isPresent({ endedAt, epoch }: Participant, conversation: Conversation): boolean {
  return endedAt === null && epoch === conversation.epoch
}

async function end(
  em: EntityManager,
  conversation: Conversation,
  participant: Participant,
): Promise<Written<Conversation>> {
  em.assign(participant, {
    epoch: conversation.epoch,
    endedAt: now(),
    changedAt: now(),
    revision: changeParticipants(conversation),
  })
  await em.flush()
  return changed(conversation, participant.userId)
}

/** The list of the user moved as well. */
function changed(conversation: Conversation, userId: string): Written<Conversation> {
  return movingOthers(conversation, [listMoved(userId)])
}

function changeParticipants(conversation: Conversation): number {
  move(conversation)
  conversation.participantsRevision = conversation.revision
  return conversation.revision
}

function find(em: EntityManager, conversation: Conversation, userId: string): Promise<Participant | null> {
  return em.findOne(Participant, { conversation, userId })
}

function countParticipants(em: EntityManager, conversation: Conversation): Promise<number> {
  return em.count(Participant, { conversation, epoch: conversation.epoch, [raw('ended_at')]: null })
}
