/** The package's entrance for LangChain.js, `@colloquy/client/langchain`. */
import { BaseListChatMessageHistory } from '@langchain/core/chat_history'
import type { BaseMessage } from '@langchain/core/messages'
import { type Ask, RequestError, type RequestOptions, withConnection } from './connection/request.ts'
import { inBatches } from './message/message-batch.ts'
import { readActivePath } from './message/message-page.ts'
import { drawnId, longestId, toInput, toMessage } from './sdk/langchain-message.ts'

export interface ChatMessageHistoryOptions extends RequestOptions {
  /** Comes to be with its first message. */
  readonly conversationId: string
}

/**
 * The messages of a conversation as LangChain's own. A message's id is its client id: adding it again happens once. One
 * without an id gets a client id that stays with the object, so that a call that has failed may be made again.
 */
export class ColloquyChatMessageHistory extends BaseListChatMessageHistory {
  override lc_namespace = ['colloquy', 'chat_history']
  readonly #options: ChatMessageHistoryOptions
  #clientIds = new WeakMap<BaseMessage, string>()
  /** Set by `clear`: ids that were used before it stand for messages that are gone. */
  #life = ''
  /** What is written goes in the order of the calls, whether or not somebody waits for each. */
  #written: Promise<unknown> = Promise.resolve()

  constructor(options: ChatMessageHistoryOptions) {
    // Not the options: LangChain would write what it is given into its traces.
    super()
    this.#options = options
  }

  /** The messages of the active path, oldest first; those that are still streaming are left out. */
  override async getMessages(): Promise<BaseMessage[]> {
    const stored = await withConnection(this.#options, (ask) => readActivePath(ask, this.#options.conversationId))
    return stored.filter((message) => message.status === 'COMPLETE' || message.content !== null).map(toMessage)
  }

  override addMessage(message: BaseMessage): Promise<void> {
    return this.addMessages([message])
  }

  /**
   * Stores up to 100 messages whole or not at all; more, or more than 3 MiB, in batches that are. Made again after an
   * error it stores what is missing.
   *
   * @throws RequestError CONFLICT, reason CLIENT_ID, when a message of that id is there with another content
   */
  override async addMessages(messages: BaseMessage[]): Promise<void> {
    const { conversationId } = this.#options
    const inputs = messages.map((message) => toInput(message, this.#clientIdOf(message)))
    await this.#inTurn(async (ask) => {
      for (const batch of inBatches(inputs)) {
        await ask(append, { input: { conversationId, ifMissing: 'CREATE', messages: batch } })
      }
    })
  }

  /** Deletes all messages; the conversation stays. */
  override async clear(): Promise<void> {
    this.#life = `~${crypto.randomUUID()}`
    this.#clientIds = new WeakMap()
    await this.#inTurn(async (ask) => {
      try {
        await ask(clear, { input: { id: this.#options.conversationId } })
      } catch (error) {
        if (!(error instanceof RequestError && error.code === 'NOT_FOUND')) throw error
      }
    })
  }

  #inTurn(write: (ask: Ask) => Promise<void>): Promise<void> {
    const written = this.#written.then(() => withConnection(this.#options, write))
    this.#written = written.catch(() => {})
    return written
  }

  #clientIdOf(message: BaseMessage): string {
    const known = this.#clientIds.get(message)
    if (known !== undefined) return known
    const { id = '' } = message
    const isUsable = id !== '' && id.length <= longestId
    const clientId = isUsable ? id + this.#life : drawnId + crypto.randomUUID()
    this.#clientIds.set(message, clientId)
    return clientId
  }
}

const append = `mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { conversation { lastSeq } } }`
const clear = `mutation ($input: ClearConversationInput!) { clearConversation(input: $input) { conversation { lastSeq } } }`
