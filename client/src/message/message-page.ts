import type { Ask } from '../connection/request.ts'
import { messageSelection } from '../schema/selections.ts'
import type { Message, MessageConnection } from '../schema/types.ts'

/** The messages of the active path that are there and not streaming, oldest first; none of a conversation that is missing. */
export async function readActivePath(ask: Ask, conversationId: string): Promise<Message[]> {
  const { conversation } = (await ask(leafQuery, { id: conversationId })) as unknown as Led
  const branch = conversation?.activeLeaf?.id
  if (branch === undefined) return []
  const messages = await readPages(ask, { id: conversationId, branch })
  return messages.filter(({ status, deletedAt }) => status !== 'STREAMING' && deletedAt === null)
}

interface Led {
  readonly conversation: { readonly activeLeaf: { readonly id: string } | null } | null
}

const leafQuery = `query ($id: ID!) { conversation(id: $id) { activeLeaf { id } } }`

/** The messages of all branches by seq, with those that were deleted or are streaming. */
export function readAllBranches(ask: Ask, conversationId: string): Promise<Message[]> {
  return readPages(ask, { id: conversationId, branch: null })
}

const pageQuery = `query ($id: ID!, $branch: ID, $after: String) { conversation(id: $id) {
  messages(first: 100, branch: $branch, after: $after) { nodes { ${messageSelection} } pageInfo { hasNextPage endCursor } }
} }`

type Page = Pick<MessageConnection, 'nodes' | 'pageInfo'>

async function readPages(ask: Ask, of: { readonly id: string; readonly branch: string | null }): Promise<Message[]> {
  const messages: Message[] = []
  let after: string | null = null
  for (;;) {
    const data = await ask(pageQuery, { ...of, after })
    const page: Page | undefined = (data.conversation as { messages: Page } | null)?.messages
    if (page === undefined) return messages
    messages.push(...page.nodes)
    if (!page.pageInfo.hasNextPage) return messages
    after = page.pageInfo.endCursor
  }
}
