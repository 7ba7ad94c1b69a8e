import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { GraphqlError, Identity } from '../support/api.ts'
import { type Bed, useBed } from '../support/bed.ts'
import { EventStreamReader } from '../support/network/event-stream.ts'
import { Wire } from '../support/network/wire.ts'
import { logged } from '../support/observe/logged.ts'

const whoAmI = '{ viewer { userId } }'
const is = (userId: string) => ({ data: { viewer: { userId } } })
const secret = 'a secret of thirty-two bytes, or more'
const settings = { AUTH_SECRET: secret, AUTH_ISSUER: 'https://id.example', AUTH_AUDIENCE: 'colloquy' }
const claims = { sub: 'ada', iss: 'https://id.example', aud: 'colloquy' }

async function sign(
  payload: JWTPayload,
  expires: string | number | null = '1h',
  key = secret,
  alg = 'HS256',
): Promise<string> {
  const token = new SignJWT(payload).setProtectedHeader({ alg }).setIssuedAt()
  if (expires !== null) token.setExpirationTime(expires)
  return token.sign(new TextEncoder().encode(key))
}

const bearer = (token: string): Identity => ({ authorization: `Bearer ${token}` })

/** That these credentials are refused, over HTTP with 401 and on a socket with 4403. */
async function expectRefused(url: string, identity: Identity): Promise<GraphqlError | undefined> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...identity },
    body: JSON.stringify({ query: whoAmI }),
  })
  expect(response.status).toBe(401)
  const { errors } = (await response.json()) as { errors: GraphqlError[] }
  expect(errors).toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }])
  const wire = await Wire.dial(url)
  wire.send({ type: 'connection_init', payload: identity })
  expect((await wire.closed).code).toBe(4403)
  return errors[0]
}

describe('bearer tokens with AUTH_SECRET', () => {
  const bed = useBed(settings)

  test('a good one says who the viewer is, in the header and in the connection parameters', async () => {
    const identity = bearer(await sign(claims))
    expect(await bed.server.as(identity).ask(whoAmI)).toEqual(is('ada'))
    await using wire = await Wire.open(bed.server.url, identity)
    expect(await wire.ask(whoAmI)).toEqual(is('ada'))
    await using upgraded = await Wire.open(bed.server.url, {}, identity)
    expect(await upgraded.ask(whoAmI)).toEqual(is('ada'))
    const several = await sign({ ...claims, aud: ['other', 'colloquy'] })
    expect(await bed.server.as({ authorization: `bearer  ${several}` }).ask(whoAmI)).toEqual(is('ada'))
  })

  const refused: [string, () => Promise<Identity>][] = [
    ['expired', async () => bearer(await sign(claims, '-1m'))],
    ['not valid yet', async () => bearer(await sign({ ...claims, nbf: Math.floor(Date.now() / 1000) + 600 }))],
    ['signed with another secret', async () => bearer(await sign(claims, '1h', `${secret}!`))],
    ['not signed at all', async () => bearer(new UnsecuredJWT(claims).setExpirationTime('1h').encode())],
    ['signed with another algorithm', async () => bearer(await sign(claims, '1h', secret, 'HS512'))],
    ['of another issuer', async () => bearer(await sign({ ...claims, iss: 'https://evil.example' }))],
    ['of no issuer', async () => bearer(await sign({ sub: 'ada', aud: 'colloquy' }))],
    ['for another audience', async () => bearer(await sign({ ...claims, aud: 'other' }))],
    ['for no audience', async () => bearer(await sign({ sub: 'ada', iss: claims.iss }))],
    ['without an expiry', async () => bearer(await sign(claims, null))],
    ['without a user', async () => bearer(await sign({ iss: claims.iss, aud: claims.aud }))],
    ['with an empty user', async () => bearer(await sign({ ...claims, sub: '' }))],
    ['with a user that is no text', async () => bearer(await sign({ ...claims, sub: 5 as unknown as string }))],
    ['with a user of 256 characters', async () => bearer(await sign({ ...claims, sub: 'x'.repeat(256) }))],
    ['with NUL in its user', async () => bearer(await sign({ ...claims, sub: 'a\0' }))],
    ['beside x-user-id', async () => ({ ...bearer(await sign(claims)), 'x-user-id': 'ada' })],
    ['beside x-service-key', async () => ({ ...bearer(await sign(claims)), 'x-service-key': 'key' })],
    ['not named a bearer', async () => ({ authorization: await sign(claims) })],
    ['nonsense', async () => bearer('a.b.c')],
    ['empty', async () => ({ authorization: 'Bearer ' })],
    ['absent', async () => ({})],
    ['absent, with x-user-id', async () => ({ 'x-user-id': 'ada' })],
  ]

  test.each(refused)('one that is %s is refused', async (_what, identity) => {
    await expectRefused(bed.server.url, await identity())
  })

  test('one may not name another user for its operations', async () => {
    await using wire = await Wire.open(bed.server.url, bearer(await sign(claims)))
    for (const userId of ['bob', 'ada', '']) {
      const { data, errors } = await wire.ask(whoAmI, undefined, { userId })
      expect(data ?? null).toBeNull()
      expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }])
    }
    expect(await wire.ask(whoAmI)).toEqual(is('ada'))
  })

  test('one that expires takes its socket along with 4403', async () => {
    const wire = await Wire.open(bed.server.url, bearer(await sign(claims, Math.ceil(Date.now() / 1000) + 3)))
    expect(await wire.closed).toEqual({ code: 4403, reason: 'The token has expired.' })
  })

  test('one that expired within the tolerance of clocks is accepted over HTTP and on a socket, until that is over', async () => {
    const identity = bearer(await sign(claims, Math.floor(Date.now() / 1000) - 1))
    await using wire = await Wire.open(bed.server.url, identity)
    expect(await wire.ask(whoAmI)).toEqual(is('ada'))
    expect(await bed.server.as(identity).ask(whoAmI)).toEqual(is('ada'))
    const stream = await EventStreamReader.open(bed.server.url, {
      identity,
      query: 'subscription { conversationsChanged { cursor } }',
    })
    expect((await stream.event())?.event).toBe('next')
    expect((await wire.closed).code).toBe(4403)
    expect(await stream.rest()).toEqual([])
    await expectRefused(bed.server.url, identity)
  })

  test('any Host is answered, for the proof decides', async () => {
    await using wire = await Wire.open(bed.server.url, bearer(await sign(claims)), {
      host: 'api.example',
    })
    expect(await wire.ask(whoAmI)).toEqual(is('ada'))
  })

  test('the log has no token, good or bad', async () => {
    const good = await sign(claims)
    const bad = await sign(claims, '1h', `${secret}!`)
    await bed.server.as(bearer(good)).ask(whoAmI)
    await bed.server.as(bearer(bad)).ask(whoAmI)
    const wire = await Wire.dial(bed.server.url)
    wire.send({ type: 'connection_init', payload: bearer(bad) })
    await wire.closed
    const last = logged(bed.server, (entry) => entry.operation === 'Last')
    await bed.server.as(bearer(good)).ask('query Last { viewer { id } }')
    await last
    const log = JSON.stringify(bed.server.logged)
    for (const token of [good, bad]) for (const part of token.split('.').slice(1)) expect(log).not.toContain(part)
    expect(log).not.toContain(secret)
  })
})

describe('AUTH_REQUIRE_EXPIRY=false', () => {
  const bed = useBed({ ...settings, AUTH_REQUIRE_EXPIRY: 'false' })

  test('a token without an expiry is accepted', async () => {
    const identity = bearer(await sign(claims, null))
    expect(await bed.server.as(identity).ask(whoAmI)).toEqual(is('ada'))
    await using wire = await Wire.open(bed.server.url, identity)
    expect(await wire.ask(whoAmI)).toEqual(is('ada'))
  })
})

describe('AUTH_USER_CLAIM', () => {
  const bed = useBed({ AUTH_SECRET: secret, AUTH_USER_CLAIM: 'email' })

  test('names the claim that holds the user', async () => {
    const identity = bearer(await sign({ sub: 'ada', email: 'ada@example.org' }))
    expect(await bed.server.as(identity).ask(whoAmI)).toEqual(is('ada@example.org'))
    const error = await expectRefused(bed.server.url, bearer(await sign({ sub: 'ada' })))
    expect(error?.message).toContain('email')
  })
})

/** A bed whose server takes the keys of tokens from a server that answers by `listener`. */
function useKeyServer(listener: RequestListener): Bed {
  let keyServer: Server
  const jwks: Record<string, string> = {}
  beforeAll(async () => {
    keyServer = createServer(listener)
    await once(keyServer.listen(0, '127.0.0.1'), 'listening')
    jwks.AUTH_JWKS_URL = `http://127.0.0.1:${(keyServer.address() as AddressInfo).port}/keys`
  })
  const bed = useBed(jwks)
  afterAll(() => {
    keyServer.closeAllConnections()
    keyServer.close()
  })
  return bed
}

describe('bearer tokens with AUTH_JWKS_URL', () => {
  const keys: Record<string, unknown>[] = []
  const bed = useKeyServer((_request, response) => response.end(JSON.stringify({ keys })))

  test('one that a published key signed is accepted; those that it did not sign are refused', async () => {
    const { publicKey, privateKey } = await generateKeyPair('RS256', { extractable: true })
    const other = await generateKeyPair('ES256')
    keys.push({ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' })
    const token = (kid: string, alg = 'RS256') =>
      new SignJWT({ sub: 'ada' }).setProtectedHeader({ alg, kid }).setExpirationTime('1h')

    const identity = bearer(await token('one').sign(privateKey))
    expect(await bed.server.as(identity).ask(whoAmI)).toEqual(is('ada'))
    await using wire = await Wire.open(bed.server.url, identity)
    expect(await wire.ask(whoAmI)).toEqual(is('ada'))

    const stolen = await generateKeyPair('RS256')
    await expectRefused(bed.server.url, bearer(await token('one').sign(stolen.privateKey)))
    await expectRefused(bed.server.url, bearer(await token('two').sign(privateKey)))
    await expectRefused(bed.server.url, bearer(await token('one', 'ES256').sign(other.privateKey)))
    for (const material of [await exportSPKI(publicKey), JSON.stringify(await exportJWK(publicKey))]) {
      const forged = await token('one', 'HS256').sign(new TextEncoder().encode(material))
      await expectRefused(bed.server.url, bearer(forged))
    }
    await expectRefused(bed.server.url, bearer(new UnsecuredJWT({ sub: 'ada' }).encode()))
  })
})

describe('a key server that is away', () => {
  const jwks: Record<string, string> = {}
  beforeAll(async () => {
    const closed = createServer()
    await once(closed.listen(0, '127.0.0.1'), 'listening')
    jwks.AUTH_JWKS_URL = `http://127.0.0.1:${(closed.address() as AddressInfo).port}/keys`
    closed.close()
    await once(closed, 'close')
  })
  const bed = useBed(jwks)

  test('is UNAVAILABLE, over HTTP with 503 and on a socket with 1013, which clients try again', async () => {
    const { privateKey } = await generateKeyPair('RS256')
    const token = new SignJWT({ sub: 'ada' }).setProtectedHeader({ alg: 'RS256', kid: 'one' })
    const identity = bearer(await token.sign(privateKey))
    const response = await bed.server.as(identity).post(JSON.stringify({ query: whoAmI }))
    expect(response.status).toBe(503)
    expect(((await response.json()) as { errors: GraphqlError[] }).errors).toMatchObject([
      { extensions: { code: 'UNAVAILABLE' } },
    ])
    const wire = await Wire.dial(bed.server.url)
    wire.send({ type: 'connection_init', payload: identity })
    expect((await wire.closed).code).toBe(1013)
  })
})

describe('a key server that fails', () => {
  const answers: [number, string][] = []
  const bed = useKeyServer((_request, response) => {
    const [status, body] = answers.shift() ?? [500, '']
    response.writeHead(status).end(body)
  })

  test('is UNAVAILABLE, whatever it says instead of keys, and is asked again', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
    const token = new SignJWT({ sub: 'ada' }).setProtectedHeader({ alg: 'ES256', kid: 'one' }).setExpirationTime('1h')
    const ada = bed.server.as(bearer(await token.sign(privateKey)))
    answers.push([500, 'away'], [200, 'no json'], [200, '{"keys":5}'])
    answers.push([200, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }] })])
    for (let n = 0; n < 3; n++) expect((await ada.fail(whoAmI)).extensions.code).toBe('UNAVAILABLE')
    expect(await ada.ask(whoAmI)).toEqual(is('ada'))
    expect(answers).toEqual([])
  })
})

describe('service keys', () => {
  const hash = (key: string) => createHash('sha256').update(key).digest('hex')
  const bed = useBed({
    AUTH_SERVICE_KEYS: `agents:${hash('agents-key')}, chat:${hash('chat-key')}`,
    AUTH_SECRET: secret,
  })

  test('one that is known acts for the user that it names', async () => {
    for (const key of ['agents-key', 'chat-key']) {
      const identity = { 'x-service-key': key, 'x-user-id': 'ada' }
      expect(await bed.server.as(identity).ask(whoAmI)).toEqual(is('ada'))
      await using wire = await Wire.open(bed.server.url, identity)
      expect(await wire.ask(whoAmI)).toEqual(is('ada'))
      await using upgraded = await Wire.open(bed.server.url, {}, identity)
      expect(await upgraded.ask(whoAmI)).toEqual(is('ada'))
    }
  })

  test.each([
    ['unknown', { 'x-service-key': 'other', 'x-user-id': 'ada' }],
    ['empty', { 'x-service-key': '', 'x-user-id': 'ada' }],
    ['the hash of a key', { 'x-service-key': hash('agents-key'), 'x-user-id': 'ada' }],
    ['beside a bearer token', { 'x-service-key': 'agents-key', 'x-user-id': 'ada', authorization: 'Bearer x' }],
    ['beside a user that may not be', { 'x-service-key': 'agents-key', 'x-user-id': 'x'.repeat(256) }],
  ])('one that is %s is refused', async (_what, identity) => {
    await expectRefused(bed.server.url, identity)
  })

  test('one beside a good bearer token is refused, too', async () => {
    const identity = { ...bearer(await sign({ sub: 'ada' })), 'x-service-key': 'agents-key' }
    await expectRefused(bed.server.url, identity)
    await using wire = await Wire.dial(bed.server.url, { 'x-service-key': 'agents-key' })
    wire.send({ type: 'connection_init', payload: bearer(await sign({ sub: 'ada' })) })
    expect((await wire.closed).code).toBe(4403)
  })

  test('one that names no user is refused over HTTP, and on a socket names one with each operation', async () => {
    const identity = { 'x-service-key': 'agents-key' }
    expect((await bed.server.as(identity).fail(whoAmI)).extensions.code).toBe('UNAUTHENTICATED')
    await using wire = await Wire.open(bed.server.url, identity)
    expect((await wire.ask(whoAmI)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED')
    expect(await wire.ask(whoAmI, undefined, { userId: 'ada' })).toEqual(is('ada'))
    expect(await wire.ask(whoAmI, undefined, { userId: 'bob' })).toEqual(is('bob'))
    expect((await wire.ask(whoAmI, undefined, { userId: 5 })).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED')
  })

  test('operations of several users on one socket see each their own', async () => {
    const ada = bed.server.as({ 'x-service-key': 'agents-key', 'x-user-id': 'ada' })
    await ada.append('hers', 'x')
    await using wire = await Wire.open(bed.server.url, { 'x-service-key': 'agents-key' })
    const follow = 'subscription { messageAppended(conversationId: "hers", after: "") { node { content } } }'
    expect((await wire.ask(follow, undefined, { userId: 'bob' })).errors?.[0]?.extensions.code).toBe('NOT_FOUND')
    expect((await wire.ask(follow, undefined, { userId: 'ada' })).data.messageAppended.node.content).toBe('x')
    expect((await wire.ask(follow)).errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED')
  })

  test('the log has no key', async () => {
    await bed.server.as({ 'x-service-key': 'agents-key', 'x-user-id': 'ada' }).ask(whoAmI)
    await bed.server.as({ 'x-service-key': 'guessed-key', 'x-user-id': 'ada' }).ask(whoAmI)
    const wire = await Wire.dial(bed.server.url)
    wire.send({ type: 'connection_init', payload: { 'x-service-key': 'guessed-key', 'x-user-id': 'ada' } })
    await wire.closed
    const last = logged(bed.server, (entry) => entry.operation === 'Last')
    await bed.server.as({ 'x-service-key': 'chat-key', 'x-user-id': 'ada' }).ask('query Last { viewer { id } }')
    await last
    expect(JSON.stringify(bed.server.logged)).not.toMatch(/agents-key|chat-key|guessed-key/)
  })
})
