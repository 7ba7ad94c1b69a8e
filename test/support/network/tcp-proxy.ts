import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net'

/** A server, by its URL or by its socket file. */
type Target = { readonly url: string } | { readonly path: string }

interface Pair {
  readonly client: Socket
  readonly server: Socket
  isStalled: boolean
  isDropped: boolean
  /** How many bytes of the server's it still passes on before it ends. */
  left: number
}

/** A TCP proxy before servers, which take turns, for what networks do to connections. */
export class TcpProxy implements AsyncDisposable {
  readonly url: string
  /** Milliseconds by which it passes on later whatever comes. */
  delayMs = 0
  /** Whether a connection ends before these bytes of its server, which its client does not get; `asked` is what it sent last. */
  endsBefore: (bytes: Buffer, asked: Buffer) => boolean = () => false
  /** From 0 up to, and without, 1: chooses among connections. */
  random: () => number = Math.random
  readonly #listener: Server
  readonly #pairs = new Set<Pair>()
  #targets: readonly NetConnectOpts[] = []
  #turn = 0
  #isStalled = false

  private constructor(listener: Server) {
    this.#listener = listener
    this.url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`
    listener.on('connection', (client) => this.#join(client))
  }

  static async before(...targets: readonly Target[]): Promise<TcpProxy> {
    const listener = createServer({ allowHalfOpen: true })
    listener.listen(0, '127.0.0.1')
    await once(listener, 'listening')
    const proxy = new TcpProxy(listener)
    proxy.aim(...targets)
    return proxy
  }

  /** How many connections go through it. */
  get size(): number {
    return this.#pairs.size
  }

  /** New connections go to other servers. */
  aim(...targets: readonly Target[]): void {
    this.#targets = targets.map(toPlace)
  }

  /**
   * Ends connections, in mid-frame where it happens to be so.
   * @param share how many of them, at random; all unless given
   * @returns how many that were
   */
  cut(share = 1): number {
    const pairs = this.#some(share)
    for (const pair of pairs) this.#part(pair)
    return pairs.length
  }

  /** Ends each connection, as a program does that stops, once so many bytes more have come from its server. */
  cutAfter(bytes: number): void {
    for (const pair of this.#pairs) pair.left = bytes
  }

  /** Passes nothing on, in either direction, until `resume`; on all connections also on those that are yet to come. */
  stall(share = 1): void {
    if (share === 1) this.#isStalled = true
    for (const pair of this.#some(share)) stall(pair)
  }

  resume(): void {
    this.#isStalled = false
    for (const pair of this.#pairs) {
      pair.isStalled = false
      pair.client.resume()
      pair.server.resume()
    }
  }

  /** Loses whatever comes from now on on the connections that there are, and tells neither side. */
  drop(share = 1): void {
    for (const pair of this.#some(share)) pair.isDropped = true
  }

  #some(share: number): Pair[] {
    return [...this.#pairs].filter(() => this.random() < share)
  }

  #join(client: Socket): void {
    const place = this.#targets[this.#turn++ % this.#targets.length] as NetConnectOpts
    const server = connect({ ...place, allowHalfOpen: true } as NetConnectOpts)
    const pair: Pair = { client, server, isStalled: false, isDropped: false, left: Number.POSITIVE_INFINITY }
    this.#pairs.add(pair)
    let asked: Buffer = Buffer.alloc(0)
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      const late: (() => void)[] = []
      const inTurn = (pass: () => void) => {
        if (this.delayMs === 0 && late.length === 0) return pass()
        late.push(pass)
        setTimeout(() => late.shift()?.(), this.delayMs)
      }
      from.setNoDelay()
      from.on('error', () => {})
      from.on('data', (bytes: Buffer) => {
        if (pair.isDropped || to.destroyed) return
        if (from === client) asked = bytes
        else if (this.endsBefore(bytes, asked)) return this.#part(pair)
        if (from === server && bytes.length > pair.left) {
          client.end(bytes.subarray(0, pair.left))
          server.destroy()
          return
        }
        if (from === server) pair.left -= bytes.length
        inTurn(() => {
          if (to.destroyed || to.write(bytes)) return
          from.pause()
          to.once('drain', () => pair.isStalled || from.resume())
        })
      })
      from.once('end', () => {
        if (!pair.isDropped) inTurn(() => to.end())
      })
      from.once('close', () => {
        // Of a connection whose bytes are lost, the client does not hear that the server has closed it.
        if (!pair.isDropped || client.destroyed) this.#part(pair)
      })
    }
    if (this.#isStalled) stall(pair)
  }

  #part(pair: Pair): void {
    this.#pairs.delete(pair)
    pair.client.resetAndDestroy()
    // A socket file knows no reset.
    if (pair.server.remoteAddress === undefined) pair.server.destroy()
    else pair.server.resetAndDestroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close()
    this.cut()
    await once(this.#listener, 'close')
  }
}

function toPlace(target: Target): NetConnectOpts {
  if ('path' in target) return target
  const { port, hostname } = new URL(target.url)
  return { port: Number(port), host: hostname }
}

function stall(pair: Pair): void {
  pair.isStalled = true
  pair.client.pause()
  pair.server.pause()
}
