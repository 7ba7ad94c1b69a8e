import type { GraphQLResolveInfo } from 'graphql'
import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  Info,
  InputType,
  Mutation,
  ObjectType,
  Resolver,
  Root,
  registerEnumType,
} from 'type-graphql'
import { contractLimits } from '../../config.ts'
import { Conversation } from '../../entities/conversation.ts'
import { GetterField } from '../../entities/getter-field.ts'
import { Message } from '../../entities/message/message.ts'
import { badInput, tooLarge } from '../../errors.ts'
import type { Appended } from '../../storage/append/append.ts'
import type { Context } from '../context.ts'
import { atMessages } from '../fact-errors.ts'
import {
  ConversationEdge,
  conversationEdge,
  conversationEdgeDescription,
  MessageEdge,
  messageEdge,
} from '../page/connection.ts'
import { AppendInput, readMessage, readMessages, toAppend } from './append-input.ts'
import { changedSiblings, changedSiblingsOf } from './changed-siblings.ts'
import { MessageInput } from './message-input.ts'
import type { CheckedMessage } from './message-parent.ts'

export const OnExisting = { FAIL: 'FAIL', REPLACE: 'REPLACE' } as const
export type OnExisting = keyof typeof OnExisting
registerEnumType(OnExisting, {
  name: 'OnExisting',
  description: 'What to do if a client id is known with another payload.',
  valuesConfig: {
    FAIL: { description: 'Refuse the whole call with CONFLICT, reason CLIENT_ID.' },
    REPLACE: {
      description:
        'Edit the stored message in its place. Use this to save a whole transcript again. A deleted message stays deleted.',
    },
  },
})

@InputType({ description: 'What `appendMessage` takes.' })
export class AppendMessageInput extends AppendInput {
  @Field(() => MessageInput, { description: 'The message.' })
  message!: MessageInput
}

@InputType({ description: 'What `appendMessages` takes.' })
export class AppendMessagesInput extends AppendInput {
  @Field(() => OnExisting, {
    defaultValue: OnExisting.FAIL,
    description: 'What to do if a client id is known with another payload.',
  })
  onExisting!: OnExisting

  @Field(() => [MessageInput], { description: 'From 1 to 100 messages, in order.' })
  messages!: MessageInput[]
}

@ObjectType({ description: 'What `appendMessage` answers, after the message is durable.', simpleResolvers: true })
export class AppendMessagePayload {
  @Field(() => Message, { description: 'The message as it is stored.' })
  message!: Message

  @GetterField(() => MessageEdge, { description: 'The message with its cursor.' })
  get messageEdge(): MessageEdge {
    return messageEdge(this.message)
  }

  @Field(() => Conversation, { description: 'The conversation of the message.' })
  conversation!: Conversation

  @GetterField(() => ConversationEdge, { description: conversationEdgeDescription })
  get conversationEdge(): ConversationEdge {
    return conversationEdge(this.conversation)
  }

  @Field(() => Boolean, { description: 'Whether an earlier call with the same client id stored the message.' })
  replayed!: boolean
}

@ObjectType({ description: 'What `appendMessages` answers, after the messages are durable.', simpleResolvers: true })
export class AppendMessagesPayload {
  @Field(() => [Message], { description: 'The messages as they are stored, in the order of the input.' })
  messages!: Message[]

  @GetterField(() => [MessageEdge], { description: 'The messages with their cursors.' })
  get messageEdges(): MessageEdge[] {
    return this.messages.map(messageEdge)
  }

  @Field(() => Conversation, { description: 'The conversation of the messages.' })
  conversation!: Conversation

  @GetterField(() => ConversationEdge, { description: conversationEdgeDescription })
  get conversationEdge(): ConversationEdge {
    return conversationEdge(this.conversation)
  }

  @Field(() => [Boolean], {
    description: 'For each message: whether an earlier call with the same client id stored it.',
  })
  replayed!: boolean[]
}

@Resolver()
export class MessageMutationResolver {
  @Mutation(() => AppendMessagePayload, {
    nullable: true,
    description:
      'Appends one message. The answer comes after the message is durable. If the user has no room for it, the error is QUOTA_EXCEEDED.',
  })
  async appendMessage(
    @Arg('input', () => AppendMessageInput, { description: 'The conversation and the message.' })
    input: AppendMessageInput,
    @Ctx() context: Context,
  ): Promise<AppendMessagePayload> {
    const checked = readMessage('input.message', input.message, context.services.limits)
    const { conversation, messages, replayed } = await append(context, input, OnExisting.FAIL, [checked])
    const message = messages[0] as Message
    return Object.assign(new AppendMessagePayload(), { message, conversation, replayed: replayed[0] === true })
  }

  @Mutation(() => AppendMessagesPayload, {
    nullable: true,
    description:
      'Appends up to 100 messages in one transaction: all of them, or none. Messages with a known client id are replayed. If the user has no room for the others, the error is QUOTA_EXCEEDED.',
  })
  async appendMessages(
    @Arg('input', () => AppendMessagesInput, { description: 'The conversation and the messages.' })
    input: AppendMessagesInput,
    @Ctx() context: Context,
  ): Promise<AppendMessagesPayload> {
    const count = input.messages.length
    if (count === 0) throw badInput('input.messages', 'needs at least one message.')
    if (count > contractLimits.batch) throw tooLarge('input.messages', 'items', contractLimits.batch, count)
    const checked = await readMessages(input.messages, context.services.limits)
    return Object.assign(new AppendMessagesPayload(), await append(context, input, input.onExisting, checked))
  }
}

@Resolver(() => AppendMessagePayload)
export class AppendMessagePayloadResolver {
  @FieldResolver(() => [Message], { nullable: true, description: changedSiblingsOf('the message') })
  changedSiblings(
    @Root() { message }: AppendMessagePayload,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Message[]> {
    return changedSiblings([message], context, info)
  }
}

@Resolver(() => AppendMessagesPayload)
export class AppendMessagesPayloadResolver {
  @FieldResolver(() => [Message], { nullable: true, description: changedSiblingsOf('the messages') })
  changedSiblings(
    @Root() { messages }: AppendMessagesPayload,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Message[]> {
    return changedSiblings(messages, context, info)
  }
}

function append(
  { services, viewer }: Context,
  input: AppendInput,
  onExisting: OnExisting,
  checked: readonly CheckedMessage[],
): Promise<Appended> {
  const appended = services.appender.append({ ...toAppend(viewer, input, checked), onExisting })
  return appended.catch(atMessages(checked))
}
