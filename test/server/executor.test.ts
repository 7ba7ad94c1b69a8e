import {
  type ASTNode,
  type ExecutionResult,
  execute,
  GraphQLEnumType,
  GraphQLError,
  type GraphQLFieldConfig,
  GraphQLFloat,
  GraphQLInt,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  parse,
  print,
} from 'graphql'
import { expect, test } from 'vitest'
import { questions as benchQuestions, pageBefore, subscription } from '../../bench/documents.ts'
import { createSchema } from '../../src/graphql/schema.ts'
import { Executor } from '../../src/server/execution/executor.ts'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { asToldHere, byGraphql } from '../support/documents/by-graphql.ts'
import { serve } from '../support/server.ts'

const bed = useBed()

const append = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { message { seq content } } }`

async function fill(ada: Api, id: string) {
  for (const content of ['one', 'two', 'three']) await ada.append(id, content)
  const { conversation } = await ada.get('query ($id: ID!) { conversation(id: $id) { messages { nodes { id } } } }', {
    id,
  })
  return conversation.messages.nodes.map((node: { id: string }) => node.id) as string[]
}

type Question = [name: string, query: string, variables?: Record<string, unknown>]

const questions: Question[] = [
  [
    'aliases and fragments',
    `query { a: conversation(id: "same") { ...C } b: conversation(id: "same") { ...C title } }
    fragment C on Conversation { id lastSeq messages(first: 2) { edges { cursor node { seq content } } pageInfo { hasNextPage } } }`,
  ],
  [
    'variables that are left out, null, and their defaults',
    `query ($first: Int = 2, $after: String, $last: Int) {
    conversation(id: "same") { messages(first: $first, after: $after, last: $last) { nodes { seq } } } }`,
    { after: null },
  ],
  [
    'nodes of several types',
    `query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Message { seq conversation { id } } ... on Viewer { userId } } }`,
    { ids: ['usr_ada', 'same', 'msg_nothing'] },
  ],
  [
    'an error of a nullable field beside data',
    `{ viewer { id } conversation(id: "same") { message(seq: 1, clientId: "x") { seq } } node(id: "msg_x") { id } }`,
  ],
  [
    'an error of a field of a conversation',
    `{ viewer { id } conversation(id: "same") { lastSeq history(last: 100000) { seq } } }`,
  ],
  ['an error of one of two root fields', `{ viewer { id } conversations(first: 1000) { nodes { id } } }`],
  [
    'a refusal with extensions',
    append,
    { input: { conversationId: 'same', ifLastSeq: 99, message: { role: 'USER', content: 'x' } } },
  ],
  ['one value where a list is asked for', 'query ($id: ID!) { nodes(ids: $id) { id } }', { id: 'usr_ada' }],
  [
    'an input as a variable, with a null',
    `mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) { conversation { title } } }`,
    { input: { id: 'same', title: null } },
  ],
  [
    'a variable that is not declared to be needed',
    'query ($seq: Int) { conversation(id: "same") { message(seq: $seq) { content } } }',
  ],
  [
    'fields of an input that are left out, with their defaults',
    append,
    { input: { conversationId: 'same', message: { role: 'USER', content: 'x', clientId: 'defaults' } } },
  ],
  [
    'an argument whose variable is left out',
    'query ($last: Int) { conversation(id: "same") { history(last: $last, beforeSeq: 3) { seq } } }',
  ],
  [
    'an argument whose variable is null',
    'query ($last: Int) { conversation(id: "same") { history(last: $last, beforeSeq: 3) { seq } } }',
    { last: null },
  ],
  ['a number where an id is asked for', 'query ($id: ID!) { conversation(id: $id) { id } }', { id: 7 }],
  [
    'the name of the type everywhere',
    `{ __typename viewer { __typename } conversation(id: "same") { __typename messages { __typename } } }`,
  ],
  ['the schema itself', '{ viewer { id } __schema { types { name } } __type(name: "Message") { fields { name } } }'],
  [
    'a mutation whose first field fails goes on with the next one',
    `mutation { a: deleteMessage(input: { conversationId: "same", clientId: "none" }) { message { seq } }
    b: createConversation(input: { id: "made", ifExists: RETURN }) { conversation { id } } }`,
  ],
  [
    'several mutations, some of which fail, and what the next ones see',
    `mutation { a: updateConversation(input: { id: "same", title: "a" }) { conversation { title lastMessage { content } } }
    ...F ... { c: updateConversation(input: { id: "same", archived: false }) { conversation { title messages(first: 1000) { nodes { id } } } } }
    d: appendMessage(input: { conversationId: "same", ifLastSeq: 99, message: { role: USER, content: "x" } }) { replayed } }
    fragment F on Mutation { b: updateConversation(input: { id: "same", title: "b" }) { conversation { title history(last: 0) { seq } } } }`,
  ],
  [
    'a variable within JSON',
    `mutation ($text: String) { updateConversation(input: { id: "same", metadata: { a: [1, { text: $text }] } }) { conversation { metadata } } }`,
    { text: 'x' },
  ],
  ['one variable within a list', 'query ($id: ID!) { nodes(ids: [$id, "usr_ada"]) { id } }', { id: 'same' }],
  [
    'variables within an input, one of them left out',
    `mutation ($id: ID!, $title: String, $archived: Boolean) { updateConversation(input: { id: $id, title: $title, archived: $archived }) {
      conversation { title archivedAt } } }`,
    { id: 'same', title: 'Same' },
  ],
  [
    'introspection',
    `{ viewer { id } __type(name: "Message") { name fields { name type { kind name ofType { name } } } } __schema { queryType { name } } }`,
  ],
]

/** Those whose fields depend on @skip or @include. */
const conditionalQuestions: Question[] = [
  [
    'a fragment that is left out in one place and not in the other',
    `query { conversation(id: "same") { lastMessage { seq ...M @include(if: false) } messages(first: 1) { nodes { seq ...M } } } }
    fragment M on Message { role content }`,
  ],
  [
    'a fragment that is skipped in the second place',
    `query { conversation(id: "same") { lastMessage { seq ...M } messages(first: 1) { nodes { seq ...M @skip(if: true) } } } }
    fragment M on Message { role content }`,
  ],
  [
    'a condition above a fragment, by a default',
    `query ($yes: Boolean = true, $no: Boolean = false) { conversation(id: "same") {
      lastMessage @include(if: $yes) { ...M ... @include(if: $no) { ...C } } messages(first: 1) { nodes { ...M ...C } } } }
    fragment M on Message { role content } fragment C on Message { clientId conversation { id } }`,
  ],
  [
    'a condition in a fragment',
    `query ($yes: Boolean!) { conversation(id: "same") { lastMessage { ...M } messages(first: 1) { nodes { seq content ...M } } } }
    fragment M on Message { role content @skip(if: $yes) name @include(if: $yes) @skip(if: false) }`,
    { yes: true },
  ],
  [
    'a condition on an inline fragment and on the same field beside it',
    `query ($yes: Boolean!) { a: conversation(id: "same") { ... @skip(if: $yes) { title lastSeq } lastSeq } b: conversation(id: "same") {
      title @include(if: $yes) ... on Conversation @include(if: $yes) { id } } }`,
    { yes: true },
  ],
  [
    '@skip and @include by variables',
    `query ($yes: Boolean!, $no: Boolean!) { conversation(id: "same") { id @include(if: $yes)
    title @skip(if: $yes) lastSeq @include(if: $no) messages(first: 1) @skip(if: $no) { nodes { seq } } } }`,
    { yes: true, no: false },
  ],
]

/** GraphQL refuses their variables or arguments: no resolver is called. */
const refusedQuestions: Question[] = [
  [
    'a variable within JSON that is no text to be stored',
    `mutation ($text: String) { updateConversation(input: { id: "same", metadata: { a: [1, { text: $text }] } }) { conversation { metadata } } }`,
    { text: '\u0000' },
  ],
  ['a variable that is missing', `query ($id: ID!) { conversation(id: $id) { id } }`],
  [
    'a variable of another type',
    `query ($first: Int) { conversations(first: $first) { nodes { id } } }`,
    { first: 'many' },
  ],
  [
    'a field of an input that there is not',
    append,
    { input: { conversationId: 'same', message: { role: 'USER', content: 'x', nonsense: 1 } } },
  ],
  [
    'an enum value that there is not',
    append,
    { input: { conversationId: 'same', message: { role: 'NOBODY', content: 'x' } } },
  ],
  [
    'a null within a list that may have none',
    'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
    { ids: ['usr_ada', null] },
  ],
  [
    'a number that is too large',
    'query ($first: Int) { conversations(first: $first) { nodes { id } } }',
    { first: 3000000000 },
  ],
  [
    'a number where a text is asked for',
    append,
    { input: { conversationId: 'same', message: { role: 'USER', content: 1 } } },
  ],
]

/**
 * Who executes a document; nobody where it is refused before. GraphQL collects the fields
 * of a document anew for each execution, and a compiled document does not.
 */
async function executedBy(query: string, variables?: Record<string, unknown>): Promise<string[]> {
  const schema = createSchema()
  const seen: unknown[] = []
  const called: string[] = []
  for (const type of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]) {
    for (const field of Object.values(type?.getFields() ?? {})) {
      field.resolve = (_source, _args, _context, { fieldNodes }) => {
        called.push(seen.includes(fieldNodes) ? 'compiled' : 'GraphQL')
        seen.push(fieldNodes)
        throw new Error('nothing is asked further')
      }
    }
  }
  const executor = new Executor(schema)
  const execution = { document: parse(query), rootValue: {}, variableValues: variables ?? null }
  await executor.execute(execution)
  called.length = 0
  await executor.execute(execution)
  return [...new Set(called)]
}

const all: [questions: Question[], executor: string[]][] = [
  [questions, ['compiled']],
  [conditionalQuestions, ['compiled']],
  [refusedQuestions, []],
]

for (const [asked, executor] of all) {
  for (const [name, query, variables] of asked) {
    test(`a document is answered as by GraphQL itself: ${name}`, async () => {
      expect(await executedBy(query, variables)).toEqual(executor)
      await fill(bed.server.as(), 'same')
      const compiled = await bed.server.as().ask(query, variables)
      expect(compiled).toEqual(asToldHere(await byGraphql(() => bed.server.as().ask(query, variables))))
      // What was answered first may not be what is answered from then on.
      expect(await bed.server.as().ask(query, variables)).toEqual(compiled)
    })
  }
}

for (const [name, query, variables] of conditionalQuestions) {
  test(`@skip and @include hold however often a document comes: ${name}`, async () => {
    await using server = await serve(bed.database.url)
    await fill(server.as(), 'same')
    const answer = await byGraphql(() => server.as().get(query, variables))
    for (let time = 1; time <= 5; time++)
      expect(await server.as().get(query, variables), `time ${time}`).toEqual(answer)
  })
}

test('a condition of one operation holds for no other one that spreads the same fragment', async () => {
  await using server = await serve(bed.database.url)
  await fill(server.as(), 'shared')
  const query = `query A { conversation(id: "shared") { lastMessage { ...M @include(if: false) } } }
    query B { conversation(id: "shared") { lastMessage { ...M } } } fragment M on Message { content }`
  const ask = async (operationName: string) => (await server.as().post(JSON.stringify({ query, operationName }))).json()
  for (let time = 1; time <= 5; time++) {
    expect(await ask('A'), `A, time ${time}`).toEqual({ data: { conversation: { lastMessage: {} } } })
    expect(await ask('B'), `B, time ${time}`).toEqual({ data: { conversation: { lastMessage: { content: 'three' } } } })
  }
})

const subscriptions: [name: string, query: string, variables: Record<string, unknown>][] = [
  [
    'without conditions',
    `subscription { conversationEvents(conversationId: "events", after: "") { __typename cursor
      ... on MessageAppended { edge { node { ...M conversation { lastMessage { ...M } } } } } } }
    fragment M on Message { seq content title: name }`,
    {},
  ],
  [
    'with a condition',
    `subscription { conversationEvents(conversationId: "events", after: "") { __typename cursor
      ... on MessageAppended { edge { node { seq ...M @skip(if: true) conversation { lastMessage { ...M } } } } } } }
    fragment M on Message { content title: name }`,
    {},
  ],
  [
    'with a condition by a variable',
    `subscription ($skip: Boolean!) { conversationEvents(conversationId: "events", after: "") { __typename cursor
      ... on MessageAppended { edge { node { seq content title: name @skip(if: $skip) } } } } }`,
    { skip: true },
  ],
]

test.each(subscriptions)('events are the same on every server: a document %s', async (_name, query, variables) => {
  expect(await executedBy(query, variables)).toEqual(['compiled'])
  await using server = await serve(bed.database.url)
  const ada = bed.server.as()
  for (let round = 0; round < 2; round++) await fill(ada, 'events')
  const told = async (api: Api) => {
    await using feed = api.subscribe(query, variables)
    return await feed.take(6)
  }
  const right = await byGraphql(() => told(ada))
  expect(await Promise.all([told(ada), told(server.as())])).toEqual([right, right])
})

test('what a variable within an input leaves out stays as it is', async () => {
  const ada = bed.server.as()
  await ada.append('archived', 'x')
  const update = `mutation ($title: String, $archived: Boolean) { updateConversation(input: { id: "archived", title: $title, archived: $archived }) {
    conversation { title archivedAt } } }`
  await ada.get(update, { archived: true })
  const { updateConversation } = await ada.get(update, { title: 'Still' })
  expect(updateConversation.conversation).toEqual({ title: 'Still', archivedAt: expect.any(String) })
})

test('each operation of a document is compiled for itself', async () => {
  const ada = bed.server.as()
  const query = 'query A { viewer { userId } } query B { viewer { id } }'
  const ask = async (operationName: string) => (await ada.post(JSON.stringify({ query, operationName }))).json()
  for (let round = 0; round < 2; round++) {
    expect(await ask('A')).toEqual({ data: { viewer: { userId: 'ada' } } })
    expect(await ask('B')).toEqual({ data: { viewer: { id: 'usr_ada' } } })
  }
})

test('documents that servers and clients send all the time are compiled', async () => {
  for (const { body } of [...Object.values(benchQuestions), pageBefore]) {
    const { query, variables } = JSON.parse(body)
    expect(await executedBy(query, variables), query).toEqual(['compiled'])
  }
  expect(await executedBy(JSON.parse(subscription).query, { id: 'x' })).toEqual(['compiled'])
})

test('no text of a document is run as code', async () => {
  // What graphql-jit, which was used before, took for a mark of its own.
  const mark = '__MAGIC_DATE__33a9e76d_02e0_4128_8e92_3530ad3da74d'
  const id = `${mark}globalThis.owned = true`
  expect(await bed.server.as().get(`{ conversation(id: "${id}") { id } nodes(ids: ["${id}"]) { id } }`)).toEqual({
    conversation: null,
    nodes: [null],
  })
  expect('owned' in globalThis).toBe(false)
})

const unreadable = {
  get name(): string {
    throw new Error('cannot be read')
  },
}
const named = new GraphQLObjectType({ name: 'Named', fields: { name: { type: new GraphQLNonNull(GraphQLString) } } })
const outer = new GraphQLObjectType({ name: 'Outer', fields: { one: { type: named, resolve: () => unreadable } } })
const faults: [name: string, query: string, field: GraphQLFieldConfig<unknown, unknown>][] = [
  ['at once', '{ fault { name } sound { name } }', { type: named, resolve: () => unreadable }],
  ['later', '{ fault { name } sound { name } }', { type: named, resolve: async () => unreadable }],
  [
    'within a list',
    '{ fault { name } sound { name } }',
    { type: new GraphQLList(new GraphQLNonNull(named)), resolve: async () => [{ name: 'a' }, unreadable] },
  ],
  ['beneath another', '{ fault { one { name } } sound { name } }', { type: outer, resolve: async () => ({}) }],
]

for (const [name, query, fault] of faults) {
  test(`what throws when it is read fails its field, and nobody waits for it: ${name}`, async () => {
    const sound = { type: named, resolve: async () => ({ name: 'b' }) }
    const schema = new GraphQLSchema({ query: new GraphQLObjectType({ name: 'Query', fields: { fault, sound } }) })
    const execution = { document: parse(query), rootValue: {} }
    const compiled = await new Executor(schema).execute(execution)
    expect(compiled.errors?.map(({ message }) => message)).toEqual(['cannot be read'])
    expect(textOf(compiled)).toBe(textOf(await execute({ schema, ...execution })))
  })
}

const text = { type: GraphQLString }
const required = { type: new GraphQLNonNull(GraphQLString) }
const small = new GraphQLObjectType({ name: 'Small', fields: { name: text, own: required } })
const hues = new GraphQLEnumType({ name: 'Hue', values: { RED: { value: 1 }, BLUE: { value: 'RED' } } })
const odd = new GraphQLScalarType({
  name: 'Odd',
  serialize: (value) => {
    if (value === 'wrong') throw new GraphQLError('cannot be written', { extensions: { code: 'ODD' } })
    return value === 'nothing' ? null : value
  },
})
const one = new GraphQLInterfaceType({ name: 'One', fields: { name: text } })
const first = new GraphQLObjectType({ name: 'First', interfaces: [one], fields: { name: required } })

/** Each kind of difference that was found between GraphQL and compiled documents, by graphql-jit or by ourselves. */
const differences: [name: string, query: string, field: GraphQLFieldConfig<unknown, unknown>][] = [
  [
    'an answer under the name __proto__',
    '{ f { __proto__: name constructor: own } }',
    {
      type: small,
      resolve: () => ({ name: 'a', own: 'b' }),
    },
  ],
  [
    'a path that looks like an alias',
    '{ f { name: own } f_name: f { own } name_f: f { name } }',
    {
      type: small,
      resolve: (_source, _args, _context, { path, fieldNodes }) => ({
        name: print(fieldNodes[0] as ASTNode),
        own: path.key,
      }),
    },
  ],
  [
    'a promise among the items of a list that fails',
    '{ f }',
    {
      type: new GraphQLList(GraphQLString),
      resolve: () => [Promise.reject(new Error('first')), 'second', Promise.resolve('third')],
    },
  ],
  [
    'a promise as a property',
    '{ f { name own } }',
    {
      type: small,
      resolve: () => ({ name: Promise.resolve('a'), own: Promise.reject(new Error('later')) }),
    },
  ],
  [
    'a function as a property',
    '{ f { name own } }',
    { type: small, resolve: () => ({ name: () => 'a', own: () => null }) },
  ],
  [
    'a required field that is selected twice and is null',
    '{ f { own } f { own } }',
    { type: small, resolve: () => ({}) },
  ],
  [
    'two required fields that fail',
    '{ f { own again: own name } }',
    { type: small, resolve: () => ({ name: new Error('x') }) },
  ],
  ['a text that is thrown', '{ f }', { ...text, resolve: () => Promise.reject('thrown') }],
  ['nothing that is thrown', '{ f }', { ...text, resolve: () => Promise.reject(undefined) }],
  [
    'an error with a place of its own',
    '{ f }',
    {
      ...text,
      resolve: () => {
        throw new GraphQLError('elsewhere', { path: ['there', 1] })
      },
    },
  ],
  ['a value that is no value of its type', '{ f }', { type: GraphQLInt, resolve: () => 2 ** 40 }],
  ['no number', '{ f }', { type: GraphQLFloat, resolve: () => Number.NaN }],
  ['a number where a text is answered', '{ f }', { ...text, resolve: () => 5 }],
  [
    'values of an enum that have other names',
    '{ f }',
    { type: new GraphQLList(hues), resolve: () => [1, 'RED', 'BLUE'] },
  ],
  ['a scalar that cannot be written', '{ f }', { type: odd, resolve: () => 'wrong' }],
  ['a scalar that is written as null', '{ f }', { type: new GraphQLNonNull(odd), resolve: () => 'nothing' }],
  [
    'a type that is found later',
    '{ f { name } }',
    { type: one, resolve: () => ({ name: 'a', type: Promise.resolve('First') }) },
  ],
  ['a type that there is not', '{ f { name } }', { type: one, resolve: () => ({ name: 'a', type: 'Second' }) }],
  [
    'a field that is required of one type and not of another',
    '{ f { name } }',
    { type: one, resolve: () => ({ type: 'First' }) },
  ],
  ['no list', '{ f }', { type: new GraphQLList(GraphQLString), resolve: () => 'text' }],
  ['a set as a list', '{ f }', { type: new GraphQLList(GraphQLString), resolve: () => new Set(['a', 'b']) }],
  [
    'a literal with a variable in it',
    'query ($n: Int) { f(odd: { a: [$n, { __proto__: 1 }] }) }',
    {
      ...text,
      args: { odd: { type: odd } },
      resolve: (_source, args) => JSON.stringify(args),
    },
  ],
]

for (const [name, query, f] of differences) {
  test(`a compiled document answers what GraphQL answers: ${name}`, async () => {
    one.resolveType = (value) => (value as { type: string }).type
    const sound = { type: named, resolve: async () => ({ name: 'b' }) }
    const schema = new GraphQLSchema({
      query: new GraphQLObjectType({ name: 'Query', fields: { f, sound } }),
      types: [first],
    })
    const document = parse(query)
    const executor = new Executor(schema)
    const right = textOf(await execute({ schema, document, variableValues: { n: 1 } }))
    for (let time = 1; time <= 2; time++) {
      expect(textOf(await executor.execute({ document, variableValues: { n: 1 } })), `time ${time}`).toBe(right)
    }
  })
}

function textOf({ data, errors }: ExecutionResult): string {
  return JSON.stringify({ data, errors })
}
