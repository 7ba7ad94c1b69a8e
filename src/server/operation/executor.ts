import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
} from 'graphql'
import { CompiledOperation } from './compiled-operation.ts'

/** What is executed, without the schema, which is always the same one. */
export type Execution = Pick<
  ExecutionArgs,
  'document' | 'operationName' | 'variableValues' | 'rootValue' | 'contextValue'
>

interface Known {
  uses: number
  /** undefined: not compiled yet; null: there is nothing to be compiled. */
  compiled: CompiledOperation | null | undefined
}

/**
 * Executes documents. One that comes again is compiled: what GraphQL would work out of it each time is kept.
 *
 * What is kept is as large as a few documents, and no use for a document that comes once. It is kept as long as its
 * document, so the limit of remembered documents (Admission) limits it too.
 */
export class Executor {
  readonly #schema: GraphQLSchema
  readonly #compileAfter: number
  readonly #known = new WeakMap<DocumentNode, Map<string, Known>>()

  /** @param compileAfter how often a document is executed before it is compiled */
  constructor(schema: GraphQLSchema, compileAfter: number) {
    this.#schema = schema
    this.#compileAfter = compileAfter
  }

  async execute(execution: Execution): Promise<ExecutionResult> {
    const compiled = this.#compiledFor(execution)
    if (!compiled) return execute({ schema: this.#schema, ...execution })
    const { rootValue, contextValue, variableValues } = execution
    const definitions = compiled.operation.variableDefinitions ?? []
    const { coerced } = getVariableValues(this.#schema, definitions, variableValues ?? {}, { maxErrors: 1 })
    // The variables are wrong. GraphQL itself executes nothing then, and says why in the words that clients know.
    if (coerced === undefined) return execute({ schema: this.#schema, ...execution })
    return compiled.execute(rootValue, contextValue, coerced)
  }

  #compiledFor({ document, operationName }: Execution): CompiledOperation | null | undefined {
    let operations = this.#known.get(document)
    if (operations === undefined) {
      operations = new Map()
      this.#known.set(document, operations)
    }
    // Admission lets only operations of the document in, so there are no more names than operations.
    const name = operationName ?? ''
    let known = operations.get(name)
    if (known === undefined) {
      known = { uses: 0, compiled: undefined }
      operations.set(name, known)
    }
    if (known.compiled === undefined && known.uses >= this.#compileAfter) {
      known.compiled = this.#compile(document, operationName)
    }
    known.uses += 1
    return known.compiled
  }

  #compile(document: DocumentNode, operationName: string | null | undefined): CompiledOperation | null {
    const operation = getOperationAST(document, operationName)
    const rootType = operation && this.#schema.getRootType(operation.operation)
    return operation && rootType ? new CompiledOperation(this.#schema, document, operation, rootType) : null
  }
}
