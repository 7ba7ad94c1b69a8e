import { createClient } from 'graphql-ws'
import type { Logger } from 'pino'
import { WebSocket } from 'ws'
import { type Ask, request, withConnection } from '../../client/src/connection/request.ts'
import { resumable, type SubscribingClient } from '../../client/src/connection/resumable.ts'
import { type ChatClient, runChatTurn } from '../../client/src/openai.ts'
import type { AssistantConfig } from '../config.ts'
import { fetchModel } from './fetch-model.ts'
import { scriptedModel } from './scripted-model.ts'
import { callPerson, tools } from './tools.ts'

/** What a conversation's metadata has whose questions the assistant answers. */
const marked = { assistant: 'built-in' }

/** Most users whose lists are followed. Those who come later are answered by their own agents alone. */
const mostUsers = 100
const maxTokens = 16_000
const system =
  'You are the assistant that is built into Colloquy, a conversation server. Answer briefly, in Markdown. If a tool helps, call it.'

/**
 * An assistant for development, so that a page has somebody to talk to. It is a client of this server as any agent is, and does
 * nothing until somebody opens a page: then it follows that user's list, and answers where a conversation is marked for
 * it and its active path ends with a message of the user.
 *
 * The client id of an answer is made from the question's id and from how many answers the question has, so of several
 * servers that hear of one question only one answers. To answer anew is to make the question the active leaf again.
 */
export class Assistant implements AsyncDisposable {
  readonly #url: () => string
  readonly #log: Logger
  readonly #model: ChatClient
  readonly #modelName: string
  readonly #over = new AbortController()
  readonly #users = new Map<string, () => void>()
  /** The last of them, by the question. */
  readonly #answering = new Map<string, Promise<void>>()

  /** @param url of this server's GraphQL, once it listens */
  constructor({ model }: AssistantConfig, url: () => string, log: Logger) {
    this.#url = url
    this.#log = log
    this.#model = model === null ? scriptedModel : fetchModel(model)
    this.#modelName = model?.name ?? 'scripted'
  }

  /** Follows a user's list, from what is in it now. */
  attend(userId: string): void {
    if (this.#users.has(userId) || this.#users.size >= mostUsers || this.#over.signal.aborted) return
    const client = createClient({
      url: this.#url().replace('http', 'ws'),
      connectionParams: { 'x-user-id': userId },
      webSocketImpl: WebSocket,
      retryAttempts: Number.POSITIVE_INFINITY,
      shouldRetry: () => true,
    })
    this.#users.set(userId, () => void client.dispose())
    const following = this.#follow(userId, resumable(client)).catch((error) => {
      // The next page that opens tries again.
      this.#users.delete(userId)
      throw error
    })
    this.#inBackground(following)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort(new Error('The server stops.'))
    for (const leave of this.#users.values()) leave()
    await Promise.allSettled(this.#answering.values())
  }

  /** What was asked before, and then what changes after that. */
  async #follow(userId: string, client: SubscribingClient): Promise<void> {
    const { conversations } = (await request(this.#at(userId), recentQuery, { metadata: marked })) as unknown as Recent
    if (this.#over.signal.aborted) return
    for (const conversation of conversations.nodes) this.#look(userId, conversation)
    client.subscribe(
      { query: listQuery, variables: { after: conversations.cursor } },
      {
        next: (result) => this.#look(userId, (result as ListResult).data?.conversationsChanged.conversation),
        error: (error) => this.#log.warn({ err: error }, 'the assistant does not hear of new questions any more'),
        complete: () => {},
      },
    )
  }

  #look(userId: string, conversation: Listed | undefined): void {
    // In a conversation of another user, that one's assistant answers.
    if (conversation?.metadata.assistant !== marked.assistant || conversation.userId !== userId) return
    const { id, activeLeaf } = conversation
    if (activeLeaf?.role !== 'USER' || activeLeaf.deletedAt !== null) return
    // It may be asked anew before this server knows that its answer is whole.
    const before = this.#answering.get(activeLeaf.id) ?? Promise.resolve()
    const answering = before.catch(() => {}).then(() => this.#answer(userId, id, activeLeaf.id))
    this.#answering.set(activeLeaf.id, answering)
    const forget = () => {
      if (this.#answering.get(activeLeaf.id) === answering) this.#answering.delete(activeLeaf.id)
    }
    this.#inBackground(answering.finally(forget))
  }

  async #answer(userId: string, conversationId: string, questionId: string): Promise<void> {
    const at = { ...this.#at(userId), conversationId }
    const answers = await withConnection(at, (ask) => countAnswers(ask, conversationId, questionId))
    if (answers === null) return
    const wait = (reason: string) => request(this.#at(userId), waitMutation, { id: conversationId, reason })
    await runChatTurn({
      ...at,
      client: this.#model,
      model: this.#modelName,
      parentId: questionId,
      turnId: turnId(questionId, answers),
      system,
      maxTokens,
      tools: { ...tools, call_person: callPerson(wait) },
    })
  }

  #at(userId: string) {
    return {
      url: this.#url(),
      connectionParams: { 'x-user-id': userId },
      webSocketImpl: WebSocket,
      signal: this.#over.signal,
    }
  }

  #inBackground(work: Promise<void>): void {
    work.catch((error) => {
      if (!this.#over.signal.aborted) this.#log.info({ err: error }, 'the assistant did not answer')
    })
  }
}

function turnId(questionId: string, answers: number): string {
  return `answer/${questionId}/${answers}`
}

/** How many answers a question has; null: it is not the active leaf any more. */
async function countAnswers(ask: Ask, id: string, questionId: string): Promise<number | null> {
  const first = `${turnId(questionId, 0)}/0`
  const before = (await ask(answersQuery, { id, clientId: first })) as unknown as Answers
  // Asked after the answers were counted: if another server has begun meanwhile, the question is not the leaf any more.
  const now = (await ask(leafQuery, { id })) as unknown as Leaf
  return now.conversation?.activeLeaf?.id === questionId ? (before.conversation?.message?.siblings.count ?? 0) : null
}

const listed = 'id userId metadata activeLeaf { id role deletedAt }'

const listQuery = `subscription ($after: String) { conversationsChanged(after: $after) {
  cursor ... on ConversationListed { conversation { ${listed} } }
} }`

const recentQuery = `query ($metadata: JSONObject!) {
  conversations(first: 10, filter: { metadata: $metadata }) { cursor nodes { ${listed} } }
}`

const answersQuery = `query ($id: ID!, $clientId: String!) { conversation(id: $id) {
  message(clientId: $clientId) { id siblings { count } }
} }`

const waitMutation = `mutation ($id: ID!, $reason: String!) {
  waitForPerson(input: { conversationId: $id, reason: $reason }) { conversation { id } }
}`

const leafQuery = 'query ($id: ID!) { conversation(id: $id) { activeLeaf { id } } }'

interface Listed {
  readonly id: string
  readonly userId: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly activeLeaf: { readonly id: string; readonly role: string; readonly deletedAt: string | null } | null
}

interface ListResult {
  readonly data?: { readonly conversationsChanged: { readonly conversation?: Listed } }
}

interface Recent {
  readonly conversations: { readonly cursor: string; readonly nodes: readonly Listed[] }
}

interface Answers {
  readonly conversation: {
    readonly message: { readonly siblings: { readonly count: number } } | null
  } | null
}

interface Leaf {
  readonly conversation: { readonly activeLeaf: { readonly id: string } | null } | null
}
