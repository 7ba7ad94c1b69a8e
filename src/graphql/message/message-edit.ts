import { Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, Resolver } from 'type-graphql'
import { Conversation } from '../../entities/conversation.ts'
import { Message } from '../../entities/message/message.ts'
import { badInput, messageNotFound } from '../../errors.ts'
import { deleteMessage, editMessage, type MessageRef, refOf } from '../../storage/message/edit.ts'
import type { GivenMessage } from '../../storage/message/given-message.ts'
import type { Context } from '../context.ts'
import { readConversationId } from '../input/conversation-id.ts'
import { isGiven } from '../input/is-given.ts'
import { readMessageId } from '../input/message-id.ts'
import { isStorable } from '../input/text-rules.ts'
import { givenFields } from './given-fields.ts'
import { checkMessage } from './message-check.ts'

@InputType()
abstract class MessageAddress {
  @Field(() => ID, {
    nullable: true,
    description: 'The message. Give either this, or `conversationId` and `clientId`.',
  })
  messageId?: string | null

  @Field(() => ID, {
    nullable: true,
    description: 'The conversation of the message. Give it together with `clientId`.',
  })
  conversationId?: string | null

  @Field(() => String, {
    nullable: true,
    description: "The caller's own id for the message. Give it together with `conversationId`.",
  })
  clientId?: string | null
}

@InputType({ description: 'What `editMessage` takes. A field that is absent stays as it is; null clears it.' })
export class EditMessageInput extends givenFields<'edit', MessageAddress>('edit', MessageAddress) {
  @Field(() => String, {
    nullable: true,
    description: 'Edit only if the message has this `revision`. Otherwise the error is CONFLICT, reason REVISION.',
  })
  ifRevision?: string | null
}

@ObjectType({ description: 'What `editMessage` answers, after the change is durable.', simpleResolvers: true })
export class EditMessagePayload {
  @Field(() => Message, { description: 'The message as it is now.' })
  message!: Message

  @Field(() => Conversation, { description: 'The conversation of the message.' })
  conversation!: Conversation
}

@InputType({ description: 'What `deleteMessage` takes.' })
export class DeleteMessageInput extends MessageAddress {}

@ObjectType({ description: 'What `deleteMessage` answers, after the change is durable.', simpleResolvers: true })
export class DeleteMessagePayload {
  @Field(() => Message, {
    description: 'The tombstone: the message with its place and its times, without its content.',
  })
  message!: Message

  @Field(() => Conversation, { description: 'The conversation of the message.' })
  conversation!: Conversation
}

@Resolver()
export class MessageEditResolver {
  @Mutation(() => EditMessagePayload, {
    nullable: true,
    description:
      'Changes a message in its place. Watchers get the new state. If the message grows and the user has no room for that, the error is QUOTA_EXCEEDED.',
  })
  async editMessage(
    @Arg('input', () => EditMessageInput, { description: 'The message and the change.' }) input: EditMessageInput,
    @Ctx() context: Context,
  ): Promise<EditMessagePayload> {
    const { store, limits } = context.services
    const ref = readAddress(context.viewer.userId, input)
    // A completed message may be larger than an edit may make it, and still be edited.
    const check = (given: GivenMessage, { size }: Message) =>
      checkMessage('input', given, { ...limits, messageBytes: Math.max(limits.messageBytes, size) })
    const message = await editMessage(store, ref, input.ifRevision ?? null, input, check)
    return { message, conversation: message.conversation }
  }

  @Mutation(() => DeleteMessagePayload, {
    nullable: true,
    description:
      'Deletes a message. Its content, parts, tool calls and metadata are deleted for good. Its place stays.',
  })
  async deleteMessage(
    @Arg('input', () => DeleteMessageInput, { description: 'The message.' }) input: DeleteMessageInput,
    @Ctx() context: Context,
  ): Promise<DeleteMessagePayload> {
    const message = await deleteMessage(context.services.store, readAddress(context.viewer.userId, input))
    return { message, conversation: message.conversation }
  }
}

/** @throws ApiError BAD_USER_INPUT unless there is exactly one address; NOT_FOUND if the address can name no message */
function readAddress(userId: string, { messageId, conversationId, clientId }: MessageAddress): MessageRef {
  const hasPair = isGiven(conversationId) && isGiven(clientId)
  const hasHalf = isGiven(conversationId) !== isGiven(clientId)
  if (hasHalf || hasPair === isGiven(messageId)) {
    throw badInput('input', 'name the message by messageId, or by conversationId and clientId.')
  }
  if (isGiven(messageId)) return refOf(userId, readMessageId(messageId))
  const conversation = readConversationId(userId, conversationId ?? '')
  if (conversation === null || !isStorable(clientId ?? '')) throw messageNotFound()
  return { conversation, message: { clientId: clientId ?? '' } }
}
