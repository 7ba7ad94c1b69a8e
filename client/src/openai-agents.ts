/** The package's entrance for OpenAI's Agents SDK, `@colloquy/client/openai-agents`; it takes nothing of the SDK's code. */
import { type Ask, RequestError, type RequestOptions, withConnection } from './connection/request.ts'
import { inBatches } from './message/message-batch.ts'
import type { MessageConnection } from './schema/types.ts'
import { toInput, toItems } from './sdk/openai-agents-item.ts'

export interface SessionOptions extends RequestOptions {
  /** Comes to be with its first item. */
  readonly conversationId: string
}

/**
 * The `session` of a run: a `Session<AgentInputItem>` whose items are the messages of a conversation, one each. Messages that
 * other programs have stored are read as items too.
 */
export class ColloquySession<Item extends object> {
  readonly #options: SessionOptions

  constructor(options: SessionOptions) {
    this.#options = options
  }

  async getSessionId(): Promise<string> {
    return this.#options.conversationId
  }

  /** The items of the active path, oldest first. @param limit only so many of the newest; all unless given */
  getItems(limit = Number.POSITIVE_INFINITY): Promise<Item[]> {
    return withConnection(this.#options, async (ask) => {
      const newest = await this.#readNewest(ask, limit)
      const items = newest.reverse().flatMap(toItems) as Item[]
      return limit < items.length ? items.slice(items.length - limit) : items
    })
  }

  /** Up to 100 items, 3 MiB, are stored whole or not at all; more in batches that are. */
  addItems(items: readonly Item[]): Promise<void> {
    const inputs = items.map((item) => ({ ...toInput(item), clientId: crypto.randomUUID() }))
    return withConnection(this.#options, async (ask) => {
      for (const messages of inBatches(inputs)) {
        await ask(append, { input: { conversationId: this.#options.conversationId, ifMissing: 'CREATE', messages } })
      }
    })
  }

  /** Deletes the newest message. */
  popItem(): Promise<Item | undefined> {
    return withConnection(this.#options, async (ask) => {
      const [last] = await this.#readNewest(ask, 1)
      if (last === undefined) return undefined
      await ask(remove, { input: { messageId: last.id } })
      return toItems(last).at(-1) as Item | undefined
    })
  }

  /** Deletes all messages; the conversation stays. */
  async clearSession(): Promise<void> {
    try {
      await withConnection(this.#options, (ask) => ask(clear, { input: { id: this.#options.conversationId } }))
    } catch (error) {
      if (!(error instanceof RequestError && error.code === 'NOT_FOUND')) throw error
    }
  }

  /** Newest first. */
  async #readNewest(ask: Ask, limit: number) {
    const { conversationId: id } = this.#options
    const newest: MessageConnection['nodes'][number][] = []
    const { conversation } = (await ask(leafQuery, { id })) as unknown as Led
    const branch = conversation?.activeLeaf?.id
    let before: string | null = null
    while (branch !== undefined && newest.length < limit) {
      const last = Math.min(100, limit)
      const data = (await ask(pageQuery, { id, branch, last, before })) as unknown as Paged
      const page: MessageConnection | undefined = data.conversation?.messages
      if (page === undefined) break
      newest.push(
        ...page.nodes.filter(({ status, deletedAt }) => status !== 'STREAMING' && deletedAt === null).reverse(),
      )
      if (!page.pageInfo.hasPreviousPage) break
      before = page.pageInfo.startCursor
    }
    return newest.slice(0, limit)
  }
}

interface Led {
  readonly conversation: { readonly activeLeaf: { readonly id: string } | null } | null
}

interface Paged {
  readonly conversation: { readonly messages: MessageConnection } | null
}

const leafQuery = `query ($id: ID!) { conversation(id: $id) { activeLeaf { id } } }`
const pageQuery = `query ($id: ID!, $branch: ID, $last: Int!, $before: String) { conversation(id: $id) {
  messages(branch: $branch, last: $last, before: $before) { pageInfo { hasPreviousPage startCursor } nodes {
    id role content parts partsFormat toolCalls { callId name arguments type } toolName toolCallId status deletedAt } } } }`
const append = `mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { conversation { lastSeq } } }`
const remove = `mutation ($input: DeleteMessageInput!) { deleteMessage(input: $input) { message { id } } }`
const clear = `mutation ($input: ClearConversationInput!) { clearConversation(input: $input) { conversation { lastSeq } } }`
