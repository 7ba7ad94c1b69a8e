import { expect, test } from 'vitest'
import { readConfig } from '../src/config.ts'
import { StartupError } from '../src/errors.ts'

const hash = 'a'.repeat(64)

function faultsOf(env: Record<string, string>): string {
  try {
    readConfig(env)
  } catch (error) {
    if (error instanceof StartupError) return error.message
    throw error
  }
  throw new Error(`expected faults in ${JSON.stringify(env)}`)
}

test('without settings everything has a default, on loopback and for development', () => {
  expect(readConfig({})).toMatchObject({ port: 4000, host: '127.0.0.1', databaseUrl: undefined, identity: undefined })
  expect(readConfig({ PORT: '', HOST: ' ', AUTH_SECRET: '', MAX_QUERY_ALIASES: ' ' })).toEqual(readConfig({}))
})

test.each([
  [{ PORT: 'many' }, 'PORT: must be a whole number from 0 to 65535'],
  [{ PORT: '1.5' }, 'PORT: must be a whole number from 0 to 65535'],
  [{ PORT: '65536' }, 'PORT: must be at most 65535'],
  [{ PORT: '-1' }, 'PORT: must be at least 0'],
  [{ MAX_BODY_BYTES: '4MB' }, 'MAX_BODY_BYTES: must be a whole number'],
  [{ LOG_LEVEL: 'loud' }, 'LOG_LEVEL'],
  [{ AUTH_SECRET: 'x'.repeat(31) }, 'AUTH_SECRET: must have at least 32 bytes'],
  [{ AUTH_JWKS_URL: 'keys' }, 'AUTH_JWKS_URL: must be a URL'],
  [{ AUTH_SERVICE_KEYS: 'agents' }, 'AUTH_SERVICE_KEYS: must be name:sha256-hex, separated by commas'],
  [{ AUTH_SERVICE_KEYS: `agents:${hash},chat:short` }, 'AUTH_SERVICE_KEYS: must be name:sha256-hex'],
  [{ NATS_URL: 'localhost:4222' }, 'NATS_URL: must be nats:// or tls:// URLs, separated by commas'],
  [{ NATS_URL: 'nats://one,http://two' }, 'NATS_URL: must be nats:// or tls:// URLs'],
  [{ ALLOW_UNAUTHENTICATED: 'yes' }, 'ALLOW_UNAUTHENTICATED'],
  [
    { AUTH_SECRET: 'x'.repeat(32), AUTH_JWKS_URL: 'https://id.example' },
    'AUTH_JWKS_URL and AUTH_SECRET: set one of them',
  ],
  [{ AUTH_ISSUER: 'https://id.example' }, 'AUTH_ISSUER, AUTH_AUDIENCE: set AUTH_JWKS_URL or AUTH_SECRET as well'],
  [{ AUTH_AUDIENCE: 'a', AUTH_SERVICE_KEYS: `a:${hash}` }, 'AUTH_ISSUER, AUTH_AUDIENCE: set'],
])('%j is refused: %s', (env, fault) => {
  expect(faultsOf(env)).toContain(fault)
})

test.each(['0.0.0.0', '::', '192.168.0.5', 'api.example', '127.0.0.1.example'])(
  'HOST=%s without identity is refused, unless that is said to be meant',
  (HOST) => {
    expect(faultsOf({ HOST })).toMatch(/^HOST: .*ALLOW_UNAUTHENTICATED=true$/)
    expect(faultsOf({ HOST, AUTH_SERVICE_KEYS: ' , ' })).toMatch(/^HOST: /)
    expect(faultsOf({ HOST, ALLOW_UNAUTHENTICATED: 'false' })).toMatch(/^HOST: /)
    expect(readConfig({ HOST, ALLOW_UNAUTHENTICATED: 'true' }).host).toBe(HOST)
    expect(readConfig({ HOST, AUTH_SECRET: 'x'.repeat(32) }).host).toBe(HOST)
    expect(readConfig({ HOST, AUTH_JWKS_URL: 'https://id.example' }).host).toBe(HOST)
    expect(readConfig({ HOST, AUTH_SERVICE_KEYS: `a:${hash}` }).host).toBe(HOST)
  },
)

test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1'])('HOST=%s needs no identity', (HOST) => {
  expect(readConfig({ HOST }).host).toBe(HOST)
})

test('one message lists every fault, of values and of what contradicts', () => {
  const faults = faultsOf({ PORT: 'many', LOG_LEVEL: 'loud', MAX_BODY_BYTES: '1', HOST: '0.0.0.0', AUTH_ISSUER: 'i' })
  for (const name of ['PORT', 'LOG_LEVEL', 'MAX_BODY_BYTES', 'HOST', 'AUTH_ISSUER']) expect(faults).toContain(`${name}`)
  expect(faults.split('; ').length).toBeGreaterThanOrEqual(5)
})

test('a fault does not repeat a secret', () => {
  expect(faultsOf({ AUTH_SECRET: 'short secret' })).not.toContain('short secret')
  expect(faultsOf({ AUTH_SERVICE_KEYS: 'agents:raw-key' })).not.toContain('raw-key')
})
