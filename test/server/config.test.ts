import { expect, test } from 'vitest'
import { describeSettings, readConfig } from '../../src/config.ts'
import { StartupError } from '../../src/errors.ts'

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

/** Each setting with a value that no other has by default, and where it is to be found. */
const places: [name: string, value: string | number, place: string][] = [
  ['PORT', 4001, 'port'],
  ['HOST', 'localhost', 'host'],
  ['DATABASE_URL', 'postgresql://x', 'databaseUrl'],
  ['DATA_DIR', 'data', 'dataDir'],
  ['NATS_URL', 'nats://x', 'natsUrls'],
  ['LOG_LEVEL', 'warn', 'logLevel'],
  ['CORS_ORIGINS', 'https://x', 'corsOrigins'],
  ['MAX_BODY_BYTES', 5_001, 'limits.bodyBytes'],
  ['MAX_QUERY_CHARACTERS', 5_002, 'limits.queryCharacters'],
  ['MAX_QUERY_TOKENS', 5_003, 'limits.queryTokens'],
  ['MAX_QUERY_DEPTH', 51, 'limits.queryDepth'],
  ['MAX_QUERY_FIELDS', 5_004, 'limits.queryFields'],
  ['MAX_QUERY_ALIASES', 52, 'limits.queryAliases'],
  ['MAX_QUERY_REPEATS', 53, 'limits.queryRepeats'],
  ['MAX_MESSAGE_BYTES', 5_005, 'limits.messageBytes'],
  ['MAX_METADATA_BYTES', 5_006, 'limits.metadataBytes'],
  ['MAX_PARTS', 5_011, 'limits.parts'],
  ['MAX_TOOL_CALLS', 5_012, 'limits.toolCalls'],
  ['MAX_FORK_MESSAGES', 5_007, 'limits.forkMessages'],
  ['MAX_FORK_BYTES', 5_008, 'limits.forkBytes'],
  ['MAX_ANSWER_BYTES', 5_009, 'limits.answerBytes'],
  ['MAX_ANSWERS_BYTES', 5_010, 'limits.answersBytes'],
  ['MAX_SUBSCRIPTIONS', 54, 'limits.subscriptions'],
  ['MAX_SOCKETS', 55, 'limits.sockets'],
  ['MAX_MESSAGES_PER_SECOND', 56, 'limits.messagesPerSecond'],
  ['POOL_SIZE', 57, 'pool.size'],
  ['POOL_TIMEOUT_MS', 58, 'pool.waitMs'],
  ['STATEMENT_TIMEOUT_MS', 59, 'pool.statementMs'],
  ['LOCK_TIMEOUT_MS', 60, 'pool.lockMs'],
  ['TRANSACTION_IDLE_TIMEOUT_MS', 61, 'pool.transactionIdleMs'],
  ['REQUEST_TIMEOUT_MS', 501, 'requestMs'],
  ['SHUTDOWN_TIMEOUT_MS', 502, 'shutdownMs'],
  ['GATHER', 'off', 'gather'],
  ['COMPILE_AFTER', 62, 'compileAfter'],
  ['TEXT_WINDOW_MS', 63, 'textWindowMs'],
  ['POLL_MS', 64, 'pollMs'],
  ['TOMBSTONE_DAYS', 65, 'lists.tombstoneDays'],
  ['PING_MS', 66, 'pingMs'],
]

/** The values of an object and of those in it, as texts, by their places. */
function flatten(object: object, before = ''): Record<string, string> {
  const flat = Object.entries(object).map(([name, value]) =>
    typeof value === 'object' && !Array.isArray(value)
      ? flatten(value, `${before}${name}.`)
      : { [before + name]: String(value) },
  )
  return Object.assign({}, ...flat)
}

test.each(places)('%s=%s changes %s and nothing else', (name, value, place) => {
  const [before, after] = [flatten(readConfig({})), flatten(readConfig({ [name]: String(value) }))]
  const changed = Object.fromEntries(Object.entries(after).filter(([at, now]) => before[at] !== now))
  // Lists wait for the longest transaction that the timeouts allow.
  const settleMs = { STATEMENT_TIMEOUT_MS: '40236', TRANSACTION_IDLE_TIMEOUT_MS: '40244' }[name]
  expect(changed).toEqual({ [place]: String(value), ...(settleMs ? { 'lists.settleMs': settleMs } : {}) })
})

test('every setting is tried: those above, and those of identity below', () => {
  const names = describeSettings().map(({ name }) => name)
  const ofIdentity = names.filter((name) => name.startsWith('AUTH_') || name === 'ALLOW_UNAUTHENTICATED')
  expect(ofIdentity).toHaveLength(7)
  expect(new Set([...places.map(([name]) => name), ...ofIdentity])).toEqual(new Set(names))
})

test('identity is what the settings of identity say', () => {
  const given = { AUTH_ISSUER: 'issuer', AUTH_AUDIENCE: 'audience', AUTH_USER_CLAIM: 'claim' }
  const serviceKeys = new Map([
    ['a', hash],
    ['b', hash.replaceAll('a', 'b')],
  ])
  const keys = [...serviceKeys].map((pair) => pair.join(':')).join(' , ')
  const named = { issuer: 'issuer', audience: 'audience', userClaim: 'claim', serviceKeys }
  const secret = 'x'.repeat(32)
  expect(readConfig({ ...given, AUTH_SECRET: secret, AUTH_SERVICE_KEYS: keys }).identity).toEqual({
    ...named,
    secret,
    jwksUrl: undefined,
  })
  const jwksUrl = 'https://id.example/keys'
  expect(readConfig({ ...given, AUTH_JWKS_URL: jwksUrl, AUTH_SERVICE_KEYS: keys }).identity).toEqual({
    ...named,
    jwksUrl,
    secret: undefined,
  })
  expect(readConfig({ AUTH_SERVICE_KEYS: `a:${hash}` }).identity).toEqual({
    userClaim: 'sub',
    serviceKeys: new Map([['a', hash]]),
  })
})

test('a number is taken up to both of its ends', () => {
  for (const port of [0, 65_535]) expect(readConfig({ PORT: String(port) }).port).toBe(port)
  for (const depth of [1, 100]) expect(readConfig({ MAX_QUERY_DEPTH: String(depth) }).limits.queryDepth).toBe(depth)
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
