import { type Client, createClient, type FormattedExecutionResult } from 'graphql-ws'
import { resumable } from './resumable.ts'

/** Where the server is, and how to reach it again and again. */
export interface ConnectionOptions {
  /** Of the server's GraphQL, `https://…/graphql` or `wss://…`. */
  readonly url: string
  /** Credentials; a function is asked before every connection, and so gives a fresh token after the old one expired. */
  readonly connectionParams?: ConnectionParams | (() => ConnectionParams | Promise<ConnectionParams>)
  /** Instead of the global WebSocket. */
  readonly webSocketImpl?: unknown
  /** In milliseconds; a connection that is silent for so long, though it was asked, is given up. */
  readonly timeoutMs?: number
  /** Told why a connection was lost or refused, and in how many milliseconds it tries again. */
  readonly onRetry?: (reason: unknown, waitMs: number) => void
}

type ConnectionParams = Record<string, unknown>

export interface Operation {
  readonly query: string
  readonly variables: Record<string, unknown>
}

export type Result = FormattedExecutionResult<Record<string, unknown>, unknown>

/** What the server answered instead of a result. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  /** `extensions` of its first error; empty when it had none. */
  readonly extensions: Readonly<Record<string, unknown>>
  /** The field that it is about. */
  readonly path: readonly unknown[]

  constructor(errors: Result['errors']) {
    const [error] = errors ?? []
    super(error?.message ?? 'The server sent a result without a cursor.')
    this.extensions = (error?.extensions ?? {}) as Record<string, unknown>
    this.path = error?.path ?? []
  }

  get code(): string {
    return String(this.extensions.code ?? '')
  }

  /** In how many milliseconds it is worth trying again; 0: the server does not say. */
  get retryAfterMs(): number {
    const { retryAfter } = this.extensions
    return typeof retryAfter === 'number' && retryAfter > 0 ? retryAfter * 1000 : 0
  }
}

const shortestWait = 250
const longestWait = 10_000
/** However long the server says: meanwhile another server may have taken its place. */
const longestAsked = 60_000

/** One connection after the other, for operations one at a time; whoever asks says when it tries again. */
export class Connection {
  readonly #options: ConnectionOptions
  readonly #over: AbortSignal
  readonly #client: Client
  /** Told when it is lost, whether or not an operation was on it. */
  onLost: () => void = () => {}
  #failures = 0
  #isOpen = false
  #connectedAt: number | null = null
  #silence: ReturnType<typeof setTimeout> | undefined

  /**
   * @param over ends what runs on it; `close` is still to be called
   * @param isKept whether it stays open between operations
   */
  constructor(options: ConnectionOptions, over: AbortSignal, isKept: boolean) {
    this.#options = options
    this.#over = over
    this.#client = resumable(this.#createClient(isKept))
  }

  /** One operation with one answer. @throws Refusal, or why the connection was lost: then nobody knows what became of it */
  ask(operation: Operation): Promise<Record<string, unknown>> {
    return this.run<Record<string, unknown>>(operation, null, ({ data, errors }, settle) => {
      if (errors !== undefined || !data) throw new Refusal(errors)
      settle(data)
    })
  }

  /**
   * One operation on one connection.
   *
   * @param complete what it comes to when the server completes it; null: that is no answer
   * @param take throws what ends it, or settles it
   */
  run<Outcome>(
    operation: Operation,
    complete: Outcome | null,
    take: (result: Result, settle: (outcome: Outcome) => void) => void,
  ): Promise<Outcome> {
    return new Promise<Outcome>((resolve, reject) => {
      let isOver = false
      const end = (settle: () => void) => {
        if (isOver) return
        isOver = true
        this.#over.removeEventListener('abort', abort)
        // Not at once: the `complete` that came together with the answer would let go of the connection a second time, and
        // the client would close it.
        queueMicrotask(stop)
        settle()
      }
      const abort = () => end(() => reject(this.#over.reason))
      this.#over.addEventListener('abort', abort)
      const stop = this.#client.subscribe<Record<string, unknown>>(
        { ...operation },
        {
          next: (result) => {
            if (isOver) return
            try {
              take(result, (outcome) => end(() => resolve(outcome)))
            } catch (error) {
              end(() => reject(error))
            }
          },
          error: (error) => end(() => reject(Array.isArray(error) ? new Refusal(error) : error)),
          complete: () =>
            end(() => (complete === null ? reject(new Error('It ended without an answer.')) : resolve(complete))),
        },
      )
    })
  }

  /** The next wait is short again. */
  succeeded(): void {
    this.#failures = 0
  }

  /** Until it is time to try again, on a connection of its own. */
  async wait(reason: unknown): Promise<void> {
    if (this.#over.aborted) return
    // It may be the server, and not the connection, that cannot answer: the next one may lead to another.
    if (this.#isOpen) this.#client.terminate()
    const lasted = this.#connectedAt === null ? 0 : Date.now() - this.#connectedAt
    this.#connectedAt = null
    if (lasted > longestWait) this.#failures = 0
    // All the way down to nothing: thousands of clients that were cut together come again apart.
    const asked = reason instanceof Refusal ? Math.min(longestAsked, reason.retryAfterMs) : 0
    const wait = asked + Math.random() * Math.min(longestWait, shortestWait * 2 ** this.#failures)
    this.#failures += 1
    this.#options.onRetry?.(reason, wait)
    await pause(wait, this.#over)
  }

  close(): void {
    clearTimeout(this.#silence)
    // Both are needed: the one does not end a connection that is still being made, the other would end one without a word.
    void Promise.resolve(this.#client.dispose()).catch(() => {})
    if (!this.#isOpen) this.#client.terminate()
  }

  #createClient(isKept: boolean): Client {
    const { url, connectionParams, webSocketImpl = globalThis.WebSocket, timeoutMs = 15_000 } = this.#options
    const hear = () => {
      clearTimeout(this.#silence)
      if (!this.#over.aborted) this.#silence = setTimeout(() => client.terminate(), timeoutMs)
    }
    let lost = 0
    // The client would take a late failure for one of the connection that it has by then.
    const askParams = async (params: () => ConnectionParams | Promise<ConnectionParams>) => {
      const asked = lost
      try {
        return await params()
      } catch (error) {
        if (asked === lost) throw error
        return {}
      }
    }
    const params = typeof connectionParams === 'function' ? () => askParams(connectionParams) : connectionParams
    const lose = () => {
      lost += 1
      clearTimeout(this.#silence)
      this.#isOpen = false
      this.onLost()
    }
    const client = createClient({
      url: url.replace(/^http/, 'ws'),
      ...(params === undefined ? {} : { connectionParams: params }),
      webSocketImpl: quiet(webSocketImpl as typeof WebSocket),
      // What is lost is begun again here, without a number of attempts and with other waits.
      retryAttempts: 0,
      lazy: !isKept,
      onNonLazyError: () => {},
      keepAlive: timeoutMs / 3,
      on: {
        connecting: hear,
        message: hear,
        error: lose,
        connected: () => {
          this.#isOpen = true
          this.#connectedAt = Date.now()
        },
        closed: lose,
      },
    })
    return client
  }
}

/** Settles after a time, or when the signal says so; leaves nothing behind. @param ms milliseconds */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise<void>((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })
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
