import { Arg, Ctx, Field, ID, InputType, Int, Mutation, ObjectType, Resolver, registerEnumType } from 'type-graphql'
import { contractLimits } from '../../config.ts'
import { Conversation } from '../../entities/conversation.ts'
import { Message } from '../../entities/message.ts'
import { badInput, conversationNotFound, tooLarge } from '../../errors.ts'
import type { Appended } from '../../storage/append/append.ts'
import type { ConversationRef } from '../../storage/conversation/conversation-ref.ts'
import type { Context } from '../context.ts'
import { atMessages } from '../fact-errors.ts'
import { readConversationId, readNewConversationId } from '../input/conversation-id.ts'
import { MessageEdge, messageEdge } from '../page/connection.ts'
import { checkMessage } from './message-check.ts'
import { MessageInput } from './message-input.ts'
import { type NamedParent, readParents } from './message-parent.ts'

export const IfMissing = { FAIL: 'FAIL', CREATE: 'CREATE' } as const
export type IfMissing = keyof typeof IfMissing
registerEnumType(IfMissing, {
  name: 'IfMissing',
  description: 'What to do when there is no conversation of that id.',
  valuesConfig: {
    FAIL: { description: 'Refuse with NOT_FOUND.' },
    CREATE: { description: 'Create it with this append, in one transaction.' },
  },
})

export const OnExisting = { FAIL: 'FAIL', REPLACE: 'REPLACE' } as const
export type OnExisting = keyof typeof OnExisting
registerEnumType(OnExisting, {
  name: 'OnExisting',
  description: 'What to do with a known client id that comes with another payload.',
  valuesConfig: {
    FAIL: { description: 'Refuse all with CONFLICT, reason CLIENT_ID.' },
    REPLACE: {
      description:
        'Edit that message in its place, as saving a whole transcript again needs it; one that was deleted stays so.',
    },
  },
})

@InputType()
export abstract class AppendInput {
  @Field(() => ID, { description: 'The conversation.' })
  conversationId!: string

  @Field(() => IfMissing, { defaultValue: IfMissing.FAIL, description: 'What to do when there is none of that id.' })
  ifMissing!: IfMissing

  @Field(() => Int, {
    nullable: true,
    description:
      "Append only if this is the conversation's last seq, so that two turns at once cannot both win; one that is missing has 0.",
  })
  ifLastSeq?: number | null
}

@InputType({ description: 'What `appendMessage` takes.' })
export class AppendMessageInput extends AppendInput {
  @Field(() => MessageInput, { description: 'The message.' })
  message!: MessageInput
}

@InputType({ description: 'What `appendMessages` takes.' })
export class AppendMessagesInput extends AppendInput {
  @Field(() => OnExisting, {
    defaultValue: OnExisting.FAIL,
    description: 'What to do with a known client id that comes with another payload.',
  })
  onExisting!: OnExisting

  @Field(() => [MessageInput], { description: 'From 1 to 100 messages, in order.' })
  messages!: MessageInput[]
}

@ObjectType({ description: 'What `appendMessage` answers, after the message is durable.', simpleResolvers: true })
export class AppendMessagePayload {
  @Field(() => Message, { description: 'The message as it is stored.' })
  message!: Message

  @Field(() => MessageEdge, { description: 'The message with its cursor.' })
  messageEdge!: MessageEdge

  @Field(() => Conversation, { description: 'Its conversation.' })
  conversation!: Conversation

  @Field(() => Boolean, { description: 'Whether an earlier call with the same client id had stored it.' })
  replayed!: boolean
}

@ObjectType({ description: 'What `appendMessages` answers, after the messages are durable.', simpleResolvers: true })
export class AppendMessagesPayload {
  @Field(() => [Message], { description: 'The messages as they are stored, in the order of the input.' })
  messages!: Message[]

  @Field(() => [MessageEdge], { description: 'The messages with their cursors.' })
  messageEdges!: MessageEdge[]

  @Field(() => Conversation, { description: 'Their conversation.' })
  conversation!: Conversation

  @Field(() => [Boolean], { description: 'Of each, whether an earlier call with the same client id had stored it.' })
  replayed!: boolean[]
}

@Resolver()
export class MessageMutationResolver {
  @Mutation(() => AppendMessagePayload, { description: 'Appends one message; answered once it is durable.' })
  async appendMessage(
    @Arg('input', () => AppendMessageInput, { description: 'Where to, and the message.' }) input: AppendMessageInput,
    @Ctx() context: Context,
  ): Promise<AppendMessagePayload> {
    const message = checkMessage('input.message', input.message, context.services.limits)
    const { conversation, messages, replayed } = await append(context, input, OnExisting.FAIL, [
      { message, path: 'input.message', parentId: input.message.parentId },
    ])
    const stored = messages[0] as Message
    return {
      message: stored,
      get messageEdge() {
        return messageEdge(stored)
      },
      conversation,
      replayed: replayed[0] === true,
    }
  }

  @Mutation(() => AppendMessagesPayload, {
    description:
      'Appends up to 100 messages in one transaction: all of them, or none. Those that are known by client id are replayed.',
  })
  async appendMessages(
    @Arg('input', () => AppendMessagesInput, { description: 'Where to, and the messages.' }) input: AppendMessagesInput,
    @Ctx() context: Context,
  ): Promise<AppendMessagesPayload> {
    const count = input.messages.length
    if (count === 0) throw badInput('input.messages', 'needs at least one message.')
    if (count > contractLimits.batch) throw tooLarge('input.messages', 'items', contractLimits.batch, count)
    const messages = input.messages.map((message, index) => ({
      message: checkMessage(`input.messages[${index}]`, message, context.services.limits),
      path: `input.messages[${index}]`,
      parentId: message.parentId,
    }))
    const appended = await append(context, input, input.onExisting, messages)
    return {
      ...appended,
      get messageEdges() {
        return appended.messages.map(messageEdge)
      },
    }
  }
}

async function append(
  context: Context,
  input: AppendInput,
  onExisting: OnExisting,
  named: readonly (NamedParent & { readonly path: string })[],
): Promise<Appended> {
  requireIfLastSeq(input)
  const createIfMissing = input.ifMissing === IfMissing.CREATE
  const appended = context.services.appender.append({
    to: readTarget(context.viewer.userId, input.conversationId, createIfMissing),
    createIfMissing,
    ifLastSeq: input.ifLastSeq ?? null,
    onExisting,
    messages: named.map(({ message }) => message),
    parents: readParents(context.viewer.userId, named),
  })
  return appended.catch(atMessages(named.map(({ path }) => path)))
}

/** @throws ApiError BAD_USER_INPUT */
export function requireIfLastSeq({ ifLastSeq }: AppendInput): void {
  if ((ifLastSeq ?? 0) < 0) throw badInput('input.ifLastSeq', 'must not be negative.')
}

/** The conversation that an append names. @throws ApiError when it can be neither found nor created */
export function readTarget(userId: string, id: string, createIfMissing: boolean): ConversationRef {
  const ref = readConversationId(userId, id)
  if (ref !== null && (ref.id === null || !createIfMissing)) return ref
  if (!createIfMissing) throw conversationNotFound()
  return readNewConversationId(userId, 'input.conversationId', id)
}
