import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { handleProtocols } from 'graphql-ws'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Caller } from '../../auth/viewer.ts'
import { Connections } from '../connection/connections.ts'
import { Counts } from '../connection/counts.ts'
import type { TransportDependencies } from '../operation/transport-dependencies.ts'
import { Outbox } from './outbox.ts'
import { type SessionHost, SocketSession } from './socket-session.ts'

/** GraphQL over WebSocket by graphql-transport-ws, with the admission, the limits and the errors of HTTP. */
export class Sockets implements AsyncDisposable, SessionHost {
  readonly #use: TransportDependencies
  readonly #upgrades: WebSocketServer
  readonly #sessions = new Connections<SocketSession>()
  readonly #counts = new Counts()
  readonly #pings: NodeJS.Timeout
  readonly outbox = new Outbox()

  constructor(use: TransportDependencies) {
    this.#use = use
    this.#upgrades = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: use.config.limits.bodyBytes,
      // Without compression a frame is written as it is, and many frames can share one tail.
      perMessageDeflate: false,
      handleProtocols,
    })
    this.#pings = setInterval(() => {
      for (const session of this.#sessions) session.look()
    }, use.config.pingMs)
    this.#pings.unref()
  }

  /** How many sockets are open. */
  get size(): number {
    return this.#sessions.size
  }

  /** Whether the server stops: nothing new begins. */
  get isDraining(): boolean {
    return this.#sessions.isDraining
  }

  /** Takes an HTTP upgrade over. */
  accept(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    this.#upgrades.handleUpgrade(request, stream, head, (socket) => this.#open(socket, request))
  }

  #open(socket: WebSocket, request: IncomingMessage): void {
    const session = new SocketSession(this.#use, this, socket, request)
    this.#sessions.add(session)
    if (this.isDraining) session.letGo()
  }

  enter(caller: Caller): boolean {
    const name = nameOf(caller)
    if (this.#counts.of(name) >= this.#use.config.limits.sockets) return false
    this.#counts.add(name)
    return true
  }

  answered(session: SocketSession): void {
    this.#sessions.answered(session)
  }

  leave(session: SocketSession, caller: Caller | null): void {
    this.#sessions.delete(session)
    if (caller !== null) this.#counts.remove(nameOf(caller))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sessions.drain(this.#use.config.shutdownMs)
    clearInterval(this.#pings)
    this.#upgrades.close()
  }
}

function nameOf({ viewer, actor }: Caller): string {
  return viewer === null ? String(actor) : `user ${viewer.userId}`
}
