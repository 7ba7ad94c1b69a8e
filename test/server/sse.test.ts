import { once } from 'node:events'
import { connect as connectTcp, type Socket as TcpSocket } from 'node:net'
import { EventSource } from 'eventsource'
import { createClient } from 'graphql-sse'
import { SignJWT } from 'jose'
import { expect, test } from 'vitest'
import type { Answer, Api, Identity } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { blocked } from '../support/database/blocked.ts'
import { hold } from '../support/database/hold.ts'
import { untilWaiting } from '../support/database/until-waiting.ts'
import { EventStreamReader, send, streamUrl } from '../support/network/event-stream.ts'
import { request } from '../support/network/request.ts'
import { TcpProxy } from '../support/network/tcp-proxy.ts'
import { expectNothingOpenAfterEach } from '../support/nothing-open.ts'
import { logged } from '../support/observe/logged.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const bed = useBed({ PING_MS: '600000' })

const appended = `subscription Follow($id: ID!, $after: String) {
  messageAppended(conversationId: $id, after: $after) { cursor node { seq content } }
}`
const append = `mutation ($id: ID!, $content: String!) {
  appendMessage(input: { conversationId: $id, message: { role: USER, content: $content } }) { message { seq content } }
}`
const remove = 'mutation ($id: ID!) { deleteConversation(input: { id: $id }) { deletedConversationId } }'
const lastSeq = 'query ($id: ID!) { conversation(id: $id) { lastSeq } }'

expectNothingOpenAfterEach(bed)

const open = (query: string, variables?: unknown, more: object = {}) =>
  EventStreamReader.open(bed.server.url, { query, variables, ...more })
const seqOf = (answer: Answer): number => answer.data.messageAppended.node.seq
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index)

async function fill(api: Api, id: string, count: number, bytes = 0): Promise<void> {
  for (let n = 1; n <= count; n++) await api.append(id, String(n).padEnd(bytes, '.'))
}

/** A browser's EventSource, which can only repeat its URL and name its last event, as `ada` unless another is named. */
function eventSource(url: string, identity: Identity = { 'x-user-id': 'ada' }): EventSource {
  return new EventSource(url, {
    fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, ...identity } }),
  })
}

/** A client that sends a request and reads not a byte of the answer. */
async function deaf(query: string, variables: object, url: string): Promise<TcpSocket> {
  const { host, hostname, port } = new URL(url)
  const socket = connectTcp(Number(port), hostname)
  socket.on('error', () => {})
  socket.pause()
  await once(socket, 'connect')
  const { pathname, search } = new URL(streamUrl(url, { query, variables }))
  socket.write(`GET ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\nx-user-id: ada\r\n\r\n`)
  return socket
}

test.for(['GET', 'POST'] as const)(
  'protocol: a subscription by %s is a stream of `next`, each with its cursor as id, live after what is there',
  async (method) => {
    const ada = bed.server.as()
    const id = `feed-${method}`
    await fill(ada, id, 3)
    await using stream = await open(appended, { id, after: '' }, { method })
    expect(Object.fromEntries(stream.response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-request-id': expect.any(String),
    })
    expect((await stream.block())?.retry).toMatch(/^\d{3,4}$/)
    await ada.append(id, 'live')
    for (const seq of upTo(4)) {
      const event = await stream.event()
      const answer = JSON.parse(event?.data ?? '')
      expect(event?.event).toBe('next')
      expect(seqOf(answer)).toBe(seq)
      expect(answer.data.messageAppended.cursor).toBe(event?.id)
      expect(answer.extensions.cursor).toBe(event?.id)
    }
  },
)

test('protocol: a subscription that is over ends with `complete`', async () => {
  const ada = bed.server.as()
  await fill(ada, 'over', 1)
  await using stream = await open(appended, { id: 'over', after: '' })
  await stream.result()
  await ada.get(remove, { id: 'over' })
  expect(await stream.rest()).toEqual([{ event: 'complete', id: 'complete', data: '', retry: null, isComment: false }])
})

test('protocol: queries and mutations answer as at /graphql, errors included, and are complete', async () => {
  const ada = bed.server.as()
  await ada.append('both', 'one')
  for (const [query, variables] of [
    [append, { id: 'both', content: 'two\n\r\u2028 lines' }],
    [lastSeq, { id: 'both' }],
    [lastSeq, {}],
    [append, { id: 'missing', content: 'x' }],
    [append, { id: 'both', content: 'a\0b' }],
    ['{ viewer {', {}],
    ['{ nothing }', {}],
    ['', {}],
    [`{ ${'viewer { id } '.repeat(1_000)} }`, {}],
  ] as const) {
    await using stream = await open(query, variables)
    const [next, ...rest] = await stream.rest()
    const answer = JSON.parse(next?.data ?? '')
    if (answer.data?.appendMessage) expect(answer.data.appendMessage.message.content).toBe('two\n\r\u2028 lines')
    else expect(answer, query).toEqual(await ada.ask(query, variables))
    expect(next?.id).toBeNull()
    expect(rest.map(({ event }) => event)).toEqual(['complete'])
  }
})

test('protocol: a subscription that is refused says why in one result, and is complete', async () => {
  for (const [query, variables, code] of [
    [appended, { id: 'missing' }, 'NOT_FOUND'],
    [appended, { id: 'both', after: '!' }, 'BAD_USER_INPUT'],
    [appended, {}, 'BAD_USER_INPUT'],
    ['subscription { nothing }', {}, 'GRAPHQL_VALIDATION_FAILED'],
  ] as const) {
    await bed.server.as().append('both', 'x')
    await using stream = await open(query, variables)
    const { errors, data } = await stream.result()
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual([code])
    expect(data).toBeUndefined()
    expect((await stream.rest()).map(({ event }) => event)).toEqual(['complete'])
  }
})

test('protocol: what is no request is an HTTP error, as at /graphql', async () => {
  const { url } = bed.server
  const get = (search: string, headers = {}) => request(`${url}/graphql/stream${search}`, 'GET', headers)
  const query = encodeURIComponent('{ viewer { id } }')
  expect(await get('')).toMatchObject({ status: 400 })
  expect(await get('?query=%FF')).toMatchObject({ status: 400 })
  expect((await get(`?query=${query}&variables={`)).body).toContain('variables: must be JSON.')
  expect((await get(`?query=${query}&variables=[]`)).body).toContain('variables: must be a JSON object.')
  expect((await get(`?query=${query}&variables={"n":1e400}`)).body).toContain('does not fit into a double')
  expect(await get(`?query=${query}`, { accept: 'application/json' })).toMatchObject({ status: 406 })
  expect(await get(`?query=${encodeURIComponent('mutation { __typename }')}`)).toMatchObject({
    status: 405,
    headers: { allow: 'POST' },
  })
  const put = await fetch(`${url}/graphql/stream`, { method: 'PUT' })
  expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, POST'])
  for (const body of ['{', '[]', '{}', '{"query":1}', '{"query":"{a}","variables":{"n":1e400}}']) {
    const headers = { 'content-type': 'application/json' }
    expect((await fetch(`${url}/graphql/stream`, { method: 'POST', headers, body })).status, body).toBe(400)
  }
})

test('protocol: the graphql-sse client gets queries, mutations and a feed', async () => {
  const ada = bed.server.as()
  await fill(ada, 'stock', 30)
  const client = createClient({ url: `${bed.server.url}/graphql/stream`, headers: { 'x-user-id': 'ada' } })
  const answers = async (query: string, variables: Record<string, unknown>, count: number) => {
    const got: unknown[] = []
    for await (const answer of client.iterate({ query, variables })) if (got.push(answer) === count) break
    return got
  }
  expect(await answers(append, { id: 'stock', content: 'by sse' }, 2)).toEqual([
    { data: { appendMessage: { message: { seq: 31, content: 'by sse' } } } },
  ])
  expect(await answers(lastSeq, { id: 'stock' }, 2)).toEqual([{ data: { conversation: { lastSeq: 31 } } }])
  const feed = (await answers(appended, { id: 'stock', after: '' }, 31)) as Answer[]
  expect(feed.map(seqOf)).toEqual(upTo(31))
  client.dispose()
})

test('6 resuming: Last-Event-ID goes before whatever the query says of `after`', async () => {
  const ada = bed.server.as()
  await fill(ada, 'resumed', 5)
  const page = await ada.get('{ conversation(id: "resumed") { messages(first: 3) { pageInfo { endCursor } } } }')
  const headers = { 'last-event-id': page.conversation.messages.pageInfo.endCursor }
  const selection = '{ node { seq content } }'
  for (const [query, variables] of [
    [appended, { id: 'resumed', after: '' }],
    [appended, { id: 'resumed' }],
    [
      `subscription ($from: String!) { messageAppended(conversationId: "resumed", after: $from) ${selection} }`,
      { from: '' },
    ],
    [`subscription { messageAppended(conversationId: "resumed", after: "") ${selection} }`, {}],
    [`subscription { messageAppended(conversationId: "resumed") ${selection} }`, {}],
    [
      `subscription { ...F } fragment F on Subscription { messageAppended(conversationId: "resumed", after: null) ${selection} }`,
      {},
    ],
  ] as const) {
    for (const method of ['GET', 'POST']) {
      await using stream = await open(query, variables, { method, headers })
      expect([seqOf(await stream.result()), seqOf(await stream.result())], query).toEqual([4, 5])
    }
  }
})

test('6 resuming: a Last-Event-ID that is no cursor, or an expired one, is refused as `after` is', async () => {
  const ada = bed.server.as()
  const { messageEdge } = await ada.append('reborn', 'first life')
  await ada.get(remove, { id: 'reborn' })
  await ada.append('reborn', 'second life')
  for (const [lastEventId, code] of [
    ['!', 'BAD_USER_INPUT'],
    [messageEdge.cursor, 'CURSOR_EXPIRED'],
  ] as const) {
    await using stream = await open(appended, { id: 'reborn' }, { headers: { 'last-event-id': lastEventId } })
    expect((await stream.result()).errors?.[0]?.extensions.code).toBe(code)
    expect((await stream.event())?.event).toBe('complete')
  }
})

test('6 resuming: a stock EventSource that is cut again and again gets everything once and in order', async () => {
  const ada = bed.server.as()
  await fill(ada, 'browser', 1)
  await using proxy = await TcpProxy.before(bed.server)
  const source = eventSource(streamUrl(proxy.url, { query: appended, variables: { id: 'browser', after: '' } }))
  const seen: number[] = []
  let opened = 0
  source.addEventListener('open', () => {
    opened += 1
  })
  source.addEventListener('next', ({ data }) => {
    seen.push(seqOf(JSON.parse(data)))
    // In the middle of what it is being sent, too.
    if (seen.length % 7 === 0) proxy.cut()
  })
  for (let count = 15; count <= 60; count += 15) {
    for (let n = 0; n < 15; n++) await ada.append('browser', 'on')
    await until(() => seen.length > count)
    proxy.cut()
  }
  expect(seen).toEqual(upTo(61))
  expect(opened).toBeGreaterThan(3)
  source.close()
})

test('6 resuming: a stock EventSource stays away once its operation is complete', async () => {
  const ada = bed.server.as()
  await fill(ada, 'stays', 2)
  const source = eventSource(streamUrl(bed.server.url, { query: appended, variables: { id: 'stays', after: '' } }))
  let results = 0
  source.addEventListener('next', () => {
    results += 1
  })
  await until(() => results === 2)
  await ada.get(remove, { id: 'stays' })
  await until(() => source.readyState === EventSource.CLOSED)
  expect(results).toBe(2)
  const again = { query: appended, variables: { id: 'stays' }, headers: { 'last-event-id': 'complete' } }
  expect((await send(bed.server.url, { method: 'GET', ...again })).status).toBe(204)
})

test('5 isolation: a feed of another user’s conversation is NOT_FOUND, and so is a cursor of it', async () => {
  const { messageEdge } = await bed.server.as().append('hers', 'secret')
  const identity = { 'x-user-id': 'bob' }
  for (const headers of [{}, { 'last-event-id': messageEdge.cursor }]) {
    await using stream = await open(appended, { id: 'hers', after: '' }, { identity, headers })
    expect((await stream.result()).errors?.[0]?.extensions).toEqual({ code: 'NOT_FOUND' })
  }
})

test('access: foreign hosts and origins, and callers without a proof, are refused before anything is read', async () => {
  const url = streamUrl(bed.server.url, { query: '{ viewer { id } }' })
  expect((await request(url, 'GET', { host: 'evil.example' })).status).toBe(403)
  expect((await request(url, 'GET', { origin: 'https://evil.example' })).status).toBe(403)
  await using server = await serve(bed.database.url, { AUTH_SECRET: secret })
  expect((await request(streamUrl(server.url, { query: '{ viewer { id } }' }), 'GET', {})).status).toBe(401)
})

test('access: a listed origin may read, also in a browser', async () => {
  await using server = await serve(bed.database.url, { CORS_ORIGINS: 'https://app.example' })
  const url = streamUrl(server.url, { query: '{ viewer { userId } }' })
  const { status, headers, body } = await request(url, 'GET', { origin: 'https://app.example', 'x-user-id': 'ada' })
  expect(status).toBe(200)
  expect(headers['access-control-allow-origin']).toBe('https://app.example')
  expect(body).toContain('{"data":{"viewer":{"userId":"ada"}}}')
})

const secret = 'a secret of more than thirty-two bytes'

async function tokenFor(seconds: number): Promise<string> {
  const exp = Math.ceil(Date.now() / 1000) + seconds
  const token = new SignJWT({ sub: 'ada', exp }).setProtectedHeader({ alg: 'HS256' })
  return `Bearer ${await token.sign(new TextEncoder().encode(secret))}`
}

test('access: a token that expires cuts its stream, and the client goes on with the next one', async () => {
  await using server = await serve(bed.database.url, { AUTH_SECRET: secret })
  await bed.server.as().append('expiring', 'one')
  let tokens = 0
  const client = createClient({
    url: `${server.url}/graphql/stream`,
    headers: async () => {
      tokens += 1
      return { authorization: await tokenFor(tokens === 1 ? 3 : 600) }
    },
    retry: async () => {},
  })
  const seen: string[] = []
  for await (const { data } of client.iterate<{ messageAppended: { node: { content: string } } }>({
    query: appended,
    variables: { id: 'expiring', after: '' },
  })) {
    seen.push(data?.messageAppended.node.content ?? '')
    if (tokens === 2) break
  }
  // The library repeats its first variables; the server is not asked to mend that.
  expect(seen).toEqual(['one', 'one'])
  client.dispose()
})

test('7 bounds: a user has so many streams at once and no more, and another is not touched by it', async () => {
  await using server = await serve(bed.database.url, { MAX_SUBSCRIPTIONS: '2' })
  await server.as().append('many', 'one')
  const variables = { id: 'many', after: '' }
  const streams = []
  for (let n = 0; n < 2; n++) streams.push(await EventStreamReader.open(server.url, { query: appended, variables }))
  await using third = await EventStreamReader.open(server.url, { query: appended, variables })
  expect((await third.result()).errors?.[0]?.extensions.code).toBe('RATE_LIMITED')
  // Not complete: there may be room by and by.
  expect(await third.event()).toBeNull()
  await using bobs = await EventStreamReader.open(server.url, {
    query: '{ viewer { id } }',
    identity: { 'x-user-id': 'bob' },
  })
  expect((await bobs.result()).data.viewer.id).toEqual(expect.any(String))
  for (const stream of streams) await stream[Symbol.asyncDispose]()
  await until(() => server.inspect().sockets === 0)
  await using fourth = await EventStreamReader.open(server.url, { query: appended, variables })
  expect(seqOf(await fourth.result())).toBe(1)
})

test('7 bounds: a client that vanishes leaves nothing, wherever its feed was', async () => {
  await fill(bed.server.as(), 'vanish', 100)
  for (const results of [0, 1, 60, 100]) {
    await using stream = await open(appended, { id: 'vanish', after: '' })
    for (let n = 0; n < results; n++) await stream.result()
    await stream[Symbol.asyncDispose]()
    await until(() => bed.server.inspect().sockets + bed.server.inspect().watchers === 0)
  }
  // Also while it is still being looked for.
  const client = await bed.database.connect()
  await client.query('begin; lock table conversation in access exclusive mode')
  await using looking = await open(appended, { id: 'vanish', after: '' })
  await blocked(client)
  await looking[Symbol.asyncDispose]()
  await until(() => bed.server.inspect().sockets === 0)
  await client.query('rollback')
  await until(() => bed.server.inspect().watchers === 0)
})

test('7 bounds: signs of life come once a period, and leave a feed as it is', async () => {
  await using server = await serve(bed.database.url, { PING_MS: '20' })
  await server.as().append('idle', 'one')
  await using stream = await EventStreamReader.open(server.url, {
    query: appended,
    variables: { id: 'idle', after: '' },
  })
  await stream.result()
  for (let n = 0; n < 3; n++) expect(await stream.block()).toMatchObject({ isComment: true })
  await server.as().append('idle', 'two')
  expect(seqOf(await stream.result())).toBe(2)
})

test('7 bounds: a reader that does not read holds one read, holds up nobody, and misses nothing', async () => {
  const ada = bed.server.as()
  const [count, bytes] = [40, 500_000]
  await fill(ada, 'slow', count, bytes)
  await using slow = await open(appended, { id: 'slow', after: '' })
  await using fast = await open(appended, { id: 'slow', after: '' })
  for (const seq of upTo(count)) {
    expect(seqOf(await fast.result())).toBe(seq)
    // A read is 1 MiB at most, and each of the two feeds holds one.
    expect(bed.server.inspect().feedBytes).toBeLessThan(2.2 * 1024 * 1024)
  }
  for (const seq of upTo(count)) {
    const { node } = (await slow.result()).data.messageAppended
    expect([node.seq, node.content]).toEqual([seq, String(seq).padEnd(bytes, '.')])
  }
})

test('7 bounds: a reader that takes nothing is ended after a while, with all that it held', async () => {
  await fill(bed.server.as(), 'stuck', 40, 500_000)
  await using server = await serve(bed.database.url, { PING_MS: '200' })
  const socket = await deaf(appended, { id: 'stuck', after: '' }, server.url)
  await until(() => server.inspect().feedBytes > 0)
  await until(() => server.inspect().sockets === 0)
  expect(server.inspect()).toEqual({ sockets: 0, watchers: 0, answerBytes: 0, feedBytes: 0 })
  expect(await logged(server, ({ path }) => path === '/graphql/stream')).toMatchObject({
    status: 'aborted',
    operation: 'Follow',
    viewer: 'ada',
  })
  socket.destroy()
})

test('shutdown: feeds end without `complete`, so that clients go on elsewhere, and answers in flight are sent', async () => {
  const server = await serve(bed.database.url)
  await server.as().append('stopping', 'one')
  const lock = await hold(bed.database, 'stopping')
  const following = await EventStreamReader.open(server.url, {
    query: appended,
    variables: { id: 'stopping', after: '' },
  })
  await following.result()
  const writing = await EventStreamReader.open(server.url, {
    query: append,
    variables: { id: 'stopping', content: 'two' },
  })
  await untilWaiting(bed.database)
  const stopping = server[Symbol.asyncDispose]()
  // Who waits for no answer may go on elsewhere at once.
  expect(await following.rest()).toEqual([])
  await lock.query('commit')
  expect((await writing.result()).data.appendMessage.message.seq).toBe(2)
  expect((await writing.rest()).map(({ event }) => event)).toEqual(['complete'])
  await stopping
  expect(server.inspect()).toEqual({ sockets: 0, watchers: 0, answerBytes: 0, feedBytes: 0 })
})

test('shutdown: feeds end one after the other, and each is served until its turn', async () => {
  const server = await serve(bed.database.url, { MAX_SUBSCRIPTIONS: '200' })
  await server.as().append('leaving', 'one')
  const streams: EventStreamReader[] = []
  // So many take their turns within three quarters of a second.
  for (let n = 0; n < 150; n++) {
    const variables = { id: 'leaving', after: '' }
    const stream = await EventStreamReader.open(server.url, { query: appended, variables })
    await stream.result()
    streams.push(stream)
  }
  const stopping = server[Symbol.asyncDispose]()
  const rests = streams.map((stream) => stream.rest())
  await Promise.race(rests)
  await bed.server.as().append('leaving', 'two')
  const events = (await Promise.all(rests)).flat()
  expect(events.map(({ event, data }) => [event, seqOf(JSON.parse(data ?? ''))])).toContainEqual(['next', 2])
  expect(new Set(events.map(({ event }) => event))).toEqual(new Set(['next']))
  await stopping
  expect(server.inspect()).toEqual({ sockets: 0, watchers: 0, answerBytes: 0, feedBytes: 0 })
})

test('shutdown: a reader that takes nothing does not hold it up for longer than it may take', async () => {
  await fill(bed.server.as(), 'unread', 40, 500_000)
  const server = await serve(bed.database.url, { SHUTDOWN_TIMEOUT_MS: '400' })
  const socket = await deaf(appended, { id: 'unread', after: '' }, server.url)
  await until(() => server.inspect().feedBytes > 0)
  await server[Symbol.asyncDispose]()
  expect(server.inspect()).toEqual({ sockets: 0, watchers: 0, answerBytes: 0, feedBytes: 0 })
  socket.destroy()
})
