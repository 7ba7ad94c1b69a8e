import { Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, Resolver, registerEnumType } from 'type-graphql'
import { uuidv7 } from 'uuidv7'
import { contractLimits } from '../../config.ts'
import { Conversation } from '../../entities/conversation.ts'
import { GetterField } from '../../entities/getter-field.ts'
import { JsonObject, type JsonRecord } from '../../entities/json.ts'
import { Timestamp } from '../../entities/timestamp.ts'
import { createConversation, deleteConversation, updateConversation } from '../../storage/conversation/conversation.ts'
import { clearConversation } from '../../storage/message/edit.ts'
import type { Context } from '../context.ts'
import { readNewConversationId, requireConversationRef } from '../input/conversation-id.ts'
import { isGiven } from '../input/is-given.ts'
import { requireMetadata } from '../input/json-rules.ts'
import { requireBringer, requirePast } from '../input/past-time.ts'
import { requireLength, requireStorable } from '../input/text-rules.ts'
import { onlyImports } from '../message/given-fields.ts'
import { ConversationEdge, conversationEdge, conversationEdgeDescription } from '../page/connection.ts'

export const IfExists = { FAIL: 'FAIL', RETURN: 'RETURN' } as const
export type IfExists = keyof typeof IfExists
registerEnumType(IfExists, {
  name: 'IfExists',
  description: 'What to do if a conversation with this id exists.',
  valuesConfig: {
    FAIL: { description: 'Refuse with CONFLICT, reason EXISTS.' },
    RETURN: { description: 'Answer the conversation as it is, with `created: false`.' },
  },
})

@InputType({ description: 'What `createConversation` takes.' })
export class CreateConversationInput {
  @Field(() => ID, {
    nullable: true,
    description:
      'Your own id for the conversation, 1 to 128 characters. It must not begin with msg_, usr_, cnv_ or client:. Absent: a UUIDv7.',
  })
  id?: string | null

  @Field(() => String, { nullable: true, description: 'A title to show, at most 1000 characters.' })
  title?: string | null

  @Field(() => JsonObject, {
    nullable: true,
    description: 'Your own data about the conversation, at most 16 KiB as JSON.',
  })
  metadata?: JsonRecord | null

  @Field(() => Timestamp, {
    nullable: true,
    description: `When the conversation was created elsewhere. ${onlyImports} It is also the first \`updatedAt\`, which gives the place in the list. A conversation that exists keeps its own.`,
  })
  createdAt?: string | null

  @Field(() => Boolean, {
    nullable: true,
    description: 'Whether `searchMessages` and `recall` find its messages; true unless given.',
  })
  searchable?: boolean | null

  @Field(() => IfExists, {
    defaultValue: IfExists.FAIL,
    description: 'What to do if a conversation with this id exists.',
  })
  ifExists!: IfExists
}

@ObjectType({ description: 'What `createConversation` answers.', simpleResolvers: true })
export class CreateConversationPayload {
  @Field(() => Conversation, { description: 'The conversation, new or found.' })
  conversation!: Conversation

  @GetterField(() => ConversationEdge, { description: conversationEdgeDescription })
  get conversationEdge(): ConversationEdge {
    return conversationEdge(this.conversation)
  }

  @Field(() => Boolean, { description: 'Whether this call created it.' })
  created!: boolean
}

@InputType({ description: 'What `updateConversation` takes. A field that is absent stays as it is; null clears it.' })
export class UpdateConversationInput {
  @Field(() => ID, { description: 'The conversation.' })
  id!: string

  @Field(() => String, { nullable: true, description: 'A new title, at most 1000 characters.' })
  title?: string | null

  @Field(() => JsonObject, {
    nullable: true,
    description:
      'These keys are merged into the metadata at its top level. After that it may have at most 16 KiB as JSON.',
  })
  metadata?: JsonRecord | null

  @Field(() => Boolean, { nullable: true, description: 'Whether the conversation is archived.' })
  archived?: boolean | null

  @Field(() => Boolean, {
    nullable: true,
    description:
      'Whether `searchMessages` and `recall` find its messages; null is true. false counts at once; with true, messages are found when they are indexed again.',
  })
  searchable?: boolean | null
}

@ObjectType({ description: 'What `updateConversation` answers.', simpleResolvers: true })
export class UpdateConversationPayload {
  @Field(() => Conversation, { description: 'The conversation as it is now.' })
  conversation!: Conversation

  @GetterField(() => ConversationEdge, { description: conversationEdgeDescription })
  get conversationEdge(): ConversationEdge {
    return conversationEdge(this.conversation)
  }
}

@InputType({ description: 'What `deleteConversation` takes.' })
export class DeleteConversationInput {
  @Field(() => ID, { description: 'The conversation.' })
  id!: string
}

@ObjectType({ description: 'What `deleteConversation` answers.', simpleResolvers: true })
export class DeleteConversationPayload {
  @Field(() => ID, { description: 'The `id` that the conversation had. A cache removes the conversation by it.' })
  deletedConversationId!: string
}

@InputType({ description: 'What `clearConversation` takes.' })
export class ClearConversationInput {
  @Field(() => ID, { description: 'The conversation.' })
  id!: string
}

@ObjectType({ description: 'What `clearConversation` answers.', simpleResolvers: true })
export class ClearConversationPayload {
  @Field(() => Conversation, { description: 'The conversation as it is now.' })
  conversation!: Conversation
}

@Resolver()
export class ConversationMutationResolver {
  @Mutation(() => CreateConversationPayload, {
    nullable: true,
    description:
      'Creates a conversation. With `ifExists: RETURN` it answers an existing one instead. If the user has no room for another, the error is QUOTA_EXCEEDED.',
  })
  async createConversation(
    @Arg('input', () => CreateConversationInput, { description: 'The conversation.' }) input: CreateConversationInput,
    @Ctx() context: Context,
  ): Promise<CreateConversationPayload> {
    const to = readNewConversationId(context.viewer.userId, 'input.id', input.id ?? uuidv7())
    requireTitle(input.title)
    requireMetadata('input.metadata', input.metadata ?? {}, context.services.limits)
    if (isGiven(input.createdAt)) {
      requireBringer('input.createdAt', context.viewer)
      requirePast('input.createdAt', input.createdAt)
    }
    const { title = null, metadata, createdAt = null } = input
    const conversation = { to, title, metadata: metadata ?? {}, isSearchable: input.searchable ?? true, createdAt }
    const created = await createConversation(context.services.store, conversation, input.ifExists === IfExists.RETURN)
    return Object.assign(new CreateConversationPayload(), created)
  }

  @Mutation(() => UpdateConversationPayload, {
    nullable: true,
    description: 'Changes a conversation: its title, its metadata, or whether it is archived.',
  })
  async updateConversation(
    @Arg('input', () => UpdateConversationInput, { description: 'The change.' }) input: UpdateConversationInput,
    @Ctx() context: Context,
  ): Promise<UpdateConversationPayload> {
    const ref = requireConversationRef(context.viewer.userId, input.id)
    requireTitle(input.title)
    const { store, limits } = context.services
    const conversation = await updateConversation(store, ref, input, (metadata) => {
      requireMetadata('input.metadata', metadata, limits)
    })
    return Object.assign(new UpdateConversationPayload(), { conversation })
  }

  @Mutation(() => DeleteConversationPayload, {
    nullable: true,
    description: 'Deletes a conversation with all its messages. You may use its id again for a new conversation.',
  })
  async deleteConversation(
    @Arg('input', () => DeleteConversationInput, { description: 'The conversation.' }) input: DeleteConversationInput,
    @Ctx() context: Context,
  ): Promise<DeleteConversationPayload> {
    const { store, eraser } = context.services
    const tombstone = await deleteConversation(store, requireConversationRef(context.viewer.userId, input.id))
    eraser.erase(tombstone)
    return { deletedConversationId: tombstone.id }
  }

  @Mutation(() => ClearConversationPayload, {
    nullable: true,
    description:
      'Deletes every message that the conversation has now, as `deleteMessage` does. The conversation stays, and its next message gets the next seq.',
  })
  async clearConversation(
    @Arg('input', () => ClearConversationInput, { description: 'The conversation.' }) input: ClearConversationInput,
    @Ctx() context: Context,
  ): Promise<ClearConversationPayload> {
    return {
      conversation: await clearConversation(
        context.services.store,
        requireConversationRef(context.viewer.userId, input.id),
      ),
    }
  }
}

function requireTitle(title: string | null | undefined): void {
  if (title === null || title === undefined) return
  requireStorable('input.title', title)
  requireLength('input.title', title, contractLimits.title)
}
