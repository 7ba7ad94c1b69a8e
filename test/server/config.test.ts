import { expect, test } from 'vitest'
import { describeSettings, findMisspelt, readConfig } from '../../src/config.ts'
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

test('RATE_LIMIT is a cost in a second, or off', () => {
  expect(readConfig({}).rate).toEqual({ perSecond: 5_000, burst: 100_000 })
  expect(readConfig({ RATE_LIMIT: '7', RATE_BURST: '8' }).rate).toEqual({ perSecond: 7, burst: 8 })
  expect(readConfig({ RATE_LIMIT: ' off ' }).rate).toBeNull()
})

test('quotas are numbers, or off; there are none of conversations and bytes unless they are set', () => {
  expect(readConfig({}).quotas).toEqual({ conversations: undefined, bytes: undefined, streams: 1_000 })
  const off = { QUOTA_CONVERSATIONS: ' off ', QUOTA_BYTES: 'off', QUOTA_STREAMS: 'off' }
  expect(readConfig(off).quotas).toEqual({ conversations: undefined, bytes: undefined, streams: undefined })
})

test('without settings everything has a default, on loopback and for development', () => {
  expect(readConfig({})).toMatchObject({ port: 4000, host: '127.0.0.1', databaseUrl: undefined, identity: undefined })
  expect(
    readConfig({ PORT: '', HOST: ' ', CORS_ORIGINS: '', ALLOW_UNAUTHENTICATED: '', MAX_QUERY_ALIASES: ' ' }),
  ).toEqual(readConfig({}))
})

/** Each setting with a value that no other has by default, and where it is to be found. */
const places: [name: string, value: string | number, place: string][] = [
  ['PORT', 4001, 'port'],
  ['HOST', 'localhost', 'host'],
  ['METRICS_PORT', 4002, 'metrics.port'],
  ['METRICS_HOST', 'localhost', 'metrics.host'],
  ['DATABASE_URL', 'postgresql://x/y', 'databaseUrl'],
  ['DATABASE_DIRECT_URL', 'postgresql://x/z', 'directUrl'],
  ['DATA_DIR', 'data', 'dataDir'],
  ['NATS_URL', 'nats://x', 'natsUrls'],
  ['LOG_LEVEL', 'warn', 'logLevel'],
  ['SEARCH_FILL', 'off', 'searchFill'],
  ['CORS_ORIGINS', 'https://x', 'corsOrigins'],
  ['TRUST_PROXY', '10.0.0.0/8', 'trustedProxies'],
  ['MAX_BODY_BYTES', 5_001, 'limits.bodyBytes'],
  ['MAX_BODY_VALUES', 5_013, 'limits.bodyValues'],
  ['MAX_BODY_KEYS', 5_014, 'limits.bodyKeys'],
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
  ['MAX_COST', 5_017, 'limits.cost'],
  ['RATE_LIMIT', 5_018, 'rate.perSecond'],
  ['RATE_BURST', 5_019, 'rate.burst'],
  ['QUOTA_CONVERSATIONS', 5_020, 'quotas.conversations'],
  ['QUOTA_BYTES', 5_021, 'quotas.bytes'],
  ['QUOTA_STREAMS', 5_022, 'quotas.streams'],
  ['MAX_CONNECTIONS', 5_015, 'limits.connections'],
  ['MAX_CONNECTIONS_PER_ADDRESS', 5_016, 'limits.connectionsPerAddress'],
  ['MAX_SUBSCRIPTIONS', 54, 'limits.subscriptions'],
  ['MAX_SOCKETS', 55, 'limits.sockets'],
  ['MAX_MESSAGES_PER_SECOND', 56, 'limits.messagesPerSecond'],
  ['POOL_SIZE', 57, 'pool.size'],
  ['PIPELINES', 13, 'pool.pipelines'],
  ['POOL_TIMEOUT_MS', 58, 'pool.waitMs'],
  ['STATEMENT_TIMEOUT_MS', 59, 'pool.statementMs'],
  ['LOCK_TIMEOUT_MS', 60, 'pool.lockMs'],
  ['TRANSACTION_IDLE_TIMEOUT_MS', 61, 'pool.transactionIdleMs'],
  ['REQUEST_TIMEOUT_MS', 501, 'requestMs'],
  ['SHUTDOWN_DELAY_MS', 503, 'shutdownDelayMs'],
  ['SHUTDOWN_TIMEOUT_MS', 502, 'shutdownMs'],
  ['TEXT_WINDOW_MS', 63, 'textWindowMs'],
  ['POLL_MS', 64, 'pollMs'],
  ['TOMBSTONE_DAYS', 65, 'lists.tombstoneDays'],
  ['PING_MS', 66, 'pingMs'],
]

/** The values of an object and of those in it, as texts, by their places. */
function flatten(object: object, before = ''): Record<string, string> {
  const flat = Object.entries(object).map(([name, value]) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? flatten(value, `${before}${name}.`)
      : { [before + name]: String(value) },
  )
  return Object.assign({}, ...flat)
}

test.each(places)('%s=%s changes %s and nothing else', (name, value, place) => {
  const needed = name === 'DATABASE_DIRECT_URL' ? { DATABASE_URL: 'postgresql://x/y' } : {}
  const [before, after] = [flatten(readConfig(needed)), flatten(readConfig({ ...needed, [name]: String(value) }))]
  const changed = Object.fromEntries(Object.entries(after).filter(([at, now]) => before[at] !== now))
  // A transaction may take as long as several statements and pauses, and lists wait for it.
  const together = { STATEMENT_TIMEOUT_MS: 10_059, TRANSACTION_IDLE_TIMEOUT_MS: 10_061 }[name]
  const longest = together && { 'pool.transactionMs': String(3 * together), 'lists.settleMs': String(4 * together) }
  expect(changed).toEqual({ [place]: String(value), ...longest })
})

test('every setting is tried: those above, and those of identity and of the page below', () => {
  const names = describeSettings().map(({ name }) => name)
  const ofIdentity = names.filter((name) =>
    /^(AUTH_|ALLOW_|TRUSTED_DOCUMENTS|GRAPHIQL|INTROSPECTION|WEB|OPENAI_)/.test(name),
  )
  expect(ofIdentity).toHaveLength(21)
  expect(new Set([...places.map(([name]) => name), ...ofIdentity])).toEqual(new Set(names))
})

test('identity is what the settings of identity say', () => {
  const given = {
    AUTH_ISSUER: 'issuer',
    AUTH_AUDIENCE: 'audience',
    AUTH_USER_CLAIM: 'claim',
    AUTH_ROLES_CLAIM: 'roles',
    AUTH_REQUIRE_EXPIRY: 'false',
    AUTH_KEYS_HOURS: '2',
  }
  const serviceKeys = new Map([
    ['a', { hash, role: 'import', isService: false }],
    ['b', { hash: hash.replaceAll('a', 'b'), role: 'read', isService: false }],
    ['c', { hash: hash.replaceAll('a', 'c'), role: 'write', isService: true }],
    ['d', { hash: hash.replaceAll('a', 'd'), role: 'import', isService: true }],
  ])
  const keys = `a:${hash} , b:${hash.replaceAll('a', 'b')}:read,c:${hash.replaceAll('a', 'c')}:write:service,d:${hash.replaceAll('a', 'd')}:service`
  const named = {
    issuer: 'issuer',
    audience: 'audience',
    userClaim: 'claim',
    rolesClaim: 'roles',
    requiresExpiry: false,
    keysMs: 7_200_000,
    serviceKeys,
  }
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
    requiresExpiry: true,
    keysMs: 86_400_000,
    serviceKeys: new Map([['a', { hash, role: 'import', isService: false }]]),
  })
})

test.each(describeSettings().filter(({ name }) => name.startsWith('AUTH_')))(
  'a blank $name is refused, for it would let everybody in',
  ({ name }) => {
    for (const blank of ['', ' ', '\n']) {
      expect(faultsOf({ [name]: blank })).toBe(`${name}: is blank; give it a value, or do not set it`)
    }
    expect(readConfig({ [name]: undefined })).toEqual(readConfig({}))
  },
)

test('a list of service keys that names none is refused', () => {
  expect(faultsOf({ AUTH_SERVICE_KEYS: ' , ' })).toMatch(/^AUTH_SERVICE_KEYS: must be /)
})

test.each(['https://id.example/keys', 'http://127.0.0.1:8080/keys', 'http://localhost/keys', 'http://[::1]/keys'])(
  'AUTH_JWKS_URL takes %s',
  (AUTH_JWKS_URL) => {
    expect(readConfig({ AUTH_JWKS_URL }).identity?.jwksUrl).toBe(AUTH_JWKS_URL)
  },
)

test('GraphiQL and introspection are on in development, and off with an identity unless they are turned on', () => {
  const AUTH_SECRET = 'x'.repeat(32)
  const of = (env: Record<string, string>) => {
    const { graphiql, introspection } = readConfig(env)
    return [graphiql, introspection]
  }
  expect(of({})).toEqual([true, true])
  expect(of({ AUTH_SECRET })).toEqual([false, false])
  expect(of({ AUTH_SECRET, GRAPHIQL: 'on' })).toEqual([true, true])
  expect(of({ AUTH_SECRET, GRAPHIQL: 'on', INTROSPECTION: 'off' })).toEqual([true, false])
  expect(of({ AUTH_SECRET, INTROSPECTION: 'on' })).toEqual([false, true])
  expect(of({ INTROSPECTION: 'off' })).toEqual([true, false])
  expect(of({ TRUSTED_DOCUMENTS: 'documents' })).toEqual([false, false])
  expect(readConfig({ TRUSTED_DOCUMENTS: 'documents' }).trustedDocuments).toBe('documents')
})

test('the page is on in development, and with an identity where it is turned on and told where tokens come from', () => {
  const AUTH_SECRET = 'x'.repeat(32)
  const of = (env: Record<string, string>) => {
    const { web, assistant } = readConfig(env)
    return [web.isOn, assistant !== null]
  }
  expect(of({})).toEqual([true, true])
  expect(of({ WEB: 'off' })).toEqual([false, false])
  expect(of({ AUTH_SECRET })).toEqual([false, false])
  expect(of({ TRUSTED_DOCUMENTS: 'documents' })).toEqual([false, false])
  expect(of({ AUTH_SECRET, WEB: 'on', WEB_TOKEN_URL: '/token' })).toEqual([true, false])
  for (const url of ['/token', '/', 'https://id.example/token', 'http://127.0.0.1:3000/token']) {
    expect(readConfig({ WEB_TOKEN_URL: url }).web.tokenUrl).toBe(url)
  }
  // A browser takes it for two slashes.
  expect(faultsOf({ WEB_TOKEN_URL: '/\\id.example' })).toContain('WEB_TOKEN_URL: must be')

  const [AUTH_JWKS_URL, WEB_OIDC_ISSUER, WEB_OIDC_CLIENT_ID] = ['https://id.example/keys', 'https://id.example', 'page']
  const openId = { AUTH_JWKS_URL, WEB_OIDC_ISSUER, WEB_OIDC_CLIENT_ID }
  expect(of({ ...openId, WEB: 'on' })).toEqual([true, false])
  expect(readConfig(openId).web.openId).toEqual({ issuer: WEB_OIDC_ISSUER, clientId: 'page', audience: null })
  expect(readConfig({ ...openId, AUTH_AUDIENCE: 'a' }).web.openId?.audience).toBe('a')
  expect(faultsOf({ AUTH_JWKS_URL, WEB_OIDC_ISSUER })).toContain('set both of them')
  expect(faultsOf({ AUTH_JWKS_URL, WEB_OIDC_CLIENT_ID })).toContain('set both of them')
  expect(faultsOf({ ...openId, WEB_TOKEN_URL: '/token' })).toContain(
    'WEB_TOKEN_URL and WEB_OIDC_ISSUER: set one of them',
  )
  const alone = { WEB_OIDC_ISSUER, WEB_OIDC_CLIENT_ID }
  for (const faults of [faultsOf(alone), faultsOf({ ...alone, AUTH_SECRET })]) {
    expect(faults).toContain('WEB_OIDC_ISSUER: set AUTH_JWKS_URL as well')
  }
  expect(faultsOf({ ...openId, WEB_OIDC_ISSUER: 'http://id.example' })).toContain('WEB_OIDC_ISSUER: must be')
})

test('a model answers in conversations of the page where there is its URL, and not for a key alone', () => {
  const of = (env: Record<string, string>) => readConfig(env).assistant?.model
  const [name, key] = ['gpt-5.4-mini', 'hidden']
  expect(of({})).toBeNull()
  expect(of({ OPENAI_API_KEY: key })).toBeNull()
  expect(of({ OPENAI_API_KEY: key, OPENAI_BASE_URL: 'https://api.openai.com/v1' })).toMatchObject({ name, key })
  const url = 'http://127.0.0.1:11434/v1'
  expect(of({ OPENAI_BASE_URL: `${url}/`, OPENAI_MODEL: 'm' })).toEqual({ baseUrl: url, name: 'm', key: undefined })
})

test('a number is taken up to both of its ends', () => {
  for (const port of [0, 65_535]) expect(readConfig({ PORT: String(port) }).port).toBe(port)
  for (const depth of [1, 100]) expect(readConfig({ MAX_QUERY_DEPTH: String(depth) }).limits.queryDepth).toBe(depth)
})

/** Values that a setting does not take. Every number is also tried below its least value, above its greatest, and as no number. */
const bad: Record<string, readonly string[]> = {
  RATE_LIMIT: ['on', '0', '-1', '1.5', '1000000001', 'OFF'],
  QUOTA_CONVERSATIONS: ['on', '0', '-1', '1.5', '1000000001', 'OFF'],
  QUOTA_BYTES: ['on', '0', '-1', '1GB', '1099511627777', 'OFF'],
  QUOTA_STREAMS: ['on', '0', '-1', '1.5', '1000001', 'OFF'],
  HOST: ['http://localhost', 'localhost:4000', '[::1]:4000', '*', 'two names', 'a..b', '/var/run/socket'],
  METRICS_HOST: ['http://localhost', 'localhost:9464', '*'],
  DATABASE_URL: [
    'colloquy',
    'mysql://u:hidden@h/d',
    'postgresql://',
    'postgresql://h',
    'postgresql://h:port/d',
    'h:5432/d',
  ],
  DATABASE_DIRECT_URL: ['mysql://u:hidden@h/d', 'postgresql://h'],
  NATS_URL: ['localhost:4222', 'nats://one,http://two', 'nats://', 'nats:///x'],
  LOG_LEVEL: ['loud', 'INFO', 'warning', '30'],
  CORS_ORIGINS: [
    'foo',
    '*',
    'null',
    'app.example',
    'https://*',
    'https://*.app.example',
    'https://app.example/',
    'https://app.example/chat',
    'https://App.example',
    'HTTPS://app.example',
    'https://app.example:443',
    'https://app.example?x',
    'https://user@app.example',
    'https://one.example,foo',
    'https://one.example https://two.example',
  ],
  TRUST_PROXY: [
    'true',
    'proxy.example',
    '*',
    '10.0.0.0/0',
    '10.0.0.0/33',
    '::/129',
    '10.0.0/8',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    'fe80::1%eth0',
    '10.0.0.1 10.0.0.2',
  ],
  AUTH_JWKS_URL: [
    'keys',
    '/keys',
    'ftp://id.example/keys',
    'file:///keys',
    'https://',
    'http://id.example/keys',
    'http://10.0.0.1/keys',
    'https://user:word@id.example/keys',
  ],
  GRAPHIQL: ['true', '1', 'ON', 'toString'],
  INTROSPECTION: ['false', '0'],
  SEARCH_FILL: ['true', '1', 'ON'],
  WEB: ['true', '1', 'ON'],
  WEB_TOKEN_URL: ['token', '//id.example/token', 'http://id.example/token', 'ftp://id.example'],
  WEB_PICTURES: [
    'pictures.example',
    'http://127.0.0.1',
    'https://a.example/',
    'https://a.example/b',
    'https://*.example',
    'https://a;b',
  ],
  WEB_OIDC_ISSUER: ['id.example', '/id', 'http://id.example', 'https://user:word@id.example'],
  OPENAI_BASE_URL: ['localhost:11434', '/v1', 'ftp://model.example'],
  AUTH_REQUIRE_EXPIRY: ['no', '0'],
  AUTH_SECRET: ['hidden', 'x'.repeat(31)],
  AUTH_SERVICE_KEYS: [
    'agents',
    'agents:hidden',
    `agents:${hash.toUpperCase()}`,
    `agents:${hash}0`,
    `:${hash}`,
    `agents:${hash}:admin`,
    `agents:${hash}:`,
    `agents:${hash}:read:write`,
    `agents:${hash},chat:hidden`,
    `agents:${hash};chat:${hash}`,
    `agents:${hash},agents:${hash.replaceAll('a', 'b')}`,
  ],
  ALLOW_UNAUTHENTICATED: ['yes', '1', 'TRUE', 'on'],
}
const anyText = [
  'DATA_DIR',
  'AUTH_ISSUER',
  'AUTH_AUDIENCE',
  'AUTH_USER_CLAIM',
  'AUTH_ROLES_CLAIM',
  'TRUSTED_DOCUMENTS',
  'WEB_OIDC_CLIENT_ID',
  'OPENAI_API_KEY',
  'OPENAI_MODEL',
]

test.each(describeSettings())('$name refuses what it does not take, in one sentence', ({ name, takes }) => {
  const [, least, greatest] = /^a whole number from (\d+) to (\d+)$/.exec(takes) ?? []
  const beyond = [
    String(Number(greatest) + 1),
    String(Number(least) - 1),
    'many',
    '1.5',
    '1e3',
    '0x10',
    '4MB',
    '-1',
    '∞',
  ]
  const values = bad[name] ?? (least === undefined ? [] : beyond)
  expect(values.length > 0).toBe(!anyText.includes(name))
  for (const value of values) {
    const fault = faultsOf({ [name]: value })
    expect(fault.split('; ')[0]).toMatch(new RegExp(`^${name}: must be `))
    expect(fault).toContain(takes)
    expect(fault).not.toMatch(/hidden|aaaa|Invalid|expected|Zod/)
    const isShown = !['DATABASE_URL', 'DATABASE_DIRECT_URL', 'NATS_URL', 'AUTH_SECRET', 'AUTH_SERVICE_KEYS'].includes(
      name,
    )
    expect(fault.includes(`, and is "${value}"`)).toBe(isShown)
  }
})

test('a long value is shown in part', () => {
  expect(faultsOf({ PORT: 'x'.repeat(5_000) }).length).toBeLessThan(200)
})

test.each([
  'https://app.example',
  'http://localhost:5173, https://app.example:8443',
  'http://[::1]:3000',
  'capacitor://localhost',
  'tauri://localhost',
  'chrome-extension://abcdefghijklmnop',
])('CORS_ORIGINS takes %s', (origins) => {
  expect(readConfig({ CORS_ORIGINS: origins }).corsOrigins).toEqual(origins.split(', '))
})

test('WEB_PICTURES takes origins', () => {
  expect(readConfig({}).web.pictures).toEqual([])
  const origins = 'https://a.example, https://b.example:8443'
  expect(readConfig({ WEB_PICTURES: origins }).web.pictures).toEqual(origins.split(', '))
})

test.each(['10.0.0.7', '10.1.0.0/16, fd00::/8', '0.0.0.0/1', '10.0.0.7/32', '::1/128'])(
  'TRUST_PROXY takes %s',
  (proxies) => {
    expect(readConfig({ TRUST_PROXY: proxies }).trustedProxies).toEqual(proxies.split(', '))
  },
)

test('HOST takes an IPv6 address in brackets too, as it stands in a URL', () => {
  expect(readConfig({ HOST: '[::1]' }).host).toBe('::1')
})

test.each(['::1', 'fe80::1%eth0', 'api.example', 'api-1.internal.', 'my_host'])('HOST takes %s', (HOST) => {
  expect(readConfig({ HOST, ALLOW_UNAUTHENTICATED: 'true' }).host).toBe(HOST)
})

test.each([
  [
    { AUTH_SECRET: 'x'.repeat(32), AUTH_JWKS_URL: 'https://id.example' },
    'AUTH_JWKS_URL and AUTH_SECRET: set one of them',
  ],
  [
    { AUTH_ISSUER: 'https://id.example' },
    'AUTH_ISSUER, AUTH_AUDIENCE, AUTH_ROLES_CLAIM: set AUTH_JWKS_URL or AUTH_SECRET as well',
  ],
  [{ AUTH_AUDIENCE: 'a', AUTH_SERVICE_KEYS: `a:${hash}` }, 'AUTH_ISSUER, AUTH_AUDIENCE, AUTH_ROLES_CLAIM: set'],
  [{ TRUSTED_DOCUMENTS: 'documents', GRAPHIQL: 'on' }, 'TRUSTED_DOCUMENTS and GRAPHIQL: '],
  [{ TRUSTED_DOCUMENTS: 'documents', WEB: 'on' }, 'TRUSTED_DOCUMENTS and WEB: '],
  [{ AUTH_SECRET: 'x'.repeat(32), WEB: 'on' }, 'WEB: with identity settings the page needs tokens; set WEB_TOKEN_URL'],
  [{ AUTH_ROLES_CLAIM: 'roles' }, 'AUTH_ISSUER, AUTH_AUDIENCE, AUTH_ROLES_CLAIM: set'],
])('%j is refused: %s', (env, fault) => {
  expect(faultsOf(env)).toContain(fault)
})

test.each([
  ['MAX_QUERY_DEPHT', 'MAX_QUERY_DEPTH'],
  ['CORS_ORIGIN', 'CORS_ORIGINS'],
  ['CORS_ORGINS', 'CORS_ORIGINS'],
  ['LOGLEVEL', 'LOG_LEVEL'],
  ['LOG_LEVE', 'LOG_LEVEL'],
  ['PROT', 'PORT'],
  ['DATABSE_URL', 'DATABASE_URL'],
  ['DATABASE_URI', 'DATABASE_URL'],
  ['DATADIR', 'DATA_DIR'],
  ['AUTH_SERVICE_KEY', 'AUTH_SERVICE_KEYS'],
  ['AUTH_JWK_URL', 'AUTH_JWKS_URL'],
  ['ALLOW_UNAUTHENTIFICATED', 'ALLOW_UNAUTHENTICATED'],
  ['QUERY_MAX_DEPTH', 'MAX_QUERY_DEPTH'],
  ['MAX_DEPTH', 'MAX_QUERY_DEPTH'],
  ['STATEMENT_TIMEOUT', 'STATEMENT_TIMEOUT_MS'],
  ['POOL_TIMEOUT', 'POOL_TIMEOUT_MS'],
  ['max_query_depth', 'MAX_QUERY_DEPTH'],
  ['COLLOQUY_LOG_LEVEL', 'LOG_LEVEL'],
])('%s in the environment is told, with %s', (name, meant) => {
  expect(findMisspelt({ [name]: 'x' })).toEqual([`${name} is no setting, and has no effect: use ${meant}`])
})

test('a misspelt setting is told together with a fault that it may explain', () => {
  expect(faultsOf({ HOST: '0.0.0.0', AUTH_SERVICE_KEY: `a:${hash}` })).toContain('use AUTH_SERVICE_KEYS')
})

/** Of a desktop, SSH, tmux, npm, CI, containers, clouds, and the programs that run beside a server. */
const ordinary = `
  PATH HOME HOSTNAME HOSTTYPE USER USERNAME LOGNAME SHELL SHLVL PWD OLDPWD TERM TERM_PROGRAM COLORTERM LANG LANGUAGE LC_ALL
  LC_CTYPE TZ EDITOR VISUAL PAGER LESS MAIL MANPATH DISPLAY WAYLAND_DISPLAY XAUTHORITY XDG_RUNTIME_DIR XDG_DATA_DIRS
  XDG_DATA_HOME XDG_CONFIG_DIRS XDG_SESSION_ID DBUS_SESSION_BUS_ADDRESS SSH_AUTH_SOCK SSH_AGENT_PID SSH_CONNECTION SSH_CLIENT
  SSH_TTY GPG_TTY TMUX TMUX_PANE LS_COLORS _ DEBUG NODE NODE_ENV NODE_OPTIONS NODE_PATH NODE_EXTRA_CA_CERTS NVM_DIR NVM_BIN
  INIT_CWD npm_config_cache npm_config_port npm_config_host npm_config_loglevel npm_config_data_dir npm_lifecycle_event
  npm_package_name npm_execpath npm_node_execpath PNPM_HOME YARN_VERSION BUN_INSTALL CARGO_HOME GOPATH JAVA_HOME PYTHONPATH
  VIRTUAL_ENV CONDA_PREFIX HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy no_proxy FORCE_COLOR NO_COLOR CI GITHUB_ACTIONS
  GITHUB_TOKEN GITHUB_REF RUNNER_OS GITLAB_CI BUILD_NUMBER KUBERNETES_SERVICE_HOST KUBERNETES_PORT KUBERNETES_PORT_443_TCP_PORT
  COLLOQUY_PORT COLLOQUY_SERVICE_HOST COLLOQUY_SERVICE_PORT COLLOQUY_PORT_4000_TCP_ADDR COLLOQUY_URL COLLOQUY_USER COLLOQUY_TOKEN
  COLLOQUY_SERVICE_KEY COLLOQUY_RETRY_SECONDS POD_NAME POD_IP NODE_NAME NATS_PORT NATS_SERVICE_HOST NATS_SERVICE_PORT_CLIENT
  DOCKER_HOST DOCKER_CONFIG container INVOCATION_ID JOURNAL_STREAM SYSTEMD_EXEC_PID LISTEN_FDS LISTEN_PID NOTIFY_SOCKET
  AWS_REGION AWS_ACCESS_KEY_ID AWS_PROFILE GOOGLE_CLOUD_PROJECT AZURE_CLIENT_ID DYNO FLY_APP_NAME RENDER RAILWAY_ENVIRONMENT
  VERCEL_URL PORT_RANGE PORT_OFFSET DEBUG_PORT HTTP_PORT SSL_PORT SERVER_PORT APP_HOST BIND_HOST ALLOWED_HOSTS
  PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE PGDATA PGSSLMODE POSTGRES_USER POSTGRES_PASSWORD POSTGRES_DB POSTGRES_HOST
  TEST_DATABASE_URL REDIS_URL MONGO_URL DB_HOST DB_PORT DB_URL OPENAI_API_KEY ANTHROPIC_API_KEY MODEL CONVERSATION SENTRY_DSN
  OTEL_SERVICE_NAME OTEL_LOG_LEVEL RUST_LOG RUST_BACKTRACE LOG_FORMAT LOG_FILE LOG_DIR DATA_HOME CACHE_DIR TMPDIR TEMP TMP
  MAX_OLD_SPACE_SIZE MAX_JOBS UV_THREADPOOL_SIZE MALLOC_ARENA_MAX AUTH_TOKEN NEXTAUTH_URL SECRET SECRET_KEY JWT_SECRET SESSION_SECRET
  API_KEY SERVICE_NAME SERVICE_URL POOL TIMEOUT PING POLL WINDOWID WINDOW VITE_PORT WSL_DISTRO_NAME VSCODE_PID ELECTRON_RUN_AS_NODE`

test('the ordinary names of an environment are told nothing', () => {
  const names = [...ordinary.trim().split(/\s+/), ...describeSettings().map(({ name }) => name)]
  expect(findMisspelt(Object.fromEntries(names.map((name) => [name, 'x'])))).toEqual([])
})

test.each(['0.0.0.0', '::', '192.168.0.5', 'api.example', '127.0.0.1.example'])(
  'HOST=%s without identity is refused, unless that is said to be meant',
  (HOST) => {
    expect(faultsOf({ HOST })).toMatch(/^HOST: .*ALLOW_UNAUTHENTICATED=true$/)
    expect(faultsOf({ HOST, AUTH_SERVICE_KEYS: ' , ' })).toMatch(/; HOST: /)
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
