import type { Conversation } from '../../entities/conversation.ts'
import type { ParticipantRole } from '../../entities/participant.ts'
import { readable, toTimestamp } from '../../entities/timestamp.ts'
import { reachable } from '../conversation/conversation-ref.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import type { Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

/** A user who takes part in a conversation. */
export interface TakingPart {
  readonly userId: string
  readonly role: ParticipantRole
  readonly joinedAt: string
  /** The first seq that the user reads; null: the user reads all messages. */
  readonly historyFrom: number | null
}

export interface ParticipantPage {
  /** By user id. The owner is among them. */
  readonly participants: readonly TakingPart[]
  readonly hasNext: boolean
  readonly hasPrevious: boolean
}

/**
 * Who takes part in a conversation, from behind a user id on; null if this viewer has no such conversation.
 *
 * @param after exclusive; an empty text: from the beginning
 */
export async function readParticipants(
  store: Store,
  budget: AnswerBudget,
  viewerId: string,
  { key, epoch }: Pick<Conversation, 'key' | 'epoch'>,
  after: string,
  count: number,
): Promise<ParticipantPage | null> {
  const ask = { statement: select, key, values: [viewerId, epoch, after, count] }
  const rows = await budget.readKey(store, ask, 'refused')
  if (rows.length === 0) return null
  const found = rows.filter(([, , userId]) => userId !== null)
  const participants = found.slice(0, count).map(([, , userId, role, joinedAt, historyFrom]) => ({
    userId: userId as string,
    role: role as ParticipantRole,
    joinedAt: toTimestamp(joinedAt as string),
    historyFrom: historyFrom as number | null,
  }))
  return { participants, hasNext: found.length > count, hasPrevious: rows[0]?.[1] as boolean }
}

/** A row counts its user id, and 128 bytes for the rest. */
const select: Statement<'key'> = {
  name: 'participant-page',
  kind: 'key',
  text: `
    select
      coalesce(sum(octet_length(part.user_id) + 128) over (order by part.user_id), 0),
      $4::text <> '' and (c.user_id <= $4 or exists (
        select from participant p where p.conversation_key = $1 and p.epoch = c.epoch and p.ended_at is null and p.user_id <= $4
      )),
      part.user_id, part.role, part.joined_at, part.history_from
    from conversation c
    left join lateral (
      select c.user_id, 'OWNER' as role, ${readable('c.created_at')} as joined_at, null::int as history_from where c.user_id > $4
      union all
      select p.user_id, p.role, ${readable('p.created_at')}, p.history_from from participant p
      where p.conversation_key = $1 and p.epoch = c.epoch and p.ended_at is null and p.user_id > $4
      order by user_id limit $5::int + 1
    ) part on $6::bigint is not null
    where ${reachable('c')}
    order by part.user_id`,
}
