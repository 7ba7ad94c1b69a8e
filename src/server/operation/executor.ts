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

/** What is executed, without the schema, which is always the same one. */
export type Execution = Omit<ExecutionArgs, 'schema'>

interface Compiled {
  readonly query: CompiledQuery['query']
  readonly variables: readonly VariableDefinitionNode[]
}

interface Known {
  uses: number
  /** undefined: not compiled yet; null: never to be compiled. */
  compiled: Compiled | null | undefined
}

/**
 * Executes a document by GraphQL's own algorithm. A document that comes again is compiled into a function and executed
 * by it, unless the compiled function would answer differently from GraphQL.
 *
 * Compiling takes milliseconds, too much for a document that comes once. A compiled function is kept as long as its
 * document, so the limit of remembered documents (Admission) limits compiled functions too.
 *
 * Variables are always read by GraphQL's own algorithm, because graphql-jit does not know defaults of input fields.
 */
export class Executor {
  readonly #schema: GraphQLSchema
  /** The schema with one more type, which takes variables as they are. */
  readonly #compileSchema: GraphQLSchema
  readonly #compileAfter: number
  readonly #known = new WeakMap<DocumentNode, Map<string, Known>>()

  /** @param compileAfter how often a document is executed before it is compiled */
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
    // The variables are wrong. GraphQL itself executes nothing then, and says why in the words that clients know.
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

  #compile(document: DocumentNode, operationName: string | null | undefined): Compiled | null {
    const operation = getOperationAST(document, operationName)
    if (!operation || hasSteps(operation)) return null
    if (hasConditions(document) || hasVariableInLiteral(document) || asksForSchema(document)) return null
    const compiled = compileQuery(this.#compileSchema, withVariablesAsTheyAre(document), operation.name?.value, {
      disablingCapturingStackErrors: true,
      // Resolvers and entities answer values of the right types. Checking each text, number and enum value again made a
      // third of the garbage of a page.
      disableLeafSerialization: true,
    })
    if (!isCompiledQuery(compiled)) return null
    return { query: compiled.query, variables: operation.variableDefinitions ?? [] }
  }
}

catchInCompiled()

const asItIs = new GraphQLScalarType({ name: '_AsItIs' })

/** A mutation with several fields comes rarely: GraphQL's own algorithm executes it. */
function hasSteps({ operation, selectionSet: { selections } }: OperationDefinitionNode): boolean {
  return operation === 'mutation' && (selections.length > 1 || selections[0]?.kind !== Kind.FIELD)
}

/**
 * graphql-jit keeps one condition for a field of a fragment, and not one for each place where the fragment is spread.
 * It writes conditions into the nodes of the document, and other operations of the document use the same nodes.
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
 * Whether a variable stands within a literal object, list or JSON. In the compiled function such a variable would be
 * null when it is absent, and a scalar would not get the value of the variable.
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

/** The compiled function would show the type that was added to the schema only to take variables. */
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

/** The errors of the compiled function are not GraphQLErrors. */
function toGraphqlError(error: GraphQLError): GraphQLError {
  const { message, path, originalError, locations } = error
  const converted = new GraphQLError(message, { path, originalError })
  Object.defineProperty(converted, 'locations', { value: locations, enumerable: true })
  return converted
}
