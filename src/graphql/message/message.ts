import { Ctx, FieldResolver, ID, Resolver, Root } from 'type-graphql'
import { conversationId, messageId } from '../../entities/ids/global-id.ts'
import { Message } from '../../entities/message/message.ts'
import { MessageAuthor } from '../../entities/message/message-author.ts'
import { AuthorKind } from '../../entities/message/message-enums.ts'
import { MessageSiblings } from '../../entities/message/message-siblings.ts'
import { parentSeqOf } from '../../storage/branch/message-siblings.ts'
import type { Context } from '../context.ts'

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
      "The `id` of the message that this message continues: the one before it, unless it was appended with another parent. The conversation's `id`: it continues no message. So an append with this `parentId` is always a new version of this message. It never changes.",
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
}
