import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'

const bed = useBed()

const json = 'application/json'
const graphql = 'application/graphql-response+json'
const query = '{ viewer { userId } }'

test.each([
  ['*/*', json],
  ['application/*', json],
  [json, json],
  [graphql, graphql],
  ['Application/GraphQL-Response+JSON', graphql],
  [`${graphql}; charset=utf-8`, graphql],
  [`${graphql},${json};q=0.9`, graphql],
  [`${graphql}, ${json}`, graphql],
  [`${json}, ${graphql}`, json],
  [`${json};q=0.5, ${graphql}`, graphql],
  [`${json};q=0.5, */*;q=0.8`, graphql],
  [`${graphql};q=0, */*`, json],
  [`${graphql}, application/graphql+json, ${json}, text/event-stream, multipart/mixed`, graphql],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', json],
])('for "%s" the answer is %s, data and errors alike', async (accept, type) => {
  for (const asked of [query, '{ nothing }', '{']) {
    const response = await bed.server.as().post(JSON.stringify({ query: asked }), { accept })
    expect(response.headers.get('content-type')).toBe(`${type}; charset=utf-8`)
    expect(await response.json()).toHaveProperty(asked === query ? 'data' : 'errors')
  }
})

test('an answer with an HTTP error is of the type that the client prefers too', async () => {
  for (const type of [json, graphql]) {
    const response = await bed.server.as().post('{', { accept: type })
    expect([response.status, response.headers.get('content-type')]).toEqual([400, `${type}; charset=utf-8`])
  }
})

test.each([
  'text/html',
  'text/*, image/png',
  'text/event-stream, multipart/mixed',
  `${json};q=0`,
  `${json};q=0.0, ${graphql};q=0`,
])('a client that takes neither type is answered 406, and nothing is done: %s', async (accept) => {
  const create = 'mutation { createConversation(input: { id: "unacceptable" }) { created } }'
  const response = await bed.server.as().post(JSON.stringify({ query: create }), { accept })
  expect(response.status).toBe(406)
  expect(await response.json()).toMatchObject({
    errors: [{ message: expect.stringContaining('/graphql/stream'), extensions: { code: 'BAD_USER_INPUT' } }],
  })
  expect(await bed.server.as().get('{ conversation(id: "unacceptable") { id } }')).toEqual({ conversation: null })
})
