import type { Awaiting } from '../../database/reads/lone-reads.ts'
import type { Conversation } from '../../entities/conversation.ts'
import type { Participant, ParticipantRole } from '../../entities/participant.ts'
import { queryKey, type Runner, type Statement } from '../postgres/statement.ts'
import type { Access } from './conversation-ref.ts'

/** What a user may do in a conversation, and from which message on it reads; null: all of them. */
export interface Part extends Pick<Participant, 'historyFrom'> {
  readonly role: ParticipantRole
}

/** A conversation, and the first seq that a viewer reads in it. */
export interface Reached {
  readonly conversation: Conversation
  readonly firstSeq: number
}

const ofOwner: Part = { role: 'OWNER', historyFrom: null }

/** The part that a user takes in a conversation; null: none. For the owner nothing is read. */
export async function readPart(
  on: Runner,
  { key, epoch, userId: ownerId }: Pick<Conversation, 'key' | 'epoch' | 'userId'>,
  userId: string,
  awaiting?: Awaiting,
): Promise<Part | null> {
  if (userId === ownerId) return ofOwner
  const [row] = await queryKey(on, selectPart, key, [userId, epoch], awaiting)
  return row === undefined ? null : { role: row[0] as ParticipantRole, historyFrom: row[1] as number | null }
}

/** The first seq that the user reads. */
export function firstSeqOf({ historyFrom }: Part): number {
  return historyFrom ?? 1
}

const selectPart: Statement<'key'> = {
  name: 'participant-part',
  kind: 'key',
  text: `
    select p.role, p.history_from from participant p
    where p.conversation_key = $1 and p.user_id = $2 and p.epoch = $3 and p.ended_at is null`,
}

export function allows(role: ParticipantRole, access: Access): boolean {
  return access === 'reader' || role === 'OWNER' || (access === 'writer' && role === 'MEMBER')
}
