import {
  type DocumentNode,
  type ExecutionResult,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  visit,
} from 'graphql'
import { collectFields } from 'graphql/execution/collectFields.js'
import { inSpan } from '../../observe/spans.ts'
import { compilePrice, type OperationPrice } from './operation-price.ts'
import { type Executable, Run, type Variables } from './operation-run.ts'
import type { Prices } from './prices.ts'
import { rootFieldOf } from './root-field.ts'
import { type Field, fieldsOf } from './selected-fields.ts'

type Fragments = Executable['fragments']

/**
 * An operation that is executed as graphql-js executes it, with the same answers, and the same errors in the same order.
 * It is faster, because which fields are selected of objects of a type is worked out once and kept, and because a value
 * that needs nothing done is taken as it is. A test compares the answers with those of graphql-js.
 *
 * No code is made of the document: it comes from callers.
 */
export class CompiledOperation implements Executable {
  readonly schema: GraphQLSchema
  readonly operation: OperationDefinitionNode
  readonly fragments: Fragments
  readonly price: OperationPrice
  /** What it asks for, in words of the schema. */
  readonly rootField: string
  readonly #rootType: GraphQLObjectType
  /** The variables on which it depends which fields are selected. */
  readonly #conditions: readonly string[]
  /** What is selected of the root under these conditions; what is selected beneath hangs on its fields. */
  #selected: { readonly conditions: string; readonly fields: readonly Field[] } | null = null

  constructor(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    rootType: GraphQLObjectType,
    prices: Prices,
  ) {
    this.schema = schema
    this.operation = operation
    this.fragments = fragmentsOf(document)
    this.rootField = rootFieldOf(operation, this.fragments)
    this.#rootType = rootType
    this.#conditions = conditionsOf(document)
    this.price = compilePrice(this, rootType, prices)
  }

  /** @param variables as GraphQL reads them: checked, and with defaults */
  execute(rootValue: unknown, context: unknown, variables: Variables): Promise<ExecutionResult> | ExecutionResult {
    const { operation, rootField } = this
    return inSpan(`${operation.operation} ${rootField}`, {}, () => {
      const run = new Run(this, rootValue, context, variables)
      return run.result(() => this.#fields(variables))
    })
  }

  /** The source of the events of a subscription. @throws GraphQLError @param variables as for `execute` */
  subscribe(rootValue: unknown, context: unknown, variables: Variables): Promise<unknown> {
    return inSpan(`subscription ${this.rootField}`, {}, () => {
      const run = new Run(this, rootValue, context, variables)
      return run.source(() => this.#fields(variables))
    })
  }

  #fields(variables: Variables): readonly Field[] {
    const conditions = this.#conditions.map((name) => String(variables[name])).join()
    if (this.#selected?.conditions !== conditions) {
      const { schema, operation, fragments } = this
      const nodes = collectFields(schema, fragments, variables, this.#rootType, operation.selectionSet)
      this.#selected = { conditions, fields: fieldsOf(schema, this.#rootType, nodes) }
    }
    return this.#selected.fields
  }
}

function fragmentsOf({ definitions }: DocumentNode): Fragments {
  const fragments: Record<string, FragmentDefinitionNode> = Object.create(null)
  for (const definition of definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments[definition.name.value] = definition
  }
  return fragments
}

function conditionsOf(document: DocumentNode): string[] {
  const names = new Set<string>()
  visit(document, {
    Directive: (directive) => void visit(directive, { Variable: ({ name }) => void names.add(name.value) }),
  })
  return [...names]
}
