import type { Message } from '../../entities/message/message.ts'
import { readable, toTimestamp } from '../../entities/timestamp.ts'
import { CallAnswered, CallMissing, CallOver, MessageMissing, StillStreaming } from '../../facts.ts'
import { unmoved } from '../conversation/commit.ts'
import { changeOne, type MessageRef } from '../message/edit.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import { queryKey, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { readBeside, selectBeside } from './beside-messages.ts'
import { moveMessage } from './move-message.ts'

/** What a person answers to a call. */
export interface GivenApproval {
  readonly approved: boolean
  readonly reason: string | null
}

export interface CallApproval extends GivenApproval {
  /** Who answered. */
  readonly userId: string
  readonly answeredAt: string
}

/** The answers to the calls of a message, by the id of the call. */
export type CallApprovals = ReadonlyMap<string, CallApproval>

/**
 * Stores what a person answers to a call of a message. The first answer stays; the same one of the same user again
 * changes nothing.
 *
 * @throws MessageMissing, NotPermitted, StillStreaming, CallMissing, CallAnswered, CallOver
 */
export function answerCall(store: Store, ref: MessageRef, callId: string, given: GivenApproval): Promise<Message> {
  const { userId } = ref.conversation
  return changeOne(store, ref, 'any', async (client, message) => {
    if (message.deletedAt !== null) throw new MessageMissing()
    // Its calls come with its completion.
    if (message.status === 'STREAMING') throw new StillStreaming()
    if (!message.toolCalls.some((call) => call.callId === callId)) throw new CallMissing()
    const { key } = message.conversation
    const values = [message.seq, callId]
    const [answer] = await queryKey(client, selectAnswer, key, values)
    if (answer !== undefined) {
      const [by, approved, reason] = answer
      const isSame = by === userId && approved === given.approved && reason === given.reason
      if (!isSame) throw new CallAnswered(by as string, approved as boolean)
      return unmoved(message)
    }
    if ((await queryKey(client, selectResult, key, values)).length > 0) throw new CallOver()
    await queryKey(client, insert, key, [...values, userId, given.approved, given.reason])
    return moveMessage(client, message)
  })
}

const selectAnswer: Statement<'key'> = {
  name: 'approval-find',
  kind: 'key',
  text: `
    select a.user_id, a.approved, a.reason from message_approval a
    where a.conversation_key = $1 and a.seq = $2 and a.call_id = $3`,
}

/** A result comes after its call, mostly soon. */
const selectResult: Statement<'key'> = {
  name: 'approval-result',
  kind: 'key',
  text: `
    select m.seq from message m
    where m.conversation_key = $1 and m.seq > $2 and m.tool_call_id = $3 and m.role = 'TOOL' and m.deleted_at is null
    order by m.seq limit 1`,
}

const insert: Statement<'key'> = {
  name: 'approval-insert',
  kind: 'key',
  text: `
    insert into message_approval (conversation_key, seq, call_id, user_id, approved, reason, answered_at)
    values ($1, $2, $3, $4, $5, $6, now())`,
}

/** For each message, in order: the answers to its calls. A message that was never changed has none. */
export async function readApprovals(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  messages: readonly Message[],
): Promise<CallApprovals[]> {
  const mayHave = ({ revision, toolCalls }: Message) => revision !== null && toolCalls.length > 0
  const rows = await readBeside(store, budget, userId, messages, select, mayHave)
  return rows.map((row) => {
    const answers: [callId: string, approved: boolean, reason: string | null, userId: string, answeredAt: string][] =
      JSON.parse((row?.[0] as string) ?? '[]')
    return new Map(
      answers.map(([callId, approved, reason, by, at]) => [
        callId,
        { approved, reason, userId: by, answeredAt: toTimestamp(at) },
      ]),
    )
  })
}

const select = selectBeside(
  'approval-select',
  `
    select sum(256 + octet_length(a.call_id) + coalesce(octet_length(a.reason), 0))::bigint as own, a.seq,
      json_agg(json_build_array(a.call_id, a.approved, a.reason, a.user_id, ${readable('a.answered_at')}::text)) as answers
    from message_approval a where a.conversation_key = $1 and a.seq = any($4::int[])
    group by a.seq`,
)
