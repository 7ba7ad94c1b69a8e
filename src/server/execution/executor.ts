import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  type VariableDefinitionNode,
} from 'graphql'
import { CompiledOperation } from './compiled-operation.ts'
import type { ListLimits } from './list-limits.ts'
import type { GivenVariables } from './operation-price.ts'
import type { Prices } from './prices.ts'
import { VariableReader, type VariablesRead } from './variables.ts'

/** What is executed, without the schema, which is always the same one. */
export type Execution = Pick<
  ExecutionArgs,
  'document' | 'operationName' | 'variableValues' | 'rootValue' | 'contextValue'
>

type Subscribed =
  | { readonly source: unknown; readonly errors?: never }
  | { readonly errors: readonly GraphQLError[]; readonly source?: never }

const none: readonly VariableDefinitionNode[] = []

/**
 * Executes documents that admission let in, each as a compiled operation: what GraphQL would work out of it each time is
 * kept, as long as the document is. So the limit of remembered documents (Admission) limits it too.
 *
 * A document that comes once is compiled as well. graphql-js itself would be a few microseconds faster then, but it
 * leaves rejections unhandled where an item of a list fails while others are pending, and one of these ends the process.
 */
export class Executor {
  readonly #schema: GraphQLSchema
  readonly #prices: Prices
  readonly #variables: VariableReader
  readonly #compiled = new WeakMap<DocumentNode, Map<string, CompiledOperation>>()

  constructor(schema: GraphQLSchema, prices: Prices = {}, limits: ListLimits = new Map()) {
    this.#schema = schema
    this.#prices = prices
    this.#variables = new VariableReader(schema, limits)
  }

  /** What an operation may cost, before it runs. */
  price(document: DocumentNode, operationName: string | null | undefined, variables: GivenVariables): number {
    return this.#compiledFor(document, operationName).price(variables)
  }

  /** What an operation asks for, in words of the schema: `rootFieldOf`. */
  rootField(document: DocumentNode, operationName: string | null | undefined): string {
    return this.#compiledFor(document, operationName).rootField
  }

  execute({ document, operationName, ...given }: Execution): Promise<ExecutionResult> | ExecutionResult {
    const compiled = this.#compiledFor(document, operationName)
    const run = ({ errors, coerced }: VariablesRead) =>
      errors === undefined ? compiled.execute(given.rootValue, given.contextValue, coerced) : { errors }
    const read = this.#read(compiled, given.variableValues)
    return read instanceof Promise ? read.then(run) : run(read)
  }

  /** The source of a subscription's events, or what is wrong with its variables or its field. */
  async subscribe({ document, operationName, ...given }: Execution): Promise<Subscribed> {
    const compiled = this.#compiledFor(document, operationName)
    const read = await this.#read(compiled, given.variableValues)
    if (read.errors !== undefined) return read
    try {
      return { source: await compiled.subscribe(given.rootValue, given.contextValue, read.coerced) }
    } catch (error) {
      return { errors: [error as GraphQLError] }
    }
  }

  #read({ operation }: CompiledOperation, given: GivenVariables) {
    return this.#variables.read(operation.variableDefinitions ?? none, given ?? {})
  }

  #compiledFor(document: DocumentNode, operationName: string | null | undefined): CompiledOperation {
    let operations = this.#compiled.get(document)
    if (operations === undefined) {
      operations = new Map()
      this.#compiled.set(document, operations)
    }
    // Admission lets only operations of the document in, so there are no more names than operations.
    const name = operationName ?? ''
    let compiled = operations.get(name)
    if (compiled === undefined) {
      compiled = this.#compile(document, operationName)
      operations.set(name, compiled)
    }
    return compiled
  }

  #compile(document: DocumentNode, operationName: string | null | undefined): CompiledOperation {
    const operation = getOperationAST(document, operationName)
    const rootType = operation && this.#schema.getRootType(operation.operation)
    if (!operation || !rootType) throw new Error('Admission lets no document in that has nothing to execute.')
    return new CompiledOperation(this.#schema, document, operation, rootType, this.#prices)
  }
}
