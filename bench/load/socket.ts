import { randomBytes } from 'node:crypto'
import type { Socket as NetSocket } from 'node:net'
import { connectTo } from './connect-to.ts'

/** One WebSocket, with as little work per message as it takes. Messages of the server come whole and unmasked. */
export class Socket {
  readonly #socket: NetSocket
  #rest: Buffer | null = null
  /** Is given bytes that are there only for as long as it runs. */
  received: (message: Buffer) => void = () => {}
  closed: (reason: string) => void = () => {}

  private constructor(socket: NetSocket) {
    this.#socket = socket
    socket.on('error', () => {})
    socket.on('close', () => this.closed('the connection was lost'))
  }

  static open(port: number, path: string, protocol: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const key = randomBytes(16).toString('base64')
      const upgrade = `upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}`
      let take = (answer: Buffer) => {
        const end = answer.indexOf('\r\n\r\n')
        if (!answer.toString('latin1', 0, 12).endsWith(' 101') || end < 0) {
          net.destroy()
          return reject(new Error(`no WebSocket: ${answer.toString('latin1', 0, 200)}`))
        }
        net.off('error', reject)
        const socket = new Socket(net)
        take = (chunk) => socket.#take(chunk)
        resolve(socket)
        const more = Buffer.from(answer.subarray(end + 4))
        if (more.length > 0) setImmediate(() => socket.#take(more))
      }
      const net = connectTo(
        port,
        (chunk) => take(chunk),
        () => {
          net.write(
            `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${upgrade}\r\nsec-websocket-protocol: ${protocol}\r\n\r\n`,
          )
        },
      )
      net.once('error', reject)
    })
  }

  send(text: string): void {
    this.#socket.write(frame(1, Buffer.from(text)))
  }

  close(): void {
    this.closed = () => {}
    this.received = () => {}
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    let bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = null
    while (bytes.length >= 2) {
      const opcode = (bytes[0] as number) & 15
      let length = (bytes[1] as number) & 127
      let start = 2
      if (length === 126) {
        if (bytes.length < 4) break
        length = bytes.readUInt16BE(2)
        start = 4
      } else if (length === 127) {
        if (bytes.length < 10) break
        length = Number(bytes.readBigUInt64BE(2))
        start = 10
      }
      if (bytes.length < start + length) break
      const payload = bytes.subarray(start, start + length)
      bytes = bytes.subarray(start + length)
      if (opcode === 1) this.received(payload)
      else if (opcode === 9) this.#socket.write(frame(10, payload))
      else if (opcode === 8)
        this.closed(`${payload.length > 1 ? payload.readUInt16BE(0) : ''} ${payload.toString('utf8', 2)}`)
    }
    if (bytes.length > 0) this.#rest = Buffer.from(bytes)
  }
}

/** Masked, as a client has to, with a mask of zeros. */
function frame(opcode: number, payload: Buffer): Buffer {
  const extra = payload.length < 126 ? 0 : 2
  const head = Buffer.alloc(2 + extra + 4)
  head[0] = 128 | opcode
  head[1] = 128 | (extra === 0 ? payload.length : 126)
  if (extra > 0) head.writeUInt16BE(payload.length, 2)
  return Buffer.concat([head, payload])
}
