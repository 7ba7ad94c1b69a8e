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
 *
 * While a call waits for people, nothing of the turn is held: what they answer is a change of the conversation, and then the
 * turn is run again, which goes on where it was. Where a person has taken a conversation over, it is silent.
 */
export class Assistant implements AsyncDisposable {
  readonly #url: () => string
  readonly #log: Logger
  readonly #model: ChatClient
  readonly #modelName: string
  readonly #over = new AbortController()
  readonly #users = new Map<string, () => void>()
  /** Who has a conversation, or had it until now, and the message that this person said last before handing it back. */
  readonly #takenOver = new Map<string, { readonly by: string; readonly lastWords: string | null }>()
  /** The last of them, by the message that is answered. */
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
    const { id, activeLeaf: leaf } = conversation
    const isOfPeople = this.#isOfPeople(userId, conversation)
    const task = leaf === null ? null : taskOf(leaf, userId)
    if (leaf === null || task === null || isOfPeople) return
    // It may be asked anew before this server knows that its answer is whole.
    const before = this.#answering.get(leaf.id) ?? Promise.resolve()
    const answering = before.catch(() => {}).then(() => this.#answer(userId, id, leaf.id, task))
    this.#answering.set(leaf.id, answering)
    const forget = () => {
      if (this.#answering.get(leaf.id) === answering) this.#answering.delete(leaf.id)
    }
    this.#inBackground(answering.finally(forget))
  }

  /** Whether a person has the conversation, or spoke last before handing it back: that was said to the others. */
  #isOfPeople(userId: string, { id, takenOverBy, activeLeaf: leaf }: Listed): boolean {
    const key = `${userId} ${id}`
    if (takenOverBy !== null) {
      this.#takenOver.set(key, { by: takenOverBy, lastWords: null })
      return true
    }
    const taken = this.#takenOver.get(key)
    if (taken === undefined || leaf === null) return false
    const isTheirs = leaf.role === 'USER' && leaf.author.userId === taken.by
    if (taken.lastWords === null && isTheirs) this.#takenOver.set(key, { ...taken, lastWords: leaf.id })
    else if (taken.lastWords !== leaf.id) this.#takenOver.delete(key)
    return this.#takenOver.has(key)
  }

  async #answer(userId: string, conversationId: string, leafId: string, task: Task): Promise<void> {
    const at = { ...this.#at(userId), conversationId }
    const answers = await withConnection(at, (ask) => countAnswers(ask, conversationId, leafId, task))
    if (answers === null) return
    const wait = (reason: string) => request(this.#at(userId), waitMutation, { id: conversationId, reason })
    await runChatTurn({
      ...at,
      client: this.#model,
      model: this.#modelName,
      parentId: task.questionId,
      turnId: turnId(task.questionId, answers),
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

/** A question, or a turn of this assistant whose calls waited for people. */
interface Task {
  readonly questionId: string
  /** How many answers there were before that turn; null: the question is to be answered. */
  readonly answers: number | null
}

/** What there is to do about the last message of a conversation; null: nothing. */
function taskOf({ id, role, deletedAt, status, clientId, metadata, author }: Leaf, userId: string): Task | null {
  if (deletedAt !== null) return null
  if (role === 'USER') return { questionId: id, answers: null }
  const isWaiting = status === 'COMPLETE' && metadata.needsApproval !== undefined && author.userId === userId
  const [, questionId, answers] = (isWaiting && turnOf.exec(clientId ?? '')) || []
  return questionId === undefined ? null : { questionId, answers: Number(answers) }
}

function turnId(questionId: string, answers: number): string {
  return `answer/${questionId}/${answers}`
}

const turnOf = /^answer\/(.+)\/(\d+)\/[\d.]+$/

/** How many answers the question had before this turn; null: there is nothing to do any more. */
async function countAnswers(ask: Ask, id: string, leafId: string, task: Task): Promise<number | null> {
  const { questionId } = task
  const before = task.answers ?? (await countVersions(ask, id, `${turnId(questionId, 0)}/0`))
  // Asked after the answers were counted: if another server has begun meanwhile, the message is not the leaf any more.
  const { conversation } = (await ask(leafQuery, { id })) as unknown as Leaves
  return conversation?.takenOverBy === null && conversation.activeLeaf?.id === leafId ? before : null
}

async function countVersions(ask: Ask, id: string, clientId: string): Promise<number> {
  const { conversation } = (await ask(answersQuery, { id, clientId })) as unknown as Answers
  return conversation?.message?.siblings.count ?? 0
}

const listed =
  'id userId metadata takenOverBy activeLeaf { id role deletedAt status clientId metadata author { userId } }'

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

const leafQuery = 'query ($id: ID!) { conversation(id: $id) { takenOverBy activeLeaf { id } } }'

interface Leaf {
  readonly id: string
  readonly role: string
  readonly deletedAt: string | null
  readonly status: string
  readonly clientId: string | null
  readonly metadata: Readonly<Record<string, unknown>>
  readonly author: { readonly userId: string }
}

interface Listed {
  readonly id: string
  readonly userId: string
  readonly metadata: Readonly<Record<string, unknown>>
  readonly takenOverBy: string | null
  readonly activeLeaf: Leaf | null
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

interface Leaves {
  readonly conversation: {
    readonly takenOverBy: string | null
    readonly activeLeaf: { readonly id: string } | null
  } | null
}
