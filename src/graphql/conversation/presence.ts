import { Arg, Ctx, Field, FieldResolver, ID, InputType, Int, Mutation, ObjectType, Resolver, Root } from 'type-graphql'
import { contractLimits } from '../../config.ts'
import { Conversation } from '../../entities/conversation.ts'
import { conversationNotFound } from '../../errors.ts'
import { type Present, readPresent } from '../../live/people/people-states.ts'
import { findConversation } from '../../storage/conversation/conversation.ts'
import { requireWriter } from '../../storage/participant/taking-part.ts'
import type { Context } from '../context.ts'
import { requireConversationRef } from '../input/conversation-id.ts'

@ObjectType({ description: 'Who has a feed of a conversation open.', simpleResolvers: true })
export class PresentUsers implements Present {
  @Field(() => Int, { description: 'How many of those who take part.' })
  count!: number

  @Field(() => [String], {
    description: `The users, by id. Empty if there are more than ${contractLimits.namedPeople} of them.`,
  })
  userIds!: readonly string[]
}

@InputType({ description: 'What `setTyping` takes.' })
export class SetTypingInput {
  @Field(() => ID, { description: 'The conversation.' })
  conversationId!: string

  @Field(() => Boolean, { description: 'Whether the viewer types.' })
  isTyping!: boolean
}

@ObjectType({ description: 'What `setTyping` answers.', simpleResolvers: true })
export class SetTypingPayload {
  @Field(() => Conversation, { description: 'The conversation, in which nothing has changed.' })
  conversation!: Conversation
}

@Resolver(() => Conversation)
export class PresenceResolver {
  @FieldResolver(() => PresentUsers, {
    nullable: true,
    description:
      'Who has a feed of `conversationEvents` of this conversation open, as far as this server knows. null: nobody has one on this server, so it does not know, or nobody but the owner ever took part.',
  })
  present(@Root() conversation: Conversation, @Ctx() { services }: Context): Promise<Present | null> {
    return readPresent(services.store, services.people, conversation)
  }

  @Mutation(() => SetTypingPayload, {
    nullable: true,
    description:
      'Tells the others in a conversation that the viewer types, or does so no more, by `TypingChanged`. Whoever goes on typing repeats the call every 3 seconds: without it the typing ends after 10 at most, on every server. A message of the viewer ends it too. Nothing is stored. Who may not append gets FORBIDDEN.',
  })
  async setTyping(
    @Arg('input', () => SetTypingInput, { description: 'Where, and whether.' }) input: SetTypingInput,
    @Ctx() context: Context,
  ): Promise<SetTypingPayload> {
    const { viewer, services } = context
    const { store, people } = services
    const conversation = await findConversation(store, requireConversationRef(viewer.userId, input.conversationId))
    if (conversation === null) throw conversationNotFound()
    await requireWriter(store.reads, conversation, viewer.userId)
    const { key, lastSeq, participantsRevision } = conversation
    const isAlone = participantsRevision === null
    if (!isAlone && input.isTyping) people.types(key, viewer.userId, viewer.author.kind, lastSeq)
    else if (!isAlone) people.typesNoMore(key, viewer.userId)
    return { conversation }
  }
}
