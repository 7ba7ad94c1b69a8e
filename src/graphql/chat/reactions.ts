import { Arg, Ctx, Field, FieldResolver, ID, InputType, Int, Mutation, ObjectType, Resolver, Root } from 'type-graphql'
import { contractLimits } from '../../config.ts'
import { Message } from '../../entities/message/message.ts'
import { badInput, tooLarge } from '../../errors.ts'
import { addReaction, type Reactions, removeReaction } from '../../storage/chat/reactions.ts'
import { refOf } from '../../storage/message/edit.ts'
import type { Context } from '../context.ts'
import { readMessageId } from '../input/message-id.ts'

@InputType({ description: 'What `addReaction` takes.' })
export class AddReactionInput {
  @Field(() => ID, { description: 'The message.' })
  messageId!: string

  @Field(() => String, {
    description:
      'One emoji, of any skin tone, and of flags any; in the form that Unicode recommends (RGI): for example a red heart with U+FE0F.',
  })
  emoji!: string
}

@ObjectType({ description: 'What `addReaction` answers, after the change is durable.', simpleResolvers: true })
export class AddReactionPayload {
  @Field(() => Message, { description: 'The message as it is now.' })
  message!: Message
}

@InputType({ description: 'What `removeReaction` takes.' })
export class RemoveReactionInput {
  @Field(() => ID, { description: 'The message.' })
  messageId!: string

  @Field(() => String, { description: 'The emoji.' })
  emoji!: string
}

@ObjectType({ description: 'What `removeReaction` answers, after the change is durable.', simpleResolvers: true })
export class RemoveReactionPayload {
  @Field(() => Message, { description: 'The message as it is now.' })
  message!: Message
}

@ObjectType({ description: 'The users who put one emoji on a message.', simpleResolvers: true })
export class MessageReactions implements Reactions {
  @Field(() => String, { description: 'The emoji.' })
  emoji!: string

  @Field(() => Int, { description: 'How many users.' })
  count!: number

  @Field(() => Boolean, { description: 'Whether the viewer is one of them.' })
  viewerReacted!: boolean
}

@Resolver(() => Message)
export class ReactionsResolver {
  @FieldResolver(() => [MessageReactions], {
    nullable: true,
    description:
      'The emojis that users put on this message, in the order of their first use. A deleted message has none.',
  })
  reactions(@Root() message: Message, @Ctx() context: Context): Promise<Reactions[]> {
    return context.loaders.reactions.load(message)
  }

  @Mutation(() => AddReactionPayload, {
    nullable: true,
    description: `Puts an emoji of the viewer on a message. A repeated call changes nothing. A message has at most ${contractLimits.emojis} different emojis. Watchers get \`MessageUpdated\`.`,
  })
  async addReaction(
    @Arg('input', () => AddReactionInput, { description: 'The message and the emoji.' }) input: AddReactionInput,
    @Ctx() context: Context,
  ): Promise<AddReactionPayload> {
    requireEmoji('input.emoji', input.emoji)
    const ref = refOf(context.viewer.userId, readMessageId(input.messageId))
    return { message: await addReaction(context.services.store, ref, input.emoji, contractLimits.emojis) }
  }

  @Mutation(() => RemoveReactionPayload, {
    nullable: true,
    description:
      'Takes an emoji of the viewer away from a message. If it is not there, nothing changes. Watchers get `MessageUpdated`.',
  })
  async removeReaction(
    @Arg('input', () => RemoveReactionInput, { description: 'The message and the emoji.' }) input: RemoveReactionInput,
    @Ctx() context: Context,
  ): Promise<RemoveReactionPayload> {
    requireEmoji('input.emoji', input.emoji)
    const ref = refOf(context.viewer.userId, readMessageId(input.messageId))
    return { message: await removeReaction(context.services.store, ref, input.emoji) }
  }
}

/** The emojis that Unicode recommends for interchange (UTS #51, ED-27), as this Node knows them. */
// biome-ignore lint/complexity/useRegexLiterals: TypeScript refuses the flag in a literal.
const oneEmoji = new RegExp(String.raw`^\p{RGI_Emoji}$`, 'v')

/** @throws ApiError BAD_USER_INPUT, PAYLOAD_TOO_LARGE */
function requireEmoji(path: string, text: string): void {
  const bytes = Buffer.byteLength(text)
  if (bytes > contractLimits.emojiBytes) throw tooLarge(path, 'bytes', contractLimits.emojiBytes, bytes)
  if (!oneEmoji.test(text)) throw badInput(path, 'must be one emoji, in the form that Unicode recommends.')
}
