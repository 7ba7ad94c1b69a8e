import { Field, ObjectType } from 'type-graphql'
import { Conversation } from '../../entities/conversation.ts'
import { GetterField } from '../../entities/getter-field.ts'
import { Message } from '../../entities/message/message.ts'
import type { ListPage } from '../../storage/list/conversation-list.ts'
import { edgeCursor, listCursor } from './cursor.ts'

interface PageEnds {
  readonly hasNext: boolean
  readonly hasPrevious: boolean
}

/** The cursor of the edge at an index; -1 is the last one. null: the page is empty. */
type CursorAt = (index: number) => string | null

/*
 * A cursor is made when somebody reads it: most callers read the nodes, and the cursor of one end.
 *
 * The getters stand in classes. An object literal with a getter gets a hidden class of its own from V8 each time. Such
 * classes are old from birth, and held all messages of their page until the next full garbage collection.
 */

@ObjectType({
  description: 'What lies before and after a page. It is exact in both directions.',
  simpleResolvers: true,
})
export class PageInfo {
  @Field(() => Boolean, { description: 'Whether there is anything after the last edge.' })
  hasNextPage: boolean

  @Field(() => Boolean, { description: 'Whether there is anything before the first edge.' })
  hasPreviousPage: boolean

  readonly #cursorAt: CursorAt

  constructor({ hasNext, hasPrevious }: PageEnds, cursorAt: CursorAt) {
    this.hasNextPage = hasNext
    this.hasPreviousPage = hasPrevious
    this.#cursorAt = cursorAt
  }

  @GetterField(() => String, { nullable: true, description: "The first edge's cursor; null if the page is empty." })
  get startCursor(): string | null {
    return this.#cursorAt(0)
  }

  @GetterField(() => String, { nullable: true, description: "The last edge's cursor; null if the page is empty." })
  get endCursor(): string | null {
    return this.#cursorAt(-1)
  }
}

@ObjectType({ description: 'A message and its cursor.', simpleResolvers: true })
export class MessageEdge {
  @Field(() => String, {
    description: 'The place of the message: for paging, and to go on from here with a subscription.',
  })
  cursor!: string

  @Field(() => Message, { description: 'The message.' })
  node!: Message
}

interface MessagePage extends PageEnds {
  readonly messages: Message[]
}

@ObjectType({ description: 'A page of messages, by seq.', simpleResolvers: true })
export class MessageConnection {
  readonly #page: MessagePage

  constructor(page: MessagePage) {
    this.#page = page
  }

  @GetterField(() => [MessageEdge], { description: 'The messages with their cursors.' })
  get edges(): MessageEdge[] {
    return this.nodes.map(messageEdge)
  }

  @GetterField(() => [Message], { description: 'The messages alone.' })
  get nodes(): Message[] {
    return this.#page.messages
  }

  @GetterField(() => PageInfo, { description: 'What lies before and after this page.' })
  get pageInfo(): PageInfo {
    return new PageInfo(this.#page, cursors(this.nodes, messageEdge))
  }
}

@ObjectType({ description: 'A conversation and its place in the list.', simpleResolvers: true })
export class ConversationEdge {
  @Field(() => String, { description: 'The place of the conversation in the list, at the time of the read.' })
  cursor!: string

  @Field(() => Conversation, { description: 'The conversation.' })
  node!: Conversation
}

@ObjectType({ description: 'A page of conversations, newest activity first.', simpleResolvers: true })
export class ConversationConnection {
  readonly #page: ListPage
  readonly #feedCursor: () => string

  /** @param feedCursor where the feed of the list stands */
  constructor(page: ListPage, feedCursor: () => string) {
    this.#page = page
    this.#feedCursor = feedCursor
  }

  @GetterField(() => [ConversationEdge], { description: 'The conversations with their cursors.' })
  get edges(): ConversationEdge[] {
    return this.nodes.map(conversationEdge)
  }

  @GetterField(() => [Conversation], { description: 'The conversations alone.' })
  get nodes(): Conversation[] {
    return this.#page.conversations
  }

  @GetterField(() => PageInfo, { description: 'What lies before and after this page.' })
  get pageInfo(): PageInfo {
    return new PageInfo(this.#page, cursors(this.nodes, conversationEdge))
  }

  @GetterField(() => String, {
    description:
      'Where the feed of the list stands, no later than this page. Pass the cursor of the first page that you read as `after` of `conversationsChanged`: then you miss no change. Keep it apart from a normalised cache, which replaces it with that of a later page.',
  })
  get cursor(): string {
    return this.#feedCursor()
  }
}

export function messageEdge(message: Message): MessageEdge {
  return { cursor: edgeCursor(message.conversation.placeHead, message.seq), node: message }
}

export function conversationEdge(conversation: Conversation): ConversationEdge {
  return { cursor: listCursor(conversation), node: conversation }
}

/** The description of every field that answers a `ConversationEdge` beside its conversation. */
export const conversationEdgeDescription =
  'The conversation and its place in the list, for a client that keeps the list and adds the edge to it.'

function cursors<Node>(nodes: readonly Node[], toEdge: (node: Node) => { readonly cursor: string }): CursorAt {
  return (index) => {
    const node = nodes.at(index)
    return node === undefined ? null : toEdge(node).cursor
  }
}
