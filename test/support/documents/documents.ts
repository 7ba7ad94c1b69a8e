import {
  doTypesOverlap,
  type GraphQLArgument,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLInterfaceType,
  GraphQLNonNull,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isUnionType,
} from 'graphql'
import { Random } from '../random.ts'

export type Kind = 'query' | 'mutation' | 'subscription'

/** What is asked: a document, the operation of it, and variables. */
export interface Asked {
  readonly query: string
  readonly operationName: string
  readonly variables: Record<string, unknown>
  /** Other values of the variables. */
  readonly others: Record<string, unknown>
}

export interface Taste {
  readonly kinds: readonly Kind[]
  /** How deep selections may be at most; a document has a depth of its own. */
  readonly depth: number
  /** How many selections a selection set may have at most. */
  readonly width: number
  /** Values of named input types and of single arguments; undefined: any value of the type. */
  readonly value?: (random: Random, type: GraphQLInputType, argument: string) => unknown
  /** Whether a field may be selected. */
  readonly allows?: (type: GraphQLCompositeType, field: GraphQLField<unknown, unknown>) => boolean
  /** The arguments of a field, where they are always the same. */
  readonly fixed?: Readonly<Record<string, string>>
  /** How often an argument gets a value that its type refuses. */
  readonly wrong: number
}

/** A piece of a document, with the variables and fragments that it uses. */
interface Piece {
  readonly text: string
  readonly variables: ReadonlySet<string>
  readonly fragments: ReadonlySet<string>
}

/**
 * Makes documents for a schema: with several operations, which share fragments, with fragments in fragments, aliases,
 * fields that are selected several times, conditions, and variables in all places. Most of them are valid.
 */
export class Documents {
  readonly #schema: GraphQLSchema
  readonly #taste: Taste
  readonly #known = [new Map(), new Map()] as const satisfies Map<
    GraphQLCompositeType,
    readonly GraphQLField<unknown, unknown>[]
  >[]
  #random = new Random(0)
  #fragments: { name: string; type: GraphQLCompositeType; piece: Piece }[] = []
  #variables = new Map<string, { type: GraphQLInputType; fallback: string | null }>()
  #names = 0
  #depth = 0
  #width = 0

  constructor(schema: GraphQLSchema, taste: Taste) {
    this.#schema = schema
    this.#taste = taste
  }

  /** The document of a seed. */
  make(seed: number): Asked {
    const random = new Random(seed)
    this.#random = random
    this.#depth = 1 + random.below(this.#taste.depth)
    this.#width = 1 + random.below(this.#taste.width)
    this.#fragments = []
    this.#variables = new Map()
    this.#names = 0
    const composites = Object.values(this.#schema.getTypeMap()).filter(
      (type): type is GraphQLCompositeType => isCompositeType(type) && !type.name.startsWith('__'),
    )
    for (let left = random.below(4); left > 0; left--) {
      const type = random.pick(composites)
      // A fragment spreads only those before it, so that none spreads itself.
      const piece = this.#selection(
        type,
        random.below(this.#depth),
        type === this.#schema.getSubscriptionType() ? 'subscription' : 'query',
      )
      if (piece) this.#fragments.push({ name: `F${this.#fragments.length}`, type, piece })
    }
    const operations = Array.from({ length: random.chance(0.7) ? 1 : 2 }, (_, index) => this.#operation(`Op${index}`))
    const used = new Set(operations.flatMap(({ fragments }) => [...this.#closure(fragments)]))
    const fragments = this.#fragments.filter(({ name }) => used.has(name))
    const query = [
      ...operations.map(({ text }) => text),
      ...fragments.map(({ name, type, piece }) => `fragment ${name} on ${type.name} ${piece.text}`),
    ].join('\n')
    const operationName = random.pick(operations).name
    return { query, operationName, variables: this.#values(), others: this.#values() }
  }

  #closure(names: Iterable<string>): Set<string> {
    const found = new Set<string>()
    const add = (name: string) => {
      if (found.has(name)) return
      found.add(name)
      for (const next of this.#fragments.find((fragment) => fragment.name === name)?.piece.fragments ?? []) add(next)
    }
    for (const name of names) add(name)
    return found
  }

  #operation(name: string) {
    const kind = this.#random.pick(this.#taste.kinds)
    const root = { query: 'getQueryType', mutation: 'getMutationType', subscription: 'getSubscriptionType' } as const
    const type = this.#schema[root[kind]]() as GraphQLObjectType
    const piece = this.#selection(type, this.#depth, kind) ?? this.#pieces('{ __typename }')
    const fragments = this.#closure(piece.fragments)
    const variables = new Set(piece.variables)
    for (const used of this.#fragments) {
      if (fragments.has(used.name)) for (const variable of used.piece.variables) variables.add(variable)
    }
    const defined = [...variables].map((variable) => {
      const { type: variableType, fallback } = this.#variable(variable)
      return `$${variable}: ${variableType}${fallback === null ? '' : ` = ${fallback}`}`
    })
    const head = defined.length === 0 ? '' : `(${defined.join(', ')})`
    return { name, fragments, text: `${kind} ${name}${head} ${piece.text}` }
  }

  #variable(name: string) {
    const variable = this.#variables.get(name)
    if (!variable) throw new Error(`no variable ${name}`)
    return variable
  }

  /** null: nothing of the type can be selected here. */
  #selection(type: GraphQLCompositeType, depth: number, kind: Kind): Piece | null {
    const random = this.#random
    const count = kind === 'subscription' ? 1 : 1 + random.below(this.#width)
    const pieces: Piece[] = []
    while (pieces.length < count) {
      const before = random.chance(0.15) && kind !== 'subscription' ? pieces[random.below(pieces.length)] : undefined
      const piece = before ?? this.#selected(type, depth, kind)
      if (!piece) break
      pieces.push(piece)
    }
    return pieces.length === 0 ? null : this.#pieces(['{ ', ' }'], pieces)
  }

  #selected(type: GraphQLCompositeType, depth: number, kind: Kind): Piece | null {
    const random = this.#random
    const dice = random.next()
    if (kind !== 'subscription' || dice < 0.3) {
      const fragments = this.#fragments.filter((fragment) => doTypesOverlap(this.#schema, fragment.type, type))
      if (dice < 0.15 && fragments.length > 0) {
        const { name } = random.pick(fragments)
        return this.#pieces([`...${name}`, ''], [this.#condition(kind)], [name])
      }
      if (dice < 0.3 && depth > 0) {
        const narrower = isAbstractType(type) ? this.#schema.getPossibleTypes(type) : [type, ...objectInterfaces(type)]
        const within = random.pick([type, ...narrower])
        const piece = this.#selection(within, depth - 1, kind)
        if (!piece) return null
        const on = within === type && random.chance(0.3) ? '...' : `... on ${within.name}`
        return this.#pieces([`${on}`, ' ', ''], [this.#condition(kind), piece])
      }
      if (dice > 0.93)
        return this.#pieces([random.chance(0.5) ? '__typename' : 't: __typename', ''], [this.#condition(kind)])
    }
    if (isUnionType(type)) return this.#pieces('__typename')
    const fields = this.#fields(type, depth === 0)
    if (fields.length === 0) return kind === 'query' || depth === 0 ? this.#pieces('__typename') : null
    return this.#field(random.pick(fields), depth, kind)
  }

  /** The fields that may be selected, of this type; at the end of a path only those that select nothing of their own. */
  #fields(type: GraphQLObjectType | GraphQLInterfaceType, isLast: boolean): readonly GraphQLField<unknown, unknown>[] {
    const known = this.#known[isLast ? 1 : 0]
    let fields = known.get(type)
    if (fields === undefined) {
      fields = Object.values(type.getFields()).filter(
        (field) => (!isLast || isLeafType(getNamedType(field.type))) && (this.#taste.allows?.(type, field) ?? true),
      )
      known.set(type, fields)
    }
    return fields
  }

  #field(field: GraphQLField<unknown, unknown>, depth: number, kind: Kind): Piece {
    const random = this.#random
    const alias = random.chance(0.25) ? `${random.pick(aliases)}: ` : ''
    const named = getNamedType(field.type)
    const fixed = this.#taste.fixed?.[field.name]
    const given = (fixed === undefined ? field.args : []).filter((argument) =>
      isNonNullType(argument.type) && argument.defaultValue === undefined ? random.chance(0.98) : random.chance(0.6),
    )
    const args = given.map((argument) => this.#argument(argument))
    const list = args.length === 0 ? [] : [this.#pieces(['(', ')'], args, [], ', ')]
    const beneath = isCompositeType(named)
      ? (this.#selection(named, depth - 1, 'query') ?? this.#pieces('{ __typename }'))
      : null
    const parts = [...list, this.#condition(kind), ...(beneath ? [beneath] : [])]
    return this.#pieces([`${alias}${field.name}${fixed ?? ''}`, ...parts.slice(1).map(() => ' '), ''], parts)
  }

  #argument({ name, type }: GraphQLArgument): Piece {
    return this.#pieces([`${name}: `, ''], [this.#literal(type, name, 3)])
  }

  /** A literal, a variable, or a literal with variables in it. */
  #literal(type: GraphQLInputType, argument: string, depth: number): Piece {
    const random = this.#random
    if (random.chance(0.3)) return this.#useVariable(type, argument)
    const chosen = this.#taste.value?.(random, type, argument)
    if (chosen !== undefined) return this.#pieces(print(chosen, type))
    if (random.chance(this.#taste.wrong))
      return this.#pieces(random.pick(['"wrong"', '-1', '1.5', 'true', 'NOBODY', 'null', '{}', '[]']))
    if (isNonNullType(type)) return this.#literal(type.ofType, argument, depth)
    if (random.chance(0.08)) return this.#pieces('null')
    if (isListType(type)) {
      if (random.chance(0.2)) return this.#literal(type.ofType, argument, depth)
      const items = Array.from({ length: random.below(3) }, () => this.#literal(type.ofType, argument, depth - 1))
      return this.#pieces(['[', ']'], items, [], ', ')
    }
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter((field) =>
        isNonNullType(field.type) && field.defaultValue === undefined ? true : depth > 0 && random.chance(0.4),
      )
      const pieces = fields.map((field) =>
        this.#pieces([`${field.name}: `, ''], [this.#literal(field.type, field.name, depth - 1)]),
      )
      return this.#pieces(['{', '}'], pieces, [], ', ')
    }
    return this.#pieces(leafLiteral(random, type))
  }

  #useVariable(type: GraphQLInputType, argument: string): Piece {
    const random = this.#random
    const same = [...this.#variables].filter(([, known]) => String(known.type) === String(type))
    if (same.length > 0 && random.chance(0.5)) return this.#variablePiece(random.pick(same)[0])
    const name = random.pick([`v${this.#names}`, `${argument}${this.#names}`, `__proto__${this.#names || ''}`])
    this.#names += 1
    const dice = random.next()
    const nullable = isNonNullType(type) ? type.ofType : type
    const fallback = dice < 0.3 ? print(this.#value(nullable, argument, 2), nullable) : null
    // A variable that may be null, but has a default, may stand where null is refused.
    const variableType =
      fallback !== null || !isNonNullType(type) ? (dice < 0.2 ? nullable : new GraphQLNonNull(nullable)) : type
    this.#variables.set(name, { type: variableType, fallback })
    return this.#variablePiece(name)
  }

  #variablePiece(name: string): Piece {
    return { text: `$${name}`, variables: new Set([name]), fragments: new Set() }
  }

  #condition(kind: Kind): Piece {
    const random = this.#random
    // GraphQL's own validation throws where a variable decides about the field of a subscription.
    if (kind === 'subscription' || !random.chance(0.12)) return this.#pieces('')
    const directive = random.pick(['skip', 'include'])
    if (random.chance(0.4)) return this.#pieces(` @${directive}(if: ${random.chance(0.5)})`)
    const name = `if${random.below(2)}`
    const fallback = this.#variables.get(name)?.fallback ?? (random.chance(0.5) ? String(random.chance(0.5)) : null)
    const boolean = this.#schema.getType('Boolean') as GraphQLInputType
    if (!this.#variables.has(name)) {
      const type = fallback === null ? new GraphQLNonNull(boolean as never) : boolean
      this.#variables.set(name, { type, fallback })
    }
    return this.#pieces([` @${directive}(if: `, ')'], [this.#variablePiece(name)])
  }

  #values(): Record<string, unknown> {
    const values: Record<string, unknown> = {}
    for (const [name, { type }] of this.#variables) {
      if (isNonNullType(type) ? this.#random.chance(0.03) : this.#random.chance(0.25)) continue
      Object.defineProperty(values, name, {
        value: this.#value(type, name, 2),
        enumerable: true,
        writable: true,
        configurable: true,
      })
    }
    return values
  }

  /** A value as JSON has it. */
  #value(type: GraphQLInputType, argument: string, depth: number): unknown {
    const random = this.#random
    const chosen = this.#taste.value?.(random, type, argument)
    if (chosen !== undefined) return chosen
    if (random.chance(this.#taste.wrong)) return random.pick(['wrong', -1, 1.5, true, null, {}, []])
    if (isNonNullType(type)) return this.#value(type.ofType, argument, depth)
    if (random.chance(0.1)) return null
    if (isListType(type)) {
      if (random.chance(0.2)) return this.#value(type.ofType, argument, depth)
      return Array.from({ length: random.below(3) }, () => this.#value(type.ofType, argument, depth - 1))
    }
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter((field) =>
        isNonNullType(field.type) && field.defaultValue === undefined ? true : depth > 0 && random.chance(0.4),
      )
      return Object.fromEntries(fields.map((field) => [field.name, this.#value(field.type, field.name, depth - 1)]))
    }
    return leafValue(random, type)
  }

  #pieces(
    texts: string | readonly string[],
    pieces: readonly Piece[] = [],
    fragments: string[] = [],
    between = ' ',
  ): Piece {
    const [first = '', ...rest] = typeof texts === 'string' ? [texts] : texts
    // With as many texts as places around the pieces, each text follows one; with two, they stand around all.
    const inner =
      rest.length === pieces.length
        ? pieces.map(({ text }, index) => `${text}${rest[index]}`).join('')
        : pieces.map(({ text }) => text).join(between) + (rest[0] ?? '')
    return {
      text: first + inner,
      variables: new Set(pieces.flatMap(({ variables }) => [...variables])),
      fragments: new Set([...fragments, ...pieces.flatMap((piece) => [...piece.fragments])]),
    }
  }
}

function objectInterfaces(type: GraphQLCompositeType): readonly GraphQLCompositeType[] {
  return 'getInterfaces' in type ? type.getInterfaces() : []
}

/** Names that mean something to JavaScript, or to whoever makes code of a document. */
const aliases = ['a', 'b', 'a_b', 'b_a', 'idx0', '__proto__', 'constructor', 'toString', 'then', 'x', 'y', 'z', 'w']

const texts = [
  '',
  'text',
  '1',
  'true',
  '"',
  'a\\n',
  '__MAGIC_NAN__57f286b9_4c20_487f_b409_79804ddcb4f8',
  '$' + '{1}',
  '`',
  '\u2028',
]
const numbers = [0, 1, -1, 2147483647, 2147483648, 1e21]

function leafValue(random: Random, type: GraphQLInputType): unknown {
  if (isEnumType(type)) return random.pick(type.getValues()).name
  switch (String(type)) {
    case 'Int':
      return random.pick(numbers.slice(0, 4))
    case 'Float':
      return random.pick([0.5, ...numbers])
    case 'Boolean':
      return random.chance(0.5)
    case 'String':
      return random.pick(texts)
    case 'ID':
      return random.chance(0.3) ? random.below(9) : random.pick(texts)
    default:
      return random.pick([1, 'text', true, { a: [1, null, { b: 'c' }], __typename: 'x' }, [], [[1], 'x']])
  }
}

function leafLiteral(random: Random, type: GraphQLInputType): string {
  return print(leafValue(random, type), type)
}

/** A value as a literal of GraphQL. */
function print(value: unknown, type: GraphQLInputType): string {
  const named = getNamedType(type)
  if (value === null || value === undefined) return 'null'
  if (Array.isArray(value))
    return `[${value.map((item) => print(item, isListType(type) ? type.ofType : named)).join(', ')}]`
  if (typeof value === 'object') {
    const fields = isInputObjectType(named) ? named.getFields() : {}
    const printed = Object.entries(value).map(([name, item]) => `${name}: ${print(item, fields[name]?.type ?? named)}`)
    return `{${printed.join(', ')}}`
  }
  return isEnumType(named) && typeof value === 'string' ? value : JSON.stringify(value)
}
