import { Ctx, FieldResolver, ID, Resolver, Root } from 'type-graphql'
import { messageId } from '../../entities/global-id.ts'
import { Message } from '../../entities/message.ts'
import { MessageSiblings } from '../../entities/message-siblings.ts'
import { parentSeqOf } from '../../storage/branch/message-siblings.ts'
import type { Context } from '../context.ts'

@Resolver(() => Message)
export class MessageResolver {
  @FieldResolver(() => ID, { description: "Its conversation's `id`." })
  conversationId(@Root() message: Message): string {
    return message.conversation.id
  }

  @FieldResolver(() => String, { description: 'Moves with every change of this message; "0" until the first.' })
  revision(@Root() message: Message): string {
    return String(message.revision ?? 0)
  }

  @FieldResolver(() => ID, {
    nullable: true,
    description:
      'The `id` of the message that it continues: the one before it unless it was appended with another `parentId`. null of a first message. It never changes.',
  })
  parentId(@Root() message: Message): string | null {
    const seq = parentSeqOf(message)
    return seq === 0 ? null : messageId(message.conversation.placeHead, seq)
  }

  @FieldResolver(() => MessageSiblings, {
    description: 'The versions of it: all messages that continue the same one, itself among them.',
  })
  siblings(@Root() message: Message, @Ctx() context: Context): Promise<MessageSiblings> {
    return context.loaders.siblings.load(message)
  }
}
