import {
  execute,
  type GraphQLFieldConfig,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLSchema,
  GraphQLString,
  parse,
} from 'graphql'
import { expect, test } from 'vitest'
import { createSchema } from '../../src/graphql/schema.ts'
import { Executor } from '../../src/server/operation/executor.ts'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { serve } from '../support/server.ts'

// The server of all tests compiles every document at once; another one, on the same database, never does.
const bed = useBed({ COMPILE_AFTER: '0' })
const never = { COMPILE_AFTER: '1000000' }

const append = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { message { seq content } } }`

async function fill(ada: Api, id: string) {
  for (const content of ['one', 'two', 'three']) await ada.append(id, content)
  const { conversation } = await ada.get('query ($id: ID!) { conversation(id: $id) { messages { nodes { id } } } }', {
    id,
  })
  return conversation.messages.nodes.map((node: { id: string }) => node.id) as string[]
}

type Question = [name: string, query: string, variables?: Record<string, unknown>]

const compiledQuestions: Question[] = [
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
]

const interpretedQuestions: Question[] = [
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

/** Who calls the resolvers of a document that is to be compiled at once; nobody where it is refused before. */
async function executedBy(query: string, variables?: Record<string, unknown>): Promise<string[]> {
  const schema = createSchema()
  const called = new Set<string>()
  for (const type of [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]) {
    for (const field of Object.values(type?.getFields() ?? {})) {
      field.resolve = (_source, _args, _context, info) => {
        // Compiled documents have a schema of their own.
        called.add(info.schema === schema ? 'GraphQL' : 'compiled')
        return null
      }
    }
  }
  await new Executor(schema, 0).execute({ document: parse(query), rootValue: {}, variableValues: variables ?? null })
  return [...called]
}

const all: [questions: Question[], executor: string[]][] = [
  [compiledQuestions, ['compiled']],
  [interpretedQuestions, ['GraphQL']],
  [conditionalQuestions, ['GraphQL']],
  [refusedQuestions, []],
]

for (const [questions, executor] of all) {
  for (const [name, query, variables] of questions) {
    test(`a server that compiles at once answers as one that never does: ${name}`, async () => {
      expect(await executedBy(query, variables)).toEqual(executor)
      await using plain = await serve(bed.database.url, never)
      await fill(bed.server.as(), 'same')
      const compiled = await bed.server.as().ask(query, variables)
      expect(compiled).toEqual(await plain.as().ask(query, variables))
      // What was answered first may not be what is answered from then on.
      expect(await bed.server.as().ask(query, variables)).toEqual(compiled)
    })
  }
}

const often = { COMPILE_AFTER: '2' }

for (const [name, query, variables] of conditionalQuestions) {
  test(`@skip and @include hold however often a document comes: ${name}`, async () => {
    await using server = await serve(bed.database.url, often)
    await using plain = await serve(bed.database.url, never)
    await fill(bed.server.as(), 'same')
    const answer = await plain.as().get(query, variables)
    for (let time = 1; time <= 5; time++)
      expect(await server.as().get(query, variables), `time ${time}`).toEqual(answer)
  })
}

test('a condition of one operation holds for no other one that spreads the same fragment', async () => {
  await using server = await serve(bed.database.url, often)
  await fill(bed.server.as(), 'shared')
  const query = `query A { conversation(id: "shared") { lastMessage { ...M @include(if: false) } } }
    query B { conversation(id: "shared") { lastMessage { ...M } } } fragment M on Message { content }`
  const ask = async (operationName: string) => (await server.as().post(JSON.stringify({ query, operationName }))).json()
  for (let time = 1; time <= 5; time++) {
    expect(await ask('A'), `A, time ${time}`).toEqual({ data: { conversation: { lastMessage: {} } } })
    expect(await ask('B'), `B, time ${time}`).toEqual({ data: { conversation: { lastMessage: { content: 'three' } } } })
  }
})

const subscriptions: [name: string, query: string, variables: Record<string, unknown>, executor: string[]][] = [
  [
    'compiled',
    `subscription { conversationEvents(conversationId: "events", after: "") { __typename cursor
      ... on MessageAppended { edge { node { ...M conversation { lastMessage { ...M } } } } } } }
    fragment M on Message { seq content title: name }`,
    {},
    ['compiled'],
  ],
  [
    'with a condition',
    `subscription { conversationEvents(conversationId: "events", after: "") { __typename cursor
      ... on MessageAppended { edge { node { seq ...M @skip(if: true) conversation { lastMessage { ...M } } } } } } }
    fragment M on Message { content title: name }`,
    {},
    ['GraphQL'],
  ],
  [
    'with a condition by a variable',
    `subscription ($skip: Boolean!) { conversationEvents(conversationId: "events", after: "") { __typename cursor
      ... on MessageAppended { edge { node { seq content title: name @skip(if: $skip) } } } } }`,
    { skip: true },
    ['GraphQL'],
  ],
]

test.each(subscriptions)(
  'events are the same on every server: a document %s',
  async (_name, query, variables, executor) => {
    expect(await executedBy(query, variables)).toEqual(executor)
    await using server = await serve(bed.database.url, often)
    await using plain = await serve(bed.database.url, never)
    const ada = bed.server.as()
    for (let round = 0; round < 2; round++) await fill(ada, 'events')
    const [told, toldOften, toldPlain] = await Promise.all(
      [ada, server.as(), plain.as()].map(async (api) => {
        await using feed = api.subscribe(query, variables)
        return await feed.take(6)
      }),
    )
    expect(told).toEqual(toldPlain)
    expect(toldOften).toEqual(toldPlain)
  },
)

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

test('a document is compiled once it came often enough, and answers the same before and after', async () => {
  await using server = await serve(bed.database.url, { COMPILE_AFTER: '2' })
  await fill(bed.server.as(), 'often')
  const query = '{ conversation(id: "often") { messages(last: 2) { nodes { seq content } } } }'
  for (let round = 0; round < 5; round++) {
    expect((await server.as().get(query)).conversation.messages.nodes).toEqual([
      { seq: 2, content: 'two' },
      { seq: 3, content: 'three' },
    ])
  }
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
    const compiled = await new Executor(schema, 0).execute(execution)
    expect(compiled.errors?.map(({ message }) => message)).toEqual(['cannot be read'])
    expect(compiled.data).toEqual((await execute({ schema, ...execution })).data)
  })
}
