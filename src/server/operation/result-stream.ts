import type { Feed, Follower } from '../../live/feed.ts'
import type { EventResults, Result, ResultTaker, Subscription } from './results.ts'

/** Where the results of subscriptions go. */
export interface ResultSink<Of> {
  /**
   * Sends a result.
   *
   * @returns null: the next result may come at once; otherwise a promise that settles when it may come
   */
  next(of: Of, result: Result): Promise<void> | null
  /** The subscription is over, whoever ended it. Comes once, and after the last result was sent. Never throws. */
  over(of: Of): void
  /** In place of `over`, when the subscription has failed. Never throws. */
  failed(of: Of, error: unknown): void
}

/**
 * The results of one subscription, each with its event's cursor in `extensions`. An event is executed when the sink may
 * take its result.
 *
 *     waiting ── event ──▶ busy: executing, then sending ── sent ──▶ waiting
 *     any ── return(), or the feed has ended ──▶ over, once nothing is executed or sent any more
 */
export class ResultStream<Of extends Subscription> implements Follower<object>, ResultTaker {
  readonly #results: EventResults
  readonly #subscription: Of
  readonly #events: Feed<object>
  readonly #selection: string
  /** null: nothing is sent yet, or the stream is over. */
  #sink: ResultSink<Of> | null = null
  #isBusy = false
  #isEnding = false

  constructor(results: EventResults, subscription: Of, events: Feed<object>) {
    this.#results = results
    this.#subscription = subscription
    this.#events = events
    this.#selection = results.selectionOf(subscription)
  }

  begin(sink: ResultSink<Of>): void {
    this.#sink = sink
    this.#events.follow(this)
  }

  /** Ends the subscription. */
  return(): void {
    this.#events.return()
  }

  tell(event: object): boolean {
    this.#isBusy = true
    try {
      const result = this.#results.of(event, this.#subscription, this.#selection, this)
      if (result !== null) return this.#send(result)
    } catch (error) {
      this.failed(error)
    }
    return false
  }

  /** A result that `tell` has had to wait for. */
  take(result: Result): void {
    if (this.#send(result)) this.#events.goOn()
  }

  failed(error: unknown): void {
    const sink = this.#sink
    this.#sink = null
    this.#events.return()
    sink?.failed(this.#subscription, error)
  }

  over(): void {
    this.#isEnding = true
    if (!this.#isBusy) this.#end()
  }

  /** @returns whether the next event may come at once */
  #send(result: Result): boolean {
    let sent: Promise<void> | null
    try {
      // Most results are sent at once. A promise for each of these would cost as much as sending it.
      sent = this.#isEnding ? null : (this.#sink?.next(this.#subscription, result) ?? null)
    } catch (error) {
      this.failed(error)
      return false
    }
    this.#results.counts.sent += 1
    if (sent === null) return this.#rest()
    sent.then(
      () => {
        if (this.#rest()) this.#events.goOn()
      },
      (error: unknown) => this.failed(error),
    )
    return false
  }

  #rest(): boolean {
    this.#isBusy = false
    if (this.#isEnding) this.#end()
    return !this.#isEnding
  }

  #end(): void {
    const sink = this.#sink
    this.#sink = null
    sink?.over(this.#subscription)
  }
}
