import { Ctx, Field, FieldResolver, ObjectType, Query, Resolver, Root } from 'type-graphql'
import type { Viewer } from '../auth/viewer.ts'
import { viewerId } from '../entities/ids/global-id.ts'
import { Node } from '../entities/node.ts'
import type { Context } from './context.ts'
import { personOf } from './person.ts'

@ObjectType('Viewer', { description: 'The user that this request acts as.', implements: Node, simpleResolvers: true })
export class ViewerNode implements Node {
  @Field(() => String, { description: "The user's id, as the identity provider names it." })
  readonly userId: string

  @Field(() => Boolean, {
    description: 'Whether it may read `waitingConversations`, and take over conversations that wait for a person.',
  })
  readonly isSupporter: boolean

  get id(): string {
    return viewerId(this.userId)
  }

  constructor({ userId, isSupporter }: Viewer) {
    this.userId = userId
    this.isSupporter = isSupporter
  }
}

@Resolver(() => ViewerNode)
export class ViewerResolver {
  @Query(() => ViewerNode, { nullable: true, description: 'The user that this request acts as.' })
  viewer(@Ctx() context: Context): ViewerNode {
    return new ViewerNode(context.viewer)
  }

  @FieldResolver(() => String, {
    nullable: true,
    description:
      'How the user is called, as its token says by the claim `name`, or else `preferred_username`. If that says neither a name nor a picture, or somebody else acts for the user: as its last token said. null: none did.',
  })
  async name(@Root() { userId }: ViewerNode, @Ctx() context: Context): Promise<string | null> {
    return (await personOf(context, userId)).name
  }

  @FieldResolver(() => String, {
    nullable: true,
    description: "The user's picture in the same way, by the claim `picture`: an https: URL, or a data: URL.",
  })
  async picture(@Root() { userId }: ViewerNode, @Ctx() context: Context): Promise<string | null> {
    return (await personOf(context, userId)).picture
  }
}
