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
import { Executor } from '../src/server/executor.ts'
import type { Api } from './support/api.ts'
import { useBed } from './support/bed.ts'
import { serve } from './support/server.ts'

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

const questions: [name: string, query: string, variables?: object][] = [
  [
    'aliases and fragments',
    `query { a: conversation(id: "same") { ...C } b: conversation(id: "same") { ...C title } }
    fragment C on Conversation { id lastSeq messages(first: 2) { edges { cursor node { seq content } } pageInfo { hasNextPage } } }`,
  ],
  [
    '@skip and @include by variables',
    `query ($yes: Boolean!, $no: Boolean!) { conversation(id: "same") { id @include(if: $yes)
    title @skip(if: $yes) lastSeq @include(if: $no) messages(first: 1) @skip(if: $no) { nodes { seq } } } }`,
    { yes: true, no: false },
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
  ['the schema itself', '{ __schema { types { name } } __type(name: "Message") { fields { name } } }'],
  [
    'an error of a nullable field beside data',
    `{ viewer { id } conversation(id: "same") { message(seq: 1, clientId: "x") { seq } } node(id: "msg_x") { id } }`,
  ],
  [
    'an error of a field that may not be null',
    `{ viewer { id } conversation(id: "same") { history(last: 100000) { seq } } }`,
  ],
  ['an error of one of two root fields', `{ viewer { id } conversations(first: 1000) { nodes { id } } }`],
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
    'a refusal with extensions',
    append,
    { input: { conversationId: 'same', ifLastSeq: 99, message: { role: 'USER', content: 'x' } } },
  ],
  [
    'a mutation whose first field fails stops there',
    `mutation { a: deleteMessage(input: { conversationId: "same", clientId: "none" }) { message { seq } }
    b: createConversation(input: { id: "never made" }) { created } }`,
  ],
  [
    'a variable within JSON',
    `mutation ($text: String) { updateConversation(input: { id: "same", metadata: { a: [1, { text: $text }] } }) { conversation { metadata } } }`,
    { text: 'x' },
  ],
  [
    'a variable within JSON that is no text to be stored',
    `mutation ($text: String) { updateConversation(input: { id: "same", metadata: { a: [1, { text: $text }] } }) { conversation { metadata } } }`,
    { text: '\u0000' },
  ],
  ['one value where a list is asked for', 'query ($id: ID!) { nodes(ids: $id) { id } }', { id: 'usr_ada' }],
  ['one variable within a list', 'query ($id: ID!) { nodes(ids: [$id, "usr_ada"]) { id } }', { id: 'same' }],
  [
    'a null within a list that may have none',
    'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
    { ids: ['usr_ada', null] },
  ],
  [
    'variables within an input, one of them left out',
    `mutation ($id: ID!, $title: String, $archived: Boolean) { updateConversation(input: { id: $id, title: $title, archived: $archived }) {
      conversation { title archivedAt } } }`,
    { id: 'same', title: 'Same' },
  ],
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
  ['a number where an id is asked for', 'query ($id: ID!) { conversation(id: $id) { id } }', { id: 7 }],
  [
    'introspection',
    `{ __type(name: "Message") { name fields { name type { kind name ofType { name } } } } __schema { queryType { name } } }`,
  ],
  [
    'the name of the type everywhere',
    `{ __typename viewer { __typename } conversation(id: "same") { __typename messages { __typename } } }`,
  ],
]

for (const [name, query, variables] of questions) {
  test(`a compiled document answers as GraphQL itself does: ${name}`, async () => {
    await using plain = await serve(bed.database.url, never)
    await fill(bed.server.as(), 'same')
    const compiled = await bed.server.as().ask(query, variables)
    expect(compiled).toEqual(await plain.as().ask(query, variables))
    // What was answered first may not be what is answered from then on.
    expect(await bed.server.as().ask(query, variables)).toEqual(compiled)
    expect((await bed.server.as().get('{ conversation(id: "never made") { id } }')).conversation).toBeNull()
  })
}

test('events are the same whether or not their document is compiled', async () => {
  await using plain = await serve(bed.database.url, never)
  const ada = bed.server.as()
  await fill(ada, 'events')
  const query = `subscription ($skip: Boolean!) { conversationEvents(conversationId: "events", after: "") { __typename cursor
    ... on MessageAppended { edge { node { seq content title: name @skip(if: $skip) } } } } }`
  const [told, toldPlain] = await Promise.all(
    [ada, plain.as()].map(async (api) => {
      await using feed = api.subscribe(query, { skip: true })
      return await feed.take(5)
    }),
  )
  expect(told).toEqual(toldPlain)
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
