import { Arg, ID, Resolver, Root, Subscription } from 'type-graphql'
import { conversationNotFound } from '../errors.ts'
import { Feed } from '../live/feed.ts'
import { MessageReader } from '../live/message-reader.ts'
import { findConversation } from '../storage/conversation.ts'
import { MessageEdge, messageEdge } from './connection.ts'
import type { Context } from './context.ts'
import { readConversationId } from './conversation-id.ts'
import { readMessageCursor } from './cursor.ts'

@Resolver()
export class MessageSubscriptionResolver {
  @Subscription(() => MessageEdge, {
    description:
      'Every message after a cursor, each once and in order: first what is there, then live. Ends when the conversation is deleted. The cursor of each result is also in `extensions.cursor`.',
    subscribe: ({ args, context }) => followMessages(context as Context, args as MessageAppendedArgs),
  })
  messageAppended(
    @Arg('conversationId', () => ID, { description: 'The conversation.' }) _conversationId: string,
    @Arg('after', () => String, {
      nullable: true,
      description:
        "An edge's cursor, or `Conversation.cursor`; an empty text is the beginning; absent or null is from now on.",
    })
    _after: string | null,
    @Root() edge: MessageEdge,
  ): MessageEdge {
    return edge
  }
}

interface MessageAppendedArgs {
  readonly conversationId: string
  readonly after?: string | null
}

async function followMessages(context: Context, args: MessageAppendedArgs): Promise<Feed<MessageEdge>> {
  const { viewer, services } = context
  const ref = readConversationId(viewer.userId, args.conversationId)
  if (ref === null) throw conversationNotFound()
  const feed = new Feed<MessageEdge>(services.feeds, ref.key)
  try {
    const conversation = await findConversation(services.store, ref)
    if (conversation === null) throw conversationNotFound()
    const { key, epoch, lastSeq } = conversation
    const isFromNow = args.after === null || args.after === undefined
    const seq = isFromNow ? lastSeq : readMessageCursor('after', args.after ?? '', conversation)
    return feed.begin(new MessageReader(services.store, viewer.userId, { key, epoch, seq }, messageEdge))
  } catch (error) {
    await feed.return()
    throw error
  }
}
