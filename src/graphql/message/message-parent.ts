import { readGlobalId } from '../../entities/ids/global-id.ts'
import { badInput } from '../../errors.ts'
import type { ParentName, ParentRef } from '../../storage/branch/append-parents.ts'
import type { NewMessage } from '../../storage/message/new-message.ts'
import type { WithParent } from '../../storage/message/payload-hash.ts'
import { readConversationId } from '../input/conversation-id.ts'
import { isGiven } from '../input/is-given.ts'
import { isStorable } from '../input/text-rules.ts'
import type { NamedLinks } from './message-links.ts'

/** How an input names the message that its message continues. */
export interface ParentInput {
  readonly parentId?: string | null
  readonly parentClientId?: string | null
}

/** A message of an input, after its checks. */
export interface CheckedMessage {
  readonly message: NewMessage
  /** Where the message stands in the input. */
  readonly path: string
  readonly given: WithParent & ParentInput
  readonly links: NamedLinks | null
}

/** The parent of each message that names one; undefined if none does. @throws ApiError BAD_USER_INPUT */
export function readParents(
  userId: string,
  messages: readonly CheckedMessage[],
): ReadonlyMap<NewMessage, ParentRef> | undefined {
  const parents = new Map<NewMessage, ParentRef>()
  for (const { message, path, given } of messages) {
    const name = readParent(userId, path, given)
    if (name !== null) parents.set(message, { name, given })
  }
  return parents.size === 0 ? undefined : parents
}

/**
 * The parent that an input names; null if it names none. Whether the parent is in the right conversation is checked
 * later, where the conversation is known.
 *
 * @throws ApiError BAD_USER_INPUT if the input names it in both ways
 */
export function readParent(userId: string, path: string, { parentId, parentClientId }: ParentInput): ParentName | null {
  if (isGiven(parentClientId)) {
    if (isGiven(parentId)) throw badInput(`${path}.parentClientId`, 'give either this or parentId, and not both.')
    return isStorable(parentClientId) ? { clientId: parentClientId } : nothing
  }
  if (!isGiven(parentId)) return null
  const id = readGlobalId(parentId)
  if (id.kind === 'message' && id.place.seq > 0) return id.place
  const conversation = readConversationId(userId, parentId)
  return conversation === null ? nothing : { key: conversation.key, epoch: conversation.epoch, seq: 0 }
}

/** A name that no message has. */
const nothing: ParentName = { key: '', epoch: null, seq: 0 }
