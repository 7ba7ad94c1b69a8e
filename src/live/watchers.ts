import type { ListLook } from '../storage/list/list-looks.ts'
import type { Moved } from '../storage/postgres/store.ts'
import { type Bus, type Interest, peopleKey } from './bus/bus.ts'

/**
 * What no log has, and moves all the same, as bits of a sum: an idle feed remembers it as a number. Of a conversation
 * `markers` and `people`, which are `all`; of a list `seen`: its user has read on in some conversations.
 */
export const states = { none: 0, markers: 1, people: 2, all: 3, seen: 4 } as const

/** What follows one conversation, or one user's list of conversations. */
export interface Watcher {
  /** Says that what is followed stands at `revision`. May come twice, late, or wrongly. The call must be cheap. */
  moved(revision: number): void
  /** Says that these `states` of it moved, and in which conversations of a list. The same holds. Absent: it follows the log alone. */
  stir?(moved: number, keys: readonly string[]): void
  /** For whom it follows; null: that is not known yet. Absent: for nobody. */
  readonly viewerId?: string | null
}

/** A registration, until it is disposed. */
export interface Watching extends Disposable {
  /** Settles when this instance hears of what is followed, and never fails. The first read comes after it. */
  readonly confirmed: Promise<void>
}

/** A list that is watched. */
export interface WatchedList {
  readonly userId: string
  /** Since when, by `performance.now()`, in milliseconds. */
  readonly since: number
  /** How the poll found the list the last time; null: the poll has not looked yet. */
  looked: ListLook | null
}

/** Who follows one key. Most keys have one watcher, for which a set would take as much as everything else of it. */
interface Watched {
  readonly key: string
  readonly interest: Interest
  one: Watcher | null
  others: Set<Watcher> | null
  /** null: the key stands for a conversation. */
  list: WatchedList | null
}

/** Who follows what on this instance. The bus is asked for the keys that somebody follows, and for no others. */
export class Watchers {
  readonly #bus: Pick<Bus, 'interest'>
  readonly #byKey = new Map<string, Watched>()
  /** In what servers say of people. null: nobody follows anything here. */
  #people: Interest | null = null

  constructor(bus: Pick<Bus, 'interest'>) {
    this.#bus = bus
  }

  /**
   * Registers a watcher until the registration is disposed. Register, and await `confirmed`, before the first read: a
   * read before it could miss what moves after the read.
   *
   * @param listOf the user whose list the key stands for; null: the key stands for a conversation
   */
  watch(key: string, watcher: Watcher, listOf: string | null = null): Watching {
    let watched = this.#byKey.get(key)
    this.#people ??= this.#bus.interest(peopleKey)
    if (watched === undefined) {
      watched = { key, interest: this.#bus.interest(key), one: null, others: null, list: null }
      this.#byKey.set(key, watched)
    }
    if (listOf !== null) watched.list ??= { userId: listOf, since: performance.now(), looked: null }
    if (watched.one === null) watched.one = watcher
    else {
      watched.others ??= new Set()
      watched.others.add(watcher)
    }
    return new Registration(this, watched, watcher)
  }

  /** Ends a registration. Ending it twice does no harm. */
  end(watched: Watched, watcher: Watcher): void {
    if (watched.one === watcher) watched.one = null
    else watched.others?.delete(watcher)
    if (watched.others?.size === 0) watched.others = null
    if (watched.one !== null || watched.others !== null || this.#byKey.get(watched.key) !== watched) return
    this.#byKey.delete(watched.key)
    watched.interest[Symbol.dispose]()
    if (this.#byKey.size > 0) return
    this.#people?.[Symbol.dispose]()
    this.#people = null
  }

  /** Passes a hint on to the watchers of its key. */
  moved(hint: Moved): void {
    const watched = this.#byKey.get(hint.key)
    if (watched === undefined) return
    watched.one?.moved(hint.revision)
    for (const watcher of watched.others ?? []) watcher.moved(hint.revision)
  }

  /**
   * Tells the watchers of a key that these `states` of it moved.
   *
   * @param keys of conversations, where the key stands for a list
   */
  stir(key: string, moved: number, keys: readonly string[] = []): void {
    const watched = this.#byKey.get(key)
    if (watched === undefined) return
    watched.one?.stir?.(moved, keys)
    for (const watcher of watched.others ?? []) watcher.stir?.(moved, keys)
  }

  watches(key: string): boolean {
    return this.#byKey.has(key)
  }

  /** Those who watch a key. */
  of(key: string): readonly Watcher[] {
    const watched = this.#byKey.get(key)
    if (watched === undefined) return []
    return [...(watched.one === null ? [] : [watched.one]), ...(watched.others ?? [])]
  }

  /** All watched keys, in the order in which watching began: a live view. */
  keys(): MapIterator<string> {
    return this.#byKey.keys()
  }

  /** The number of keys. */
  get count(): number {
    return this.#byKey.size
  }

  /** The list that a key stands for; null: the key stands for a conversation, or is not watched. */
  listOf(key: string): WatchedList | null {
    return this.#byKey.get(key)?.list ?? null
  }

  /** The number of watchers, of all keys together. */
  get size(): number {
    let size = 0
    for (const { one, others } of this.#byKey.values()) size += (one === null ? 0 : 1) + (others?.size ?? 0)
    return size
  }
}

class Registration implements Watching {
  readonly #watchers: Watchers
  readonly #watched: Watched
  readonly #watcher: Watcher

  constructor(watchers: Watchers, watched: Watched, watcher: Watcher) {
    this.#watchers = watchers
    this.#watched = watched
    this.#watcher = watcher
  }

  get confirmed(): Promise<void> {
    return this.#watched.interest.confirmed
  }

  [Symbol.dispose](): void {
    this.#watchers.end(this.#watched, this.#watcher)
  }
}
