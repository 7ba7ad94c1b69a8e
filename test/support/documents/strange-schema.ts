import {
  buildSchema,
  GraphQLEnumType,
  GraphQLError,
  type GraphQLFieldResolver,
  GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  GraphQLScalarType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isListType,
  isNonNullType,
  print,
  responsePathAsArray,
} from 'graphql'
import { Random, seedOf } from '../random.ts'

/** What resolvers know: which answers they give, how often they fail, and who was called. */
export interface Strange {
  readonly seed: number
  /** How often something goes wrong, from 0 to 1. */
  readonly faults: number
  readonly calls: string[]
}

const bases = ['Int', 'Float', 'String', 'ID', 'Boolean', 'Color', 'Hue', 'Odd', 'A', 'B', 'C', 'Named', 'Aged', 'Any']
const wrappers = ['_', '_!', '[_]', '[_!]', '[_]!', '[_!]!', '[[_]]', '[[_!]!]!']
const wrapperNames = ['', 'Req', 's', 'ReqS', 'sReq', 'ReqSReq', 'Grid', 'ReqGrid']

const args = `(text: String = "x", n: Int! = 1, required: Boolean!, list: [[Int]], one: [ID!], deep: Deep, json: Json = [1], color: Color, hue: Hue! = BLUE)`

/** Fields of every type; those whose names begin with p have no resolver. */
function everyField(): string {
  const fields = bases.flatMap((base) =>
    wrappers.map((wrapper, index) => {
      const name = `${base.toLowerCase()}${wrapperNames[index]}`
      const type = wrapper.replace('_', base)
      return `r_${name}: ${type}\n p_${name}: ${type}`
    }),
  )
  return `${fields.join('\n')}\n echo${args}: String\n echoReq${args}: String!\n p_echo(n: Int! = 2, text: String): Json`
}

const text = `
  scalar Odd
  scalar Json
  enum Color { RED GREEN BLUE }
  enum Hue { RED BLUE }
  input Deep { text: String = "d", n: Int! = 3, list: [Int!], color: Color = RED, hue: Hue, deep: Deep, required: ID!, json: Json }
  interface Named { name: String p_name: String strict: String p_strict: String kin(first: Int = 2): [Named!] }
  interface Aged implements Named { name: String p_name: String strict: String p_strict: String kin(first: Int = 2): [Named!] age: Int }
  union Any = A | B | C
  type A implements Named { name: String p_name: String strict: String! p_strict: String! kin(first: Int = 3): [Named!] ${everyField()} }
  type B implements Named & Aged { name: String p_name: String strict: String p_strict: String kin(first: Int = 2, more: Int): [A!]! age: Int! ${everyField()} }
  type C { name: Int ${everyField()} }
  type Query { ${everyField()} }
  type Mutation { ${everyField()} }
  type Subscription { ${everyField()} }
`

/** A schema with every shape of types, whose resolvers answer everything that there is, right and wrong. */
export function strangeSchema(): GraphQLSchema {
  const schema = buildSchema(text)
  const hue = schema.getType('Hue') as GraphQLEnumType
  for (const value of hue.getValues()) value.value = value.name === 'RED' ? 'BLUE' : 7
  Object.assign(hue, new GraphQLEnumType(hue.toConfig()))
  const odd = schema.getType('Odd') as GraphQLScalarType
  odd.serialize = (value) => {
    if (value === 'throws') throw new GraphQLError('cannot be written', { extensions: { code: 'ODD' } })
    if (value === 'throws text') throw 'text'
    return value === 'nothing' ? null : value === 'undefined' ? undefined : { written: value }
  }
  for (const type of Object.values(schema.getTypeMap())) {
    if (!(type instanceof GraphQLObjectType) || type.name.startsWith('__')) {
      if (isAbstractType(type)) type.resolveType = resolveType
      continue
    }
    for (const field of Object.values(type.getFields())) {
      if (field.name.startsWith('p_')) continue
      field.resolve = field.name.startsWith('echo') ? echo : resolve
    }
  }
  const b = schema.getType('B') as GraphQLObjectType
  b.isTypeOf = (value, { seed, faults }: Strange, info) => {
    const random = new Random(
      seedOf(`${seed} isTypeOf ${responsePathAsArray(info.path).join()} ${(value as { key?: string }).key}`),
    )
    if (!random.chance(faults)) return random.chance(0.5) ? true : later(random, () => true)
    if (random.chance(0.3)) throw new Error('isTypeOf failed')
    return random.chance(0.5) ? false : later(random, () => false)
  }
  return schema
}

/** The root value of an operation. */
export function rootOf(context: Strange): unknown {
  return objectOf(context, 'root')
}

const resolve: GraphQLFieldResolver<unknown, Strange> = (source, _args, context, info) => {
  const place = responsePathAsArray(info.path).join('.')
  context.calls.push(place)
  // The source is part of it, so that an answer shows whose field was asked.
  const { key } = (source ?? {}) as { key?: string }
  return answerOf(context, `${key} ${place} ${info.parentType.name}.${info.fieldName}`, info.returnType)
}

/** Says what it was asked, and what it was told. */
const echo: GraphQLFieldResolver<unknown, Strange> = (_source, args, context, info) => {
  context.calls.push(responsePathAsArray(info.path).join('.'))
  const said = JSON.stringify([args, told(info)])
  const random = new Random(seedOf(said))
  return random.chance(0.3) ? later(random, () => said) : said
}

function told(info: GraphQLResolveInfo): unknown {
  const { fieldName, fieldNodes, returnType, parentType, path, operation, variableValues, fragments, rootValue } = info
  const typenames: unknown[] = []
  for (let at: typeof path | undefined = path; at !== undefined; at = at.prev) typenames.push(at.typename ?? null)
  return [
    [fieldName, fieldNodes.map(print), String(returnType), parentType.name],
    [responsePathAsArray(path), typenames, operation.name?.value, variableValues, Object.keys(fragments)],
    (rootValue as { key?: string }).key,
  ]
}

function resolveType(value: unknown, { seed, faults }: Strange, info: GraphQLResolveInfo): string | Promise<string> {
  const { key, type } = value as { key?: string; type?: string }
  const random = new Random(seedOf(`${seed} resolveType ${key} ${responsePathAsArray(info.path).join()}`))
  if (!random.chance(faults)) return random.chance(0.7) ? (type as string) : later(random, () => type as string)
  const wrong = random.pick([
    'Nobody',
    'C',
    'Query',
    'Named',
    'Int',
    undefined,
    null,
    7,
    info.schema.getType('A'),
  ]) as string
  if (random.chance(0.2)) throw new Error('resolveType failed')
  return random.chance(0.6) ? wrong : later(random, () => wrong)
}

/** A value for a type, or, as often as faults say, something else. */
function answerOf(context: Strange, key: string, type: GraphQLOutputType, isItem = false): unknown {
  const random = new Random(seedOf(`${context.seed} ${key}`))
  const value = () => rightOrWrong(context, random, key, type)
  if (random.chance(context.faults)) {
    if (!isItem && random.chance(0.3)) throw thrownBy(random, key)
    if (random.chance(0.4)) return failure(random, key)
    if (random.chance(0.4))
      return later(random, () => {
        throw thrownBy(random, key)
      })
    return random.pick([null, undefined, later(random, () => null)])
  }
  return random.chance(0.3) ? later(random, value) : value()
}

/** An error that is answered and not thrown. */
function failure(random: Random, key: string): Error {
  const error = thrownBy(random, key)
  return error instanceof Error ? error : new Error(`answered ${key}`)
}

function thrownBy(random: Random, key: string): unknown {
  return random.pick([
    new Error(`failed ${key}`),
    new GraphQLError(`refused ${key}`, { extensions: { code: 'REFUSED', more: [key] } }),
    Object.assign(new Error(`said ${key}`), { extensions: { code: 'SAID' } }),
    new GraphQLError('has a place', { path: ['elsewhere', 1] }),
    `text ${key}`,
    undefined,
    null,
    { message: 'no error' },
    new Error(''),
  ])
}

function rightOrWrong(context: Strange, random: Random, key: string, type: GraphQLOutputType): unknown {
  const inner = isNonNullType(type) ? type.ofType : type
  if (random.chance(context.faults / 2))
    return random.pick<unknown>(['wrong', 7, {}, [], Number.NaN, true, () => 'called', 1.5, Symbol.iterator])
  if (isListType(inner)) {
    const length = random.below(4)
    const items = Array.from({ length }, (_, index) => answerOf(context, `${key}[${index}]`, inner.ofType, true))
    return random.chance(0.2) ? new Set(items) : items
  }
  return namedValue(context, random, key, getNamedType(inner).name)
}

function namedValue(context: Strange, random: Random, key: string, type: string): unknown {
  switch (type) {
    case 'Int':
      return random.pick<unknown>(
        random.chance(context.faults) ? [3e9, '5', true, '', Number.NaN, new Date(3)] : [0, -0, 1, -1, 2147483647],
      )
    case 'Float':
      return random.pick<unknown>(
        random.chance(context.faults) ? [Number.NaN, Infinity, '2.5', true, 'x'] : [0.5, -0, 3e9],
      )
    case 'String':
    case 'ID':
      return random.pick<unknown>(
        random.chance(context.faults)
          ? [5, true, { toString: () => 'said' }, { toJSON: () => 'json' }, ['x'], 1e21]
          : [key, ''],
      )
    case 'Boolean':
      return random.pick<unknown>(random.chance(context.faults) ? [0, 1, 'true'] : [true, false])
    case 'Color':
      return random.chance(context.faults) ? random.pick(['PINK', 0, '']) : random.pick(['RED', 'GREEN', 'BLUE'])
    case 'Hue':
      return random.chance(context.faults) ? random.pick(['RED', 8]) : random.pick(['BLUE', 7])
    case 'Odd':
    case 'Json':
      return random.chance(context.faults)
        ? random.pick(['throws', 'throws text', 'nothing', 'undefined'])
        : random.pick<unknown>([1, 'text', { a: [null] }, new Date(0)])
    case 'A':
    case 'B':
    case 'C':
      return objectOf(context, key, type)
    case 'Named':
      return objectOf(context, key, random.pick(['A', 'B']))
    case 'Aged':
      return objectOf(context, key, random.chance(context.faults) ? 'A' : 'B')
    default:
      return objectOf(context, key, random.pick(['A', 'B', 'C']))
  }
}

/** An object whose properties are made when they are read, some by getters that throw and some by functions. */
function objectOf(context: Strange, key: string, type = 'Query'): unknown {
  return new Proxy({ key, type } as Record<string, unknown>, {
    get(target, name) {
      if (typeof name === 'symbol' || !name.startsWith('p_'))
        return name === 'then' ? undefined : target[name as string]
      const random = new Random(seedOf(`${context.seed} ${key} ${name}`))
      const value = () => answerOf(context, `${key}.${name}`, plainType(name))
      if (!random.chance(0.1)) return value()
      return (args: unknown, given: unknown, info: GraphQLResolveInfo) =>
        name === 'p_echo' || random.chance(0.5) ? JSON.stringify([args, given === context, told(info)]) : value()
    },
    has: (target, name) => name in target,
  })
}

let types: ReadonlyMap<string, GraphQLOutputType> | null = null

function plainType(name: string): GraphQLOutputType {
  types ??= new Map(
    Object.values((buildSchema(text).getType('B') as GraphQLObjectType).getFields()).map((field) => [
      field.name,
      field.type,
    ]),
  )
  return types.get(name) as GraphQLOutputType
}

let pending = 0

/** After none, one or a few turns of promises or of the event loop. */
function later<T>(random: Random, value: () => T): Promise<T> {
  const answer = (async () => {
    pending += 1
    for (let turns = random.below(4); turns > 0; turns--) await null
    if (random.chance(0.2)) await new Promise(setImmediate)
    pending -= 1
    return value()
  })()
  // An item of a list that failed is not looked at by anybody.
  answer.catch(() => {})
  return answer
}

/** When nothing is left that an execution may wait for: whatever has not answered then never will. */
export async function idle(): Promise<void> {
  for (let quiet = 0; quiet < 3; quiet = pending === 0 ? quiet + 1 : 0) await new Promise(setImmediate)
}
