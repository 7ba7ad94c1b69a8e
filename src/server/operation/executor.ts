import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  GraphQLError,
  GraphQLScalarType,
  GraphQLSchema,
  getOperationAST,
  getVariableValues,
  Kind,
  type OperationDefinitionNode,
  type TypeNode,
  type VariableDefinitionNode,
  visit,
} from 'graphql'
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit'
import { catchInCompiled } from './compiled-runtime.ts'

/** What is asked of one schema. */
export type Execution = Omit<ExecutionArgs, 'schema'>

interface Compiled {
  readonly query: CompiledQuery['query']
  readonly variables: readonly VariableDefinitionNode[]
}

interface Known {
  uses: number
  /** null: it is not to be compiled. */
  compiled: Compiled | null | undefined
}

/**
 * Executes documents by GraphQL's own algorithm, and those that come again by a function that was compiled for them,
 * unless the compiled function would answer some of what they ask otherwise.
 *
 * Compiling takes milliseconds, which a document that comes once is not worth. What was compiled goes with its document,
 * so whoever remembers documents bounds it.
 *
 * Variables are read by GraphQL's own algorithm in any case: the compiled one knows no defaults of input fields.
 */
export class Executor {
  readonly #schema: GraphQLSchema
  /** With a type that takes variables as they are. */
  readonly #compileSchema: GraphQLSchema
  readonly #compileAfter: number
  readonly #known = new WeakMap<DocumentNode, Map<string, Known>>()

  /** @param compileAfter how many executions of a document go before it is compiled */
  constructor(schema: GraphQLSchema, compileAfter: number) {
    this.#schema = schema
    const { types, ...config } = schema.toConfig()
    this.#compileSchema = new GraphQLSchema({ ...config, types: [...types, asItIs] })
    this.#compileAfter = compileAfter
  }

  async execute(execution: Execution): Promise<ExecutionResult> {
    const compiled = this.#compiledFor(execution)
    if (!compiled) return execute({ schema: this.#schema, ...execution })
    const { rootValue, contextValue, variableValues } = execution
    const { coerced } = getVariableValues(this.#schema, compiled.variables, variableValues ?? {}, { maxErrors: 1 })
    // Nothing was executed: GraphQL itself says why, in the words that clients know.
    if (coerced === undefined) return execute({ schema: this.#schema, ...execution })
    const result = await compiled.query(rootValue, contextValue, coerced)
    return result.errors === undefined ? result : { ...result, errors: result.errors.map(toGraphqlError) }
  }

  #compiledFor({ document, operationName }: Execution): Compiled | null | undefined {
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

  #compile(document: DocumentNode, operationName: string | null | undefined): Compiled | null {
    const operation = getOperationAST(document, operationName)
    if (!operation || hasSteps(operation)) return null
    if (hasConditions(document) || hasVariableInLiteral(document) || asksForSchema(document)) return null
    const compiled = compileQuery(this.#compileSchema, withVariablesAsTheyAre(document), operation.name?.value, {
      disablingCapturingStackErrors: true,
      // What resolvers and entities answer has the types of its fields: to check each text, number and enum value again
      // made a third of the garbage of a page.
      disableLeafSerialization: true,
    })
    if (!isCompiledQuery(compiled)) return null
    return { query: compiled.query, variables: operation.variableDefinitions ?? [] }
  }
}

catchInCompiled()

const asItIs = new GraphQLScalarType({ name: '_AsItIs' })

/** Of a mutation of several fields the compiled function goes on after one that failed, where GraphQL stops. */
function hasSteps({ operation, selectionSet: { selections } }: OperationDefinitionNode): boolean {
  return operation === 'mutation' && (selections.length > 1 || selections[0]?.kind !== Kind.FIELD)
}

/**
 * Of a field that stands in a fragment, the compiled function knows one condition and not one for each place of the
 * fragment. It writes conditions into the nodes of the document, which other operations share.
 */
function hasConditions(document: DocumentNode): boolean {
  let isFound = false
  visit(document, {
    Directive: ({ name }) => {
      if (name.value === 'skip' || name.value === 'include') isFound = true
    },
  })
  return isFound
}

/**
 * A variable within the literal of an object, a list or JSON: one that is not given would be null there and not absent,
 * and a scalar would not be shown what is within it.
 */
function hasVariableInLiteral(document: DocumentNode): boolean {
  let isFound = false
  const look = {
    Variable: () => {
      isFound = true
    },
  }
  visit(document, { ObjectValue: (node) => void visit(node, look), ListValue: (node) => void visit(node, look) })
  return isFound
}

/** Of the schema that is compiled for, it would be told the type that is only there to take variables. */
function asksForSchema(document: DocumentNode): boolean {
  let isFound = false
  visit(document, {
    Field: ({ name }) => {
      if (name.value === '__schema' || name.value === '__type') isFound = true
    },
  })
  return isFound
}

function withVariablesAsTheyAre(document: DocumentNode): DocumentNode {
  const type: TypeNode = { kind: Kind.NAMED_TYPE, name: { kind: Kind.NAME, value: asItIs.name } }
  return visit(document, {
    VariableDefinition: ({ kind, variable }): VariableDefinitionNode => ({ kind, variable, type }),
  })
}

/** The compiled function has errors of its own, which are no GraphQLErrors. */
function toGraphqlError(error: GraphQLError): GraphQLError {
  const { message, path, originalError, locations } = error
  const converted = new GraphQLError(message, { path, originalError })
  Object.defineProperty(converted, 'locations', { value: locations, enumerable: true })
  return converted
}
