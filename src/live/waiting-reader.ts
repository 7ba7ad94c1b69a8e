import { readWaitingPage, type WaitingPage } from '../storage/participant/waiting-page.ts'
import type { AnswerBudget } from '../storage/postgres/answer-budget.ts'
import type { Store } from '../storage/postgres/store.ts'
import type { Batch, Reader } from './feed.ts'
import type { HeldReads } from './shared-reads.ts'

/**
 * Reads which conversations wait for a person. It is a state: the last event says all that holds, so there is no cursor,
 * and a hint that was lost is made good by any later one. What a read finds is told if it is not what was told last.
 */
export class WaitingReader<Event> implements Reader<Event> {
  readonly #store: Store
  readonly #count: number
  readonly #toEvent: (page: WaitingPage) => Event
  #told: string | null = null

  /** @param count so many are told of, those that wait longest */
  constructor(store: Store, count: number, toEvent: (page: WaitingPage) => Event) {
    this.#store = store
    this.#count = count
    this.#toEvent = toEvent
  }

  read(reads: HeldReads, _hasMoved: boolean, tell: (batch: Batch<Event>) => void): void {
    const ask = async (budget: AnswerBudget) => {
      const page = await readWaitingPage(this.#store, budget, null, this.#count)
      return { text: JSON.stringify(page), event: this.#toEvent(page) }
    }
    reads.once(`waiting ${this.#count}`, ask, ({ text, event }) => {
      const events = text === this.#told ? [] : [event]
      this.#told = text
      tell({ events, rest: 'all', revision: null })
    })
  }
}
