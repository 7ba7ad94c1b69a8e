import { Ctx, Field, FieldResolver, ID, ObjectType, Resolver, Root } from 'type-graphql'
import { conversationId, messageId } from '../../entities/ids/global-id.ts'
import { Message } from '../../entities/message/message.ts'
import { MessageAuthor } from '../../entities/message/message-author.ts'
import { AuthorKind } from '../../entities/message/message-enums.ts'
import { MessageSiblings } from '../../entities/message/message-siblings.ts'
import { parentSeqOf } from '../../storage/branch/message-siblings.ts'
import { placeIn } from '../../storage/message/message.ts'
import type { Context } from '../context.ts'
import { personOf } from '../person.ts'

@ObjectType({ description: 'A user whom a message mentions.', simpleResolvers: true })
export class MessageMention {
  @Field(() => String, { description: 'The user.' })
  userId!: string
}

@Resolver(() => Message)
export class MessageResolver {
  @FieldResolver(() => ID, { description: "The `id` of the message's conversation." })
  conversationId(@Root() message: Message, @Ctx() context: Context): string {
    return conversationId(context.viewer, message.conversation)
  }

  @FieldResolver(() => MessageAuthor, {
    description: 'Who really wrote it. `role` and `name` are what the caller says; this is what the server knows.',
  })
  author(@Root() { authorId, authorKind, authorName, conversation }: Message): MessageAuthor {
    return { userId: authorId ?? conversation.userId, kind: authorKind ?? AuthorKind.USER, name: authorName }
  }

  @FieldResolver(() => String, {
    description: 'Changes with every change of this message; "0" before the first change.',
  })
  revision(@Root() message: Message): string {
    return String(message.revision ?? 0)
  }

  @FieldResolver(() => ID, {
    description:
      "The `id` of the message that this message continues: the one before it, unless it was appended with another parent. The conversation's `id`: it continues no message. So an append with this `parentId` is always a new version of this message, unless that message lies before `Conversation.historyFrom`: then the viewer finds nothing with this id, and cannot append with it. It never changes.",
  })
  parentId(@Root() message: Message, @Ctx() context: Context): string {
    const seq = parentSeqOf(message)
    return seq === 0
      ? conversationId(context.viewer, message.conversation)
      : messageId(message.conversation.placeHead, seq)
  }

  @FieldResolver(() => MessageSiblings, {
    nullable: true,
    description: 'The versions of this message: all messages that continue the same message, including this one.',
  })
  siblings(@Root() message: Message, @Ctx() context: Context): Promise<MessageSiblings> {
    return context.loaders.siblings.load(message)
  }
  @FieldResolver(() => Message, {
    nullable: true,
    description:
      'The message to which this one replies; null if it replies to none, or if that message is deleted or the viewer does not read it.',
  })
  async replyTo(@Root() message: Message, @Ctx() { loaders }: Context): Promise<Message | null> {
    const { replyToSeq: seq } = await loaders.links.load(message)
    if (seq === null) return null
    const found = await loaders.messageAt.load(placeIn(message.conversation, seq))
    return found?.deletedAt === null ? found : null
  }

  @FieldResolver(() => [MessageMention], {
    nullable: true,
    description: 'The users whom this message mentions. They took part in the conversation when it was appended.',
  })
  async mentions(@Root() message: Message, @Ctx() { loaders }: Context): Promise<MessageMention[]> {
    return (await loaders.links.load(message)).mentions.map((userId) => ({ userId }))
  }
}

@Resolver(() => MessageAuthor)
export class MessageAuthorResolver {
  @FieldResolver(() => String, {
    nullable: true,
    description: 'The picture of a user, as `Participant.picture` says it. null: there is none, or a backend wrote it.',
  })
  async picture(@Root() { userId, kind }: MessageAuthor, @Ctx() context: Context): Promise<string | null> {
    return kind === AuthorKind.USER ? (await personOf(context, userId)).picture : null
  }
}
