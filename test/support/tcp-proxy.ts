import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

interface Pair {
  readonly client: Socket
  readonly server: Socket
  isDropped: boolean
}

/** A TCP proxy before a server, for what networks do to connections. */
export class TcpProxy implements AsyncDisposable {
  readonly url: string
  readonly #listener: Server
  readonly #pairs = new Set<Pair>()
  #target: URL
  #isStalled = false

  private constructor(listener: Server, target: URL) {
    this.#listener = listener
    this.#target = target
    this.url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
    listener.on('connection', (client) => this.#join(client))
  }

  static async before(target: { readonly url: string }): Promise<TcpProxy> {
    const listener = createServer({ allowHalfOpen: true })
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    return new TcpProxy(listener, new URL(target.url))
  }

  /** How many connections go through it. */
  get size(): number {
    return this.#pairs.size
  }

  /** New connections go to another server. */
  aim(target: { readonly url: string }): void {
    this.#target = new URL(target.url)
  }

  /** Ends all connections, in mid-frame where it happens to be so. */
  cut(): void {
    for (const pair of this.#pairs) this.#part(pair)
  }

  /** Passes nothing on, in either direction, on any connection, until `resume`. */
  stall(): void {
    this.#isStalled = true
    for (const { client, server } of this.#pairs) {
      client.pause()
      server.pause()
    }
  }

  resume(): void {
    this.#isStalled = false
    for (const { client, server } of this.#pairs) {
      client.resume()
      server.resume()
    }
  }

  /** Loses whatever comes from now on on the connections that there are, and tells neither side. */
  drop(): void {
    for (const pair of this.#pairs) pair.isDropped = true
  }

  #join(client: Socket): void {
    const server = connect({ port: Number(this.#target.port), host: this.#target.hostname, allowHalfOpen: true })
    const pair: Pair = { client, server, isDropped: false }
    this.#pairs.add(pair)
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.setNoDelay()
      from.on('error', () => {})
      from.on('data', (bytes) => {
        if (pair.isDropped || to.destroyed || to.write(bytes)) return
        from.pause()
        to.once('drain', () => this.#isStalled || from.resume())
      })
      from.once('end', () => {
        if (!pair.isDropped) to.end()
      })
      from.once('close', () => {
        // Of a connection whose bytes are lost, the client does not hear that the server has closed it.
        if (!pair.isDropped || client.destroyed) this.#part(pair)
      })
      if (this.#isStalled) from.pause()
    }
  }

  #part(pair: Pair): void {
    this.#pairs.delete(pair)
    pair.client.resetAndDestroy()
    pair.server.resetAndDestroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close()
    this.cut()
    await once(this.#listener, 'close')
  }
}
