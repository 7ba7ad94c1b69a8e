import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
} from 'graphql'
import type { Logger } from 'pino'
import { badInput } from '../../errors.ts'
import type { Context, Services } from '../../graphql/context.ts'
import { createSchema } from '../../graphql/schema.ts'
import { Feed } from '../../live/feed.ts'
import type { AnswerMemory } from '../../storage/postgres/answer-budget.ts'
import type { GraphqlRequest } from '../request/graphql-request.ts'
import { Admission } from './admission.ts'
import { type Answer, Apollo } from './apollo.ts'
import { Executor } from './executor.ts'
import { formatErrors } from './format-error.ts'
import { type CreateContext, contextFactory } from './operation-context.ts'
import { ResultStream } from './result-stream.ts'
import { EventResults, Result, type Subscription } from './results.ts'
import { resumeAfter } from './resume-after.ts'
import { readVariables } from './variables.ts'

/** An operation that may run, or the errors that say why none may. */
export type Admitted =
  | { readonly document: DocumentNode; readonly operation: OperationDefinitionNode }
  | { readonly errors: readonly GraphQLFormattedError[] }

/**
 * GraphQL as HTTP, WebSocket and event streams use it. Each of them admits an operation, and then has a query or a
 * mutation answered, or follows a subscription.
 */
export class Operations implements AsyncDisposable {
  readonly #schema: GraphQLSchema
  readonly #admission: Admission
  readonly #apollo: Apollo
  readonly #results: EventResults
  readonly #log: Logger
  /** Makes what one operation works with. Whoever sends the answer then disposes the context's budget. */
  readonly createContext: CreateContext

  private constructor(
    schema: GraphQLSchema,
    admission: Admission,
    apollo: Apollo,
    results: EventResults,
    createContext: CreateContext,
    log: Logger,
  ) {
    this.#schema = schema
    this.#admission = admission
    this.#apollo = apollo
    this.#results = results
    this.createContext = createContext
    this.#log = log
  }

  /** @param memory counts the bytes of all answers in flight */
  static async start(services: Services, memory: AnswerMemory, log: Logger): Promise<Operations> {
    const schema = createSchema()
    const admission = new Admission(schema, services.limits)
    const executor = new Executor(schema)
    const apollo = await Apollo.start(schema, admission, executor, log)
    const createContext = contextFactory(services, memory)
    const results = new EventResults(executor, createContext, log)
    return new Operations(schema, admission, apollo, results, createContext, log)
  }

  /** Decides whether the operation of this name in a document may run. */
  admit(query: string, operationName: string | null | undefined, requestId: string): Admitted {
    const admitted = this.#admission.admit(query)
    if ('errors' in admitted) return this.#refuse(admitted.errors, requestId)
    const { document } = admitted
    const operation = getOperationAST(document, operationName)
    if (operation) return { document, operation }
    return this.#refuse([badInput('operationName', 'names no operation of this document.')], requestId)
  }

  /** Answers a query or a mutation that was admitted, or a persisted query, which is refused. */
  answer(request: GraphqlRequest, context: Context): Promise<Answer> {
    return this.#apollo.answer(request, context)
  }

  /**
   * Runs a subscription that was admitted: the stream of its results, or the one result that says why there is none.
   *
   * @param after the cursor after which it begins, whatever the document says; null: as the document says
   */
  async follow<Of extends Subscription>(
    subscription: Of,
    after: string | null = null,
  ): Promise<ResultStream<Of> | Result> {
    const { viewer, requestId, operationName, variableValues } = subscription
    const context = this.createContext(viewer, requestId)
    using _budget = context.budget
    const schema = this.#schema
    const document = after === null ? subscription.document : resumeAfter(schema, subscription.document, after)
    // Before graphql-js reads them, whose errors cost more.
    const definitions = getOperationAST(document, operationName)?.variableDefinitions ?? []
    const { errors } = readVariables(schema, definitions, variableValues ?? {})
    if (errors !== undefined) return new Result(this.#refuse(errors, requestId))
    const events = await createSourceEventStream({
      schema,
      document,
      operationName,
      variableValues,
      contextValue: context,
    })
    // Every subscription of the schema answers a feed.
    if (events instanceof Feed) return new ResultStream(this.#results, subscription, events)
    return new Result(this.#refuse((events as ExecutionResult).errors ?? [], requestId))
  }

  #refuse(errors: readonly Error[], requestId: string): { readonly errors: readonly GraphQLFormattedError[] } {
    return { errors: formatErrors(errors, requestId, this.#log) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#apollo[Symbol.asyncDispose]()
  }
}
