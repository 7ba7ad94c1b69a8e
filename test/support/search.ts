import type { Api } from './api.ts'
import { until } from './until.ts'

const document = `query ($query: String!, $conversationId: ID, $from: DateTime, $to: DateTime, $roles: [MessageRole!], $first: Int, $after: String) {
  searchMessages(query: $query, conversationId: $conversationId, from: $from, to: $to, roles: $roles, first: $first, after: $after) {
    edges { cursor score snippet { text ranges { start end } } node { seq content conversationId } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`

export interface FoundEdge {
  readonly cursor: string
  readonly score: number
  readonly snippet: {
    readonly text: string
    readonly ranges: readonly { readonly start: number; readonly end: number }[]
  }
  readonly node: { readonly seq: number; readonly content: string; readonly conversationId: string }
}

export async function searchPage(api: Api, query: string, more: Record<string, unknown> = {}) {
  const { searchMessages } = await api.get(document, { query, ...more })
  return searchMessages as { readonly edges: readonly FoundEdge[]; readonly pageInfo: Record<string, unknown> }
}

/** What a search finds on its first page, best first. */
export async function search(api: Api, query: string, more: Record<string, unknown> = {}) {
  return (await searchPage(api, query, more)).edges
}

/** The error of a search that must have one. */
export function failSearch(api: Api, query: string, more: Record<string, unknown> = {}) {
  return api.fail(document, { query, ...more })
}

let marks = 0

/** Waits until everything that the conversation has now can be found: what was appended last is indexed last. */
export async function searching(api: Api, conversationId: string): Promise<void> {
  const mark = `mark${++marks}x`
  const { message } = await api.append(conversationId, mark)
  await until(async () => (await search(api, `"${mark}"`, { conversationId })).length === 1)
  await api.get('mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { seq } } }', {
    id: message.id,
  })
}
