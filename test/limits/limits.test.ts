import { once } from 'node:events'
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { Api, GraphqlError } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { Wire } from '../support/network/wire.ts'
import { logged } from '../support/observe/logged.ts'
import { until } from '../support/until.ts'

const append = 'mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { message { seq } } }'
const appendMany = 'mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { messages { seq } } }'
const create =
  'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { conversation { id } } }'
const update =
  'mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) { conversation { id title metadata } } }'

/** One character, two UTF-16 units, four bytes. */
const astral = '𝄞'

function tooLarge(path: string, limit: number, actual = limit + 1) {
  return { extensions: { code: 'PAYLOAD_TOO_LARGE', path, limit, actual } }
}

function badInput(path: string) {
  return { extensions: { code: 'BAD_USER_INPUT', path } }
}

async function expectNothingAt(api: Api, id: string): Promise<void> {
  expect(await api.get('query ($id: ID!) { conversation(id: $id) { lastSeq } }', { id })).toEqual({
    conversation: null,
  })
}

describe('the limits of the contract', () => {
  const bed = useBed()

  const names: [string, number, (text: string) => Record<string, unknown>][] = [
    ['name', 255, (name) => ({ name })],
    ['model', 255, (model) => ({ model })],
    ['finishReason', 255, (finishReason) => ({ finishReason })],
    ['toolName', 255, (toolName) => ({ toolName })],
    ['toolCallId', 255, (toolCallId) => ({ toolCallId })],
    ['clientId', 255, (clientId) => ({ clientId })],
    ['toolCalls[0].callId', 255, (callId) => ({ toolCalls: [{ callId, name: 'n', arguments: '' }] })],
    ['toolCalls[0].name', 255, (name) => ({ toolCalls: [{ callId: 'c', name, arguments: '' }] })],
    ['toolCalls[0].type', 255, (type) => ({ toolCalls: [{ callId: 'c', name: 'n', arguments: '', type }] })],
  ]

  test.each(names)('%s of a message has at most %i characters, an astral one counting as one', async (field, n, of) => {
    const ada = bed.server.as()
    const accepted = await ada.append(`fits-${field}`, { role: 'USER', content: 'x', ...of(astral.repeat(n)) })
    expect(accepted.message.seq).toBe(1)
    const message = { role: 'USER', content: 'x', ...of(astral.repeat(n + 1)) }
    const input = { conversationId: `over-${field}`, ifMissing: 'CREATE', message }
    expect(await ada.fail(append, { input })).toMatchObject(tooLarge(`input.message.${field}`, n))
    await expectNothingAt(ada, `over-${field}`)
  })

  test.each(names)('%s of a message is not empty', async (field, _n, of) => {
    const ada = bed.server.as()
    const input = { conversationId: 'empty', ifMissing: 'CREATE', message: { role: 'USER', content: 'x', ...of('') } }
    expect(await ada.fail(append, { input })).toMatchObject(badInput(`input.message.${field}`))
    await expectNothingAt(ada, 'empty')
  })

  test('a conversation id has 1 to 128 characters when it is created and when it is appended to', async () => {
    const ada = bed.server.as()
    const message = { role: 'USER', content: 'x' }
    expect(await ada.get(create, { input: { id: astral.repeat(128) } })).toEqual({
      createConversation: { conversation: { id: astral.repeat(128) } },
    })
    expect((await ada.append('é'.repeat(128), 'x')).conversation.id).toBe('é'.repeat(128))
    const over = astral.repeat(129)
    expect(await ada.fail(create, { input: { id: over } })).toMatchObject(tooLarge('input.id', 128))
    expect(await ada.fail(append, { input: { conversationId: over, ifMissing: 'CREATE', message } })).toMatchObject(
      tooLarge('input.conversationId', 128),
    )
    expect(await ada.fail(create, { input: { id: '' } })).toMatchObject(badInput('input.id'))
    expect(await ada.fail(append, { input: { conversationId: '', ifMissing: 'CREATE', message } })).toMatchObject(
      badInput('input.conversationId'),
    )
    await expectNothingAt(ada, over)
    await expectNothingAt(ada, '')
  })

  test('a title has at most 1000 characters when it is created and when it is changed', async () => {
    const ada = bed.server.as()
    await ada.get(create, { input: { id: 'titled', title: astral.repeat(1000) } })
    const over = astral.repeat(1001)
    expect(await ada.fail(create, { input: { id: 'titled-over', title: over } })).toMatchObject(
      tooLarge('input.title', 1000),
    )
    await expectNothingAt(ada, 'titled-over')
    const { updateConversation } = await ada.get(update, { input: { id: 'titled', title: 'b'.repeat(1000) } })
    expect(updateConversation.conversation.title).toBe('b'.repeat(1000))
    expect(await ada.fail(update, { input: { id: 'titled', title: over } })).toMatchObject(
      tooLarge('input.title', 1000),
    )
    expect(await ada.get('{ conversation(id: "titled") { title } }')).toEqual({
      conversation: { title: 'b'.repeat(1000) },
    })
  })

  test('a user id has 1 to 255 characters, over HTTP and on a socket', async () => {
    const whoAmI = '{ viewer { userId } }'
    const longest = astral.repeat(255)
    const inHeader = (user: string) => ({ 'x-user-id': Buffer.from(user).toString('latin1') })
    expect(await bed.server.as(inHeader(longest)).get(whoAmI)).toEqual({ viewer: { userId: longest } })
    const refused = await bed.server.as(inHeader(astral.repeat(256))).fail(whoAmI)
    expect(refused.extensions.code).toBe('UNAUTHENTICATED')

    await using wire = await Wire.open(bed.server.url, { 'x-user-id': longest })
    expect((await wire.ask(whoAmI)).data).toEqual({ viewer: { userId: longest } })
    const tooLong = await Wire.dial(bed.server.url)
    tooLong.send({ type: 'connection_init', payload: { 'x-user-id': astral.repeat(256) } })
    expect(await tooLong.closed).toMatchObject({ code: 4403, reason: expect.stringContaining('255') })
    const empty = await Wire.dial(bed.server.url)
    empty.send({ type: 'connection_init', payload: { 'x-user-id': '' } })
    expect((await empty.closed).code).toBe(4403)
  })

  const nests: [string, (nest: string) => string][] = [
    ['arrays', (depth) => depth],
    ['arrays around a value', (depth) => depth.replace('[]', '[0]')],
    ['objects', (depth) => depth.replaceAll('[]', '{}').replaceAll('[', '{"a":').replaceAll(']', '}')],
  ]
  const nest = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

  test.each(nests)('JSON is nested at most 64 deep: %s', async (_what, shape) => {
    const ada = bed.server.as()
    const fits = JSON.parse(shape(nest(64))) as unknown
    const inObject = { a: JSON.parse(shape(nest(63))) as unknown }
    const toolCalls = [{ callId: 'c', name: 'n', arguments: '', extra: inObject }]
    const message = { role: 'USER', parts: [fits], usage: inObject, metadata: inObject, toolCalls }
    await ada.append(`deep ${_what}`, message)
    await ada.get(create, { input: { metadata: inObject } })
    await ada.get(update, { input: { id: `deep ${_what}`, metadata: inObject } })

    const over = JSON.parse(shape(nest(65))) as unknown
    const overInObject = { a: fits }
    for (const more of [
      { parts: [over] },
      { usage: overInObject },
      { metadata: overInObject },
      { toolCalls: [{ ...toolCalls[0], extra: overInObject }] },
    ]) {
      const input = { conversationId: 'deeper', ifMissing: 'CREATE', message: { ...message, ...more } }
      const error = await ada.fail(append, { input })
      expect(error.extensions.code).toBe('BAD_USER_INPUT')
      expect(error.message).toContain('nested at most 64 deep')
    }
    expect((await ada.fail(create, { input: { id: 'deeper', metadata: overInObject } })).extensions.code).toBe(
      'BAD_USER_INPUT',
    )
    await expectNothingAt(ada, 'deeper')
    await ada.fail(update, { input: { id: `deep ${_what}`, metadata: overInObject } })
    const kept = await ada.get('query ($id: ID!) { conversation(id: $id) { metadata } }', { id: `deep ${_what}` })
    expect(kept.conversation.metadata).toEqual(inObject)
  })

  test('JSON in the text of a query is nested at most 64 deep, too', async () => {
    const ada = bed.server.as()
    const document = (depth: number) =>
      `mutation { appendMessage(input: { conversationId: "literal", ifMissing: CREATE, message: { role: USER, parts: [${nest(depth)}] } }) { message { parts } } }`
    expect((await ada.get(document(64))).appendMessage.message.parts).toEqual([JSON.parse(nest(64))])
    expect((await ada.fail(document(65))).message).toContain('nested at most 64 deep')
    expect((await ada.get('{ conversation(id: "literal") { lastSeq } }')).conversation.lastSeq).toBe(1)
  })

  const pages: [string, (args: string) => string, (data: Record<string, unknown>) => unknown][] = [
    [
      'messages',
      (args) =>
        `{ conversation(id: "paged") { page: messages(${args}) { nodes { id } pageInfo { hasNextPage hasPreviousPage } } } }`,
      (data) => (data.conversation as Record<string, unknown>).page,
    ],
    [
      'conversations',
      (args) => `{ page: conversations(${args}) { nodes { id } pageInfo { hasNextPage hasPreviousPage } } }`,
      (data) => data.page,
    ],
  ]

  test.each(pages)('a page of %s holds 0 to 100', async (_what, document, pageOf) => {
    const ada = bed.server.as({ 'x-user-id': 'pager' })
    await ada.append('paged', 'one')
    await ada.append('other', 'one')
    await ada.append('paged', 'two')
    const ask = async (args: string) => pageOf(await ada.get(document(args)))
    expect(await ask('first: 0')).toEqual({ nodes: [], pageInfo: { hasNextPage: true, hasPreviousPage: false } })
    expect(await ask('last: 0')).toEqual({ nodes: [], pageInfo: { hasNextPage: false, hasPreviousPage: true } })
    expect(await ask('first: 100')).toMatchObject({ nodes: [{}, {}] })
    expect(await ask('last: 100')).toMatchObject({ nodes: [{}, {}] })
    expect(await ask('first: null, last: null, after: null, before: null')).toMatchObject({ nodes: [{}, {}] })
    for (const [args, path] of [
      ['first: 101', 'first'],
      ['first: -1', 'first'],
      ['last: 101', 'last'],
      ['last: -1', 'last'],
      ['first: 1, last: 1', 'last'],
      ['first: 0, last: 0', 'last'],
    ] as const) {
      expect(await ada.fail(document(args)), args).toMatchObject(badInput(path))
    }
  })

  test('a history holds 1 to 1000, and 50 unless asked', async () => {
    const ada = bed.server.as()
    const messages = Array.from({ length: 60 }, () => ({ role: 'USER', content: 'x' }))
    await ada.get(appendMany, { input: { conversationId: 'told', ifMissing: 'CREATE', messages } })
    const ask = async (args: string) =>
      (await ada.get(`{ conversation(id: "told") { history${args} { seq } } }`)).conversation.history
    expect(await ask('(last: 1)')).toEqual([{ seq: 60 }])
    expect(await ask('(last: 1000)')).toHaveLength(60)
    expect(await ask('')).toHaveLength(50)
    expect(await ask('(last: null, beforeSeq: null)')).toHaveLength(50)
    const viaVariable = 'query ($last: Int) { conversation(id: "told") { history(last: $last) { seq } } }'
    expect((await ada.get(viaVariable, { last: null })).conversation.history).toHaveLength(50)
    for (const last of [0, -1, 1001]) {
      const error = await ada.fail(`{ conversation(id: "told") { history(last: ${last}) { seq } } }`)
      expect(error, String(last)).toMatchObject(badInput('last'))
    }
  })

  test('a batch holds 1 to 100', async () => {
    const ada = bed.server.as()
    const batch = (count: number) => Array.from({ length: count }, (_, i) => ({ role: 'USER', content: `${i}` }))
    const send = (conversationId: string, count: number) =>
      ada.ask(appendMany, { input: { conversationId, ifMissing: 'CREATE', messages: batch(count) } })
    expect((await send('batch', 1)).data.appendMessages.messages).toEqual([{ seq: 1 }])
    expect((await send('batch', 100)).data.appendMessages.messages.at(-1)).toEqual({ seq: 101 })
    expect((await send('batch-over', 101)).errors?.[0]).toMatchObject(tooLarge('input.messages', 100))
    expect((await send('batch-over', 0)).errors?.[0]).toMatchObject(badInput('input.messages'))
    await expectNothingAt(ada, 'batch-over')
  })

  test('nodes takes 0 to 100 ids', async () => {
    const ada = bed.server.as()
    const ask = (count: number) =>
      ada.ask('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: Array.from({ length: count }, () => 'none') })
    expect((await ask(0)).data).toEqual({ nodes: [] })
    expect((await ask(100)).data.nodes).toHaveLength(100)
    expect((await ask(101)).errors?.[0]).toMatchObject(tooLarge('ids', 100))
  })
})

describe('bytes', () => {
  const bed = useBed({ MAX_BODY_BYTES: '8192', MAX_MESSAGE_BYTES: '2000', MAX_METADATA_BYTES: '500' })

  /** A text of JSON of exactly so many bytes. */
  function padded(value: unknown, bytes: number): string {
    const text = JSON.stringify(value)
    return text + ' '.repeat(bytes - Buffer.byteLength(text))
  }

  const appendTo = (conversationId: string) => ({
    query: append,
    variables: { input: { conversationId, ifMissing: 'CREATE', message: { role: 'USER', content: 'é' } } },
  })

  test('a body has at most MAX_BODY_BYTES bytes', async () => {
    const ada = bed.server.as()
    const fits = await ada.post(padded(appendTo('body'), 8192))
    expect(await fits.json()).toEqual({ data: { appendMessage: { message: { seq: 1 } } } })
    const over = await ada.post(padded(appendTo('body-over'), 8193))
    expect(over.status).toBe(413)
    expect(((await over.json()) as { errors: GraphqlError[] }).errors).toMatchObject([tooLarge('body', 8192)])
    await expectNothingAt(ada, 'body-over')
  })

  test('a body that is four times too large is read, so that its sender gets the answer; a longer one is cut off', async () => {
    const ada = bed.server.as()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const { hostname, port } = new URL(ada.url)
    const post = (bytes: number) => {
      const headers = { 'content-type': 'application/json', 'content-length': bytes, ...ada.identity }
      return request({ hostname, port, path: '/graphql', method: 'POST', agent, headers })
    }
    const answerTo = async (sent: ClientRequest) => {
      const [answer] = (await once(sent, 'response')) as [IncomingMessage]
      answer.resume()
      await once(answer, 'end')
      return [answer.statusCode, answer.headers.connection === 'close' ? 'closed' : 'kept']
    }
    // The whole of it is sent only when the answer has come.
    const refused = post(4 * 8192)
    refused.flushHeaders()
    expect(await answerTo(refused)).toEqual([413, 'kept'])
    const closed = once(refused, 'close')
    refused.end(' '.repeat(4 * 8192))
    await closed
    const next = post(8192)
    next.end(padded(appendTo('next'), 8192))
    expect([await answerTo(next), next.reusedSocket]).toEqual([[200, 'kept'], true])
    const longer = post(4 * 8192 + 1)
    longer.flushHeaders()
    expect(await answerTo(longer)).toEqual([413, 'closed'])
    longer.destroy()
    agent.destroy()
  })

  test.each([
    ['that says its length', 413, '/graphql', 'content-length: 9000', 'x'.repeat(9000)],
    ['that does not', 413, '/graphql', 'transfer-encoding: chunked', `2328\r\n${'x'.repeat(0x2328)}\r\n0\r\n\r\n`],
    ['that nothing reads', 404, '/none', 'content-length: 9000', 'x'.repeat(9000)],
  ])(
    'who wants its connection closed can send its body to the end: one %s, answered %i',
    async (_name, status, path, length, body) => {
      const { url, identity } = bed.server.as()
      const fields = ['host: localhost', 'connection: close', 'content-type: application/json', length]
      for (const [name, value] of Object.entries(identity)) fields.push(`${name}: ${value}`)
      const socket = connect(Number(new URL(url).port), '127.0.0.1')
      let answers = ''
      socket.setEncoding('utf8').on('data', (text) => {
        answers += text
      })
      const closed = once(socket, 'close')
      // What comes after the limit is sent when the answer has come. The server reads it, and then refuses the request behind it,
      // which may not come after one that wanted its connection closed.
      socket.write(`POST ${path} HTTP/1.1\r\n${fields.join('\r\n')}\r\n\r\n${body.slice(0, 8500)}`)
      await until(() => answers.includes(`HTTP/1.1 ${status} `))
      socket.write(`${body.slice(8500)}GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`)
      expect(await closed).toEqual([false])
      expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual([`HTTP/1.1 ${status}`, 'HTTP/1.1 400'])
    },
  )

  test('a body that does not say its length is held to the limit, too', async () => {
    const ada = bed.server.as()
    const stream = (bytes: number, id: string) =>
      fetch(`${ada.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...ada.identity },
        body: new Blob([padded(appendTo(id), bytes)]).stream(),
        duplex: 'half',
      } as RequestInit)
    expect((await stream(8192, 'stream')).status).toBe(200)
    expect((await stream(8193, 'stream-over')).status).toBe(413)
    await expectNothingAt(ada, 'stream-over')
  })

  test('a frame has at most MAX_BODY_BYTES bytes; a longer one closes its socket with 1009', async () => {
    const frame = (id: string) => ({ id: '1', type: 'subscribe', payload: appendTo(id) })
    await using wire = await Wire.open(bed.server.url)
    wire.send(padded(frame('frame'), 8192))
    expect(await wire.answer('1')).toEqual({ data: { appendMessage: { message: { seq: 1 } } } })
    const over = await Wire.open(bed.server.url)
    over.send(padded(frame('frame-over'), 8193))
    expect((await over.closed).code).toBe(1009)
    await expectNothingAt(bed.server.as(), 'frame-over')
  })

  test('a message has at most MAX_MESSAGE_BYTES bytes, of all its fields together and in UTF-8', async () => {
    const ada = bed.server.as()
    const rest = {
      role: 'TOOL',
      name: 'é',
      parts: [{ type: 'x', '€': astral }],
      partsFormat: 'ANTHROPIC',
      toolCalls: [{ callId: 'c', name: 'é', arguments: '€', extra: { a: 1 } }],
      toolName: 'é',
      toolCallId: 'é',
      model: 'é',
      finishReason: 'é',
      usage: { é: 1 },
      metadata: { é: '€' },
      sentAt: '2026-01-01T00:00:00Z',
    }
    const used = Object.values(rest)
      .map((value) => Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value)))
      .reduce((sum, bytes) => sum + bytes)
    const left = 2000 - used - Buffer.byteLength('key')
    const content = '€'.repeat(Math.floor(left / 3)) + 'x'.repeat(left % 3)
    const fits = { ...rest, clientId: 'key', content }
    expect((await ada.append('bytes', fits)).message.seq).toBe(1)
    const send = (message: object) =>
      ada.fail(append, { input: { conversationId: 'bytes-over', ifMissing: 'CREATE', message } })
    expect(await send({ ...fits, content: `${content}x` })).toMatchObject(tooLarge('input.message', 2000))
    expect(await send({ ...fits, clientId: 'keys' })).toMatchObject(tooLarge('input.message', 2000))
    expect(await send({ ...fits, model: 'éx' })).toMatchObject(tooLarge('input.message', 2000))
    expect(await send({ ...fits, metadata: { é: '€', a: 1 } })).toMatchObject(tooLarge('input.message', 2000, 2006))
    const messages = [
      { role: 'USER', content: 'x' },
      { ...fits, content: `${content}x` },
    ]
    expect(
      await ada.fail(appendMany, { input: { conversationId: 'bytes-over', ifMissing: 'CREATE', messages } }),
    ).toMatchObject(tooLarge('input.messages[1]', 2000))
    await expectNothingAt(ada, 'bytes-over')
  })

  const metadata = (bytes: number) => ({ é: 'x'.repeat(bytes - Buffer.byteLength('{"é":""}')) })

  test('the metadata of a message and of a new conversation has at most MAX_METADATA_BYTES bytes', async () => {
    const ada = bed.server.as()
    await ada.append('meta', { role: 'USER', content: 'x', metadata: metadata(500) })
    await ada.get(create, { input: { id: 'meta-created', metadata: metadata(500) } })
    const message = { role: 'USER', content: 'x', metadata: metadata(501) }
    expect(
      await ada.fail(append, { input: { conversationId: 'meta-over', ifMissing: 'CREATE', message } }),
    ).toMatchObject(tooLarge('input.message.metadata', 500))
    expect(await ada.fail(create, { input: { id: 'meta-over', metadata: metadata(501) } })).toMatchObject(
      tooLarge('input.metadata', 500),
    )
    await expectNothingAt(ada, 'meta-over')
  })

  test('an update is held to the limit by what the merged metadata would have', async () => {
    const ada = bed.server.as()
    await ada.get(create, { input: { id: 'merged', title: 'before', metadata: metadata(400) } })
    const more = (bytes: number) => ({ b: 'y'.repeat(bytes - Buffer.byteLength(',"b":""')) })
    const fits = await ada.get(update, { input: { id: 'merged', metadata: more(100) } })
    expect(fits.updateConversation.conversation.metadata).toEqual({ ...metadata(400), ...more(100) })
    const before = await ada.get('{ conversation(id: "merged") { title metadata updatedAt cursor } }')
    const error = await ada.fail(update, {
      input: { id: 'merged', title: 'after', archived: true, metadata: more(101) },
    })
    expect(error).toMatchObject(tooLarge('input.metadata', 500))
    expect(await ada.get('{ conversation(id: "merged") { title metadata updatedAt cursor } }')).toEqual(before)
    await ada.get(update, { input: { id: 'merged', metadata: { é: 'short' } } })
    await ada.get(update, { input: { id: 'merged', metadata: more(300) } })
  })
})

const parts = (count: number) => Array.from({ length: count }, (_, i) => ({ i }))
const calls = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ callId: `c${i}`, name: 'n', arguments: '{}' }))

describe('parts and tool calls', () => {
  const bed = useBed({ MAX_PARTS: '3', MAX_TOOL_CALLS: '2' })
  const start = 'mutation ($input: StartMessageInput!) { startMessage(input: $input) { attempt message { id } } }'
  const complete =
    'mutation ($input: CompleteMessageInput!) { completeMessage(input: $input) { message { parts toolCalls { callId } } } }'
  const edit =
    'mutation ($input: EditMessageInput!) { editMessage(input: $input) { message { parts toolCalls { callId } } } }'
  const window =
    'query ($message: MessageInput!) { conversation(id: "asked") { context(maxTokens: 1000, userMessage: $message) { included } } }'

  const full = { parts: parts(3), toolCalls: calls(2) }
  const stored = { parts: full.parts, toolCalls: [{ callId: 'c0' }, { callId: 'c1' }] }
  const over: [field: string, limit: number, fields: object][] = [
    ['parts', 3, { ...full, parts: parts(4) }],
    ['toolCalls', 2, { ...full, toolCalls: calls(3) }],
  ]

  test('an appended message has at most MAX_PARTS and MAX_TOOL_CALLS of them, alone and among others', async () => {
    const ada = bed.server.as()
    expect((await ada.append('full', { role: 'ASSISTANT', ...full })).message.seq).toBe(1)
    for (const [field, limit, fields] of over) {
      const message = { role: 'ASSISTANT', ...fields }
      const to = { conversationId: 'overfull', ifMissing: 'CREATE' }
      expect(await ada.fail(append, { input: { ...to, message } })).toMatchObject(
        tooLarge(`input.message.${field}`, limit),
      )
      const messages = [{ role: 'ASSISTANT', ...full }, message]
      for (const document of [appendMany, start]) {
        expect(await ada.fail(document, { input: { ...to, messages } })).toMatchObject(
          tooLarge(`input.messages[1].${field}`, limit),
        )
      }
    }
    await expectNothingAt(ada, 'overfull')
  })

  test('so has one that is edited', async () => {
    const ada = bed.server.as()
    const { message } = await ada.append('edited', 'x')
    for (const [field, limit, fields] of over) {
      expect(await ada.fail(edit, { input: { messageId: message.id, ...fields } })).toMatchObject(
        tooLarge(`input.${field}`, limit),
      )
    }
    const { editMessage } = await ada.get(edit, { input: { messageId: message.id, ...full } })
    expect(editMessage.message).toEqual(stored)
  })

  test('so has one that is completed, and after a refusal it can be completed with fewer', async () => {
    const ada = bed.server.as()
    const { startMessage } = await ada.get(start, { input: { conversationId: 'streamed', ifMissing: 'CREATE' } })
    const end = { messageId: startMessage.message.id, attempt: startMessage.attempt, chunks: 0 }
    for (const [field, limit, fields] of over) {
      expect(await ada.fail(complete, { input: { ...end, ...fields } })).toMatchObject(
        tooLarge(`input.${field}`, limit),
      )
    }
    const { completeMessage } = await ada.get(complete, { input: { ...end, ...full } })
    expect(completeMessage.message).toEqual(stored)
  })

  test('so has the new message of a window', async () => {
    const ada = bed.server.as()
    await ada.append('asked', 'x')
    expect(await ada.get(window, { message: { role: 'USER', content: 'x', ...full } })).toEqual({
      conversation: { context: { included: 1 } },
    })
    for (const [field, limit, fields] of over) {
      expect(await ada.fail(window, { message: { role: 'USER', content: 'x', ...fields } })).toMatchObject(
        tooLarge(`userMessage.${field}`, limit),
      )
    }
  })
})

describe('parts and tool calls, unless their number is set', () => {
  const bed = useBed()

  test('a message has at most 10,000 of each', async () => {
    const ada = bed.server.as()
    const full = { role: 'ASSISTANT', parts: parts(10_000), toolCalls: calls(10_000) }
    expect((await ada.append('full', full)).message.seq).toBe(1)
    const send = (message: object) =>
      ada.fail(append, { input: { conversationId: 'overfull', ifMissing: 'CREATE', message } })
    expect(await send({ ...full, parts: parts(10_001) })).toMatchObject(tooLarge('input.message.parts', 10_000))
    expect(await send({ ...full, toolCalls: calls(10_001) })).toMatchObject(tooLarge('input.message.toolCalls', 10_000))
    await expectNothingAt(ada, 'overfull')
  })
})

describe('operations on a socket', () => {
  const bed = useBed({ MAX_SUBSCRIPTIONS: '3' })
  const follow = 'subscription Follow { messageAppended(conversationId: "busy", after: "") { node { seq } } }'

  test('at most MAX_SUBSCRIPTIONS are open at once; another may begin when one has ended', async () => {
    const ada = bed.server.as()
    await ada.append('busy', 'x')
    await using wire = await Wire.open(bed.server.url)
    await using another = await Wire.open(bed.server.url)
    for (let n = 1; n <= 3; n++) expect((await wire.ask(follow)).data.messageAppended.node.seq).toBe(1)
    expect((await wire.ask(follow)).errors?.[0]?.extensions.code).toBe('RATE_LIMITED')
    expect((await wire.ask('{ viewer { id } }')).errors?.[0]?.extensions.code).toBe('RATE_LIMITED')
    expect(bed.server.inspect().watchers).toBe(3)
    expect((await another.ask(follow)).data.messageAppended.node.seq).toBe(1)
    const ended = logged(bed.server, (entry) => entry.operation === 'Follow')
    wire.send({ id: '1', type: 'complete' })
    await ended
    expect((await wire.ask(follow)).data.messageAppended.node.seq).toBe(1)
  })
})
