import { Arg, ID, Resolver, Root, Subscription } from 'type-graphql'
import type { Feed } from '../../live/feed.ts'
import { MessageReader } from '../../live/message-reader.ts'
import type { Context } from '../context.ts'
import { isGiven } from '../input/is-given.ts'
import { MessageEdge, messageEdge } from '../page/connection.ts'
import { readMessageCursor } from '../page/cursor.ts'
import { openFeed } from './open-feed.ts'

@Resolver()
export class MessageSubscriptionResolver {
  @Subscription(() => MessageEdge, {
    description:
      'Every message after a cursor, once and in order: first the messages that exist, then live ones. The subscription ends when the conversation is deleted. The cursor of each result is also in `extensions.cursor`.',
    subscribe: ({ args, context }) => followMessages(context as Context, args as MessageAppendedArgs),
  })
  messageAppended(
    @Arg('conversationId', () => ID, { description: 'The conversation.' }) _conversationId: string,
    @Arg('after', () => String, {
      nullable: true,
      description:
        "An edge's cursor, or `Conversation.cursor`. An empty text: from the beginning. Absent or null: from now on.",
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

function followMessages(context: Context, { conversationId, after }: MessageAppendedArgs): Promise<Feed<MessageEdge>> {
  const { viewer, services } = context
  return openFeed(context, conversationId, (conversation) => {
    const { key, epoch, userId: ownerId, lastSeq } = conversation
    const seq = isGiven(after) ? readMessageCursor('after', after, conversation) : lastSeq
    return new MessageReader(services.store, viewer.userId, { key, epoch, seq, ownerId }, messageEdge)
  })
}
