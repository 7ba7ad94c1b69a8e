import type { ApolloCache } from '@apollo/client'
import { useApolloClient, useQuery } from '@apollo/client/react'
import { useEffect, useMemo } from 'react'
import {
  ConversationsDocument,
  type ConversationsQuery,
  ListChangesDocument,
  type ListedFragment,
} from '../gql/graphql.ts'
import { readUnreadAgain } from './unread.ts'

const pageSize = 40
/** Before a list that was lost is followed again. */
const pauseMs = 2_000

export interface ConversationList {
  /** Newest first. */
  readonly conversations: readonly ListedFragment[]
  readonly isLoading: boolean
  /** null: there are no more, or they are being read. */
  readonly loadMore: (() => void) | null
}

/** The conversations that are archived, or those that are not, as far as they were read. */
export function useConversations(archived: boolean): ConversationList {
  const { data, loading, fetchMore } = useQuery(ConversationsDocument, { variables: { archived, first: pageSize } })
  const list = data?.conversations
  const conversations = useMemo(
    () =>
      (list?.edges ?? [])
        .map(({ node }) => node)
        // An edge stays where it was when its conversation moves.
        .filter(({ archivedAt }) => (archivedAt !== null) === archived)
        .toSorted((one, other) => (one.updatedAt < other.updatedAt ? 1 : -1)),
    [list, archived],
  )
  const end = list?.pageInfo.hasNextPage ? list.pageInfo.endCursor : null
  const loadMore = end && !loading ? () => void fetchMore({ variables: { after: end } }) : null
  return { conversations, isLoading: loading, loadMore }
}

/** Keeps both lists as they are on the server, from the moment of the first page on. */
export function useListChanges(): void {
  const client = useApolloClient()
  useEffect(() => {
    let isOver = false
    let stop = () => {}
    const variables = { archived: false, first: pageSize }
    const begin = async () => {
      const { data } = await client.query({ query: ConversationsDocument, variables, fetchPolicy: 'network-only' })
      if (isOver) return
      const after = data?.conversations?.cursor ?? null
      const changes = client.subscribe({ query: ListChangesDocument, variables: { after } })
      const subscription = changes.subscribe(({ data, error }) => {
        const event = data?.conversationsChanged
        if (event?.__typename === 'ConversationListed') add(client.cache, event.conversationEdge)
        if (event?.__typename === 'ConversationUnlisted') remove(client.cache, event.conversationId)
        if (event?.__typename === 'ConversationListCaughtUp') {
          const list = client.cache.readQuery({ query: ConversationsDocument, variables })?.conversations
          readUnreadAgain(client, list?.edges.map(({ node }) => node) ?? []).catch(console.warn)
        }
        if (error) again(error)
      })
      stop = () => subscription.unsubscribe()
    }
    // Of a cursor that has expired, and of a server that could not read.
    const again = (error: unknown) => {
      stop()
      if (isOver) return
      console.warn(error)
      const timer = setTimeout(() => begin().catch(again), pauseMs)
      stop = () => clearTimeout(timer)
    }
    begin().catch(again)
    return () => {
      isOver = true
      stop()
    }
  }, [client])
}

type Edge = NonNullable<ConversationsQuery['conversations']>['edges'][number]

function add(cache: ApolloCache, edge: Edge): void {
  const variables = { archived: edge.node.archivedAt !== null, first: pageSize }
  cache.updateQuery({ query: ConversationsDocument, variables }, (data) => {
    const list = data?.conversations
    if (!list || list.edges.some(({ node }) => node.id === edge.node.id)) return data
    return { ...data, conversations: { ...list, edges: [edge, ...list.edges] } }
  })
}

function remove(cache: ApolloCache, id: string): void {
  cache.evict({ id: cache.identify({ __typename: 'Conversation', id }) })
  cache.gc()
}
