import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent, type ClientRequest, type IncomingMessage, request as send } from 'node:http'
import { json } from 'node:stream/consumers'
import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import type { Answer } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { Wire } from '../support/network/wire.ts'
import { logged } from '../support/observe/logged.ts'

const secret = 'a secret of thirty-two bytes, or more'
const key = 'the key of a backend'
const bed = useBed({ AUTH_SECRET: secret, AUTH_SERVICE_KEYS: `crm:${createHash('sha256').update(key).digest('hex')}` })

const whoAmI = '{"query":"query Who { viewer { userId } }"}'
const megabytes = 4 * 1024 * 1024

async function bearer(): Promise<string> {
  const token = new SignJWT({ sub: 'ada' }).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h')
  return `Bearer ${await token.sign(new TextEncoder().encode(secret))}`
}

/** A request for which so far only the headers were sent. */
function begin(method: string, path: string, headers: Record<string, string | number>, agent?: Agent): ClientRequest {
  const all = { 'content-type': 'application/json', ...headers }
  const begun = send(`${bed.server.url}${path}`, { method, headers: all, ...(agent ? { agent } : {}) })
  begun.flushHeaders()
  return begun
}

async function answerOf(begun: ClientRequest) {
  const [response] = (await once(begun, 'response')) as [IncomingMessage]
  const { data, errors } = (await json(response)) as Answer
  return { status: response.statusCode, headers: response.headers, data, code: errors?.[0]?.extensions.code }
}

describe('over HTTP', () => {
  const strangers: [string, Record<string, string>][] = [
    ['without credentials', {}],
    ['with a bad token', { authorization: 'Bearer a.b.c' }],
    ['with a bad service key', { 'x-service-key': 'no', 'x-user-id': 'ada' }],
    ['with a service key and no user', { 'x-service-key': key }],
    ['with a user and no proof', { 'x-user-id': 'ada' }],
  ]

  test.each(strangers)('a request %s is refused by its headers, before any of its body has come', async (_who, who) => {
    for (const path of ['/graphql', '/graphql/stream']) {
      const begun = begin('POST', path, { ...who, accept: '*/*', 'content-length': megabytes })
      expect(await answerOf(begun), path).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' })
      begun.destroy()
    }
  })

  test.each([
    ['PUT', '/graphql', 405, 'BAD_USER_INPUT'],
    ['DELETE', '/graphql', 405, 'BAD_USER_INPUT'],
    ['PATCH', '/graphql/stream', 405, 'BAD_USER_INPUT'],
    ['OPTIONS', '/graphql', 404, 'NOT_FOUND'],
    ['POST', '/else', 404, 'NOT_FOUND'],
    ['POST', '/', 404, 'NOT_FOUND'],
    ['POST', '/graphiql', 404, 'NOT_FOUND'],
    ['PUT', '/healthz', 404, 'NOT_FOUND'],
  ])('%s %s takes no body: it is %i before any of it has come, whoever asks', async (method, path, status, code) => {
    for (const who of [{ authorization: 'Bearer a.b.c' }, { authorization: await bearer() }]) {
      const begun = begin(method, path, { ...who, 'content-length': megabytes })
      expect(await answerOf(begun)).toMatchObject({ status, code })
      begun.destroy()
    }
  })

  test('what still comes of a refused body is discarded, and the connection serves the next request', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const refused = begin('POST', '/graphql', { 'content-length': megabytes }, agent)
    const answer = answerOf(refused)
    refused.end('['.repeat(megabytes))
    expect(await answer).toMatchObject({ status: 401, headers: { connection: 'keep-alive' } })
    const next = begin('POST', '/graphql', { authorization: await bearer() }, agent)
    next.end(whoAmI)
    expect(await answerOf(next)).toMatchObject({ status: 200, data: { viewer: { userId: 'ada' } } })
    expect(next.socket?.localPort).toBe(refused.socket?.localPort)
    agent.destroy()
  })

  test('who asks whether to send its body is told to go on when it is known, and refused otherwise', async () => {
    const asks = { expect: '100-continue', 'content-length': whoAmI.length }
    const known = begin('POST', '/graphql', { ...asks, authorization: await bearer() })
    await once(known, 'continue')
    known.end(whoAmI)
    expect(await answerOf(known)).toMatchObject({ status: 200, data: { viewer: { userId: 'ada' } } })

    const stranger = begin('POST', '/graphql', asks)
    const told: string[] = []
    stranger.on('continue', () => told.push('continue'))
    expect(await answerOf(stranger)).toMatchObject({ status: 401, headers: { connection: 'close' } })
    expect(told).toEqual([])
    stranger.destroy()
  })

  test('the log names the viewer of a request whose body is refused, and nobody for a stranger', async () => {
    for (const [who, viewer] of [
      [{ authorization: await bearer() }, 'ada'],
      [{}, null],
    ] as const) {
      const begun = begin('POST', '/graphql', { ...who, 'content-length': 1 })
      begun.end('{')
      const { headers } = await answerOf(begun)
      const line = await logged(bed.server, ({ requestId }) => requestId === headers['x-request-id'])
      expect(line).toMatchObject({ viewer, operation: null })
    }
  })
})

describe('on a socket', () => {
  /** A message of exactly so many bytes. */
  function padded(message: object, bytes: number): string {
    const text = JSON.stringify(message)
    return text + ' '.repeat(bytes - text.length)
  }

  test('the messages before the acknowledgement have at most 16,384 bytes together', async () => {
    const init = { type: 'connection_init', payload: { authorization: await bearer() } }
    const fits = await Wire.dial(bed.server.url)
    fits.send(padded(init, 16_384))
    expect((await fits.next()).type).toBe('connection_ack')
    // From here on MAX_BODY_BYTES is the limit of what asks for something.
    fits.send(padded({ id: '1', type: 'subscribe', payload: { query: '{ viewer { id } }' } }, 16_385))
    expect((await fits.next()).type).toBe('next')
    await fits[Symbol.asyncDispose]()

    const over = await Wire.dial(bed.server.url)
    over.send(padded(init, 16_385))
    expect(await over.closed).toEqual({ code: 1009, reason: 'At most 16384 bytes before connection_ack' })
    expect(await over.receive()).toBeNull()

    const byAndBy = await Wire.dial(bed.server.url)
    byAndBy.send(padded({ type: 'ping' }, 10_000))
    expect((await byAndBy.next()).type).toBe('pong')
    byAndBy.send(padded({ type: 'ping' }, 6_384))
    expect((await byAndBy.next()).type).toBe('pong')
    byAndBy.send({ type: 'ping' })
    expect((await byAndBy.closed).code).toBe(1009)
    expect(await byAndBy.receive()).toBeNull()
  })

  test.each(['subscribe', 'complete', 'nothing', undefined])(
    'a long first message of type %s is refused for its length, before it is looked into',
    async (type) => {
      const wire = await Wire.dial(bed.server.url)
      wire.send(type === undefined ? '['.repeat(megabytes) : padded({ type, id: '1' }, 16_385))
      expect((await wire.closed).code).toBe(1009)
    },
  )

  test('a second connection_init closes the socket, also while the first one is looked at', async () => {
    const init = { type: 'connection_init', payload: { authorization: await bearer() } }
    const wire = await Wire.dial(bed.server.url)
    wire.send(init)
    wire.send(init)
    expect((await wire.closed).code).toBe(4429)
  })
})
