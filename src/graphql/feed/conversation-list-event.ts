import { Field, ID, InterfaceType, ObjectType } from 'type-graphql'
import { Conversation } from '../../entities/conversation.ts'
import type { ListEvent } from '../../live/list-reader.ts'
import { listFeedCursor } from './list-feed-cursor.ts'

@InterfaceType({
  description:
    "Something that happened to the viewer's list of conversations. A client that meets a kind it does not know keeps its place by the cursor.",
})
export abstract class ConversationListEvent {
  @Field(() => String, { description: 'Go on from here to miss nothing after this event.' })
  cursor!: string
}

@ObjectType({
  description:
    'A conversation was created or changed, also when it got a message: put it at its place by `updatedAt`, and take it from where it was.',
  implements: ConversationListEvent,
  simpleResolvers: true,
})
export class ConversationListed extends ConversationListEvent {
  @Field(() => Conversation, { description: 'The conversation as it is now.' })
  conversation!: Conversation
}

@ObjectType({
  description: 'A conversation was deleted. It may be one that you never heard of.',
  implements: ConversationListEvent,
  simpleResolvers: true,
})
export class ConversationUnlisted extends ConversationListEvent {
  @Field(() => ID, { description: "The conversation's `id`." })
  conversationId!: string
}

@ObjectType({
  description: 'Everything that was there when the subscription began was sent; from here on it is live. Comes once.',
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
      return Object.assign(new ConversationUnlisted(), place, { conversationId: event.conversation.id })
    case 'caught-up':
      return Object.assign(new ConversationListCaughtUp(), place)
  }
}
