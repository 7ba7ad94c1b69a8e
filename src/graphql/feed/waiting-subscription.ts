import { Arg, Int, Resolver, Root, Subscription } from 'type-graphql'
import { Feed } from '../../live/feed.ts'
import { WaitingReader } from '../../live/waiting-reader.ts'
import { waitingKey } from '../../storage/conversation/conversation-key.ts'
import type { WaitingPage } from '../../storage/participant/waiting-page.ts'
import type { Context } from '../context.ts'
import { requireSupporter } from '../conversation/waiting.ts'
import { readCount } from '../page/page-args.ts'
import { WaitingConversationConnection } from '../page/waiting-connection.ts'

@Resolver()
export class WaitingSubscriptionResolver {
  @Subscription(() => WaitingConversationConnection, {
    description:
      'What waits for a person, for those who support: how it is when the subscription begins, and again after each change. Each event says all of it, so that there is no cursor; several changes may come as one.',
    subscribe: ({ args, context }) => followWaiting(context as Context, args as WaitingArgs),
  })
  waitingConversationsChanged(
    @Arg('first', () => Int, {
      nullable: true,
      description: 'How many to tell of, those that wait longest; 50 unless given, at most 100.',
    })
    _first: number | null,
    @Root() page: WaitingConversationConnection,
  ): WaitingConversationConnection {
    return page
  }
}

interface WaitingArgs {
  readonly first?: number | null
}

/** @throws ApiError FORBIDDEN, BAD_USER_INPUT */
async function followWaiting(
  { viewer, services }: Context,
  { first = null }: WaitingArgs,
): Promise<Feed<WaitingConversationConnection>> {
  requireSupporter(viewer)
  const { count } = readCount({ first })
  const toEvent = (page: WaitingPage) => new WaitingConversationConnection(page)
  return new Feed<WaitingConversationConnection>(services.feeds, waitingKey).begin(
    new WaitingReader(services.store, count, toEvent),
  )
}
