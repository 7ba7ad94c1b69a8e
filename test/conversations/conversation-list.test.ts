import { beforeAll, expect, test } from 'vitest'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { patient } from '../support/patient.ts'

const bed = useBed(patient)

const create = 'mutation ($id: ID!) { createConversation(input: { id: $id }) { created } }'
const remove = 'mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { id } } }'
const start = `mutation ($id: ID!) { startMessage(input: { conversationId: $id, ifMissing: CREATE }) { attempt message { id } } }`
const write = `mutation ($id: ID!, $attempt: Int!) {
  appendMessageText(input: { messageId: $id, attempt: $attempt, chunk: 0, text: "so far" }) { nextChunk } }`

/** Conversations of which something else stands last in each. */
async function fill(api: Api): Promise<void> {
  await api.get(create, { id: 'empty' })
  await api.append('plain', 'first')
  await api.append('plain', { role: 'USER', content: 'last', metadata: { a: 1 }, clientId: 'c' })
  for (const id of ['shorter', 'gone']) {
    if (id === 'shorter') await api.append(id, 'left')
    for (const content of ['deleted', 'deleted too']) {
      const { message } = await api.append(id, content)
      await api.get(remove, { id: message.id })
    }
  }
  const { startMessage } = await api.get(start, { id: 'streaming' })
  await api.get(write, { id: startMessage.message.id, attempt: startMessage.attempt })
}

beforeAll(async () => {
  await fill(bed.server.as())
  for (let i = 0; i < 8; i++) await bed.server.as({ 'x-user-id': `user-${i}` }).append(`of-${i}`, `from ${i}`)
})

interface Node {
  readonly id: string
  readonly lastMessage: unknown
}

test.each([
  ['few fields', 'id seq role content status createdAt'],
  ['all of a row', 'seq content status nextChunk parts toolCalls { name } metadata updatedAt deletedAt revision'],
  ['the conversation again', 'seq conversation { id lastSeq lastMessage { clientId metadata } }'],
])('a list brings with each conversation the last message that it has by itself: %s', async (_, fields) => {
  const ada = bed.server.as()
  for (const size of ['first', 'last']) {
    const { conversations } = await ada.get(`{ conversations(${size}: 10) { nodes { id lastMessage { ${fields} } } } }`)
    const nodes: Node[] = conversations.nodes
    expect(nodes.map(({ id }) => id).sort()).toEqual(['empty', 'gone', 'plain', 'shorter', 'streaming'])
    for (const node of nodes) {
      const own = `query ($id: ID!) { conversation(id: $id) { id lastMessage { ${fields} } } }`
      expect(node).toEqual((await ada.get(own, { id: node.id })).conversation)
    }
  }
})

test('a list brings the text of a streaming message, and passes over deleted ones', async () => {
  const { conversations } = await bed.server.as().get('{ conversations { nodes { id lastMessage { content } } } }')
  const contents = conversations.nodes.map(({ id, lastMessage }: { id: string; lastMessage: { content: string } }) => [
    id,
    lastMessage?.content ?? null,
  ])
  expect(Object.fromEntries(contents)).toEqual({
    empty: null,
    plain: 'last',
    shorter: 'left',
    gone: null,
    streaming: 'so far',
  })
})

test('last messages of every size come with a list, and each edge and conversation has its cursor', async () => {
  const eve = bed.server.as({ 'x-user-id': 'eve' })
  const sizes = [0, 1, 16_380, 16_381, 16_400, 200_000]
  for (const size of sizes) await eve.append(`of-${size}`, { role: 'USER', content: 'x'.repeat(size), parts: [] })
  const { conversations } = await eve.get(`{ conversations { cursor edges { cursor node {
    id userId title lastSeq createdAt updatedAt archivedAt cursor lastMessage { content } } } } }`)
  const nodes = conversations.edges.map(({ node }: { node: { lastMessage: { content: string } } }) => node)
  expect(nodes.map((node: { lastMessage: { content: string } }) => node.lastMessage.content.length)).toEqual(
    sizes.toReversed(),
  )
  const own = `query ($id: ID!) { conversation(id: $id) {
    id userId title lastSeq createdAt updatedAt archivedAt cursor lastMessage { content } } }`
  for (const node of nodes) expect((await eve.get(own, { id: node.id })).conversation).toEqual(node)
  // Without the cursor of the list, the same edges are read with fewer columns.
  const { conversations: brief } = await eve.get(`{ conversations { edges { cursor node {
    id userId title lastSeq createdAt updatedAt archivedAt cursor lastMessage { content } } } } }`)
  expect(brief.edges).toEqual(conversations.edges)
})

test('the cursor of a list may be selected in a fragment, and of an empty list too', async () => {
  const nobody = bed.server.as({ 'x-user-id': 'nobody' })
  const { conversations } = await nobody.get(`{ conversations { ...More } } fragment More on ConversationConnection {
    cursor nodes { id } pageInfo { hasNextPage hasPreviousPage } }`)
  expect(conversations).toEqual({
    cursor: expect.stringMatching(/^.{30,}$/),
    nodes: [],
    pageInfo: { hasNextPage: false, hasPreviousPage: false },
  })
})

test('whatever a document selects of last messages, in whatever place, is answered', async () => {
  const ada = bed.server.as()
  const plain = ({ nodes }: { nodes: Node[] }) => nodes.find(({ id }) => id === 'plain')
  const inFragment = await ada.get(`{ conversations { nodes { id one: lastMessage { content } ...More } } }
    fragment More on Conversation { two: lastMessage { metadata clientId } }`)
  expect(plain(inFragment.conversations)).toEqual({
    id: 'plain',
    one: { content: 'last' },
    two: { metadata: { a: 1 }, clientId: 'c' },
  })
  const again = 'conversation { lastMessage { metadata } }'
  const beneath = await ada.get(`{ conversations { nodes { id lastMessage { content } history { ${again} }
    messages(last: 1) { nodes { ${again} } } } } }`)
  const last = { conversation: { lastMessage: { metadata: { a: 1 } } } }
  expect(plain(beneath.conversations)).toEqual({
    id: 'plain',
    lastMessage: { content: 'last' },
    history: [last, last],
    messages: { nodes: [last] },
  })
})

test('5 isolated: lists that many ask for at once bring each viewer its own, from where it asked', async () => {
  const list = `query ($first: Int, $last: Int, $after: String) { conversations(first: $first, last: $last, after: $after) {
    nodes { id lastMessage { content } } pageInfo { hasNextPage hasPreviousPage endCursor } } }`
  const ada = bed.server.as()
  const whole = (await ada.get(list, { first: 10 })).conversations
  const { endCursor: second } = (await ada.get(list, { first: 2 })).conversations.pageInfo
  await Promise.all(
    Array.from({ length: 80 }, async (_, i) => {
      const of = i % 8
      const other = bed.server.as({ 'x-user-id': `user-${of}` })
      const [first, rest, end, theirs] = await Promise.all([
        ada.get(list, { first: 2 }),
        ada.get(list, { first: 10, after: second }),
        ada.get(list, { last: 1 }),
        other.get(list, { first: 1 + of }),
      ])
      expect(first.conversations.nodes).toEqual(whole.nodes.slice(0, 2))
      expect(first.conversations.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false })
      expect(rest.conversations.nodes).toEqual(whole.nodes.slice(2))
      expect(rest.conversations.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true })
      expect(end.conversations.nodes).toEqual(whole.nodes.slice(-1))
      expect(end.conversations.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true })
      expect(theirs.conversations.nodes).toEqual([{ id: `of-${of}`, lastMessage: { content: `from ${of}` } }])
      expect(theirs.conversations.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: false })
    }),
  )
})

test('an empty page between two bounds says what lies around the one where it began to look', async () => {
  const list = `query ($first: Int, $last: Int, $after: String, $before: String) {
    conversations(first: $first, last: $last, after: $after, before: $before) {
      nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`
  const ada = bed.server.as()
  const { startCursor, endCursor } = (await ada.get(list, { first: 10 })).conversations.pageInfo
  const around = async (variables: object) => {
    const { nodes, pageInfo } = (await ada.get(list, variables)).conversations
    return [nodes.length, pageInfo.hasPreviousPage, pageInfo.hasNextPage]
  }
  // Of bounds the wrong way round nothing lies between them.
  const crossed = { after: endCursor, before: startCursor }
  expect(await around({ first: 3, ...crossed })).toEqual([0, true, false])
  expect(await around({ last: 3, ...crossed })).toEqual([0, false, true])
  expect(await around({ first: 0, after: startCursor })).toEqual([0, true, true])
  expect(await around({ last: 0, before: endCursor })).toEqual([0, true, true])
  expect(await around({ first: 0, after: endCursor })).toEqual([0, true, false])
})
