import 'reflect-metadata'
import type { GraphQLObjectType, GraphQLSchema } from 'graphql'
import { buildSchemaSync, type PubSub } from 'type-graphql'
import { conversationId } from '../entities/ids/global-id.ts'
import { Json, JsonObject } from '../entities/json.ts'
import { Timestamp } from '../entities/timestamp.ts'
import { CallApprovalsResolver } from './chat/call-approvals.ts'
import { FeedbackResolver, MessageFeedbackResolver } from './chat/feedback.ts'
import { ReactionsResolver } from './chat/reactions.ts'
import type { Context } from './context.ts'
import { ContextWindowResolver, OmittedMessagesResolver } from './conversation/context-window.ts'
import { ConversationResolver } from './conversation/conversation.ts'
import { ConversationForkResolver } from './conversation/conversation-fork.ts'
import { ConversationMutationResolver } from './conversation/conversation-mutation.ts'
import { ParticipantMutationResolver } from './conversation/participant-mutation.ts'
import { ParticipantResolver, ParticipantsResolver } from './conversation/participants.ts'
import { PresenceResolver } from './conversation/presence.ts'
import { MessageReadersResolver, ReadMarkerResolver, ViewerReadResolver } from './conversation/read-marker.ts'
import { TakeOverResolver } from './conversation/take-over.ts'
import { WaitingConversationResolver, WaitingResolver } from './conversation/waiting.ts'
import { MessageTextAppendedResolver } from './feed/conversation-event.ts'
import {
  ConversationEventsResolver,
  conversationEventTypes,
  MessageAppendedResolver,
} from './feed/conversation-events.ts'
import { ConversationListEventsResolver, conversationListEventTypes } from './feed/conversation-list-events.ts'
import { MessageSubscriptionResolver } from './feed/message-subscription.ts'
import { WaitingSubscriptionResolver } from './feed/waiting-subscription.ts'
import { DateTimeScalar, JSONObjectScalar, JSONScalar } from './input/scalars.ts'
import { ActiveLeafResolver } from './message/active-leaf.ts'
import { MessageAuthorResolver, MessageResolver } from './message/message.ts'
import { MessageEditResolver } from './message/message-edit.ts'
import {
  AppendMessagePayloadResolver,
  AppendMessagesPayloadResolver,
  MessageMutationResolver,
} from './message/message-mutation.ts'
import { MessageStartResolver, StartMessagePayloadResolver } from './message/message-start.ts'
import { MessageStreamResolver } from './message/message-stream.ts'
import { NodeResolver } from './node.ts'
import { ConversationRecordResolver, OperatorResolver } from './operator/operator.ts'
import { MessageSearchResolver } from './search/message-search.ts'
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
      MessageAuthorResolver,
      ConversationMutationResolver,
      ParticipantsResolver,
      ParticipantResolver,
      ParticipantMutationResolver,
      ReadMarkerResolver,
      TakeOverResolver,
      WaitingResolver,
      WaitingConversationResolver,
      PresenceResolver,
      MessageReadersResolver,
      ReactionsResolver,
      MessageFeedbackResolver,
      FeedbackResolver,
      CallApprovalsResolver,
      ViewerReadResolver,
      MessageMutationResolver,
      AppendMessagePayloadResolver,
      AppendMessagesPayloadResolver,
      MessageEditResolver,
      MessageStartResolver,
      StartMessagePayloadResolver,
      MessageStreamResolver,
      ActiveLeafResolver,
      ConversationForkResolver,
      MessageSubscriptionResolver,
      ConversationEventsResolver,
      MessageAppendedResolver,
      MessageTextAppendedResolver,
      ConversationListEventsResolver,
      WaitingSubscriptionResolver,
      MessageSearchResolver,
      OperatorResolver,
      ConversationRecordResolver,
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
  resolveId(schema.getType('Conversation') as GraphQLObjectType)
  // Type-GraphQL cannot describe the root types.
  describe(
    schema.getQueryType(),
    'What can be read. A field that fails is null and has an error; the other fields of the answer stay as they are.',
  )
  describe(
    schema.getMutationType(),
    'What can be changed. Each answer comes after the change is durable. Several mutations in one document run one after the other: if one fails, it is null and has an error, and those after it run all the same.',
  )
  describe(schema.getSubscriptionType(), 'What can be followed live, over WebSocket or server-sent events.')
  return schema
}

/**
 * A conversation's `id` depends on who looks, and each conversation of each list is asked for it. So it has no resolver of
 * Type-GraphQL, which makes an object and a list of parameters for each call.
 */
function resolveId(type: GraphQLObjectType): void {
  const { id } = type.getFields()
  if (id) id.resolve = (conversation, _, { viewer }: Context) => conversationId(viewer, conversation)
}

function describe(type: GraphQLObjectType | null | undefined, description: string): void {
  if (type) type.description = description
}

/** Type-GraphQL requires a PubSub, but every subscription of this server brings its own source. */
const noPubSub: PubSub = {
  publish: () => {
    throw new Error('Colloquy has no topics: subscriptions follow feeds.')
  },
  subscribe: () => {
    throw new Error('Colloquy has no topics: subscriptions follow feeds.')
  },
}
