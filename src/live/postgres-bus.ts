import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import type { Logger } from 'pino'
import type { Moved } from '../storage/store.ts'
import type { Bus, BusListener } from './bus.ts'

const channel = 'colloquy'
/** PostgreSQL takes payloads below 8000 bytes; one hint has at most 53. */
const hintsPerNotice = 100
/** Beyond this many keys waiting, the rest is left to the poll. */
const maxWaiting = 100_000
const retryMs = 500

/** The end of a connection; wrapped, for a promise of a promise is only its end. */
interface Lost {
  readonly promise: Promise<void>
}

/**
 * Hints by LISTEN and NOTIFY on a connection of their own. NOTIFY comes after the commit and not inside the writing
 * transaction, where it would take a lock on the whole instance; what gathers while one is on its way goes together.
 *
 *     connecting ── connected, LISTEN ──▶ open ── connection lost ──▶ connecting
 *          └───────────── disposed ────────┴──▶ closed
 */
export class PostgresBus implements Bus {
  readonly #url: string
  readonly #log: Logger
  readonly #self = randomUUID().slice(0, 8)
  readonly #stop = new AbortController()
  readonly #waiting = new Map<string, number>()
  #running: Promise<void> = Promise.resolve()
  #client: Client | null = null
  #sending = false

  /** @param url a postgresql:// URL */
  constructor(url: string, log: Logger) {
    this.#url = url
    this.#log = log
  }

  start(listener: BusListener): void {
    this.#running = this.#run(listener)
  }

  publish(moved: Moved): void {
    if (this.#waiting.size >= maxWaiting) return
    // Commits that ended together are told of in any order.
    this.#waiting.set(moved.key, Math.max(moved.revision, this.#waiting.get(moved.key) ?? 0))
    if (!this.#sending) void this.#send()
  }

  async #send(): Promise<void> {
    this.#sending = true
    // One turn of the event loop gathers the commits that ended together.
    await new Promise(setImmediate)
    while (this.#waiting.size > 0 && this.#client !== null) {
      const hints = [...this.#waiting].slice(0, hintsPerNotice)
      for (const [key] of hints) this.#waiting.delete(key)
      const payload = [this.#self, ...hints.map(([key, revision]) => `${key.replaceAll('-', '')}:${revision}`)].join(
        ' ',
      )
      const client = this.#client
      // One that does not answer would hold up every later hint, each for as long as a query may take.
      await client.query('select pg_notify($1, $2)', [channel, payload]).catch(() => end(client))
    }
    this.#sending = false
  }

  async #run(listener: BusListener): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const lost = await this.#connect(listener).catch((error: Error) => {
        if (!this.#stop.signal.aborted)
          this.#log.warn({ err: error }, 'hints from other servers are late until their connection is back')
        return null
      })
      if (lost !== null) {
        listener.resumed()
        if (this.#waiting.size > 0 && !this.#sending) void this.#send()
        await lost.promise
        this.#client = null
      }
      await delay(retryMs, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {})
    }
  }

  /** Settles once it listens. */
  async #connect(listener: BusListener): Promise<Lost> {
    const client = new Client({
      connectionString: this.#url,
      application_name: 'colloquy hints',
      connectionTimeoutMillis: 5_000,
      query_timeout: 10_000,
      keepAlive: true,
    })
    const { promise, resolve } = Promise.withResolvers<void>()
    client.on('error', (error) => {
      this.#log.warn({ err: error }, 'lost the connection for hints')
      resolve()
    })
    client.on('end', resolve)
    client.on('notification', (notice) => this.#hear(notice.payload ?? '', listener))
    const stop = () => void end(client)
    this.#stop.signal.addEventListener('abort', stop, { once: true })
    void promise.then(() => {
      this.#stop.signal.removeEventListener('abort', stop)
      stop()
    })
    try {
      // pg settles no connect() whose client is ended meanwhile.
      await Promise.race([client.connect(), promise])
      await client.query(`listen ${channel}`)
    } catch (error) {
      await end(client)
      throw error
    }
    this.#client = client
    return { promise }
  }

  #hear(payload: string, listener: BusListener): void {
    const [sender, ...hints] = payload.split(' ')
    if (sender === this.#self) return
    for (const hint of hints) {
      const read = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12}):(\d{1,15})$/.exec(hint)
      if (read !== null) listener.moved({ key: read.slice(1, 6).join('-'), revision: Number(read[6]) })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
  }
}

async function end(client: Client): Promise<void> {
  await client.end().catch(() => {})
}
