import type { GraphQLResolveInfo } from 'graphql'
import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Info,
  Int,
  ObjectType,
  Query,
  Resolver,
  Root,
  Subscription,
} from 'type-graphql'
import { contractLimits } from '../../config.ts'
import type { Conversation } from '../../entities/conversation.ts'
import { conversationId as conversationIdFor } from '../../entities/ids/global-id.ts'
import { Message } from '../../entities/message/message.ts'
import { badInput, conversationNotFound } from '../../errors.ts'
import { ChangeReader } from '../../live/change-reader.ts'
import { toChanges } from '../../live/conversation-change.ts'
import type { Feed } from '../../live/feed.ts'
import { findConversation } from '../../storage/conversation/conversation.ts'
import { type Known, readChanges } from '../../storage/message/changes.ts'
import type { Context } from '../context.ts'
import { readConversationId } from '../input/conversation-id.ts'
import { isGiven } from '../input/is-given.ts'
import { changedSiblings, changedSiblingsOf } from '../message/changed-siblings.ts'
import { knownCursor, readKnownCursor } from '../page/cursor.ts'
import {
  CaughtUp,
  ConversationDeleted,
  ConversationEvent,
  ConversationUpdated,
  MessageAppended,
  MessageDeleted,
  MessageTextAppended,
  MessageUpdated,
  ParticipantsChanged,
  PresenceChanged,
  ReadMarkersChanged,
  TypingChanged,
  toConversationEvent,
} from './conversation-event.ts'
import { openFeed } from './open-feed.ts'

@ObjectType({ description: 'What happened after a cursor.', simpleResolvers: true })
export class ConversationChanges {
  @Field(() => [ConversationEvent], {
    description:
      'The events as `conversationEvents` sends them, without those that have no place in the log: `CaughtUp`, `ConversationDeleted`, `ReadMarkersChanged`, `TypingChanged` and `PresenceChanged`.',
  })
  events!: ConversationEvent[]

  @Field(() => String, { description: 'Pass it as `after` of the next call, even if there were no events.' })
  cursor!: string

  @Field(() => Boolean, { description: 'Whether there are more events now.' })
  hasMore!: boolean
}

/** Every kind of event. The schema needs this list, because only the interface leads to these types. */
export const conversationEventTypes = [
  MessageAppended,
  MessageUpdated,
  MessageDeleted,
  MessageTextAppended,
  ConversationUpdated,
  ParticipantsChanged,
  ReadMarkersChanged,
  TypingChanged,
  PresenceChanged,
  ConversationDeleted,
  CaughtUp,
]

const afterDescription =
  "An event's cursor, an edge's cursor, or `Conversation.cursor`. An empty text is the beginning. An edge's cursor names only a place. After such a cursor, all messages up to that place that were ever changed come first."

@Resolver()
export class ConversationEventsResolver {
  @Query(() => ConversationChanges, {
    nullable: true,
    description: 'The events after a cursor, in pages. It is for clients that poll or work offline.',
  })
  async changes(
    @Arg('conversationId', () => ID, { description: 'The conversation.' }) conversationId: string,
    @Arg('after', () => String, {
      nullable: true,
      description: `${afterDescription} Absent or null: from the beginning.`,
    })
    after: string | null,
    @Arg('first', () => Int, { nullable: true, description: 'At most so many messages: 50 unless given, at most 100.' })
    first: number | null,
    @Ctx() context: Context,
  ): Promise<ConversationChanges> {
    const count = first ?? contractLimits.defaultPage
    if (count < 1 || count > contractLimits.page) throw badInput('first', `must be from 1 to ${contractLimits.page}.`)
    const { viewer, services, budget } = context
    const ref = readConversationId(viewer.userId, conversationId)
    const conversation = ref === null ? null : await findConversation(services.store, ref)
    if (conversation === null) throw conversationNotFound()
    const from = readKnownCursor('after', after ?? '', conversation)
    const read = await readChanges(services.store, budget, viewer.userId, conversation.userId, from, count)
    if (read === null) throw conversationNotFound()
    const { changes, known } = toChanges(from, read)
    const id = conversationIdFor(viewer, conversation)
    return {
      events: changes.map((change) => toConversationEvent(id, conversation.userId, change)),
      cursor: knownCursor(known),
      hasMore: read.hasMore,
    }
  }

  @Subscription(() => ConversationEvent, {
    description:
      'Everything that happens in a conversation after a cursor: first the events that the client missed, then `CaughtUp`, then live events. A client may get the same state of a message twice, but never an older state after a newer one. The cursor of each event is also in `extensions.cursor`.',
    subscribe: ({ args, context }) => followConversation(context as Context, args as ConversationEventsArgs),
  })
  conversationEvents(
    @Arg('conversationId', () => ID, { description: 'The conversation.' }) _conversationId: string,
    @Arg('after', () => String, { nullable: true, description: `${afterDescription} Absent or null: from now on.` })
    _after: string | null,
    @Root() event: ConversationEvent,
  ): ConversationEvent {
    return event
  }
}

@Resolver(() => MessageAppended)
export class MessageAppendedResolver {
  @FieldResolver(() => [Message], { nullable: true, description: changedSiblingsOf('the message') })
  changedSiblings(
    @Root() { edge }: MessageAppended,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Message[]> {
    return changedSiblings([edge.node], context, info)
  }
}

interface ConversationEventsArgs {
  readonly conversationId: string
  readonly after?: string | null
}

function followConversation(context: Context, args: ConversationEventsArgs): Promise<Feed<ConversationEvent>> {
  const { viewer, services } = context
  return openFeed(context, args.conversationId, (conversation) => {
    const known = isGiven(args.after) ? readKnownCursor('after', args.after, conversation) : nowKnown(conversation)
    const { userId: ownerId } = conversation
    const toEvent = toConversationEvent.bind(null, conversationIdFor(viewer, conversation), ownerId)
    return new ChangeReader(services.store, services.people, viewer.userId, ownerId, known, toEvent)
  })
}

function nowKnown({ key, epoch, lastSeq, revision }: Conversation): Known {
  return { key, epoch, seq: lastSeq, revision }
}
