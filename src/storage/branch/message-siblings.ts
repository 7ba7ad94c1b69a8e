import { contractLimits } from '../../config.ts'
import { messageId } from '../../entities/ids/global-id.ts'
import type { Message } from '../../entities/message/message.ts'
import type { MessageSiblings } from '../../entities/message/message-siblings.ts'
import { reachable } from '../conversation/conversation-ref.ts'
import { byViewer, statementFor } from '../conversation/history-part.ts'
import type { AnswerBudget } from '../postgres/answer-budget.ts'
import type { Store } from '../postgres/store.ts'

/** The seq of the message that this message continues; 0: none. */
export function parentSeqOf({ seq, parentSeq }: Message): number {
  return parentSeq ?? seq - 1
}

/**
 * For each message, in order: the messages that continue the same message as it does. A statement for each conversation
 * that has branches.
 */
export async function readSiblings(
  store: Store,
  budget: AnswerBudget,
  userId: string,
  messages: readonly Message[],
): Promise<MessageSiblings[]> {
  const found: MessageSiblings[] = messages.map((message) => ({ index: 0, count: 1, ids: [message.id] }))
  const asked = messages.flatMap((message, n) => (message.conversation.isBranched ? [{ message, n }] : []))
  const families = [
    ...Map.groupBy(asked, ({ message: { conversation } }) => `${conversation.key} ${conversation.epoch}`).values(),
  ]
  const asks = families.map((family) => {
    const { key, epoch, userId: owner } = (family[0] as (typeof asked)[number]).message.conversation
    const [parents, seqs] = [
      family.map(({ message }) => parentSeqOf(message)),
      family.map(({ message }) => message.seq),
    ]
    const values = [userId, epoch, parents, seqs, family.map(({ n }) => n), contractLimits.siblings]
    return { statement: statementFor(selectSiblings, userId, owner), key, values }
  })
  for (const [, n, index, count, seqs] of (await budget.readKeys(store, asks, 'refused')).flat()) {
    const { placeHead } = (messages[n as number] as Message).conversation
    const ids = (seqs as string).split(' ').map((seq) => messageId(placeHead, Number(seq)))
    found[n as number] = { index: index as number, count: count as number, ids }
  }
  return found
}

/** The siblings of a parent are gathered once, even if the caller asks about several of them. An id counts 64 bytes. */
const selectSiblings = byViewer({
  name: 'message-siblings',
  kind: 'key',
  text: `
    with asked as (
      select * from unnest($4::int[], $5::int[], $6::int[]) as asked(parent, seq, n)
    ),
    family as materialized (
      select parent.parent, array_agg(child.seq order by child.seq) as seqs
      from conversation c
      cross join (select distinct parent from asked) parent
      cross join lateral (
        select m.seq from message m where m.conversation_key = $1 and m.parent_seq = parent.parent
        union all
        select m.seq from message m
        where m.conversation_key = $1 and m.seq = parent.parent + 1 and m.parent_seq is null
      ) child
      where ${reachable('c')}
      group by parent.parent
    )
    select bytes, n, index, count, seqs from (
      select
        sum(64 * cardinality(shown.seqs)) over (order by asked.n) as bytes, 64 * cardinality(shown.seqs) as own, asked.n,
        place.at - 1 as index, cardinality(family.seqs) as count, array_to_string(shown.seqs, ' ') as seqs
      from asked
      join family on family.parent = asked.parent
      cross join lateral (select array_position(family.seqs, asked.seq) as at) place
      cross join lateral (
        select greatest(least(place.at - $7::int / 2, cardinality(family.seqs) - $7::int + 1), 1) as first
      ) bounds
      cross join lateral (select family.seqs[bounds.first : bounds.first + $7::int - 1] as seqs) shown
    ) found
    where bytes - own <= $8
    order by n`,
})
