import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql'
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit'

/** What is asked of one schema. */
export type Execution = Omit<ExecutionArgs, 'schema'>

interface Known {
  uses: number
  /** null: it is not to be compiled. */
  compiled: CompiledQuery | null | undefined
}

/**
 * Executes documents by GraphQL's own algorithm, and those that come again by a function that was compiled for them.
 * Compiling takes milliseconds, which a document that comes once is not worth. What was compiled goes with its document,
 * so whoever remembers documents bounds it.
 */
export class Executor {
  readonly #schema: GraphQLSchema
  readonly #compileAfter: number
  readonly #known = new WeakMap<DocumentNode, Map<string, Known>>()

  /** @param compileAfter how many executions of a document go before it is compiled */
  constructor(schema: GraphQLSchema, compileAfter: number) {
    this.#schema = schema
    this.#compileAfter = compileAfter
  }

  async execute(execution: Execution): Promise<ExecutionResult> {
    const compiled = this.#compiledFor(execution)
    if (!compiled) return execute({ schema: this.#schema, ...execution })
    const { rootValue, contextValue, variableValues } = execution
    const result = await compiled.query(rootValue, contextValue, variableValues ?? {})
    if (result.errors === undefined) return result
    // Variables were refused, and nothing was executed: GraphQL itself says it in the words that clients know.
    if (result.data === undefined) return execute({ schema: this.#schema, ...execution })
    return { ...result, errors: result.errors.map(toGraphqlError) }
  }

  #compiledFor({ document, operationName }: Execution): CompiledQuery | null | undefined {
    let operations = this.#known.get(document)
    if (operations === undefined) {
      operations = new Map()
      this.#known.set(document, operations)
    }
    // Only names that the document has come here, so there are no more of them than operations.
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

  #compile(document: DocumentNode, operationName: string | null | undefined): CompiledQuery | null {
    if (hasSteps(document, operationName) || hasVariableInScalar(document, this.#schema)) return null
    const compiled = compileQuery(this.#schema, document, operationName ?? undefined, {
      disablingCapturingStackErrors: true,
    })
    return isCompiledQuery(compiled) ? compiled : null
  }
}

/** Of a mutation of several fields the compiled function goes on after one that failed, where GraphQL stops. */
function hasSteps(document: DocumentNode, operationName: string | null | undefined): boolean {
  const operation = getOperationAST(document, operationName)
  if (operation?.operation !== 'mutation') return false
  const { selections } = operation.selectionSet
  return selections.length > 1 || selections[0]?.kind !== Kind.FIELD
}

/** A variable within the literal of a scalar, as JSON has them: the compiled function does not show it to the scalar. */
function hasVariableInScalar(document: DocumentNode, schema: GraphQLSchema): boolean {
  const types = new TypeInfo(schema)
  let isFound = false
  visit(
    document,
    visitWithTypeInfo(types, {
      VariableDefinition: () => false,
      Variable: () => {
        // Inside a scalar there are no types.
        if (types.getInputType() === undefined) isFound = true
      },
    }),
  )
  return isFound
}

/** The compiled function has errors of its own, which are no GraphQLErrors. */
function toGraphqlError(error: GraphQLError): GraphQLError {
  const { message, path, originalError, locations } = error
  const converted = new GraphQLError(message, { path, originalError })
  Object.defineProperty(converted, 'locations', { value: locations, enumerable: true })
  return converted
}
