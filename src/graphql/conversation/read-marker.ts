import { Arg, Ctx, Field, FieldResolver, ID, InputType, Int, Mutation, ObjectType, Resolver, Root } from 'type-graphql'
import { Conversation } from '../../entities/conversation.ts'
import { Message } from '../../entities/message/message.ts'
import { badInput } from '../../errors.ts'
import {
  countUnreadConversations,
  markRead,
  mostLookedAt,
  mostReaders,
  mostUnread,
  type Readers,
} from '../../storage/participant/read-marker.ts'
import type { Context } from '../context.ts'
import { requireConversationRef } from '../input/conversation-id.ts'
import { ViewerNode } from '../viewer.ts'

@InputType({ description: 'What `markRead` takes.' })
export class MarkReadInput {
  @Field(() => ID, { description: 'The conversation.' })
  conversationId!: string

  @Field(() => Int, { description: 'The last seq that the viewer has read; at most the last one there is counts.' })
  seq!: number
}

@ObjectType({ description: 'What `markRead` answers.', simpleResolvers: true })
export class MarkReadPayload {
  @Field(() => Conversation, { description: 'The conversation, with its `readSeq` and `unreadCount` as they are now.' })
  conversation!: Conversation
}

@ObjectType({ description: 'How far a user has read a conversation.', simpleResolvers: true })
export class ReadMarker {
  @Field(() => String, { description: 'The user.' })
  userId!: string

  @Field(() => Int, {
    description: 'The last seq that the user has read, or wrote itself, whichever is later. 0: none.',
  })
  readSeq!: number
}

@ObjectType({ description: 'Who has read a message.', simpleResolvers: true })
export class MessageReaders implements Readers {
  @Field(() => Int, { description: 'How many of those who take part, beside the author.' })
  count!: number

  @Field(() => [String], { description: `The users, by id; at most ${mostReaders} of them.` })
  userIds!: readonly string[]
}

@Resolver(() => Conversation)
export class ReadMarkerResolver {
  @FieldResolver(() => Int, {
    nullable: true,
    description:
      'The last seq that the viewer has read: what it told `markRead`, or its own last message, whichever is later. 0: none.',
  })
  async readSeq(@Root() conversation: Conversation, @Ctx() context: Context): Promise<number> {
    return (await context.loaders.readState.load(conversation)).readSeq
  }

  @FieldResolver(() => Int, {
    nullable: true,
    description: `How many messages the viewer has not read, up to ${mostUnread}, which means ${mostUnread} or more: messages of users and assistants with words, written by others, behind \`readSeq\`, that are neither deleted nor still streaming. The newest 2,000 messages are looked at.`,
  })
  async unreadCount(@Root() conversation: Conversation, @Ctx() context: Context): Promise<number> {
    return (await context.loaders.readState.load(conversation)).unread
  }

  @FieldResolver(() => Int, {
    nullable: true,
    description: `How many messages behind \`readSeq\` mention the viewer, up to ${mostUnread}. The newest 2,000 messages are looked at.`,
  })
  unreadMentions(@Root() conversation: Conversation, @Ctx() context: Context): Promise<number> {
    return context.loaders.unreadMentions.load(conversation)
  }

  @Mutation(() => MarkReadPayload, {
    nullable: true,
    description:
      "Says how far the viewer has read a conversation. The marker never moves back, and is no part of the log: nothing else changes. Who follows the conversation is told by `ReadMarkersChanged`, and the viewer's lists by `ConversationListed`.",
  })
  async markRead(
    @Arg('input', () => MarkReadInput, { description: 'Where, and how far.' }) input: MarkReadInput,
    @Ctx() context: Context,
  ): Promise<MarkReadPayload> {
    const ref = requireConversationRef(context.viewer.userId, input.conversationId)
    if (input.seq < 0) throw badInput('input.seq', 'must not be negative.')
    const { store, people } = context.services
    const { conversation, hasMoved } = await markRead(store, ref, input.seq)
    if (hasMoved) {
      people.read(conversation.key)
      people.seen(ref.userId, conversation.key)
    }
    return { conversation }
  }
}

@Resolver(() => Message)
export class MessageReadersResolver {
  @FieldResolver(() => MessageReaders, {
    nullable: true,
    description: 'Who has read this message, beside its author: who takes part and whose `readSeq` is not before it.',
  })
  readBy(@Root() message: Message, @Ctx() context: Context): Promise<Readers> {
    return context.loaders.readers.load(message)
  }
}

@Resolver(() => ViewerNode)
export class ViewerReadResolver {
  @FieldResolver(() => Int, {
    nullable: true,
    description: `How many conversations have something that the viewer has not read, up to ${mostUnread}, among the ${mostLookedAt} that changed last.`,
  })
  unreadConversations(@Ctx() context: Context): Promise<number> {
    return countUnreadConversations(context.services.store, context.budget, context.viewer.userId)
  }
}
