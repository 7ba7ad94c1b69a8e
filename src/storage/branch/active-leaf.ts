import type { Message } from '../../entities/message/message.ts'
import { moving, unmoved } from '../conversation/commit.ts'
import { conversationColumns, nextImport, nextUpdate, readConversation } from '../conversation/conversation-row.ts'
import { changeOne, type MessageRef } from '../message/edit.ts'
import { queryKey, type Row, type Statement } from '../postgres/statement.ts'
import type { Store } from '../postgres/store.ts'
import { activeLeafOf } from './path.ts'

/**
 * Makes the active path of a conversation end with this message. If it ends there already, nothing changes.
 *
 * @param keepsPlace whether `updatedAt` stays, and so the conversation's place in the list
 * @throws MessageMissing
 */
export async function setActiveLeaf(store: Store, ref: MessageRef, keepsPlace: boolean): Promise<Message> {
  return changeOne(store, ref, 'any', async (client, message) => {
    const { conversation } = message
    if (activeLeafOf(conversation) === message.seq) return unmoved(message)
    const [row] = await queryKey(client, keepsPlace ? updateInPlace : update, conversation.key, [message.seq])
    // The conversation is locked, so its row exists.
    message.conversation = readConversation(row as Row)
    return moving(message, message.conversation)
  })
}

const update = leafStatement('conversation-active-leaf', `updated_at = ${nextUpdate('c.updated_at')}`)

const updateInPlace = leafStatement('conversation-active-leaf-in-place', `imported_at = ${nextImport('c')}`)

/** If the leaf is the newest message, the column is null, so that appends after it need not look at it. */
function leafStatement(name: string, time: string): Statement<'key'> {
  return {
    name,
    kind: 'key',
    text: `
      update conversation c set
        active_leaf = nullif($2::int, c.last_seq), revision = c.revision + 1, changed_revision = c.revision + 1, ${time}
      where c.key = $1
      returning ${conversationColumns('c')}`,
  }
}
