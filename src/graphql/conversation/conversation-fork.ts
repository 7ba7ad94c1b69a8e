import { Arg, Ctx, Field, ID, InputType, Int, Mutation, ObjectType, Resolver } from 'type-graphql'
import { uuidv7 } from 'uuidv7'
import { Conversation } from '../../entities/conversation.ts'
import { GetterField } from '../../entities/getter-field.ts'
import { badInput, conversationNotFound } from '../../errors.ts'
import { forkConversation } from '../../storage/branch/conversation-fork.ts'
import type { Context } from '../context.ts'
import { readConversationId, readNewConversationId } from '../input/conversation-id.ts'
import { ConversationEdge, conversationEdge, conversationEdgeDescription } from '../page/connection.ts'

@InputType({ description: 'What `forkConversation` takes.' })
export class ForkConversationInput {
  @Field(() => ID, { description: 'The conversation to copy.' })
  id!: string

  @Field(() => ID, {
    nullable: true,
    description: 'Your own id for the copy, as in `createConversation`. Absent: a UUIDv7.',
  })
  newId?: string | null

  @Field(() => Int, {
    nullable: true,
    description:
      'The last seq to copy. The active path of the copy ends with it. 0 copies no message. Absent: the copy has all messages and the same active leaf.',
  })
  upToSeq?: number | null
}

@ObjectType({ description: 'What `forkConversation` answers, after the copy is durable.', simpleResolvers: true })
export class ForkConversationPayload {
  @Field(() => Conversation, { description: 'The copy.' })
  conversation!: Conversation

  @GetterField(() => ConversationEdge, { description: conversationEdgeDescription })
  get conversationEdge(): ConversationEdge {
    return conversationEdge(this.conversation)
  }
}

@Resolver()
export class ConversationForkResolver {
  @Mutation(() => ForkConversationPayload, {
    nullable: true,
    description:
      'Copies a conversation as it is now: title, metadata, and the messages of all branches with their seqs, parents, client ids and times. Deleted messages are copied as tombstones. Whoever does not read all messages copies those that it reads, with seqs from 1 on. A call copies at most `MAX_FORK_MESSAGES` messages and `MAX_FORK_BYTES` bytes. If the user has no room for the copy, the error is QUOTA_EXCEEDED. If a message to copy is still streaming, the error is CONFLICT, reason STREAMING, with its `seq`.',
  })
  async forkConversation(
    @Arg('input', () => ForkConversationInput, { description: 'What to copy.' }) input: ForkConversationInput,
    @Ctx() context: Context,
  ): Promise<ForkConversationPayload> {
    const { userId } = context.viewer
    const { store, limits } = context.services
    const from = readConversationId(userId, input.id)
    const to = readNewConversationId(userId, 'input.newId', input.newId ?? uuidv7())
    if ((input.upToSeq ?? 0) < 0) throw badInput('input.upToSeq', 'must not be negative.')
    if (from === null) throw conversationNotFound()
    const conversation = await forkConversation(store, { from, to, upToSeq: input.upToSeq ?? null }, limits)
    return Object.assign(new ForkConversationPayload(), { conversation })
  }
}
