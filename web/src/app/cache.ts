import { InMemoryCache } from '@apollo/client'
import { cacheSizes, relayStylePagination } from '@apollo/client/utilities'

/**
 * So many results of reading the cache are remembered: enough for a list of some hundred conversations. Each change of a
 * conversation leaves some that nobody asks for again, and Apollo keeps 50,000 of them.
 */
cacheSizes['inMemoryCache.executeSelectionSet'] = 2_000
cacheSizes['inMemoryCache.executeSubSelectedArray'] = 500

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
