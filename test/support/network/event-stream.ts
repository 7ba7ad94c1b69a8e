import type { Answer, Identity } from '../api.ts'

/** One block of an event stream, its fields as they were sent. */
export interface StreamEvent {
  readonly event: string | null
  readonly id: string | null
  readonly data: string | null
  readonly retry: string | null
  readonly isComment: boolean
}

export interface StreamRequest {
  readonly method?: 'GET' | 'POST'
  readonly query: string
  readonly variables?: unknown
  readonly operationName?: string
  readonly identity?: Identity
  readonly headers?: Record<string, string>
}

/** An event stream over HTTP, read by hand, block by block; what is not asked for is not read. */
export class EventStreamReader implements AsyncDisposable {
  readonly response: Response
  readonly #abort: AbortController
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  readonly #decoder = new TextDecoder()
  #text = ''

  private constructor(response: Response, abort: AbortController) {
    this.response = response
    this.#abort = abort
    this.#reader = (response.body as ReadableStream<Uint8Array>).getReader()
  }

  static async open(url: string, request: StreamRequest): Promise<EventStreamReader> {
    const abort = new AbortController()
    const response = await send(url, request, abort.signal)
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
    return new EventStreamReader(response, abort)
  }

  /** The next block, whatever it is; null when the stream has ended. @throws when the connection breaks */
  async block(): Promise<StreamEvent | null> {
    for (;;) {
      const end = this.#text.indexOf('\n\n')
      if (end >= 0) {
        const lines = this.#text.slice(0, end).split('\n')
        this.#text = this.#text.slice(end + 2)
        return readBlock(lines)
      }
      const { done, value } = await this.#reader.read()
      if (done) return null
      this.#text += this.#decoder.decode(value, { stream: true })
    }
  }

  /** The next event, comments and waiting times left out; null when the stream has ended. */
  async event(): Promise<StreamEvent | null> {
    for (;;) {
      const block = await this.block()
      if (block === null || block.event !== null) return block
    }
  }

  /** The next event, which must be a result. */
  async result(): Promise<Answer> {
    const event = await this.event()
    if (event?.event !== 'next') throw new Error(`expected a result, and got ${JSON.stringify(event)}`)
    return JSON.parse(event.data ?? '')
  }

  /** Everything until the stream ends. */
  async rest(): Promise<StreamEvent[]> {
    const events: StreamEvent[] = []
    for (let event = await this.event(); event !== null; event = await this.event()) events.push(event)
    return events
  }

  /** Goes without a word, as often as one likes. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort()
    await this.#reader.closed.catch(() => {})
  }
}

/** The request as a client of graphql-sse or an EventSource would send it. */
export function send(url: string, request: StreamRequest, signal?: AbortSignal): Promise<Response> {
  const { method = 'POST', identity = { 'x-user-id': 'ada' }, query, variables, operationName } = request
  const headers = { accept: 'text/event-stream', ...identity, ...request.headers }
  const init = { method, ...(signal ? { signal } : {}) }
  if (method === 'POST') {
    return fetch(`${url}/graphql/stream`, {
      ...init,
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ query, variables, operationName }),
    })
  }
  return fetch(streamUrl(url, { query, variables, operationName }), { ...init, headers })
}

/** The URL of a GET. */
export function streamUrl(url: string, parameters: Record<string, unknown>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) search.set(name, typeof value === 'string' ? value : JSON.stringify(value))
  }
  return `${url}/graphql/stream?${search}`
}

function readBlock(lines: readonly string[]): StreamEvent {
  const field = (name: string) =>
    lines
      .find((line) => line.startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .replace(/^ /, '') ?? null
  return {
    event: field('event'),
    id: field('id'),
    data: field('data'),
    retry: field('retry'),
    isComment: lines.every((line) => line.startsWith(':')),
  }
}
