import type { Conversation } from '../../entities/conversation.ts'
import { ConversationMissing, NotPermitted, TakenOver } from '../../facts.ts'
import { commit, inTransaction, moving, unmoved, type Written } from '../conversation/commit.ts'
import type { ConversationRef } from '../conversation/conversation-ref.ts'
import { conversationColumns, nextUpdate, readConversation } from '../conversation/conversation-row.ts'
import { lockConversation } from '../conversation/lock.ts'
import { changing } from '../message/rewrite.ts'
import { queryKey, type Row, type Runner, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'

/**
 * Gives a conversation to this user: agents begin no turns in it any more, and those that write are asked to stop. If
 * the user has it already, nothing changes.
 *
 * @throws ConversationMissing, NotPermitted, TakenOver if another one has it
 */
export function takeOver(store: Store, ref: ConversationRef): Promise<Conversation> {
  return change(store, ref, async (client, { key, takenOverBy }) => {
    if (takenOverBy === ref.userId) return null
    if (takenOverBy !== null) throw new TakenOver(takenOverBy)
    const seqs = (await queryKey(client, selectUnstopped, key, [])).map(([seq]) => seq as number)
    if (seqs.length > 0) await queryKey(client, stopAll, key, [seqs.length, seqs])
    return queryKey(client, assign, key, [ref.userId])
  })
}

/**
 * Gives the conversation back to agents. If nobody has it, nothing changes.
 *
 * @throws ConversationMissing, NotPermitted unless the user has it or owns the conversation
 */
export function handBack(store: Store, ref: ConversationRef): Promise<Conversation> {
  return change(store, ref, async (client, { key, takenOverBy, userId }) => {
    if (takenOverBy === null) return null
    if (ref.userId !== takenOverBy && ref.userId !== userId) throw new NotPermitted()
    return queryKey(client, assign, key, [null])
  })
}

/** @param work answers the conversation's row after the change; null: nothing changed */
function change(
  store: Store,
  ref: ConversationRef,
  work: (client: Runner, conversation: Conversation) => Promise<Row[] | null>,
): Promise<Conversation> {
  return commit(
    store,
    inTransaction(async (client): Promise<Written<Conversation>> => {
      const found = (await lockConversation(client, ref, 'writer'))?.conversation
      if (found === undefined || found.deletedAt !== null) throw new ConversationMissing()
      const rows = await work(client, found)
      if (rows === null) return unmoved(found)
      const changed = readConversation(rows[0] as Row)
      return moving(changed, changed)
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
