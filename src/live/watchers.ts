import type { ListLook } from '../storage/list/list-looks.ts'
import type { Moved } from '../storage/postgres/store.ts'
import type { Bus, Interest } from './bus.ts'

/** What follows one conversation, or one user's list of conversations. */
export interface Watcher {
  /** Says that what is followed stands at `revision`. May come twice, late, or wrongly. The call must be cheap. */
  moved(revision: number): void
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

interface Watched {
  readonly watchers: Set<Watcher>
  readonly interest: Interest
  /** null: the key stands for a conversation. */
  list: WatchedList | null
}

/** Who follows what on this instance. The bus is asked for the keys that somebody follows, and for no others. */
export class Watchers {
  readonly #bus: Pick<Bus, 'interest'>
  readonly #byKey = new Map<string, Watched>()

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
    const watched = this.#byKey.get(key) ?? { watchers: new Set(), interest: this.#bus.interest(key), list: null }
    this.#byKey.set(key, watched)
    if (listOf !== null) watched.list ??= { userId: listOf, since: performance.now(), looked: null }
    watched.watchers.add(watcher)
    return {
      confirmed: watched.interest.confirmed,
      [Symbol.dispose]: () => {
        watched.watchers.delete(watcher)
        if (watched.watchers.size > 0 || this.#byKey.get(key) !== watched) return
        this.#byKey.delete(key)
        watched.interest[Symbol.dispose]()
      },
    }
  }

  /** Passes a hint on to the watchers of its key. */
  moved(hint: Moved): void {
    for (const watcher of this.#byKey.get(hint.key)?.watchers ?? []) watcher.moved(hint.revision)
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
    for (const { watchers } of this.#byKey.values()) size += watchers.size
    return size
  }
}
