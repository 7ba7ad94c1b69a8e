import type { EventResults, Result, Subscription } from './results.ts'

/** The events of a subscription. A feed is a generator: it ends as soon as it is told to. */
export type Events = AsyncGenerator<object, undefined, undefined>

/**
 * The results of one subscription, each with its event's cursor in `extensions`. An event is executed when it is
 * pulled.
 */
export class ResultStream {
  readonly #results: EventResults
  readonly #subscription: Subscription
  readonly #events: Events
  readonly #selection: string

  constructor(results: EventResults, subscription: Subscription, events: Events) {
    this.#results = results
    this.#subscription = subscription
    this.#events = events
    this.#selection = results.selectionOf(subscription)
  }

  /** The next result; null: the subscription is over. A failure ends it. */
  async next(): Promise<Result | null> {
    try {
      const { done, value: event } = await this.#events.next()
      if (done) return null
      return await this.#results.of(event, this.#subscription, this.#selection)
    } catch (error) {
      await this.return()
      throw error
    }
  }

  /** Ends the subscription: a `next` that waits is answered with null. */
  async return(): Promise<void> {
    await this.#events.return(undefined)
  }
}
