import { Arg, Resolver, Root, Subscription } from 'type-graphql'
import { Feed } from '../../live/feed.ts'
import { ListReader, readStart } from '../../live/list-reader.ts'
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

/** Every kind of event, so that the schema has those that only the interface leads to. */
export const conversationListEventTypes = [ConversationListed, ConversationUnlisted, ConversationListCaughtUp]

@Resolver()
export class ConversationListEventsResolver {
  @Subscription(() => ConversationListEvent, {
    description:
      "How the viewer's list of conversations changes after a cursor: first what was missed, then `ConversationListCaughtUp`, then live. Of a conversation that changed several times the last state may be all that comes. A state may come twice; an older one never follows a newer one. The cursor of each event is also in `extensions.cursor`.",
    subscribe: ({ args, context }) => followList(context as Context, args as ConversationsChangedArgs),
  })
  conversationsChanged(
    @Arg('after', () => String, {
      nullable: true,
      description:
        "An event's cursor, or `ConversationConnection.cursor`; an empty text is the beginning: all conversations, the oldest change first. Absent or null is from now on. One from before deleted conversations are remembered has expired.",
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

/** Registered for hints before the list is looked at, so that nothing falls between; whatever is refused ends it again. */
async function followList(context: Context, { after }: ConversationsChangedArgs): Promise<Feed<ConversationListEvent>> {
  const { viewer, services } = context
  const { store, lists, feeds } = services
  const { userId } = viewer
  const feed = new Feed<ConversationListEvent>(feeds, listKey(userId), userId)
  try {
    const start = await readStart(store, userId, lists, readAfter(userId, after))
    return feed.begin(new ListReader(store, userId, lists.settleMs, start, toListEvent.bind(null, userId)))
  } catch (error) {
    await feed.return()
    throw error
  }
}

function readAfter(userId: string, after: string | null | undefined) {
  if (!isGiven(after)) return 'now'
  return after === '' ? 'beginning' : readListFeedCursor('after', after, userId)
}
