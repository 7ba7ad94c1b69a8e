import { readGlobalId } from '../../entities/ids/global-id.ts'
import type { ParentRef } from '../../storage/branch/append-parents.ts'
import type { NewMessage } from '../../storage/message/new-message.ts'
import { readConversationId } from '../input/conversation-id.ts'
import { isGiven } from '../input/is-given.ts'

/** The parent of each message that names one; undefined if none does. */
export function readParents(
  userId: string,
  messages: readonly { readonly message: NewMessage; readonly parentId: string | null | undefined }[],
): ReadonlyMap<NewMessage, ParentRef> | undefined {
  const parents = new Map<NewMessage, ParentRef>()
  for (const [index, { message, parentId }] of messages.entries()) {
    if (isGiven(parentId)) parents.set(message, readParent(userId, parentId, index))
  }
  return parents.size === 0 ? undefined : parents
}

/**
 * The parent that an id names. Whether it is in the right conversation is checked later, where the conversation is
 * known.
 *
 * @param index of the message that names the parent, in its append, from 0
 */
export function readParent(userId: string, text: string, index = 0): ParentRef {
  const id = readGlobalId(text)
  if (id.kind === 'message' && id.place.seq > 0) return { ...id.place, index }
  const conversation = readConversationId(userId, text)
  return { key: conversation?.key ?? '', epoch: conversation?.epoch ?? null, seq: 0, index }
}
