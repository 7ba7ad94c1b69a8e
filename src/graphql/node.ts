import { Arg, Ctx, ID, Query, Resolver } from 'type-graphql'
import { contractLimits } from '../config.ts'
import { readGlobalId } from '../entities/ids/global-id.ts'
import { Node } from '../entities/node.ts'
import { tooLarge } from '../errors.ts'
import type { Context } from './context.ts'
import { readConversationId } from './input/conversation-id.ts'
import { ViewerNode } from './viewer.ts'

@Resolver()
export class NodeResolver {
  @Query(() => Node, {
    nullable: true,
    description: 'Any object by its `id`; null if the viewer has nothing with this id.',
  })
  node(
    @Arg('id', () => ID, { description: 'An `id` that this API gave, or your own id of a conversation.' }) id: string,
    @Ctx() context: Context,
  ): Promise<Node | null> {
    return loadNode(context, id)
  }

  @Query(() => [Node], {
    nullable: 'itemsAndList',
    description:
      'Up to 100 objects by their ids, in the order of `ids`; null for an id with which the viewer has nothing, and, with an error of its own, for an object that could not be read.',
  })
  nodes(
    @Arg('ids', () => [ID], { description: 'At most 100 ids.' }) ids: string[],
    @Ctx() context: Context,
  ): Promise<Node | null>[] {
    if (ids.length > contractLimits.nodes) throw tooLarge('ids', 'items', contractLimits.nodes, ids.length)
    return ids.map((id) => loadNode(context, id))
  }
}

async function loadNode(context: Context, text: string): Promise<Node | null> {
  const { viewer, loaders } = context
  const id = readGlobalId(text)
  if (id.kind === 'message') return loaders.messageAt.load(id.place)
  if (id.kind === 'viewer') return id.userId === viewer.userId ? new ViewerNode(viewer) : null
  const ref = readConversationId(viewer.userId, text)
  return ref === null ? null : loaders.conversation.load(ref)
}
