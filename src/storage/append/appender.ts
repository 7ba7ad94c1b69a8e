import { Gather, type Outcome } from '../postgres/gather.ts'
import { isRefused } from '../postgres/refused.ts'
import type { Store } from '../postgres/store.ts'
import { type Append, type Appended, appendMessages } from './append.ts'
import { appendTogether } from './append-together.ts'

/** Which appends go into one statement: those to any conversation, only those to the same one, or none. */
export type GatherMode = 'all' | 'conversation' | 'off'

/** A conversation has always the same lane; while one of two waits for its commit, the other keeps PostgreSQL at work. */
const laneCount = 2
const runItems = 128
const runItemsOfKey = 32
const runBytes = 4 * 1024 * 1024
/** How long a lane waits for an append that came alone, in milliseconds: one conversation's lock is not to hold up others. */
const patienceMs = 20

/**
 * Appends what many callers bring: what comes while a statement is on its way goes into the next one, all of it with one
 * commit, and each caller is answered after that. It never waits for more to come, so a lone append takes the plain
 * statement at once. It ends with those who wait for it.
 */
export class Appender {
  readonly #store: Store
  readonly #mode: GatherMode
  readonly #lanes = new Map<string, Gather<Append, Appended>>()

  constructor(store: Store, mode: GatherMode) {
    this.#store = store
    this.#mode = mode
  }

  /** As `appendMessages`, which also says what it throws. */
  append(append: Append): Promise<Appended> {
    // Conditions and what else is to be stored take the longer way, and so do repeats within a batch, which are rare.
    const { ifLastSeq, alsoStore, parents } = append
    const isPlain = ifLastSeq === null && alsoStore === undefined && parents === undefined && !hasRepeats(append)
    const isSmall = append.messages.length <= runItemsOfKey
    if (this.#mode === 'off' || !isPlain || !isSmall) return appendMessages(this.#store, append)
    return this.#laneOf(append.to.key).add(append)
  }

  #laneOf(key: string): Gather<Append, Appended> {
    const name = this.#mode === 'conversation' ? key : String(Number.parseInt(key.slice(0, 8), 16) % laneCount)
    const lane = this.#lanes.get(name) ?? this.#createLane(name)
    this.#lanes.set(name, lane)
    return lane
  }

  #createLane(name: string): Gather<Append, Appended> {
    return new Gather<Append, Appended>({
      keyOf: ({ to }) => to.key,
      sizeOf: ({ messages }) => messages.reduce((sum, message) => sum + message.size, 0),
      run: (appends) => (appends.length === 1 ? this.#appendOne(appends) : this.#appendMany(appends)),
      onRest: () => {
        if (this.#mode === 'conversation') this.#lanes.delete(name)
      },
      windowMs: 0,
      runItems,
      runItemsOfKey,
      runSize: runBytes,
    })
  }

  async #appendOne([append]: readonly Append[]): Promise<Outcome<Appended>[]> {
    const appended = appendMessages(this.#store, append as Append)
    return [(await isQuick(appended)) ? { result: await appended } : { later: appended }]
  }

  async #appendMany(appends: readonly Append[]): Promise<Outcome<Appended>[]> {
    const together = withoutConflicts(appends)
    const stored = await this.#tryTogether(together, 'skip')
    const appendedBy = new Map(together.map((append, index) => [append, stored[index] ?? null]))
    const left = appends.filter((append) => !appendedBy.get(append))
    const alone = new Map(
      [...Map.groupBy(left, ({ to }) => to.key).values()].flatMap((group) => [...this.#appendAlone(group)]),
    )
    return appends.map((append) => {
      const appended = appendedBy.get(append)
      // Every append that stored nothing has its turn to come.
      return appended ? { result: appended } : { later: alone.get(append) as Promise<Appended> }
    })
  }

  /** Those of one conversation: together once nobody holds it, and what something stands against one after the other. */
  #appendAlone(appends: readonly Append[]): Map<Append, Promise<Appended>> {
    const together = withoutConflicts(appends)
    const first = together.length === 1 ? Promise.resolve([]) : this.#tryTogether(together, 'wait')
    const alone = new Map<Append, Promise<Appended>>()
    let last: Promise<unknown> = first.catch(() => {})
    for (const append of appends) {
      const place = together.indexOf(append)
      const appended = Promise.all([first, last]).then(
        ([stored]) => stored[place] ?? appendMessages(this.#store, append),
      )
      alone.set(append, appended)
      last = appended.catch(() => {})
    }
    return alone
  }

  /** Null for all when PostgreSQL refused one of them: it has stored nothing then. */
  async #tryTogether(appends: readonly Append[], locked: 'wait' | 'skip'): Promise<(Appended | null)[]> {
    try {
      return await appendTogether(this.#store, appends, locked)
    } catch (error) {
      if (isRefused(error)) return appends.map(() => null)
      throw error
    }
  }
}

/** Whether it settles within the patience of a lane. */
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

/** Without those that bring a client id to a conversation a second time, or name a conversation otherwise than the first. */
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
