import type { ConversationEvent, Message, MessageSiblings } from '../schema/types.ts'

/** What a view needs of each message; the rest of its selection is the caller's own. */
export type ViewedMessage = Pick<Message, 'seq' | 'content' | 'nextChunk'>

/** A conversation without one of its messages or chunks: an event was left out, or another conversation's came in. */
export class GapError extends Error {
  override readonly name = 'GapError'
}

/**
 * The messages of a conversation after an event of `followConversation`, by seq and without gaps. Begin with `[]` after `""`,
 * or with messages that were read, after the `cursor` that the conversation had in that read or an earlier one; what
 * happens to messages before the first of them changes nothing. The messages that were given stay as they are.
 *
 * States may come twice. An older one never follows a newer one, so every state takes the place of the one before.
 *
 * @throws GapError
 */
export function applyEvent<Selected extends ViewedMessage>(
  messages: readonly Selected[],
  event: ConversationEvent<Selected>,
): readonly Selected[] {
  switch (event.__typename) {
    case 'MessageAppended':
      return withVersions(put(messages, event.edge.node, true), event as object)
    case 'MessageUpdated':
    case 'MessageDeleted':
      return put(messages, event.message, false)
    case 'MessageTextAppended': {
      const message = find(messages, event.seq)
      // What comes before the state that holds it already, and what came before the end of the stream.
      if (message === undefined || message.nextChunk === null || event.chunk < message.nextChunk) return messages
      if (event.chunk > message.nextChunk) {
        throw new GapError(`Message ${event.seq} has chunk ${event.chunk} after ${message.nextChunk - 1}.`)
      }
      const content = (message.content ?? '') + event.text
      return put(messages, { ...message, content, nextChunk: message.nextChunk + 1 }, false)
    }
    default:
      return messages
  }
}

/**
 * Those of the messages that a reader sees of a conversation with branches: the path that ends with one of them, each message
 * continuing the one before it. Begins with the first of them that is given. `[]` when the leaf is not among them.
 *
 * @param leaf the `id` of the last one: that of the conversation's `activeLeaf`. A `ConversationUpdated` brings it when
 *   somebody chooses another, and after a `MessageAppended` it is that message. Absent: the last of the messages.
 */
export function activePath<Selected extends Pick<Message, 'id' | 'parentId'>>(
  messages: readonly Selected[],
  leaf: string | undefined = messages.at(-1)?.id,
): Selected[] {
  const path: Selected[] = []
  let next = leaf
  // A message comes after the one that it continues.
  for (const message of messages.toReversed()) {
    if (message.id !== next) continue
    path.push(message)
    next = message.parentId
  }
  return path.reverse()
}

/** What `MessageAppended` says of older versions, where it was asked. */
interface Versions {
  readonly changedSiblings?: readonly { readonly seq: number; readonly siblings: MessageSiblings }[] | null
}

function withVersions<Selected extends ViewedMessage>(
  messages: readonly Selected[],
  { changedSiblings }: Versions,
): readonly Selected[] {
  return (changedSiblings ?? []).reduce((list, { seq, siblings }) => {
    const message = find(list, seq)
    return message === undefined ? list : put(list, { ...message, siblings }, false)
  }, messages)
}

function put<Selected extends ViewedMessage>(
  messages: readonly Selected[],
  message: Selected,
  isAppended: boolean,
): readonly Selected[] {
  const [first] = messages
  if (first === undefined) return isAppended ? [message] : messages
  const index = message.seq - first.seq
  if (index < 0) return messages
  // A state of what is yet to be appended: it comes again as appended.
  if (index >= messages.length && !isAppended) return messages
  if (index > messages.length) {
    throw new GapError(`Message ${message.seq} comes after ${first.seq + messages.length - 1}.`)
  }
  const copy = messages.slice()
  copy[index] = message
  return copy
}

function find<Selected extends ViewedMessage>(messages: readonly Selected[], seq: number): Selected | undefined {
  const [first] = messages
  return first === undefined ? undefined : messages[seq - first.seq]
}
