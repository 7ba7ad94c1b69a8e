import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { waitingMoved } from '../storage/conversation/commit.ts'
import { waitingKey } from '../storage/conversation/conversation-key.ts'
import { readRevisions } from '../storage/conversation/revisions.ts'
import { readListLooks } from '../storage/list/list-looks.ts'
import { listRevision, type Store } from '../storage/postgres/store.ts'
import type { WatchedList, Watchers } from './watchers.ts'

const keysPerStatement = 1_000

/**
 * Looks at each watched conversation and list every `everyMs` milliseconds. A lost hint delays a feed by about that
 * time at most. The statements are spread evenly over the time: 10,000 conversations in 5 s are 2 statements a second.
 * `now()` looks at everything at once, for when hints are known to have been lost.
 */
export class Poll implements AsyncDisposable {
  readonly #store: Store
  readonly #watchers: Watchers
  readonly #settleMs: number
  readonly #log: Logger
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  #looking: Promise<void> = Promise.resolve()
  /** How many looks have failed. */
  failed = 0
  #again: Promise<void> | null = null

  constructor(store: Store, watchers: Watchers, everyMs: number, settleMs: number, log: Logger) {
    this.#store = store
    this.#watchers = watchers
    this.#settleMs = settleMs
    this.#log = log
    this.#running = this.#run(everyMs)
  }

  /** Looks at everything. Calls that come during a look share one more look after it. Never throws. */
  now(): Promise<void> {
    this.#again ??= this.#looking.then(() => {
      this.#again = null
      this.#looking = this.#lookAtRest(this.#watchers.keys())
      return this.#looking
    })
    return this.#again
  }

  async #run(everyMs: number): Promise<void> {
    while (!this.#stop.signal.aborted) {
      // The keys are a live view. What is watched from now on stands at its end, and is looked at last in this round.
      const keys = this.#watchers.keys()
      const count = this.#watchers.count
      const statements = Math.max(1, Math.ceil(count / keysPerStatement))
      const start = performance.now()
      for (let done = 1; done <= statements; done++) {
        await this.#waitUntil(start + (done * everyMs) / statements)
        if (done < statements) await this.#look(take(keys, Math.ceil(count / statements)))
        else await this.#lookAtRest(keys)
      }
    }
  }

  async #lookAtRest(keys: Iterator<string>): Promise<void> {
    for (;;) {
      const some = take(keys, keysPerStatement)
      if (some.length === 0) return
      await this.#look(some)
    }
  }

  /**
   * Takes one statement for conversations and one for lists. Never throws: the next round looks at what is missed now.
   */
  async #look(keys: readonly string[]): Promise<void> {
    const conversations: string[] = []
    const lists: [string, WatchedList][] = []
    for (const key of keys) {
      const list = this.#watchers.listOf(key)
      if (list === null) conversations.push(key)
      else lists.push([key, list])
    }
    try {
      if (conversations.length > 0 && !this.#stop.signal.aborted) await this.#lookAtConversations(conversations)
      if (lists.length > 0 && !this.#stop.signal.aborted) await this.#lookAtLists(lists)
    } catch (error) {
      this.failed += 1
      this.#log.warn({ err: error }, 'could not look at watched conversations')
    }
  }

  async #lookAtConversations(keys: readonly string[]): Promise<void> {
    for (const moved of await readRevisions(this.#store, keys)) this.#watchers.moved(moved)
    // No row has a revision of what waits. Its feeds read it, and tell it if it is another.
    if (keys.includes(waitingKey)) this.#watchers.moved(waitingMoved)
  }

  async #lookAtLists(lists: readonly [string, WatchedList][]): Promise<void> {
    const now = performance.now()
    const asked = lists.map(([, { userId, since, looked }]) => ({ userId, looked, watchedMs: now - since }))
    const looks = await readListLooks(this.#store, asked, this.#settleMs)
    for (const [index, { isChanged, ...look }] of looks.entries()) {
      const [key, list] = lists[index] as [string, WatchedList]
      list.looked = look
      if (isChanged) this.#watchers.moved({ key, revision: listRevision })
    }
  }

  async #waitUntil(time: number): Promise<void> {
    const milliseconds = Math.max(0, time - performance.now())
    await delay(milliseconds, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.all([this.#running, this.#again ?? this.#looking])
  }
}

function take(keys: Iterator<string>, count: number): string[] {
  const taken: string[] = []
  while (taken.length < count) {
    const next = keys.next()
    if (next.done) break
    taken.push(next.value)
  }
  return taken
}
