import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Moved } from '../../storage/postgres/store.ts'
import { AwayLog } from '../away-log.ts'

/** Servers say on this key who is there and what people do. Hints have the key of a conversation or of a list. */
export const peopleKey = 'people'

/** What a bus tells what it hears. */
export interface BusListener {
  moved(hint: Moved): void
  /** Another server said this of people. */
  said(text: string): void
  /** The bus hears from now on, for the first time or again. Hints from before may have been lost. */
  resumed(): void
}

/** Asks for the hints of one key, until it is disposed. */
export interface Interest extends Disposable {
  /**
   * Settles once every hint that is sent from then on will be heard. Whoever reads after it misses nothing. It never
   * fails. While the bus is away it settles at once, and when the bus does not answer it settles after a second. Then
   * the bus says `resumed` once it hears, and what was missed is found after that.
   */
  readonly confirmed: Promise<void>
}

/**
 * An open connection that carries hints. It takes one call at a time. A call settles when the other end has answered.
 */
export interface Line extends AsyncDisposable {
  /** Listening twice to a key does no harm. */
  listen(keys: readonly string[]): Promise<void>
  unlisten(keys: readonly string[]): Promise<void>
  /** Sends to all other lines that listen to the keys. */
  send(hints: readonly Hint[]): Promise<void>
}

/** A hint as it travels. */
export interface Hint {
  readonly key: string
  readonly text: string
}

/**
 * Opens a line, and calls `lost` when the line ends by itself. Gives up, and ends the line, when `signal` is aborted.
 */
export type Connect = (events: LineEvents, signal: AbortSignal) => Promise<Line>

export interface LineEvents {
  heard(hint: Hint): void
  lost(error: Error): void
}

/** So many keys or hints go in one call at most, so that what comes meanwhile waits for a few milliseconds only. */
const perCall = 1_000
/** When hints of so many keys wait to be sent, further ones are dropped; the poll finds what they would have told. */
const maxWaiting = 100_000
/**
 * The pause between two rounds that only send, in milliseconds. The first round after a rest begins at once. With one
 * writer who commits every 0.7 ms, one call for each commit took PostgreSQL nearly as long as the append itself.
 */
const pauseMs = 4
const retryMs = 500
/** How long an interest waits for its confirmation, in milliseconds, unless another time is given. */
const defaultPatienceMs = 1_000

const now = Promise.resolve()

interface Unconfirmed {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly timer: NodeJS.Timeout
}

/**
 * Carries hints between the processes on one database. A process hears only of the keys in which it has an interest. A
 * hint may be lost, doubled or late: the log is the truth.
 *
 *     connecting ── connected, listens to all that is wanted ──▶ open ── line lost ──▶ away ── after a pause ──▶ connecting
 *          │                                                                            ▲
 *          └── failed ──────────────────────────────────────────────────────────────────┘
 *
 * One loop does all work of an open line in rounds: listen, send, stop listening. So hints of commits that ended
 * together are sent together, and an interest that begins and ends within one round costs nothing.
 */
export class Bus implements AsyncDisposable {
  readonly #connect: Connect
  readonly #away: AwayLog
  readonly #patienceMs: number
  readonly #stop = new AbortController()
  readonly #wanted = new Map<string, Interest>()
  /** By key. Kept apart from the interests, because most interests are confirmed already. */
  readonly #unconfirmed = new Map<string, Unconfirmed>()
  /** The keys to which the present line listens. */
  readonly #listening = new Set<string>()
  readonly #toListen = new Set<string>()
  readonly #toUnlisten = new Set<string>()
  readonly #toSend = new Map<string, number>()
  #toSay: string | null = null
  #lastSent = Number.NEGATIVE_INFINITY
  #isAway = false
  #isOpen = false
  /**
   * How many hints this process gave, how many keys went on the line, how many hints came, and how many were dropped
   * because too many waited.
   */
  readonly counts = { published: 0, sent: 0, heard: 0, dropped: 0 }
  #running: Promise<void> = Promise.resolve()
  #wake: () => void = () => {}

  /** @param setting names the other end of the line */
  constructor(connect: Connect, setting: string, log: Logger, patienceMs = defaultPatienceMs) {
    this.#connect = connect
    this.#away = new AwayLog(log, `hints from other servers are late until ${setting} can be reached`)
    this.#patienceMs = patienceMs
  }

  /** Begins to connect and to hear, in the background. */
  start(listener: BusListener): void {
    this.#running = this.#run(listener)
  }

  /** Tells the other processes, a little later and together with other hints. Never throws and never waits. */
  publish(moved: Moved): void {
    this.counts.published += 1
    if (this.#toSend.size >= maxWaiting) {
      this.counts.dropped += 1
      return
    }
    const isFirst = this.#toSend.size === 0
    // Hints of commits that ended together come in any order.
    this.#toSend.set(moved.key, Math.max(moved.revision, this.#toSend.get(moved.key) ?? 0))
    if (isFirst) this.#wake()
  }

  /** Whether something of people may be said: there is a line, and what was said before is on its way. */
  get maySay(): boolean {
    return this.#isOpen && this.#toSay === null
  }

  /** Says something of people to the other processes. To be called when it `maySay`; later it would replace what waits. */
  say(text: string): void {
    this.#toSay = text
    this.#wake()
  }

  /** Whether there is a line on which hints come. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** How many hints wait to be sent. */
  get waiting(): number {
    return this.#toSend.size
  }

  /** Asks for the hints of a key. A key has one interest at a time. */
  interest(key: string): Interest {
    this.#toUnlisten.delete(key)
    if (!this.#listening.has(key)) this.#toListen.add(key)
    if (!this.#isAway && !this.#listening.has(key)) {
      const timer = setTimeout(() => this.#confirm(key), this.#patienceMs).unref()
      this.#unconfirmed.set(key, { ...Promise.withResolvers<void>(), timer })
    }
    const interest = new KeyInterest(this, key)
    this.#wanted.set(key, interest)
    this.#wake()
    return interest
  }

  /** What `Interest.confirmed` says. */
  confirmed(key: string): Promise<void> {
    return this.#unconfirmed.get(key)?.promise ?? now
  }

  /** Ends an interest. Ending it twice does no harm, even when the key has another interest meanwhile. */
  end(interest: Interest, key: string): void {
    if (this.#wanted.get(key) !== interest) return
    this.#confirm(key)
    this.#wanted.delete(key)
    this.#toListen.delete(key)
    // While the bus is away there is no line to unlisten on; the next line listens only to keys that are wanted then.
    if (!this.#isAway) this.#toUnlisten.add(key)
    this.#wake()
  }

  #confirm(key: string): void {
    const unconfirmed = this.#unconfirmed.get(key)
    if (unconfirmed === undefined) return
    clearTimeout(unconfirmed.timer)
    unconfirmed.resolve()
    this.#unconfirmed.delete(key)
  }

  async #run(listener: BusListener): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      await this.#useLine(listener).catch((error: unknown) => {
        if (signal.aborted) return
        this.#away.failed(error, performance.now())
      })
      this.#isAway = true
      this.#isOpen = false
      this.#toSay = null
      this.#listening.clear()
      this.#toUnlisten.clear()
      for (const key of this.#unconfirmed.keys()) this.#confirm(key)
      await delay(retryMs, undefined, { signal, ref: false }).catch(() => {})
    }
  }

  /** Opens a line and uses it until it is lost. @throws when it cannot connect, or when the line is lost */
  async #useLine(listener: BusListener): Promise<void> {
    const { signal } = this.#stop
    const lost = new AbortController()
    const events: LineEvents = {
      heard: ({ key, text }) => {
        if (key === peopleKey) {
          listener.said(text)
          return
        }
        // A server sends the revision and nothing else. Any other text was not sent by a server.
        if (!/^\d{1,15}$/.test(text)) return
        this.counts.heard += 1
        listener.moved({ key, revision: Number(text) })
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
    this.#isOpen = true
    this.#away.back()
    listener.resumed()
    while (!signal.aborted && !lost.signal.aborted) {
      const pause = !this.#hasToSend ? null : this.#lastSent + pauseMs - performance.now()
      if (this.#toListen.size + this.#toUnlisten.size === 0 && (pause === null || pause > 0)) {
        await this.#untilWoken(pause)
        continue
      }
      // Waits for one turn of the event loop, so that everything that came in this turn goes together.
      await turn()
      if (this.#toListen.size > 0 && (await this.#listen(line)) === 'late') listener.resumed()
      if (this.#hasToSend) await this.#send(line)
      if (this.#toUnlisten.size > 0) await this.#unlisten(line)
    }
    if (lost.signal.aborted) throw lost.signal.reason
  }

  get #hasToSend(): boolean {
    return this.#toSend.size > 0 || this.#toSay !== null
  }

  /** @param pause how long it waits at most, in milliseconds; null: until it is woken */
  async #untilWoken(pause: number | null): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const timer = pause === null ? undefined : setTimeout(resolve, pause)
    await promise
    clearTimeout(timer)
  }

  /** @returns late: of one of the keys, somebody has stopped waiting for the confirmation, and may have missed hints */
  async #listen(line: Line): Promise<'in time' | 'late'> {
    const keys = takeFrom(this.#toListen)
    await line.listen(keys)
    const isLate = keys.some((key) => this.#wanted.has(key) && !this.#unconfirmed.has(key))
    for (const key of keys) {
      this.#listening.add(key)
      this.#confirm(key)
    }
    return isLate ? 'late' : 'in time'
  }

  async #send(line: Line): Promise<void> {
    const hints: Hint[] = []
    for (const [key, revision] of this.#toSend) {
      if (hints.length === perCall) break
      hints.push({ key, text: String(revision) })
      this.#toSend.delete(key)
    }
    if (this.#toSay !== null) hints.push({ key: peopleKey, text: this.#toSay })
    this.#toSay = null
    this.#lastSent = performance.now()
    await line.send(hints)
    this.counts.sent += hints.length
  }

  async #unlisten(line: Line): Promise<void> {
    const keys = takeFrom(this.#toUnlisten)
    // The keys are forgotten before the call ends: whoever asks for one of them meanwhile must listen again.
    for (const key of keys) this.#listening.delete(key)
    await line.unlisten(keys)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    this.#wake()
    await this.#running
  }
}

/** An idle watcher holds one: so it has no functions of its own. */
class KeyInterest implements Interest {
  readonly #bus: Bus
  readonly #key: string

  constructor(bus: Bus, key: string) {
    this.#bus = bus
    this.#key = key
  }

  get confirmed(): Promise<void> {
    return this.#bus.confirmed(this.#key)
  }

  [Symbol.dispose](): void {
    this.#bus.end(this, this.#key)
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
