import { Arg, Ctx, Field, ID, InputType, Int, Mutation, ObjectType, Resolver } from 'type-graphql'
import { contractLimits } from '../../config.ts'
import { Conversation } from '../../entities/conversation.ts'
import { conversationId } from '../../entities/ids/global-id.ts'
import { ParticipantRole } from '../../entities/participant.ts'
import { badInput } from '../../errors.ts'
import { addParticipant, leaveConversation, removeParticipant } from '../../storage/participant/change-participants.ts'
import type { Context } from '../context.ts'
import { requireConversationRef } from '../input/conversation-id.ts'
import { requireName } from '../input/text-rules.ts'

@InputType({ description: 'What `addParticipant` takes.' })
export class AddParticipantInput {
  @Field(() => ID, { description: 'The conversation.' })
  conversationId!: string

  @Field(() => String, { description: 'The user, by the name that its identity has: 1 to 255 characters.' })
  userId!: string

  @Field(() => ParticipantRole, {
    defaultValue: ParticipantRole.MEMBER,
    description: 'MEMBER or OBSERVER. A participant who has another role gets this one.',
  })
  role!: ParticipantRole

  @Field(() => Int, {
    nullable: true,
    description:
      'The `seq` of the first message that the user shall read: from 1 to `lastSeq` + 1, which is the next message. Of messages before it the user reads nothing. Absent or null: whoever joins reads all, and a participant reads on from where it did. Of a participant, a number replaces the one before.',
  })
  historyFrom?: number | null
}

@ObjectType({ description: 'What `addParticipant` answers.', simpleResolvers: true })
export class AddParticipantPayload {
  @Field(() => Conversation, { description: 'The conversation as it is now.' })
  conversation!: Conversation
}

@InputType({ description: 'What `removeParticipant` takes.' })
export class RemoveParticipantInput {
  @Field(() => ID, { description: 'The conversation.' })
  conversationId!: string

  @Field(() => String, { description: 'The user.' })
  userId!: string
}

@ObjectType({ description: 'What `removeParticipant` answers.', simpleResolvers: true })
export class RemoveParticipantPayload {
  @Field(() => Conversation, { description: 'The conversation as it is now.' })
  conversation!: Conversation
}

@InputType({ description: 'What `leaveConversation` takes.' })
export class LeaveConversationInput {
  @Field(() => ID, { description: 'The conversation.' })
  conversationId!: string
}

@ObjectType({ description: 'What `leaveConversation` answers.', simpleResolvers: true })
export class LeaveConversationPayload {
  @Field(() => ID, { description: 'The `id` that the conversation had. A cache removes the conversation by it.' })
  leftConversationId!: string
}

@Resolver()
export class ParticipantMutationResolver {
  @Mutation(() => AddParticipantPayload, {
    nullable: true,
    description:
      'Lets a user take part in a conversation, with all of its history or with a part of it. Only its owner may. A repeated call changes nothing.',
  })
  async addParticipant(
    @Arg('input', () => AddParticipantInput, { description: 'Who, where, and as what.' }) input: AddParticipantInput,
    @Ctx() context: Context,
  ): Promise<AddParticipantPayload> {
    const ref = requireConversationRef(context.viewer.userId, input.conversationId)
    const { userId, role } = input
    const historyFrom = input.historyFrom ?? null
    requireName('input.userId', userId, contractLimits.userId)
    if (role === 'OWNER') throw badInput('input.role', 'must be MEMBER or OBSERVER: a conversation has one owner.')
    const { store } = context.services
    return { conversation: await addParticipant(store, ref, userId, role, historyFrom, contractLimits.participants) }
  }

  @Mutation(() => RemoveParticipantPayload, {
    nullable: true,
    description:
      'Ends the part that a user takes in a conversation. Only its owner may. The user reaches nothing of it any more, its feeds of the conversation end, and what it wrote stays. If the user takes no part, nothing changes.',
  })
  async removeParticipant(
    @Arg('input', () => RemoveParticipantInput, { description: 'Who, and where.' }) input: RemoveParticipantInput,
    @Ctx() context: Context,
  ): Promise<RemoveParticipantPayload> {
    const ref = requireConversationRef(context.viewer.userId, input.conversationId)
    requireName('input.userId', input.userId, contractLimits.userId)
    return { conversation: await removeParticipant(context.services.store, ref, input.userId) }
  }

  @Mutation(() => LeaveConversationPayload, {
    nullable: true,
    description: 'The viewer leaves a conversation in which it takes part. Its owner cannot leave it.',
  })
  async leaveConversation(
    @Arg('input', () => LeaveConversationInput, { description: 'The conversation.' }) input: LeaveConversationInput,
    @Ctx() context: Context,
  ): Promise<LeaveConversationPayload> {
    const { viewer, services } = context
    const left = await leaveConversation(services.store, requireConversationRef(viewer.userId, input.conversationId))
    return { leftConversationId: conversationId(viewer, left) }
  }
}
