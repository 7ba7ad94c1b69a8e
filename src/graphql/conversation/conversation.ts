import type { GraphQLResolveInfo } from 'graphql'
import { Arg, Args, Ctx, FieldResolver, ID, Info, Int, Query, Resolver, Root } from 'type-graphql'
import { contractLimits } from '../../config.ts'
import { Conversation } from '../../entities/conversation.ts'
import { readGlobalId } from '../../entities/ids/global-id.ts'
import { Message } from '../../entities/message/message.ts'
import { badInput, conversationNotFound } from '../../errors.ts'
import { activeLeafOf } from '../../storage/branch/path.ts'
import type { PathPage } from '../../storage/branch/path-page.ts'
import { ListedConversation, readList } from '../../storage/list/conversation-list.ts'
import { placeIn } from '../../storage/message/message.ts'
import type { Page, PageRequest } from '../../storage/message/message-page.ts'
import type { Context } from '../context.ts'
import { pageFeedCursor } from '../feed/list-feed-cursor.ts'
import { readConversationId } from '../input/conversation-id.ts'
import { isGiven } from '../input/is-given.ts'
import { isStorable } from '../input/text-rules.ts'
import { ConversationConnection, MessageConnection } from '../page/connection.ts'
import { feedCursor, readListCursor, readMessageCursor } from '../page/cursor.ts'
import { pageOf, readWithPage } from '../page/page-ahead.ts'
import { MessagePageArgs, PageArgs, readCount } from '../page/page-args.ts'
import { lastMessageColumns } from '../selection/last-message-columns.ts'
import { selectedColumns, selectedListColumns } from '../selection/selected-columns.ts'
import { selects } from '../selection/selects.ts'
import { ConversationFilter, readFilter } from './conversation-filter.ts'
import { firstSeqFor } from './participants.ts'

@Resolver(() => Conversation)
export class ConversationResolver {
  @Query(() => Conversation, {
    nullable: true,
    description: 'A conversation by its id; null if the viewer has no conversation with this id.',
  })
  async conversation(
    @Arg('id', () => ID, { description: 'Your own id for the conversation, or the `id` that this API gave.' })
    id: string,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Conversation | null> {
    const ref = readConversationId(context.viewer.userId, id)
    return ref === null ? null : readWithPage(context.loaders, ref, info)
  }

  @Query(() => ConversationConnection, {
    nullable: true,
    description:
      "The viewer's conversations, newest activity first. A change moves its conversation to the top of the list.",
  })
  async conversations(
    @Args(() => PageArgs) args: PageArgs,
    @Arg('filter', () => ConversationFilter, {
      nullable: true,
      description:
        'Only conversations that fulfil these conditions. `cursor` still belongs to the feed of the whole list.',
    })
    filter: ConversationFilter | null,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<ConversationConnection> {
    const { services, viewer, budget } = context
    const page = await readList(services.store, budget, viewer.userId, {
      ...readCount(args),
      filter: readFilter(filter, services.limits),
      after: args.after ? readListCursor('after', args.after) : null,
      before: args.before ? readListCursor('before', args.before) : null,
      columns: selectedListColumns(info),
      lastMessages: lastMessageColumns(info),
      tellsTime: selects(info, 'cursor'),
    })
    return new ConversationConnection(page, () => pageFeedCursor(viewer.userId, page, services.lists.settleMs))
  }

  @FieldResolver(() => String, {
    description:
      'Where the feed of the conversation stands, no later than any other field of this answer. An empty conversation has a cursor too. Pass it as `after` of a subscription to go on from this answer. To go on from a list in a normalised cache, pass the cursor of the last edge of the list instead: another query may have brought a newer `cursor` of the conversation.',
  })
  cursor(@Root() conversation: Conversation): string {
    return feedCursor(conversation)
  }

  @FieldResolver(() => Message, { nullable: true, description: 'The newest message that is not deleted.' })
  lastMessage(@Root() conversation: Conversation, @Ctx() context: Context): Promise<Message | null> | Message | null {
    if (conversation instanceof ListedConversation && conversation.lastMessage !== undefined) {
      return conversation.lastMessage
    }
    return context.loaders.lastMessage.load(conversation)
  }

  @FieldResolver(() => Message, {
    nullable: true,
    description:
      'The message with which the active path ends: the newest one, or the one that `setActiveLeaf` chose after that. null if the conversation is empty, or if the viewer does not read that message.',
  })
  async activeLeaf(@Root() conversation: Conversation, @Ctx() context: Context): Promise<Message | null> {
    const seq = activeLeafOf(conversation)
    return seq === 0 ? null : context.loaders.messageAt.load(placeIn(conversation, seq))
  }

  @FieldResolver(() => MessageConnection, {
    nullable: true,
    description: 'The messages by seq, in both directions. Deleted messages keep their places.',
  })
  async messages(
    @Root() conversation: Conversation,
    @Args(() => MessagePageArgs) args: MessagePageArgs,
    @Ctx() context: Context,
    @Info() info: GraphQLResolveInfo,
  ): Promise<MessageConnection> {
    const bounds = {
      ...readCount(args),
      after: args.after ? readMessageCursor('after', args.after, conversation) : 0,
      before: args.before ? readMessageCursor('before', args.before, conversation) : null,
    }
    if (isGiven(args.branch)) {
      const leaf = await readBranch(context, args.branch, conversation)
      return toConnection(await context.loaders.pathPage.load({ ...bounds, conversation, leaf }))
    }
    const { key, epoch, userId: ownerId } = conversation
    const request: PageRequest = { ...bounds, key, epoch, ownerId, columns: selectedColumns(info) }
    return toConnection(pageOf(conversation, request) ?? (await context.loaders.page.load(request)))
  }

  @FieldResolver(() => Message, {
    nullable: true,
    description: 'One message, by its seq or by its client id. Give exactly one of them.',
  })
  async message(
    @Root() conversation: Conversation,
    @Arg('seq', () => Int, { nullable: true, description: 'The position of the message.' }) seq: number | null,
    @Arg('clientId', () => String, { nullable: true, description: "The caller's own id for the message." }) clientId:
      | string
      | null,
    @Ctx() context: Context,
  ): Promise<Message | null> {
    const hasSeq = seq !== null && seq !== undefined
    const hasClientId = clientId !== null && clientId !== undefined
    if (hasSeq === hasClientId) throw badInput('seq', 'give exactly one of seq and clientId.')
    if (hasClientId && !isStorable(clientId)) return null
    if (hasClientId) return context.loaders.messageByClientId.load({ conversation, clientId })
    return context.loaders.messageAt.load(placeIn(conversation, seq as number))
  }

  @FieldResolver(() => [Message], {
    nullable: true,
    description:
      'What an agent reads: the last messages of the active path, oldest first, without deleted and streaming ones. It never begins with a TOOL message: instead it begins earlier, with the message that made the call.',
  })
  history(
    @Root() conversation: Conversation,
    @Arg('last', () => Int, { nullable: true, defaultValue: 50, description: 'How many messages, from 1 to 1000.' })
    last: number | null,
    @Arg('beforeSeq', () => Int, { nullable: true, description: 'Only messages before this seq.' }) beforeSeq:
      | number
      | null,
    @Ctx() context: Context,
  ): Promise<Message[]> {
    const count = last ?? contractLimits.defaultPage
    if (count < 1 || count > contractLimits.history) {
      throw badInput('last', `must be from 1 to ${contractLimits.history}.`)
    }
    return context.loaders.history.load({ conversation, last: count, beforeSeq: beforeSeq ?? null })
  }
}

/** @throws ApiError NOT_FOUND if the conversation was deleted while it was read */
function toConnection(page: Page | PathPage | null): MessageConnection {
  if (page === null) throw conversationNotFound()
  return new MessageConnection(page)
}

/** The seq of a message of this conversation that the viewer reads. @throws ApiError BAD_USER_INPUT */
async function readBranch(context: Context, text: string, conversation: Conversation): Promise<number> {
  const { key, epoch, lastSeq } = conversation
  const id = readGlobalId(text)
  const isHere = id.kind === 'message' && id.place.key === key && id.place.epoch === epoch
  const firstSeq = await firstSeqFor(context, conversation)
  if (!isHere || id.place.seq < firstSeq || id.place.seq > lastSeq)
    throw badInput('branch', 'is not a message of this conversation.')
  return id.place.seq
}
