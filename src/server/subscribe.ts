import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLFormattedError,
} from 'graphql'
import type { Context } from '../graphql/context.ts'
import type { Executor } from './executor.ts'
import type { SharedAnswers } from './shared-answers.ts'

export type FormattedResult = Omit<ExecutionResult, 'errors'> & { errors?: readonly GraphQLFormattedError[] }

export interface Subscription {
  readonly args: ExecutionArgs
  /** To begin with: the document, or the same one from another place. Events are answered by `args`. */
  readonly source: DocumentNode
  readonly executor: Executor
  readonly answers: SharedAnswers
  readonly userId: string
  /** A fresh context, with fresh loaders and a budget of its own, for each event. */
  readonly createContext: () => Context
  readonly formatError: (error: unknown) => GraphQLFormattedError
}

/** Runs a subscription: the stream of its results, or the one result that says why there is none. */
export async function subscribe(subscription: Subscription): Promise<ResultStream | FormattedResult> {
  const context = subscription.createContext()
  using _budget = context.budget
  const { args, source: document } = subscription
  const source = await createSourceEventStream({ ...args, document, contextValue: context })
  if (!(Symbol.asyncIterator in source)) return { errors: (source.errors ?? []).map(subscription.formatError) }
  // Every subscription of the schema follows a feed, and a feed is a generator: it ends when it is told to.
  return new ResultStream(subscription, source as AsyncGenerator<unknown, unknown, undefined>)
}

/** Answers the selection for each event as it is pulled, with the event's cursor in `extensions`. */
export class ResultStream implements AsyncGenerator<FormattedResult, undefined, undefined> {
  readonly #subscription: Subscription
  readonly #source: AsyncGenerator<unknown, unknown, undefined>
  readonly #selection: string

  constructor(subscription: Subscription, source: AsyncGenerator<unknown, unknown, undefined>) {
    this.#subscription = subscription
    this.#source = source
    this.#selection = subscription.answers.selectionOf(subscription.userId, subscription.args)
  }

  async next(): Promise<IteratorResult<FormattedResult, undefined>> {
    try {
      const event = await this.#source.next()
      if (event.done) return { done: true, value: undefined }
      // Events of a feed are objects.
      const value = event.value as object
      const answer = this.#subscription.answers.answer(value, this.#selection, () => this.#answer(value))
      return { done: false, value: await answer }
    } catch (error) {
      // A loop over a stream ends it when the loop fails, and not when the stream does.
      await this.return()
      throw error
    }
  }

  async #answer(event: object): Promise<FormattedResult> {
    const { args, executor, createContext, formatError } = this.#subscription
    const context = createContext()
    using _budget = context.budget
    const { errors, ...result } = await executor.execute({ ...args, rootValue: event, contextValue: context })
    const { cursor } = event as { cursor: string }
    const formatted = errors === undefined ? result : { ...result, errors: errors.map(formatError) }
    return { ...formatted, extensions: { cursor } }
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    await this.#source.return(undefined)
    return { done: true, value: undefined }
  }

  async throw(error: unknown): Promise<never> {
    await this.return()
    throw error
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return()
  }
}
