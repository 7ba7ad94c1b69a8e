import type { AnswerBudget } from '../storage/answer-budget.ts'
import { type Known, readChanges } from '../storage/changes.ts'
import type { Store } from '../storage/store.ts'
import { type ConversationChange, toChanges } from './conversation-change.ts'
import type { Batch, Reader } from './feed.ts'

const rowsPerRead = 20

/** What a change feed tells beside the changes: that it has told all there was at its start, and that it is over. */
export type FeedEvent = ConversationChange | { readonly kind: 'caught-up' | 'gone'; readonly known: Known }

/**
 * What happens in a conversation after what is known. Once it has told everything that stood there at its first read it
 * says so, once, and goes on; its end is when the conversation is gone, or begun anew.
 */
export class ChangeReader<Event> implements Reader<Event> {
  readonly #store: Store
  readonly #userId: string
  readonly #toEvent: (event: FeedEvent) => Event
  #known: Known
  /** Where the conversation stood at the first read, until that is told. */
  #target: Pick<Known, 'seq' | 'revision'> | null = null
  #isCaughtUp = false

  constructor(store: Store, userId: string, known: Known, toEvent: (event: FeedEvent) => Event) {
    this.#store = store
    this.#userId = userId
    this.#known = known
    this.#toEvent = toEvent
  }

  async read(budget: AnswerBudget): Promise<Batch<Event>> {
    const read = await readChanges(this.#store, budget, this.#userId, this.#known, rowsPerRead)
    if (read === null) {
      return { events: [this.#toEvent({ kind: 'gone', known: this.#known })], rest: 'end', revision: 0 }
    }
    const { lastSeq, revision } = read.conversation
    this.#target ??= { seq: lastSeq, revision }
    const { changes, known } = toChanges(this.#known, read)
    this.#known = known
    const events: FeedEvent[] = changes
    if (!this.#isCaughtUp && known.seq >= this.#target.seq && known.revision >= this.#target.revision) {
      this.#isCaughtUp = true
      events.push({ kind: 'caught-up', known })
    }
    return { events: events.map(this.#toEvent), rest: read.hasMore ? 'more' : 'all', revision }
  }
}
