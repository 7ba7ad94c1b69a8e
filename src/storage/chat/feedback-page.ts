import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { query, type Row, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { type Feedback, feedbackBytes, feedbackColumns, readGiven } from './feedback.ts'

export interface FeedbackAsk {
  /** Only feedback on messages of this user's conversations; null: on all there are. */
  readonly ownerId: string | null
  /** null: any. */
  readonly rating: string | null
  /** Both ends of the time in which it was given; `from` is included, `to` is not. null: no end. */
  readonly from: string | null
  readonly to: string | null
  /** Only what comes after it; null: from the newest on. */
  readonly after: FeedbackPlace | null
  readonly count: number
}

/** Where feedback stands among all there is. */
export interface FeedbackPlace extends Pick<Feedback, 'seq' | 'userId' | 'givenAt'> {
  readonly key: string
}

/** The newest first. Feedback on what is deleted is gone. One statement, and the page is small: it has room in any answer. */
export async function readFeedback(store: Store, budget: AnswerBudget, ask: FeedbackAsk): Promise<Feedback[]> {
  const { ownerId, rating, from, to, after, count } = ask
  const { givenAt, key, seq, userId } = after ?? { givenAt: 'infinity', key: firstKey, seq: 0, userId: '' }
  const values = [rating, from ?? '-infinity', to ?? 'infinity', givenAt, key, seq, userId, count]
  const rows = await budget.spend(() =>
    ownerId === null
      ? query(store.lone, selectOfAll, values, budget)
      : query(store.lone, selectOfOwner, [ownerId, ...values], budget),
  )
  return rows.map(toFeedback)
}

function toFeedback(row: Row): Feedback {
  const [, key, epoch, owner, id, seq, userId] = row
  return {
    conversation: { key: key as string, epoch: Number(epoch), userId: owner as string, id: id as string },
    seq: seq as number,
    userId: userId as string,
    ...readGiven(row, 7),
  }
}

const firstKey = '00000000-0000-0000-0000-000000000000'

/** @param at the number of the first parameter */
function selectText(conversations: string, at: number): string {
  const n = (offset: number) => `$${at + offset}`
  const place = 'f.given_at, f.conversation_key, f.seq, f.user_id'
  return `
    select sum(page.own) over (order by page.given desc, page.key desc, page.seq desc, page.user_id desc) as bytes,
      page.key, page.epoch, page.owner, page.id, page.seq, page.user_id,
      page.rating, page.reason, page.comment, page.given_at
    from (
      select ${feedbackBytes} as own, f.given_at as given, c.key, c.epoch, c.user_id as owner, c.id, f.seq, f.user_id,
        ${feedbackColumns}
      from ${conversations} c join message_feedback f on f.conversation_key = c.key
      where c.deleted_at is null and (${n(0)}::text is null or f.rating = ${n(0)})
        and f.given_at >= ${n(1)}::timestamptz and f.given_at < ${n(2)}::timestamptz
        and (${place}) < (${n(3)}::timestamptz, ${n(4)}::uuid, ${n(5)}::int, ${n(6)}::text)
      order by f.given_at desc, f.conversation_key desc, f.seq desc, f.user_id desc
      limit ${n(7)}::int
    ) page
    order by page.given desc, page.key desc, page.seq desc, page.user_id desc`
}

const selectOfAll: Statement<'maintenance'> = {
  name: 'feedback-all',
  kind: 'maintenance',
  text: selectText('conversation', 1),
}

const selectOfOwner: Statement<'user'> = {
  name: 'feedback-of-owner',
  kind: 'user',
  text: selectText('(select * from conversation c where c.user_id = $1)', 2),
}
