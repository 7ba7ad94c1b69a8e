import {
  Arg,
  Args,
  ArgsType,
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
import { contractLimits } from '../../config.ts'
import { conversationId, messageId } from '../../entities/ids/global-id.ts'
import { placeHead } from '../../entities/ids/place.ts'
import { Message } from '../../entities/message/message.ts'
import { FeedbackRating } from '../../entities/message/message-feedback.ts'
import { Timestamp } from '../../entities/timestamp.ts'
import { badInput, tooLarge } from '../../errors.ts'
import { type Feedback, type GivenFeedback, setFeedback } from '../../storage/chat/feedback.ts'
import { readFeedback } from '../../storage/chat/feedback-page.ts'
import { refOf } from '../../storage/message/edit.ts'
import type { Context } from '../context.ts'
import { isGiven } from '../input/is-given.ts'
import { readMessageId } from '../input/message-id.ts'
import { requireStorable } from '../input/text-rules.ts'
import { readCount } from '../page/page-args.ts'
import { FeedbackConnection, MessageFeedback, readFeedbackCursor } from './feedback-connection.ts'

@InputType({ description: 'What `setFeedback` takes. It replaces all that the viewer said of the message before.' })
export class SetFeedbackInput {
  @Field(() => ID, { description: 'The message. An assistant wrote it.' })
  messageId!: string

  @Field(() => FeedbackRating, { nullable: true, description: 'null takes the feedback back.' })
  rating?: FeedbackRating | null

  @Field(() => String, {
    nullable: true,
    description: `Why, in a word for programs; at most ${contractLimits.feedbackReasonBytes} bytes.`,
  })
  reason?: string | null

  @Field(() => String, {
    nullable: true,
    description: `Why, in words for people; at most ${contractLimits.feedbackCommentBytes} bytes.`,
  })
  comment?: string | null
}

@ObjectType({ description: 'What `setFeedback` answers, after the change is durable.', simpleResolvers: true })
export class SetFeedbackPayload {
  @Field(() => Message, { description: 'The message, with its `feedback` as it is now.' })
  message!: Message
}

@ArgsType()
export class FeedbackArgs {
  @Field(() => Int, { nullable: true, description: 'How many to read; 50 unless given, at most 100.' })
  first?: number | null

  @Field(() => String, { nullable: true, description: 'Only what comes after this cursor.' })
  after?: string | null

  @Field(() => FeedbackRating, { nullable: true, description: 'Only feedback with this rating.' })
  rating?: FeedbackRating | null

  @Field(() => Timestamp, { nullable: true, description: 'Only feedback that was given at this time or later.' })
  from?: string | null

  @Field(() => Timestamp, { nullable: true, description: 'Only feedback that was given before this time.' })
  to?: string | null
}

@Resolver(() => Message)
export class MessageFeedbackResolver {
  @FieldResolver(() => MessageFeedback, {
    nullable: true,
    description: 'What the viewer said of this message with `setFeedback`; null if it said nothing.',
  })
  feedback(@Root() message: Message, @Ctx() context: Context): Promise<Feedback | null> {
    return context.loaders.feedback.load(message)
  }

  @Mutation(() => SetFeedbackPayload, {
    nullable: true,
    description:
      'Says what the viewer thinks of a message that an assistant wrote. It is no part of the log: nothing moves, and no watcher is told.',
  })
  async setFeedback(
    @Arg('input', () => SetFeedbackInput, { description: 'The message, and what to say of it.' })
    input: SetFeedbackInput,
    @Ctx() context: Context,
  ): Promise<SetFeedbackPayload> {
    const ref = refOf(context.viewer.userId, readMessageId(input.messageId))
    return { message: await setFeedback(context.services.store, ref, readGiven(input)) }
  }
}

@Resolver(() => MessageFeedback)
export class FeedbackResolver {
  @Query(() => FeedbackConnection, {
    nullable: true,
    description:
      "The feedback on messages of the viewer's own conversations, whoever gave it, the newest first. An operator that acts for nobody else gets that of all users.",
  })
  async feedback(
    @Args(() => FeedbackArgs) args: FeedbackArgs,
    @Ctx() { viewer, services, budget }: Context,
  ): Promise<FeedbackConnection> {
    const { count } = readCount({ first: args.first ?? null })
    const [from, to] = [args.from ?? null, args.to ?? null]
    const found = await readFeedback(services.store, budget, {
      ownerId: viewer.isOperator ? null : viewer.userId,
      rating: args.rating ?? null,
      from,
      to,
      after: args.after ? readFeedbackCursor('after', args.after) : null,
      count: count + 1,
    })
    return new FeedbackConnection(found.slice(0, count), {
      hasNext: found.length > count,
      hasPrevious: Boolean(args.after),
    })
  }

  @FieldResolver(() => ID, { description: "The message's `id`." })
  messageId(@Root() { conversation, seq }: Feedback): string {
    return messageId(placeHead(conversation), seq)
  }

  @FieldResolver(() => ID, { description: "The `id` of the message's conversation." })
  conversationId(@Root() { conversation }: Feedback, @Ctx() { viewer }: Context): string {
    return conversationId(viewer, conversation)
  }

  @FieldResolver(() => Message, {
    nullable: true,
    description:
      'The message; null if the viewer takes no part in its conversation. An operator reads it by acting for `ownerId`.',
  })
  message(
    @Root() { conversation: { key, epoch }, seq }: Feedback,
    @Ctx() { loaders }: Context,
  ): Promise<Message | null> {
    return loaders.messageAt.load({ key, epoch, seq })
  }

  @FieldResolver(() => String, { description: 'Who owns the conversation.' })
  ownerId(@Root() { conversation }: Feedback): string {
    return conversation.userId
  }
}

/** What the viewer says; null: nothing any more. @throws ApiError BAD_USER_INPUT, PAYLOAD_TOO_LARGE */
function readGiven({ rating, reason = null, comment = null }: SetFeedbackInput): GivenFeedback | null {
  if (!isGiven(rating)) {
    for (const [name, text] of Object.entries({ reason, comment })) {
      if (text !== null) throw badInput(`input.${name}`, 'needs a rating: without one the feedback is taken back.')
    }
    return null
  }
  requireText('input.reason', reason, contractLimits.feedbackReasonBytes)
  requireText('input.comment', comment, contractLimits.feedbackCommentBytes)
  return { rating, reason, comment }
}

function requireText(path: string, text: string | null, limit: number): void {
  if (text === null) return
  requireStorable(path, text)
  const bytes = Buffer.byteLength(text)
  if (bytes > limit) throw tooLarge(path, 'bytes', limit, bytes)
}
