import { Ctx, Field, FieldResolver, ID, Int, InterfaceType, ObjectType, Resolver, Root } from 'type-graphql'
import { contractLimits } from '../../config.ts'
import { Conversation } from '../../entities/conversation.ts'
import { messageId } from '../../entities/ids/global-id.ts'
import { placeHead } from '../../entities/ids/place.ts'
import { Json } from '../../entities/json.ts'
import { Message } from '../../entities/message/message.ts'
import type { FeedEvent } from '../../live/change-reader.ts'
import type { Context } from '../context.ts'
import { PresentUsers } from '../conversation/presence.ts'
import { ReadMarker } from '../conversation/read-marker.ts'
import { readMessageId } from '../input/message-id.ts'
import { MessageEdge, messageEdge } from '../page/connection.ts'
import { knownCursor } from '../page/cursor.ts'

@InterfaceType({
  description:
    'Something that happened in a conversation. If a client does not know the kind of an event, it still takes over the cursor.',
})
export abstract class ConversationEvent {
  @Field(() => String, {
    description: 'Where the feed stands after this event. Pass it as `after` to go on from here.',
  })
  cursor!: string

  @Field(() => ID, { description: "The conversation's `id`." })
  conversationId!: string
}

/** GraphQL refuses a document that selects `message` of two kinds of events if only one of the fields is nullable. */
const neverNull = 'Never null: it is nullable only because `MessageTextAppended.message` is.'

@ObjectType({ description: 'A message was appended.', implements: ConversationEvent, simpleResolvers: true })
export class MessageAppended extends ConversationEvent {
  @Field(() => MessageEdge, { description: 'The message as it is now. If it is deleted already, it is a tombstone.' })
  edge!: MessageEdge
}

@ObjectType({ description: 'A message was changed.', implements: ConversationEvent, simpleResolvers: true })
export class MessageUpdated extends ConversationEvent {
  @Field(() => Message, { nullable: true, description: `The message as it is now. ${neverNull}` })
  message!: Message
}

@ObjectType({ description: 'A message was deleted.', implements: ConversationEvent, simpleResolvers: true })
export class MessageDeleted extends ConversationEvent {
  @Field(() => Message, { nullable: true, description: `The tombstone. ${neverNull}` })
  message!: Message
}

@ObjectType({
  description:
    'A chunk of text was added to a streaming message. Chunks come in order, and the first one is the `nextChunk` that the message had when it was last sent.',
  implements: ConversationEvent,
  simpleResolvers: true,
})
export class MessageTextAppended extends ConversationEvent {
  @Field(() => ID, { description: "The message's `id`." })
  messageId!: string

  @Field(() => Int, { description: "The message's seq." })
  seq!: number

  @Field(() => Int, { description: 'The number of the chunk.' })
  chunk!: number

  @Field(() => String, { description: 'The text to add at the end of the content.' })
  text!: string

  @Field(() => Json, {
    nullable: true,
    description: 'The data of the chunk that is not text, as the producer gave it.',
  })
  data!: unknown

  /** Who owns the conversation. */
  ownerId!: string
}

@ObjectType({
  description: "The conversation's title, metadata or archivedAt changed, or `setActiveLeaf` chose another leaf.",
  implements: ConversationEvent,
  simpleResolvers: true,
})
export class ConversationUpdated extends ConversationEvent {
  @Field(() => Conversation, { description: 'The conversation as it is now.' })
  conversation!: Conversation
}

@ObjectType({
  description:
    'Somebody joined the conversation, left it, was removed from it, got another role, or reads from another message on.',
  implements: ConversationEvent,
  simpleResolvers: true,
})
export class ParticipantsChanged extends ConversationEvent {
  @Field(() => Conversation, {
    description: 'The conversation as it is now; its `participants` are those of now, too.',
  })
  conversation!: Conversation
}

@ObjectType({
  description: `A marker of what was read has moved. It is sent at most once a second, and after \`CaughtUp\` and \`ParticipantsChanged\` if others take part. A message of a user moves that user's marker as well, and is told by \`MessageAppended\` alone. Markers are no part of the log: \`cursor\` is that of the event before.`,
  implements: ConversationEvent,
  simpleResolvers: true,
})
export class ReadMarkersChanged extends ConversationEvent {
  @Field(() => [ReadMarker], {
    description: `How far each of those who take part has read, by user id. Empty if there are more than ${contractLimits.namedPeople} of them.`,
  })
  readMarkers!: readonly ReadMarker[]

  @Field(() => Int, { description: 'How many take part.' })
  participantCount!: number
}

@ObjectType({
  description: 'Somebody began to type, or ended. Nothing of it is stored: `cursor` is that of the event before.',
  implements: ConversationEvent,
  simpleResolvers: true,
})
export class TypingChanged extends ConversationEvent {
  @Field(() => [String], {
    description: `The users who type, by id, the viewer among them; at most ${contractLimits.namedPeople} of them.`,
  })
  userIds!: readonly string[]
}

@ObjectType({
  description:
    'Somebody has opened a feed of the conversation, or closed the last one. It is sent after `CaughtUp` too, and only if several people ever took part. Nothing of it is stored: `cursor` is that of the event before.',
  implements: ConversationEvent,
  simpleResolvers: true,
})
export class PresenceChanged extends ConversationEvent {
  @Field(() => PresentUsers, { description: 'Who is here now, the viewer among them.' })
  present!: PresentUsers
}

@ObjectType({
  description:
    'The conversation was deleted, or the viewer does not take part in it any more. Nothing comes after this. A cache removes it by `conversationId`.',
  implements: ConversationEvent,
  simpleResolvers: true,
})
export class ConversationDeleted extends ConversationEvent {}

@ObjectType({
  description:
    'Everything that existed when the subscription began was sent. From here on the events are live. This event comes once.',
  implements: ConversationEvent,
  simpleResolvers: true,
})
export class CaughtUp extends ConversationEvent {}

@Resolver(() => MessageTextAppended)
export class MessageTextAppendedResolver {
  @FieldResolver(() => Message, {
    nullable: true,
    description:
      'The message as it is now, with its text so far: for a client that keeps messages by their `id`. It has the text of this chunk, and may have that of later ones too; `nextChunk` says where its text ends. So take its content, and add no `text` to it. Each event that selects this field reads the whole text again. null if the conversation was deleted.',
  })
  message(@Root() { messageId, ownerId }: MessageTextAppended, @Ctx() context: Context): Promise<Message | null> {
    return context.loaders.messageAt.load({ ...readMessageId(messageId), ownerId })
  }
}

/** @param conversationId the conversation's `id` for this viewer */
export function toConversationEvent(conversationId: string, ownerId: string, event: FeedEvent): ConversationEvent {
  const place = { cursor: knownCursor(event.known), conversationId }
  switch (event.kind) {
    case 'appended':
      return Object.assign(new MessageAppended(), place, { edge: messageEdge(event.message) })
    case 'updated':
      return Object.assign(new MessageUpdated(), place, { message: event.message })
    case 'deleted':
      return Object.assign(new MessageDeleted(), place, { message: event.message })
    case 'text': {
      const { known, chunk } = event
      return Object.assign(new MessageTextAppended(), place, chunk, {
        messageId: messageId(placeHead(known), chunk.seq),
        ownerId,
      })
    }
    case 'conversation':
      return Object.assign(new ConversationUpdated(), place, { conversation: event.conversation })
    case 'participants':
      return Object.assign(new ParticipantsChanged(), place, { conversation: event.conversation })
    case 'markers': {
      const { readMarkers, participantCount } = event
      return Object.assign(new ReadMarkersChanged(), place, { readMarkers, participantCount })
    }
    case 'typing':
      return Object.assign(new TypingChanged(), place, { userIds: event.userIds })
    case 'present':
      return Object.assign(new PresenceChanged(), place, { present: event.present })
    case 'gone':
      return Object.assign(new ConversationDeleted(), place)
    case 'caught-up':
      return Object.assign(new CaughtUp(), place)
  }
}
