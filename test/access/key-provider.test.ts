import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { bearerTokens, type VerifyBearer } from '../../src/auth/bearer-token.ts'
import { readConfig } from '../../src/config.ts'
import { ApiError } from '../../src/errors.ts'
import { until } from '../support/until.ts'

const minute = 60_000
const hour = 60 * minute

let provider: Server
let keys: object[]
/** What the provider answers instead of its keys; null: the keys. */
let fault: number | null
let fetches: number
/** What the provider does not answer while it is stuck; null: it is not. */
let stuck: ServerResponse[] | null
let now: number
let lines: { level: number; reason?: string; msg: string }[]
let verify: VerifyBearer

beforeAll(async () => {
  provider = createServer((_request, response) => {
    fetches += 1
    if (stuck !== null) stuck.push(response)
    else if (fault === null) response.end(JSON.stringify({ keys }))
    else response.writeHead(fault, { location: '/elsewhere' }).end()
  })
  await once(provider.listen(0, '127.0.0.1'), 'listening')
})

afterAll(() => {
  provider.closeAllConnections()
  provider.close()
})

beforeEach(() => {
  ;[keys, fault, fetches, now, lines, stuck] = [[], null, 0, 0, [], null]
  const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`
  const { identity } = readConfig({ AUTH_JWKS_URL: url, AUTH_KEYS_HOURS: '2' })
  const log = pino({}, { write: (line) => void lines.push(JSON.parse(line)) })
  const found = identity && bearerTokens(identity, log, () => now)
  if (!found) throw new Error('no bearer tokens are configured')
  verify = found
})

/** A new key, and a token that it signed. The provider publishes the key with `publish`. */
async function makeKey(kid: string): Promise<{ bearer: string; publish: () => void }> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256' }
  const token = new SignJWT({ sub: 'ada' }).setProtectedHeader({ alg: 'ES256', kid }).setExpirationTime('1h')
  return { bearer: `Bearer ${await token.sign(privateKey)}`, publish: () => void keys.push(jwk) }
}

/** `ada`, or the code of the refusal. */
async function who(bearer: string): Promise<string> {
  try {
    return (await verify(bearer)).userId
  } catch (error) {
    if (error instanceof ApiError) return error.code
    throw error
  }
}

test('keys are asked for once in ten minutes', async () => {
  const { bearer, publish } = await makeKey('one')
  publish()
  for (const at of [0, 1, 10 * minute - 1]) {
    now = at
    expect(await who(bearer)).toBe('ada')
  }
  expect(fetches).toBe(1)
  now = 10 * minute
  keys = []
  // A key that the provider took back is not accepted after that.
  expect(await who(bearer)).toBe('UNAUTHENTICATED')
})

test('the last keys are used while the provider is away, for AUTH_KEYS_HOURS, and that is one line of the log', async () => {
  const { bearer, publish } = await makeKey('one')
  publish()
  expect(await who(bearer)).toBe('ada')
  fault = 500
  for (const at of [11 * minute, 12 * minute, hour, 2 * hour - 1]) {
    now = at
    expect(await who(bearer)).toBe('ada')
  }
  expect(lines.map(({ level, reason }) => [level, reason])).toEqual([[40, 'it answers 500']])
  now = 2 * hour
  for (let n = 0; n < 3; n++) expect(await who(bearer)).toBe('UNAVAILABLE')
  expect(lines.map(({ level }) => level)).toEqual([40, 50])
  fault = null
  now += minute
  expect(await who(bearer)).toBe('ada')
  expect(lines.map(({ level }) => level)).toEqual([40, 50, 30])
})

test('nobody waits for a provider that is away, as long as its last keys may be used', async () => {
  const { bearer, publish } = await makeKey('one')
  publish()
  expect(await who(bearer)).toBe('ada')
  fault = 500
  now = 11 * minute
  expect(await who(bearer)).toBe('ada')
  stuck = []
  now = 12 * minute
  expect(await who(bearer)).toBe('ada')
  await until(() => stuck?.length === 1)
  expect(stuck.map(({ destroyed }) => destroyed)).toEqual([false])
  stuck[0]?.end(JSON.stringify({ keys }))
  await until(() => lines.at(-1)?.level === 30)
})

test('a key that a renewed set does not have is not asked for again at once', async () => {
  const [one, two] = [await makeKey('one'), await makeKey('two')]
  one.publish()
  expect(await who(one.bearer)).toBe('ada')
  for (const at of [1, 2, 3]) {
    now = at
    expect(await who(two.bearer)).toBe('UNAUTHENTICATED')
  }
  expect(fetches).toBe(2)
})

test('a token whose key may be new is UNAVAILABLE while the provider is away, and known ones go on', async () => {
  const [one, two] = [await makeKey('one'), await makeKey('two')]
  one.publish()
  expect(await who(one.bearer)).toBe('ada')
  fault = 503
  now = minute
  expect(await who(two.bearer)).toBe('UNAVAILABLE')
  expect(await who(one.bearer)).toBe('ada')
  two.publish()
  fault = null
  now = 2 * minute
  expect(await who(two.bearer)).toBe('ada')
})

test('a rotated key is fetched when its first token comes, however short ago keys were fetched', async () => {
  const [one, two, three] = [await makeKey('one'), await makeKey('two'), await makeKey('three')]
  one.publish()
  expect(await who(one.bearer)).toBe('ada')
  now = 1
  two.publish()
  expect(await who(two.bearer)).toBe('ada')
  now = 2
  three.publish()
  expect(await Promise.all([who(three.bearer), who(three.bearer), who(one.bearer)])).toEqual(['ada', 'ada', 'ada'])
  expect(fetches).toBe(3)
})

test('a token whose key the provider does not have is refused, and the same one does not ask again for 12 seconds', async () => {
  const [one, two] = [await makeKey('one'), await makeKey('two')]
  one.publish()
  for (const at of [0, 1, 11_999]) {
    now = at
    expect(await who(two.bearer)).toBe('UNAUTHENTICATED')
  }
  expect(fetches).toBe(1)
  now = 12_000
  // The provider may publish it later than it signs with it.
  two.publish()
  expect(await who(two.bearer)).toBe('ada')
})

test('invented keys make the server ask five times and then once in 12 seconds, and no good token becomes a wrong one', async () => {
  const [one, fresh] = [await makeKey('one'), await makeKey('fresh')]
  one.publish()
  expect(await who(one.bearer)).toBe('ada')
  const answers: string[] = []
  for (let n = 0; n < 6; n++) {
    now += 1
    answers.push(await who((await makeKey(`invented ${n}`)).bearer))
  }
  expect(answers).toEqual([...Array(4).fill('UNAUTHENTICATED'), 'UNAVAILABLE', 'UNAVAILABLE'])
  expect(fetches).toBe(5)
  fresh.publish()
  expect(await who(fresh.bearer)).toBe('UNAVAILABLE')
  expect(await who(one.bearer)).toBe('ada')
  now += 12_000
  expect(await who(fresh.bearer)).toBe('ada')
  expect(fetches).toBe(6)
})

test('keys come from AUTH_JWKS_URL alone: a redirect is not followed', async () => {
  fault = 302
  expect(await who((await makeKey('one')).bearer)).toBe('UNAVAILABLE')
  expect(fetches).toBe(1)
  expect(lines[0]?.reason).toBe('it answers 302')
})
