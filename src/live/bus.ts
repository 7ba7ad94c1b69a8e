import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Moved } from '../storage/postgres/store.ts'

/** What a bus does with what it hears. */
export interface BusListener {
  moved(hint: Moved): void
  /** It hears again, or for the first time: hints from before then may have been lost. */
  resumed(): void
}

/** That hints of one key are asked for, until it is disposed. */
export interface Interest extends Disposable {
  /**
   * Settles once every hint that is sent from now on will be heard: read after it, and nothing falls between. It never
   * fails. While the bus is away it settles at once, and a bus that does not answer is waited for a second: what is
   * missed then, `resumed` or the poll makes up for.
   */
  readonly confirmed: Promise<void>
}

/** An open connection that carries hints. One call at a time; each settles when the other end has answered, or fails. */
export interface Line extends AsyncDisposable {
  /** Keys that it listens to already are none the worse for it. */
  listen(keys: readonly string[]): Promise<void>
  unlisten(keys: readonly string[]): Promise<void>
  /** Sends to all others that listen to the keys. */
  send(hints: readonly Hint[]): Promise<void>
}

/** A hint as it travels. */
export interface Hint {
  readonly key: string
  readonly text: string
}

/** Opens a line; `lost` is called when it ends by itself. It gives up, and ends the line, when `signal` is aborted. */
export type Connect = (events: LineEvents, signal: AbortSignal) => Promise<Line>

export interface LineEvents {
  heard(hint: Hint): void
  lost(error: Error): void
}

/** At most so many go in one call: what comes meanwhile need not wait longer than a few milliseconds. */
const perCall = 1_000
/** Beyond this many keys waiting to be told of, the rest is left to the poll. */
const maxWaiting = 100_000
/**
 * Between two rounds that only send, in milliseconds; the first after a rest begins at once. Of one writer, who brings a
 * commit every 0.7 ms, a call for each took PostgreSQL nearly as long as the append itself.
 */
const pauseMs = 4
const retryMs = 500
const patienceMs = 1_000

const now = Promise.resolve()

/**
 * Carries hints between the processes on one database: each hears of the keys that it has an interest in, and of no
 * others. A hint may be lost, doubled or late: the log is the truth.
 *
 *     connecting ── connected, listens to all that is wanted ──▶ open ── line lost ──▶ away ── after a pause ──▶ connecting
 *          │                                                                            ▲
 *          └── failed ──────────────────────────────────────────────────────────────────┘
 *
 * One loop does everything that an open line is asked for, in rounds: listen, send, stop listening. So what ended
 * together is told of together, and who comes and goes at once costs nothing.
 */
export class Bus implements AsyncDisposable {
  readonly #connect: Connect
  readonly #log: Logger
  readonly #stop = new AbortController()
  readonly #wanted = new Map<string, Interest>()
  /** What confirms the interests in these keys: apart from them, for most of their time they are confirmed. */
  readonly #unconfirmed = new Map<string, () => void>()
  /** What the present line listens to. */
  readonly #listening = new Set<string>()
  readonly #toListen = new Set<string>()
  readonly #toUnlisten = new Set<string>()
  readonly #toSend = new Map<string, number>()
  #lastSent = Number.NEGATIVE_INFINITY
  #isAway = false
  #running: Promise<void> = Promise.resolve()
  #wake: () => void = () => {}

  constructor(connect: Connect, log: Logger) {
    this.#connect = connect
    this.#log = log
  }

  /** Begins to hear, in the background and for as long as connecting takes. */
  start(listener: BusListener): void {
    this.#running = this.#run(listener)
  }

  /** Tells the other processes, soon and gathered. Never throws and never waits. */
  publish(moved: Moved): void {
    if (this.#toSend.size >= maxWaiting) return
    const isFirst = this.#toSend.size === 0
    // Commits that ended together are told of in any order.
    this.#toSend.set(moved.key, Math.max(moved.revision, this.#toSend.get(moved.key) ?? 0))
    if (isFirst) this.#wake()
  }

  /** Asks for the hints of a key; one interest per key at a time. */
  interest(key: string): Interest {
    this.#toUnlisten.delete(key)
    if (!this.#listening.has(key)) this.#toListen.add(key)
    const interest: Interest = {
      confirmed: this.#isAway || this.#listening.has(key) ? now : this.#untilConfirmed(key),
      [Symbol.dispose]: () => {
        if (this.#wanted.get(key) !== interest) return
        this.#confirm(key)
        this.#wanted.delete(key)
        this.#toListen.delete(key)
        // A line of later listens only to what is wanted then.
        if (!this.#isAway) this.#toUnlisten.add(key)
        this.#wake()
      },
    }
    this.#wanted.set(key, interest)
    this.#wake()
    return interest
  }

  #untilConfirmed(key: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(() => this.#confirm(key), patienceMs).unref()
    this.#unconfirmed.set(key, () => {
      clearTimeout(timer)
      resolve()
    })
    return promise
  }

  #confirm(key: string): void {
    this.#unconfirmed.get(key)?.()
    this.#unconfirmed.delete(key)
  }

  async #run(listener: BusListener): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.#useLine(listener).catch((error: unknown) => {
        if (signal.aborted) return
        this.#log.warn({ err: error }, 'hints from other servers are late until their connection is back')
      })
      this.#isAway = true
      this.#listening.clear()
      this.#toUnlisten.clear()
      for (const key of this.#unconfirmed.keys()) this.#confirm(key)
      await delay(retryMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  /** Opens a line and uses it until it is lost. @throws why there is none, or no more */
  async #useLine(listener: BusListener): Promise<void> {
    const { signal } = this.#stop
    const lost = new AbortController()
    const events: LineEvents = {
      heard: ({ key, text }) => {
        // The revision alone; what does not look like one was not sent by a server.
        if (/^\d{1,15}$/.test(text)) listener.moved({ key, revision: Number(text) })
      },
      lost: (error) => {
        lost.abort(error)
        this.#wake()
      },
    }
    await using line = await this.#connect(events, signal)
    for (const key of this.#wanted.keys()) this.#toListen.add(key)
    while (this.#toListen.size > 0) await this.#listen(line)
    this.#isAway = false
    listener.resumed()
    while (!signal.aborted && !lost.signal.aborted) {
      const pause = this.#toSend.size === 0 ? null : this.#lastSent + pauseMs - performance.now()
      if (this.#toListen.size + this.#toUnlisten.size === 0 && (pause === null || pause > 0)) {
        await this.#untilWoken(pause)
        continue
      }
      // One turn of the event loop gathers what came together.
      await turn()
      if (this.#toListen.size > 0) await this.#listen(line)
      if (this.#toSend.size > 0) await this.#send(line)
      if (this.#toUnlisten.size > 0) await this.#unlisten(line)
    }
    if (lost.signal.aborted) throw lost.signal.reason
  }

  /** @param pause the most that it takes, in milliseconds; null: as long as it takes */
  async #untilWoken(pause: number | null): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const timer = pause === null ? undefined : setTimeout(resolve, pause)
    await promise
    clearTimeout(timer)
  }

  async #listen(line: Line): Promise<void> {
    const keys = takeFrom(this.#toListen)
    await line.listen(keys)
    for (const key of keys) {
      this.#listening.add(key)
      this.#confirm(key)
    }
  }

  async #send(line: Line): Promise<void> {
    const hints: Hint[] = []
    for (const [key, revision] of this.#toSend) {
      if (hints.length === perCall) break
      hints.push({ key, text: String(revision) })
      this.#toSend.delete(key)
    }
    this.#lastSent = performance.now()
    await line.send(hints)
  }

  async #unlisten(line: Line): Promise<void> {
    const keys = takeFrom(this.#toUnlisten)
    // Before it has happened: whoever comes back meanwhile must ask anew.
    for (const key of keys) this.#listening.delete(key)
    await line.unlisten(keys)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    this.#wake()
    await this.#running
  }
}

function takeFrom(keys: Set<string>): string[] {
  const taken: string[] = []
  for (const key of keys) {
    if (taken.length === perCall) break
    taken.push(key)
    keys.delete(key)
  }
  return taken
}
