import { type Client, createClient, type FormattedExecutionResult } from 'graphql-ws'
import { Inbox } from './inbox.ts'
import { resumable } from './resumable.ts'

export interface FollowOptions {
  /** Of the server's GraphQL, `https://…/graphql` or `wss://…`. */
  readonly url: string
  readonly conversationId: string
  /** The cursor to begin after: `""` is the beginning; absent or null is where the conversation stands now. */
  readonly after?: string | null
  /** Fields of `Message`. */
  readonly selection?: string
  /** Credentials; a function is asked before every connection, and so gives a fresh token after the old one expired. */
  readonly connectionParams?: ConnectionParams | (() => ConnectionParams | Promise<ConnectionParams>)
  /** Ends it, without an error. */
  readonly signal?: AbortSignal
  /** Instead of the global WebSocket. */
  readonly webSocketImpl?: unknown
  /** In milliseconds; a connection that is silent for so long, though it was asked, is given up. */
  readonly timeoutMs?: number
  /** Told why a connection was lost or refused, and in how many milliseconds it tries again. */
  readonly onRetry?: (reason: unknown, waitMs: number) => void
}

type ConnectionParams = Record<string, unknown>

/** A message as it is selected unless `selection` says otherwise. */
export interface FollowedMessage {
  readonly id: string
  readonly seq: number
  readonly role: 'SYSTEM' | 'DEVELOPER' | 'USER' | 'ASSISTANT' | 'TOOL'
  readonly name: string | null
  readonly content: string | null
  readonly parts: readonly unknown[] | null
  readonly toolCalls: readonly { readonly callId: string; readonly name: string; readonly arguments: string }[]
  readonly toolCallId: string | null
  readonly metadata: Readonly<Record<string, unknown>>
  readonly clientId: string | null
  readonly status: 'STREAMING' | 'COMPLETE' | 'FAILED' | 'CANCELLED'
  readonly createdAt: string
}

const defaultSelection = `id seq role name content parts toolCalls { callId name arguments } toolCallId metadata clientId
  status createdAt`

/** The messages of a conversation, and where whoever takes them stands. */
export interface Following<Message> extends AsyncIterableIterator<Message> {
  /** Of the last message that was taken: keep it, and begin after it the next time. null: it has no place yet. */
  readonly cursor: string | null
}

/** What the server answered, where trying again would not help. */
export class FollowError extends Error {
  override readonly name = 'FollowError'
  /** `CURSOR_EXPIRED`, `NOT_FOUND`, … */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Every message of a conversation after a cursor, each once and in order, through whatever happens to the connection: it
 * tries again for ever. Ends when the conversation is deleted.
 *
 * @throws FollowError from the iteration: CURSOR_EXPIRED when the conversation was deleted and made anew, NOT_FOUND when
 *   there is none, and what the server says of a request that it does not understand
 */
export function followConversation<Message = FollowedMessage>(options: FollowOptions): Following<Message> {
  return new Follower<Message>(options)
}

interface Taken<Message> {
  readonly cursor: string
  readonly message: Message
}

type Result = FormattedExecutionResult<Record<string, unknown>, unknown>

/** Its own fault, or no conversation: it would be the same the next time. */
const finalCodes = [
  'CURSOR_EXPIRED',
  'NOT_FOUND',
  'BAD_USER_INPUT',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
]

const shortestWait = 250
const longestWait = 10_000
/** With so many messages that nobody has taken, the server is to keep the rest. */
const longestInbox = 1_000

/**
 *     idle ── next() ──▶ following ── complete, a final error, abort, return() ──▶ over
 *                          │    ▲
 *            lost, refused ▼    │ after a while
 *                         waiting
 */
class Follower<Message> implements Following<Message> {
  readonly #options: FollowOptions
  readonly #inbox: Inbox<Taken<Message>>
  readonly #over = new AbortController()
  readonly #query: string
  #client: Client | null = null
  #cursor: string | null
  /** Of the last message that has come. */
  #place: string | null
  #failures = 0
  #connectedAt: number | null = null
  #silence: ReturnType<typeof setTimeout> | undefined

  constructor(options: FollowOptions) {
    this.#options = options
    this.#cursor = options.after ?? null
    this.#place = this.#cursor
    this.#query = `subscription ($id: ID!, $after: String) {
      messageAppended(conversationId: $id, after: $after) { node { ${options.selection ?? defaultSelection} } }
    }`
    this.#inbox = new Inbox(() => this.#end())
  }

  get cursor(): string | null {
    return this.#cursor
  }

  async next(): Promise<IteratorResult<Message, undefined>> {
    if (this.#client === null) this.#begin()
    const taken = await this.#inbox.next()
    if (taken.done) return taken
    this.#cursor = taken.value.cursor
    return { done: false, value: taken.value.message }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    return this.#inbox.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #begin(): void {
    const { signal } = this.#options
    this.#client = resumable(this.#createClient())
    const abort = () => this.#inbox.return()
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true, signal: this.#over.signal })
    void this.#run(this.#client)
  }

  async #run(client: Client): Promise<void> {
    while (!this.#over.signal.aborted) {
      try {
        this.#place ??= await this.#readCursor(client)
        this.#cursor ??= this.#place
        if ((await this.#follow(client, this.#place)) === 'full') await this.#inbox.emptied()
        else this.#end()
      } catch (reason) {
        if (reason instanceof FollowError) this.#end(reason)
        else await this.#wait(reason)
      }
    }
  }

  /** Takes messages until the feed is complete, or more of them wait than should. */
  #follow(client: Client, after: string): Promise<'complete' | 'full'> {
    return this.#subscribe<'complete' | 'full'>(client, { query: this.#query, after }, 'complete', (result, settle) => {
      const { cursor } = (result.extensions ?? {}) as { cursor?: unknown }
      if (typeof cursor !== 'string') throw refusal(result.errors)
      // What could not be read whole is asked for again, and not passed over.
      if (result.errors !== undefined) throw result.errors
      const edge = result.data?.messageAppended as { node: Message }
      this.#place = cursor
      this.#failures = 0
      this.#inbox.push({ cursor, message: edge.node })
      if (this.#inbox.size >= longestInbox) settle('full')
    })
  }

  /** Where the conversation stands: begun without a place, a feed that is lost before its first message would miss some. */
  #readCursor(client: Client): Promise<string> {
    const query = 'query ($id: ID!) { conversation(id: $id) { cursor } }'
    return this.#subscribe<string>(client, { query }, null, ({ data, errors }, settle) => {
      if (errors !== undefined) throw refusal(errors)
      const conversation = data?.conversation as { cursor: string } | null
      if (conversation === null) throw new FollowError('NOT_FOUND', 'You have no conversation of that id.')
      settle(conversation.cursor)
    })
  }

  /**
   * One operation on one connection.
   *
   * @param complete what it comes to when the server completes it; null: that is no answer
   * @param take throws what ends it, or settles it
   */
  #subscribe<Outcome>(
    client: Client,
    operation: { readonly query: string; readonly after?: string },
    complete: Outcome | null,
    take: (result: Result, settle: (outcome: Outcome) => void) => void,
  ): Promise<Outcome> {
    const { query, after } = operation
    const variables = { id: this.#options.conversationId, ...(after === undefined ? {} : { after }) }
    return new Promise<Outcome>((resolve, reject) => {
      let isOver = false
      const end = (settle: () => void) => {
        if (isOver) return
        isOver = true
        this.#over.signal.removeEventListener('abort', abort)
        stop()
        settle()
      }
      const abort = () => end(() => reject(this.#over.signal.reason))
      this.#over.signal.addEventListener('abort', abort)
      const stop = client.subscribe<Record<string, unknown>>(
        { query, variables },
        {
          next: (result) => {
            if (isOver) return
            try {
              take(result, (outcome) => end(() => resolve(outcome)))
            } catch (error) {
              end(() => reject(error))
            }
          },
          error: (error) => end(() => reject(Array.isArray(error) ? refusal(error) : error)),
          complete: () =>
            end(() => (complete === null ? reject(new Error('It ended without an answer.')) : resolve(complete))),
        },
      )
    })
  }

  async #wait(reason: unknown): Promise<void> {
    if (this.#over.signal.aborted) return
    const lasted = this.#connectedAt === null ? 0 : Date.now() - this.#connectedAt
    this.#connectedAt = null
    if (lasted > longestWait) this.#failures = 0
    // All the way down to nothing: thousands of clients that were cut together come again apart.
    const wait = Math.random() * Math.min(longestWait, shortestWait * 2 ** this.#failures)
    this.#failures += 1
    this.#options.onRetry?.(reason, wait)
    await new Promise<void>((resolve) => {
      const { signal } = this.#over
      const end = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, wait)
      signal.addEventListener('abort', end)
    })
  }

  #createClient(): Client {
    const { url, connectionParams, webSocketImpl = globalThis.WebSocket, timeoutMs = 15_000 } = this.#options
    const hear = () => {
      clearTimeout(this.#silence)
      if (!this.#over.signal.aborted) this.#silence = setTimeout(() => client.terminate(), timeoutMs)
    }
    const rest = () => clearTimeout(this.#silence)
    const client = createClient({
      url: url.replace(/^http/, 'ws'),
      ...(connectionParams === undefined ? {} : { connectionParams }),
      webSocketImpl: quiet(webSocketImpl as typeof WebSocket),
      // What is lost is begun again here, without a number of attempts and with other waits.
      retryAttempts: 0,
      keepAlive: timeoutMs / 3,
      on: {
        connecting: hear,
        message: hear,
        closed: rest,
        error: rest,
        connected: () => {
          this.#connectedAt = Date.now()
        },
      },
    })
    return client
  }

  #end(error?: FollowError): void {
    if (error === undefined) this.#inbox.finish()
    else this.#inbox.fail(error)
    this.#over.abort()
    clearTimeout(this.#silence)
    const client = this.#client
    if (client === null) return
    // Both are needed: the one does not end a connection that is still being made, the other would end one without a word.
    void Promise.resolve(client.dispose()).catch(() => {})
    if (this.#connectedAt === null) client.terminate()
  }
}

function refusal(errors: readonly { message: string; extensions?: unknown }[] | undefined): unknown {
  const error = errors?.[0]
  const { code } = (error?.extensions ?? {}) as { code?: unknown }
  if (typeof code === 'string' && finalCodes.includes(code)) return new FollowError(code, error?.message ?? code)
  return errors ?? new Error('The server sent a result without a cursor.')
}

/** The socket of Node's `ws` throws what fails after the client has given it up; here somebody always listens. */
function quiet(implementation: typeof WebSocket): typeof WebSocket {
  if (implementation === undefined) throw new Error('There is no global WebSocket here; pass one as webSocketImpl.')
  return class extends implementation {
    constructor(...args: ConstructorParameters<typeof WebSocket>) {
      super(...args)
      this.addEventListener('error', () => {})
    }
  }
}
