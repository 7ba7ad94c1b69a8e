import { Ctx, Field, ObjectType, Query, Resolver } from 'type-graphql'
import { viewerId } from '../entities/ids/global-id.ts'
import { Node } from '../entities/node.ts'
import type { Context } from './context.ts'

@ObjectType('Viewer', { description: 'The user that this request acts as.', implements: Node, simpleResolvers: true })
export class ViewerNode implements Node {
  @Field(() => String, { description: "The user's id, as the identity provider names it." })
  readonly userId: string

  get id(): string {
    return viewerId(this.userId)
  }

  constructor(userId: string) {
    this.userId = userId
  }
}

@Resolver()
export class ViewerResolver {
  @Query(() => ViewerNode, { nullable: true, description: 'The user that this request acts as.' })
  viewer(@Ctx() context: Context): ViewerNode {
    return new ViewerNode(context.viewer.userId)
  }
}
