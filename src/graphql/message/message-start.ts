import type { GraphQLResolveInfo } from 'graphql'
import {
  Arg,
  Ctx,
  Field,
  FieldResolver,
  ID,
  Info,
  InputType,
  Int,
  Mutation,
  ObjectType,
  Resolver,
  Root,
} from 'type-graphql'
import { contractLimits, type Limits } from '../../config.ts'
import { Conversation } from '../../entities/conversation.ts'
import { GetterField } from '../../entities/getter-field.ts'
import { JsonObject, type JsonRecord } from '../../entities/json.ts'
import { Message } from '../../entities/message/message.ts'
import { MessageRole, MessageStatus } from '../../entities/message/message-enums.ts'
import { badInput, tooLarge } from '../../errors.ts'
import { startMessage } from '../../storage/stream/stream-start.ts'
import type { Context } from '../context.ts'
import { atMessages } from '../fact-errors.ts'
import {
  ConversationEdge,
  conversationEdge,
  conversationEdgeDescription,
  MessageEdge,
  messageEdge,
} from '../page/connection.ts'
import { AppendInput, readMessages, toAppend } from './append-input.ts'
import { changedSiblings, changedSiblingsOf } from './changed-siblings.ts'
import { checkMessage } from './message-check.ts'
import { MessageInput } from './message-input.ts'
import { readLinks, withReplySeq } from './message-links.ts'
import type { CheckedMessage } from './message-parent.ts'

@InputType({ description: 'What `startMessage` takes.' })
export class StartMessageInput extends AppendInput {
  @Field(() => [MessageInput], {
    nullable: true,
    description:
      "Messages to store before this one in the same transaction, at most 99: the user's message, or the results of tools.",
  })
  messages?: MessageInput[] | null

  @Field(() => MessageRole, { defaultValue: MessageRole.ASSISTANT, description: 'Who speaks.' })
  role!: MessageRole

  @Field(() => String, { nullable: true, description: 'The name of the speaker, at most 255 characters.' })
  name?: string | null

  @Field(() => String, { nullable: true, description: 'The model that writes the message.' })
  model?: string | null

  @Field(() => String, {
    nullable: true,
    description: "The caller's own id for the message. It makes this call safe to retry.",
  })
  clientId?: string | null

  @Field(() => JsonObject, {
    nullable: true,
    description: "The caller's own data about the message, at most 16 KiB as JSON.",
  })
  metadata?: JsonRecord | null

  @Field(() => ID, {
    nullable: true,
    description:
      'The message that this message continues, as in `MessageInput.parentId`. Without a parent it continues the last of `messages`; without `messages`, the active leaf.',
  })
  parentId?: string | null

  @Field(() => ID, {
    nullable: true,
    description: 'Instead of `parentId`: the `clientId` of that message, which may be one of `messages`.',
  })
  parentClientId?: string | null

  @Field(() => ID, {
    nullable: true,
    description: 'The message to which this one replies, as in `MessageInput.replyTo`.',
  })
  replyTo?: string | null

  @Field(() => [ID], {
    nullable: true,
    description: 'The users whom this message mentions, as in `MessageInput.mentions`.',
  })
  mentions?: string[] | null

  @Field(() => Int, {
    defaultValue: contractLimits.defaultStreamSeconds,
    description:
      'How many seconds the producer may give no sign of life, from 1 to 3600. After that the message is FAILED, with the error PRODUCER_GONE.',
  })
  timeoutSeconds!: number
}

@ObjectType({ description: 'What `startMessage` answers, after all messages are durable.', simpleResolvers: true })
export class StartMessagePayload {
  @Field(() => Message, { description: 'The message that streams.' })
  message!: Message

  @Field(() => [MessageEdge], {
    description: 'All messages of this call, in order. The last one is the message that streams.',
  })
  messageEdges!: MessageEdge[]

  @Field(() => Conversation, { description: 'The conversation of the message.' })
  conversation!: Conversation

  @GetterField(() => ConversationEdge, { description: conversationEdgeDescription })
  get conversationEdge(): ConversationEdge {
    return conversationEdge(this.conversation)
  }

  @Field(() => Int, { description: 'The attempt to write with; 0 if the message is replayed and streams no more.' })
  attempt!: number

  @Field(() => Boolean, { description: 'Whether an earlier call with the same client id started the message.' })
  replayed!: boolean
}

@Resolver()
export class MessageStartResolver {
  @Mutation(() => StartMessagePayload, {
    nullable: true,
    description:
      'Stores messages and starts one that streams, in one transaction. The answer comes after all of them are durable. If the user has no room for them, the error is QUOTA_EXCEEDED.',
  })
  async startMessage(
    @Arg('input', () => StartMessageInput, { description: 'The conversation and the message.' })
    input: StartMessageInput,
    @Ctx() context: Context,
  ): Promise<StartMessagePayload> {
    const { store, limits } = context.services
    const { timeoutSeconds } = input
    if (timeoutSeconds < 1 || timeoutSeconds > contractLimits.streamSeconds) {
      throw badInput('input.timeoutSeconds', `must be from 1 to ${contractLimits.streamSeconds}.`)
    }
    const before = input.messages ?? []
    if (before.length >= contractLimits.batch) {
      throw tooLarge('input.messages', 'items', contractLimits.batch - 1, before.length)
    }
    const checked = [...(await readMessages(before, limits)), readStart(input, limits)]
    const append = toAppend(context.viewer, input, checked)
    const started = startMessage(store, append, timeoutSeconds)
    const { messages, conversation, replayed, message, attempt } = await started.catch(atMessages(checked))
    const isReplay = replayed.at(-1) === true
    const messageEdges = messages.map(messageEdge)
    return Object.assign(new StartMessagePayload(), {
      message,
      messageEdges,
      conversation,
      attempt,
      replayed: isReplay,
    })
  }
}

@Resolver(() => StartMessagePayload)
export class StartMessagePayloadResolver {
  @FieldResolver(() => [Message], { nullable: true, description: changedSiblingsOf('the messages of this call') })
  changedSiblings(
    @Root() { messageEdges }: StartMessagePayload,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Message[]> {
    return changedSiblings(
      messageEdges.map(({ node }) => node),
      context,
      info,
    )
  }
}

/** A message without contents yet. It is checked as a message with an empty text. */
function readStart(input: StartMessageInput, limits: Limits): CheckedMessage {
  const { role, name, model, clientId, metadata, parentId, parentClientId, replyTo, mentions } = input
  if (role === 'TOOL') throw badInput('input.role', 'a tool result does not stream.')
  const links = readLinks('input', input)
  const said = { role, name, model, clientId, metadata, parentId, parentClientId, replyTo, mentions, content: '' }
  const given = withReplySeq(said, links)
  const message = { ...checkMessage('input', given, limits), content: null, status: MessageStatus.STREAMING }
  return { message, path: 'input', given, links }
}
