import type { Conversation } from '../../entities/conversation.ts'
import type { ParticipantRole } from '../../entities/participant.ts'
import { queryKey, type Runner, type Statement } from '../postgres/statement.ts'
import type { Access } from './conversation-ref.ts'

/** The role of a user who does not own the conversation; null: the user takes no part in it. */
export async function readRole(
  on: Runner,
  { key, epoch }: Pick<Conversation, 'key' | 'epoch'>,
  userId: string,
): Promise<ParticipantRole | null> {
  const [row] = await queryKey(on, selectRole, key, [userId, epoch])
  return (row?.[0] as ParticipantRole | undefined) ?? null
}

const selectRole: Statement<'key'> = {
  name: 'participant-role',
  kind: 'key',
  text: `
    select p.role from participant p 
    where p.conversation_key = $1 and p.user_id = $2 and p.epoch = $3 and p.ended_at is null`,
}

export function allows(role: ParticipantRole, access: Access): boolean {
  return access === 'reader' || role === 'OWNER' || (access === 'writer' && role === 'MEMBER')
}
