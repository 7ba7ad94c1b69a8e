import { Ctx, Field, ObjectType, Query, Resolver } from 'type-graphql'
import type { Viewer } from '../auth/viewer.ts'
import { viewerId } from '../entities/ids/global-id.ts'
import { Node } from '../entities/node.ts'
import type { Context } from './context.ts'

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

@Resolver()
export class ViewerResolver {
  @Query(() => ViewerNode, { nullable: true, description: 'The user that this request acts as.' })
  viewer(@Ctx() context: Context): ViewerNode {
    return new ViewerNode(context.viewer)
  }
}
