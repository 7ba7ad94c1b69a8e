import {
  type DirectiveNode,
  type FieldNode,
  type GraphQLCompositeType,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isObjectType,
  Kind,
  type SelectionSetNode,
  type ValueNode,
  valueFromASTUntyped,
  visit,
} from 'graphql'
import { type Amount, fieldPrice, operationPrice, type Prices } from './prices.ts'
import { definitionOf } from './selected-fields.ts'

/** As they came, not yet checked. */
export type GivenVariables = Readonly<Record<string, unknown>> | null | undefined

/** What an operation may cost with these variables: a whole number. Of a subscription: to begin, and one event. */
export type OperationPrice = (variables: GivenVariables) => number

type Operation = Pick<GraphQLResolveInfo, 'schema' | 'operation' | 'fragments'>

/** A number that is known, or that depends on variables. */
type Dynamic = number | ((variables: NonNullable<GivenVariables>) => number)
/** What fields around give, by name. */
type Around = ReadonlyMap<string, Dynamic>
type Value = (variables: NonNullable<GivenVariables>) => unknown

/** Selections of one level, and the conditions on all of them. */
interface Level {
  readonly selections: SelectionSetNode
  readonly conditions: readonly DirectiveNode[]
}

/**
 * Works out once what an operation may cost: what each field costs, multiplied by the items of all lists around it. What
 * variables decide stays a function of them. Each alias costs. Fields that GraphQL merges into one cost once. Where an
 * object may be of several types, it has the dearest one. A condition counts only if it is on a field that is selected
 * once.
 *
 * @param operation of a valid document
 */
export function compilePrice(operation: Operation, rootType: GraphQLObjectType, prices: Prices): OperationPrice {
  const { selectionSet } = operation.operation
  const compiler = new Compiler(operation, prices)
  const fields = compiler.object(rootType, [{ selections: selectionSet, conditions: [] }], new Map())
  const price = plus(operationPrice, fields)
  if (typeof price === 'number') return always(Math.ceil(price))
  return (variables) => Math.ceil(price(variables ?? {}))
}

const always = (price: number) => () => price

class Compiler {
  readonly #schema: GraphQLSchema
  readonly #fragments: Operation['fragments']
  readonly #prices: Prices
  readonly #defaults: ReadonlyMap<string, unknown>

  constructor({ schema, operation, fragments }: Operation, prices: Prices) {
    this.#schema = schema
    this.#fragments = fragments
    this.#prices = prices
    const definitions = operation.variableDefinitions ?? []
    this.#defaults = new Map(
      definitions.flatMap(({ variable, defaultValue }) =>
        defaultValue === undefined ? [] : [[variable.name.value, valueFromASTUntyped(defaultValue)]],
      ),
    )
  }

  object(type: GraphQLObjectType, levels: readonly Level[], around: Around): Dynamic {
    const fields = new Map<string, { node: FieldNode; conditions: readonly DirectiveNode[] }[]>()
    for (const { selections, conditions } of levels) this.#collect(type, selections, conditions, fields)
    return [...fields.values()].reduce<Dynamic>((sum, nodes) => plus(sum, this.#field(type, nodes, around)), 0)
  }

  /** By their names in the answer. */
  #collect(
    type: GraphQLObjectType,
    { selections }: SelectionSetNode,
    around: readonly DirectiveNode[],
    fields: Map<string, { node: FieldNode; conditions: readonly DirectiveNode[] }[]>,
  ): void {
    for (const selection of selections) {
      const conditions = [...around, ...(selection.directives ?? []).filter(isCondition)]
      if (selection.kind === Kind.FIELD) {
        const key = (selection.alias ?? selection.name).value
        const nodes = fields.get(key) ?? []
        nodes.push({ node: selection, conditions })
        fields.set(key, nodes)
      } else {
        const fragment = selection.kind === Kind.INLINE_FRAGMENT ? selection : this.#fragments[selection.name.value]
        if (fragment === undefined || !this.#applies(fragment.typeCondition?.name.value, type)) continue
        this.#collect(type, fragment.selectionSet, conditions, fields)
      }
    }
  }

  #applies(condition: string | undefined, type: GraphQLObjectType): boolean {
    if (condition === undefined || condition === type.name) return true
    const named = this.#schema.getType(condition)
    return isAbstractType(named) && this.#schema.isSubType(named, type)
  }

  #field(
    type: GraphQLObjectType,
    nodes: readonly { node: FieldNode; conditions: readonly DirectiveNode[] }[],
    around: Around,
  ): Dynamic {
    // All nodes of one name are of one field, with the same arguments.
    const [{ node, conditions }] = nodes as [(typeof nodes)[number]]
    const definition = definitionOf(this.#schema, type, node.name.value)
    const { own = 0, items = 1, gives = {} } = this.#prices[`${type.name}.${node.name.value}`] ?? {}
    const given = new Map(Object.entries(gives).map(([name, amount]) => [name, this.#amount(amount, node, around)]))
    const levels = nodes.flatMap(({ node: { selectionSet } }) =>
      selectionSet === undefined ? [] : [{ selections: selectionSet, conditions: [] }],
    )
    const named = definition && getNamedType(definition.type)
    const beneath = isCompositeType(named) ? this.#composite(named, levels, given) : 0
    const each = plus(fieldPrice, this.#amount(own, node, around))
    const whole = plus(each, times(this.#amount(items, node, around), beneath))
    return nodes.length === 1 ? this.#unless(conditions, whole) : whole
  }

  #composite(type: GraphQLCompositeType, levels: readonly Level[], around: Around): Dynamic {
    const types = isObjectType(type) ? [type] : this.#schema.getPossibleTypes(type)
    return types.map((possible) => this.object(possible, levels, around)).reduce<Dynamic>(larger, 0)
  }

  #unless(conditions: readonly DirectiveNode[], price: Dynamic): Dynamic {
    return conditions.reduce((priced, { name, arguments: given }) => {
      const condition = given?.[0]?.value
      if (condition === undefined) return priced
      const isLeftOut = name.value === 'skip'
      const value = this.#value(condition, [])
      if (!('read' in value)) return value.known === isLeftOut ? 0 : priced
      const { read } = value
      return (variables) => (read(variables) === isLeftOut ? 0 : numberOf(priced, variables))
    }, price)
  }

  #amount(amount: Amount, node: FieldNode, around: Around): Dynamic {
    if (typeof amount === 'number') return amount
    if ('around' in amount) return times(around.get(amount.around) ?? 1, amount.times)
    const values = amount.of.map((path) => this.#argument(node, path.split('.')))
    if (values.every((value) => 'known' in value)) return amount.amount(...values.map(({ known }) => known))
    const reads = values.map((value): Value => ('read' in value ? value.read : () => value.known))
    return (variables) => amount.amount(...reads.map((read) => read(variables)))
  }

  #argument({ arguments: given = [] }: FieldNode, [name, ...path]: readonly string[]): Known | Read {
    const value = given.find((argument) => argument.name.value === name)?.value
    return value === undefined ? absent : this.#value(value, path)
  }

  /** What lies at this path in a value. */
  #value(value: ValueNode, path: readonly string[]): Known | Read {
    const [name, ...rest] = path
    if (value.kind === Kind.VARIABLE) {
      const variable = value.name.value
      const fallback = this.#defaults.get(variable)
      return {
        read: (variables) => {
          const given = own(variables, variable)
          return at(given === undefined ? fallback : given, path)
        },
      }
    }
    if (name === undefined) {
      if (!hasVariables(value)) return { known: valueFromASTUntyped(value) }
      return { read: (variables) => valueFromASTUntyped(value, { ...variables }) }
    }
    if (value.kind !== Kind.OBJECT) return absent
    const field = value.fields.find((each) => each.name.value === name)
    return field === undefined ? absent : this.#value(field.value, rest)
  }
}

interface Known {
  readonly known: unknown
}

interface Read {
  readonly read: Value
}

const absent: Known = { known: undefined }

function own(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

function at(value: unknown, path: readonly string[]): unknown {
  let found = value
  for (const name of path) {
    if (typeof found !== 'object' || found === null) return undefined
    found = own(found as Record<string, unknown>, name)
  }
  return found
}

function isCondition({ name }: DirectiveNode): boolean {
  return name.value === 'skip' || name.value === 'include'
}

function hasVariables(value: ValueNode): boolean {
  let found = false
  visit(value, {
    Variable: () => {
      found = true
    },
  })
  return found
}

function numberOf(value: Dynamic, variables: NonNullable<GivenVariables>): number {
  return typeof value === 'number' ? value : value(variables)
}

function plus(one: Dynamic, other: Dynamic): Dynamic {
  if (typeof one === 'number' && typeof other === 'number') return one + other
  if (one === 0) return other
  if (other === 0) return one
  return (variables) => numberOf(one, variables) + numberOf(other, variables)
}

function times(one: Dynamic, other: Dynamic): Dynamic {
  if (typeof one === 'number' && typeof other === 'number') return one * other
  if (one === 0 || other === 0) return 0
  return (variables) => numberOf(one, variables) * numberOf(other, variables)
}

function larger(one: Dynamic, other: Dynamic): Dynamic {
  if (typeof one === 'number' && typeof other === 'number') return Math.max(one, other)
  return (variables) => Math.max(numberOf(one, variables), numberOf(other, variables))
}
