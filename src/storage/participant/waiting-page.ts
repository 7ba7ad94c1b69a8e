import type { Conversation } from '../../entities/conversation.ts'
import { readable, toTimestamp } from '../../entities/timestamp.ts'
import type { Waiting } from '../../entities/waiting.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { query, type Row, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

/** A conversation that waits for a person, as those see it who support and take no part in it. */
export interface WaitingConversation extends Pick<Waiting, 'since' | 'reason'> {
  readonly conversation: Pick<Conversation, 'key' | 'epoch' | 'userId' | 'id' | 'title'>
}

/** Where such a conversation stands among all that wait. */
export interface WaitingPlace {
  readonly since: string
  readonly key: string
}

export interface WaitingPage {
  /** Whatever waits longest comes first. */
  readonly waiting: readonly WaitingConversation[]
  readonly hasNext: boolean
  readonly hasPrevious: boolean
  /** How many wait, up to `mostCounted`. */
  readonly count: number
}

export const mostCounted = 1_000

/** @param after exclusive; null: from the beginning */
export async function readWaitingPage(
  store: Store,
  budget: AnswerBudget,
  after: WaitingPlace | null,
  count: number,
): Promise<WaitingPage> {
  const { since, key } = after ?? beginning
  const rows = await budget.spend(() => query(store.lone, select, [since, key, count + 1], budget))
  const found = rows.filter(([, , foundKey]) => foundKey !== null)
  return {
    waiting: found.slice(0, count).map(toWaiting),
    hasNext: found.length > count,
    hasPrevious: after !== null,
    count: rows[0]?.[1] as number,
  }
}

function toWaiting(row: Row): WaitingConversation {
  const [, , key, epoch, userId, id, title, since, reason] = row
  return {
    conversation: {
      key: key as string,
      epoch: Number(epoch),
      userId: userId as string,
      id: id as string,
      title: title as string | null,
    },
    since: toTimestamp(since as string),
    reason: reason as string | null,
  }
}

const beginning: WaitingPlace = { since: '-infinity', key: '00000000-0000-0000-0000-000000000000' }

const waiting = `
  waiting w join conversation c on c.key = w.conversation_key and c.epoch = w.epoch and c.deleted_at is null
  where w.taken_at is null`

/** If nothing waits behind the place, one row has the count alone. */
const select: Statement<'maintenance'> = {
  name: 'waiting-page',
  kind: 'maintenance',
  text: `
    select coalesce(sum(page.own) over (order by page.at, page.key), 0), total.count,
      page.key, page.epoch, page.user_id, page.id, page.title, page.since, page.reason
    from (select count(*)::int as count from (select true from ${waiting} limit ${mostCounted}) w) total
    left join (
      select 128 + coalesce(octet_length(c.title), 0) + coalesce(octet_length(w.reason), 0) as own, w.since as at,
        c.key, c.epoch, c.user_id, c.id, c.title, ${readable('w.since')} as since, w.reason
      from ${waiting} and (w.since, w.conversation_key) > ($1::timestamptz, $2::uuid)
      order by w.since, w.conversation_key limit $3::int
    ) page on true
    order by page.at, page.key`,
}
