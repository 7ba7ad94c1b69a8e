import { createSourceEventStream, type DocumentNode, type GraphQLSchema } from 'graphql'
import type { Logger } from 'pino'
import type { Viewer } from '../../auth/viewer.ts'
import type { Executor } from './executor.ts'
import { formatError } from './format-error.ts'
import type { CreateContext } from './operation-context.ts'
import type { SharedAnswers } from './shared-answers.ts'
import type { FormattedResult } from './written-result.ts'

/** What subscriptions share. */
export interface SubscriptionSource {
  readonly schema: GraphQLSchema
  readonly executor: Executor
  readonly answers: SharedAnswers
  /** A fresh context, with fresh loaders and a budget of its own, for each event. */
  readonly createContext: CreateContext
  readonly log: Logger
}

export interface Subscription {
  readonly viewer: Viewer
  readonly requestId: string
  readonly document: DocumentNode
  readonly operationName: string | null | undefined
  readonly variableValues: Readonly<Record<string, unknown>> | null | undefined
}

/**
 * Runs a subscription: the stream of its results, or the one result that says why there is none.
 *
 * @param begin the document, or the same one from another place: events are answered by the document
 */
export async function subscribe(
  source: SubscriptionSource,
  subscription: Subscription,
  begin: DocumentNode = subscription.document,
): Promise<ResultStream | FormattedResult> {
  const { viewer, requestId, operationName, variableValues } = subscription
  const { schema, createContext, log } = source
  const context = createContext(viewer, requestId)
  using _budget = context.budget
  const asked = { schema, document: begin, operationName, variableValues, contextValue: context }
  const events = await createSourceEventStream(asked)
  if (!(Symbol.asyncIterator in events)) {
    return { errors: (events.errors ?? []).map((error) => formatError(error, requestId, log)) }
  }
  // Every subscription of the schema follows a feed, and a feed is a generator: it ends when it is told to.
  return new ResultStream(source, subscription, events as AsyncGenerator<object, undefined, undefined>)
}

/** Answers the selection for each event as it is pulled, with the event's cursor in `extensions`. */
export class ResultStream {
  readonly #source: SubscriptionSource
  readonly #subscription: Subscription
  readonly #events: AsyncGenerator<object, undefined, undefined>
  readonly #selection: string

  constructor(
    source: SubscriptionSource,
    subscription: Subscription,
    events: AsyncGenerator<object, undefined, undefined>,
  ) {
    this.#source = source
    this.#subscription = subscription
    this.#events = events
    this.#selection = source.answers.selectionOf(subscription.viewer.userId, subscription)
  }

  /** The next result; null: it is over. A failure ends it. */
  async next(): Promise<FormattedResult | null> {
    try {
      const { done, value: event } = await this.#events.next()
      if (done) return null
      return await this.#source.answers.answer(event, this.#selection, () => this.#answer(event))
    } catch (error) {
      await this.return()
      throw error
    }
  }

  /** Ends it: a `next` that waits is answered with null. */
  async return(): Promise<void> {
    await this.#events.return(undefined)
  }

  async #answer(event: object): Promise<FormattedResult> {
    const { executor, createContext, log } = this.#source
    const { viewer, requestId, document, operationName, variableValues } = this.#subscription
    const context = createContext(viewer, requestId)
    using _budget = context.budget
    const asked = { document, operationName, variableValues, rootValue: event, contextValue: context }
    const { errors, ...result } = await executor.execute(asked)
    const { cursor } = event as { cursor: string }
    const formatted =
      errors === undefined ? result : { ...result, errors: errors.map((error) => formatError(error, requestId, log)) }
    return { ...formatted, extensions: { cursor } }
  }
}
