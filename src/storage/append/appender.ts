import { TooManyWait } from '../../facts.ts'
import { batchSizes, Distribution } from '../../observe/distribution.ts'
import { Gather, type GatherCounts, type Outcome } from '../postgres/gather.ts'
import type { Store } from '../postgres/store.ts'
import { type Append, type Appended, appendMessages, needsLock } from './append.ts'
import { appendTogether, appendToOne } from './append-together.ts'
import { appendWithin } from './append-within.ts'

/**
 * The appends to one conversation always go through the same lane. While one lane waits for its commit, the other keeps
 * PostgreSQL busy.
 */
const laneCount = 2
const runItems = 128
const runItemsOfKey = 32
const runBytes = 4 * 1024 * 1024
/**
 * How many milliseconds a lane waits for a run of one append. After that the lane goes on: one locked conversation must
 * not hold up the others.
 */
const patienceMs = 20

/**
 * Gathers the appends of many callers. The appends that come while a statement is under way go into the next statement,
 * and one commit makes all of them durable. Each caller is answered after that commit. A lane that rests does not wait
 * for more appends: a lone append takes its plain statement at once.
 *
 * Where conversations are spread over machines, no statement appends to several of them, and each conversation has a lane
 * of its own. So a conversation that somebody holds takes one connection, however many append to it.
 */
export class Appender {
  readonly #store: Store
  readonly #waitMs: number
  /** Whether a quota is about appends. */
  readonly #isLimited: boolean
  readonly #lanes = new Map<string, Gather<Append, Appended>>()
  /** Of all lanes together. */
  readonly gathered: GatherCounts = { batches: new Distribution(batchSizes), waiting: 0, refused: 0 }
  /** How many appends were asked for, whatever became of them, and how many messages they had. */
  readonly asked = { appends: 0, messages: 0 }

  /** @param waitMs after so many milliseconds, an append that has not begun is refused */
  constructor(store: Store, waitMs: number) {
    this.#store = store
    this.#isLimited = store.quotas.conversations !== null || store.quotas.bytes !== null
    this.#waitMs = waitMs
  }

  /** The same as `appendMessages`; the errors are described there. @throws also TooManyWait, QuotaExceeded */
  append(append: Append): Promise<Appended> {
    this.asked.appends += 1
    this.asked.messages += append.messages.length
    return this.#isLimited ? appendWithin(this.#store, append, (within) => this.#add(within)) : this.#add(append)
  }

  #add(append: Append): Promise<Appended> {
    // Conditions, and repeats within a batch, are rare.
    const isPlain = append.ifLastSeq === null && !needsLock(append) && !hasRepeats(append)
    const isSmall = append.messages.length <= runItemsOfKey
    if (!isPlain || !isSmall) return appendMessages(this.#store, append)
    return this.#laneOf(append.to.key).add(append)
  }

  #laneOf(key: string): Gather<Append, Appended> {
    const name = this.#store.spreads ? key : String(Number.parseInt(key.slice(0, 8), 16) % laneCount)
    const lane = this.#lanes.get(name) ?? this.#createLane(name)
    this.#lanes.set(name, lane)
    return lane
  }

  #createLane(name: string): Gather<Append, Appended> {
    return new Gather<Append, Appended>({
      name: 'appends',
      counts: this.gathered,
      keyOf: ({ to }) => to.key,
      sizeOf: ({ messages }) => messages.reduce((sum, message) => sum + message.size, 0),
      run: (appends) => (appends.length === 1 ? this.#runOne(appends) : this.#runMany(appends)),
      onRest: () => {
        if (this.#store.spreads) this.#lanes.delete(name)
      },
      windowMs: 0,
      waitMs: this.#waitMs,
      runItems,
      runItemsOfKey,
      runSize: runBytes,
    })
  }

  async #runOne([append]: readonly Append[]): Promise<Outcome<Appended>[]> {
    const appended = appendMessages(this.#store, append as Append)
    return [(await isQuick(appended)) ? { result: await appended } : { later: appended }]
  }

  async #runMany(appends: readonly Append[]): Promise<Outcome<Appended>[]> {
    const together = withoutConflicts(appends)
    const stored = this.#store.spreads ? [] : await appendTogether(this.#store, together)
    const appendedBy = new Map(together.map((append, index) => [append, stored[index] ?? null]))
    const left = appends.filter((append) => !appendedBy.get(append))
    const later = new Map(
      [...Map.groupBy(left, ({ to }) => to.key).values()].flatMap((group) => [...this.#oneAfterOther(group)]),
    )
    return appends.map((append) => {
      const appended = appendedBy.get(append)
      // Every append that stored nothing is in `later`.
      return appended ? { result: appended } : { later: later.get(append) as Promise<Appended> }
    })
  }

  /**
   * Appends to one conversation: first all together, once nobody holds the conversation; then, one after the other,
   * those that stored nothing.
   */
  #oneAfterOther(appends: readonly Append[]): Map<Append, Promise<Appended>> {
    const together = withoutConflicts(appends)
    const first = together.length === 1 ? Promise.resolve([]) : appendToOne(this.#store, together)
    const later = new Map<Append, Promise<Appended>>()
    const latest = performance.now() + this.#waitMs
    let last: Promise<unknown> = first.catch(() => {})
    for (const append of appends) {
      const place = together.indexOf(append)
      const appended = Promise.all([first, last]).then(
        ([stored]) => stored[place] ?? this.#appendBefore(latest, append),
      )
      later.set(append, appended)
      last = appended.catch(() => {})
    }
    return later
  }

  async #appendBefore(latest: number, append: Append): Promise<Appended> {
    // Each of those before it may have waited for the same lock.
    if (performance.now() > latest) throw new TooManyWait()
    return appendMessages(this.#store, append)
  }
}

/** Whether the promise settles within `patienceMs`. */
function isQuick(promise: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, patienceMs, false)
    const settled = () => {
      clearTimeout(timer)
      resolve(true)
    }
    promise.then(settled, settled)
  })
}

function hasRepeats({ messages }: Append): boolean {
  if (messages.length === 1) return false
  const ids = messages.map(({ clientId }) => clientId).filter((id) => id !== null)
  return new Set(ids).size < ids.length
}

/**
 * Leaves out appends that bring a client id to a conversation a second time, or that name a conversation in another way
 * than the first append to it.
 */
function withoutConflicts(appends: readonly Append[]): Append[] {
  const names = new Map<string, string>()
  const clientIds = new Set<string>()
  return appends.filter(({ to, messages }) => {
    const name = `${to.epoch} ${to.userId}`
    if ((names.get(to.key) ?? name) !== name) return false
    names.set(to.key, name)
    const ids = messages.flatMap(({ clientId }) => (clientId === null ? [] : `${to.key} ${clientId}`))
    if (ids.some((id) => clientIds.has(id))) return false
    for (const id of ids) clientIds.add(id)
    return true
  })
}
