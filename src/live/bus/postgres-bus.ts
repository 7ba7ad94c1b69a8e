import { randomUUID } from 'node:crypto'
import { Client, escapeIdentifier } from 'pg'
import type { Logger } from 'pino'
import { Bus, type Connect, type Hint, type Line, type LineEvents } from './bus.ts'

const channelPrefix = 'colloquy '

/**
 * A bus of LISTEN and NOTIFY on a connection of its own.
 *
 * @param url a postgresql:// URL
 * @param patienceMs of `Bus`
 */
export function postgresBus(url: string, log: Logger, patienceMs?: number): Bus {
  return new Bus(postgresLine(url), 'the database of DATABASE_DIRECT_URL or DATABASE_URL', log, patienceMs)
}

/** Opens a line of that bus. */
export function postgresLine(url: string): Connect {
  return (events, signal) => PostgresLine.connect(url, events, signal)
}

/**
 * A channel for each conversation, so that a process hears exactly what it asked for. PostgreSQL compares a hint with
 * the channels of each listening connection one by one, in the process of that connection: with 10,000 channels this
 * took 39 µs a hint, with 1,000 it took 5. Listening to 10,000 channels took 0.2 s in all, and to one more 0.1 to 0.4
 * ms.
 *
 * NOTIFY is sent after the commit. Within the writing transaction it would take a lock on the whole instance.
 */
class PostgresLine implements Line {
  readonly #client: Client
  readonly #self = randomUUID().slice(0, 8)

  private constructor(client: Client) {
    this.#client = client
  }

  static async connect(url: string, events: LineEvents, signal: AbortSignal): Promise<PostgresLine> {
    const client = new Client({
      connectionString: url,
      application_name: 'colloquy hints',
      connectionTimeoutMillis: 5_000,
      query_timeout: 10_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      // A hint may be lost, so it is not worth waiting for the disk.
      options: '-c synchronous_commit=off',
    })
    const line = new PostgresLine(client)
    const ended = Promise.withResolvers<void>()
    const lose = (error: Error) => {
      events.lost(error)
      ended.resolve()
    }
    client.on('error', lose)
    client.on('end', () => lose(new Error('The connection for hints has ended.')))
    client.on('notification', ({ channel, payload }) => line.#hear(channel, payload ?? '', events))
    const stop = () => void end(client)
    signal.addEventListener('abort', stop, { once: true })
    void ended.promise.then(() => signal.removeEventListener('abort', stop))
    try {
      // pg never settles connect() when its client is ended meanwhile.
      await Promise.race([client.connect(), ended.promise])
    } catch (error) {
      await end(client)
      throw error
    }
    return line
  }

  async listen(keys: readonly string[]): Promise<void> {
    await this.#client.query(keys.map((key) => `listen ${channelOf(key)}`).join('; '))
  }

  async unlisten(keys: readonly string[]): Promise<void> {
    await this.#client.query(keys.map((key) => `unlisten ${channelOf(key)}`).join('; '))
  }

  async send(hints: readonly Hint[]): Promise<void> {
    const channels = hints.map(({ key }) => `${channelPrefix}${key}`)
    const payloads = hints.map(({ text }) => `${this.#self} ${text}`)
    await this.#client.query({ ...notify, values: [channels, payloads] })
  }

  #hear(channel: string, payload: string, events: LineEvents): void {
    const end = payload.indexOf(' ')
    if (end === -1 || payload.slice(0, end) === this.#self) return
    events.heard({ key: channel.slice(channelPrefix.length), text: payload.slice(end + 1) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await end(this.#client)
  }
}

/** A named statement is parsed and planned once, which was half of its cost. This one is sent all the time. */
const notify = {
  name: 'hints',
  text: 'select pg_notify(channel, payload) from unnest($1::text[], $2::text[]) as hint (channel, payload)',
}

function channelOf(key: string): string {
  return escapeIdentifier(`${channelPrefix}${key}`)
}

async function end(client: Client): Promise<void> {
  await client.end().catch(() => {})
}
