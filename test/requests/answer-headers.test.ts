import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import type { Answer } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { Wire } from '../support/network/wire.ts'

const secret = 'a secret of thirty-two bytes, or more'
const key = `crm:${createHash('sha256').update('the key of a backend').digest('hex')}`

async function dial(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

/** What the server answers to these bytes, until it closes the connection. */
async function say(url: string, bytes: string): Promise<string> {
  const socket = await dial(url)
  socket.write(bytes)
  return text(socket)
}

describe('every answer', () => {
  const bed = useBed()

  const json = { 'content-type': 'application/json' }
  const post = (body: string) => ({ method: 'POST', headers: json, body })
  test.each<[what: string, path: string, status: number, request?: RequestInit]>([
    ['an answer', '/graphql', 200, post('{"query":"{ viewer { id } }"}')],
    ['a field that fails', '/graphql', 200, post('{"query":"{ conversations(first: 1000) { nodes { id } } }"}')],
    [
      'a document that is not valid',
      '/graphql',
      400,
      { ...post('{"query":"{"}'), headers: { ...json, accept: '*/*' } },
    ],
    ['a body that is not JSON', '/graphql', 400, post('{')],
    ['an answer to a GET', '/graphql?query={viewer{id}}', 200],
    ['a query as events', '/graphql/stream?query={viewer{id}}', 200],
    ['another method', '/graphql', 405, { method: 'PUT' }],
    ['nothing', '/nothing', 404],
    ['the health', '/healthz', 200],
    ['the readiness', '/readyz', 200],
  ])('has nosniff, and is kept by no cache: %s', async (_what, path, status, request) => {
    const response = await fetch(`${bed.server.url}${path}`, request)
    await response.text()
    expect(response.status).toBe(status)
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(response.headers.get('cache-control')).toMatch(/^no-store\b/)
  })

  test.each<[what: string, bytes: string, status: number, code: string]>([
    ['what is no HTTP', 'nonsense\r\n\r\n', 400, 'BAD_USER_INPUT'],
    [
      'headers that are too long',
      `GET /graphql HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`,
      431,
      'PAYLOAD_TOO_LARGE',
    ],
  ])('has the shape of the API, also of what Node refuses: %s', async (_what, bytes, status, code) => {
    const [head = '', body = ''] = (await say(bed.server.url, bytes)).split('\r\n\r\n')
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
    expect(head).toContain('x-content-type-options: nosniff')
    expect(head).toContain('cache-control: no-store')
    expect((JSON.parse(body) as Answer).errors).toMatchObject([{ extensions: { code } }])
  })
})

describe.each<[settings: Record<string, string>, nobody: string, wrong: string]>([
  [
    { AUTH_SECRET: secret, AUTH_SERVICE_KEYS: key },
    'Bearer realm="colloquy"',
    'Bearer realm="colloquy", error="invalid_token"',
  ],
  [{ AUTH_SERVICE_KEYS: key }, 'ServiceKey realm="colloquy"', 'ServiceKey realm="colloquy"'],
])('an answer 401 with %j', (settings, nobody, wrong) => {
  const bed = useBed(settings)

  test.each(['/graphql', '/graphql/stream'])('of %s says how to prove who one is', async (path) => {
    const challenge = async (headers: Record<string, string>) => {
      const response = await fetch(`${bed.server.url}${path}?query={viewer{id}}`, { headers })
      expect(response.status).toBe(401)
      return response.headers.get('www-authenticate')
    }
    expect(await challenge({})).toBe(nobody)
    expect(await challenge({ authorization: 'Bearer a.b.c' })).toBe(wrong)
  })
})

describe('what comes too slowly', () => {
  const bed = useBed({ REQUEST_TIMEOUT_MS: '100' })

  test.each<[what: string, bytes: string, status: number]>([
    ['headers', 'POST /graphql HTTP/1.1\r\nhost: localhost\r\n', 408],
    [
      'a body',
      'POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
      503,
    ],
  ])('is cut after REQUEST_TIMEOUT_MS: %s', async (_what, bytes, status) => {
    // The server closes a WebSocket that says nothing after three seconds.
    const silent = await Wire.dial(bed.server.url)
    const first = await Promise.race([say(bed.server.url, bytes), silent.closed])
    expect(first).toMatch(new RegExp(`^HTTP/1.1 ${status} [\\s\\S]*connection: close[\\s\\S]*"code":"UNAVAILABLE"`))
    await silent.closed
  })
})

describe('an answer in which many fields fail', () => {
  const bed = useBed({ LOCK_TIMEOUT_MS: '50' })

  test.each([
    [
      'a column is gone',
      'alter table conversation rename column title to caption',
      'alter table conversation rename column caption to title',
      'a request failed',
    ],
    [
      'the database takes too long',
      'begin; lock table conversation in access exclusive mode',
      'rollback',
      'the database was away',
    ],
  ])('has one line in the log for all of them: %s', async (_why, sql, undo, line) => {
    const client = await bed.database.connect()
    await client.query(sql)
    const fields = Array.from({ length: 30 }, (_, index) => `c${index}: conversation(id: "many${index}") { title }`)
    const { errors } = await bed.server.as().ask(`{ ${fields} }`)
    await client.query(undo)
    expect(errors).toHaveLength(30)
    const lines = bed.server.logged.filter(({ level }) => Number(level) >= 40)
    expect(lines).toMatchObject([{ msg: line, errors: 30 }])
    bed.server.logged.length = 0
  })
})
