import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  ID,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql'
import type { Viewer } from '../../auth/viewer.ts'
import { contractLimits } from '../../config.ts'
import { Conversation } from '../../entities/conversation.ts'
import { conversationId } from '../../entities/ids/global-id.ts'
import { Waiting } from '../../entities/waiting.ts'
import { forbidden } from '../../errors.ts'
import { joinWaiting, stopWaiting, waitForPerson } from '../../storage/participant/waiting.ts'
import { type WaitingConversation as Found, readWaitingPage } from '../../storage/participant/waiting-page.ts'
import type { Context } from '../context.ts'
import { requireConversationRef } from '../input/conversation-id.ts'
import { requireShort } from '../input/text-rules.ts'
import { readCount } from '../page/page-args.ts'
import { readWaitingCursor, WaitingConversation, WaitingConversationConnection } from '../page/waiting-connection.ts'
import { personOf } from '../person.ts'

@InputType({ description: 'What `waitForPerson` takes.' })
export class WaitForPersonInput {
  @Field(() => ID, { description: 'The conversation.' })
  conversationId!: string

  @Field(() => String, {
    nullable: true,
    description: `Why, for the person who comes; at most ${contractLimits.waitingReasonBytes} bytes.`,
  })
  reason?: string | null
}

@ObjectType({ description: 'What `waitForPerson` answers, after the change is durable.', simpleResolvers: true })
export class WaitForPersonPayload {
  @Field(() => Conversation, { description: 'The conversation as it is now.' })
  conversation!: Conversation
}

@InputType({ description: 'What `stopWaiting` takes.' })
export class StopWaitingInput {
  @Field(() => ID, { description: 'The conversation.' })
  conversationId!: string
}

@ObjectType({ description: 'What `stopWaiting` answers, after the change is durable.', simpleResolvers: true })
export class StopWaitingPayload {
  @Field(() => Conversation, { description: 'The conversation as it is now.' })
  conversation!: Conversation
}

@InputType({ description: 'What `joinWaiting` takes.' })
export class JoinWaitingInput {
  @Field(() => ID, { description: 'The `conversationId` of a conversation that waits.' })
  conversationId!: string
}

@ObjectType({ description: 'What `joinWaiting` answers, after the change is durable.', simpleResolvers: true })
export class JoinWaitingPayload {
  @Field(() => Conversation, { description: 'The conversation as it is now.' })
  conversation!: Conversation
}

@Resolver(() => Conversation)
export class WaitingResolver {
  @FieldResolver(() => Waiting, {
    nullable: true,
    description: 'That this conversation waits for a person, since `waitForPerson`. null: it does not.',
  })
  waiting(
    @Root() conversation: Conversation,
    @Ctx() context: Context,
  ): Promise<Pick<Waiting, 'since' | 'reason'> | null> {
    return context.loaders.waiting.load(conversation)
  }

  @Mutation(() => WaitForPersonPayload, {
    nullable: true,
    description:
      'Says that a conversation waits for a person, until somebody takes it over, or `stopWaiting`. Those who support see it in `waitingConversations`. A repeated call changes the reason at most; if a person has the conversation, that is a CONFLICT. Watchers get `ConversationUpdated`.',
  })
  async waitForPerson(
    @Arg('input', () => WaitForPersonInput, { description: 'The conversation, and why.' }) input: WaitForPersonInput,
    @Ctx() { viewer, services }: Context,
  ): Promise<WaitForPersonPayload> {
    const ref = requireConversationRef(viewer.userId, input.conversationId)
    const reason = input.reason ?? null
    requireShort('input.reason', reason, contractLimits.waitingReasonBytes)
    return { conversation: await waitForPerson(services.store, ref, reason) }
  }

  @Mutation(() => StopWaitingPayload, {
    nullable: true,
    description:
      'Says that a conversation waits for a person no more. Those who joined it meanwhile by `joinWaiting` take part no more. If it does not wait, nothing changes. Watchers get `ConversationUpdated`.',
  })
  async stopWaiting(
    @Arg('input', () => StopWaitingInput, { description: 'The conversation.' }) input: StopWaitingInput,
    @Ctx() { viewer, services }: Context,
  ): Promise<StopWaitingPayload> {
    const ref = requireConversationRef(viewer.userId, input.conversationId)
    return { conversation: await stopWaiting(services.store, ref) }
  }

  @Mutation(() => JoinWaitingPayload, {
    nullable: true,
    description:
      'Lets the viewer, who supports, read a conversation for as long as it waits for a person: it takes part as an OBSERVER. `takeOver` makes it a MEMBER for good. Whoever takes part already keeps its part; if a person has taken the conversation over since, that is a CONFLICT. Watchers get `ParticipantsChanged`.',
  })
  async joinWaiting(
    @Arg('input', () => JoinWaitingInput, { description: 'The conversation.' }) input: JoinWaitingInput,
    @Ctx() { viewer, services }: Context,
  ): Promise<JoinWaitingPayload> {
    requireSupporter(viewer)
    const ref = requireConversationRef(viewer.userId, input.conversationId)
    return { conversation: await joinWaiting(services.store, ref, contractLimits.participants) }
  }
}

@Resolver(() => WaitingConversation)
export class WaitingConversationResolver {
  @Query(() => WaitingConversationConnection, {
    nullable: true,
    description:
      'The conversations of all users that wait for a person, for those who support. Whichever waits longest comes first.',
  })
  async waitingConversations(
    @Arg('first', () => Int, { nullable: true, description: 'How many to read; 50 unless given, at most 100.' })
    first: number | null,
    @Arg('after', () => String, { nullable: true, description: 'Only what comes after this cursor.' })
    after: string | null,
    @Ctx() { viewer, services, budget }: Context,
  ): Promise<WaitingConversationConnection> {
    requireSupporter(viewer)
    const { count } = readCount({ first })
    const from = after ? readWaitingCursor('after', after) : null
    return new WaitingConversationConnection(await readWaitingPage(services.store, budget, from, count))
  }

  @FieldResolver(() => ID, { description: "The conversation's `id`, for `joinWaiting` and `takeOver`." })
  conversationId(@Root() { conversation }: Found, @Ctx() { viewer }: Context): string {
    return conversationId(viewer, conversation)
  }

  @FieldResolver(() => String, { description: 'Who owns it.' })
  ownerId(@Root() { conversation }: Found): string {
    return conversation.userId
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: 'How its owner is called, as `Participant.name` says it.',
  })
  async ownerName(@Root() { conversation }: Found, @Ctx() context: Context): Promise<string | null> {
    return (await personOf(context, conversation.userId)).name
  }

  @FieldResolver(() => String, { nullable: true, description: 'Its title.' })
  title(@Root() { conversation }: Found): string | null {
    return conversation.title
  }
}

/** @throws ApiError FORBIDDEN */
export function requireSupporter({ isSupporter }: Viewer): void {
  if (!isSupporter)
    throw forbidden('Only those who support see what waits for a person: the role is colloquy:support in a token.')
}
