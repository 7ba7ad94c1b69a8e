import type { Message } from '../../entities/message.ts'
import { moving, unmoved } from '../conversation/commit.ts'
import { conversationColumns, nextImport, nextUpdate, readConversation } from '../conversation/conversation-row.ts'
import { changeOne, type MessageRef } from '../message/edit.ts'
import { query, type Row, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { activeLeafOf } from './path.ts'

/**
 * Makes the active path of a conversation end with this message. If it ends there already, nothing changes.
 *
 * @param keepsPlace whether `updatedAt` stays, and so the conversation's place in the list
 * @throws MessageMissing
 */
export async function setActiveLeaf(store: Store, ref: MessageRef, keepsPlace: boolean): Promise<Message> {
  return changeOne(store, ref, async (client, message) => {
    const { conversation } = message
    if (activeLeafOf(conversation) === message.seq) return unmoved(message)
    const [row] = await query(client, update, [conversation.key, message.seq, keepsPlace])
    // The conversation is locked, so its row exists.
    message.conversation = readConversation(row as Row)
    return moving(message, message.conversation)
  })
}

/** If the leaf is the newest message, the column is null, so that appends after it need not look at it. */
const update: Statement = {
  name: 'conversation-active-leaf',
  text: `
    update conversation c set
      active_leaf = nullif($2::int, c.last_seq), revision = c.revision + 1, changed_revision = c.revision + 1,
      updated_at = case when $3 then c.updated_at else ${nextUpdate('c.updated_at')} end,
      imported_at = case when $3 then ${nextImport('c')} else c.imported_at end
    where c.key = $1
    returning ${conversationColumns('c')}`,
}
