import { once } from 'node:events'
import { Socket } from 'node:net'
import { Client, type ClientConfig, type QueryArrayConfig } from 'pg'
import { ArrayQuery, type Conversions } from './array-query.ts'

export interface PipelineOptions {
  /** A postgresql:// URL. */
  readonly url: string
  /** In words of pg. */
  readonly settings: ClientConfig
  /** Milliseconds without a byte, while a statement is under way, after which the connection is given up. */
  readonly quietMs: number
}

/**
 * One connection on which a statement is sent without waiting for the answers to those before it. PostgreSQL runs them
 * one after the other, and answers in the order in which they came.
 *
 * When it ends, for whatever reason, every statement under way on it fails. It does not come back.
 */
export class Pipeline implements AsyncDisposable {
  readonly #socket: Socket
  readonly #client: Client
  readonly #watchdog: NodeJS.Timeout
  readonly #conversions = new Map<string, Conversions>()
  #underWay = 0

  private constructor(client: Client, socket: Socket, quietMs: number) {
    this.#client = client
    this.#socket = socket
    this.#watchdog = setInterval(() => this.#look(), quietMs).unref()
    socket.once('close', () => clearInterval(this.#watchdog))
  }

  /** @param onWarning is told why the connection was lost */
  static async open(options: PipelineOptions, onWarning: (text: string) => void): Promise<Pipeline> {
    const { url, settings, quietMs } = options
    const socket = new Socket()
    const client = new Client({
      ...settings,
      connectionString: url,
      application_name: 'colloquy reads',
      pipeline: true,
      // A query_timeout would count the wait for others, and end the connection for all of them.
      stream: () => socket,
    })
    // What pg cannot make sense of fails everything under way, but pg leaves the connection open.
    client.on('error', (error) => {
      onWarning(`A pipeline was lost: ${error.message}`)
      socket.destroy()
    })
    await client.connect()
    return new Pipeline(client, socket, quietMs)
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed
  }

  /** How many statements were sent and are not answered. */
  get underWay(): number {
    return this.#underWay
  }

  query(config: QueryArrayConfig<unknown[]>): Promise<{ rows: unknown[][] }> {
    return new Promise((resolve, reject) => {
      const asked = new ArrayQuery(config, this.#conversions, (error, rows) => {
        this.#underWay -= 1
        if (error === null) resolve({ rows })
        else reject(error)
      })
      this.#underWay += 1
      this.#client.query(asked)
    })
  }

  #seen = { bytes: 0, isBusy: false }

  /** If a statement was under way at the last look, and no byte has come since, then it is still under way. */
  #look(): void {
    const { bytesRead: bytes } = this.#socket
    const isStuck = this.#seen.isBusy && this.#seen.bytes === bytes
    this.#seen = { bytes, isBusy: this.#underWay > 0 }
    if (isStuck) this.#socket.destroy(new Error('the oldest statement made no progress'))
  }

  /** Breaks what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.closed) return
    this.#socket.destroy()
    await once(this.#socket, 'close')
  }
}
