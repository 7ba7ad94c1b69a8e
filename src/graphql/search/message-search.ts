import {
  Args,
  ArgsType,
  Ctx,
  Field,
  FieldResolver,
  Float,
  ID,
  Int,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql'
import { contractLimits } from '../../config.ts'
import type { Conversation } from '../../entities/conversation.ts'
import { GetterField } from '../../entities/getter-field.ts'
import { Message } from '../../entities/message/message.ts'
import { MessageRole } from '../../entities/message/message-enums.ts'
import { Timestamp } from '../../entities/timestamp.ts'
import { badInput, conversationNotFound, tooLarge } from '../../errors.ts'
import { parentSeqOf } from '../../storage/branch/message-siblings.ts'
import { placeIn } from '../../storage/message/message.ts'
import { type Found, type SearchAsk, searchWords } from '../../storage/search/search-messages.ts'
import { type Cut, cutWords, fulfils, type Snippet, snippetOf } from '../../words/highlights.ts'
import { searchedText } from '../../words/searched-text.ts'
import { readQuery, type WordQuery } from '../../words/word-query.ts'
import type { Context } from '../context.ts'
import { readConversationId } from '../input/conversation-id.ts'
import { isGiven } from '../input/is-given.ts'
import { requireLength } from '../input/text-rules.ts'
import { PageInfo } from '../page/connection.ts'
import { readSearchCursor, searchCursor, searchMark } from './search-cursor.ts'

@ArgsType()
export class SearchMessagesArgs {
  @Field(() => String, {
    description:
      'What to look for, at most 1000 characters. Any word is enough, and messages with more and rarer words come first. Case and accents do not matter, and the endings of words hardly do. `"two words"` have to be there, side by side; `-word` must not be there; `begin*` finds every word that begins so. No text is an error; of a text without words nothing is found. The first 32 words count.',
  })
  query!: string

  @Field(() => ID, {
    nullable: true,
    description: 'Only messages of this conversation. Absent: of all conversations that the viewer may read.',
  })
  conversationId?: string | null

  @Field(() => Timestamp, { nullable: true, description: 'Only messages that were stored at this time or later.' })
  from?: string | null

  @Field(() => Timestamp, { nullable: true, description: 'Only messages that were stored before this time.' })
  to?: string | null

  @Field(() => [MessageRole], { nullable: true, description: 'Only messages of these roles. Absent: of all.' })
  roles?: MessageRole[] | null

  @Field(() => Int, { nullable: true, description: 'How many to answer; 10 unless given, at most 50.' })
  first?: number | null

  @Field(() => String, { nullable: true, description: 'Only what comes after this cursor, of the same search.' })
  after?: string | null
}

@ObjectType('TextRange', {
  description: 'A piece of a text, in UTF-16 units, as JavaScript counts.',
  simpleResolvers: true,
})
export class TextRangeAnswer {
  @Field(() => Int, { description: 'Where it begins; 0 is the beginning of the text.' })
  start!: number

  @Field(() => Int, { description: 'Where it ends: the place behind its last unit.' })
  end!: number
}

@ObjectType('SearchSnippet', {
  description: 'The piece of a message that shows why it was found.',
  simpleResolvers: true,
})
export class SnippetAnswer {
  @Field(() => String, {
    description:
      "At most 240 UTF-16 units of the message's text, as it is now. It begins with the name of the speaker if the message has one.",
  })
  text!: string

  @Field(() => [TextRangeAnswer], {
    description:
      'The words in `text` that were searched for. None: the message was found because its neighbours have the words.',
  })
  ranges!: readonly TextRangeAnswer[]
}

@ObjectType({ description: 'A message that was found.', simpleResolvers: true })
export class MessageSearchEdge {
  @GetterField(() => String, { description: 'The place of the message in what was found, for the next page.' })
  get cursor(): string {
    return this.#cursor()
  }

  @Field(() => Message, { description: 'The message.' })
  node: Message

  @Field(() => Float, {
    description:
      'How well the message fits: higher is better. Scores are for comparing what one search found, and for nothing else.',
  })
  score: number

  @GetterField(() => SnippetAnswer, { description: 'The piece of the message that shows why it was found.' })
  get snippet(): Snippet {
    return this.#snippet()
  }

  readonly #cursor: () => string
  readonly #snippet: () => Snippet

  constructor(node: Message, score: number, cursor: () => string, snippet: () => Snippet) {
    this.node = node
    this.score = score
    this.#cursor = cursor
    this.#snippet = snippet
  }
}

@ObjectType({ description: 'What a search found, best first.', simpleResolvers: true })
export class MessageSearchConnection {
  @Field(() => [MessageSearchEdge], { description: 'The messages, and why each was found.' })
  edges: readonly MessageSearchEdge[]

  @GetterField(() => [Message], { description: 'The messages alone.' })
  get nodes(): Message[] {
    return this.edges.map(({ node }) => node)
  }

  @Field(() => PageInfo, { description: 'Whether more was found.' })
  pageInfo: PageInfo

  constructor(edges: readonly MessageSearchEdge[], ends: { readonly hasNext: boolean; readonly hasPrevious: boolean }) {
    this.edges = edges
    this.pageInfo = new PageInfo(ends, (index) => edges.at(index)?.cursor ?? null)
  }
}

@Resolver(() => MessageSearchEdge)
export class MessageSearchResolver {
  @Query(() => MessageSearchConnection, {
    nullable: true,
    description:
      'The messages that fit a query best, of all branches, in all conversations that the viewer may read or in one of them. Searched are the texts of messages and of results of tools, and the names of speakers; of a long message its first 65536 UTF-16 units. A message also counts a little for what the messages before and after it say. A new message is found within two seconds; one that was edited or deleted is not found at once, and the edited one is found again within two seconds. A page may repeat or miss a message when others are stored meanwhile.',
  })
  async searchMessages(
    @Args(() => SearchMessagesArgs) args: SearchMessagesArgs,
    @Ctx() context: Context,
  ): Promise<MessageSearchConnection> {
    requireLength('query', args.query, contractLimits.searchQuery)
    const roles = readRoles(args.roles)
    const count = readFirst(args.first)
    const [from, to] = [args.from ?? null, args.to ?? null]
    const conversation = await readConversation(context, args.conversationId)
    const mark = searchMark([args.query, conversation?.key, from, to, roles])
    const query = readQuery(args.query)
    const after = isGiven(args.after) ? readSearchCursor(args.after, mark) : null
    const ask = { query, conversation, from, to, roles, after }
    const found = await findMessages(context, ask, count + 1)
    const edges = found.slice(0, count).map(({ message, place, cut }) => {
      const snippet = () => snippetOf(cut, query)
      return new MessageSearchEdge(message, place.score / 1e6, () => searchCursor(place, mark), snippet)
    })
    return new MessageSearchConnection(edges, { hasNext: found.length > count, hasPrevious: after !== null })
  }

  @FieldResolver(() => Message, {
    nullable: true,
    description: 'The message that this one continues; null if it is the first, or the first that the viewer reads.',
  })
  before(@Root() { node }: MessageSearchEdge, @Ctx() { loaders }: Context): Promise<Message | null> | null {
    const seq = parentSeqOf(node)
    return seq === 0 ? null : loaders.messageAt.load(placeIn(node.conversation, seq))
  }

  @FieldResolver(() => Message, {
    nullable: true,
    description: 'The newest message that continues this one; null if there is none.',
  })
  after(@Root() { node }: MessageSearchEdge, @Ctx() { loaders }: Context): Promise<Message | null> {
    return loaders.nextMessage.load(node)
  }
}

interface FoundMessage {
  readonly message: Message
  readonly place: Found
  readonly cut: Cut
}

/** How many places are looked at when the first ones were not enough. */
const moreAtOnce = 50

/** Leaves out what was changed since its words were read, and what has the words of a phrase in another order. */
async function findMessages(
  { services, viewer, loaders, budget }: Context,
  ask: Omit<SearchAsk, 'count'> & { readonly query: WordQuery },
  wanted: number,
): Promise<FoundMessage[]> {
  const found: FoundMessage[] = []
  let { after } = ask
  for (let count = wanted; ; count = moreAtOnce) {
    const places = await searchWords(services.store, viewer.userId, { ...ask, after, count }, budget)
    const messages = await Promise.all(places.map((place) => loaders.messageAt.load(place)))
    for (const [n, place] of places.entries()) {
      const message = messages[n]
      if (message == null || message.deletedAt !== null || (message.revision ?? 0) !== place.revision) continue
      const cut = cutWords(searchedText(message))
      if (fulfils(cut, ask.query)) found.push({ message, place, cut })
    }
    after = places.at(-1) ?? null
    if (found.length >= wanted || places.length < count) return found
  }
}

async function readConversation(
  { viewer, loaders }: Context,
  id: string | null | undefined,
): Promise<Conversation | null> {
  if (!isGiven(id)) return null
  const ref = readConversationId(viewer.userId, id)
  const conversation = ref === null ? null : await loaders.conversation.load(ref)
  if (conversation === null) throw conversationNotFound()
  return conversation
}

function readRoles(roles: MessageRole[] | null | undefined): readonly MessageRole[] | null {
  if (!isGiven(roles)) return null
  const { length } = Object.keys(MessageRole)
  if (roles.length > length) throw tooLarge('roles', 'items', length, roles.length)
  return [...new Set(roles)].sort()
}

function readFirst(first: number | null | undefined): number {
  const { defaultFound, found } = contractLimits
  if (!isGiven(first)) return defaultFound
  if (first < 1 || first > found) throw badInput('first', `must be from 1 to ${found}.`)
  return first
}
