import 'reflect-metadata'
import type { GraphQLObjectType, GraphQLSchema } from 'graphql'
import { buildSchemaSync, type PubSub } from 'type-graphql'
import { Json, JsonObject } from '../entities/json.ts'
import { Timestamp } from '../entities/timestamp.ts'
import { ActiveLeafResolver } from './active-leaf.ts'
import { ContextWindowResolver, OmittedMessagesResolver } from './context-window.ts'
import { ConversationResolver } from './conversation.ts'
import { ConversationEventsResolver, conversationEventTypes } from './conversation-events.ts'
import { ConversationForkResolver } from './conversation-fork.ts'
import { ConversationListEventsResolver, conversationListEventTypes } from './conversation-list-events.ts'
import { ConversationMutationResolver } from './conversation-mutation.ts'
import { MessageResolver } from './message.ts'
import { MessageEditResolver } from './message-edit.ts'
import { MessageMutationResolver } from './message-mutation.ts'
import { MessageStreamResolver } from './message-stream.ts'
import { MessageSubscriptionResolver } from './message-subscription.ts'
import { NodeResolver } from './node.ts'
import { DateTimeScalar, JSONObjectScalar, JSONScalar } from './scalars.ts'
import { ViewerResolver } from './viewer.ts'

/** The schema of the whole API; `schema.graphql` is its text. */
export function createSchema(): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers: [
      ViewerResolver,
      NodeResolver,
      ConversationResolver,
      ContextWindowResolver,
      OmittedMessagesResolver,
      MessageResolver,
      ConversationMutationResolver,
      MessageMutationResolver,
      MessageEditResolver,
      MessageStreamResolver,
      ActiveLeafResolver,
      ConversationForkResolver,
      MessageSubscriptionResolver,
      ConversationEventsResolver,
      ConversationListEventsResolver,
    ],
    orphanedTypes: [...conversationEventTypes, ...conversationListEventTypes],
    scalarsMap: [
      { type: Timestamp, scalar: DateTimeScalar },
      { type: Json, scalar: JSONScalar },
      { type: JsonObject, scalar: JSONObjectScalar },
    ],
    pubSub: noPubSub,
    validate: false,
  })
  // Type-GraphQL has no way to describe these.
  describe(schema.getQueryType(), 'What can be read.')
  describe(schema.getMutationType(), 'What can be changed; each answer comes after the change is durable.')
  describe(schema.getSubscriptionType(), 'What can be followed live, over WebSocket or server-sent events.')
  return schema
}

function describe(type: GraphQLObjectType | null | undefined, description: string): void {
  if (type) type.description = description
}

/** Type-GraphQL asks for one even where every subscription brings its own source, as ours do. */
const noPubSub: PubSub = {
  publish: () => {
    throw new Error('Colloquy has no topics: subscriptions follow feeds.')
  },
  subscribe: () => {
    throw new Error('Colloquy has no topics: subscriptions follow feeds.')
  },
}
