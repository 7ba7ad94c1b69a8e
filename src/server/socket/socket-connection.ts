import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Logger } from 'pino'
import type { RawData, WebSocket } from 'ws'
import { TokenBucket } from '../../token-bucket.ts'
import type { Outbox, Sender } from './outbox.ts'

/** A socket with more unsent bytes than this is not read: a client that does not take answers cannot go on asking. */
const maxUnsent = 1024 * 1024

/** Frames of more bytes than this do not wait for the end of the turn. */
const maxQueued = 16 * 1024

const nothing = Buffer.alloc(0)

/** What is told of a socket by its connection. */
export interface SocketListener {
  /** A message has come, and the socket is open. @param text verified UTF-8; null: the message was binary */
  receive(text: Buffer | null): void
  /** The client has sent more than its rate, for the first time. */
  isTooFast(): void
  /** The socket closes, or has closed: nothing more is sent on it. May be called twice. */
  ended(): void
  /** The socket is closed, and nothing of it is left. */
  closed(): void
}

/** Why a socket is not read: its answers are unsent, it sends more than its rate, or a long message is being parsed. */
const pauses = { unsent: 1, rate: 2, message: 4 } as const
type Pause = keyof typeof pauses

/** One socket: how it is read, written, looked at and closed. */
export class SocketConnection implements Sender {
  readonly #socket: WebSocket
  readonly #stream: Socket
  readonly #outbox: Outbox
  readonly #bucket: TokenBucket
  readonly #listener: SocketListener
  /** The frames of this turn that are not written yet, and their bytes; null: there are none. */
  #queue: Buffer[] | null = null
  #queued = 0
  #isDue = false
  /** The bits of `pauses`; 0: it is read. */
  #paused = 0
  #isClosing = false
  #rest: NodeJS.Timeout | undefined
  #hasBeenTooFast = false
  #isPongDue = false
  #looksWhileClosing = 0
  /** How many bytes had come at the last look; null: the socket was not read then. */
  #heard: number | null = 0
  /**
   * What has become of unsent bytes since the last look: there were none, those of the last look wait, or some have
   * left. Bytes that the kernel takes at once are never unsent, because they show nothing of the client.
   */
  #unsent: 'none' | 'waiting' | 'left' = 'none'

  constructor(
    socket: WebSocket,
    request: IncomingMessage,
    outbox: Outbox,
    messagesPerSecond: number,
    log: Logger,
    listener: SocketListener,
  ) {
    this.#socket = socket
    // The request itself is not kept, because its headers would stay as long as the socket.
    this.#stream = request.socket
    this.#outbox = outbox
    this.#bucket = new TokenBucket(messagesPerSecond)
    this.#listener = listener
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary))
    socket.on('ping', () => this.#count())
    socket.on('pong', () => {
      // A pong that the server asked for is not counted.
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

  /** What the socket is on. */
  get stream(): Socket {
    return this.#stream
  }

  get protocol(): string {
    return this.#socket.protocol
  }

  /** False as soon as either side closes the socket. */
  get isOpen(): boolean {
    return this.#socket.readyState === this.#socket.OPEN
  }

  /**
   * Sends a text message, at the end of the turn. The frame is written to the stream directly and not through `ws`:
   * without extensions `ws` keeps no frame back, so the order of frames stays.
   *
   * @param frame of `textFrame`
   * @returns null when the kernel has taken everything that was written before this turn, and the turn has not brought
   *   more than a few frames; otherwise a promise that settles when the kernel has taken this frame. So a slow reader
   *   delays its own operation and no other
   */
  send(frame: readonly Buffer[]): Promise<void> | null {
    // When a send fails, the socket closes, and that ends everything on it.
    if (!this.isOpen) return null
    if (!this.#isDue) this.#outbox.add(this)
    this.#isDue = true
    this.#queue ??= []
    for (const piece of frame) {
      this.#queue.push(piece)
      this.#queued += piece.length
    }
    if (this.#queued > maxQueued) this.#write()
    return this.#stream.writableLength === 0 ? null : this.#untilSent()
  }

  flush(): void {
    this.#isDue = false
    this.#write()
    // Nobody waits for these bytes, but `look` has to know when they leave.
    if (this.isOpen && this.#stream.writableLength > 0) void this.#untilSent()
  }

  #write(): void {
    const pieces = this.#queue
    this.#queue = null
    this.#queued = 0
    // Behind a close frame nothing may come.
    if (pieces === null || !this.isOpen) return
    const stream = this.#stream
    if (pieces.length > 1) stream.cork()
    for (const piece of pieces) stream.write(piece)
    if (pieces.length > 1) stream.uncork()
  }

  /** Closes the socket. What runs on it ends at once, because the client may agree to the close late or never. */
  close(code = 1000, reason = ''): void {
    this.#write()
    this.#socket.close(code, closeReason(reason))
    // The socket is read again, so that the client's close frame arrives.
    this.#isClosing = true
    this.#paused = 0
    this.#socket.resume()
    this.#listener.ended()
  }

  terminate(): void {
    this.#socket.terminate()
  }

  /** Does not read the socket while this work is done: what the kernel has then waits there. */
  async unread<Result>(work: Promise<Result>): Promise<Result> {
    this.#pause('message')
    try {
      return await work
    } finally {
      this.#lift('message')
    }
  }

  /**
   * To be called once a period. What happens to a client that has sent nothing since the last look, not even a pong,
   * depends on the bytes that were unsent then or since:
   *
   * - The client has taken some of them. It reads slowly, and has not come to the ping yet: nothing happens.
   * - The client has taken none of those of the last look. It does not read, and the socket is closed. The client finds
   *   in the log what it has not read.
   * - There were none, and there are none now. The client is gone, and the socket is terminated.
   */
  look(): void {
    if (!this.isOpen) {
      // The client has two whole periods to read what was sent before the close frame, and to agree. ws waits 30 s at
      // most.
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
    // The server did not read a client that is paused for its rate. So this client gets a whole period more.
    this.#heard = this.#isPausedFor('rate') ? null : bytesRead
    this.#unsent = isUnsent ? 'waiting' : 'none'
    if (this.#isPongDue) return
    this.#isPongDue = true
    this.#socket.ping()
  }

  #receive(data: RawData, isBinary: boolean): void {
    this.#count()
    // A message on a socket that closes is ignored: it may have been closed because its token expired.
    if (!this.isOpen) return
    if (this.#socket.bufferedAmount > maxUnsent) this.#pause('unsent')
    // ws gives a Buffer as long as its `binaryType` is not set.
    this.#listener.receive(isBinary ? null : (data as Buffer))
  }

  #untilSent(): Promise<void> {
    this.#write()
    return new Promise((resolve) => {
      // These no bytes come after everything that was written before, so their callback says when all of it has left.
      this.#stream.write(nothing, () => {
        this.#unsent = 'left'
        if (this.#socket.bufferedAmount <= maxUnsent) this.#lift('unsent')
        resolve()
      })
    })
  }

  /**
   * Pauses a client that sends more than its rate until it is within the rate again. Nothing is lost: TCP keeps the
   * rest.
   */
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
    // Messages that Node had already read from the kernel arrive after the pause, and make the wait longer.
    if (wait > 0) this.#rest = setTimeout(() => this.#restUntilWithinRate(), Math.ceil(wait))
    else this.#lift('rate')
  }

  #isPausedFor(why: Pause): boolean {
    return (this.#paused & pauses[why]) !== 0
  }

  #pause(why: Pause): void {
    if (this.#isClosing) return
    if (this.#paused === 0) this.#socket.pause()
    this.#paused |= pauses[why]
  }

  #lift(why: Pause): void {
    if (!this.#isPausedFor(why)) return
    this.#paused &= ~pauses[why]
    if (this.#paused === 0) this.#socket.resume()
  }
}

/** The reason in a close frame may have 123 bytes. */
function closeReason(text: string): string {
  return Buffer.byteLength(text) <= 123 ? text : `${text.slice(0, 40)}…`
}
