import { connect, type NatsConnection, type Subscription } from '@nats-io/transport-node'
import type { Logger } from 'pino'
import { Bus, type Connect, type Hint, type Line, type LineEvents } from './bus.ts'

const subjectPrefix = 'colloquy.'
const connectMs = 5_000
const answerMs = 10_000

/**
 * A bus over NATS.
 *
 * @param urls nats:// or tls://, of one server or of the servers of a cluster. The user and password of the first URL,
 *   or its user alone as a token, are used for all
 * @param patienceMs of `Bus`
 */
export function natsBus(urls: readonly string[], log: Logger, patienceMs?: number): Bus {
  return new Bus(natsLine(urls), 'the NATS of NATS_URL', log, patienceMs)
}

/** Opens a line of that bus. */
export function natsLine(urls: readonly string[]): Connect {
  return (events, signal) => NatsLine.connect(urls, events, signal)
}

/**
 * A subject for each conversation. The NATS client does not reconnect by itself, because the bus makes a new line for
 * every kind of line. NATS answers a ping after everything that was sent before the ping, and this answer is the
 * confirmation. The other servers of a cluster may learn of a subscription a moment later.
 */
class NatsLine implements Line {
  readonly #connection: NatsConnection
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #events: LineEvents
  /** Fails the call that waits for an answer. */
  #abandon: (error: Error) => void = () => {}

  private constructor(connection: NatsConnection, events: LineEvents) {
    this.#connection = connection
    this.#events = events
  }

  static async connect(urls: readonly string[], events: LineEvents, signal: AbortSignal): Promise<NatsLine> {
    const connection = await dial(urls, signal)
    const line = new NatsLine(connection, events)
    const stop = () => void connection.close()
    signal.addEventListener('abort', stop, { once: true })
    void connection.closed().then((reason) => {
      signal.removeEventListener('abort', stop)
      const error = reason ?? new Error('The connection to NATS has ended.')
      line.#abandon(error)
      events.lost(error)
    })
    return line
  }

  async listen(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      if (this.#subscriptions.has(key)) continue
      // NATS tells a missing permission to each subscription as an error. The poll then finds what happens there.
      const callback = (error: Error | null, message: { string(): string }) => {
        if (error === null) this.#events.heard({ key, text: message.string() })
      }
      this.#subscriptions.set(key, this.#connection.subscribe(`${subjectPrefix}${key}`, { callback }))
    }
    await this.#answered()
  }

  async unlisten(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      this.#subscriptions.get(key)?.unsubscribe()
      this.#subscriptions.delete(key)
    }
    await this.#answered()
  }

  async send(hints: readonly Hint[]): Promise<void> {
    for (const { key, text } of hints) this.#connection.publish(`${subjectPrefix}${key}`, text)
    await this.#answered()
  }

  /** Waits for the answer to a ping. The NATS client never settles a ping whose connection ends, so this does. */
  async #answered(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#abandon = reject
    const timer = setTimeout(() => reject(new Error('NATS does not answer.')), answerMs)
    try {
      this.#connection.flush().then(resolve, reject)
      await promise
    } finally {
      clearTimeout(timer)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.close()
  }
}

/** @throws when it cannot connect, or when `signal` is aborted first */
async function dial(urls: readonly string[], signal: AbortSignal): Promise<NatsConnection> {
  const { promise, resolve, reject } = Promise.withResolvers<NatsConnection>()
  const stop = () => reject(new Error('The server stops.'))
  signal.addEventListener('abort', stop, { once: true })
  const dialing = connect({
    ...toOptions(urls),
    name: 'colloquy hints',
    noEcho: true,
    reconnect: false,
    timeout: connectMs,
    pingInterval: 10_000,
  })
  dialing.then(resolve, reject)
  try {
    return await promise
  } catch (error) {
    // A connection that opens later is closed at once.
    void dialing.then((late) => late.close()).catch(() => {})
    throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/** Takes the credentials out of the URLs, because the NATS client does not read them there. */
function toOptions(urls: readonly string[]) {
  const parsed = urls.map((url) => new URL(url))
  const user = decodeURIComponent(parsed[0]?.username ?? '')
  const pass = decodeURIComponent(parsed[0]?.password ?? '')
  return {
    servers: parsed.map(({ host }) => host),
    ...(user !== '' && (pass === '' ? { token: user } : { user, pass })),
    ...(parsed.some(({ protocol }) => protocol === 'tls:') && { tls: {} }),
  }
}
