import type { PoolClient } from 'pg'
import type { Conversation } from '../../entities/conversation.ts'
import { NotPermitted, TakenOver } from '../../facts.ts'
import { commit, inTransaction, movingOthers, unmoved } from '../conversation/commit.ts'
import type { ConversationRef } from '../conversation/conversation-ref.ts'
import { conversationColumns, nextUpdate, readConversation } from '../conversation/conversation-row.ts'
import { lockPresent } from '../conversation/lock.ts'
import { changing } from '../message/rewrite.ts'
import { endWaiting, letIn } from '../participant/waiting.ts'
import { queryKey, type Row, type Statement } from '../postgres/statement.ts'
import type { Moved, Store } from '../postgres/store.ts'

/**
 * Gives a conversation to this user: agents begin no turns in it any more, and those that write are asked to stop. It
 * waits for a person no more. If the user has it already, nothing changes.
 *
 * @param most null: only who takes part may. Otherwise the user supports, and becomes a member of a conversation that
 *   waits, which may have so many participants beside its owner.
 * @throws ConversationMissing, NotPermitted, TakenOver if another one has it, TooManyParticipants
 */
export function takeOver(store: Store, ref: ConversationRef, most: number | null): Promise<Conversation> {
  const enter = async (client: PoolClient) => (most === null ? [] : letIn(client, ref, 'MEMBER', most))
  return change(store, ref, enter, async (client, conversation) => {
    const { key, takenOverBy } = conversation
    if (takenOverBy === ref.userId) return null
    if (takenOverBy !== null) throw new TakenOver(takenOverBy)
    const others = await endWaiting(client, conversation, 'taken')
    const seqs = (await queryKey(client, selectUnstopped, key, [])).map(([seq]) => seq as number)
    if (seqs.length > 0) await queryKey(client, stopAll, key, [seqs.length, seqs])
    return { rows: await queryKey(client, assign, key, [ref.userId]), others }
  })
}

/**
 * Gives the conversation back to agents. If nobody has it, nothing changes.
 *
 * @throws ConversationMissing, NotPermitted unless the user has it or owns the conversation
 */
export function handBack(store: Store, ref: ConversationRef): Promise<Conversation> {
  const enter = async () => []
  return change(store, ref, enter, async (client, conversation) => {
    const { key, takenOverBy, userId } = conversation
    if (takenOverBy === null) return null
    if (ref.userId !== takenOverBy && ref.userId !== userId) throw new NotPermitted()
    const others = await endWaiting(client, conversation, 'forgotten')
    return { rows: await queryKey(client, assign, key, [null]), others }
  })
}

/**
 * @param enter is called first, and answers what it moved beside the conversation
 * @param work answers the conversation's row after the change, and what else moved; null: nothing changed
 */
function change(
  store: Store,
  ref: ConversationRef,
  enter: (client: PoolClient) => Promise<Moved[]>,
  work: (client: PoolClient, conversation: Conversation) => Promise<{ rows: Row[]; others: Moved[] } | null>,
): Promise<Conversation> {
  return commit(
    store,
    inTransaction(async (client) => {
      const entered = await enter(client)
      const found = await lockPresent(client, ref, 'writer')
      const changed = await work(client, found)
      if (changed === null) return unmoved(found)
      return movingOthers(readConversation(changed.rows[0] as Row), [...entered, ...changed.others])
    }),
  )
}

const selectUnstopped: Statement<'key'> = {
  name: 'take-over-unstopped',
  kind: 'key',
  text: `
    select s.seq from message_stream s join message m on m.conversation_key = $1 and m.seq = s.seq
    where s.conversation_key = $1 and m.stop_requested_at is null order by s.seq`,
}

const stopAll: Statement<'key'> = {
  name: 'take-over-stop',
  kind: 'key',
  text: changing(
    'select n::int, seq from unnest($3::int[]) with ordinality as input(seq, n)',
    'stop_requested_at = moved.updated_at',
  ),
}

const assign: Statement<'key'> = {
  name: 'take-over-assign',
  kind: 'key',
  text: `
    update conversation c set taken_over_by = $2, revision = c.revision + 1, changed_revision = c.revision + 1,
      updated_at = ${nextUpdate('c.updated_at')}
    where c.key = $1 returning ${conversationColumns('c')}`,
}
