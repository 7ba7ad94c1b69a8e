import { Field, ID, InterfaceType, ObjectType } from 'type-graphql'
import { Conversation } from '../../entities/conversation.ts'
import { GetterField } from '../../entities/getter-field.ts'
import { conversationId } from '../../entities/ids/global-id.ts'
import type { ListEvent } from '../../live/list-reader.ts'
import { ConversationEdge, conversationEdge, conversationEdgeDescription } from '../page/connection.ts'
import { listFeedCursor } from './list-feed-cursor.ts'

@InterfaceType({
  description:
    "Something that happened to the viewer's list of conversations. If a client does not know the kind of an event, it still takes over the cursor.",
})
export abstract class ConversationListEvent {
  @Field(() => String, {
    description: 'Where the feed stands after this event. Pass it as `after` to go on from here.',
  })
  cursor!: string
}

@ObjectType({
  description:
    'A conversation was created or changed; a new message is a change too. It also tells that the viewer has read on by `markRead`, here or elsewhere: then `unreadCount` is another one, and nothing else. Remove the conversation from its old place, and put it at its place by `updatedAt`.',
  implements: ConversationListEvent,
  simpleResolvers: true,
})
export class ConversationListed extends ConversationListEvent {
  @Field(() => Conversation, { description: 'The conversation as it is now.' })
  conversation!: Conversation

  @GetterField(() => ConversationEdge, { description: conversationEdgeDescription })
  get conversationEdge(): ConversationEdge {
    return conversationEdge(this.conversation)
  }
}

@ObjectType({
  description:
    'A conversation was deleted, or the viewer does not take part in it any more. It may be one that the client never saw.',
  implements: ConversationListEvent,
  simpleResolvers: true,
})
export class ConversationUnlisted extends ConversationListEvent {
  @Field(() => ID, { description: "The conversation's `id`. A cache removes the conversation by it." })
  conversationId!: string
}

@ObjectType({
  description:
    'Everything that existed when the subscription began was sent. From here on the events are live. This event comes once.',
  implements: ConversationListEvent,
  simpleResolvers: true,
})
export class ConversationListCaughtUp extends ConversationListEvent {}

export function toListEvent(userId: string, event: ListEvent): ConversationListEvent {
  const place = { cursor: listFeedCursor(userId, event.known) }
  switch (event.kind) {
    case 'listed':
      return Object.assign(new ConversationListed(), place, { conversation: event.conversation })
    case 'unlisted':
      return Object.assign(new ConversationUnlisted(), place, {
        conversationId: conversationId({ userId }, event.conversation),
      })
    case 'caught-up':
      return Object.assign(new ConversationListCaughtUp(), place)
  }
}
