import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { blocked } from '../support/database/blocked.ts'
import { Wire } from '../support/network/wire.ts'
import { logged } from '../support/observe/logged.ts'
import { until } from '../support/until.ts'

const appendMany =
  'mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { conversation { lastSeq } } }'

/** Messages that count as 1,000 bytes each: what their callers wrote, and 256. */
async function fill(api: Api, conversationId: string, count: number): Promise<void> {
  const messages = Array.from({ length: count }, () => ({ role: 'USER', content: 'x'.repeat(1000 - 256 - 4) }))
  await api.get(appendMany, { input: { conversationId, ifMissing: 'CREATE', messages } })
}

describe('the bytes of one answer', () => {
  const bed = useBed({ MAX_ANSWER_BYTES: '10000' })

  beforeAll(async () => {
    await fill(bed.server.as(), 'long', 25)
    await fill(bed.server.as(), 'exact', 10)
    await fill(bed.server.as(), 'other', 25)
  })

  const page = (args: string) =>
    `messages(${args}) { nodes { seq } pageInfo { hasNextPage hasPreviousPage endCursor startCursor } }`
  const seqs = ({ nodes }: { nodes: { seq: number }[] }) => nodes.map(({ seq }) => seq)
  const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n)

  test('a page that would pass the limit is shorter, with exact ends, and paging goes on after it', async () => {
    const ada = bed.server.as()
    const ask = async (args: string) =>
      (await ada.get(`{ conversation(id: "long") { ${page(args)} } }`)).conversation.messages
    const first = await ask('first: 20')
    expect(seqs(first)).toEqual(range(1, 10))
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false })
    const second = await ask(`first: 20, after: "${first.pageInfo.endCursor}"`)
    expect(seqs(second)).toEqual(range(11, 20))
    expect(second.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true })
    const third = await ask(`first: 20, after: "${second.pageInfo.endCursor}"`)
    expect(seqs(third)).toEqual(range(21, 25))
    expect(third.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true })
  })

  test('the last page that would pass the limit is shorter at its beginning', async () => {
    const ada = bed.server.as()
    const ask = async (args: string) =>
      (await ada.get(`{ conversation(id: "long") { ${page(args)} } }`)).conversation.messages
    const last = await ask('last: 20')
    expect(seqs(last)).toEqual(range(16, 25))
    expect(last.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true })
    const before = await ask(`last: 20, before: "${last.pageInfo.startCursor}"`)
    expect(seqs(before)).toEqual(range(6, 15))
    expect(before.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true })
  })

  test('a page that is the limit exactly is whole', async () => {
    const { conversation } = await bed.server.as().get(`{ conversation(id: "exact") { ${page('first: 100')} } }`)
    expect(seqs(conversation.messages)).toEqual(range(1, 10))
    expect(conversation.messages.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: false })
  })

  test('a page that is a byte over the limit is a message shorter', async () => {
    const ada = bed.server.as()
    await fill(ada, 'over', 9)
    await ada.append('over', 'x'.repeat(1001 - 256 - 4))
    const ask = async (args: string) =>
      (await ada.get(`{ conversation(id: "over") { ${page(args)} } }`)).conversation.messages
    expect(seqs(await ask('first: 10'))).toEqual(range(1, 9))
    expect(seqs(await ask('last: 10'))).toEqual(range(2, 10))
  })

  test('a path that branched has its pages and its history held to the limit as a log has', async () => {
    const ada = bed.server.as()
    await fill(ada, 'bent', 25)
    const ends = '{ conversation(id: "bent") { root: message(seq: 1) { id } leaf: message(seq: 25) { id } } }'
    const { conversation } = await ada.get(ends)
    const [root, leaf] = [conversation.root.id, conversation.leaf.id]
    await ada.append('bent', { role: 'USER', content: 'beside', parentId: root })
    await ada.get('mutation ($leaf: ID!) { setActiveLeaf(input: { messageId: $leaf }) { message { seq } } }', { leaf })
    const ask = (selected: string) => ada.ask(`{ conversation(id: "bent") { ${selected} } }`)
    for (const [end, expected] of [
      ['first', range(1, 10)],
      ['last', range(16, 25)],
    ] as const) {
      const { data } = await ask(page(`${end}: 20, branch: "${leaf}"`))
      expect(seqs(data.conversation.messages)).toEqual(expected)
      expect(data.conversation.messages.pageInfo).toMatchObject({
        hasNextPage: end === 'first',
        hasPreviousPage: end === 'last',
      })
    }
    expect((await ask('history(last: 10) { seq }')).data.conversation.history).toHaveLength(10)
    expect((await ask('history(last: 11) { seq }')).errors?.[0]?.extensions).toEqual({
      code: 'PAYLOAD_TOO_LARGE',
      path: 'history',
      limit: 10_000,
      actual: 11_000,
    })
  })

  test('changes and chunks that would pass the limit are fewer, and what a message says so far counts', async () => {
    const ada = bed.server.as()
    const { changes } = await ada.get(
      '{ changes(conversationId: "long", first: 20) { events { __typename } cursor hasMore } }',
    )
    expect(changes).toMatchObject({ events: Array(11).fill({ __typename: expect.any(String) }), hasMore: true })
    const rest =
      'query ($after: String) { changes(conversationId: "long", after: $after, first: 20) { events { __typename } hasMore } }'
    expect((await ada.get(rest, { after: changes.cursor })).changes).toEqual({
      events: Array(10).fill({ __typename: 'MessageAppended' }),
      hasMore: true,
    })

    const { startMessage } = await ada.get(
      'mutation { startMessage(input: { conversationId: "streamed", ifMissing: CREATE }) { message { id } } }',
    )
    const { id } = startMessage.message
    const add = `mutation ($id: ID!, $chunk: Int!, $text: String!) {
      appendMessageText(input: { messageId: $id, attempt: 1, chunk: $chunk, text: $text }) { nextChunk } }`
    for (let chunk = 0; chunk < 6; chunk++) await ada.get(add, { id, chunk, text: 'x'.repeat(1000) })
    // The message itself was read before them, with all that it says so far: 6,256 bytes and its role.
    const chunks = 'query ($id: ID!) { messageChunks(messageId: $id) { chunk } }'
    expect((await ada.get(chunks, { id })).messageChunks).toEqual([{ chunk: 0 }, { chunk: 1 }, { chunk: 2 }])
    const nodes = 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Message { content } } }'
    expect((await ada.fail(nodes, { ids: [id, id] })).extensions).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      actual: 2 * (6_256 + 'ASSISTANT'.length),
    })
  })

  test('a page has one message at least, however long it is', async () => {
    const ada = bed.server.as()
    await ada.append('huge', 'x'.repeat(100_000))
    await ada.append('huge', 'short')
    await ada.append('huge', 'x'.repeat(100_000))
    const ask = async (args: string) =>
      (await ada.get(`{ conversation(id: "huge") { ${page(args)} } }`)).conversation.messages
    const first = await ask('first: 5')
    expect(seqs(first)).toEqual([1])
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false })
    const second = await ask(`first: 5, after: "${first.pageInfo.endCursor}"`)
    expect(seqs(second)).toEqual([2])
    expect(second.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true })
    expect(seqs(await ask('last: 5'))).toEqual([3])
    const alone = await ada.get('{ conversation(id: "huge") { lastMessage { seq } } }')
    expect(alone.conversation.lastMessage.seq).toBe(3)
  })

  test('several pages of one answer share the limit', async () => {
    const ada = bed.server.as()
    const both = await ada.get(
      `{ a: conversation(id: "long") { ${page('first: 20')} } b: conversation(id: "other") { ${page('last: 20')} } }`,
    )
    expect(seqs(both.a.messages)).toEqual(range(1, 5))
    expect(both.a.messages.pageInfo.hasNextPage).toBe(true)
    expect(seqs(both.b.messages)).toEqual(range(21, 25))
    expect(both.b.messages.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true })
  })

  test('what is read after the limit is reached is PAYLOAD_TOO_LARGE', async () => {
    const { errors } = await bed.server
      .as()
      .ask('{ conversation(id: "exact") { messages(first: 10) { nodes { conversation { lastMessage { seq } } } } } }')
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', path: 'lastMessage', limit: 10_000 })
    expect(errors?.[0]?.extensions.actual).toBeGreaterThan(10_000)
  })

  test('a history past the limit is PAYLOAD_TOO_LARGE and never shorter than asked for', async () => {
    const ada = bed.server.as()
    const ask = (last: number) => ada.ask(`{ conversation(id: "long") { history(last: ${last}) { seq } } }`)
    expect((await ask(10)).data.conversation.history).toHaveLength(10)
    expect((await ask(11)).errors?.[0]?.extensions).toEqual({
      code: 'PAYLOAD_TOO_LARGE',
      path: 'history',
      limit: 10_000,
      actual: 11_000,
    })
  })

  test('nodes past the limit are PAYLOAD_TOO_LARGE', async () => {
    const ada = bed.server.as()
    const { conversation } = await ada.get('{ conversation(id: "exact") { messages { nodes { id } } } }')
    const ids: string[] = conversation.messages.nodes.map(({ id }: { id: string }) => id)
    const ask = (asked: string[]) => ada.ask('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: asked })
    expect((await ask(ids)).data.nodes).toHaveLength(10)
    expect((await ask([...ids, ids[0] as string])).errors?.[0]?.extensions).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      limit: 10_000,
      actual: 11_000,
    })
  })

  test('the metadata of conversations counts, once for a page and once for each conversation of a list', async () => {
    const eve = bed.server.as({ 'x-user-id': 'eve' })
    const create = 'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { created } }'
    // As PostgreSQL writes it, and without the braces of an empty object.
    const metadata = { text: 'x'.repeat(3_000 - '"text": ""'.length) }
    for (const id of ['a', 'b', 'c', 'd']) await eve.get(create, { input: { id, metadata } })
    const list = (args: string) => eve.ask(`{ conversations(${args}) { nodes { metadata } } }`)
    expect((await list('first: 3')).data.conversations.nodes).toHaveLength(3)
    for (const args of ['first: 4', 'last: 4']) {
      expect((await list(args)).errors?.[0]?.extensions).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', actual: 12_000 })
    }
    const nodes = (ids: string[]) => eve.ask('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids })
    expect((await nodes(['a', 'b', 'c'])).data.nodes).toHaveLength(3)
    expect((await nodes(['a', 'b', 'c', 'd'])).errors?.[0]?.extensions.code).toBe('PAYLOAD_TOO_LARGE')
    await fill(eve, 'a', 10)
    for (const args of ['first: 10', 'last: 10']) {
      const { conversation } = await eve.get(`{ conversation(id: "a") { ${page(args)} } }`)
      expect(conversation.messages.nodes).toHaveLength(7)
    }
  })

  test('a list has one conversation at least, however large it is, and says that there are more', async () => {
    const gus = bed.server.as({ 'x-user-id': 'gus' })
    const create = 'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { created } }'
    const metadata = { text: 'x'.repeat(11_000) }
    for (const id of ['a', 'b', 'c']) await gus.get(create, { input: { id, metadata } })
    const list = (args: string) =>
      gus.get(`{ conversations(${args}) { nodes { id metadata } pageInfo { hasNextPage hasPreviousPage } } }`)
    const first = (await list('first: 3')).conversations
    expect(first).toEqual({ nodes: [{ id: 'c', metadata }], pageInfo: { hasNextPage: true, hasPreviousPage: false } })
    const last = (await list('last: 2')).conversations
    expect(last).toEqual({ nodes: [{ id: 'a', metadata }], pageInfo: { hasNextPage: false, hasPreviousPage: true } })
  })

  test('last messages that do not fit beside their list are PAYLOAD_TOO_LARGE, and the list is answered', async () => {
    const fay = bed.server.as({ 'x-user-id': 'fay' })
    for (let i = 0; i < 11; i++) await fill(fay, `f${i}`, 1)
    const list = (args: string) => fay.ask(`{ conversations(${args}) { nodes { id lastMessage { seq } } } }`)
    const fits = (await list('first: 10')).data.conversations.nodes
    expect(fits).toHaveLength(10)
    expect(fits.every(({ lastMessage }: { lastMessage: unknown }) => lastMessage !== null)).toBe(true)
    for (const args of ['first: 11', 'last: 11']) {
      const { data, errors } = await list(args)
      expect(data.conversations.nodes).toHaveLength(11)
      expect(errors?.[0]?.extensions).toEqual({
        code: 'PAYLOAD_TOO_LARGE',
        path: 'lastMessage',
        limit: 10_000,
        actual: 11_000,
      })
    }
  })

  test('the limit holds on a socket, for each query and for each event by itself', async () => {
    await using wire = await Wire.open(bed.server.url)
    for (let n = 0; n < 3; n++) {
      const { data } = await wire.ask(`{ conversation(id: "long") { ${page('first: 20')} } }`)
      expect(seqs(data.conversation.messages)).toEqual(range(1, 10))
    }
    const { errors } = await wire.ask('{ conversation(id: "long") { history(last: 11) { seq } } }')
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', path: 'history' })
    const follow = (id: string) =>
      `subscription { messageAppended(conversationId: "${id}", after: "") { node { seq conversation { history(last: 10) { seq } } } } }`
    await using feed = bed.server.as().subscribe(follow('long'))
    for (const answer of await feed.take(25)) {
      expect(answer.data.messageAppended.node.conversation.history).toHaveLength(10)
    }
  })
})

describe('the bytes of all answers in flight', () => {
  const bed = useBed({ MAX_ANSWERS_BYTES: '100000', MAX_MESSAGE_BYTES: '4000000' })
  const megabyte = 1_000_000

  beforeAll(async () => {
    await bed.server.as().append('heavy', 'x'.repeat(megabyte))
    await bed.server.as().append('light', 'x')
  })

  const aliases = Array.from({ length: 30 }, (_, n) => `a${n}: content`).join(' ')
  const heavy = `query Heavy { conversation(id: "heavy") { lastMessage { ${aliases} } } }`
  const light = '{ conversation(id: "light") { lastMessage { content } } }'

  /** A request whose answer is read only when the test says so. */
  function post(url: string, query: string): Socket {
    const { hostname, port, host } = new URL(url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    const body = JSON.stringify({ query })
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: ${host}\r\nx-user-id: ada\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
    return socket
  }

  test('reads are UNAVAILABLE while an answer that nobody takes holds too many', async () => {
    const ada = bed.server.as()
    const socket = post(bed.server.url, heavy)
    await once(socket, 'readable')
    expect(bed.server.inspect().answerBytes).toBeGreaterThan(megabyte)
    expect((await ada.fail(light)).extensions.code).toBe('UNAVAILABLE')
    expect(await ada.get('{ viewer { userId } }')).toEqual({ viewer: { userId: 'ada' } })
    expect((await ada.append('light', 'y')).message.seq).toBe(2)
    const gone = logged(bed.server, (entry) => entry.operation === 'Heavy')
    socket.destroy()
    await gone
    expect(bed.server.inspect().answerBytes).toBe(0)
    expect(await ada.get(light)).toEqual({ conversation: { lastMessage: { content: 'y' } } })
  })

  test('a socket that does not read holds what was read for it, and nothing once it has gone', async () => {
    const ada = bed.server.as()
    const wire = await Wire.open(bed.server.url)
    wire.pause()
    const gone = logged(bed.server, (entry) => entry.operation === 'OnSocket')
    wire.subscribe(heavy.replace('Heavy', 'OnSocket'))
    await until(() => bed.server.inspect().answerBytes > 0)
    expect((await ada.fail(light)).extensions.code).toBe('UNAVAILABLE')
    wire.terminate()
    await gone
    expect(bed.server.inspect().answerBytes).toBe(0)
    await ada.get(light)
  })

  test('a request that went away while PostgreSQL was at work holds nothing afterwards', async () => {
    const client = await bed.database.connect()
    await client.query('begin')
    await client.query('lock table message in access exclusive mode')
    const socket = post(bed.server.url, light.replace('{', 'query Gone {'))
    await blocked(client)
    const gone = logged(bed.server, (entry) => entry.operation === 'Gone')
    socket.destroy()
    await gone
    await client.query('commit')
    // Statements of one kind wait for the same lock in turn: this one is answered after the one that nobody waits for.
    const after = logged(bed.server, (entry) => entry.operation === 'After')
    await bed.server.as().get(light.replace('{', 'query After {'))
    await after
    expect(bed.server.inspect().answerBytes).toBe(0)
  })
})
