import type { IncomingMessage } from 'node:http'
import type { Logger } from 'pino'
import type { RawData, WebSocket } from 'ws'
import type { Caller } from '../auth/viewer.ts'
import type { Connection } from './connections.ts'
import { OperationNumbers } from './operation-numbers.ts'
import { SocketOperations } from './socket-operation.ts'
import { TokenBucket } from './token-bucket.ts'

/** A socket with more bytes than this unsent is not read: who does not take answers may not go on asking. */
const maxUnsent = 1024 * 1024

/** One socket: what is known of it beside what graphql-ws keeps, and how it is read, written and closed. */
export class SocketConnection implements Connection {
  readonly request: IncomingMessage
  readonly operations = new SocketOperations()
  readonly numbers = new OperationNumbers()
  caller: Caller | null = null
  /** Ends the subscriptions on it. */
  endSubscriptions: (code: number, reason: string) => Promise<void> = async () => {}
  readonly #socket: WebSocket
  readonly #log: Logger
  #expiry: NodeJS.Timeout | undefined
  readonly #bucket: TokenBucket
  /** Why it is not read at the moment. */
  readonly #pauses = new Set<'unsent' | 'rate'>()
  #rest: NodeJS.Timeout | undefined
  #hasBeenTooFast = false
  #isPongDue = false
  #looksWhileClosing = 0
  /** How many bytes had come at the last look; null: it was not read then. */
  #heard: number | null = 0
  /** Of what was unsent at the last look. */
  #unsent: 'none' | 'waiting' | 'left' = 'none'

  constructor(socket: WebSocket, request: IncomingMessage, messagesPerSecond: number, log: Logger) {
    this.request = request
    this.#bucket = new TokenBucket(messagesPerSecond)
    this.#socket = socket
    this.#log = log
    socket.on('message', () => this.#count())
    socket.on('ping', () => this.#count())
    socket.on('pong', () => {
      // One that was asked for is not counted.
      if (this.#isPongDue) this.#isPongDue = false
      else this.#count()
    })
    socket.on('error', (error) => log.debug({ err: error }, 'a socket failed'))
    socket.once('close', (code, reason) => {
      clearTimeout(this.#expiry)
      clearTimeout(this.#rest)
      this.#end(code, String(reason))
    })
  }

  get protocol(): string {
    return this.#socket.protocol
  }

  /** False as soon as either side closes it. */
  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  /** Whether a query or a mutation on it is still to be answered. */
  get isBusy(): boolean {
    return this.isOpen && this.operations.hasRequests
  }

  /** @param receive is given the text of each message; null: it was binary */
  onMessage(receive: (text: string | null) => void): void {
    this.#socket.on('message', (data: RawData, isBinary: boolean) => {
      // What still comes on a socket that closes comes too late, as after its token has expired.
      if (!this.isOpen) return
      if (this.#socket.bufferedAmount > maxUnsent) this.#pause('unsent')
      receive(isBinary ? null : String(data))
    })
  }

  /** It is closed, and nothing of it is left. */
  onClosed(act: () => void): void {
    this.#socket.once('close', act)
  }

  /** Settles once the bytes have left for the kernel, so that a slow reader holds back its own stream and nothing else. */
  send(data: string): Promise<void> {
    return new Promise((resolve) => {
      if (!this.isOpen) return resolve()
      // A failed send is a socket that closes, and closing ends everything on it.
      this.#socket.send(data, () => {
        if (this.#unsent === 'waiting') this.#unsent = 'left'
        if (this.#socket.bufferedAmount <= maxUnsent) this.#resume('unsent')
        resolve()
      })
    })
  }

  /** @param timer closes it when the proof of its caller expires */
  expireBy(timer: NodeJS.Timeout | undefined): void {
    this.#expiry = timer
  }

  /** Closes it and ends what runs on it at once: the other side may take its time to agree, or never do. */
  close(code = 1000, reason = ''): void {
    this.#socket.close(code, closeReason(reason))
    // Its answer is to be read, whatever comes before it.
    this.#resume('unsent')
    this.#resume('rate')
    this.#end(code, reason)
  }

  /** Closes it because the server stops: its client goes on elsewhere. */
  letGo(): void {
    this.close(1012, 'Service restart')
  }

  terminate(): void {
    this.#socket.terminate()
  }

  /**
   * To be called once a period. Whoever has sent nothing since the last time, not even an answer to its ping, and
   *
   * - has taken some of what was unsent then: reads slowly, and the answer is behind all that;
   * - has taken nothing of it: does not read, and is closed; what it has not read is in the log;
   * - had nothing to take: is gone.
   */
  look(): void {
    if (!this.isOpen) {
      // Two whole periods to read what was sent before the close frame, and to agree; ws gives it half a minute at most.
      this.#looksWhileClosing += 1
      if (this.#looksWhileClosing > 2) this.#socket.terminate()
      return
    }
    const { bytesRead } = this.request.socket
    const isUnsent = this.#socket.bufferedAmount > 0
    if (bytesRead === this.#heard && this.#unsent !== 'left') {
      if (!isUnsent) this.#socket.terminate()
      else if (this.#unsent === 'waiting') this.close(1013, 'Not read for too long; go on after the last cursor')
      if (!this.isOpen) return
    }
    // Who waits for its rate was not listened to, and then has a whole period to be heard in.
    this.#heard = this.#pauses.has('rate') ? null : bytesRead
    this.#unsent = isUnsent ? 'waiting' : 'none'
    if (this.#isPongDue) return
    this.#isPongDue = true
    this.#socket.ping()
  }

  /** Who sends too much is read again when it is within its rate: nothing is lost, and TCP holds the rest back. */
  #count(): void {
    this.#bucket.take()
    if (this.#bucket.wait === 0 || !this.isOpen || this.#pauses.has('rate')) return
    if (!this.#hasBeenTooFast) {
      this.#hasBeenTooFast = true
      const viewer = this.caller?.viewer?.userId ?? null
      this.#log.warn({ viewer }, 'a socket sends more than MAX_MESSAGES_PER_SECOND, and is read no faster')
    }
    this.#pause('rate')
    this.#restUntilWithinRate()
  }

  #restUntilWithinRate(): void {
    const { wait } = this.#bucket
    // More may be owed than when it was paused: what had already been read from the kernel still arrives.
    if (wait > 0) this.#rest = setTimeout(() => this.#restUntilWithinRate(), Math.ceil(wait))
    else this.#resume('rate')
  }

  #pause(reason: 'unsent' | 'rate'): void {
    this.#pauses.add(reason)
    this.#socket.pause()
  }

  #resume(reason: 'unsent' | 'rate'): void {
    if (this.#pauses.delete(reason) && this.#pauses.size === 0) this.#socket.resume()
  }

  #end(code: number, reason: string): void {
    this.endSubscriptions(code, reason).catch((error: unknown) =>
      this.#log.error({ err: error }, 'a socket did not close well'),
    )
  }
}

/** A close frame holds 123 bytes of reason. */
function closeReason(text: string): string {
  return Buffer.byteLength(text) <= 123 ? text : `${text.slice(0, 40)}…`
}
