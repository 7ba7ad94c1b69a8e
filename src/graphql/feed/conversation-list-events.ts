import { Arg, Resolver, Root, Subscription } from 'type-graphql'
import { Feed } from '../../live/feed.ts'
import { ListReader, readStart } from '../../live/list-reader.ts'
import { OthersConversations } from '../../live/others-conversations.ts'
import { listKey } from '../../storage/conversation/conversation-key.ts'
import type { Context } from '../context.ts'
import { isGiven } from '../input/is-given.ts'
import {
  ConversationListCaughtUp,
  ConversationListEvent,
  ConversationListed,
  ConversationUnlisted,
  toListEvent,
} from './conversation-list-event.ts'
import { readListFeedCursor } from './list-feed-cursor.ts'

/** Every kind of event. The schema needs this list, because only the interface leads to these types. */
export const conversationListEventTypes = [ConversationListed, ConversationUnlisted, ConversationListCaughtUp]

@Resolver()
export class ConversationListEventsResolver {
  @Subscription(() => ConversationListEvent, {
    description:
      "How the viewer's list of conversations changes after a cursor: first the changes that the client missed, then `ConversationListCaughtUp`, then live changes. If a conversation changed several times, the client may get only its last state. It may get the same state twice, but never an older state after a newer one. The cursor of each event is also in `extensions.cursor`.",
    subscribe: ({ args, context }) => followList(context as Context, args as ConversationsChangedArgs),
  })
  conversationsChanged(
    @Arg('after', () => String, {
      nullable: true,
      description:
        "An event's cursor, or `ConversationConnection.cursor`. An empty text is the beginning: all conversations, the oldest change first. Absent or null: from now on. A cursor expires when the server may have forgotten conversations that were deleted after it.",
    })
    _after: string | null,
    @Root() event: ConversationListEvent,
  ): ConversationListEvent {
    return event
  }
}

interface ConversationsChangedArgs {
  readonly after?: string | null
}

/**
 * The feed listens for hints before the list is read, so that no change is missed in between. If reading the start
 * throws, the feed ends.
 */
async function followList(context: Context, { after }: ConversationsChangedArgs): Promise<Feed<ConversationListEvent>> {
  const { viewer, services } = context
  const { store, lists, feeds } = services
  const { userId } = viewer
  const feed = new Feed<ConversationListEvent>(feeds, listKey(userId), userId)
  try {
    // Before the list is read, as the feed itself.
    const others = await OthersConversations.watch(store, feeds.watchers, userId, feed)
    using unlessBegun = new DisposableStack()
    unlessBegun.use(others)
    const start = await readStart(store, userId, lists, readAfter(userId, after))
    unlessBegun.move()
    return feed.begin(new ListReader(store, userId, lists.settleMs, start, others, toListEvent.bind(null, userId)))
  } catch (error) {
    feed.return()
    throw error
  }
}

function readAfter(userId: string, after: string | null | undefined) {
  if (!isGiven(after)) return 'now'
  return after === '' ? 'beginning' : readListFeedCursor('after', after, userId)
}
