import type { Conversation } from '../../entities/conversation.ts'
import { conversationNotFound } from '../../errors.ts'
import { Feed, type Reader } from '../../live/feed.ts'
import { findConversation } from '../../storage/conversation/conversation.ts'
import type { Context } from '../context.ts'
import { readConversationId } from '../input/conversation-id.ts'

/**
 * Opens a feed of a conversation. The feed listens for hints before the conversation is read, so that no change is
 * missed in between. If `toReader` throws, the feed ends.
 *
 * @throws ApiError NOT_FOUND, and what `toReader` throws
 */
export async function openFeed<Event>(
  context: Context,
  conversationId: string,
  toReader: (conversation: Conversation) => Reader<Event>,
): Promise<Feed<Event>> {
  const { viewer, services } = context
  const ref = readConversationId(viewer.userId, conversationId)
  if (ref === null) throw conversationNotFound()
  const feed = new Feed<Event>(services.feeds, ref.key)
  try {
    const conversation = await findConversation(services.store, ref)
    if (conversation === null) throw conversationNotFound()
    return feed.begin(toReader(conversation))
  } catch (error) {
    feed.return()
    throw error
  }
}
