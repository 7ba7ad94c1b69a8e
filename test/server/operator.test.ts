import { createHash } from 'node:crypto'
import { getNamedType, isLeafType, isObjectType, isRequiredArgument } from 'graphql'
import { SignJWT } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { describeSettings, readConfig } from '../../src/config.ts'
import { createSchema } from '../../src/graphql/schema.ts'
import type { Api, Identity } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { recordStatements } from '../support/database/statements.ts'
import { Samples } from '../support/observe/metrics.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

/* What only whoever runs the server sees; in development, as on this bed, that is everybody. */

const bed = useBed({ METRICS_PORT: '0' })
const as = (userId: string) => bed.server.as({ 'x-user-id': userId })
const root = () => as('root')

interface Figure {
  readonly name: string
  readonly labels: Record<string, string | number>
  readonly value: number
}

async function figures(): Promise<Figure[]> {
  return (await root().get('{ operator { figures { name labels value } } }')).operator.figures
}

const sum = (all: readonly Figure[], name: string, labels: Figure['labels'] = {}) =>
  all
    .filter((one) => one.name === name && Object.entries(labels).every(([label, value]) => one.labels[label] === value))
    .reduce((total, { value }) => total + value, 0)

describe('figures', () => {
  test('count what was done', async () => {
    const ada = as('counted')
    await ada.append('counted', 'first')
    await ada.append('quiet', 'first')
    const follow = 'subscription ($id: ID!) { conversationEvents(conversationId: $id) { __typename } }'
    const results = ['counted', 'quiet'].map((id) => ada.subscribe(follow, { id }))
    for (const each of results) expect((await each.next())?.data.conversationEvents.__typename).toBe('CaughtUp')
    const before = await figures()
    const messages = [1, 2].map((n) => ({ role: 'USER', content: `${n}` }))
    await ada.get('mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { messages { seq } } }', {
      input: { conversationId: 'counted', messages },
    })
    await results[0]?.take(2)
    await ada.fail('{ conversation(id: "counted") { messages(first: 1000) { nodes { id } } } }')
    const refused = { code: 'BAD_USER_INPUT' }
    await until(async () => sum(await figures(), 'colloquy_operations_total', refused) === 1)
    const after = await figures()
    const grown = (name: string) => sum(after, name) - sum(before, name)
    expect(grown('colloquy_appends_total')).toBe(1)
    expect(grown('colloquy_append_messages_total')).toBe(2)
    expect(grown('colloquy_deliveries_total')).toBe(2)
    expect(grown('colloquy_delivery_lag_seconds_count')).toBe(2)
    expect(sum(after, 'colloquy_watchers')).toBe(2)
    expect(sum(after, 'colloquy_watched_keys')).toBe(2)
    expect(sum(after, 'colloquy_sockets')).toBe(2)
    expect(sum(after, 'colloquy_pool_size')).toBe(16)
    for (const each of results) await each[Symbol.asyncDispose]()
    await until(async () => sum(await figures(), 'colloquy_sockets') === 0)
  })

  test('are metrics by their names, and none that reading changes', async () => {
    const { values } = await Samples.read(bed.server.metricsUrl)
    const told = new Set((await figures()).map(({ name }) => name))
    const known = new Set([...values.keys()].map((name) => name.replace(/\{.*/, '')))
    expect([...told].filter((name) => !known.has(name))).toEqual([])
    expect(told.has('colloquy_event_loop_delay_seconds')).toBe(false)
    expect(told.size).toBeGreaterThan(17)
    expect(await recordStatements(bed.database, () => figures())).toEqual([])
  })
})

const recorded = 'conversationId ownerId ownId lastSeq revision archivedAt deletedAt watchers watchedBy'
const find = `query ($id: ID!, $userId: String) { operator { conversation(id: $id, userId: $userId) { ${recorded} } } }`
const found = async (id: string, userId?: string) => (await root().get(find, { id, userId })).operator.conversation

describe('a conversation', () => {
  let ada: Api
  let message: string
  let opaque: string

  beforeAll(async () => {
    ada = as('ada')
    const { message: first } = await ada.append('found', { role: 'USER', content: 'grüße' })
    message = first.id
    opaque = (await found('found', 'ada')).conversationId
  })

  test("is found by its opaque id, by a message's, and by its owner's own", async () => {
    const expected = { ownerId: 'ada', ownId: 'found', lastSeq: 1, archivedAt: null, deletedAt: null, watchers: 0 }
    expect(opaque).toMatch(/^cnv_/)
    for (const record of [await found(opaque), await found(message), await found('found', 'ada')]) {
      expect(record).toMatchObject({ ...expected, conversationId: opaque })
    }
    expect((await ada.get(`{ conversation(id: "${opaque}") { id } }`)).conversation.id).toBe('found')
  })

  test('that there is not is null, and an own id needs its owner', async () => {
    expect(await found('found', 'bob')).toBeNull()
    expect(await found(opaque.replace(/.$/, opaque.endsWith('A') ? 'Q' : 'A'))).toBeNull()
    for (const id of ['msg_x', 'usr_ada', 'client:x', 'x'.repeat(1_000)])
      expect([id, await found(id, 'ada')]).toEqual([id, null])
    for (const variables of [{ id: 'found' }, { id: 'found', userId: '' }, { id: 'found', userId: 'a\0' }]) {
      expect((await root().fail(find, variables)).extensions).toMatchObject({ code: 'BAD_USER_INPUT' })
    }
    expect((await root().fail(find, { id: 'found', userId: 'a'.repeat(256) })).extensions).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      limit: 255,
    })
  })

  test('is remembered when it was deleted, and is another one when it was created again', async () => {
    await ada.append('gone', 'first')
    const { conversationId } = await found('gone', 'ada')
    await ada.get('mutation { deleteConversation(input: { id: "gone" }) { deletedConversationId } }')
    expect(await found(conversationId)).toMatchObject({ ownId: 'gone', deletedAt: expect.stringMatching(/Z$/) })
    await ada.append('gone', 'second')
    expect(await found(conversationId)).toBeNull()
    expect(await found('gone', 'ada')).toMatchObject({ lastSeq: 1, deletedAt: null })
  })

  test('tells who watches it on this server, and a list does not count', async () => {
    const part = 'mutation ($input: AddParticipantInput!) { addParticipant(input: $input) { __typename } }'
    await ada.get(part, { input: { conversationId: 'found', userId: 'eve', role: 'MEMBER' } })
    const follow = `subscription { conversationEvents(conversationId: "${opaque}", after: "") { cursor } }`
    const feeds = [ada, ada, as('eve')].map((api) => api.subscribe(follow))
    const list = as('eve').subscribe('subscription { conversationsChanged(after: "") { __typename } }')
    feeds.push(list, ada.subscribe('subscription { messageAppended(conversationId: "found", after: "") { cursor } }'))
    for (const feed of feeds) await feed.next()
    expect(await found(opaque)).toMatchObject({ watchers: 4, watchedBy: ['ada', 'eve'] })
    for (const feed of feeds) await feed[Symbol.asyncDispose]()
    await until(async () => (await found(opaque)).watchers === 0)
  })

  test('has a log by place and by revision, without a word of what was said', async () => {
    const { message: edited } = await ada.append('log', { role: 'USER', content: 'grüße' })
    await ada.append('log', { role: 'ASSISTANT', content: 'never changed' })
    const { message: deleted } = await ada.append('log', { role: 'USER', content: 'soon gone' })
    await ada.get(`mutation { deleteMessage(input: { messageId: "${deleted.id}" }) { message { id } } }`)
    await ada.get(
      `mutation { editMessage(input: { messageId: "${edited.id}", content: "grüßen" }) { message { id } } }`,
    )
    const entry = 'messageId seq revision role status author { userId kind name } bytes editedAt deletedAt'
    const read = (args: string, more: string) =>
      root().ask(
        `{ operator { conversation(id: "log", userId: "ada") { log${args} { ${entry} } changed${more} { ${entry} } } } }`,
      )
    const { data } = await read('', '')
    const { log, changed } = data.operator.conversation
    const author = { userId: 'ada', kind: 'USER', name: null }
    expect(log).toMatchObject([
      {
        seq: 3,
        revision: '4',
        role: 'USER',
        status: 'COMPLETE',
        author,
        deletedAt: expect.any(String),
        editedAt: null,
      },
      {
        seq: 2,
        revision: null,
        role: 'ASSISTANT',
        author,
        bytes: 'ASSISTANT'.length + 13,
        deletedAt: null,
        editedAt: null,
      },
      {
        seq: 1,
        revision: '5',
        author,
        bytes: 'USER'.length + 8,
        messageId: edited.id,
        editedAt: expect.any(String),
        deletedAt: null,
      },
    ])
    expect(changed.map(({ seq }: { seq: number }) => seq)).toEqual([1, 3])
    const page = (await read('(first: 1, beforeSeq: 3)', '(first: 1, beforeRevision: "5")')).data.operator.conversation
    expect([page.log, page.changed].map(([one]) => one.seq)).toEqual([2, 3])
    const all = (await read('(first: 100)', '(first: 100)')).errors
    expect(all).toBeUndefined()
    for (const [args, more] of [
      ['(first: 101)', ''],
      ['', '(first: 101)'],
      ['', '(beforeRevision: "-1")'],
    ] as const) {
      expect((await read(args, more)).errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT')
    }
  })

  test('stands in the list of everybody who takes part, page by page', async () => {
    const bob = as('lister')
    for (const id of ['one', 'two', 'three']) await bob.append(id, 'x')
    const list = `query ($first: Int, $after: String) { operator { conversations(userId: "lister", first: $first, after: $after) {
      nodes { ownId ownerId lastSeq } pageInfo { endCursor hasNextPage hasPreviousPage } } } }`
    const first = (await root().get(list, { first: 2 })).operator.conversations
    expect(first.nodes).toEqual([
      { ownId: 'three', ownerId: 'lister', lastSeq: 1 },
      { ownId: 'two', ownerId: 'lister', lastSeq: 1 },
    ])
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false })
    const rest = (await root().get(list, { after: first.pageInfo.endCursor })).operator.conversations
    expect(rest.nodes.map(({ ownId }: { ownId: string }) => ownId)).toEqual(['one'])
    expect(rest.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true })
    expect((await root().fail(list, { first: 101 })).extensions.code).toBe('BAD_USER_INPUT')
  })
})

test('streams are told: those that expire first, and those that hang', async () => {
  const start = (user: string, timeoutSeconds: number) =>
    as(user).get(
      `mutation { startMessage(input: { conversationId: "streams", role: ASSISTANT, ifMissing: CREATE, timeoutSeconds: ${timeoutSeconds} }) { message { id } } }`,
    )
  const [long, short, hangs, deleted] = ['long', 'short', 'hangs', 'deleted']
  await start(long as string, 3_600)
  const { startMessage } = await start(short as string, 60)
  await start(hangs as string, 600)
  await start(deleted as string, 60)
  await as(short as string).get(
    `mutation { appendMessageText(input: { messageId: "${startMessage.message.id}", attempt: 1, chunk: 0, text: "grün" }) { nextChunk } }`,
  )
  const client = await bed.database.connect()
  // As it is until its messages are removed.
  await client.query("update conversation set deleted_at = now() where user_id = 'deleted'")
  await client.query(
    `update message_stream s set expires_at = now() - interval '1 second' from conversation c
     where c.key = s.conversation_key and c.user_id = 'hangs'`,
  )
  const query = `query ($first: Int) { operator { streams(first: $first) {
    messageId seq attempt chunks bytes isOverdue startedAt lastSignAt expiresAt conversation { ownerId ownId } } } }`
  const read = async (first?: number) => (await root().get(query, { first })).operator.streams
  await until(async () => (await read(2))[1].chunks === 1)
  const streams = await read()
  expect(streams).toMatchObject([
    { conversation: { ownerId: 'hangs', ownId: 'streams' }, seq: 1, isOverdue: true, chunks: 0, bytes: 0 },
    { messageId: startMessage.message.id, isOverdue: false, chunks: 1, bytes: 5, attempt: 1 },
    { conversation: { ownerId: 'long' }, isOverdue: false },
  ])
  const [, { lastSignAt, expiresAt, startedAt }] = streams
  expect(Date.parse(expiresAt) - Date.parse(lastSignAt)).toBe(60_000)
  expect(Date.parse(lastSignAt)).toBeGreaterThanOrEqual(Date.parse(startedAt))
  expect((await read(2)).map(({ seq }: { seq: number }) => seq)).toHaveLength(2)
  expect((await root().fail(query, { first: 101 })).extensions.code).toBe('BAD_USER_INPUT')
})

describe('with an identity', () => {
  const AUTH_SECRET = 'a secret of thirty-two bytes, or more'
  const hash = createHash('sha256').update('key').digest('hex')
  const password = 'hidden-password'
  const settings = {
    AUTH_SECRET,
    AUTH_ROLES_CLAIM: 'scope',
    AUTH_SERVICE_KEYS: `crm:${hash}:import`,
    OPENAI_API_KEY: 'hidden-key',
    OPENAI_BASE_URL: `http://user:${password}@127.0.0.1:1/v1?key=${password}`,
  }
  const token = async (scope: string) => {
    const signed = new SignJWT({ sub: 'someone', scope }).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h')
    return { authorization: `Bearer ${await signed.sign(new TextEncoder().encode(AUTH_SECRET))}` }
  }

  test('an operator alone may ask, also while it acts for somebody; others get FORBIDDEN for every field, and no secret is told', async () => {
    await using server = await serve(bed.database.url, settings)
    const others: Identity[] = [
      await token(''),
      await token('colloquy:read colloquy:import operator'),
      { 'x-service-key': 'key', 'x-user-id': 'someone' },
    ]
    const schema = createSchema()
    const type = schema.getType('Operator')
    if (!isObjectType(type)) throw new Error('there is no Operator')
    const documents = Object.values(type.getFields()).map((field) => {
      const args = field.args.filter(isRequiredArgument).map(({ name }) => `${name}: "x"`)
      const given = args.length === 0 ? '' : `(${args.join(', ')})`
      const selection = isLeafType(getNamedType(field.type)) ? '' : ' { __typename }'
      return `{ operator { ${field.name}${given}${selection} } }`
    })
    expect(documents).toHaveLength(8)
    for (const identity of others) {
      for (const document of documents) {
        const { data, errors } = await server.as(identity).ask(document)
        expect([document, data, errors?.map(({ extensions }) => extensions.code)]).toEqual([
          document,
          { operator: null },
          ['FORBIDDEN'],
        ])
      }
    }
    const operator = server.as(await token('colloquy:operator colloquy:read'))
    const acting = server.as({ ...(await token('colloquy:operator')), 'x-user-id': 'ada' })
    for (const api of [operator, acting]) {
      expect((await api.get('{ operator { server } }')).operator.server).toMatch(new RegExp(`/${process.pid}$`))
    }
    const everything = '{ operator { server version startedAt settings { name value isGiven isSecret meaning } } }'
    const answer = await operator.get(everything)
    const text = JSON.stringify(answer)
    const url = new URL(bed.database.url)
    for (const secret of [AUTH_SECRET, hash, password, 'hidden-key', bed.database.url, url.pathname.slice(1)]) {
      expect([secret, text.includes(secret)]).toEqual([secret, false])
    }
    const named = Object.fromEntries(answer.operator.settings.map(({ name, ...one }: { name: string }) => [name, one]))
    expect(Object.keys(named)).toEqual(describeSettings().map(({ name }) => name))
    expect(named.AUTH_SECRET).toMatchObject({ value: null, isGiven: true, isSecret: true })
    expect(named.NATS_URL).toMatchObject({ value: null, isGiven: false, isSecret: true })
    expect(named.AUTH_ROLES_CLAIM).toMatchObject({ value: 'scope', isGiven: true, isSecret: false })
    expect(named.POOL_SIZE).toMatchObject({ value: '16', isGiven: false })
    expect(named.OPENAI_BASE_URL).toMatchObject({ value: 'http://127.0.0.1:1/v1…', isGiven: true })
  })

  test('a setting that may hold a secret is one, or its value is told without what is secret', () => {
    const { settings } = readConfig({})
    const suspicious = settings.filter(({ name }) => /SECRET|KEY|TOKEN|PASSWORD|_URL$/.test(name))
    const open = suspicious.filter(({ isSecret }) => !isSecret).map(({ name }) => name)
    // Numbers, and addresses whose user and query are left out.
    const counts = ['AUTH_KEYS_HOURS', 'MAX_BODY_KEYS', 'MAX_QUERY_TOKENS']
    expect(open.sort()).toEqual(['AUTH_JWKS_URL', ...counts, 'OPENAI_BASE_URL', 'WEB_TOKEN_URL'].sort())
    const url = 'https://id.example/keys?key=hidden'
    const told = readConfig({ AUTH_JWKS_URL: url }).settings.find(({ name }) => name === 'AUTH_JWKS_URL')
    expect(told?.value).toBe('https://id.example/keys…')
  })
})
