import { Connection, type ConnectionOptions, Refusal } from '../connection/connection.ts'
import { Inbox } from '../connection/inbox.ts'
import { eventSelection, messageSelection } from '../schema/selections.ts'
import type { ConversationEvent, Message } from '../schema/types.ts'

export interface FollowOptions extends ConnectionOptions {
  readonly conversationId: string
  /** The cursor to begin after: `""` is the beginning; absent or null is where the conversation stands now. */
  readonly after?: string | null
  /** Fields of `Message`; those of `messageSelection` unless given. */
  readonly selection?: string
  /** Ends it, without an error. */
  readonly signal?: AbortSignal
}

/** The events of a conversation, and where whoever takes them stands. */
export interface Following<Selected = Message> extends AsyncIterableIterator<ConversationEvent<Selected>> {
  /** Of the last event that was taken: keep it, and begin after it the next time. null: it has no place yet. */
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
 * Everything that happens in a conversation after a cursor, through whatever happens to the connection: it tries again for
 * ever. Messages are appended once each and in order. After every connection the messages that are streaming come again as
 * updated, with their text so far, and then `CaughtUp`; `applyEvent` makes a list of it all. Kinds of events that later
 * servers know come too, with their cursor. Ends when the conversation is deleted.
 *
 * @throws FollowError from the iteration: CURSOR_EXPIRED when the conversation was deleted and made anew, NOT_FOUND when
 *   there is none, and what the server says of a request that it does not understand
 */
export function followConversation<Selected = Message>(options: FollowOptions): Following<Selected> {
  return new Follower<Selected>(options)
}

/** Its own fault, or no conversation: it would be the same the next time. */
const finalCodes = [
  'CURSOR_EXPIRED',
  'NOT_FOUND',
  'BAD_USER_INPUT',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
]

/** With so many events that nobody has taken, the server is to keep the rest. */
const longestInbox = 1_000

/**
 *     idle ── next() ──▶ following ── complete, a final error, abort, return() ──▶ over
 *                          │    ▲
 *            lost, refused ▼    │ after a while
 *                         waiting
 */
class Follower<Selected> implements Following<Selected> {
  readonly #options: FollowOptions
  readonly #inbox: Inbox<ConversationEvent<Selected>>
  readonly #over = new AbortController()
  readonly #query: string
  #connection: Connection | null = null
  #cursor: string | null
  /** Of the last event that has come. */
  #place: string | null

  constructor(options: FollowOptions) {
    this.#options = options
    this.#cursor = options.after ?? null
    this.#place = this.#cursor
    this.#query = `subscription ($id: ID!, $after: String) {
      conversationEvents(conversationId: $id, after: $after) { ${selectionOf(options.selection ?? messageSelection)} }
    }`
    this.#inbox = new Inbox(() => this.#end())
  }

  get cursor(): string | null {
    return this.#cursor
  }

  async next(): Promise<IteratorResult<ConversationEvent<Selected>, undefined>> {
    if (this.#connection === null) this.#begin()
    const taken = await this.#inbox.next()
    if (!taken.done) this.#cursor = taken.value.cursor
    return taken
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    return this.#inbox.return()
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #begin(): void {
    const { signal } = this.#options
    this.#connection = new Connection(this.#options, this.#over.signal, false)
    const abort = () => this.#inbox.return()
    if (signal?.aborted) abort()
    else signal?.addEventListener('abort', abort, { once: true, signal: this.#over.signal })
    void this.#run(this.#connection)
  }

  async #run(connection: Connection): Promise<void> {
    while (!this.#over.signal.aborted) {
      try {
        this.#place ??= await this.#readCursor(connection)
        this.#cursor ??= this.#place
        if ((await this.#follow(connection, this.#place)) === 'full') await this.#inbox.emptied()
        else this.#end()
      } catch (reason) {
        const error = finalError(reason)
        if (error === null) await connection.wait(reason)
        else this.#end(error)
      }
    }
  }

  /** Takes events until the feed is complete, or more of them wait than should. */
  #follow(connection: Connection, after: string): Promise<'complete' | 'full'> {
    const variables = { id: this.#options.conversationId, after }
    return connection.run<'complete' | 'full'>({ query: this.#query, variables }, 'complete', (result, settle) => {
      const { cursor } = (result.extensions ?? {}) as { cursor?: unknown }
      // What could not be read whole is asked for again, and not passed over.
      if (typeof cursor !== 'string' || result.errors !== undefined) throw new Refusal(result.errors)
      this.#place = cursor
      connection.succeeded()
      this.#inbox.push(result.data?.conversationEvents as ConversationEvent<Selected>)
      if (this.#inbox.size >= longestInbox) settle('full')
    })
  }

  /** Where the conversation stands: begun without a place, a feed that is lost before its first event would miss some. */
  async #readCursor(connection: Connection): Promise<string> {
    const query = 'query ($id: ID!) { conversation(id: $id) { cursor } }'
    const data = await connection.ask({ query, variables: { id: this.#options.conversationId } })
    const conversation = data.conversation as { cursor: string } | null
    if (conversation === null) throw new FollowError('NOT_FOUND', 'You have no conversation of that id.')
    return conversation.cursor
  }

  #end(error?: FollowError): void {
    if (error === undefined) this.#inbox.finish()
    else this.#inbox.fail(error)
    this.#over.abort()
    this.#connection?.close()
  }
}

/** Whoever looks at the versions of messages is told when those of older ones change. */
function selectionOf(selected: string): string {
  const versions = /\bsiblings\b/.test(selected)
    ? '... on MessageAppended { changedSiblings { seq siblings { index count ids } } }'
    : ''
  return `${eventSelection(selected)} ${versions}`
}

function finalError(reason: unknown): FollowError | null {
  if (reason instanceof FollowError) return reason
  if (!(reason instanceof Refusal) || !finalCodes.includes(reason.code)) return null
  return new FollowError(reason.code, reason.message)
}
