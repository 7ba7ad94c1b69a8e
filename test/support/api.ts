import { createClient } from 'graphql-ws'
import { WebSocket } from 'ws'

/** What a caller shows of itself: headers over HTTP, connection parameters on a socket. */
export type Identity = Readonly<Record<string, string>>

export interface GraphqlError {
  readonly message: string
  readonly path?: readonly (string | number)[]
  readonly extensions: { readonly code: string; readonly [key: string]: unknown }
}

// biome-ignore lint/suspicious/noExplicitAny: tests read answers as the caller of an untyped API does.
type Data = any

export interface Answer {
  readonly data: Data
  readonly errors?: readonly GraphqlError[]
  readonly extensions?: Readonly<Record<string, unknown>>
}

/** A client of the API: stock HTTP and the stock graphql-ws client, nothing of the server's own code. */
export class Api {
  readonly url: string
  readonly identity: Identity

  constructor(url: string, identity: Identity) {
    this.url = url
    this.identity = identity
  }

  /** The answer as it came, with its errors. */
  async ask(query: string, variables?: unknown): Promise<Answer> {
    const response = await this.post(JSON.stringify({ query, variables }))
    return (await response.json()) as Answer
  }

  /** The data of an answer that has no errors. */
  async get(query: string, variables?: unknown): Promise<Data> {
    const { data, errors } = await this.ask(query, variables)
    if (errors) throw new Error(errors.map((error) => `${error.extensions.code}: ${error.message}`).join('\n'))
    return data
  }

  /** The first error of an answer that must have one. */
  async fail(query: string, variables?: unknown): Promise<GraphqlError> {
    const { data, errors } = await this.ask(query, variables)
    if (!errors?.[0]) throw new Error(`expected an error, and got ${JSON.stringify(data)}`)
    return errors[0]
  }

  /** A raw body. */
  post(body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...this.identity, ...headers },
      body,
    })
  }

  /** The results of a subscription on a socket of its own; `return()` ends both. */
  subscribe(query: string, variables?: Record<string, unknown>, extensions?: Record<string, unknown>): Results {
    const client = createClient({
      url: `${this.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: this.identity,
      retryAttempts: 0,
    })
    const results = client.iterate({ query, variables: variables ?? null, extensions: extensions ?? null })
    return new Results(results as AsyncIterableIterator<Answer>, () => client.dispose())
  }

  /** Appends one message and answers what `fields` select of the payload. */
  async append(conversationId: string, message: Record<string, unknown> | string, more: Record<string, unknown> = {}) {
    const input = {
      conversationId,
      ifMissing: 'CREATE',
      message: typeof message === 'string' ? { role: 'USER', content: message } : message,
      ...more,
    }
    const data = await this.get(
      `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) {
        message { id seq content } messageEdge { cursor } replayed conversation { id lastSeq cursor }
      } }`,
      { input },
    )
    return data.appendMessage
  }
}

/** What a subscription sends, one by one. */
export class Results {
  readonly #results: AsyncIterableIterator<Answer>
  readonly #dispose: () => void | Promise<void>

  constructor(results: AsyncIterableIterator<Answer>, dispose: () => void | Promise<void>) {
    this.#results = results
    this.#dispose = dispose
  }

  /** The next result; null when the subscription is complete. */
  async next(): Promise<Answer | null> {
    const { done, value } = await this.#results.next()
    return done ? null : value
  }

  /** The next so many. */
  async take(count: number): Promise<Answer[]> {
    const taken: Answer[] = []
    while (taken.length < count) {
      const answer = await this.next()
      if (answer === null) throw new Error(`the subscription ended after ${taken.length} of ${count} results`)
      taken.push(answer)
    }
    return taken
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#results.return?.()
    await this.#dispose()
  }
}
