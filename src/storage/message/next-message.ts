import type { Message } from '../../entities/message/message.ts'
import { statementFor } from '../conversation/history-part.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import type { Row } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { readSelected, selectMessages } from './select-messages.ts'

/** For each message, in order: the newest message that continues it, or null. A statement for each. */
export async function readNextMessages(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  messages: readonly Message[],
): Promise<(Message | null)[]> {
  const asks = messages.map(({ conversation: { key, epoch, userId: owner }, seq }) => {
    return { statement: statementFor(selectNext, userId, owner), key, values: [userId, epoch, seq] }
  })
  const answers = await budget.readKeys(store, asks, 'refused')
  return messages.map(({ conversation }, n) => readSelected(answers[n] as Row[], conversation, 'all')[0] ?? null)
}

const selectNext = selectMessages({
  name: 'message-next',
  columns: 'all',
  found: `m.seq = (
    select max(n.seq) from (
      select n.seq from message n where n.conversation_key = $1 and n.seq = $4::int + 1 and n.parent_seq is null
      union all
      select n.seq from message n where n.conversation_key = $1 and n.parent_seq = $4
    ) n
  )`,
  room: '$5',
  order: 'asc',
  withConversation: false,
})
