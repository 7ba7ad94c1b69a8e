import { FieldResolver, ID, Resolver, Root } from 'type-graphql'
import { Message } from '../entities/message.ts'

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
}
