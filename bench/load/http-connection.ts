import type { Socket } from 'node:net'
import { connectTo } from './connect-to.ts'

/** What came back; its bytes are there only for as long as `answered` runs. */
export interface Answer {
  readonly status: number
  readonly body: Buffer
}

/** One keep-alive connection of HTTP/1.1 with one request at a time, and as little work per answer as it takes. */
export class HttpConnection {
  readonly #socket: Socket
  #received: Buffer[] = []
  #length = 0
  /** Bytes of the answer as a whole; undefined while its head is not there, null when it comes in chunks. */
  #expected: number | null | undefined
  #headLength = 0
  #status = 0
  #answered: (answer: Answer) => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => {})
    socket.on('close', () => this.#answered({ status: 0, body: Buffer.from('the connection was closed') }))
  }

  static open(port: number): Promise<HttpConnection> {
    return new Promise((resolve, reject) => {
      let take = (_chunk: Buffer) => {}
      const socket = connectTo(
        port,
        (chunk) => take(chunk),
        () => {
          const connection = new HttpConnection(socket)
          take = (chunk) => connection.#take(chunk)
          resolve(connection)
        },
      )
      socket.once('error', reject)
    })
  }

  send(request: string, answered: (answer: Answer) => void): void {
    this.#answered = answered
    this.#socket.write(request, 'latin1')
  }

  close(): void {
    this.#answered = () => {}
    this.#socket.destroy()
  }

  #take(chunk: Buffer): void {
    this.#received.push(chunk)
    this.#length += chunk.length
    if (this.#expected === undefined) this.#readHead()
    const isComplete =
      this.#expected === null
        ? chunk.toString('latin1', chunk.length - 5) === '0\r\n\r\n'
        : this.#length === this.#expected
    if (!isComplete) {
      this.#received[this.#received.length - 1] = Buffer.from(chunk)
      return
    }
    const whole = this.#received.length === 1 ? chunk : Buffer.concat(this.#received)
    const answer = { status: this.#status, body: whole.subarray(this.#headLength) }
    this.#received = []
    this.#length = 0
    this.#expected = undefined
    this.#answered(answer)
  }

  #readHead(): void {
    const start = this.#received.length === 1 ? (this.#received[0] as Buffer) : Buffer.concat(this.#received)
    const end = start.indexOf('\r\n\r\n')
    if (end < 0) return
    const head = start.toString('latin1', 0, end)
    this.#headLength = end + 4
    this.#status = Number(head.slice(9, 12))
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
    this.#expected = length === undefined ? null : this.#headLength + Number(length)
  }
}

/** Why this is not the answer that was asked for; null when it is. */
export function faultOf({ status, body }: Answer, expected: { text: string; times: number }): string | null {
  if (status !== 200 || body.includes('"errors"')) return `${status} ${body.toString('utf8', 0, 500)}`
  let at = -1
  for (let found = 0; found < expected.times; found++) {
    at = body.indexOf(expected.text, at + 1)
    if (at < 0) return `${expected.text} came ${found} times in ${body.toString('utf8', 0, 500)}`
  }
  return null
}
