import { InMemoryCache } from '@apollo/client'
import { relayStylePagination } from '@apollo/client/utilities'

export function createCache(): InMemoryCache {
  return new InMemoryCache({
    possibleTypes: {
      Node: ['Conversation', 'Message', 'Viewer'],
      ConversationListEvent: ['ConversationListCaughtUp', 'ConversationListed', 'ConversationUnlisted'],
    },
    typePolicies: {
      Query: { fields: { conversations: relayStylePagination(['filter']) } },
      Subscription: { fields: { conversationsChanged: { merge: false }, conversationEvents: { merge: false } } },
    },
  })
}
