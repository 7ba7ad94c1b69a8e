import type { Moved } from '../storage/store.ts'
import type { Bus, Interest } from './bus.ts'

/** Whoever follows one conversation. */
export interface Watcher {
  /** The conversation is said to stand at `revision`. May come twice, late, or wrongly; it must be cheap. */
  moved(revision: number): void
}

/** A registration, until it is disposed. */
export interface Watching extends Disposable {
  /** Settles, and never fails, when this instance hears of the conversation: the first read comes after it. */
  readonly confirmed: Promise<void>
}

interface Watched {
  readonly watchers: Set<Watcher>
  readonly interest: Interest
}

/** Who follows what on this instance; the bus is asked for what somebody follows, and for nothing else. */
export class Watchers {
  readonly #bus: Pick<Bus, 'interest'>
  readonly #byKey = new Map<string, Watched>()

  constructor(bus: Pick<Bus, 'interest'>) {
    this.#bus = bus
  }

  /** Registers until disposed. Register, and await `confirmed`, before the first read: what moves in between is missed. */
  watch(key: string, watcher: Watcher): Watching {
    const watched = this.#byKey.get(key) ?? { watchers: new Set(), interest: this.#bus.interest(key) }
    this.#byKey.set(key, watched)
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

  /** Passes a hint on to those whom it concerns. */
  moved(hint: Moved): void {
    for (const watcher of this.#byKey.get(hint.key)?.watchers ?? []) watcher.moved(hint.revision)
  }

  /** The keys of all watched conversations: a live view, in the order in which they came to be watched. */
  keys(): MapIterator<string> {
    return this.#byKey.keys()
  }

  /** The number of watched conversations. */
  get conversations(): number {
    return this.#byKey.size
  }

  /** The number of watchers, of all conversations together. */
  get size(): number {
    let size = 0
    for (const { watchers } of this.#byKey.values()) size += watchers.size
    return size
  }
}
