import { WebSocket } from 'ws'
import type { Answer, GraphqlError } from './api.ts'
import type { TestServer } from './server.ts'

/** A message of graphql-transport-ws. */
export interface Frame {
  readonly type: string
  readonly id?: string
  // biome-ignore lint/suspicious/noExplicitAny: results and lists of errors, as the type says.
  readonly payload?: any
}

/** A client that speaks graphql-transport-ws by hand, for what no client library does. */
export class Socket implements AsyncDisposable {
  readonly ws: WebSocket
  /** Settles when the socket is closed; 1006 without a close frame. */
  readonly closed: Promise<{ code: number; reason: string }>
  readonly #frames: Frame[] = []
  #isClosed = false
  #wake: () => void = () => {}

  constructor(server: TestServer, protocols: string | string[] = 'graphql-transport-ws', options = {}) {
    this.ws = new WebSocket(`${server.url.replace('http', 'ws')}/graphql`, protocols, options)
    this.ws.on('error', () => {})
    this.ws.on('message', (data) => {
      this.#frames.push(JSON.parse(String(data)))
      this.#wake()
    })
    this.closed = new Promise((resolve) => {
      this.ws.once('close', (code, reason) => {
        this.#isClosed = true
        this.#wake()
        resolve({ code, reason: String(reason) })
      })
    })
  }

  /** A socket whose connection is acknowledged, as `ada` unless another is named. */
  static async connect(server: TestServer, options: object = {}, userId = 'ada'): Promise<Socket> {
    const socket = new Socket(server, 'graphql-transport-ws', options)
    await new Promise((resolve) => socket.ws.once('open', resolve))
    socket.send({ type: 'connection_init', payload: { 'x-user-id': userId } })
    const ack = await socket.receive()
    if (ack?.type !== 'connection_ack') throw new Error(`expected an acknowledgement, and got ${JSON.stringify(ack)}`)
    return socket
  }

  send(frame: object): void {
    this.ws.send(JSON.stringify(frame))
  }

  subscribe(id: string, query: string, variables?: object): void {
    this.send({ id, type: 'subscribe', payload: { query, ...(variables ? { variables } : {}) } })
  }

  complete(id: string): void {
    this.send({ id, type: 'complete' })
  }

  /** The next message; null when the socket is closed. */
  async receive(): Promise<Frame | null> {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame !== undefined) return frame
      if (this.#isClosed) return null
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** The payload of the next message, which must be a result of this operation. */
  async result(id: string): Promise<Answer> {
    const frame = await this.receive()
    if (frame?.type !== 'next' || frame.id !== id) {
      throw new Error(`expected a result of ${id}, and got ${JSON.stringify(frame)}`)
    }
    return frame.payload
  }

  /** A query or a mutation from its `subscribe` to its `complete`: its answer, or the errors that it was refused with. */
  async ask(id: string, query: string, variables?: object): Promise<Answer | readonly GraphqlError[]> {
    this.subscribe(id, query, variables)
    const frame = await this.receive()
    if (frame?.type === 'error') return frame.payload
    const complete = await this.receive()
    if (frame?.type !== 'next' || complete?.type !== 'complete' || complete.id !== id) {
      throw new Error(`expected one result of ${id}, and got ${JSON.stringify([frame, complete])}`)
    }
    return frame.payload
  }

  /** As a client that vanishes: no close frame. */
  terminate(): void {
    this.ws.terminate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ws.resume()
    this.ws.close()
    await this.closed
  }
}
