import { Field, ObjectType } from 'type-graphql'
import { Conversation } from '../../entities/conversation.ts'
import { Message } from '../../entities/message.ts'
import type { ListPage } from '../../storage/list/conversation-list.ts'
import { edgeCursor, listCursor } from './cursor.ts'

@ObjectType({
  description: 'What lies before and after a page. It is exact in both directions.',
  simpleResolvers: true,
})
export class PageInfo {
  @Field(() => Boolean, { description: 'Whether there is anything after the last edge.' })
  hasNextPage!: boolean

  @Field(() => Boolean, { description: 'Whether there is anything before the first edge.' })
  hasPreviousPage!: boolean

  @Field(() => String, { nullable: true, description: "The first edge's cursor; null if the page is empty." })
  startCursor!: string | null

  @Field(() => String, { nullable: true, description: "The last edge's cursor; null if the page is empty." })
  endCursor!: string | null
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

@ObjectType({ description: 'A page of messages, by seq.', simpleResolvers: true })
export class MessageConnection {
  @Field(() => [MessageEdge], { description: 'The messages with their cursors.' })
  edges!: MessageEdge[]

  @Field(() => [Message], { description: 'The messages alone.' })
  nodes!: Message[]

  @Field(() => PageInfo, { description: 'What lies before and after this page.' })
  pageInfo!: PageInfo
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
  @Field(() => [ConversationEdge], { description: 'The conversations with their cursors.' })
  edges!: ConversationEdge[]

  @Field(() => [Conversation], { description: 'The conversations alone.' })
  nodes!: Conversation[]

  @Field(() => PageInfo, { description: 'What lies before and after this page.' })
  pageInfo!: PageInfo

  @Field(() => String, {
    description:
      'Where the feed of the list stands, no later than this page. Pass the cursor of the first page that you read as `after` of `conversationsChanged`: then you miss no change. Keep it apart from a normalised cache, which replaces it with that of a later page.',
  })
  cursor!: string
}

interface MessagePage {
  readonly messages: Message[]
  readonly hasNext: boolean
  readonly hasPrevious: boolean
}

export function messageEdge(message: Message): MessageEdge {
  return { cursor: edgeCursor(message.conversation.placeHead, message.seq), node: message }
}

export function messageConnection(page: MessagePage): MessageConnection {
  return connection(page.messages, messageEdge, page)
}

export function conversationEdge(conversation: Conversation): ConversationEdge {
  return { cursor: listCursor(conversation), node: conversation }
}

/** @param feedCursor where the feed of the list stands */
export function conversationConnection(page: ListPage, feedCursor: () => string): ConversationConnection {
  const listed = connection(page.conversations, conversationEdge, page) as ConversationConnection
  return Object.defineProperty(listed, 'cursor', { get: feedCursor })
}

/** The description of every field that answers a `ConversationEdge` beside its conversation. */
export const conversationEdgeDescription =
  'The conversation and its place in the list, for a client that keeps the list and adds the edge to it.'

/** A cursor is made when somebody reads it: most callers read the nodes, and the cursor of one end. */
function connection<Node>(
  nodes: Node[],
  toEdge: (node: Node) => { cursor: string; node: Node },
  page: { readonly hasNext: boolean; readonly hasPrevious: boolean },
) {
  const cursorOf = (node: Node | undefined) => (node === undefined ? null : toEdge(node).cursor)
  return {
    nodes,
    get edges() {
      return nodes.map(toEdge)
    },
    pageInfo: {
      hasNextPage: page.hasNext,
      hasPreviousPage: page.hasPrevious,
      get startCursor() {
        return cursorOf(nodes[0])
      },
      get endCursor() {
        return cursorOf(nodes.at(-1))
      },
    },
  }
}
