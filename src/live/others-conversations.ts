import { readOthersConversations } from '../storage/list/others-conversations.ts'
import { listRevision, type Store, textHint } from '../storage/postgres/store.ts'
import type { Watcher, Watchers, Watching } from './watchers.ts'

/**
 * The conversations of others in which a user takes part. A change in one of them is announced for the conversation and
 * for its owner's list; nobody writes once for each participant. So whoever follows the list of a participant watches
 * these conversations as well.
 */
export class OthersConversations implements Watcher, Disposable {
  readonly #watchers: Watchers
  readonly #list: Watcher
  readonly #watched = new Map<string, Watching>()
  #isOver = false

  private constructor(watchers: Watchers, list: Watcher) {
    this.#watchers = watchers
    this.#list = list
  }

  /** Settles when this instance hears of all of them. @param list is told when one moved */
  static async watch(store: Store, watchers: Watchers, userId: string, list: Watcher): Promise<OthersConversations> {
    const others = new OthersConversations(watchers, list)
    const keys = await readOthersConversations(store, userId)
    await Promise.all(keys.map((key) => others.#watch(key).confirmed))
    return others
  }

  moved(revision: number): void {
    if (revision !== textHint) this.#list.moved(listRevision)
  }

  /** The list has one. What moved before this instance heard of it may have been missed. */
  listed(key: string): void {
    if (this.#isOver || this.#watched.has(key)) return
    void this.#watch(key).confirmed.then(() => this.#list.moved(listRevision))
  }

  unlisted(key: string): void {
    this.#watched.get(key)?.[Symbol.dispose]()
    this.#watched.delete(key)
  }

  #watch(key: string): Watching {
    const watching = this.#watchers.watch(key, this)
    this.#watched.set(key, watching)
    return watching
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    for (const watching of this.#watched.values()) watching[Symbol.dispose]()
    this.#watched.clear()
  }
}
