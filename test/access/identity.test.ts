import type { IncomingMessage } from 'node:http'
import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { createHostGuard } from '../../src/server/http/host-guard.ts'
import { Proxies } from '../../src/server/request/proxies.ts'
import { useBed } from '../support/bed.ts'
import { request } from '../support/network/request.ts'
import { Wire } from '../support/network/wire.ts'

const whoAmI = '{ viewer { userId } }'
const is = (userId: string) => ({ data: { viewer: { userId } } })

describe('development', () => {
  const bed = useBed({ CORS_ORIGINS: 'https://app.example' })
  const post = (headers: Record<string, string>, method = 'POST') =>
    request(
      `${bed.server.url}/graphql`,
      method,
      { 'content-type': 'application/json', ...headers },
      JSON.stringify({ query: whoAmI }),
    )

  test('the viewer is the user of x-user-id, else local', async () => {
    expect(await bed.server.as({ 'x-user-id': 'ada' }).ask(whoAmI)).toEqual(is('ada'))
    expect(await bed.server.as({}).ask(whoAmI)).toEqual(is('local'))
    await using named = await Wire.open(bed.server.url, { 'X-User-Id': 'ada' })
    expect(await named.ask(whoAmI)).toEqual(is('ada'))
    await using nobody = await Wire.open(bed.server.url, {})
    expect(await nobody.ask(whoAmI)).toEqual(is('local'))
    await using byHeader = await Wire.open(bed.server.url, {}, { 'x-user-id': 'ada' })
    expect(await byHeader.ask(whoAmI)).toEqual(is('ada'))
  })

  test('a user in UTF-8 in a header is the same user as on a socket', async () => {
    const user = 'Zoë 𝄞'
    const header = { 'x-user-id': Buffer.from(user).toString('latin1') }
    const zoe = bed.server.as(header)
    expect(await zoe.ask(whoAmI)).toEqual(is(user))
    await zoe.append('mine', 'x')
    await using wire = await Wire.open(bed.server.url, { 'x-user-id': user })
    expect((await wire.ask('{ conversation(id: "mine") { lastSeq } }')).data).toEqual({ conversation: { lastSeq: 1 } })
    await using upgraded = await Wire.open(bed.server.url, {}, header)
    expect(await upgraded.ask(whoAmI)).toEqual(is(user))
  })

  test('each operation on a socket may name its own user', async () => {
    await using wire = await Wire.open(bed.server.url)
    expect(await wire.ask(whoAmI, undefined, { userId: 'bob' })).toEqual(is('bob'))
    expect(await wire.ask(whoAmI)).toEqual(is('ada'))
    for (const userId of ['', 5, 'x'.repeat(256), 'a\0', 'half \ud83d']) {
      const { errors } = await wire.ask(whoAmI, undefined, { userId })
      expect(errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED')
    }
  })

  test.each(['x-user-id', 'x-service-key', 'authorization'])(
    'the connection parameter %s is a text, or null as if it were absent',
    async (name) => {
      for (const value of [5, true, ['ada'], { ada: 1 }]) {
        const wire = await Wire.dial(bed.server.url)
        wire.send({ type: 'connection_init', payload: { [name]: value } })
        expect(await wire.closed).toEqual({ code: 4403, reason: `The connection parameter ${name} must be a text.` })
      }
      await using wire = await Wire.open(bed.server.url, { [name]: null as unknown as string })
      expect(await wire.ask(whoAmI)).toEqual(is('local'))
    },
  )

  test.each(['evil.example', 'evil.example:4000', '127.0.0.1.evil.example', 'localhost.evil.example', '192.168.0.1'])(
    'a Host that is not loopback is refused with 403, over HTTP and at the upgrade: %s',
    async (host) => {
      const { status, body } = await post({ host })
      expect(status).toBe(403)
      expect(JSON.parse(body).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
      await expect(Wire.dial(bed.server.url, { host })).rejects.toThrow('403')
    },
  )

  test.each(['localhost', 'localhost:9', '127.0.0.1', '127.8.8.8:4000', '[::1]', '[::1]:4000', 'LOCALHOST'])(
    'a Host that is loopback is answered: %s',
    async (host) => {
      expect(JSON.parse((await post({ host })).body)).toEqual(is('local'))
      await using _wire = await Wire.dial(bed.server.url, { host })
    },
  )

  test.each([
    ['forwarded', 'for=192.0.2.1'],
    ['x-forwarded-for', '127.0.0.1'],
    ['x-forwarded-host', 'localhost'],
    ['x-forwarded-proto', 'https'],
    ['x-forwarded-port', '443'],
    ['x-real-ip', '127.0.0.1'],
    ['via', '1.1 proxy'],
  ])('what came through a proxy is refused with 403, over HTTP and at the upgrade: %s', async (name, value) => {
    const { status, body } = await post({ [name]: value, 'x-user-id': 'admin' })
    expect(status).toBe(403)
    expect(JSON.parse(body).errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
    await expect(Wire.dial(bed.server.url, { [name]: value })).rejects.toThrow('403')
  })

  test.each([
    ['127.0.0.1', null],
    ['127.9.9.9', null],
    ['::1', null],
    ['::ffff:127.0.0.1', null],
    ['192.0.2.1', 'programs on its machine'],
    ['::ffff:192.0.2.1', 'programs on its machine'],
    [undefined, 'programs on its machine'],
  ])('a connection from %s: %s', (remoteAddress, reason) => {
    const guard = createHostGuard(readConfig({}), () => false, new Proxies([]))
    const refusal = guard({ headers: { host: 'localhost' }, socket: { remoteAddress } } as IncomingMessage)
    if (reason === null) expect(refusal).toBeNull()
    else expect(refusal).toContain(reason)
  })

  test.each([
    'https://evil.example',
    'null',
    'https://app.example.evil.example',
    'http://app.example',
    'http://localhost.evil.example',
    'http://localhost.evil.example:5173',
    'http://localhost:5173.evil.example',
    'http://evil.example/localhost:5173',
    'http://localhost@evil.example',
    'http://evil.example:5173@localhost',
    'http://127.0.0.1.evil.example:5173',
    'http://[::1].evil.example',
    'http://[::1',
    'http://192.168.0.1:5173',
    'http://0.0.0.0:5173',
    'localhost:5173',
    'file://localhost',
    'chrome-extension://localhost',
    'http://localhost:5173, https://evil.example',
  ])('a foreign Origin is refused with 403, over HTTP and at the upgrade: %s', async (origin) => {
    for (const method of ['POST', 'GET', 'OPTIONS']) {
      const { status, headers } = await post({ origin, 'access-control-request-method': 'POST' }, method)
      expect(status).toBe(403)
      expect(headers['access-control-allow-origin']).toBeUndefined()
    }
    await expect(Wire.dial(bed.server.url, { origin })).rejects.toThrow('403')
  })

  test("the server's own Origin is answered", async () => {
    const origin = bed.server.url
    expect(JSON.parse((await post({ origin })).body)).toEqual(is('local'))
    await using wire = await Wire.open(bed.server.url, {}, { origin })
    expect(await wire.ask(whoAmI)).toEqual(is('local'))
  })

  const takesOrigin = (origin: string) => expectTaken(bed.server.url, origin)

  test('a listed Origin is answered with the headers of CORS', () => takesOrigin('https://app.example'))
})

/** Over HTTP, with a preflight before, over a WebSocket and over an event stream. */
async function expectTaken(url: string, origin: string): Promise<void> {
  const body = JSON.stringify({ query: whoAmI })
  const asks = {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type,x-user-id',
  }
  for (const path of ['/graphql', '/graphql/stream']) {
    const preflight = await request(`${url}${path}`, 'OPTIONS', asks)
    expect(preflight.status).toBe(204)
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, HEAD, POST',
      'access-control-allow-headers': 'content-type,x-user-id',
      'access-control-max-age': '86400',
      vary: 'origin, access-control-request-headers',
    })
    const answer = await request(`${url}${path}`, 'POST', { 'content-type': 'application/json', origin }, body)
    expect(answer.status).toBe(200)
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-expose-headers': 'accept-encoding, allow, retry-after, www-authenticate, x-request-id',
      vary: 'origin',
    })
    expect(answer.body).toContain(JSON.stringify(is('local')))
    // A page reads also why it was refused.
    const refused = await request(`${url}${path}`, 'POST', { 'content-type': 'application/json', origin }, '{')
    expect(refused).toMatchObject({ status: 400, headers: { 'access-control-allow-origin': origin } })
  }
  await using wire = await Wire.open(url, {}, { origin })
  expect(await wire.ask(whoAmI)).toEqual(is('local'))
}

describe('development without CORS_ORIGINS', () => {
  const bed = useBed()

  test.each([
    'http://localhost',
    'http://localhost:3000',
    'https://localhost:5173',
    'http://127.0.0.1:5173',
    'https://127.0.0.1',
    'http://[::1]:5173',
  ])('a page that this machine serves is answered as one of a listed Origin: %s', (origin) =>
    expectTaken(bed.server.url, origin),
  )

  test('no other Origin but its own is answered', async () => {
    const headers = { 'content-type': 'application/json', origin: 'https://app.example' }
    expect((await request(`${bed.server.url}/graphql`, 'POST', headers, '{}')).status).toBe(403)
    const own = await request(`${bed.server.url}/healthz`, 'GET', { origin: bed.server.url })
    expect(own.status).toBe(200)
  })
})

describe('development with ALLOW_UNAUTHENTICATED', () => {
  const bed = useBed({ ALLOW_UNAUTHENTICATED: 'true' })

  test('what came through a proxy is answered, for that was said to be meant', async () => {
    const headers = { 'content-type': 'application/json', 'x-forwarded-for': '192.0.2.1', 'x-user-id': 'ada' }
    const { body } = await request(`${bed.server.url}/graphql`, 'POST', headers, JSON.stringify({ query: whoAmI }))
    expect(JSON.parse(body)).toEqual(is('ada'))
    await using _wire = await Wire.dial(bed.server.url, { 'x-forwarded-for': '192.0.2.1' })
  })
})

describe('production', () => {
  const secret = 'a secret of thirty-two bytes, or more'
  const bed = useBed({ AUTH_SECRET: secret, CORS_ORIGINS: 'https://app.example' })

  test.each([
    ['cross-site', 'http://localhost:5173', 403],
    ['same-site', 'http://127.0.0.1:5173', 403],
    ['same-site', 'https://other.example', 403],
    ['cross-site', 'https://app.example', 200],
    ['same-origin', 'https://api.example', 200],
  ])('GET with a token, from a page that is %s at %s, is %i', async (site, origin, status) => {
    const token = new SignJWT({ sub: 'ada' }).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h')
    const authorization = `Bearer ${await token.sign(new TextEncoder().encode(secret))}`
    const headers = { 'sec-fetch-site': site, origin }
    for (const path of ['/graphql', '/graphql/stream']) {
      const url = `${bed.server.url}${path}?query=${encodeURIComponent(whoAmI)}`
      expect((await request(url, 'GET', { ...headers, authorization })).status).toBe(status)
      // Whoever is not known is told nothing else.
      expect((await request(url, 'GET', headers)).status).toBe(401)
    }
  })

  test.each([
    ['https://app.example', true],
    ['https://api.example', true],
    ['https://api.example:8443', false],
    ['https://app.example.evil.example', false],
    ['http://localhost:5173', false],
    ['null', false],
  ])('a page opens a WebSocket if its Origin is listed or the own one: %s, %s', async (origin, isTaken) => {
    const dial = Wire.dial(bed.server.url, { origin, host: 'api.example' })
    if (!isTaken) return expect(dial).rejects.toThrow('403')
    await using _wire = await dial
  })

  test('a program without an Origin opens a WebSocket', async () => {
    await using _wire = await Wire.dial(bed.server.url, { host: 'api.example' })
  })

  test.each([
    ['https://app.example', true],
    ['http://localhost:5173', false],
    ['http://127.0.0.1:5173', false],
  ])('only a listed Origin is let read: %s, %s', async (origin, isListed) => {
    const url = `${bed.server.url}/graphql`
    const preflight = await request(url, 'OPTIONS', { origin, 'access-control-request-method': 'POST' })
    expect(preflight.status).toBe(isListed ? 204 : 404)
    for (const { headers } of [preflight, await request(url, 'POST', { origin })]) {
      expect(headers['access-control-allow-origin']).toBe(isListed ? origin : undefined)
    }
  })
})
