import type { ApolloClient } from '@apollo/client'
import { useEffect } from 'react'
import { useIsLookedAt } from '../app/focus.ts'
import { titleUnread } from '../app/page-title.ts'
import { type ListedFragment, UnreadOfDocument } from '../gql/graphql.ts'

/** The server counts so far, and means so many or more. */
const mostCounted = 100
/** So many objects may be asked for at once. */
const mostNodes = 100

export interface Unread {
  readonly messages: number
  readonly mentions: number
}

/** What there is to read in each conversation, by its id. What comes while one looks at it is read at once, and not counted. */
export function useUnread(conversations: readonly ListedFragment[], current: string | null): Map<string, Unread> {
  const isLookedAt = useIsLookedAt()
  const unread = new Map<string, Unread>()
  for (const { id, unreadCount, unreadMentions } of conversations) {
    if (!unreadCount || (isLookedAt && id === current)) continue
    unread.set(id, { messages: unreadCount, mentions: unreadMentions ?? 0 })
  }
  return unread
}

/** The title of the document says in how many conversations there is something to read. */
export function useUnreadTitle(conversations: readonly ListedFragment[], current: string | null): void {
  const { size } = useUnread(conversations, current)
  useEffect(() => titleUnread(size), [size])
}

export function sayCount(count: number): string {
  return count >= mostCounted ? `${mostCounted}+` : String(count)
}

/** Asks again where something was unread: a feed of the list does not tell what was read while nobody followed it. */
export async function readUnreadAgain(client: ApolloClient, conversations: readonly ListedFragment[]): Promise<void> {
  const ids = conversations.flatMap(({ id, unreadCount }) => (unreadCount ? [id] : [])).slice(0, mostNodes)
  if (ids.length === 0) return
  await client.query({ query: UnreadOfDocument, variables: { ids }, fetchPolicy: 'network-only' })
}
