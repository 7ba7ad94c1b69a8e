import type { ApolloClient } from '@apollo/client'
import { ExportedPageDocument } from '../gql/graphql.ts'

/** Saves a conversation with the messages of all its branches as a file of JSON. */
export async function exportConversation(client: ApolloClient, id: string): Promise<void> {
  const messages: unknown[] = []
  let after: string | null = null
  let conversation: Record<string, unknown> | null = null
  do {
    const { data } = (await client.query({
      query: ExportedPageDocument,
      variables: { id, after },
      fetchPolicy: 'no-cache',
    })) as { data?: { conversation?: PagedConversation | null } }
    if (!data?.conversation) return
    const { messages: page, ...fields } = data.conversation
    conversation = fields
    messages.push(...page.nodes)
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null
  } while (after !== null)
  const text = JSON.stringify({ ...conversation, messages }, withoutTypes, 2)
  save(
    `${
      String(conversation.title ?? 'conversation')
        .replace(/[^\p{L}\p{N} _-]+/gu, '')
        .trim() || 'conversation'
    }.json`,
    text,
  )
}

interface PagedConversation extends Record<string, unknown> {
  readonly messages: {
    readonly nodes: readonly unknown[]
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
  }
}

function withoutTypes(key: string, value: unknown): unknown {
  return key === '__typename' ? undefined : value
}

function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  const link = Object.assign(document.createElement('a'), { href: url, download: name })
  link.click()
  URL.revokeObjectURL(url)
}
