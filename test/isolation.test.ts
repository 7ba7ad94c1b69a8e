import { beforeAll, expect, test } from 'vitest'
import { useBed } from './support/bed.ts'

const bed = useBed()

let adas: { conversation: { id: string; cursor: string }; message: { id: string }; messageEdge: { cursor: string } }

beforeAll(async () => {
  adas = await bed.server.as().append('secret', { role: 'USER', content: 'for my eyes', clientId: 'c-1' })
})

const bob = () => bed.server.as({ 'x-user-id': 'bob' })

/** How the id of somebody else's conversation reaches a stranger: in a message id or a cursor. */
function foreignConversationId(): string {
  const bytes = Buffer.from(adas.message.id.slice(4), 'base64url')
  return `cnv_${bytes.subarray(1, 23).toString('base64url')}`
}

test("5 isolated: another user's conversation is the same null as one that does not exist", async () => {
  for (const id of ['secret', 'never', foreignConversationId(), adas.conversation.id]) {
    const answer = await bob().ask('query ($id: ID!) { conversation(id: $id) { id } node(id: $id) { id } }', { id })
    expect(answer).toEqual({ data: { conversation: null, node: null } })
  }
})

test("5 isolated: another user's message is the same null as one that does not exist", async () => {
  const missing = adas.message.id.replace(/.{4}$/, 'AAAJ')
  const answer = await bob().ask('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
    ids: [adas.message.id, missing, 'usr_ada', 'usr_nobody', 'msg_junk'],
  })
  expect(answer).toEqual({ data: { nodes: [null, null, null, null, null] } })
  const own = await bed.server.as().get('query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }', {
    ids: [adas.message.id, 'usr_ada', 'secret', foreignConversationId()],
  })
  expect(own.nodes).toEqual([
    { __typename: 'Message', id: adas.message.id },
    { __typename: 'Viewer', id: 'usr_ada' },
    { __typename: 'Conversation', id: 'secret' },
    { __typename: 'Conversation', id: 'secret' },
  ])
})

const mutations = {
  append:
    'mutation ($id: ID!) { appendMessage(input: { conversationId: $id, message: { role: USER, content: "x" } }) { replayed } }',
  appendLast:
    'mutation ($id: ID!) { appendMessage(input: { conversationId: $id, ifLastSeq: 7, message: { role: USER, content: "x" } }) { replayed } }',
  appendKnown:
    'mutation ($id: ID!) { appendMessage(input: { conversationId: $id, message: { role: USER, content: "x", clientId: "c-1" } }) { replayed } }',
  batch:
    'mutation ($id: ID!) { appendMessages(input: { conversationId: $id, messages: [{ role: USER, content: "x" }] }) { replayed } }',
  update: 'mutation ($id: ID!) { updateConversation(input: { id: $id, title: "mine" }) { conversation { id } } }',
  branch:
    'mutation ($id: ID!, $message: ID!) { appendMessage(input: { conversationId: $id, message: { role: USER, content: "x", parentId: $message } }) { replayed } }',
  branchStream:
    'mutation ($id: ID!, $message: ID!) { startMessage(input: { conversationId: $id, parentId: $message }) { replayed } }',
  fork: 'mutation ($id: ID!) { forkConversation(input: { id: $id }) { conversation { id } } }',
  forkTaken:
    'mutation ($id: ID!) { forkConversation(input: { id: $id, newId: "taken", upToSeq: 7 }) { conversation { id } } }',
  delete: 'mutation ($id: ID!) { deleteConversation(input: { id: $id }) { deletedConversationId } }',
}

test.each(Object.entries(mutations))(
  "5 isolated: %s on another user's conversation is the same error as on one that does not exist",
  async (_name, mutation) => {
    await bob().append('taken', 'x')
    const message = adas.message.id
    const missing = await bob().fail(mutation, { id: 'never', message })
    expect(missing.extensions.code).toBe('NOT_FOUND')
    for (const id of ['secret', foreignConversationId()]) {
      expect(await bob().fail(mutation, { id, message })).toEqual(missing)
    }
    const { conversation } = await bed.server.as().get('{ conversation(id: "secret") { lastSeq title } }')
    expect(conversation).toEqual({ lastSeq: 1, title: null })
  },
)

test("5 isolated: subscribing to another user's conversation is the same error as to one that does not exist", async () => {
  const subscription = 'subscription ($id: ID!) { messageAppended(conversationId: $id, after: "") { cursor } }'
  const errors = []
  for (const id of ['never', 'secret', foreignConversationId()]) {
    await using results = bob().subscribe(subscription, { id })
    errors.push((await results.next())?.errors)
    expect(await results.next()).toBeNull()
  }
  expect(errors[0]?.[0]?.extensions.code).toBe('NOT_FOUND')
  expect(errors[1]).toEqual(errors[0])
  expect(errors[2]).toEqual(errors[0])
})

test("5 isolated: another user's cursor opens nothing", async () => {
  await bob().append('mine', 'hello')
  const page = 'query ($after: String!) { conversation(id: "mine") { messages(after: $after) { nodes { content } } } }'
  for (const after of [adas.messageEdge.cursor, adas.conversation.cursor]) {
    expect((await bob().fail(page, { after })).extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'after' })
  }
  const list = await bed.server.as().get('{ conversations { edges { cursor } } }')
  const after = list.conversations.edges[0].cursor
  const bobs = await bob().get('query ($after: String!) { conversations(after: $after) { nodes { id } } }', { after })
  expect(bobs.conversations.nodes.every((node: { id: string }) => node.id === 'mine')).toBe(true)
})

test("5 isolated: another user's message is no parent, no branch and no leaf, the same as one that does not exist", async () => {
  await bob().append('branches', 'hello')
  const branch =
    'mutation ($id: ID!) { appendMessage(input: { conversationId: "branches", message: { role: USER, content: "x", parentId: $id } }) { replayed } }'
  const page = 'query ($id: ID!) { conversation(id: "branches") { messages(branch: $id) { nodes { id } } } }'
  const choose = 'mutation ($id: ID!) { setActiveLeaf(input: { messageId: $id }) { conversation { id } } }'
  const missing = adas.message.id.replace(/.{4}$/, 'AAAJ')
  for (const [asked, code] of [
    [branch, 'BAD_USER_INPUT'],
    [page, 'BAD_USER_INPUT'],
    [choose, 'NOT_FOUND'],
  ] as const) {
    const errors = []
    for (const id of [missing, adas.message.id, 'msg_junk', foreignConversationId()]) {
      errors.push(await bob().fail(asked, { id }))
    }
    for (const error of errors) expect(error).toEqual(errors[0])
    expect(errors[0]?.extensions.code).toBe(code)
  }
  const { conversation } = await bed.server.as().get('{ conversation(id: "secret") { activeLeaf { seq } lastSeq } }')
  expect(conversation).toEqual({ activeLeaf: { seq: 1 }, lastSeq: 1 })
})

test('5 isolated: two users may each have a conversation of one id', async () => {
  await bed.server.as().append('support', "ada's")
  const { conversation, message } = await bob().append('support', "bob's")
  expect(conversation.lastSeq).toBe(1)
  expect(message.content).toBe("bob's")
  const ids = '{ conversation(id: "support") { messages { nodes { id content } } } }'
  const [hers, his] = [await bed.server.as().get(ids), await bob().get(ids)]
  expect(hers.conversation.messages.nodes).toHaveLength(1)
  expect(hers.conversation.messages.nodes[0].id).not.toBe(his.conversation.messages.nodes[0].id)
})

test('5 isolated: a list shows only what is its own', async () => {
  const carol = bed.server.as({ 'x-user-id': 'carol' })
  expect(await carol.get('{ conversations { nodes { id } pageInfo { hasNextPage hasPreviousPage } } }')).toEqual({
    conversations: { nodes: [], pageInfo: { hasNextPage: false, hasPreviousPage: false } },
  })
})

test('every id of the API is unique across its types: own ids may not look like ours', async () => {
  const create = 'mutation ($id: ID!) { createConversation(input: { id: $id }) { created } }'
  for (const id of ['msg_1', 'usr_ada', 'cnv_1', 'client:1']) {
    expect((await bed.server.as().fail(create, { id })).extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      path: 'input.id',
    })
  }
})

test('what cannot have been stored is not found, and finds nothing else either', async () => {
  const ada = bed.server.as()
  await ada.append('\ufffd', { role: 'USER', content: 'x', clientId: '\ufffd' })
  for (const text of ['\ud800', 'a\0b']) {
    const found = 'query ($text: ID!) { conversation(id: $text) { id } node(id: $text) { id } }'
    expect(await ada.get(found, { text })).toEqual({ conversation: null, node: null })
    const message = 'query ($text: String!) { conversation(id: "\ufffd") { message(clientId: $text) { id } } }'
    expect(await ada.get(message, { text })).toEqual({ conversation: { message: null } })
  }
})
