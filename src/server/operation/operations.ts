import {
  type DocumentNode,
  type GraphQLFormattedError,
  type GraphQLSchema,
  getOperationAST,
  type OperationDefinitionNode,
  OperationTypeNode,
} from 'graphql'
import type { Logger } from 'pino'
import type { Viewer } from '../../auth/viewer.ts'
import type { Config } from '../../config.ts'
import { type ApiError, badInput, costsTooMuch, forbidden } from '../../errors.ts'
import type { Context, Services } from '../../graphql/context.ts'
import { createSchema } from '../../graphql/schema.ts'
import type { Feed } from '../../live/feed.ts'
import type { AnswerMemory } from '../../storage/postgres/answer-budget.ts'
import { Executor } from '../execution/executor.ts'
import { createListLimits } from '../execution/list-limits.ts'
import { createPrices, documentPrice, operationPrice } from '../execution/prices.ts'
import { payerOf } from '../rate/payer.ts'
import type { Rates } from '../rate/rates.ts'
import type { GraphqlRequest } from '../request/graphql-request.ts'
import { Admission } from './admission.ts'
import { type Answer, Apollo } from './apollo.ts'
import { formatErrors } from './format-error.ts'
import { type CreateContext, contextFactory } from './operation-context.ts'
import { ResultStream } from './result-stream.ts'
import { EventResults, Result, type Subscription } from './results.ts'
import { resumeAfter } from './resume-after.ts'
import { TrustedDocuments } from './trusted-documents.ts'

/** An operation that may run, or the errors that say why none may. */
export type Admitted = Priced | { readonly errors: readonly GraphQLFormattedError[] }

interface Priced {
  readonly document: DocumentNode
  readonly operation: OperationDefinitionNode
  /** What the operation asks for, in words of the schema. */
  readonly field: string
  /** What the operation may cost. */
  readonly cost: number
}

type Asked = Pick<GraphqlRequest, 'operationName' | 'variables'>

/** Whether a request asks to be told what it costs, in `extensions` of its answer. */
export function asksCost({ extensions }: Pick<GraphqlRequest, 'extensions'>): boolean {
  return extensions?.cost === true
}

/**
 * GraphQL as HTTP, WebSocket and event streams use it. Each of them admits an operation, and then has a query or a
 * mutation answered, or follows a subscription.
 */
export class Operations implements AsyncDisposable {
  readonly #schema: GraphQLSchema
  readonly #limit: number
  readonly #admission: Admission
  /** null: every document may come. */
  readonly #trusted: TrustedDocuments | null
  readonly #executor: Executor
  readonly #rates: Rates | null
  readonly #apollo: Apollo
  readonly #results: EventResults
  readonly #log: Logger
  /** Makes what one operation works with. Whoever sends the answer then disposes the context's budget. */
  readonly createContext: CreateContext

  private constructor(
    schema: GraphQLSchema,
    limit: number,
    admission: Admission,
    trusted: TrustedDocuments | null,
    executor: Executor,
    rates: Rates | null,
    apollo: Apollo,
    results: EventResults,
    createContext: CreateContext,
    log: Logger,
  ) {
    this.#schema = schema
    this.#limit = limit
    this.#admission = admission
    this.#trusted = trusted
    this.#executor = executor
    this.#rates = rates
    this.#apollo = apollo
    this.#results = results
    this.createContext = createContext
    this.#log = log
  }

  /**
   * @param memory counts the bytes of all answers in flight
   * @param rates null: there is no limit
   */
  static async start(
    config: Config,
    services: Services,
    memory: AnswerMemory,
    rates: Rates | null,
    log: Logger,
  ): Promise<Operations> {
    const schema = createSchema()
    const { limits, introspection, trustedDocuments: folder } = config
    const admission = new Admission(schema, limits, introspection)
    const trusted = folder === undefined ? null : await TrustedDocuments.read(folder, admission)
    const executor = new Executor(schema, createPrices(limits), createListLimits(limits))
    const apollo = await Apollo.start(schema, admission, executor, log)
    const createContext = contextFactory(services, memory)
    const results = new EventResults(executor, createContext, rates, log)
    return new Operations(schema, limits.cost, admission, trusted, executor, rates, apollo, results, createContext, log)
  }

  /** The request as it is admitted and answered: with its text, if it names a trusted document by its hash. */
  named<Request extends Pick<GraphqlRequest, 'query' | 'extensions'>>(request: Request): Request {
    return this.#trusted === null ? request : this.#trusted.withText(request)
  }

  /**
   * Decides whether the operation of this name in a document may run: whether the document is one, what the operation
   * may cost, and whether its payer owes nothing. Takes from the payer what it costs, or what the refusal cost.
   *
   * @throws ApiError FORBIDDEN if the document is not trusted, or this viewer may not run it
   */
  admit(query: string, asked: Asked, viewer: Viewer, requestId: string): Admitted {
    const payer = payerOf(viewer)
    try {
      this.#rates?.require(payer)
    } catch (error) {
      return this.#refuse([error as ApiError], requestId)
    }
    this.#trusted?.require(query)
    const reading = this.#admission.remembers(query) ? 0 : documentPrice(query)
    const admitted = this.#price(query, asked)
    this.#rates?.take(payer, reading + ('errors' in admitted ? operationPrice : admitted.cost))
    if ('errors' in admitted) return this.#refuse(admitted.errors, requestId)
    if (admitted.operation.operation === OperationTypeNode.MUTATION && !viewer.mayWrite) {
      throw forbidden('This caller has the role read, and sends no mutations.')
    }
    return admitted
  }

  #price(query: string, { operationName, variables }: Asked): Priced | { readonly errors: readonly Error[] } {
    const admitted = this.#admission.admit(query)
    if ('errors' in admitted) return admitted
    const { document } = admitted
    const operation = getOperationAST(document, operationName)
    if (!operation) return { errors: [badInput('operationName', 'names no operation of this document.')] }
    const cost = this.#executor.price(document, operationName, variables)
    if (cost > this.#limit) return { errors: [costsTooMuch(cost, this.#limit)] }
    return { document, operation, field: this.#executor.rootField(document, operationName), cost }
  }

  /**
   * Answers a query or a mutation that was admitted, or a persisted query, which is refused.
   *
   * @param cost of its admission
   */
  answer(request: GraphqlRequest, context: Context, cost: number): Promise<Answer> {
    const answer = this.#apollo.answer(request, context)
    return asksCost(request) ? this.#telling(cost, answer, context) : answer
  }

  async #telling(cost: number, answering: Promise<Answer>, context: Context): Promise<Answer> {
    const answer = await answering
    const { value } = answer.result
    const told = { cost, limit: this.#limit, rows: context.budget.rows }
    return { ...answer, result: new Result({ ...value, extensions: { ...value.extensions, cost: told } }) }
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
    const document = after === null ? subscription.document : resumeAfter(this.#schema, subscription.document, after)
    const execution = { document, operationName, variableValues, contextValue: context }
    const { errors, source } = await this.#executor.subscribe(execution)
    if (errors !== undefined) return new Result(this.#refuse(errors, requestId))
    // Every subscription of the schema answers a feed.
    return new ResultStream(this.#results, subscription, source as Feed<object>)
  }

  /** What was sent to subscriptions. */
  get deliveries(): Pick<EventResults, 'counts' | 'lag'> {
    return this.#results
  }

  #refuse(errors: readonly Error[], requestId: string): { readonly errors: readonly GraphQLFormattedError[] } {
    return { errors: formatErrors(errors, requestId, this.#log) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#apollo[Symbol.asyncDispose]()
  }
}
