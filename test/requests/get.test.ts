import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Answer } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { request } from '../support/network/request.ts'
import { expectNothingOpenAfterEach } from '../support/nothing-open.ts'

const bed = useBed({ CORS_ORIGINS: 'https://app.example' })

expectNothingOpenAfterEach(bed)

const ada = { 'x-user-id': 'ada' }
const whoAmI = '{ viewer { userId } }'
const isAda = { data: { viewer: { userId: 'ada' } } }

/** A GET with parameters as they are, and with headers that `fetch` would not send. */
async function get(parameters: Record<string, string>, headers: Record<string, string> = {}, method = 'GET') {
  const url = `${bed.server.url}/graphql?${new URLSearchParams(parameters)}`
  const answer = await request(url, method, { ...ada, ...headers })
  return { ...answer, json: (answer.body === '' ? null : JSON.parse(answer.body)) as Answer }
}

describe('a query', () => {
  test('is answered as by POST, with its variables and its name', async () => {
    const query = `
      query Page($id: ID!, $first: Int) { conversation(id: $id) { messages(first: $first) { nodes { content } } } }
      query Other { viewer { userId } }`
    for (let n = 0; n < 3; n++) await bed.server.as().append('page', `ünï 𝄞 ${n} + %`)
    const variables = { id: 'page', first: 2 }
    const { status, json } = await get({ query, operationName: 'Page', variables: JSON.stringify(variables) })
    expect(status).toBe(200)
    expect(json.data.conversation.messages.nodes).toEqual([{ content: 'ünï 𝄞 0 + %' }, { content: 'ünï 𝄞 1 + %' }])
    const body = JSON.stringify({ query, operationName: 'Page', variables })
    expect(json).toEqual(await (await bed.server.as().post(body)).json())
    expect((await get({ query, operationName: 'Other' })).json).toEqual(isAda)
  })

  test('takes empty parameters and null as none', async () => {
    const none = { operationName: '', variables: '', extensions: '' }
    expect((await get({ query: whoAmI, ...none })).json).toEqual(isAda)
    expect((await get({ query: whoAmI, variables: 'null', extensions: 'null' })).json).toEqual(isAda)
  })

  test('is not kept by any cache, whether it is answered or refused', async () => {
    const answers = [
      await get({ query: whoAmI }),
      await get({ query: whoAmI }, { accept: 'application/json' }),
      await get({ query: whoAmI }, { origin: 'https://app.example' }),
      await get({ query: '{ nothing }' }),
      await get({ query: 'mutation { __typename }' }),
      await get({}),
      await get({ query: whoAmI }, { 'sec-fetch-site': 'cross-site' }),
    ]
    for (const { headers } of answers) {
      expect(headers['cache-control']).toBe('no-store')
      expect(headers.vary).toBe('accept, authorization, origin, sec-fetch-site, x-service-key, x-user-id')
    }
  })

  test('is answered to HEAD without its body', async () => {
    const { status, headers, body } = await get({ query: whoAmI }, {}, 'HEAD')
    expect([status, headers['content-length'], body]).toEqual([200, String(JSON.stringify(isAda).length), ''])
  })

  test.each([
    ['no parameter', ''],
    ['no query', 'variables={}'],
    ['bytes that are not UTF-8', 'query=%FF'],
    ['two queries', `query=${encodeURIComponent(whoAmI)}&query=${encodeURIComponent(whoAmI)}`],
    ['variables that are not JSON', `query=${encodeURIComponent(whoAmI)}&variables={`],
    ['variables that are a list', `query=${encodeURIComponent(whoAmI)}&variables=[]`],
    ['a number that a double cannot hold', `query=${encodeURIComponent(whoAmI)}&variables={"n":12345678901234567890}`],
    ['a key that stands twice', `query=${encodeURIComponent(whoAmI)}&variables={"n":1,"n":2}`],
    ['extensions that are a text', `query=${encodeURIComponent(whoAmI)}&extensions="x"`],
  ])('with %s is 400', async (_what, search) => {
    const { status, body } = await request(`${bed.server.url}/graphql?${search}`, 'GET', ada)
    expect(status).toBe(400)
    expect(JSON.parse(body)).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] })
  })

  test('that is missing because a person opened the URL is 400 and says where the explorer is', async () => {
    const headers = {
      accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
      'sec-fetch-site': 'none',
    }
    const { status, body } = await request(`${bed.server.url}/graphql`, 'GET', headers)
    expect([status, body]).toEqual([400, expect.stringContaining('/graphiql')])
  })

  test('that is too long says so', async () => {
    const spaces = (count: number) => get({ query: whoAmI.padEnd(count) })
    expect((await spaces(16_000)).json).toEqual(isAda)
    const { status, headers, json } = await spaces(17_000)
    expect([status, headers['content-type']]).toEqual([431, 'application/json; charset=utf-8'])
    expect(json.errors).toMatchObject([
      {
        message: expect.stringContaining('POST'),
        extensions: { code: 'PAYLOAD_TOO_LARGE', path: 'url', limit: 16_384 },
      },
    ])
  })

  test('that passes a limit of queries is refused as by POST', async () => {
    const { status, json } = await get({ query: `{ ${'viewer { id } '.repeat(100)} }` })
    expect(status).toBe(400)
    expect(json.errors).toMatchObject([{ extensions: { code: 'PAYLOAD_TOO_LARGE' } }])
  })
})

describe('what is no query', () => {
  const create = 'mutation { createConversation(input: { id: "by-get" }) { created } }'
  const follow = 'subscription { messageAppended(conversationId: "by-get") { cursor } }'

  test.each(['*/*', 'application/json', 'application/graphql-response+json'])(
    'is 405 and names POST, and nothing is done, for a client that takes %s',
    async (accept) => {
      for (const query of [create, follow]) {
        for (const method of ['GET', 'HEAD']) {
          const { status, headers } = await get({ query }, { accept }, method)
          expect([status, headers.allow]).toEqual([405, 'POST'])
        }
        const { json } = await get({ query }, { accept })
        expect(json.errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
      }
      expect((await get({ query: '{ conversation(id: "by-get") { id } }' })).json.data.conversation).toBeNull()
    },
  )

  test('is found by the name of the operation', async () => {
    const query = `query Read { viewer { userId } } ${create.replace('mutation', 'mutation Write')}`
    expect((await get({ query, operationName: 'Read' })).json).toEqual(isAda)
    expect((await get({ query, operationName: 'Write' })).status).toBe(405)
  })
})

describe('a page of another site', () => {
  const query = whoAmI

  test.each([
    ['cross-site', undefined],
    ['same-site', undefined],
    ['cross-site, none', undefined],
    ['same-site', 'http://127.0.0.1.example'],
  ])('may not read by GET: %s, %s', async (site, origin) => {
    const headers = { 'sec-fetch-site': site, ...(origin ? { origin } : {}) }
    const { status, json } = await get({ query }, headers)
    expect(status).toBe(403)
    expect(json).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] })
    const stream = await request(`${bed.server.url}/graphql/stream?query=${encodeURIComponent(query)}`, 'GET', headers)
    expect(stream.status).toBe(403)
  })

  test.each([
    ['none', undefined],
    ['same-origin', undefined],
    ['cross-site', 'https://app.example'],
    ['same-site', 'https://app.example'],
    ['same-site', 'http://localhost:5173'],
    ['cross-site', 'http://127.0.0.1:5173'],
  ])('may where it is the own one, or its origin is taken: %s, %s', async (site, origin) => {
    const headers = { ...ada, 'sec-fetch-site': site, ...(origin ? { origin } : {}) }
    const answer = await get({ query }, headers)
    expect([answer.status, answer.json]).toEqual([200, isAda])
    expect(answer.headers['access-control-allow-origin']).toBe(origin)
    const stream = await request(`${bed.server.url}/graphql/stream?query=${encodeURIComponent(query)}`, 'GET', headers)
    expect(stream.status).toBe(200)
    expect(stream.body).toContain('"ada"')
  })

  test('may send POST, which a browser asks the server for', async () => {
    const headers = { ...ada, 'sec-fetch-site': 'same-site', 'content-type': 'application/json' }
    const { status } = await request(`${bed.server.url}/graphql`, 'POST', headers, JSON.stringify({ query }))
    expect(status).toBe(200)
  })
})

describe('a persisted query', () => {
  const sha256Hash = createHash('sha256').update(whoAmI).digest('hex')
  const extensions = { persistedQuery: { version: 1, sha256Hash } }
  const notSupported = {
    errors: [{ message: 'PersistedQueryNotSupported', extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED' } }],
  }

  test.each([
    ['*/*', 200],
    ['application/json', 200],
    ['application/graphql-response+json', 400],
    ['application/graphql-response+json,application/json;q=0.9', 400],
  ])('that is only named is not supported, for %s with %i, and its client sends the text', async (accept, status) => {
    const byGet = await get({ extensions: JSON.stringify(extensions) }, { accept })
    expect(byGet).toMatchObject({ status, json: notSupported })
    expect(byGet.headers['cache-control']).toBe('no-store')
    const byPost = await bed.server.as().post(JSON.stringify({ extensions }), { accept })
    expect(byPost.status).toBe(status)
    expect(await byPost.json()).toMatchObject(notSupported)
  })

  test('that comes with its text is answered', async () => {
    expect((await get({ query: whoAmI, extensions: JSON.stringify(extensions) })).json).toEqual(isAda)
    expect(await (await bed.server.as().post(JSON.stringify({ query: whoAmI, extensions }))).json()).toEqual(isAda)
  })
})
