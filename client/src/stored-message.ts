import type { MessageInput, PartsFormat, ToolCall } from './message-input.ts'
import type { Ask } from './request.ts'

/** A message with all that its writer gave. */
export interface StoredMessage {
  readonly id: string
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
export const storedSelection = `id role name content parts partsFormat toolCalls { callId name arguments type extra }
  toolName toolCallId toolError finishReason usage metadata clientId status deletedAt`

const pageQuery = `query ($id: ID!, $after: String) { conversation(id: $id) { messages(first: 100, after: $after) {
  nodes { ${storedSelection} } pageInfo { hasNextPage endCursor }
} } }`

interface Page {
  readonly nodes: readonly StoredMessage[]
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
}

/** All messages that are there and not streaming, oldest first; none of a conversation that is missing. */
export async function readMessages(ask: Ask, conversationId: string): Promise<StoredMessage[]> {
  const messages: StoredMessage[] = []
  let after: string | null = null
  for (;;) {
    const data = await ask(pageQuery, { id: conversationId, after })
    const page: Page | undefined = (data.conversation as { messages: Page } | null)?.messages
    if (page === undefined) return messages
    messages.push(...page.nodes.filter(({ status, deletedAt }) => status !== 'STREAMING' && deletedAt === null))
    if (!page.pageInfo.hasNextPage) return messages
    after = page.pageInfo.endCursor
  }
}
