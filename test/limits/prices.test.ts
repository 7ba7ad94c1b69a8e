import {
  type DocumentNode,
  defaultFieldResolver,
  type GraphQLOutputType,
  getIntrospectionQuery,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  OperationTypeNode,
  parse,
  validate,
} from 'graphql'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { createSchema } from '../../src/graphql/schema.ts'
import { Executor } from '../../src/server/execution/executor.ts'
import { createPrices } from '../../src/server/execution/prices.ts'
import { readDocumented } from '../support/documents/documented.ts'

const schema = createSchema()
const { limits } = readConfig({})
const prices = createPrices(limits)
const executor = new Executor(schema, prices)

function price(source: string | DocumentNode, variables?: Record<string, unknown>, operationName?: string): number {
  const document = typeof source === 'string' ? parse(source) : source
  expect(validate(schema, document)).toEqual([])
  return executor.price(document, operationName, variables)
}

function isList(type: GraphQLOutputType): boolean {
  return isListType(isNonNullType(type) ? type.ofType : type)
}

describe('the table of prices', () => {
  const fields = Object.values(schema.getTypeMap())
    .filter(isObjectType)
    .flatMap((type) => Object.values(type.getFields()).map((field) => ({ at: `${type.name}.${field.name}`, field })))

  test('has every list, and every field that has arguments or a resolver of its own', () => {
    const missing = fields.filter(({ at, field }) => {
      if (at in prices) return false
      const isOwn = field.resolve !== undefined && field.resolve !== defaultFieldResolver
      return isList(field.type) || (!at.startsWith('__') && (field.args.length > 0 || isOwn))
    })
    expect(missing.map(({ at }) => at)).toEqual([])
  })

  test('has no field that the schema does not have, and no list without its length', () => {
    const known = new Map(fields.map(({ at, field }) => [at, field]))
    for (const [at, { items }] of Object.entries(prices)) {
      const field = known.get(at)
      expect([at, field !== undefined]).toEqual([at, true])
      expect([at, items !== undefined]).toEqual([at, field !== undefined && isList(field.type)])
    }
  })

  test('names arguments as the schema does', () => {
    for (const { at, field } of fields) {
      const { own = 0, items = 0, gives = {} } = prices[at] ?? {}
      for (const amount of [own, items, ...Object.values(gives)]) {
        if (typeof amount === 'number' || 'around' in amount) continue
        const names = amount.of.map((path) => path.split('.')[0] as string)
        const known = new Set(field.args.map(({ name }) => name))
        expect([at, names.filter((name) => !known.has(name))]).toEqual([at, []])
      }
    }
  })
})

describe('the price of an operation', () => {
  const inConversation = (fields: string, variables = '') => `query${variables} { conversation(id: "c") { ${fields} } }`

  // 10 for the operation, 1 for the conversation, and a fiftieth for each field; the sum is rounded up.
  test.each([
    ['nothing that is read', '{ viewer { id } }', 11],
    ['an object', '{ conversation(id: "c") { id } }', 12],
    ['a page of the usual size', inConversation('messages { nodes { seq } }'), 12 + 52],
    ['a page of a size', inConversation('messages(first: 20) { nodes { seq } }'), 12 + 21],
    ['a page from the end', inConversation('messages(last: 100) { nodes { seq } }'), 12 + 103],
    [
      'both sizes, at the larger one',
      inConversation('messages(first: 5, last: 30, after: "x") { nodes { seq } }'),
      12 + 31,
    ],
    [
      'a page that shows only where it ends',
      inConversation('messages(first: 20) { pageInfo { hasNextPage } }'),
      12 + 21,
    ],
    [
      'a size that is refused, at the largest one',
      inConversation('messages(first: 1000000) { nodes { seq } }'),
      12 + 103,
    ],
    ['a size below zero, as none', inConversation('messages(first: -1000000) { nodes { seq } }'), 12 + 1],
    ['a page in two ways', inConversation('messages(first: 50) { nodes { seq } edges { node { seq } } }'), 12 + 54],
    ['a page of a branch', inConversation('messages(first: 20, branch: "x") { nodes { seq } }'), 12 + 31],
    ['a history', inConversation('history(last: 1000) { seq }'), 11 + 1022],
    ['a window', inConversation('context(maxTokens: 128000) { messages }'), 12 + 10 + 128],
    [
      'a fork up to a message',
      'mutation { forkConversation(input: { id: "c", upToSeq: 40 }) { conversation { id } } }',
      61,
    ],
    ['a fork', 'mutation { forkConversation(input: { id: "c" }) { conversation { id } } }', 10_021],
    ['objects by their ids', '{ nodes(ids: ["a", "b", "c"]) { id } }', 14],
    ['one id in place of a list', '{ nodes(ids: "a") { id } }', 12],
  ])('is that of %s', (_what, source, expected) => {
    expect(price(source)).toBe(expected)
  })

  test('multiplies the sizes along a path, also through a cycle', () => {
    const level = (inner: string) => `messages(first: 100) { nodes { ${inner} } }`
    expect(price(inConversation(level('seq')))).toBe(115)
    expect(price(inConversation(level(`conversation { ${level('seq')} }`)))).toBe(10_419)
    const three = level(`conversation { ${level(`conversation { ${level('seq')} }`)} }`)
    expect(price(inConversation(three))).toBeGreaterThan(1_000_000)
  })

  test('counts each alias, and each alias beneath it', () => {
    const alias = (n: number, fields: string) => `a${n}: messages(first: 10) { ${fields} }`
    const one = price(inConversation(alias(1, 'nodes { seq }')))
    const two = price(inConversation(`${alias(1, 'nodes { seq }')} ${alias(2, 'a: nodes { seq } b: nodes { seq }')}`))
    expect([one, two]).toEqual([23, 34])
    const seven = inConversation(Array.from({ length: 7 }, (_, n) => `a${n}: lastMessage { seq }`).join(' '))
    expect(price(seven)).toBe(19)
  })

  test('counts once what GraphQL merges into one field, with all that is selected of it', () => {
    const source = `{ conversation(id: "c") { ...A ...B messages(first: 10) { nodes { siblings { index } } } } }
      fragment A on Conversation { messages(first: 10) { nodes { seq } } }
      fragment B on Conversation { ... on Conversation { messages(first: 10) { nodes { siblings { count } } } } }`
    const whole = inConversation('messages(first: 10) { nodes { seq siblings { index count } } }')
    expect(price(source)).toBe(price(whole))
    expect(price(whole)).toBe(43)
  })

  test('counts a fragment as often as it is spread', () => {
    const source = `{ a: conversation(id: "a") { ...A } b: conversation(id: "b") { ...A } }
      fragment A on Conversation { messages(first: 100) { nodes { seq } } }`
    expect(price(source)).toBe(2 * 105 + 11 - 2)
  })

  test('is that of the dearest type where an object may be of several', () => {
    const source = (fields: string) => `{ node(id: "x") { id ${fields} } }`
    expect(price(source(''))).toBe(12)
    expect(price(source('... on Message { seq conversation { id } }'))).toBe(12)
    expect(price(source('... on Message { seq } ... on Conversation { history(last: 10) { seq } }'))).toBe(23)
    expect(price(source('... on Node { ... on Conversation { history(last: 10) { seq } } }'))).toBe(23)
    const history = 'history(last: 10) { seq }'
    expect(price(source(`... on Conversation { ${history} } ... on Message { conversation { ${history} } }`))).toBe(23)
  })

  test('is a function of the variables', () => {
    const source = inConversation('messages(first: $n) { nodes { seq } }', '($n: Int)')
    expect(price(source, { n: 20 })).toBe(33)
    expect(price(source, { n: 100 })).toBe(115)
    expect(price(source, { n: 0 })).toBe(13)
    expect([price(source), price(source, {}), price(source, { n: null })]).toEqual([64, 64, 64])
    expect(price(source, { n: 1e12 })).toBe(115)
    expect(price(source, { n: -5 })).toBe(13)
    expect(price(source, { n: 'many' })).toBe(64)
    const withDefault = inConversation('messages(first: $n) { nodes { seq } }', '($n: Int = 10)')
    expect([price(withDefault), price(withDefault, { n: 20 })]).toEqual([23, 33])
    // null is given, and says no size.
    expect(price(withDefault, { n: null })).toBe(64)
    expect(price('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: ['a', 'b'] })).toBe(13)
    expect(price('query ($id: ID!) { nodes(ids: [$id, "b", "c"]) { id } }', { id: 'a' })).toBe(14)
    // A variable that is missing may have the name of what every object has.
    expect(price('query ($toString: [ID!]!) { nodes(ids: $toString) { id } }', {})).toBe(113)
    const changes = 'query ($n: Int) { changes(conversationId: "c", first: $n) { cursor } }'
    expect([price(changes, { n: -1000 }), price(changes, { n: 0 }), price(changes, { n: 1 })]).toEqual([12, 12, 13])
  })

  test('is a function of the variables in an input', () => {
    const fork = (input: string, type: string) =>
      `mutation ($v: ${type}) { forkConversation(input: ${input}) { conversation { id } } }`
    expect(price(fork('$v', 'ForkConversationInput!'), { v: { id: 'c', upToSeq: 40 } })).toBe(61)
    expect(price(fork('$v', 'ForkConversationInput!'), { v: { id: 'c' } })).toBe(10_021)
    expect(price(fork('{ id: "c", upToSeq: $v }', 'Int'), { v: 40 })).toBe(61)
    expect(price(fork('{ id: "c", upToSeq: $v }', 'Int'))).toBe(10_021)
    // A variable may have the name of what every object has.
    const named = fork('$v', 'ForkConversationInput!').replaceAll('$v', '$toString')
    expect(price(named, {})).toBe(10_021)
  })

  test('counts a field under a condition unless the condition leaves it out', () => {
    const source = inConversation('history(last: 100) @include(if: $yes) { seq }', '($yes: Boolean!)')
    expect([price(source, { yes: true }), price(source, { yes: false })]).toEqual([115, 12])
    const fragment = inConversation('... @skip(if: $no) { history(last: 100) { seq } }', '($no: Boolean = true)')
    expect([price(fragment, { no: false }), price(fragment, { no: true }), price(fragment)]).toEqual([115, 12, 12])
    expect(price(inConversation('history(last: 100) @skip(if: true) { seq }'))).toBe(12)
    const twice = inConversation(
      'history(last: 100) @include(if: $yes) { seq } ... { history(last: 100) { seq } }',
      '($yes: Boolean!)',
    )
    expect(price(twice, { yes: false })).toBe(115)
  })

  test('of an append counts its messages, and older versions only of those that may have some', () => {
    const append = `mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) {
      messageEdges { node { seq } } changedSiblings { id siblings { index count ids } } } }`
    const messages = (count: number, more = {}) =>
      Array.from({ length: count }, () => ({ role: 'USER', content: 'x', ...more }))
    const of = (list: unknown) => price(append, { input: { conversationId: 'c', messages: list } })
    const [one, all] = [of(messages(1)), of(messages(100))]
    expect(all - one).toBe(103)
    expect(of(messages(100, { parentId: 'x' }))).toBeGreaterThan(30_000)
    expect(of(messages(100, { parentClientId: 'x' }))).toBe(of(messages(100, { parentId: 'x' })))
    expect(of(messages(1000))).toBe(all)
    expect(of({ role: 'USER' })).toBe(one)
  })

  test('of an introspection is small, and multiplies its lists', () => {
    const standard = price(getIntrospectionQuery())
    expect(standard).toBeGreaterThan(100)
    expect(standard).toBeLessThan(limits.cost / 4)
    expect(price('{ __schema { types { name fields { name } } } }')).toBeGreaterThan(
      price('{ __schema { types { name } } }') + 10,
    )
  })

  test('belongs to the operation that is named', () => {
    const both = 'query A { viewer { id } } query B { conversation(id: "c") { history(last: 100) { seq } } }'
    expect([price(both, {}, 'A'), price(both, {}, 'B')]).toEqual([11, 115])
  })
})

test('everything that is documented may be asked at the defaults, with the largest sizes', async () => {
  const documented = await readDocumented(schema)
  expect(new Set(documented.map(({ place }) => place.split(' ')[0])).size).toBeGreaterThan(10)
  const over: string[] = []
  for (const { place, document } of documented) {
    for (const definition of document.definitions) {
      if (definition.kind !== Kind.OPERATION_DEFINITION) continue
      const variables = Object.fromEntries(
        (definition.variableDefinitions ?? []).map(({ variable: { name } }) => [
          name.value,
          /tokens/i.test(name.value) ? 200_000 : 1_000,
        ]),
      )
      const cost = executor.price(document, definition.name?.value, variables)
      const most = definition.operation === OperationTypeNode.MUTATION ? limits.cost : limits.cost / 2
      if (cost > most) over.push(`${place} ${cost}`)
    }
  }
  expect(over).toEqual([])
})
