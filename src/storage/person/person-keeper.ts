import type { Logger } from 'pino'
import type { Person } from '../../entities/person.ts'
import { outsideRequests } from '../../observe/spans.ts'
import type { Store } from '../postgres/store.ts'
import { storePerson } from './person.ts'

/** So many users are remembered: at most 30 MB, mostly 3. One who is forgotten is stored once more. */
const mostKept = 10_000
/** Where more wait to be stored, a request of the user later tries again. */
const mostWaiting = 10_000
/** After a failure, in milliseconds. */
const restMs = 30_000

/**
 * Keeps what tokens say of their users. Every request says it, and what was stored already costs a look into a map.
 *
 * No request waits for it, and none fails because of it: its own answers have the name from its token, and others see it
 * a moment later. What is new is stored one after the other, so that users who all come back at once take one connection.
 */
export class PersonKeeper implements AsyncDisposable {
  readonly #store: Pick<Store, 'em'>
  readonly #log: Logger
  readonly #now: () => number
  /** What was stored last of each user, or is about to be. */
  readonly #kept = new Map<string, Person>()
  #last: Promise<void> = Promise.resolve()
  #waiting = 0
  #restsUntil = Number.NEGATIVE_INFINITY

  /** @param now milliseconds of a clock that never goes back */
  constructor(store: Pick<Store, 'em'>, log: Logger, now = () => performance.now()) {
    this.#store = store
    this.#log = log
    this.#now = now
  }

  readonly meet = (person: Person): void => {
    const kept = this.#kept.get(person.userId)
    if (kept !== undefined && (isSame(kept, person) || kept.saidAt > person.saidAt)) return
    if (this.#waiting >= mostWaiting || this.#rests) return
    this.#remember(person)
    this.#waiting += 1
    this.#last = outsideRequests(() => this.#last.then(() => this.#keep(person)))
  }

  get #rests(): boolean {
    return this.#now() < this.#restsUntil
  }

  #remember(person: Person): void {
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= mostKept && oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(person.userId, person)
  }

  async #keep(person: Person): Promise<void> {
    this.#waiting -= 1
    try {
      if (this.#rests) this.#kept.delete(person.userId)
      else await storePerson(this.#store.em, person)
    } catch (error) {
      this.#kept.delete(person.userId)
      this.#restsUntil = this.#now() + restMs
      this.#log.warn({ err: error }, 'could not store the name of a user; a later request of the user tries again')
    }
  }

  /** Ends when nothing waits any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last
  }
}

function isSame(one: Person, other: Person): boolean {
  return one.name === other.name && one.picture === other.picture
}
