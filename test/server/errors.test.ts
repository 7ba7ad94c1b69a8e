import { afterEach, describe, expect, test } from 'vitest'
import type { Answer } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { EventStreamReader } from '../support/network/event-stream.ts'
import { Wire } from '../support/network/wire.ts'
import { logged } from '../support/observe/logged.ts'

const append = 'mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { message { id seq } } }'
const create = 'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { created } }'
const remove =
  'mutation ($input: DeleteConversationInput!) { deleteConversation(input: $input) { deletedConversationId } }'
const update =
  'mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) { conversation { id } } }'
const follow =
  'subscription ($id: ID!, $after: String) { messageAppended(conversationId: $id, after: $after) { cursor } }'
const message = { role: 'USER', content: 'x' }

describe('codes and their extensions', () => {
  const bed = useBed()

  /** The one error of an operation, which is the same over HTTP and on a socket. */
  async function failBoth(query: string, variables: Record<string, unknown>) {
    const { errors } = await bed.server.as().ask(query, variables)
    await using wire = await Wire.open(bed.server.url)
    const onSocket = await wire.ask(query, variables)
    expect(errors).toHaveLength(1)
    expect(onSocket.errors).toEqual(errors)
    return errors?.[0]
  }

  async function failSubscription(variables: Record<string, unknown>) {
    await using wire = await Wire.open(bed.server.url)
    const { data, errors } = await wire.ask(follow, variables)
    expect(data ?? null).toBeNull()
    expect(errors).toHaveLength(1)
    return errors?.[0]?.extensions
  }

  test('NOT_FOUND: a conversation that a mutation or a subscription cannot reach', async () => {
    const missing = { code: 'NOT_FOUND' }
    expect((await failBoth(append, { input: { conversationId: 'none', message } }))?.extensions).toEqual(missing)
    expect((await failBoth(update, { input: { id: 'none', title: 't' } }))?.extensions).toEqual(missing)
    expect((await failBoth(remove, { input: { id: 'none' } }))?.extensions).toEqual(missing)
    expect(await failSubscription({ id: 'none' })).toEqual(missing)
  })

  test('CONFLICT, EXISTS: a conversation that is there already', async () => {
    await bed.server.as().append('there', 'x')
    expect((await failBoth(create, { input: { id: 'there' } }))?.extensions).toEqual({
      code: 'CONFLICT',
      reason: 'EXISTS',
    })
  })

  test('CONFLICT, CLIENT_ID: the client id of another message, which it names', async () => {
    const { message: stored } = await bed.server.as().append('taken', { ...message, clientId: 'key' })
    const input = { conversationId: 'taken', message: { ...message, content: 'y', clientId: 'key' } }
    expect((await failBoth(append, { input }))?.extensions).toEqual({
      code: 'CONFLICT',
      reason: 'CLIENT_ID',
      messageId: stored.id,
    })
  })

  test('CONFLICT, LAST_SEQ: a conversation that went on, and to where', async () => {
    await bed.server.as().append('moved', 'x')
    const input = { conversationId: 'moved', ifLastSeq: 0, message }
    expect((await failBoth(append, { input }))?.extensions).toEqual({
      code: 'CONFLICT',
      reason: 'LAST_SEQ',
      lastSeq: 1,
    })
  })

  test('CURSOR_EXPIRED: a cursor of an earlier conversation of the same id', async () => {
    const ada = bed.server.as()
    const { messageEdge } = await ada.append('again', 'x')
    await ada.get(remove, { input: { id: 'again' } })
    await ada.append('again', 'x')
    const page = 'query ($after: String) { conversation(id: "again") { messages(after: $after) { nodes { seq } } } }'
    const expired = { code: 'CURSOR_EXPIRED' }
    expect((await failBoth(page, { after: messageEdge.cursor }))?.extensions).toEqual(expired)
    expect(await failSubscription({ id: 'again', after: messageEdge.cursor })).toEqual(expired)
  })

  test('BAD_USER_INPUT: what is wrong, and where it stands', async () => {
    await bed.server.as().append('cursors', 'x')
    const list = 'query ($after: String) { conversations(after: $after) { nodes { id } } }'
    const page = 'query ($after: String) { conversation(id: "cursors") { messages(after: $after) { nodes { seq } } } }'
    const one =
      'query ($seq: Int, $key: String) { conversation(id: "cursors") { message(seq: $seq, clientId: $key) { seq } } }'
    const forged = (time: string) =>
      Buffer.concat([Buffer.of(2), Buffer.alloc(16), Buffer.from(time)]).toString('base64url')
    for (const [query, variables, path] of [
      [append, { input: { conversationId: 'new', ifMissing: 'CREATE', message: { role: 'USER' } } }, 'input.message'],
      [
        append,
        { input: { conversationId: 'new', message: { role: 'TOOL', content: 'x' } } },
        'input.message.toolCallId',
      ],
      [append, { input: { conversationId: 'new', ifLastSeq: -1, message } }, 'input.ifLastSeq'],
      [create, { input: { id: 'msg_1' } }, 'input.id'],
      [one, { seq: 1, key: 'k' }, 'seq'],
      [one, {}, 'seq'],
      [page, { after: 'nonsense' }, 'after'],
      [list, { after: 'nonsense' }, 'after'],
      [list, { after: forged('2026-02-30T00:00:00Z') }, 'after'],
      [list, { after: forged('0000-01-01T00:00:00Z') }, 'after'],
    ] as const) {
      expect((await failBoth(query, variables))?.extensions, path).toEqual({ code: 'BAD_USER_INPUT', path })
    }
    expect(await failSubscription({ id: 'cursors', after: 'nonsense' })).toEqual({
      code: 'BAD_USER_INPUT',
      path: 'after',
    })
  })

  test('PAYLOAD_TOO_LARGE: what is too large, the limit, and how large it is', async () => {
    const input = { id: 'x'.repeat(130) }
    expect((await failBoth(create, { input }))?.extensions).toEqual({
      code: 'PAYLOAD_TOO_LARGE',
      path: 'input.id',
      limit: 128,
      actual: 130,
    })
  })

  test("GraphQL's own errors have the codes that Apollo gives them", async () => {
    expect((await failBoth('{ viewer { id }', {}))?.extensions.code).toBe('GRAPHQL_PARSE_FAILED')
    expect((await failBoth('', {}))?.extensions.code).toBe('GRAPHQL_PARSE_FAILED')
    expect((await failBoth('{ nothing }', {}))?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED')
    expect((await failBoth(create, {}))?.extensions.code).toBe('BAD_USER_INPUT')
    expect((await failBoth(create, { input: { id: { a: 1 } } }))?.extensions.code).toBe('BAD_USER_INPUT')
    expect((await failBoth('query A { viewer { id } } query B { viewer { id } }', {}))?.extensions.code).toBe(
      'BAD_USER_INPUT',
    )
    expect(await failSubscription({ id: { a: 1 } })).toMatchObject({ code: 'BAD_USER_INPUT' })
  })

  const followed = 'messageAppended(conversationId: "conditions")'
  test.each([
    ['subscription ($s: Boolean!)', `${followed} @skip(if: $s) { cursor }`],
    ['subscription ($s: Boolean! = false)', `${followed} @include(if: $s) { cursor }`],
    ['subscription', `${followed} @skip(if: true) { cursor }`],
    ['subscription', `${followed} @include(if: true) { cursor }`],
    ['subscription', `${followed} @skip { cursor }`],
    ['subscription', `${followed} @include(if: "no") { cursor }`],
    ['subscription', `... @skip(if: true) { ${followed} { cursor } }`],
    ['subscription', '...F @include(if: false)'],
    ['subscription', '...G @include(if: true)'],
    ['query A { viewer { id } } subscription B', '...H'],
  ])('a condition on what a subscription selects of its root is refused everywhere: %s { %s }', async (head, root) => {
    await bed.server.as().append('conditions', 'x')
    const fragments = `fragment F on Subscription { ${followed} { cursor } } fragment G on Subscription { ...F }
      fragment H on Subscription { ... { ...G @skip(if: false) } }`
    const query = `${head} { ${root} } ${fragments}`
    const error = await failBoth(query, { s: false })
    expect(error?.extensions).toEqual({ code: 'GRAPHQL_VALIDATION_FAILED' })
    expect(error?.message).toMatch(/^A root field of a subscription takes no @skip and no @include\./)
    await using stream = await EventStreamReader.open(bed.server.url, {
      query,
      variables: { s: false },
      identity: { 'x-user-id': 'ada' },
    })
    expect((await stream.result()).errors).toEqual([error])
  })

  test('conditions beneath the root of a subscription hold', async () => {
    await bed.server.as().append('beneath', 'x')
    await using wire = await Wire.open(bed.server.url)
    const query = `subscription ($s: Boolean!) { messageAppended(conversationId: "beneath", after: "") { ...E @include(if: $s) __typename } }
      fragment E on MessageEdge { node { seq role @skip(if: $s) } }`
    const { data } = await wire.ask(query, { s: true })
    expect(data.messageAppended).toEqual({ node: { seq: 1 }, __typename: 'MessageEdge' })
  })

  test.each([
    ['{ conversations(filter: { updatedAfter: "yesterday" }) { nodes { id } } }', 41],
    ['{ conversations(filter: { updatedAfter: "2026-02-30T00:00:00Z" }) { nodes { id } } }', 41],
    ['{ conversations(filter: { metadata: "red" }) { nodes { id } } }', 37],
    ['{ conversations(filter: { metadata: ["red"] }) { nodes { id } } }', 37],
    ['{ conversations(filter: { metadata: { n: 12345678901234567890 } }) { nodes { id } } }', 42],
  ])('a value in a document that its type does not take is shown by its place: %s', async (query, column) => {
    const { errors } = await bed.server.as().ask(query)
    expect(errors).toMatchObject([{ locations: [{ line: 1, column }] }])
  })

  test('an error in one operation leaves the others of its socket alone', async () => {
    await bed.server.as().append('alone', 'x')
    await using wire = await Wire.open(bed.server.url)
    const feed = wire.subscribe(follow, { id: 'alone', after: '' })
    // It has begun: what is appended from now on comes.
    await wire.answer(feed)
    await wire.ask('{ syntax')
    await wire.ask('{ nothing }')
    await wire.ask(follow, { id: 'none' })
    await bed.server.as().append('alone', 'y')
    expect((await wire.answer(feed)).errors).toBeUndefined()
  })
})

describe('HTTP', () => {
  const bed = useBed()
  const bodies: [string, object][] = [
    ['a syntax error', { query: '{ viewer' }],
    ['a validation error', { query: '{ nothing }' }],
    ['a variable error', { query: create, variables: { input: 1 } }],
    ['a limit that is passed', { query: '{ viewer { id } }'.padEnd(40_000) }],
    ['an operation that is not there', { query: '{ viewer { id } }', operationName: 'None' }],
    ['a subscription', { query: follow, variables: { id: 'x' } }],
  ]

  test.each(bodies)(
    '%s is 200 for application/json, and 400 for application/graphql-response+json',
    async (_what, body) => {
      const post = async (accept: string) => {
        const response = await bed.server.as().post(JSON.stringify(body), { accept })
        const type = response.headers.get('content-type')?.split(';')[0]
        return [response.status, type, ((await response.json()) as Answer).errors?.[0]?.extensions.code]
      }
      const [, , code] = await post('*/*')
      expect(code).toBeTypeOf('string')
      expect(await post('application/json')).toEqual([200, 'application/json', code])
      expect(await post('application/graphql-response+json')).toEqual([400, 'application/graphql-response+json', code])
      expect(await post('application/graphql-response+json, application/json;q=0.9')).toEqual([
        400,
        'application/graphql-response+json',
        code,
      ])
    },
  )

  test('a subscription is refused, and says where it goes', async () => {
    const error = await bed.server.as().fail(follow, { id: 'x' })
    expect(error).toMatchObject({
      message: expect.stringContaining('WebSocket'),
      extensions: { code: 'BAD_USER_INPUT' },
    })
  })

  test.each(['PUT', 'PATCH', 'DELETE'])('%s /graphql is 405 and says what is allowed', async (method) => {
    const response = await fetch(`${bed.server.url}/graphql?query={viewer{id}}`, { method })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET, HEAD, POST')
    expect(((await response.json()) as Answer).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
  })

  test('another path is 404', async () => {
    const response = await fetch(`${bed.server.url}/else`, { method: 'POST' })
    expect(response.status).toBe(404)
    expect(((await response.json()) as Answer).errors).toMatchObject([{ extensions: { code: 'NOT_FOUND' } }])
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/graphql',
  ])('a body of type %s is 415', async (type) => {
    const response = await bed.server.as().post('{"query":"{viewer{id}}"}', { 'content-type': type })
    expect(response.status).toBe(415)
    expect(((await response.json()) as Answer).errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
  })

  test.each([
    '',
    '{',
    'null',
    '5',
    '"{viewer{id}}"',
    '[]',
    '[{"query":"{viewer{id}}"},{"query":"{viewer{id}}"}]',
    '{}',
    '{"query":null}',
    '{"query":["{viewer{id}}"]}',
    '{"query":"{viewer{id}}","variables":"{}"}',
    '{"query":"{viewer{id}}","variables":[]}',
    '{"query":"{viewer{id}}","operationName":5}',
    '{"query":"{viewer{id}}","extensions":[]}',
  ])('the body %s is 400, whatever the client accepts', async (body) => {
    for (const accept of ['*/*', 'application/json', 'application/graphql-response+json']) {
      const response = await bed.server.as().post(body, { accept })
      expect(response.status).toBe(400)
      const { data, errors } = (await response.json()) as Answer
      expect(data).toBeUndefined()
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
    }
  })

  test.each(['nonsense', '[]', '{"type":"subscribe"}', '{"id":"1","type":"subscribe","payload":{"query":5}}'])(
    'the frame %s closes its socket with 4400',
    async (frame) => {
      const wire = await Wire.open(bed.server.url)
      wire.send(frame)
      expect((await wire.closed).code).toBe(4400)
    },
  )

  test('every answer has the id of its request, which the log has too', async () => {
    const response = await bed.server.as().post('{"query":"query Traced { viewer { id } }"}')
    await response.text()
    const requestId = response.headers.get('x-request-id')
    expect(requestId).toMatch(/^[0-9a-f-]{36}$/)
    expect(await logged(bed.server, (entry) => entry.requestId === requestId)).toMatchObject({
      operation: 'Traced',
      viewer: 'ada',
      status: 200,
      over: 'http',
    })
  })
})

describe('the log', () => {
  const bed = useBed()

  test('tells nothing of what is written and of what is refused', async () => {
    const ada = bed.server.as()
    await using wire = await Wire.open(bed.server.url)
    const secret = 'a-secret'
    const full = {
      role: 'TOOL',
      name: secret,
      content: secret,
      parts: [{ secret }],
      toolCalls: [{ callId: secret, name: secret, arguments: secret, extra: { secret } }],
      toolName: secret,
      toolCallId: secret,
      metadata: { secret },
    }
    const input = { conversationId: 'logged', ifMissing: 'CREATE', message: full }
    const refused = { ...input, message: { ...full, content: `${secret}\0` } }
    const metadata = { secret: ['\ud800', secret] }
    const asked: [string, Record<string, unknown>][] = [
      [append, { input }],
      [append, { input: refused }],
      [append, { input: { ...input, message: { ...full, role: secret } } }],
      [append, { input: { ...input, message: { ...full, metadata } } }],
      [update, { input: { id: 'logged', title: secret, metadata: { secret } } }],
      [`mutation { appendMessage(input: { message: { content: "${secret}" } }) { nothing } }`, {}],
      [`{ conversation(id: "logged") { lastMessage { content(a: "${secret}") ${secret}`, {}],
      ['{ conversation(id: "logged") { lastMessage { content parts } } }', {}],
    ]
    for (const [query, variables] of asked) {
      await ada.ask(query, variables)
      await wire.ask(query, variables)
    }
    await wire.ask(follow, { id: 'logged', after: secret })
    await ada.post(`{"query": "${secret}`)
    const last = logged(bed.server, (entry) => entry.operation === 'Last')
    await ada.get('query Last { viewer { id } }')
    await last
    expect(bed.server.logged.length).toBeGreaterThan(asked.length)
    expect(JSON.stringify(bed.server.logged)).not.toContain(secret)
  })
})

describe('what nobody expected', () => {
  const bed = useBed()
  const undo: string[] = []

  afterEach(async () => {
    const client = await bed.database.connect()
    for (const sql of undo.splice(0)) await client.query(sql)
  })

  async function breakDatabase(sql: string, back: string): Promise<void> {
    const client = await bed.database.connect()
    await client.query(sql)
    undo.push(back)
  }

  /** What a caller must never read: the driver's words, SQL, names of files and tables, and its own text. */
  const inside =
    /select|insert|update|relation|column|constraint|violat|23514|42703|postgres|pg-|node_modules|\.ts|\.js|at \w+ \(|hidden|secret_rule|DriverException/i

  function expectMasked(answer: Answer, text: string): void {
    expect(answer.errors).toHaveLength(1)
    const [error] = answer.errors ?? []
    expect(error?.extensions).toEqual({
      code: 'INTERNAL_SERVER_ERROR',
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    expect(text.replace(/"(path|locations)":\[[^\]]*\]|"data":\{"\w+":null\}/g, '')).not.toMatch(inside)
    const entries = bed.server.logged.filter((entry) => entry.requestId === error?.extensions.requestId)
    expect(entries).toContainEqual(
      expect.objectContaining({ err: expect.objectContaining({ stack: expect.any(String) }) }),
    )
  }

  async function askEachWay(query: string, variables?: unknown): Promise<void> {
    const response = await bed.server.as().post(JSON.stringify({ query, variables }))
    const text = await response.text()
    expectMasked(JSON.parse(text) as Answer, text)
    await using wire = await Wire.open(bed.server.url)
    const answer = await wire.ask(query, variables)
    expectMasked(answer, JSON.stringify(answer))
    expect((await wire.ask('{ viewer { userId } }')).data).toEqual({ viewer: { userId: 'ada' } })
  }

  test('is masked when a statement fails, and what was written stays out of the log', async () => {
    await breakDatabase(
      `alter table message add constraint secret_rule check (content <> 'hidden words') not valid`,
      'alter table message drop constraint secret_rule',
    )
    const input = { conversationId: 'hidden', ifMissing: 'CREATE', message: { role: 'USER', content: 'hidden words' } }
    await askEachWay(append, { input })
    expect(JSON.stringify(bed.server.logged)).toContain('secret_rule')
    expect(JSON.stringify(bed.server.logged)).not.toContain('hidden words')
  })

  test('is masked when a column is gone', async () => {
    await bed.server.as().append('columns', 'x')
    await breakDatabase(
      'alter table conversation rename column title to caption',
      'alter table conversation rename column caption to title',
    )
    await askEachWay('{ conversation(id: "columns") { title } }')
    await using wire = await Wire.open(bed.server.url)
    const answer = await wire.ask(follow, { id: 'columns' })
    expectMasked(answer, JSON.stringify(answer))
  })

  test('is masked when the unit of work fails, and what was written stays out of the log', async () => {
    await bed.server.as().append('unit', 'x')
    await breakDatabase(
      `alter table conversation add constraint secret_rule check (title <> 'hidden title') not valid`,
      'alter table conversation drop constraint secret_rule',
    )
    await askEachWay(update, { input: { id: 'unit', title: 'hidden title' } })
    expect(JSON.stringify(bed.server.logged)).not.toContain('hidden title')
  })
})
