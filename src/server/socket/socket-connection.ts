import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Logger } from 'pino'
import type { RawData, WebSocket } from 'ws'
import { TokenBucket } from './token-bucket.ts'

/** A socket with more bytes than this unsent is not read: who does not take answers may not go on asking. */
const maxUnsent = 1024 * 1024

const nothing = Buffer.alloc(0)

/** Who speaks on a socket. */
export interface SocketListener {
  /** A message has come, and the socket is open. @param text in UTF-8, which was verified; null: it was binary */
  receive(text: Buffer | null): void
  /** Sends too much at once, for the first time. */
  isTooFast(): void
  /** It closes, or has closed: nothing more is sent on it. May come twice. */
  ended(): void
  /** It is closed, and nothing of it is left. */
  closed(): void
}

/** Why a socket is not read: its answers are unsent, or it sends more than its rate. */
type Pause = 'unsent' | 'rate'

type Reading = 'read' | Pause | 'both' | 'closing'

/**
 * One socket: how it is read, written, looked at and closed. How it is read:
 *
 *     read ── pause(why) ──▶ unsent, or rate ── pause(the other) ──▶ both
 *     both ── lift(why) ──▶ the other of the two
 *     unsent, or rate ── lift(why) ──▶ read
 *     any ── close() ──▶ closing, which is read to its end
 */
export class SocketConnection {
  readonly #socket: WebSocket
  readonly #stream: Socket
  readonly #bucket: TokenBucket
  readonly #listener: SocketListener
  #reading: Reading = 'read'
  #rest: NodeJS.Timeout | undefined
  #hasBeenTooFast = false
  #isPongDue = false
  #looksWhileClosing = 0
  /** How many bytes had come at the last look; null: it was not read then. */
  #heard: number | null = 0
  /** Of what was unsent at the last look. */
  #unsent: 'none' | 'waiting' | 'left' = 'none'

  constructor(
    socket: WebSocket,
    request: IncomingMessage,
    messagesPerSecond: number,
    log: Logger,
    listener: SocketListener,
  ) {
    this.#socket = socket
    // Not the request itself: its headers would stay for as long as the socket.
    this.#stream = request.socket
    this.#bucket = new TokenBucket(messagesPerSecond)
    this.#listener = listener
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary))
    socket.on('ping', () => this.#count())
    socket.on('pong', () => {
      // One that was asked for is not counted.
      if (this.#isPongDue) this.#isPongDue = false
      else this.#count()
    })
    socket.on('error', (error) => log.debug({ err: error }, 'a socket failed'))
    socket.on('close', () => {
      clearTimeout(this.#rest)
      this.#listener.ended()
      this.#listener.closed()
    })
  }

  get protocol(): string {
    return this.#socket.protocol
  }

  /** False as soon as either side closes it. */
  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  /**
   * Sends a text message. Without extensions, `ws` too writes its frames as soon as they are made, so they may be written
   * past it.
   *
   * @param frame of `textFrame`
   * @returns null when its bytes have left for the kernel, and otherwise when they will have: a slow reader holds back its
   *   own stream and nothing else
   */
  send(frame: readonly Buffer[]): Promise<void> | null {
    // A failed send is a socket that closes, and closing ends everything on it.
    if (!this.isOpen) return null
    const stream = this.#stream
    const [first, second] = frame
    if (second === undefined) stream.write(first as Buffer)
    else {
      stream.cork()
      stream.write(first as Buffer)
      stream.write(second)
      stream.uncork()
    }
    return stream.writableLength === 0 ? null : this.#untilSent()
  }

  /** Closes it and ends what runs on it at once: the other side may take its time to agree, or never do. */
  close(code = 1000, reason = ''): void {
    this.#socket.close(code, closeReason(reason))
    // Its answer is to be read, whatever comes before it.
    this.#reading = 'closing'
    this.#socket.resume()
    this.#listener.ended()
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
    const { bytesRead } = this.#stream
    const isUnsent = this.#socket.bufferedAmount > 0
    if (bytesRead === this.#heard && this.#unsent !== 'left') {
      if (!isUnsent) this.#socket.terminate()
      else if (this.#unsent === 'waiting') this.close(1013, 'Not read for too long; go on after the last cursor')
      if (!this.isOpen) return
    }
    // Who waits for its rate was not listened to, and then has a whole period to be heard in.
    this.#heard = this.#isPausedFor('rate') ? null : bytesRead
    this.#unsent = isUnsent ? 'waiting' : 'none'
    if (this.#isPongDue) return
    this.#isPongDue = true
    this.#socket.ping()
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#count()
    // What still comes on a socket that closes comes too late, as after its token has expired.
    if (!this.isOpen) return
    if (this.#socket.bufferedAmount > maxUnsent) this.#pause('unsent')
    // A Buffer, as long as `binaryType` of ws is not set.
    this.#listener.receive(isBinary ? null : (data as Buffer))
  }

  #untilSent(): Promise<void> {
    return new Promise((resolve) => {
      // Behind everything that was written before it, and nothing by itself.
      this.#stream.write(nothing, () => {
        if (this.#unsent === 'waiting') this.#unsent = 'left'
        if (this.#socket.bufferedAmount <= maxUnsent) this.#lift('unsent')
        resolve()
      })
    })
  }

  /** Who sends too much is read again when it is within its rate: nothing is lost, and TCP holds the rest back. */
  #count(): void {
    this.#bucket.take()
    if (this.#bucket.wait === 0 || !this.isOpen || this.#isPausedFor('rate')) return
    if (!this.#hasBeenTooFast) {
      this.#hasBeenTooFast = true
      this.#listener.isTooFast()
    }
    this.#pause('rate')
    this.#restUntilWithinRate()
  }

  #restUntilWithinRate(): void {
    const { wait } = this.#bucket
    // More may be owed than when it was paused: what had already been read from the kernel still arrives.
    if (wait > 0) this.#rest = setTimeout(() => this.#restUntilWithinRate(), Math.ceil(wait))
    else this.#lift('rate')
  }

  #isPausedFor(why: Pause): boolean {
    return this.#reading === why || this.#reading === 'both'
  }

  #pause(why: Pause): void {
    if (this.#reading === 'closing' || this.#isPausedFor(why)) return
    this.#reading = this.#reading === 'read' ? why : 'both'
    this.#socket.pause()
  }

  #lift(why: Pause): void {
    if (this.#reading === 'both') this.#reading = why === 'unsent' ? 'rate' : 'unsent'
    else if (this.#reading === why) {
      this.#reading = 'read'
      this.#socket.resume()
    }
  }
}

/** A close frame holds 123 bytes of reason. */
function closeReason(text: string): string {
  return Buffer.byteLength(text) <= 123 ? text : `${text.slice(0, 40)}…`
}
