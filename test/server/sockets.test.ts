import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import { Socket as TcpSocket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createClient } from 'graphql-ws'
import { expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import type { Answer, Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { hold } from '../support/database/hold.ts'
import { untilWaiting } from '../support/database/until-waiting.ts'
import { Socket } from '../support/network/socket.ts'
import { type Closed, Wire } from '../support/network/wire.ts'
import { expectNothingOpenAfterEach } from '../support/nothing-open.ts'
import { logged } from '../support/observe/logged.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const bed = useBed({ PING_MS: '600000' })

const appended = `subscription ($id: ID!, $after: String) {
  messageAppended(conversationId: $id, after: $after) { node { seq content } }
}`

const append = `mutation ($id: ID!, $content: String!) {
  appendMessage(input: { conversationId: $id, message: { role: USER, content: $content } }) { message { seq content } }
}`

const lastSeq = 'query ($id: ID!) { conversation(id: $id) { lastSeq } }'

expectNothingOpenAfterEach(bed)

const seqOf = (answer: Answer): number => answer.data.messageAppended.node.seq

/** The HTTP status that an upgrade is answered with instead. */
function refusedUpgrade(url: string): Promise<number | undefined> {
  const ws = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws')
  ws.on('error', () => {})
  return new Promise((resolve) => {
    ws.once('unexpected-response', (request, response) => {
      resolve(response.statusCode)
      request.destroy()
    })
  })
}

test('protocol: a socket without graphql-transport-ws is closed', async () => {
  const without = new Socket(bed.server, [])
  expect(await without.closed).toEqual({ code: 4406, reason: 'Subprotocol not acceptable' })
  // The server chooses none of what is offered, which the client takes for a failed handshake.
  const old = new Socket(bed.server, 'graphql-ws')
  const refused = new Promise<Error>((resolve) => old.ws.once('error', resolve))
  expect((await refused).message).toBe('Server sent no subprotocol')
  await using both = new Socket(bed.server, ['graphql-ws', 'graphql-transport-ws'])
  await new Promise((resolve) => both.ws.once('open', resolve))
  expect(both.ws.protocol).toBe('graphql-transport-ws')
})

test('protocol: an upgrade at another path is 404', async () => {
  expect(await refusedUpgrade(`${bed.server.url}/`)).toBe(404)
  expect(await refusedUpgrade(`${bed.server.url}/graphql/`)).toBe(404)
  expect(await refusedUpgrade(`${bed.server.url}/graphiql`)).toBe(404)
})

test('protocol: a socket that never says connection_init is closed', async () => {
  const socket = new Socket(bed.server)
  expect(await socket.closed).toEqual({ code: 4408, reason: 'Connection initialisation timeout' })
})

test('protocol: a socket that says nothing but its pongs, and does not agree when it is closed, is ended', async () => {
  await using server = await serve(bed.database.url, { PING_MS: '200' })
  const asked = request(`${server.url}/graphql`, {
    headers: {
      connection: 'upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'sec-websocket-protocol': 'graphql-transport-ws',
    },
  }).end()
  const [, silent] = (await once(asked, 'upgrade')) as [unknown, TcpSocket]
  silent.on('error', () => {})
  // An empty pong, masked with zeros, for whatever comes.
  silent.on('data', () => silent.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0])))
  await until(() => server.inspect().sockets === 1)
  await once(silent, 'close')
  await until(() => server.inspect().sockets === 0)
})

test.for([
  [
    'subscribe before the acknowledgement',
    { type: 'subscribe', id: '1', payload: { query: '{ viewer { id } }' } },
    4401,
  ],
  ['an unknown message', { type: 'start' }, 4400],
  ['a subscribe without a query', { type: 'subscribe', id: '1', payload: {} }, 4400],
  ['a subscribe without an id', { type: 'subscribe', payload: { query: '{ viewer { id } }' } }, 4400],
  ['null', null, 4400],
  ['a list', [], 4400],
] as const)('protocol: %s closes the socket', async ([_, frame, code]) => {
  const socket = new Socket(bed.server)
  await new Promise((resolve) => socket.ws.once('open', resolve))
  socket.ws.send(JSON.stringify(frame))
  expect((await socket.closed).code).toBe(code)
})

test('protocol: a second connection_init closes the socket, before and after the first is acknowledged', async () => {
  const again = { code: 4429, reason: 'Too many initialisation requests' }
  const known = await Socket.connect(bed.server)
  known.send({ type: 'connection_init', payload: { 'x-user-id': 'bob' } })
  expect(await known.closed).toEqual(again)
  const hasty = new Socket(bed.server)
  await new Promise((resolve) => hasty.ws.once('open', resolve))
  for (const user of ['ada', 'bob']) hasty.send({ type: 'connection_init', payload: { 'x-user-id': user } })
  expect(await hasty.closed).toEqual(again)
})

test('protocol: what is no JSON, and binary frames, close the socket', async () => {
  const text = await Socket.connect(bed.server)
  text.ws.send('{')
  expect(await text.closed).toEqual({ code: 4400, reason: 'Invalid message received' })
  const binary = await Socket.connect(bed.server)
  binary.ws.send(Buffer.from('{"type":"ping"}'))
  expect(await binary.closed).toEqual({ code: 1003, reason: 'Text messages only' })
})

test('protocol: a second operation of an id that is in use closes the socket, however long the id', async () => {
  await bed.server.as().append('twice', 'one')
  const socket = await Socket.connect(bed.server)
  const id = '語'.repeat(255)
  socket.begin(id, appended, { id: 'twice' })
  socket.begin(id, appended, { id: 'twice' })
  const { code, reason } = await socket.closed
  expect(code).toBe(4409)
  expect(reason).toMatch(/^Subscriber for 語/)
})

test('protocol: an id has at most 255 characters, and a longer one closes the socket', async () => {
  const socket = await Socket.connect(bed.server)
  expect(await socket.run('i'.repeat(255), '{ viewer { userId } }')).toEqual({ data: { viewer: { userId: 'ada' } } })
  socket.begin('i'.repeat(256), '{ viewer { userId } }')
  expect(await socket.receive()).toBeNull()
  expect(await socket.closed).toEqual({ code: 4400, reason: 'An id has at most 255 characters' })
})

test('protocol: pings are answered, with their payload', async () => {
  await using socket = await Socket.connect(bed.server)
  socket.send({ type: 'ping', payload: { n: 1 } })
  socket.send({ type: 'ping' })
  expect(await socket.receive()).toEqual({ type: 'pong', payload: { n: 1 } })
  expect(await socket.receive()).toEqual({ type: 'pong' })
})

test.for([
  ['ping', { type: 'ping' }, { type: 'pong' }],
  ['pong', { type: 'pong' }, null],
  ['complete', { type: 'complete', id: 'none' }, null],
] as const)('protocol: a %s has at most 16,384 bytes', async ([_, message, answer]) => {
  const padded = (bytes: number) => {
    const around = JSON.stringify({ ...message, payload: { padding: '' } }).length
    return { ...message, payload: { padding: '.'.repeat(bytes - around) } }
  }
  const socket = await Socket.connect(bed.server)
  const fits = padded(16_384)
  socket.send(fits)
  if (answer !== null) expect(await socket.receive()).toEqual({ ...answer, payload: fits.payload })
  expect(await socket.run('after', '{ viewer { userId } }')).toEqual({ data: { viewer: { userId: 'ada' } } })
  socket.send(padded(16_385))
  expect(await socket.receive()).toBeNull()
  expect(await socket.closed).toEqual({
    code: 1009,
    reason: 'At most 16384 bytes of a message other than subscribe',
  })
})

test('errors: a message that the parser reads wrongly closes the socket with a line in the log', async () => {
  const parse = JSON.parse
  const socket = await Socket.connect(bed.server)
  const spy = vi.spyOn(JSON, 'parse').mockImplementation((text: string, reviver) => {
    const value = parse(text, reviver)
    return text.includes('read wrongly') ? { ...value, payload: { query: 'another text' } } : value
  })
  onTestFinished(() => spy.mockRestore())
  const line = logged(bed.server, (entry) => entry.msg === 'a message on a socket failed')
  socket.begin('1', '{ viewer { userId } } # read wrongly')
  expect(await socket.closed).toEqual({ code: 4500, reason: 'Internal server error' })
  expect((await line).err).toMatchObject({ message: 'JSON.parse has read another value than the text has.' })
})

test('errors: an operation that is refused leaves the socket and its other subscriptions as they are', async () => {
  const ada = bed.server.as()
  await ada.append('steady', 'one')
  await using socket = await Socket.connect(bed.server)
  socket.begin('feed', appended, { id: 'steady', after: '' })
  expect(seqOf(await socket.result('feed'))).toBe(1)
  for (const [query, code] of [
    ['{ viewer {', 'GRAPHQL_PARSE_FAILED'],
    ['{ nothing }', 'GRAPHQL_VALIDATION_FAILED'],
    ['query A { viewer { id } } query B { viewer { id } }', 'BAD_USER_INPUT'],
    [`{ ${'viewer { id } '.repeat(1_000)} }`, 'PAYLOAD_TOO_LARGE'],
  ] as const) {
    expect(await socket.run('bad', query)).toMatchObject([{ extensions: { code } }])
  }
  socket.ws.send('{"id":"bad","type":"subscribe","payload":{"query":"{ viewer { id } }","variables":{"n":1e400}}}')
  expect(await socket.receive()).toMatchObject({
    id: 'bad',
    type: 'error',
    payload: [{ extensions: { code: 'BAD_USER_INPUT' } }],
  })
  await ada.append('steady', 'two')
  expect(seqOf(await socket.result('feed'))).toBe(2)
})

test('errors: queries and mutations answer as they do over HTTP, errors included', async () => {
  const ada = bed.server.as()
  await ada.append('both', 'one')
  await using socket = await Socket.connect(bed.server)
  expect(await socket.run('m', append, { id: 'both', content: 'two' })).toEqual({
    data: { appendMessage: { message: { seq: 2, content: 'two' } } },
  })
  for (const [query, variables] of [
    [lastSeq, { id: 'both' }],
    [lastSeq, {}],
    [append, { id: 'missing', content: 'x' }],
    [append, { id: 'both', content: 'a\0b' }],
    ['{ a: viewer { id } conversation(id: "both") { messages(first: 1, last: 1) { nodes { seq } } } }', {}],
    ['{ viewer {', {}],
    ['{ nothing }', {}],
    ['', {}],
  ] as const) {
    const overHttp = await ada.ask(query, variables)
    const answer = await socket.run('q', query, variables)
    // What does not run at all is an `error` message, which is the list alone.
    expect(Array.isArray(answer) ? { errors: answer } : answer, query).toEqual(overHttp)
  }
})

test('operations: an id that is used again is answered with its own answer', async () => {
  await bed.server.as().append('held', 'one')
  const lock = await hold(bed.database, 'held')
  await using socket = await Socket.connect(bed.server)
  socket.begin('1', append, { id: 'held', content: 'two' })
  await untilWaiting(bed.database)
  socket.complete('1')
  expect(await socket.run('1', '{ viewer { userId } }')).toEqual({ data: { viewer: { userId: 'ada' } } })
  socket.begin('1', append, { id: 'held', content: 'three' })
  // Appends that come together are stored together: it waits behind the first, which waits for the row.
  await socket.run('2', '{ viewer { userId } }')
  await lock.query('commit')
  const answer = await socket.result('1')
  expect(answer.data.appendMessage.message.content).toBe('three')
  expect(await socket.receive()).toEqual({ id: '1', type: 'complete' })
  await until(() => bed.server.inspect().answerBytes === 0)
  // The first one was completed by its client, and that takes nothing back.
  expect(await socket.run('3', lastSeq, { id: 'held' })).toEqual({ data: { conversation: { lastSeq: 3 } } })
})

test('operations: nothing runs that comes after the server has closed the socket', async () => {
  await bed.server.as().append('closing', 'one')
  const socket = await Socket.connect(bed.server)
  const payload = { query: append, variables: { id: 'closing', content: 'too late' } }
  socket.ws.send(Buffer.from([0]))
  socket.send({ id: '1', type: 'subscribe', payload })
  expect((await socket.closed).code).toBe(1003)
  expect(await bed.server.as().get(lastSeq, { id: 'closing' })).toEqual({ conversation: { lastSeq: 1 } })
})

test('operations: what one append brings to all subscriptions of a socket goes to it in one write', async () => {
  const ada = bed.server.as()
  await ada.append('one write', 'first')
  await using socket = await Socket.connect(bed.server)
  const ids = Array.from({ length: 10 }, (_, n) => `feed ${n}`)
  for (const id of ids) {
    socket.begin(id, 'subscription { messageAppended(conversationId: "one write", after: "") { node { content } } }')
    await socket.result(id)
  }
  const port = Number(new URL(bed.server.url).port)
  const frames: string[] = []
  const write = vi.spyOn(TcpSocket.prototype, '_write')
  const writeMany = vi.spyOn(TcpSocket.prototype, '_writev' as '_write')
  try {
    await ada.append('one write', 'second')
    for (const id of ids) frames.push((await socket.result(id)).data.messageAppended.node.content)
    const toSocket = [write, writeMany].flatMap(({ mock }) =>
      mock.contexts.filter((of, index) => {
        const sent = JSON.stringify(mock.calls[index]?.[0], (_, value) =>
          value?.data ? Buffer.from(value.data).toString() : value,
        )
        return (of as TcpSocket).localPort === port && sent.includes('messageAppended')
      }),
    )
    expect(toSocket).toHaveLength(1)
  } finally {
    write.mockRestore()
    writeMany.mockRestore()
  }
  expect(frames).toEqual(ids.map(() => 'second'))
})

test('7 bounds: a socket has so many operations at once and no more, completed ones that still run included', async () => {
  await using server = await serve(bed.database.url, { MAX_SUBSCRIPTIONS: '3' })
  await server.as().append('many', 'one')
  const lock = await hold(bed.database, 'many')
  await using socket = await Socket.connect(server)
  for (let n = 0; n < 3; n++) {
    socket.begin('1', append, { id: 'many', content: 'x' })
    socket.complete('1')
  }
  expect(await socket.run('2', '{ viewer { id } }')).toMatchObject([{ extensions: { code: 'RATE_LIMITED' } }])
  await lock.query('commit')
})

test('7 bounds: a user has so many sockets at once, and the stock client tries again until there is room', async () => {
  const keys = ['first', 'second'].map((key) => `${key}:${createHash('sha256').update(key).digest('hex')}`)
  await using server = await serve(bed.database.url, { MAX_SOCKETS: '2', AUTH_SERVICE_KEYS: keys.join(',') })
  const asAda = { 'x-service-key': 'first', 'x-user-id': 'ada' }
  const refused = async (params: Record<string, string>): Promise<Closed> => {
    const wire = await Wire.dial(server.url)
    wire.send({ type: 'connection_init', payload: params })
    return wire.closed
  }
  const first = await Wire.open(server.url, asAda)
  await using _second = await Wire.open(server.url, asAda)
  expect(await refused(asAda)).toEqual({ code: 1013, reason: 'At most 2 sockets at once for a user' })
  // Neither another user nor a backend that names none is touched by it; and a backend is counted by its key.
  await using _bob = await Wire.open(server.url, { ...asAda, 'x-user-id': 'bob' })
  await using _third = await Wire.open(server.url, { 'x-service-key': 'first' })
  await using _fourth = await Wire.open(server.url, { 'x-service-key': 'first' })
  expect((await refused({ 'x-service-key': 'first' })).reason).toBe('At most 2 sockets at once for a service key')
  await using _fifth = await Wire.open(server.url, { 'x-service-key': 'second' })

  const codes: number[] = []
  const client = createClient({
    url: `${server.url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: asAda,
    retryAttempts: 10_000,
    retryWait: async () => {
      if (codes.length > 1) first.ws.close()
      await turn()
    },
    on: { closed: (event) => codes.push((event as { code: number }).code) },
  })
  const answers = client.iterate({ query: '{ viewer { userId } }' })
  expect((await answers.next()).value).toEqual({ data: { viewer: { userId: 'ada' } } })
  expect(new Set(codes)).toEqual(new Set([1013]))
  await client.dispose()
})

test('7 bounds: who sends faster than its rate is answered all of it, no faster, and holds up nobody', async () => {
  await using server = await serve(bed.database.url, { MAX_MESSAGES_PER_SECOND: '10' })
  await using fast = await Socket.connect(server)
  const count = 40
  // All together so large that they take several reads: what was read at once is answered at once.
  const padding = '.'.repeat(16_000)
  for (let n = 0; n < count; n++) fast.send({ type: 'ping', payload: { n, padding } })
  const answered = (async () => {
    for (let n = 0; n < count; n++) expect((await fast.receive())?.payload.n).toBe(n)
    return 'answered'
  })()
  expect(await logged(server, ({ level }) => level === 40)).toMatchObject({
    viewer: 'ada',
    msg: expect.stringContaining('MAX_MESSAGES_PER_SECOND'),
  })
  const served = (async () => {
    for (let n = 0; n < 30; n++) await server.as().get('{ viewer { id } }')
    return 'served'
  })()
  // The rest of the forty is owed three seconds; thirty requests take a small part of one.
  expect(await Promise.race([answered, served])).toBe('served')
  await answered
})

test('7 bounds: a socket that waits for its rate is not taken for a dead one', async () => {
  await using server = await serve(bed.database.url, { MAX_MESSAGES_PER_SECOND: '2', PING_MS: '500' })
  await using socket = await Socket.connect(server)
  for (let n = 0; n < 5; n++) socket.send({ type: 'ping', payload: { n, padding: '.'.repeat(16_000) } })
  for (let n = 0; n < 5; n++) expect((await socket.receive())?.payload.n).toBe(n)
})

/** What this process holds, the server and its clients, after everything that is garbage has gone. */
async function heldBytes(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  for (let n = 0; n < 5; n++) {
    collect()
    await turn()
  }
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

async function fill(api: Api, id: string, count: number, bytes: number): Promise<void> {
  for (let n = 1; n <= count; n++) await api.append(id, String(n).padEnd(bytes, '.'))
}

test('7 bounds: a reader that pauses holds little on the server, holds up nobody, and misses nothing', async () => {
  const ada = bed.server.as()
  const [count, bytes] = [100, 500_000]
  await ada.append('slow', 'first')
  await using slow = await Socket.connect(bed.server)
  await using fast = await Socket.connect(bed.server)
  for (const socket of [slow, fast]) {
    socket.begin('feed', appended, { id: 'slow', after: '' })
    expect(seqOf(await socket.result('feed'))).toBe(1)
  }
  slow.ws.pause()
  const before = await heldBytes()
  const filling = fill(ada, 'slow', count, bytes)
  for (let seq = 2; seq <= count + 1; seq++) {
    expect(seqOf(await fast.result('feed'))).toBe(seq)
    // A read is 1 MiB at most, and each of the two feeds holds one.
    expect(bed.server.inspect().feedBytes).toBeLessThan(2 * 1024 * 1024)
  }
  await filling
  // 50 MB were sent to the one; the other's wait in the database. What is left is a read, a frame and buffers.
  expect((await heldBytes()) - before).toBeLessThan(20_000_000)
  slow.ws.resume()
  for (let seq = 2; seq <= count + 1; seq++) {
    const { seq: own, content } = (await slow.result('feed')).data.messageAppended.node
    expect([own, content]).toEqual([seq, String(seq - 1).padEnd(bytes, '.')])
  }
})

test('7 bounds: who does not read answers is not read either', async () => {
  await using server = await serve(bed.database.url, { PING_MS: '600000', MAX_MESSAGES_PER_SECOND: '100000' })
  await using socket = await Socket.connect(server)
  const [count, bytes] = [4_000, 16_000]
  const padding = '.'.repeat(bytes)
  socket.ws.pause()
  let sent = 0
  for (let n = 0; n < count; n++) {
    socket.ws.send(JSON.stringify({ type: 'ping', payload: { n, padding } }), () => {
      sent += 1
    })
  }
  // A hundred round trips of another client are ample time for a server that would read on.
  for (let n = 0; n < 100; n++) await server.as().get('{ viewer { id } }')
  expect(sent).toBeLessThan(count)
  socket.ws.resume()
  for (let n = 0; n < count; n++) expect((await socket.receive())?.payload.n).toBe(n)
})

test('7 bounds: a feed on a socket that the server closes ends at once, before its client agrees', async () => {
  const ada = bed.server.as()
  await fill(ada, 'closed', 100, 200_000)
  const socket = await Socket.connect(bed.server)
  socket.begin('feed', appended, { id: 'closed', after: '' })
  await socket.result('feed')
  socket.ws.pause()
  socket.ws.send(Buffer.from([0]))
  await until(() => bed.server.inspect().watchers === 0)
  expect(bed.server.inspect()).toMatchObject({ sockets: 1, feedBytes: 0 })
  socket.ws.resume()
  expect((await socket.closed).code).toBe(1003)
})

test('7 bounds: a reader that stays paused is closed with 1013, holds up nobody, and goes on after its last cursor', async () => {
  // After the close frame the reader has two periods to read to its end, and the test counts the memory within them.
  await using server = await serve(bed.database.url, { PING_MS: '3000' })
  const [count, bytes] = [300, 100_000]
  await fill(bed.server.as(), 'backlog', count, bytes)
  const paused = await Socket.connect(server)
  await using reading = await Socket.connect(server)
  paused.begin('feed', appended, { id: 'backlog', after: '' })
  const { extensions } = await paused.result('feed')
  paused.ws.pause()
  const before = await heldBytes()
  reading.begin('feed', appended, { id: 'backlog', after: '' })
  for (let seq = 1; seq <= count; seq++) {
    expect(seqOf(await reading.result('feed'))).toBe(seq)
    // A read is 1 MiB at most, and each of the two feeds holds one.
    expect(server.inspect().feedBytes).toBeLessThan(2.2 * 1024 * 1024)
  }
  // Its feed ends before it agrees.
  await until(() => server.inspect().watchers === 1)
  expect(server.inspect()).toMatchObject({ feedBytes: 0 })
  // Of 30 MB, there are left what the socket of the system holds, and one frame.
  expect((await heldBytes()) - before).toBeLessThan(10_000_000)
  await bed.server.as().append('backlog', 'live')
  expect(seqOf(await reading.result('feed'))).toBe(count + 1)

  paused.ws.resume()
  const seqs = [1]
  let cursor = extensions?.cursor
  for (let frame = await paused.receive(); frame !== null; frame = await paused.receive()) {
    seqs.push(seqOf(frame.payload))
    cursor = frame.payload.extensions.cursor
  }
  expect(await paused.closed).toEqual({ code: 1013, reason: 'Not read for too long; go on after the last cursor' })
  expect(seqs.length).toBeLessThan(count)
  await using again = await Socket.connect(server)
  again.begin('feed', appended, { id: 'backlog', after: cursor })
  while (seqs.length <= count) seqs.push(seqOf(await again.result('feed')))
  expect(seqs).toEqual(Array.from({ length: count + 1 }, (_, index) => index + 1))
})

test('7 bounds: a reader that is closed and never reads on is ended by and by', async () => {
  await fill(bed.server.as(), 'unread', 100, 200_000)
  await using server = await serve(bed.database.url, { PING_MS: '100' })
  const socket = await Socket.connect(server)
  socket.ws.pause()
  socket.begin('feed', appended, { id: 'unread', after: '' })
  await until(() => server.inspect().watchers === 1)
  await until(() => server.inspect().sockets === 0)
  expect(server.inspect()).toEqual({ sockets: 0, watchers: 0, answerBytes: 0, feedBytes: 0 })
  socket.ws.resume()
  await socket.closed
})

test('7 bounds: a reader that reads slowly stays, though pings reach it late', async () => {
  const [count, bytes] = [300, 100_000]
  await fill(bed.server.as(), 'slowly', count, bytes)
  await using server = await serve(bed.database.url, { PING_MS: '1000' })
  await using slow = await Socket.connect(server)
  await using clock = await Socket.connect(server)
  slow.begin('feed', appended, { id: 'slowly', after: '' })
  let seq = 0
  // Fewer than what lies between it and the first ping.
  for (let period = 0; period < 5; period++) {
    // Asked for before the reading, which may take longer than a period: the reader pauses for less than a whole one.
    const nextPing = new Promise((resolve) => clock.ws.once('ping', resolve))
    slow.ws.resume()
    for (let n = 0; n < 30; n++) expect(seqOf(await slow.result('feed'))).toBe(++seq)
    slow.ws.pause()
    await nextPing
  }
  slow.ws.resume()
  while (seq < count) expect(seqOf(await slow.result('feed'))).toBe(++seq)
})

test('7 bounds: a socket that does not answer pings is ended, and one that does stays', async () => {
  await using server = await serve(bed.database.url, { PING_MS: '500' })
  await server.as().append('pinged', 'one')
  const deaf = await Socket.connect(server, { autoPong: false })
  deaf.begin('feed', appended, { id: 'pinged' })
  await using alive = await Socket.connect(server)
  expect((await deaf.closed).code).toBe(1006)
  await until(() => server.inspect().watchers === 0)
  await new Promise((resolve) => alive.ws.once('ping', resolve))
  expect(await alive.run('1', lastSeq, { id: 'pinged' })).toEqual({ data: { conversation: { lastSeq: 1 } } })
})

test('shutdown: what is in flight is answered, subscriptions end, and sockets close with 1012', async () => {
  const server = await serve(bed.database.url)
  await server.as().append('stopping', 'one')
  const lock = await hold(bed.database, 'stopping')
  const writing = await Socket.connect(server)
  const following = await Socket.connect(server)
  following.begin('feed', appended, { id: 'stopping', after: '' })
  await following.result('feed')
  writing.begin('1', append, { id: 'stopping', content: 'two' })
  await untilWaiting(bed.database)
  const stopping = server[Symbol.asyncDispose]()
  // Who waits for no answer may go on elsewhere at once.
  expect(await following.closed).toEqual({ code: 1012, reason: 'Service restart' })
  expect(await writing.run('2', '{ viewer { id } }')).toMatchObject([{ extensions: { code: 'UNAVAILABLE' } }])
  await lock.query('commit')
  expect((await writing.result('1')).data.appendMessage.message).toEqual({ seq: 2, content: 'two' })
  // Without it a client would not know that this was all, and would ask again elsewhere.
  expect(await writing.receive()).toEqual({ id: '1', type: 'complete' })
  expect(await writing.closed).toEqual({ code: 1012, reason: 'Service restart' })
  await stopping
  expect(server.inspect()).toEqual({ sockets: 0, watchers: 0, answerBytes: 0, feedBytes: 0 })
  expect(await bed.server.as().get(lastSeq, { id: 'stopping' })).toEqual({ conversation: { lastSeq: 2 } })
})

test('shutdown: sockets go one after the other, and each is served until its turn', async () => {
  const server = await serve(bed.database.url)
  await server.as().append('leaving', 'one')
  const sockets: Socket[] = []
  const order: number[] = []
  // So many take their turns within a second.
  for (let n = 0; n < 200; n++) {
    const socket = await Socket.connect(server)
    socket.begin('feed', appended, { id: 'leaving', after: '' })
    await socket.result('feed')
    void socket.closed.then(() => order.push(n))
    sockets.push(socket)
  }
  const stopping = server[Symbol.asyncDispose]()
  await Promise.race(sockets.map(({ closed }) => closed))
  const left = sockets.filter(({ ws }) => ws.readyState === ws.OPEN)
  await bed.server.as().append('leaving', 'two')
  const last = await Promise.all(left.map((socket) => socket.receive()))
  expect(last.filter((frame) => frame?.payload.data.messageAppended.node.seq === 2)).not.toEqual([])
  for (const socket of sockets) expect(await socket.closed).toEqual({ code: 1012, reason: 'Service restart' })
  // Closed in the order in which they were opened, none of the last fifty would be in the first half.
  expect(order.slice(0, 100).some((n) => n >= 150)).toBe(true)
  await stopping
  expect(server.inspect()).toEqual({ sockets: 0, watchers: 0, answerBytes: 0, feedBytes: 0 })
})

test('shutdown: who asks before its turn is let go at once instead, and nothing of it runs', async () => {
  const server = await serve(bed.database.url)
  await server.as().append('asking', 'one')
  const sockets: Socket[] = []
  for (let n = 0; n < 100; n++) sockets.push(await Socket.connect(server))
  const stopping = server[Symbol.asyncDispose]()
  await Promise.race(sockets.map(({ closed }) => closed))
  const left = sockets.filter(({ ws }) => ws.readyState === ws.OPEN)
  expect(left).not.toEqual([])
  for (const socket of left) socket.begin('1', append, { id: 'asking', content: 'two' })
  // An error would be shown to its user; after 1012 a client asks again by itself.
  for (const socket of left) expect(await socket.receive()).toBeNull()
  for (const socket of sockets) expect((await socket.closed).code).toBe(1012)
  await stopping
  expect(await bed.server.as().get(lastSeq, { id: 'asking' })).toEqual({ conversation: { lastSeq: 1 } })
})

test('shutdown: a client that does not answer the close frame does not hold it up for longer than it may take', async () => {
  const server = await serve(bed.database.url, { SHUTDOWN_TIMEOUT_MS: '400' })
  await server.as().append('stuck', 'one')
  const lock = await hold(bed.database, 'stuck')
  const socket = await Socket.connect(server)
  socket.begin('1', append, { id: 'stuck', content: 'two' })
  socket.begin('2', appended, { id: 'stuck' })
  await untilWaiting(bed.database)
  socket.ws.pause()
  const stopping = server[Symbol.asyncDispose]()
  await until(() => server.inspect().sockets === 0)
  await lock.query('commit')
  await stopping
  expect(server.inspect()).toEqual({ sockets: 0, watchers: 0, answerBytes: 0, feedBytes: 0 })
  socket.ws.resume()
  await socket.closed
})
