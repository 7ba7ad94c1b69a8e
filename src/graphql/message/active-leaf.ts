import { Arg, Ctx, Field, ID, InputType, Mutation, ObjectType, Resolver } from 'type-graphql'
import { Conversation } from '../../entities/conversation.ts'
import { Message } from '../../entities/message/message.ts'
import { setActiveLeaf } from '../../storage/branch/active-leaf.ts'
import { refOf } from '../../storage/message/edit.ts'
import type { Context } from '../context.ts'
import { readMessageId } from '../input/message-id.ts'

@InputType({ description: 'What `setActiveLeaf` takes.' })
export class SetActiveLeafInput {
  @Field(() => ID, { description: 'The message with which the active path must end.' })
  messageId!: string

  @Field(() => Boolean, {
    defaultValue: false,
    description:
      'true: the conversation keeps its `updatedAt`, and so its place in the list. An import chooses the leaf in this way.',
  })
  keepPlace!: boolean
}

@ObjectType({ description: 'What `setActiveLeaf` answers, after the change is durable.', simpleResolvers: true })
export class SetActiveLeafPayload {
  @Field(() => Conversation, { description: 'The conversation as it is now.' })
  conversation!: Conversation

  @Field(() => Message, { description: 'The message. The next append without a `parentId` continues it.' })
  message!: Message
}

@Resolver()
export class ActiveLeafResolver {
  @Mutation(() => SetActiveLeafPayload, {
    nullable: true,
    description:
      'Chooses the active path: the path that ends with this message, even if it is deleted. `history` shows this path, and appends continue it. Watchers get `ConversationUpdated`. The next append makes its own message the leaf.',
  })
  async setActiveLeaf(
    @Arg('input', () => SetActiveLeafInput, { description: 'The message.' }) input: SetActiveLeafInput,
    @Ctx() context: Context,
  ): Promise<SetActiveLeafPayload> {
    const ref = refOf(context.viewer.userId, readMessageId(input.messageId))
    const message = await setActiveLeaf(context.services.store, ref, input.keepPlace)
    return { conversation: message.conversation, message }
  }
}
