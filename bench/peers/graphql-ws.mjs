// Subscriptions as the guide of graphql-ws shows them: graphql-js, one source for each subscription, everything executed for
// each of them. Messages come out of nothing: POST /graphql publishes one to everybody, without a database.

import { setMaxListeners } from 'node:events'
import { createServer } from 'node:http'
import { createPubSub } from '@graphql-yoga/subscription'
import { buildSchema } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import { publisher } from './publisher.mjs'

const schema = buildSchema(`
  type Message { id: ID!  seq: Int!  role: String!  content: String  createdAt: String! }
  type MessageEdge { cursor: String!  node: Message! }
  type Query { ready: Boolean }
  type Subscription { messageAppended(conversationId: ID!): MessageEdge! }
`)
const eventTarget = new EventTarget()
setMaxListeners(0, eventTarget)
const pubSub = createPubSub({ eventTarget })
const roots = {
  subscription: {
    messageAppended: ({ conversationId }) => pubSub.subscribe('appended', conversationId),
  },
}

const server = createServer(
  publisher((conversationId, edge) => pubSub.publish('appended', conversationId, { messageAppended: edge })),
)
useServer({ schema, roots }, new WebSocketServer({ server, path: '/graphql' }))
server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/graphql`))
