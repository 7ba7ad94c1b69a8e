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
import type { Executor } from './executor.ts'
import { formatError } from './format-error.ts'
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
}

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
  readonly #log: Logger
  /** By event and then by selection. */
  readonly #results = new WeakMap<object, Map<string, WeakRef<Promise<Result>>>>()
  readonly #documents = new WeakMap<DocumentNode, { readonly number: number; readonly selecting: readonly string[] }>()
  #lastNumber = 0

  constructor(executor: Executor, createContext: CreateContext, log: Logger) {
    this.#executor = executor
    this.#createContext = createContext
    this.#log = log
  }

  /**
   * What a subscription answers to an event.
   *
   * @param selection of `selectionOf` for this subscription
   */
  of(event: object, subscription: Subscription, selection: string): Promise<Result> {
    let results = this.#results.get(event)
    if (results === undefined) {
      results = new Map()
      this.#results.set(event, results)
    }
    let result = results.get(selection)?.deref()
    if (result === undefined) {
      result = this.#execute(event, subscription)
      results.set(selection, new WeakRef(result))
    }
    return result
  }

  /** A name that two subscriptions share when they belong to one user and answer every event alike. */
  selectionOf({ viewer, document, operationName, variableValues }: Subscription): string {
    let known = this.#documents.get(document)
    if (known === undefined) {
      this.#lastNumber += 1
      known = { number: this.#lastNumber, selecting: selectingVariables(document) }
      this.#documents.set(document, known)
    }
    // JSON leaves out a variable that is absent, which may have a default. So it does not look like one that is null.
    const values = Object.fromEntries(known.selecting.map((name) => [name, variableValues?.[name]]))
    return JSON.stringify([viewer.userId, known.number, operationName ?? null, values])
  }

  /** With a context of the event's own: with fresh loaders and a fresh budget. */
  async #execute(event: object, subscription: Subscription): Promise<Result> {
    const { viewer, requestId, document, operationName, variableValues } = subscription
    const context = this.#createContext(viewer, requestId)
    using _budget = context.budget
    const execution = { document, operationName, variableValues, rootValue: event, contextValue: context }
    const { errors, ...result } = await this.#executor.execute(execution)
    const { cursor } = event as { cursor: string }
    const extensions = { cursor }
    if (errors === undefined) return new Result({ ...result, extensions })
    return new Result({
      ...result,
      errors: errors.map((error) => formatError(error, requestId, this.#log)),
      extensions,
    })
  }
}

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
