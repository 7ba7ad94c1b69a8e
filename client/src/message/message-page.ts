import type { Ask } from '../connection/request.ts'
import type { MessageInput, PartsFormat, ToolCall } from './message-batch.ts'

/** A message with all that its writer gave. */
export interface StoredMessage {
  readonly id: string
  /** The `id` of the message that it continues; null of a first one. */
  readonly parentId: string | null
  readonly revision: string
  readonly role: MessageInput['role']
  readonly name: string | null
  readonly content: string | null
  readonly parts: readonly unknown[] | null
  readonly partsFormat: PartsFormat | null
  readonly toolCalls: readonly ToolCall[]
  readonly toolName: string | null
  readonly toolCallId: string | null
  readonly toolError: boolean | null
  readonly finishReason: string | null
  readonly usage: Readonly<Record<string, unknown>> | null
  readonly metadata: Readonly<Record<string, unknown>>
  readonly clientId: string | null
  readonly status: 'STREAMING' | 'COMPLETE' | 'FAILED' | 'CANCELLED'
  readonly deletedAt: string | null
}

/** The fields of a `StoredMessage`. */
export const storedSelection = `id parentId revision role name content parts partsFormat
  toolCalls { callId name arguments type extra } toolName toolCallId toolError finishReason usage metadata clientId
  status deletedAt`

/** The messages of the active path that are there and not streaming, oldest first; none of a conversation that is missing. */
export async function readActivePath(ask: Ask, conversationId: string): Promise<StoredMessage[]> {
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
export function readAllBranches(ask: Ask, conversationId: string): Promise<StoredMessage[]> {
  return readPages(ask, { id: conversationId, branch: null })
}

const pageQuery = `query ($id: ID!, $branch: ID, $after: String) { conversation(id: $id) {
  messages(first: 100, branch: $branch, after: $after) { nodes { ${storedSelection} } pageInfo { hasNextPage endCursor } }
} }`

interface Page {
  readonly nodes: readonly StoredMessage[]
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
}

async function readPages(
  ask: Ask,
  of: { readonly id: string; readonly branch: string | null },
): Promise<StoredMessage[]> {
  const messages: StoredMessage[] = []
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
