import { createHash } from 'node:crypto'
import { runInNewContext } from 'node:vm'
import { parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import { createSchema } from '../../src/graphql/schema.ts'
import { graphiqlExamples } from '../../src/server/graphiql/graphiql-examples.ts'
import { useBed } from '../support/bed.ts'
import { EventStreamReader } from '../support/network/event-stream.ts'
import { Wire } from '../support/network/wire.ts'
import { serve, type TestServer } from '../support/server.ts'

const bed = useBed()

test('every example tab is valid, and begins with a comment', () => {
  const schema = createSchema()
  expect(graphiqlExamples.length).toBeGreaterThan(2)
  for (const { query } of graphiqlExamples) {
    expect(validate(schema, parse(query))).toEqual([])
    expect(query).toMatch(/^# \S/)
  }
})

test('GraphiQL and all it loads come from this server, and its policy forbids anything else', async () => {
  const page = await fetch(`${bed.server.url}/graphiql`)
  const html = await page.text()
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  const loads = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path as string)
  expect(loads.length).toBeGreaterThan(1)
  for (const path of loads) {
    const url = new URL(path, page.url)
    expect(url.origin).toBe(new URL(bed.server.url).origin)
    expect((await fetch(url)).status).toBe(200)
  }
})

const secret = 'x'.repeat(32)
const keys = `agents:${createHash('sha256').update('key').digest('hex')}`

test.each([
  ['a service key', { AUTH_SERVICE_KEYS: keys }, ['x-service-key', 'x-user-id']],
  ['a bearer token', { AUTH_SECRET: secret }, ['Bearer TOKEN']],
  ['either', { AUTH_SECRET: secret, AUTH_SERVICE_KEYS: keys }, ['Bearer TOKEN', 'x-service-key', 'x-user-id']],
])('GraphiQL asks for %s, and sends nothing without it', async (_way, settings, asked) => {
  await using server = await serve(bed.database.url, { GRAPHIQL: 'on', ...settings })
  const { fetcher, defaultHeaders, defaultEditorToolsVisibility, requests } = await openGraphiql(server)
  expect(defaultEditorToolsVisibility).toBe('headers')
  for (const headers of [
    JSON.parse(defaultHeaders),
    {},
    undefined,
    { 'X-Service-Key': 'key' },
    { Authorization: 'Bearer' },
  ]) {
    for (const query of ['{ viewer { userId } }', 'subscription { messageAppended(conversationId: "c") { cursor } }']) {
      const { errors } = (await fetcher({ query }, { headers, documentAST: parse(query) })) as {
        errors: { message: string }[]
      }
      expect(errors).toHaveLength(1)
      for (const word of ['Headers editor', ...asked]) expect(errors[0]?.message).toContain(word)
    }
  }
  expect(requests).toEqual([])
})

test('GraphiQL sends what the Headers editor holds, in any script', async () => {
  await using server = await serve(bed.database.url, { GRAPHIQL: 'on', AUTH_SERVICE_KEYS: keys })
  const { fetcher, requests } = await openGraphiql(server)
  const headers = { 'X-Service-Key': ' key ', 'x-user-id': 'Łukasz …', empty: '' }
  expect(await fetcher({ query: '{ viewer { userId } }' }, { headers })).toEqual({
    data: { viewer: { userId: 'Łukasz …' } },
  })
  expect(requests).toEqual([`${server.url}/graphql`])
})

test('in development GraphiQL is the user of the examples, and needs no headers', async () => {
  const { fetcher, defaultHeaders, defaultEditorToolsVisibility } = await openGraphiql(bed.server)
  expect([defaultHeaders, defaultEditorToolsVisibility]).toEqual(['{\n  "x-user-id": "local"\n}', 'variables'])
  for (const headers of [JSON.parse(defaultHeaders), {}]) {
    expect(await fetcher({ query: '{ viewer { userId } }' }, { headers })).toEqual({
      data: { viewer: { userId: 'local' } },
    })
  }
})

const ada = { 'x-service-key': 'key', 'x-user-id': 'ada' }

test.each<[settings: Record<string, string>, hasPage: boolean, hasSchema: boolean]>([
  [{}, true, true],
  [{ GRAPHIQL: 'off' }, false, false],
  [{ INTROSPECTION: 'off' }, true, false],
  [{ AUTH_SERVICE_KEYS: keys }, false, false],
  [{ AUTH_SERVICE_KEYS: keys, GRAPHIQL: 'on' }, true, true],
  [{ AUTH_SERVICE_KEYS: keys, INTROSPECTION: 'on' }, false, true],
])('with %j GraphiQL: %s, introspection: %s, on every way', async (settings, hasPage, hasSchema) => {
  await using server = await serve(bed.database.url, settings)
  expect((await fetch(`${server.url}/graphiql`)).status).toBe(hasPage ? 200 : 404)
  const identity = 'AUTH_SERVICE_KEYS' in settings ? ada : { 'x-user-id': 'ada' }
  const api = server.as(identity)
  await using wire = await Wire.open(server.url, identity)
  for (const query of [
    '{ __schema { queryType { name } } }',
    '{ viewer { id } ...F } fragment F on Query { __type(name: "Viewer") { name } }',
  ]) {
    const streamed = await EventStreamReader.open(server.url, { identity, query })
    const answers = [await api.ask(query), await streamed.result(), await wire.ask(query)]
    for (const { data, errors } of answers) {
      if (hasSchema) expect(data).toBeTruthy()
      else
        expect(errors?.[0]).toMatchObject({
          extensions: { code: 'GRAPHQL_VALIDATION_FAILED' },
          message: expect.stringContaining('introspection'),
        })
    }
  }
  // The name of a type is told by every client that keeps a cache.
  expect(await api.get('{ viewer { __typename } }')).toEqual({ viewer: { __typename: 'Viewer' } })
})

interface Graphiql {
  readonly fetcher: (operation: object, options: object) => unknown
  readonly defaultHeaders: string
  readonly defaultEditorToolsVisibility: string
  /** The URLs that it asked for. */
  readonly requests: readonly string[]
}

/** Runs GraphiQL's own script of the page without a browser: what it hands to GraphiQL is what a browser would use. */
async function openGraphiql(server: TestServer): Promise<Graphiql> {
  const html = await (await fetch(`${server.url}/graphiql`)).text()
  const page = `${server.url}/${/src="([^"]+page\.js)"/.exec(html)?.[1]}`
  const script = await (await fetch(page)).text()
  const requests: string[] = []
  const { promise, resolve } = Promise.withResolvers<Omit<Graphiql, 'requests'>>()
  const items = new Map<string, string>()
  runInNewContext(script, {
    document: { currentScript: { src: page }, getElementById: () => null },
    location: { href: `${server.url}/graphiql`, search: '' },
    localStorage: { getItem: (name: string) => items.get(name) ?? null, setItem: items.set.bind(items) },
    self: {},
    URL,
    URLSearchParams,
    TextEncoder,
    fetch: (url: URL, options: RequestInit) => {
      requests.push(url.href)
      return fetch(url, options)
    },
    graphqlWs: {
      createClient: ({ url }: { url: string }) => {
        requests.push(url)
        throw new Error('unreachable: nothing is sent without what is missing')
      },
    },
    YogaGraphiQL: { renderYogaGraphiQL: (_root: null, options: Omit<Graphiql, 'requests'>) => resolve(options) },
  })
  return { ...(await promise), requests }
}
