import {
  type DocumentNode,
  type ExecutionResult,
  type FieldNode,
  type GraphQLFormattedError,
  getOperationAST,
  type OperationDefinitionNode,
  visit,
} from 'graphql'
import type { Logger } from 'pino'
import type { Viewer } from '../../auth/viewer.ts'
import { timeOf } from '../../graphql/feed/event-time.ts'
import { Distribution, seconds } from '../../observe/distribution.ts'
import { inOwnSpan } from '../../observe/spans.ts'
import type { Executor } from '../execution/executor.ts'
import { payerOf } from '../rate/payer.ts'
import type { Rates } from '../rate/rates.ts'
import { formatErrors } from './format-error.ts'
import type { CreateContext } from './operation-context.ts'

/** A result as callers get it. */
export interface FormattedResult {
  readonly errors?: readonly GraphQLFormattedError[] | undefined
  readonly data?: ExecutionResult['data']
  readonly extensions?: ExecutionResult['extensions']
}

/** A result that is sent to one caller or to many. It is written as JSON once, however often it is sent. */
export class Result {
  readonly value: FormattedResult
  #text: string | null = null
  #messageEnd: Buffer | null = null

  constructor(value: FormattedResult) {
    this.value = value
  }

  /** The result as JSON. */
  get text(): string {
    this.#text ??= JSON.stringify(this.value)
    return this.#text
  }

  /** How every message of a socket ends that has this result as its payload: the result as JSON, and a brace. */
  get messageEnd(): Buffer {
    this.#messageEnd ??= Buffer.from(`${JSON.stringify(this.value)}}`)
    return this.#messageEnd
  }
}

/** A subscription that may run. */
export interface Subscription {
  readonly viewer: Viewer
  readonly requestId: string
  readonly document: DocumentNode
  readonly operationName: string | null | undefined
  readonly variableValues: Readonly<Record<string, unknown>> | null | undefined
  /** Whether each result says what it cost. */
  readonly tellsCost: boolean
  /** By `performance.now()`. */
  readonly startedAt: number
}

/** Is told a result once it is there. Neither function throws. */
export interface ResultTaker {
  take(result: Result): void
  failed(error: unknown): void
}

/** A result that was executed, or those who wait for one that is being executed. */
type Answer = WeakRef<Result> | ResultTaker[]

/**
 * The results of events. An event is executed once for all subscriptions of one user that select the same of it: feeds
 * that share a read hand out the same event object, by which the results are found.
 *
 * A feed holds up to a hundred events of one read, and the result of each may be as large as an answer. So the results
 * are held weakly: whoever sends a result holds it, and the garbage collector may take what nobody sends. A slower
 * subscription that asks for such a result later has the event executed again.
 */
export class EventResults {
  readonly #executor: Executor
  readonly #createContext: CreateContext
  readonly #rates: Rates | null
  readonly #log: Logger
  /** By event and then by selection. */
  readonly #answers = new WeakMap<object, Map<string, Answer>>()
  readonly #documents = new WeakMap<DocumentNode, { readonly number: number; readonly selecting: readonly string[] }>()
  #lastNumber = 0
  /** How many results were made, and how many were sent: one result may be sent to many. */
  readonly counts = { made: 0, sent: 0 }
  /**
   * Of events that happened since their subscription began: how many seconds later their result was there, between the
   * clock of the database and that of this server.
   */
  readonly lag = new Distribution(seconds)

  constructor(executor: Executor, createContext: CreateContext, rates: Rates | null, log: Logger) {
    this.#executor = executor
    this.#createContext = createContext
    this.#rates = rates
    this.#log = log
  }

  /**
   * What a subscription answers to an event.
   *
   * @param selection of `selectionOf` for this subscription
   * @returns null: it is not there yet, and `taker` is told
   */
  of(event: object, subscription: Subscription, selection: string, taker: ResultTaker): Result | null {
    let answers = this.#answers.get(event)
    if (answers === undefined) {
      answers = new Map()
      this.#answers.set(event, answers)
    }
    const known = answers.get(selection)
    if (Array.isArray(known)) {
      known.push(taker)
      return null
    }
    const result = known?.deref() ?? this.#deliver(event, subscription)
    if (!(result instanceof Promise)) {
      if (known === undefined) answers.set(selection, new WeakRef(result))
      return result
    }
    void this.#tell(answers, selection, result, [taker])
    return null
  }

  /** Tells a result to all who wait for it, in one sweep. */
  async #tell(answers: Map<string, Answer>, selection: string, pending: Promise<Result>, takers: ResultTaker[]) {
    answers.set(selection, takers)
    try {
      const result = await pending
      answers.set(selection, new WeakRef(result))
      for (const taker of takers) taker.take(result)
    } catch (error) {
      answers.delete(selection)
      for (const taker of takers) taker.failed(error)
    }
  }

  /** A name that two subscriptions share when they belong to one user and answer every event alike. */
  selectionOf({ viewer, document, operationName, variableValues, tellsCost }: Subscription): string {
    let known = this.#documents.get(document)
    if (known === undefined) {
      this.#lastNumber += 1
      known = { number: this.#lastNumber, selecting: selectingVariables(document) }
      this.#documents.set(document, known)
    }
    // JSON leaves out a variable that is absent, which may have a default. So it does not look like one that is null.
    const values = Object.fromEntries(known.selecting.map((name) => [name, variableValues?.[name]]))
    return JSON.stringify([viewer.userId, known.number, operationName ?? null, values, tellsCost])
  }

  #deliver(event: object, subscription: Subscription): Promise<Result> | Result {
    this.counts.made += 1
    return inOwnSpan('delivery', {}, () => this.#execute(event, subscription))
  }

  #addLag(event: object, startedAt: number): void {
    const time = timeOf(event)
    if (time === null) return
    const lag = Date.now() - time
    // What is older was caught up with.
    if (lag < performance.now() - startedAt) this.lag.add(Math.max(lag, 0) / 1_000)
  }

  /** With a context of the event's own: with fresh loaders and a fresh budget. */
  #execute(event: object, subscription: Subscription): Promise<Result> | Result {
    const { viewer, requestId, document, operationName, variableValues, tellsCost, startedAt } = subscription
    const context = this.#createContext(viewer, requestId)
    const execution = { document, operationName, variableValues, rootValue: event, contextValue: context }
    const finish = ({ errors, ...result }: ExecutionResult) => {
      this.#addLag(event, startedAt)
      const { cursor } = event as { cursor: string }
      const { rows } = context.budget
      const extensions = tellsCost ? { cursor, cost: { cost: eventPrice + rows, rows } } : { cursor }
      if (errors === undefined) return new Result({ ...result, extensions })
      const formatted = formatErrors(errors, requestId, this.#log)
      return new Result({ ...result, errors: formatted, extensions })
    }
    const dispose = () => {
      context.budget[Symbol.dispose]()
      // It reads what it is about only with the others of its feed, but what is selected of it by itself.
      this.#rates?.take(payerOf(viewer), eventPrice + context.budget.rows)
    }
    const executed = this.#executor.execute(execution)
    if (executed instanceof Promise) return executed.finally(dispose).then(finish)
    dispose()
    return finish(executed)
  }
}

/** An event without what is read for it: it is executed, written as JSON and sent. */
const eventPrice = 1

/** The variables that are used beyond the arguments of root fields, which say what is followed and from where. */
function selectingVariables(document: DocumentNode): string[] {
  const names = new Set<string>()
  const look = {
    VariableDefinition: () => false as const,
    Variable: ({ name }: { name: { value: string } }) => void names.add(name.value),
  }
  for (const definition of document.definitions) {
    const operation = getOperationAST({ ...document, definitions: [definition] })
    visit(operation ? withoutRootArguments(operation) : definition, look)
  }
  return [...names].sort()
}

function withoutRootArguments(operation: OperationDefinitionNode): OperationDefinitionNode {
  const selections = operation.selectionSet.selections.map((selection) =>
    selection.kind === 'Field' ? ({ ...selection, arguments: [] } satisfies FieldNode) : selection,
  )
  return { ...operation, selectionSet: { ...operation.selectionSet, selections } }
}
