import type { Moved } from '../storage/store.ts'

/** Whoever follows one conversation. */
export interface Watcher {
  /** The conversation is said to stand at `revision`. May come twice, late, or wrongly; it must be cheap. */
  moved(revision: number): void
}

/** Who follows what on this instance. */
export class Watchers {
  readonly #byKey = new Map<string, Set<Watcher>>()

  /** Registers until disposed. Register before the first read, or what moves in between is missed. */
  watch(key: string, watcher: Watcher): Disposable {
    const watching = this.#byKey.get(key) ?? new Set()
    this.#byKey.set(key, watching.add(watcher))
    return {
      [Symbol.dispose]: () => {
        watching.delete(watcher)
        if (watching.size === 0 && this.#byKey.get(key) === watching) this.#byKey.delete(key)
      },
    }
  }

  /** Passes a hint on to those whom it concerns. */
  moved(hint: Moved): void {
    for (const watcher of this.#byKey.get(hint.key) ?? []) watcher.moved(hint.revision)
  }

  /** The keys of all watched conversations. */
  keys(): string[] {
    return [...this.#byKey.keys()]
  }

  /** The number of watchers, of all conversations together. */
  get size(): number {
    let size = 0
    for (const watching of this.#byKey.values()) size += watching.size
    return size
  }
}
