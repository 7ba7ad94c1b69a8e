import { WebSocket } from 'ws'
import type { Answer, GraphqlError, Identity } from '../api.ts'

export interface Closed {
  readonly code: number
  readonly reason: string
}

/** A message of graphql-transport-ws. */
export interface Frame {
  readonly type: string
  readonly id?: string
  // biome-ignore lint/suspicious/noExplicitAny: results and lists of errors, as the type says.
  readonly payload?: any
}

/** One socket that speaks graphql-transport-ws by hand, for what the stock client would never send. */
export class Wire implements AsyncDisposable {
  readonly ws: WebSocket
  /** Settles when the socket is closed; 1006 without a close frame. */
  readonly closed: Promise<Closed>
  readonly #frames: Frame[] = []
  #wake: () => void = () => {}
  #isClosed = false
  #ids = 0

  constructor(socket: WebSocket) {
    this.ws = socket
    socket.on('error', () => {})
    socket.on('message', (data) => {
      this.#frames.push(JSON.parse(String(data)) as Frame)
      this.#wake()
    })
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => {
        this.#isClosed = true
        this.#wake()
        resolve({ code, reason: String(reason) })
      })
    })
  }

  /** A socket that is open and has said nothing yet. @throws what the server answered instead, for example `403 …` */
  static async dial(url: string, headers: Record<string, string> = {}): Promise<Wire> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws', { headers })
    const wire = new Wire(socket)
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
      socket.once('unexpected-response', (_request, response) => {
        response.resume()
        reject(new Error(`${response.statusCode}`))
        socket.on('error', () => {})
        socket.terminate()
      })
    })
    return wire
  }

  /** A socket whose connection parameters were accepted. */
  static async open(
    url: string,
    params: Identity = { 'x-user-id': 'ada' },
    headers: Record<string, string> = {},
  ): Promise<Wire> {
    const wire = await Wire.dial(url, headers)
    wire.send({ type: 'connection_init', payload: params })
    const frame = await wire.next()
    if (frame.type !== 'connection_ack') throw new Error(`expected connection_ack, and got ${frame.type}`)
    return wire
  }

  /** A frame, or a text to be sent as one. */
  send(frame: object | string): void {
    this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
  }

  /** Bytes as the text that they may not be. */
  sendBytes(bytes: Buffer): void {
    this.ws.send(bytes, { binary: false })
  }

  /** The next frame; null when the socket is closed. */
  async receive(): Promise<Frame | null> {
    while (this.#frames.length === 0) {
      if (this.#isClosed) return null
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.#frames.shift() as Frame
  }

  /** The next frame. @throws when the socket closes first */
  async next(): Promise<Frame> {
    const frame = await this.receive()
    if (frame !== null) return frame
    const { code, reason } = await this.closed
    throw new Error(`closed with ${code} ${reason}`)
  }

  /** Begins an operation and answers its id. */
  subscribe(query: string, variables?: unknown, extensions?: unknown): string {
    this.#ids += 1
    const id = String(this.#ids)
    this.send({ id, type: 'subscribe', payload: { query, variables, extensions } })
    return id
  }

  /** The first answer of an operation, whether a result or the errors that refused it; of a query or mutation the only one. */
  async ask(query: string, variables?: unknown, extensions?: unknown): Promise<Answer> {
    return this.answer(this.subscribe(query, variables, extensions))
  }

  /** As `ask`, for an operation that has begun. */
  async answer(id: string): Promise<Answer> {
    for (;;) {
      const frame = await this.next()
      if (frame.id !== id) continue
      if (frame.type === 'next') return frame.payload as Answer
      if (frame.type === 'error') return { data: null, errors: frame.payload as GraphqlError[] }
    }
  }

  /** Reads nothing from now on. */
  pause(): void {
    this.ws.pause()
  }

  /** Goes without a word. */
  terminate(): void {
    this.ws.terminate()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ws.resume()
    this.ws.close()
    await this.closed
  }
}
