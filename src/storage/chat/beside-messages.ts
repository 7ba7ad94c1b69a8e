import type { Message } from '../../entities/message/message.ts'
import { reachable } from '../conversation/conversation-ref.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import type { Row, Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

/**
 * A statement that reads what stands beside messages in a table of its own: for each message one row, or none.
 *
 * @param columns an SQL list of `r`, beginning with the seq and with what the row has of bytes
 * @param rows the rows of the conversation `$1`, as SQL; `$2` is the viewer, and `$4` has the seqs
 */
export function selectBeside(name: string, rows: string): Statement<'key'> {
  return {
    name,
    kind: 'key',
    text: `
    select * from (
      select sum(r.own) over (order by r.seq) as bytes, r.*
      from conversation c cross join lateral (${rows}) r
      where ${reachable('c')}
    ) r
    where r.bytes - r.own <= $5::bigint`,
  }
}

/**
 * For each message, in order: its row without the bytes and the seq, or null. A statement for each conversation.
 *
 * @param mayHave tells messages that have no row for sure; they are not asked for
 */
export async function readBeside(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  messages: readonly Message[],
  statement: Statement<'key'>,
  mayHave: (message: Message) => boolean,
): Promise<(Row | null)[]> {
  const asked = messages.filter((message) => message.deletedAt === null && mayHave(message))
  const groups = [...Map.groupBy(asked, ({ conversation: { key, epoch } }) => `${key} ${epoch}`).values()]
  const asks = groups.map((group) => {
    const { key, epoch } = (group[0] as Message).conversation
    return { statement, key, values: [userId, epoch, group.map(({ seq }) => seq)] }
  })
  const answers = asks.length === 0 ? [] : await budget.readKeys(store, asks, 'refused')
  const found = new Map<Message, Row>()
  for (const [n, group] of groups.entries()) {
    const rows = new Map(answers[n]?.map(([, , seq, ...row]) => [seq, row]))
    for (const message of group) {
      const row = rows.get(message.seq)
      if (row !== undefined) found.set(message, row)
    }
  }
  return messages.map((message) => found.get(message) ?? null)
}
