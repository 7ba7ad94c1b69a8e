import { Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, Resolver } from 'type-graphql'
import { contractLimits } from '../../config.ts'
import { Conversation } from '../../entities/conversation.ts'
import { handBack, takeOver } from '../../storage/stream/take-over.ts'
import type { Context } from '../context.ts'
import { requireConversationRef } from '../input/conversation-id.ts'

@InputType({ description: 'What `takeOver` takes.' })
export class TakeOverInput {
  @Field(() => ID, { description: 'The conversation.' })
  conversationId!: string
}

@ObjectType({ description: 'What `takeOver` answers, after the change is durable.', simpleResolvers: true })
export class TakeOverPayload {
  @Field(() => Conversation, { description: 'The conversation as it is now.' })
  conversation!: Conversation
}

@InputType({ description: 'What `handBack` takes.' })
export class HandBackInput {
  @Field(() => ID, { description: 'The conversation.' })
  conversationId!: string
}

@ObjectType({ description: 'What `handBack` answers, after the change is durable.', simpleResolvers: true })
export class HandBackPayload {
  @Field(() => Conversation, { description: 'The conversation as it is now.' })
  conversation!: Conversation
}

@Resolver()
export class TakeOverResolver {
  @Mutation(() => TakeOverPayload, {
    nullable: true,
    description:
      'Gives a conversation to the viewer: until `handBack`, agents begin no turns in it, and messages that stream are asked to stop. A repeated call changes nothing; if another user has it, that is a CONFLICT. Whoever supports becomes a MEMBER of a conversation that waits for a person, and it waits no more. Watchers get `ConversationUpdated`.',
  })
  async takeOver(
    @Arg('input', () => TakeOverInput, { description: 'The conversation.' }) input: TakeOverInput,
    @Ctx() { viewer, services }: Context,
  ): Promise<TakeOverPayload> {
    const ref = requireConversationRef(viewer.userId, input.conversationId)
    const most = viewer.isSupporter ? contractLimits.participants : null
    return { conversation: await takeOver(services.store, ref, most) }
  }

  @Mutation(() => HandBackPayload, {
    nullable: true,
    description:
      'Gives a conversation back to agents. The user who has it may do so, and the owner. If nobody has it, nothing changes. Watchers get `ConversationUpdated`.',
  })
  async handBack(
    @Arg('input', () => HandBackInput, { description: 'The conversation.' }) input: HandBackInput,
    @Ctx() { viewer, services }: Context,
  ): Promise<HandBackPayload> {
    return { conversation: await handBack(services.store, requireConversationRef(viewer.userId, input.conversationId)) }
  }
}
