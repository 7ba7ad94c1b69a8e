import {
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  getNamedType,
  isAbstractType,
  isLeafType,
  isRequiredArgument,
} from 'graphql'
import { beforeAll, describe, expect, test } from 'vitest'
import { messageId, readGlobalId } from '../../src/entities/ids/global-id.ts'
import { placeHead } from '../../src/entities/ids/place.ts'
import { createSchema } from '../../src/graphql/schema.ts'
import type { Answer, Api, Results } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { nextOfLog } from '../support/next-of-log.ts'
import { searching } from '../support/search.ts'

/*
 * Ada's conversation has twelve messages. Nora wrote the seventh, was removed, and reads from the eighth on. Whatever is
 * before that one says "secret" in every field that callers give.
 */

const bed = useBed({
  MAX_QUERY_FIELDS: '10000',
  MAX_QUERY_TOKENS: '100000',
  MAX_QUERY_CHARACTERS: '1000000',
  MAX_QUERY_DEPTH: '30',
  MAX_QUERY_ALIASES: '1000',
  MAX_QUERY_REPEATS: '1000',
  MAX_COST: '1000000000',
  RATE_LIMIT: 'off',
  SEARCH_FILL: 'on',
  QUOTA_STREAMS: 'off',
})
const as = (userId: string) => bed.server.as({ 'x-user-id': userId })
const schema = createSchema()
const first = 8

/** The ids of all messages; at 0 that of the conversation, as a participant knows it. */
let ids: string[]
let ada: Api
let nora: Api

const mutate = (api: Api, name: string, input: object, fields = '__typename') =>
  api.ask(
    `mutation ($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${fields} } }`,
    {
      input,
    },
  )

async function add(id: string, userId: string, more: object = {}): Promise<void> {
  const { errors } = await mutate(ada, 'addParticipant', { conversationId: id, userId, ...more })
  expect(errors).toBeUndefined()
}

const told = `conversation(id: $id) { historyFrom participants { nodes { userId role historyFrom } } }`

beforeAll(async () => {
  ada = as('ada')
  nora = as('nora')
  const secret = (n: number, more: object = {}) => ({
    role: 'USER',
    content: `secret ${n}`,
    name: 'secret',
    clientId: `secret-${n}`,
    metadata: { secret: n },
    ...more,
  })
  const calls = [{ callId: 'secret-call', name: 'secret_tool', arguments: '{"secret":1}' }]
  await ada.append('talk', secret(1, { role: 'SYSTEM' }))
  await ada.append('talk', secret(2))
  await ada.append('talk', secret(3, { role: 'ASSISTANT', model: 'secret', toolCalls: calls }))
  await ada.append('talk', secret(4, { role: 'TOOL', toolCallId: 'secret-call', toolName: 'secret_tool' }))
  const { data } = await mutate(ada, 'startMessage', { conversationId: 'talk', model: 'secret' }, 'message { id }')
  await mutate(ada, 'appendMessageText', {
    messageId: data.startMessage.message.id,
    attempt: 1,
    chunk: 0,
    text: 'secret 5',
  })
  const parted = await ada.append(
    'talk',
    secret(6, { parts: [{ type: 'text', text: 'secret 6' }], partsFormat: 'OPENAI_CHAT' }),
  )
  await mutate(ada, 'editMessage', { messageId: parted.message.id, metadata: { secret: 'edited' } })
  await add('talk', 'nora')
  const { conversations } = await nora.get('{ conversations { nodes { id } } }')
  const own = await nora.append(conversations.nodes[0].id, secret(7), { ifMissing: 'FAIL' })
  const place = readGlobalId(own.message.id)
  if (place.kind !== 'message') throw new Error('no id of a message')
  ids = Array.from({ length: 30 }, (_, seq) => messageId(placeHead(place.place), seq))
  ids[0] = conversations.nodes[0].id
  await mutate(ada, 'removeParticipant', { conversationId: 'talk', userId: 'nora' })
  await ada.append('talk', { role: 'USER', content: 'shown 8', replyTo: ids[7] })
  await ada.append('talk', { role: 'ASSISTANT', content: 'shown 9', parentId: ids[3] })
  await ada.append('talk', { role: 'USER', content: 'shown 10', parentId: ids[8] })
  await ada.append('talk', { role: 'ASSISTANT', content: 'shown 11' })
  await ada.append('talk', { role: 'USER', content: 'shown 12', parentId: ids[7] })
  await add('talk', 'nora', { historyFrom: first })
  await add('talk', 'mel')
  await searching(ada, 'talk')
  await mutate(ada, 'setActiveLeaf', { messageId: ids[11] })
})

describe('historyFrom', () => {
  const set = (historyFrom: unknown, more: object = {}) =>
    mutate(ada, 'addParticipant', { conversationId: 'set', userId: 'rose', role: 'MEMBER', historyFrom, ...more })

  test('is a seq from 1 to that of the next message', async () => {
    await ada.append('set', 'one')
    for (const seq of [1, 2]) expect((await set(seq)).errors).toBeUndefined()
    for (const seq of [0, 3]) {
      expect((await set(seq)).errors?.[0]?.extensions).toEqual({ code: 'BAD_USER_INPUT', path: 'input.historyFrom' })
    }
  })

  test('stays when a participant gets another role, is replaced, and ends with the part', async () => {
    const { conversation } = await ada.get('query ($id: ID!) { conversation(id: $id) { lastSeq } }', { id: 'set' })
    expect(conversation.lastSeq).toBe(1)
    const seen = async () => {
      const { nodes } = (await ada.get(`query ($id: ID!) { ${told} }`, { id: 'set' })).conversation.participants
      return nodes.find(({ userId }: { userId: string }) => userId === 'rose')
    }
    await set(2)
    await set(null, { role: 'OBSERVER' })
    expect(await seen()).toEqual({ userId: 'rose', role: 'OBSERVER', historyFrom: 2 })
    await set(1)
    expect(await seen()).toEqual({ userId: 'rose', role: 'MEMBER', historyFrom: 1 })
    await mutate(ada, 'removeParticipant', { conversationId: 'set', userId: 'rose' })
    await set(undefined)
    expect(await seen()).toEqual({ userId: 'rose', role: 'MEMBER', historyFrom: null })
  })

  test('is told to whoever takes part, and as its own', async () => {
    const nodes = [
      { userId: 'ada', role: 'OWNER', historyFrom: null },
      { userId: 'mel', role: 'MEMBER', historyFrom: null },
      { userId: 'nora', role: 'MEMBER', historyFrom: first },
    ]
    const ask = (api: Api) => api.get(`query ($id: ID!) { ${told} }`, { id: ids[0] })
    for (const [api, historyFrom] of [
      [ada, null],
      [as('mel'), null],
      [nora, first],
    ] as const) {
      expect(await ask(api)).toEqual({ conversation: { historyFrom, participants: { nodes } } })
    }
  })
})

/** How fields are called that need arguments, or that show more with some. */
const calls: Readonly<Record<string, string>> = {
  context: 'context(maxTokens: 100000, recall: { query: "secret shown", maxTokens: 1000 })',
  message: 'message(seq: 2)',
  history: 'history(last: 1000)',
}

/** Every field below a type, each type once on a way. */
function selectAll(type: GraphQLNamedType, way: readonly string[] = []): string {
  if (isAbstractType(type)) {
    const kinds = schema.getPossibleTypes(type).map((kind) => `... on ${kind.name} ${selectAll(kind, way)}`)
    return `{ __typename ${kinds.join(' ')} }`
  }
  const fields = Object.values((type as GraphQLObjectType).getFields()).flatMap((field) =>
    selectField(field, [...way, type.name]),
  )
  return `{ __typename ${fields.join(' ')} }`
}

function selectField(field: GraphQLField<unknown, unknown>, way: readonly string[]): string[] {
  const type = getNamedType(field.type)
  const call = way.at(-1) === 'Conversation' ? (calls[field.name] ?? field.name) : field.name
  if (call === field.name && field.args.some(isRequiredArgument)) throw new Error(`${field.name} needs arguments`)
  if (isLeafType(type)) return [call]
  // An operation may read ten windows.
  if (field.name === 'context' && way.includes('Message')) return []
  return way.includes(type.name) ? [] : [`${call} ${selectAll(type, way)}`]
}

const all = (name: string) => selectAll(schema.getType(name) as GraphQLObjectType)

/** Every way to messages. A field of Query or Subscription that is not here fails a test. */
const reads: Readonly<Record<string, () => readonly string[]>> = {
  conversation: () => [
    `conversation(id: $id) ${all('Conversation')}`,
    ...[
      'first: 3',
      'last: 100',
      'last: 4, before: $place',
      'first: 3, after: $place',
      'branch: $leaf',
      'branch: $leaf, first: 3',
    ].map((args) => `conversation(id: $id) { messages(${args}) ${all('MessageConnection')} }`),
    `conversation(id: $id) { ${ids
      .slice(0, 10)
      .map((_, n) => `a${n}: message(seq: ${n}) ${all('Message')}`)
      .join(' ')} }`,
    `conversation(id: $id) { ${ids.map((_, n) => `a${n}: message(clientId: "secret-${n}") { content }`).join(' ')} }`,
    'conversation(id: $id) { message(seq: 8) { replyTo { content } } }',
    `conversation(id: $id) { history(last: 3, beforeSeq: 8) ${all('Message')} }`,
    `conversation(id: $id) { context(maxTokens: 30) ${all('ContextWindow')} }`,
    `conversation(id: $id) { context(maxTokens: 90, recall: { query: "shown 8 secret", maxTokens: 70 }) ${all('ContextWindow')} }`,
  ],
  conversations: () => [
    `conversations ${all('ConversationConnection')}`,
    'conversations { nodes { lastMessage { content } } }',
  ],
  changes: () => [`changes(conversationId: $id, after: "") ${all('ConversationChanges')}`],
  node: () => [0, 2, 5, 7, 8].map((at) => ids[at]).map((id) => `node(id: "${id}") ${all('Node')}`),
  nodes: () => [`nodes(ids: [${ids.slice(0, 14).map((id) => `"${id}"`)}]) ${all('Node')}`],
  searchMessages: () =>
    ['secret', 'shown', 'secret shown'].flatMap((query) => [
      `searchMessages(query: "${query}") ${all('MessageSearchConnection')}`,
      `searchMessages(query: "${query}", conversationId: $id) ${all('MessageSearchConnection')}`,
    ]),
  messageChunks: () => [`messageChunks(messageId: "${ids[5]}") { text }`],
  viewer: () => [`viewer ${all('Viewer')}`],
  feedback: () => [`feedback ${all('FeedbackConnection')}`],
  waitingConversations: () => [`waitingConversations(first: 10) ${all('WaitingConversationConnection')}`],
  // An operator sees of every message that it is there, and in development everybody is one.
  operator: () => [],
}

const variables = (document: string) =>
  [
    ['id', 'ID!'],
    ['place', 'String!'],
    ['leaf', 'ID!'],
  ]
    .filter(([name]) => document.includes(`$${name}`))
    .map(([name, type]) => `$${name}: ${type}`)
    .join(', ')

async function read(api: Api, field: string): Promise<string> {
  const { messages } = (await ada.get('{ conversation(id: "talk") { messages { edges { cursor } } } }')).conversation
  const declared = variables(field)
  const answer = await api.ask(`query ${declared === '' ? '' : `(${declared})`} { ${field} }`, {
    id: ids[0],
    place: messages.edges[9].cursor,
    leaf: ids[11],
  })
  for (const { extensions } of answer.errors ?? []) expect(['NOT_FOUND'], field).toContain(extensions.code)
  return JSON.stringify(answer)
}

test('no query tells anything of the messages before', async () => {
  expect(Object.keys(reads).sort()).toEqual(Object.keys(schema.getQueryType()?.getFields() ?? {}).sort())
  let found = 0
  for (const field of Object.values(reads).flatMap((make) => make())) {
    const [owners, hers] = [await read(ada, field), await read(nora, field)]
    if (owners.includes('secret')) found += 1
    expect(hers, field).not.toContain('secret')
    expect(hers, field).not.toMatch(/"seq":[1-7]\b/)
    const named = hers.replaceAll(/"parentId":"[^"]*"/g, '')
    for (const id of ids.slice(1, first)) expect(named, field).not.toContain(id)
  }
  expect(found).toBeGreaterThan(20)
})

test('pages are those of a conversation that begins with the first message that the viewer reads', async () => {
  const select = (args: string, branch: string | null) =>
    `query ($id: ID!) { conversation(id: $id) { messages(${[args, ...(branch === null ? [] : [`branch: "${branch}"`])].join(', ')}) {
      edges { cursor node { seq } } pageInfo { hasPreviousPage hasNextPage } } } }`
  const page = async (api: Api, args: string, branch: string | null) => {
    const { edges, pageInfo } = (await api.get(select(args, branch), { id: ids[0] })).conversation.messages
    return { seqs: edges.map(({ node }: { node: { seq: number } }) => node.seq), edges, ...pageInfo }
  }
  for (const branch of [null, ids[11] as string]) {
    const cursors = (await page(ada, 'first: 100', null)).edges.map(({ cursor }: { cursor: string }) => cursor)
    const shown = (await page(ada, 'first: 100', branch)).seqs.filter((seq: number) => seq >= first)
    expect(shown.length).toBeGreaterThan(2)
    for (const count of [1, 2, 100]) {
      for (const at of [null, 1, 6, 7, 8, 9, 10, 11]) {
        const bound = (name: string) => (at === null ? '' : `, ${name}: "${cursors[at - 1]}"`)
        const after = shown.filter((seq: number) => at === null || seq > at)
        const before = shown.filter((seq: number) => at === null || seq < at)
        const forward = await page(nora, `first: ${count}${bound('after')}`, branch)
        const about = `${branch} ${count} ${at}`
        expect(forward, about).toMatchObject({
          seqs: after.slice(0, count),
          hasPreviousPage: after.length < shown.length,
          hasNextPage: after.length > count,
        })
        const backward = await page(nora, `last: ${count}${bound('before')}`, branch)
        expect(backward, about).toMatchObject({
          seqs: before.slice(-count),
          hasPreviousPage: before.length > count,
          hasNextPage: before.length < shown.length,
        })
      }
    }
  }
})

test('siblings, parents, leaves and what is unread are told without them', async () => {
  const { conversation } = await nora.get(
    `query ($id: ID!) { conversation(id: $id) { unreadCount activeLeaf { seq } history { seq }
      message(seq: 8) { parentId siblings { index count ids } }
      context(maxTokens: 1000) { included firstSeq omitted { messages } } } }`,
    { id: ids[0] },
  )
  expect(conversation).toEqual({
    unreadCount: 5,
    activeLeaf: { seq: 11 },
    history: [{ seq: 8 }, { seq: 10 }, { seq: 11 }],
    message: { parentId: ids[7], siblings: { index: 0, count: 2, ids: [ids[8], ids[12]] } },
    context: { included: 3, firstSeq: 8, omitted: { messages: 0 } },
  })
  const named = 'query ($id: ID!) { conversation(id: $id) { context(maxTokens: 9000, authors: true) { messages } } }'
  const names = async (api: Api) =>
    JSON.stringify(await api.get(named, { id: ids[0] })).match(/"name":"(ada|nora)"/g) ?? []
  expect(await names(ada)).toContain('"name":"nora"')
  // For her, all messages of the user are by ada.
  expect(await names(nora)).toEqual([])
  await mutate(ada, 'setActiveLeaf', { messageId: ids[2] })
  const hidden =
    'query ($id: ID!) { conversation(id: $id) { activeLeaf { seq } history { seq } context(maxTokens: 99) { included } } }'
  expect(await nora.get(hidden, { id: ids[0] })).toEqual({
    conversation: { activeLeaf: null, history: [], context: { included: 0 } },
  })
  await mutate(ada, 'setActiveLeaf', { messageId: ids[11] })
})

test('who reads from later on has not read what came before', async () => {
  await nora.get('mutation ($id: ID!) { markRead(input: { conversationId: $id, seq: 9 }) { __typename } }', {
    id: ids[0],
  })
  const readBy =
    'query ($id: ID!) { conversation(id: $id) { before: message(seq: 7) { readBy { userIds } } shown: message(seq: 8) { readBy { userIds } } } }'
  expect((await ada.get(readBy, { id: ids[0] })).conversation).toEqual({
    // She wrote a later one.
    before: { readBy: { userIds: ['ada'] } },
    shown: { readBy: { userIds: ['nora'] } },
  })
})

describe('what comes before', () => {
  const missing = { seq: 29, clientId: 'none' }
  const named: readonly [what: string, name: string, input: (at: { seq: number; clientId: string }) => object][] = [
    ['is not made a leaf', 'setActiveLeaf', ({ seq }) => ({ messageId: ids[seq] })],
    ['is not edited', 'editMessage', ({ seq }) => ({ messageId: ids[seq], content: 'x' })],
    [
      'is not edited by its client id',
      'editMessage',
      ({ clientId }) => ({ conversationId: ids[0], clientId, content: 'x' }),
    ],
    ['is not deleted', 'deleteMessage', ({ seq }) => ({ messageId: ids[seq] })],
    ['is not deleted by its client id', 'deleteMessage', ({ clientId }) => ({ conversationId: ids[0], clientId })],
    ['takes no text', 'appendMessageText', ({ seq }) => ({ messageId: ids[seq], attempt: 1, chunk: 0, text: 'x' })],
    ['is not completed', 'completeMessage', ({ seq }) => ({ messageId: ids[seq], attempt: 1, chunks: 1 })],
    ['is not stopped', 'stopMessage', ({ seq }) => ({ messageId: ids[seq] })],
    ['is not taken over', 'resumeMessage', ({ seq }) => ({ messageId: ids[seq] })],
    ['gets no reaction', 'addReaction', ({ seq }) => ({ messageId: ids[seq], emoji: '👍' })],
    ['loses no reaction', 'removeReaction', ({ seq }) => ({ messageId: ids[seq], emoji: '👍' })],
    ['gets no feedback', 'setFeedback', ({ seq }) => ({ messageId: ids[seq], rating: 'UP' })],
    [
      'gets no reply',
      'appendMessage',
      ({ seq }) => ({ conversationId: ids[0], message: { role: 'USER', content: 'x', replyTo: ids[seq] } }),
    ],
    [
      'is not continued',
      'appendMessage',
      ({ seq }) => ({ conversationId: ids[0], message: { role: 'USER', content: 'x', parentId: ids[seq] } }),
    ],
    [
      'is not continued by its client id',
      'appendMessage',
      ({ clientId }) => ({ conversationId: ids[0], message: { role: 'USER', content: 'x', parentClientId: clientId } }),
    ],
  ]

  test.each(named)('%s, like what is not there: %s', async (_what, name, input) => {
    // The stream, and what nora wrote herself.
    for (const at of [
      { seq: 5, clientId: 'secret-7' },
      { seq: 7, clientId: 'secret-2' },
    ]) {
      const { errors } = await mutate(nora, name, input(at))
      expect(errors?.[0]?.extensions.code).toMatch(/NOT_FOUND|BAD_USER_INPUT/)
      expect(errors).toEqual((await mutate(nora, name, input(missing))).errors)
    }
  })

  test('is no branch, and no parent of a window', async () => {
    for (const field of [
      'messages(branch: $at) { nodes { seq } }',
      'context(maxTokens: 99, userMessage: { role: USER, content: "x", parentId: $at }) { included }',
    ]) {
      const query = `query ($id: ID!, $at: ID!) { conversation(id: $id) { ${field} } }`
      const error = (at: number) => nora.fail(query, { id: ids[0], at: ids[at] })
      expect(await error(7)).toEqual(await error(29))
    }
  })

  test.each(['FAIL', 'REPLACE'])('keeps its client id, and is not told of by that: %s', async (onExisting) => {
    const message = { role: 'USER', content: 'secret 7', name: 'secret', clientId: 'secret-7', metadata: { secret: 7 } }
    const input = { conversationId: ids[0], messages: [message], onExisting }
    const { errors } = await mutate(nora, 'appendMessages', input, 'messages { content }')
    expect(errors?.[0]?.extensions).toEqual({ code: 'CONFLICT', reason: 'CLIENT_ID' })
  })
})

describe('a copy', () => {
  const copied = async (upToSeq: number | null) => {
    const { data } = await mutate(
      nora,
      'forkConversation',
      { id: ids[0], upToSeq },
      `conversation ${all('Conversation')}`,
    )
    expect(JSON.stringify(data)).not.toContain('secret')
    const { id } = data.forkConversation.conversation
    const select = `query ($id: ID!) { conversation(id: $id) { lastSeq activeLeaf { seq }
      messages { nodes { id seq content parentId } } history { seq } } }`
    const { conversation } = await nora.get(select, { id })
    const seqOf = (parent: string) => {
      const read = readGlobalId(parent)
      return read.kind === 'message' ? read.place.seq : 0
    }
    return {
      ...conversation,
      messages: conversation.messages.nodes.map(({ content, parentId }: { content: string; parentId: string }) => [
        content,
        seqOf(parentId),
      ]),
    }
  }

  test('has what its maker reads, from seq 1 on', async () => {
    expect(await copied(null)).toEqual({
      lastSeq: 6,
      activeLeaf: { seq: 4 },
      messages: [
        ['shown 8', 0],
        ['shown 9', 0],
        ['shown 10', 1],
        ['shown 11', 3],
        ['shown 12', 0],
        [null, 5],
      ],
      history: [{ seq: 1 }, { seq: 3 }, { seq: 4 }],
    })
    expect(await copied(9)).toMatchObject({
      lastSeq: 2,
      messages: [
        ['shown 8', 0],
        ['shown 9', 0],
      ],
    })
  })

  test.each([0, 3, 7])('up to a message before that one has none: %i', async (upToSeq) => {
    expect(await copied(upToSeq)).toMatchObject({ lastSeq: 0, messages: [], activeLeaf: null })
  })
})

describe('a feed', () => {
  const events = `subscription ($id: ID!, $after: String) { conversationEvents(conversationId: $id, after: $after) ${all('ConversationEvent')} }`
  const appended = `subscription ($id: ID!, $after: String) { messageAppended(conversationId: $id, after: $after) ${all('MessageEdge')} }`
  const kindOf = (answer: Answer | undefined) => answer?.data.conversationEvents.__typename

  async function untilCaughtUp(results: Results): Promise<Answer[]> {
    const got: Answer[] = []
    for (;;) {
      got.push(...(await results.take(1)))
      if (kindOf(got.at(-1)) === 'CaughtUp') return got
    }
  }

  const seqsIn = (got: readonly Answer[]) =>
    got
      .filter((answer) => kindOf(answer) === 'MessageAppended')
      .map(({ data }) => data.conversationEvents.edge.node.seq)

  test('from the beginning tells the messages that the viewer reads, and what happens to those', async () => {
    await using hers = nora.subscribe(events, { id: ids[0], after: '' })
    await using owners = ada.subscribe(events, { id: 'talk', after: '' })
    await using mels = as('mel').subscribe(events, { id: ids[0], after: '' })
    const before = await untilCaughtUp(hers)
    expect(JSON.stringify(before)).not.toContain('secret')
    expect(seqsIn(before)).toEqual([8, 9, 10, 11, 12, 13])
    for (const others of [owners, mels]) expect(seqsIn(await untilCaughtUp(others))).toHaveLength(13)
    await mutate(ada, 'editMessage', { messageId: ids[2], content: 'secret again' })
    await mutate(ada, 'appendMessageText', { messageId: ids[5], attempt: 1, chunk: 1, text: 'secret more' })
    await mutate(ada, 'editMessage', { messageId: ids[8], content: 'shown again' })
    const next = await nextOfLog(hers)
    expect(JSON.stringify(next)).toContain('shown again')
    expect(JSON.stringify(next)).not.toContain('secret')
    for (const others of [owners, mels]) {
      const three = [await nextOfLog(others), await nextOfLog(others), await nextOfLog(others)]
      expect(JSON.stringify(three)).toMatch(/secret again.*secret more|secret more.*secret again/)
    }
  })

  test('of messages begins with the first one that the viewer reads', async () => {
    await using hers = nora.subscribe(appended, { id: ids[0], after: '' })
    const got = await hers.take(6)
    expect(got.map(({ data }) => data.messageAppended.node.seq)).toEqual([8, 9, 10, 11, 12, 13])
    expect(JSON.stringify(got)).not.toContain('secret')
  })

  test('of somebody who reads from the next message on catches up at once, and then tells that one', async () => {
    // More messages than one read takes.
    const messages = Array.from({ length: 60 }, (_, n) => ({ role: 'USER', content: `secret ${n}` }))
    await mutate(ada, 'appendMessages', { conversationId: 'late', ifMissing: 'CREATE', messages })
    const unread = async () => (await nora.get('{ viewer { unreadConversations } }')).viewer.unreadConversations
    const before = await unread()
    await add('late', 'nora', { historyFrom: 61 })
    const list = '{ conversations(first: 1) { nodes { id lastMessage { content } } } }'
    const { id, lastMessage } = (await nora.get(list)).conversations.nodes[0]
    expect([lastMessage, await unread()]).toEqual([null, before])
    await using all = nora.subscribe(events, { id, after: '' })
    await using messagesOnly = nora.subscribe(appended, { id, after: '' })
    expect(JSON.stringify(await untilCaughtUp(all))).not.toContain('secret')
    await ada.append('late', 'shown')
    for (const feed of [all, messagesOnly]) expect(JSON.stringify(await nextOfLog(feed))).toContain('"seq":61')
    const changes = await nora.get(
      'query ($id: ID!) { changes(conversationId: $id, after: "", first: 1) { hasMore events { __typename } } }',
      { id },
    )
    expect(changes.changes.events.map((event: { __typename: string }) => event.__typename)).toContain('MessageAppended')
  })

  test('follows when the first message becomes a later one', async () => {
    const { id } = (await nora.get('{ conversations(first: 1) { nodes { id } } }')).conversations.nodes[0]
    const { message } = await ada.append('late', 'soon secret')
    await using feed = nora.subscribe(events, { id })
    await untilCaughtUp(feed)
    await add('late', 'nora', { historyFrom: message.seq + 1 })
    expect(await nextOfLog(feed)).toMatchObject({ __typename: 'ParticipantsChanged' })
    await mutate(ada, 'editMessage', { messageId: message.id, content: 'secret' })
    await ada.append('late', 'shown')
    expect(JSON.stringify(await nextOfLog(feed))).toMatch(/"content":"shown"/)
  })

  test('of lists tells conversations, with nothing that is hidden in them', async () => {
    await using list = nora.subscribe(
      `subscription { conversationsChanged(after: null) ${all('ConversationListEvent')} }`,
    )
    await list.take(1)
    await mutate(ada, 'editMessage', { messageId: ids[2], content: 'secret still' })
    const told = JSON.stringify(await list.take(1))
    expect(told).toContain('shown 11')
    expect(told).not.toContain('secret')
  })
})
