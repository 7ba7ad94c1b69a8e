import type { Conversation } from '../../entities/conversation.ts'
import type { Message } from '../../entities/message/message.ts'
import type { FeedbackRating } from '../../entities/message/message-feedback.ts'
import { readable, toTimestamp } from '../../entities/timestamp.ts'
import { MessageMissing, NotByAssistant } from '../../facts.ts'
import { unmoved } from '../conversation/commit.ts'
import { changeOne, type MessageRef } from '../message/edit.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { queryKey, type Row, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { readBeside, selectBeside } from './beside-messages.ts'

/** What a user says of a message. */
export interface GivenFeedback {
  readonly rating: FeedbackRating
  readonly reason: string | null
  readonly comment: string | null
}

export interface Feedback extends GivenFeedback {
  readonly conversation: Pick<Conversation, 'key' | 'epoch' | 'userId' | 'id'>
  readonly seq: number
  /** Who gave it. */
  readonly userId: string
  readonly givenAt: string
}

/**
 * Stores what the user says of a message, in place of what it said before; null: nothing any more. It is no part of the
 * log: nothing moves. The lock keeps it from a message that is being deleted.
 *
 * @throws MessageMissing, NotPermitted, NotByAssistant
 */
export function setFeedback(store: Store, ref: MessageRef, given: GivenFeedback | null): Promise<Message> {
  const { userId } = ref.conversation
  return changeOne(store, ref, 'any', async (client, message) => {
    if (message.deletedAt !== null) throw new MessageMissing()
    if (message.role !== 'ASSISTANT') throw new NotByAssistant()
    const { conversation, seq } = message
    if (given === null) await queryKey(client, remove, conversation.key, [seq, userId])
    else await queryKey(client, upsert, conversation.key, [seq, userId, given.rating, given.reason, given.comment])
    return unmoved(message)
  })
}

const remove: Statement<'key'> = {
  name: 'feedback-delete',
  kind: 'key',
  text: 'delete from message_feedback f where f.conversation_key = $1 and f.seq = $2 and f.user_id = $3',
}

const upsert: Statement<'key'> = {
  name: 'feedback-upsert',
  kind: 'key',
  text: `
    insert into message_feedback (conversation_key, seq, user_id, rating, reason, comment, given_at)
    values ($1, $2, $3, $4, $5, $6, now())
    on conflict (conversation_key, seq, user_id) do update set
      rating = excluded.rating, reason = excluded.reason, comment = excluded.comment, given_at = excluded.given_at`,
}

/** The columns of `readGiven`. */
export const feedbackColumns = `f.rating, f.reason, f.comment, ${readable('f.given_at')} as given_at`

/** How many bytes a row counts. */
export const feedbackBytes =
  '(256 + coalesce(octet_length(f.reason), 0) + coalesce(octet_length(f.comment), 0))::bigint'

/** Reads the columns that begin at `at`. */
export function readGiven(row: Row, at: number): GivenFeedback & Pick<Feedback, 'givenAt'> {
  return {
    rating: row[at] as FeedbackRating,
    reason: row[at + 1] as string | null,
    comment: row[at + 2] as string | null,
    givenAt: toTimestamp(row[at + 3] as string),
  }
}

/** For each message, in order: what the user said of it, or null. Only what an assistant wrote is asked for. */
export async function readOwnFeedback(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  messages: readonly Message[],
): Promise<(Feedback | null)[]> {
  const rows = await readBeside(store, budget, userId, messages, selectOwn, ({ role }) => role === 'ASSISTANT')
  return rows.map((row, n) => {
    const { conversation, seq } = messages[n] as Message
    return row === null ? null : { conversation, seq, userId, ...readGiven(row, 0) }
  })
}

const selectOwn = selectBeside(
  'feedback-own',
  `
    select ${feedbackBytes} as own, f.seq, ${feedbackColumns} from message_feedback f
    where f.conversation_key = $1 and f.seq = any($4::int[]) and f.user_id = $2`,
)
