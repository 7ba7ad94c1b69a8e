import { isIP } from 'node:net'
import { StartupError } from './errors.ts'
import { findNearest } from './nearest-name.ts'

const KiB = 1024
const MiB = 1024 * KiB
const hostForm = 'an IP address or a host name, without a scheme and without a port'

/** One variable of the environment. */
interface Setting<Value> {
  /** undefined: the setting does not take this text. The text is never blank. */
  readonly read: (text: string) => Value | undefined
  /** What the setting takes, as it follows "must be". */
  readonly takes: string
  /** The value if nothing is given, as a text; null: there is none. */
  readonly fallback: string | null
  readonly meaning: string
  /** A fault does not repeat what was given. */
  readonly isSecret?: true
}

/** The variables of the environment; the tables of docs/settings.md are made from them. */
const settings = {
  PORT: whole(0, 65_535, 4000, 'Port to listen on; 0 picks a free one.'),
  HOST: {
    read: readHost,
    takes: hostForm,
    fallback: '127.0.0.1',
    meaning: 'Address to listen on. Without identity settings only a loopback address is accepted.',
  },
  METRICS_PORT: {
    ...whole(
      0,
      65_535,
      0,
      'Port to listen on for Prometheus, at `/metrics`; 0 picks a free one. Whoever reaches it can read it. Absent: there are no metrics.',
    ),
    fallback: null,
  },
  METRICS_HOST: {
    read: readHost,
    takes: hostForm,
    fallback: '127.0.0.1',
    meaning: 'Address to listen on for Prometheus.',
  },
  DATABASE_URL: {
    read: (text) => (isDatabaseUrl(text) ? text : undefined),
    takes: 'a URL like postgresql://user:password@host:5432/database',
    fallback: null,
    meaning: 'PostgreSQL 15 or later. Absent: an embedded PostgreSQL in `DATA_DIR`.',
    isSecret: true,
  },
  DATABASE_DIRECT_URL: {
    read: (text) => (isDatabaseUrl(text) ? text : undefined),
    takes: 'a URL like postgresql://user:password@host:5432/database',
    fallback: null,
    meaning:
      'The same database without the connection pooler of `DATABASE_URL`, for migrations and LISTEN. Absent: `DATABASE_URL` has no pooler.',
    isSecret: true,
  },
  DATA_DIR: text('a path', '.data', 'Folder of the embedded PostgreSQL.'),
  NATS_URL: {
    ...list(isNatsUrl, 'nats:// or tls:// URLs, separated by commas'),
    meaning: 'NATS servers that carry hints between servers on one database. Absent: PostgreSQL carries the hints.',
    isSecret: true,
  },
  LOG_LEVEL: oneOf(
    ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    'info',
    'How much is logged, as JSON lines on standard output. Each level includes those before it; `silent` logs nothing.',
  ),
  CORS_ORIGINS: {
    ...list(
      isOrigin,
      'web origins, separated by commas: a scheme, a host in lower case and perhaps a port, without a path, as https://app.example',
    ),
    meaning: 'Web pages that may call this server from a browser, over HTTP and WebSocket. There is no wildcard.',
  },
  TRUST_PROXY: {
    ...list(isNetwork, 'IP addresses and networks, separated by commas, as 10.0.0.7, 10.1.0.0/16'),
    meaning:
      'Proxies before this server. `X-Forwarded-For`, `-Host`, `-Proto` and `Forwarded` are read of them alone. Absent: of nobody.',
  },

  AUTH_JWKS_URL: {
    read: (text) => (isKeyUrl(text) ? text : undefined),
    takes: 'an https:// URL without a user; http:// only for a loopback address',
    fallback: null,
    meaning: 'Where the keys of bearer tokens are published.',
  },
  AUTH_SECRET: {
    read: (text) => (Buffer.byteLength(text) >= 32 ? text : undefined),
    takes: 'a text of at least 32 bytes',
    fallback: null,
    meaning: 'Shared secret of HS256 bearer tokens.',
    isSecret: true,
  },
  AUTH_ISSUER: text('a text', null, 'Required `iss` of bearer tokens.'),
  AUTH_AUDIENCE: text('a text', null, 'Required `aud` of bearer tokens.'),
  AUTH_USER_CLAIM: text('the name of a claim', 'sub', "The claim that holds the user's id."),
  AUTH_ROLES_CLAIM: text(
    'the name of a claim',
    null,
    'The claim that holds the roles of a user: `colloquy:read`, `colloquy:import`, `colloquy:operator`, `colloquy:support`. Absent: users have no roles.',
  ),
  AUTH_KEYS_HOURS: whole(
    1,
    720,
    24,
    'For how many hours the last keys of `AUTH_JWKS_URL` are used while they cannot be fetched.',
  ),
  AUTH_REQUIRE_EXPIRY: oneOf(['true', 'false'], 'true', '`true` refuses bearer tokens without `exp`.'),
  AUTH_SERVICE_KEYS: {
    read: readServiceKeys,
    takes:
      'name:sha256-hex with 64 digits in lower case, perhaps with :read, :write, :support or :import behind, and then perhaps with :agent or :service, separated by commas, and no name twice',
    fallback: null,
    meaning:
      "The names of trusted backends, the hashes of their keys, and what they may do: read, write, also see what waits for a person and take it over (`support`), or also say when things were created (`import`, which a key without a role may do too). What they write is an agent's, unless they are a `service`.",
    isSecret: true,
  },
  ALLOW_UNAUTHENTICATED: oneOf(
    ['true', 'false'],
    'false',
    '`true` lets a server without identity settings listen beyond loopback, and answer what came through a proxy.',
  ),
  TRUSTED_DOCUMENTS: text(
    'a path',
    null,
    'Folder of `.graphql` files. No other documents are answered, whether they come as text or by their SHA-256. Absent: every document is.',
  ),
  GRAPHIQL: onOrOff(
    'GraphiQL at `/graphiql`. Absent: on in development, and off where callers have an identity or `TRUSTED_DOCUMENTS` is set.',
  ),
  INTROSPECTION: onOrOff('Whether callers may read the schema (`__schema`, `__type`). Absent: on where GraphiQL is.'),

  SEARCH_FILL: oneOf(
    ['on', 'off'],
    'on',
    'Whether this server fills the index of `searchMessages` beside its other work. Off, searches find what other servers have filled.',
  ),
  WEB: onOrOff(
    'The page at `/`. Absent: on in development, and off where callers have an identity or `TRUSTED_DOCUMENTS` is set.',
  ),
  WEB_TOKEN_URL: {
    read: (text) => (isTokenUrl(text) ? text : undefined),
    takes: 'an https:// URL, http:// only for a loopback address, or a path of this origin that begins with one slash',
    fallback: null,
    meaning:
      'Where the page gets the bearer token of whoever opens it: asked with cookies, it answers the token as text, or as JSON with a `token`.',
  },
  WEB_OIDC_ISSUER: {
    read: (text) => (isKeyUrl(text) ? text : undefined),
    takes: 'an https:// URL without a user; http:// only for a loopback address',
    fallback: null,
    meaning:
      'The OpenID provider at which whoever opens the page signs in, in place of `WEB_TOKEN_URL`. Its access tokens must be those that the `AUTH_*` settings take.',
  },
  WEB_OIDC_CLIENT_ID: text('a text', null, 'The name under which that provider knows the page, a public client.'),
  WEB_PICTURES: {
    ...list(isPictureOrigin, 'https:// origins, separated by commas, without a path, as https://pictures.example'),
    meaning:
      'From where the page may load the pictures of people that tokens name. Absent: from nowhere; only those are shown that stand in the token itself.',
  },
  OPENAI_API_KEY: {
    ...text(
      'a text',
      null,
      'Key of the model that answers in conversations of the page, in development. See `OPENAI_BASE_URL`.',
    ),
    isSecret: true as const,
  },
  OPENAI_BASE_URL: {
    read: (text) => (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) ? text : undefined),
    takes: 'an http:// or https:// URL',
    fallback: null,
    meaning:
      'Where this model is: chat completions as OpenAI has them, also of a server on this machine. Absent: a script answers, and nothing leaves the machine.',
  },
  OPENAI_MODEL: text('the name of a model', 'gpt-5.4-mini', 'Name of this model.'),

  MAX_BODY_BYTES: whole(1 * KiB, 64 * MiB, 4 * MiB, 'Most bytes of a request body or of a WebSocket frame.'),
  MAX_BODY_VALUES: whole(
    1_000,
    10_000_000,
    200_000,
    'Most JSON values of a request body or of a WebSocket frame, counting the keys of objects as well.',
  ),
  MAX_BODY_KEYS: whole(100, 1_000_000, 8_000, 'Most different keys of a request body or of a WebSocket frame.'),
  MAX_QUERY_CHARACTERS: whole(100, 1_000_000, 32_768, 'Most characters of a GraphQL document.'),
  MAX_QUERY_TOKENS: whole(10, 100_000, 4_000, 'Most tokens of a GraphQL document.'),
  MAX_QUERY_DEPTH: whole(
    1,
    100,
    15,
    'Deepest nesting of fields, with fragments expanded. Introspection has its own rule.',
  ),
  MAX_QUERY_FIELDS: whole(1, 10_000, 1_000, 'Most fields of an operation, with fragments expanded.'),
  MAX_QUERY_ALIASES: whole(
    0,
    1_000,
    30,
    'Most aliases of an operation, with fragments expanded and `__typename` included.',
  ),
  MAX_QUERY_REPEATS: whole(0, 1_000, 30, 'Most fields that repeat an earlier field of their selection set.'),
  MAX_MESSAGE_BYTES: whole(
    1,
    64 * MiB,
    1 * MiB,
    'Most UTF-8 bytes of all fields of one message together. A text that stands in `content` and in `parts` counts once. A completion may add so many again to the text of its message.',
  ),
  MAX_PARTS: whole(1, 100_000, 10_000, 'Most parts of one message. `MAX_MESSAGE_BYTES` limits their bytes.'),
  MAX_TOOL_CALLS: whole(1, 100_000, 10_000, 'Most tool calls of one message. `MAX_MESSAGE_BYTES` limits their bytes.'),
  MAX_METADATA_BYTES: whole(
    2,
    1 * MiB,
    16 * KiB,
    'Most UTF-8 bytes of the metadata of a message or a conversation, as JSON.',
  ),
  MAX_FORK_MESSAGES: whole(1, 1_000_000, 10_000, 'Most messages that one `forkConversation` copies.'),
  MAX_FORK_BYTES: whole(1 * KiB, 1_024 * MiB, 64 * MiB, 'Most UTF-8 bytes of all fields of those messages together.'),
  MAX_ANSWER_BYTES: whole(1 * KiB, 256 * MiB, 16 * MiB, 'Most bytes of all rows that are read for one answer.'),
  MAX_ANSWERS_BYTES: whole(
    1 * KiB,
    16_384 * MiB,
    256 * MiB,
    'Most bytes of all rows that are held for answers in flight.',
  ),
  MAX_COST: whole(
    20,
    1_000_000_000,
    20_000,
    'Most that one operation may cost: about the rows that it may read or write, with page sizes multiplied along the path, and 10 for the operation itself. It may also read at most so many rows.',
  ),
  RATE_LIMIT: wholeOrOff(
    1_000_000_000,
    '5000',
    'How much the operations of one user may cost in a second, on each server by itself. `off`: there is no such limit.',
  ),
  RATE_BURST: whole(
    1,
    1_000_000_000,
    100_000,
    'How much they may cost at once after a rest. Whoever has used up more is refused with RATE_LIMITED until `RATE_LIMIT` has made up for it.',
  ),
  QUOTA_CONVERSATIONS: wholeOrOff(
    1_000_000_000,
    null,
    'Most conversations of one user; those that are deleted do not count. Absent or `off`: there is no such limit.',
  ),
  QUOTA_BYTES: wholeOrOff(
    1024 * 1024 * MiB,
    null,
    'Most UTF-8 bytes of all messages of one user together, counted as `MAX_MESSAGE_BYTES` counts them. Absent or `off`: there is no such limit.',
  ),
  QUOTA_STREAMS: wholeOrOff(
    1_000_000,
    '1000',
    'Most messages of one user that stream at once. `off`: there is no such limit.',
  ),
  MAX_CONNECTIONS: whole(1, 1_000_000, 50_000, 'Most TCP connections at once, of all clients together.'),
  MAX_CONNECTIONS_PER_ADDRESS: whole(
    1,
    1_000_000,
    12_000,
    'Most TCP connections at once from one address, unless `TRUST_PROXY` names it.',
  ),
  MAX_SUBSCRIPTIONS: whole(
    1,
    10_000,
    100,
    'Most operations that are open at once on one WebSocket, and most event streams of one user on one server.',
  ),
  MAX_SOCKETS: whole(
    1,
    1_000_000,
    1_000,
    'Most WebSockets of one user on one server. If a backend names its user with each operation, its WebSockets are counted by its key.',
  ),
  MAX_MESSAGES_PER_SECOND: whole(
    1,
    1_000_000,
    1_000,
    'Most messages that are read from one WebSocket in a second. The server reads no faster if a client sends more.',
  ),

  POOL_SIZE: whole(2, 500, 16, 'Connections to PostgreSQL.'),
  PIPELINES: whole(
    1,
    64,
    2,
    'Further connections to PostgreSQL, over which short reads are sent without waiting for one another.',
  ),
  POOL_TIMEOUT_MS: whole(10, 60_000, 5_000, 'Longest wait for a connection, and of a read or an append for its turn.'),
  STATEMENT_TIMEOUT_MS: whole(10, 600_000, 10_000, 'Longest run of one SQL statement.'),
  LOCK_TIMEOUT_MS: whole(10, 60_000, 5_000, 'Longest wait for a row that another transaction holds.'),
  TRANSACTION_IDLE_TIMEOUT_MS: whole(10, 600_000, 10_000, 'Longest pause inside a transaction.'),
  REQUEST_TIMEOUT_MS: whole(100, 600_000, 30_000, 'Longest time for one HTTP request, from first byte to answer.'),
  SHUTDOWN_DELAY_MS: whole(
    0,
    600_000,
    0,
    'For how long a server that stops still takes connections, while `/readyz` says that it stops: so that what stands before it learns of it.',
  ),
  SHUTDOWN_TIMEOUT_MS: whole(100, 60_000, 8_000, 'Longest wait for requests in flight when the server stops.'),
  TEXT_WINDOW_MS: whole(0, 1_000, 25, 'How often the text of streaming messages is stored.'),
  POLL_MS: whole(10, 600_000, 5_000, 'How often watched conversations are looked at, in case a hint was lost.'),
  TOMBSTONE_DAYS: whole(
    1,
    3_650,
    30,
    'For how many days deleted conversations are remembered, so that lists are told of them. Older cursors of lists expire.',
  ),
  PING_MS: whole(
    10,
    600_000,
    12_000,
    'How often WebSockets and event streams get a sign of life. A connection that takes nothing until the next one is ended.',
  ),
} satisfies Record<string, Setting<unknown>>

/** Limits that the contract itself states. They are the same on every server. Lengths are in characters. */
export const contractLimits = {
  userId: 255,
  conversationId: 128,
  clientId: 255,
  operationId: 255,
  name: 255,
  title: 1_000,
  page: 100,
  defaultPage: 50,
  history: 1_000,
  batch: 100,
  participants: 1_000,
  namedPeople: 50,
  emojiBytes: 64,
  emojis: 20,
  mentions: 50,
  feedbackReasonBytes: 200,
  feedbackCommentBytes: 4_096,
  approvalReasonBytes: 200,
  waitingReasonBytes: 1_000,
  picture: 2_048,
  nodes: 100,
  windows: 10,
  contextTokens: 10_000_000,
  searchQuery: 1_000,
  found: 50,
  defaultFound: 10,
  siblings: 100,
  chunks: 1_000,
  streamSeconds: 3_600,
  defaultStreamSeconds: 60,
  jsonDepth: 64,
  bodyDepth: 1_000,
} as const

/** What is read of the settings. One without a value is undefined. */
type Settings = {
  readonly [Name in keyof typeof settings]: (typeof settings)[Name] extends {
    fallback: infer Fallback
    read: infer Read
  }
    ?
        | Exclude<ReturnType<Extract<Read, (text: string) => unknown>>, undefined>
        | (Fallback extends string ? never : undefined)
    : never
}

export interface Limits {
  readonly bodyBytes: number
  readonly bodyValues: number
  readonly bodyKeys: number
  readonly queryCharacters: number
  readonly queryTokens: number
  readonly queryDepth: number
  readonly queryFields: number
  readonly queryAliases: number
  readonly queryRepeats: number
  readonly messageBytes: number
  readonly parts: number
  readonly toolCalls: number
  readonly metadataBytes: number
  readonly forkMessages: number
  readonly forkBytes: number
  readonly answerBytes: number
  readonly answersBytes: number
  readonly cost: number
  readonly connections: number
  readonly connectionsPerAddress: number
  readonly subscriptions: number
  readonly sockets: number
  readonly messagesPerSecond: number
}

export interface ServiceKey {
  /** Lower-case hex of the SHA-256 of the key. */
  readonly hash: string
  readonly role: 'read' | 'write' | 'support' | 'import'
  /** Whether what it writes is a service's; otherwise it is an agent's. */
  readonly isService: boolean
}

export interface Identity {
  readonly jwksUrl: string | undefined
  /** For how many milliseconds keys are used that cannot be fetched again. */
  readonly keysMs: number
  readonly secret: string | undefined
  readonly issuer: string | undefined
  readonly audience: string | undefined
  readonly userClaim: string
  readonly rolesClaim: string | undefined
  /** Whether a token needs an `exp`. */
  readonly requiresExpiry: boolean
  /** By the backend's name. */
  readonly serviceKeys: ReadonlyMap<string, ServiceKey>
}

/** How much the operations of one user may cost, on this server. */
export interface Rate {
  readonly perSecond: number
  /** So much at once after a rest. */
  readonly burst: number
}

/** Most that one user may have; undefined: there is no limit. */
export interface QuotaLimits {
  readonly conversations: number | undefined
  readonly bytes: number | undefined
  readonly streams: number | undefined
}

export interface AssistantConfig {
  /** null: a script answers. */
  readonly model: { readonly baseUrl: string; readonly name: string; readonly key: string | undefined } | null
}

/** The OpenID provider at which users of the page sign in. */
export interface OpenId {
  readonly issuer: string
  readonly clientId: string
  /** For whom the provider is asked to make its tokens; null: it is not told. */
  readonly audience: string | null
}

/** A setting as this server has it, to be shown. */
export interface SettingInForce {
  readonly name: string
  /** What was given, or the default; null: there is neither, or it is a secret. */
  readonly value: string | null
  readonly isGiven: boolean
  readonly isSecret: boolean
  readonly meaning: string
}

export interface ListTimes {
  /**
   * The longest time from the moment that a change gives its conversation as `updatedAt`, which is when its transaction
   * began, until every reader sees the change: `transactionMs`, then a pause before the COMMIT arrives, which PostgreSQL
   * ends after `transactionIdleMs`, and then the commit itself. The commit has no limit of its own; it gets the time of
   * a statement. A change of one statement begins when the statement arrives, so it takes less.
   */
  readonly settleMs: number
  readonly tombstoneDays: number
}

export interface Config {
  readonly port: number
  readonly host: string
  readonly metrics: {
    /** undefined: there are no metrics. */
    readonly port: number | undefined
    readonly host: string
  }
  /** undefined: embedded PostgreSQL in `dataDir`. */
  readonly databaseUrl: string | undefined
  /** The same database without a pooler before it; undefined: `databaseUrl`. */
  readonly directUrl: string | undefined
  readonly dataDir: string
  /** Empty: hints go through PostgreSQL. */
  readonly natsUrls: readonly string[]
  readonly logLevel: Settings['LOG_LEVEL']
  readonly corsOrigins: readonly string[]
  /** Addresses, and networks as 10.0.0.0/8. */
  readonly trustedProxies: readonly string[]
  /** undefined: development, where the caller names its own user. */
  readonly identity: Identity | undefined
  /** Whether a server without identity is meant to be reached from elsewhere. */
  readonly allowsUnauthenticated: boolean
  /** A folder; undefined: every document may come. */
  readonly trustedDocuments: string | undefined
  readonly graphiql: boolean
  /** Whether this server fills the words for searches. */
  readonly searchFill: 'on' | 'off'
  readonly web: {
    readonly isOn: boolean
    /** undefined: in development, where the page needs no token, or with an OpenID provider. */
    readonly tokenUrl: string | undefined
    /** undefined: nobody signs in by the page itself. */
    readonly openId: OpenId | undefined
    /** Origins from which pictures of people may come. */
    readonly pictures: readonly string[]
  }
  /** What answers in conversations of the page; null: nobody by itself. */
  readonly assistant: AssistantConfig | null
  readonly introspection: boolean
  readonly limits: Limits
  /** null: there is no limit. */
  readonly rate: Rate | null
  readonly quotas: QuotaLimits
  readonly pool: {
    readonly size: number
    readonly pipelines: number
    readonly waitMs: number
    readonly statementMs: number
    readonly lockMs: number
    readonly transactionIdleMs: number
    /** A transaction that is older is not committed. The server's stopwatch measures it, and no clock. */
    readonly transactionMs: number
  }
  readonly lists: ListTimes
  readonly requestMs: number
  readonly shutdownDelayMs: number
  readonly shutdownMs: number
  readonly textWindowMs: number
  readonly pollMs: number
  readonly pingMs: number
  /** All of them, without what is secret. */
  readonly settings: readonly SettingInForce[]
}

/**
 * Reads the whole configuration from the environment.
 *
 * @throws StartupError with one message that lists every fault
 */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given: Record<string, string> = {}
  for (const name of names) {
    const value = env[name]
    if (value !== undefined && value.trim() !== '') given[name] = value
  }
  const read: Record<string, unknown> = {}
  const faults = findBlankIdentity(env)
  for (const [name, { read: readText, fallback, takes, isSecret }] of Object.entries<Setting<unknown>>(settings)) {
    const value = given[name] ?? fallback
    if (value === null) continue
    read[name] = readText(value)
    if (read[name] === undefined) faults.push(`${name}: must be ${takes}${isSecret ? '' : `, and is ${quote(value)}`}`)
  }
  faults.push(...contradictions(given))
  // A misspelt setting may be the reason for a fault, for example if it was to say who may come in.
  if (faults.length > 0) throw new StartupError([...faults, ...findMisspelt(env)].join('; '))
  return { ...toConfig(read as unknown as Settings), settings: tellSettings(given) }
}

function tellSettings(given: Readonly<Record<string, string>>): SettingInForce[] {
  return Object.entries<Setting<unknown>>(settings).map(([name, { fallback, isSecret = false, meaning }]) => {
    const value = given[name] ?? fallback
    const told = isSecret || value === null ? null : withoutCredentials(value)
    return { name, value: told, isGiven: name in given, isSecret, meaning }
  })
}

/** A URL may have a password before its host, and a key in its query. */
function withoutCredentials(value: string): string {
  if (!URL.canParse(value)) return value
  const { protocol, host, pathname, username, password, search, hash } = new URL(value)
  return username + password + search + hash === '' ? value : `${protocol}//${host}${pathname}…`
}

/**
 * Other blank settings are as absent, because compose files pass settings on that nobody gave. A blank setting of
 * identity would open the server to everybody who reaches it.
 */
function findBlankIdentity(env: Readonly<Record<string, string | undefined>>): string[] {
  const blank = names.filter((name) => name.startsWith('AUTH_') && env[name]?.trim() === '')
  return blank.map((name) => `${name}: is blank; give it a value, or do not set it`)
}

/** A sentence for each variable that is no setting and looks like one. */
export function findMisspelt(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, value]) => {
    if (value === undefined || name in settings) return []
    const nearest = findNearest(name, ownNames)
    return nearest === null ? [] : [`${name} is no setting, and has no effect: use ${nearest}`]
  })
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** Every setting with its default, its values and its meaning. */
export function describeSettings(): { name: string; default: string; takes: string; meaning: string }[] {
  return Object.entries<Setting<unknown>>(settings).map(([name, { fallback, takes, meaning }]) => {
    return { name, default: fallback ?? '', takes, meaning }
  })
}

const names = Object.keys(settings)

/** Those that other programs have as well: what is like them is probably for another program. */
const ownNames = names.filter((name) => !name.startsWith('OPENAI_'))

function toConfig(from: Settings): Omit<Config, 'settings'> {
  const identity = toIdentity(from)
  const graphiql = from.GRAPHIQL ?? (identity === undefined && from.TRUSTED_DOCUMENTS === undefined)
  const isWebOn = from.WEB ?? (identity === undefined && from.TRUSTED_DOCUMENTS === undefined)
  return {
    port: from.PORT,
    host: from.HOST,
    metrics: { port: from.METRICS_PORT, host: from.METRICS_HOST },
    databaseUrl: from.DATABASE_URL,
    directUrl: from.DATABASE_DIRECT_URL,
    dataDir: from.DATA_DIR,
    natsUrls: from.NATS_URL ?? [],
    logLevel: from.LOG_LEVEL,
    corsOrigins: from.CORS_ORIGINS ?? [],
    trustedProxies: from.TRUST_PROXY ?? [],
    identity,
    allowsUnauthenticated: from.ALLOW_UNAUTHENTICATED === 'true',
    trustedDocuments: from.TRUSTED_DOCUMENTS,
    graphiql,
    searchFill: from.SEARCH_FILL,
    web: {
      isOn: isWebOn,
      tokenUrl: from.WEB_TOKEN_URL,
      openId: toOpenId(from),
      pictures: from.WEB_PICTURES ?? [],
    },
    assistant: isWebOn && identity === undefined ? { model: toModel(from) } : null,
    introspection: from.INTROSPECTION ?? graphiql,
    limits: {
      bodyBytes: from.MAX_BODY_BYTES,
      bodyValues: from.MAX_BODY_VALUES,
      bodyKeys: from.MAX_BODY_KEYS,
      queryCharacters: from.MAX_QUERY_CHARACTERS,
      queryTokens: from.MAX_QUERY_TOKENS,
      queryDepth: from.MAX_QUERY_DEPTH,
      queryFields: from.MAX_QUERY_FIELDS,
      queryAliases: from.MAX_QUERY_ALIASES,
      queryRepeats: from.MAX_QUERY_REPEATS,
      messageBytes: from.MAX_MESSAGE_BYTES,
      parts: from.MAX_PARTS,
      toolCalls: from.MAX_TOOL_CALLS,
      metadataBytes: from.MAX_METADATA_BYTES,
      forkMessages: from.MAX_FORK_MESSAGES,
      forkBytes: from.MAX_FORK_BYTES,
      answerBytes: from.MAX_ANSWER_BYTES,
      answersBytes: from.MAX_ANSWERS_BYTES,
      cost: from.MAX_COST,
      connections: from.MAX_CONNECTIONS,
      connectionsPerAddress: from.MAX_CONNECTIONS_PER_ADDRESS,
      subscriptions: from.MAX_SUBSCRIPTIONS,
      sockets: from.MAX_SOCKETS,
      messagesPerSecond: from.MAX_MESSAGES_PER_SECOND,
    },
    rate: from.RATE_LIMIT === 'off' ? null : { perSecond: from.RATE_LIMIT, burst: from.RATE_BURST },
    quotas: {
      conversations: unlessOff(from.QUOTA_CONVERSATIONS),
      bytes: unlessOff(from.QUOTA_BYTES),
      streams: unlessOff(from.QUOTA_STREAMS),
    },
    pool: {
      size: from.POOL_SIZE,
      pipelines: from.PIPELINES,
      waitMs: from.POOL_TIMEOUT_MS,
      statementMs: from.STATEMENT_TIMEOUT_MS,
      lockMs: from.LOCK_TIMEOUT_MS,
      transactionIdleMs: from.TRANSACTION_IDLE_TIMEOUT_MS,
      transactionMs: 3 * (from.STATEMENT_TIMEOUT_MS + from.TRANSACTION_IDLE_TIMEOUT_MS),
    },
    lists: {
      settleMs: 4 * (from.STATEMENT_TIMEOUT_MS + from.TRANSACTION_IDLE_TIMEOUT_MS),
      tombstoneDays: from.TOMBSTONE_DAYS,
    },
    requestMs: from.REQUEST_TIMEOUT_MS,
    shutdownDelayMs: from.SHUTDOWN_DELAY_MS,
    shutdownMs: from.SHUTDOWN_TIMEOUT_MS,
    textWindowMs: from.TEXT_WINDOW_MS,
    pollMs: from.POLL_MS,
    pingMs: from.PING_MS,
  }
}

/** A key alone says nothing: it may lie in the environment for another program, and what is written here would leave the machine. */
function toModel({ OPENAI_API_KEY: key, OPENAI_BASE_URL: baseUrl, OPENAI_MODEL: name }: Settings) {
  return baseUrl === undefined ? null : { baseUrl: baseUrl.replace(/\/+$/, ''), name, key }
}

function toOpenId(from: Settings): OpenId | undefined {
  const { WEB_OIDC_ISSUER: issuer, WEB_OIDC_CLIENT_ID: clientId, AUTH_AUDIENCE: audience } = from
  if (issuer === undefined || clientId === undefined) return undefined
  return { issuer, clientId, audience: audience ?? null }
}

function toIdentity(from: Settings): Identity | undefined {
  const serviceKeys = from.AUTH_SERVICE_KEYS ?? new Map<string, ServiceKey>()
  if ((from.AUTH_JWKS_URL ?? from.AUTH_SECRET) === undefined && serviceKeys.size === 0) return undefined
  return {
    jwksUrl: from.AUTH_JWKS_URL,
    keysMs: from.AUTH_KEYS_HOURS * 3_600_000,
    secret: from.AUTH_SECRET,
    issuer: from.AUTH_ISSUER,
    audience: from.AUTH_AUDIENCE,
    userClaim: from.AUTH_USER_CLAIM,
    rolesClaim: from.AUTH_ROLES_CLAIM,
    requiresExpiry: from.AUTH_REQUIRE_EXPIRY === 'true',
    serviceKeys,
  }
}

/** What is wrong between settings, even if each of them is right by itself. */
function contradictions(given: Readonly<Record<string, string | undefined>>): string[] {
  const faults: string[] = []
  if (given.DATABASE_DIRECT_URL !== undefined && given.DATABASE_URL === undefined) {
    faults.push('DATABASE_DIRECT_URL: set DATABASE_URL as well; without a pooler, DATABASE_URL alone')
  }
  if (given.AUTH_JWKS_URL !== undefined && given.AUTH_SECRET !== undefined) {
    faults.push('AUTH_JWKS_URL and AUTH_SECRET: set one of them')
  }
  const tokens = given.AUTH_JWKS_URL ?? given.AUTH_SECRET
  if (tokens === undefined && (given.AUTH_ISSUER ?? given.AUTH_AUDIENCE ?? given.AUTH_ROLES_CLAIM) !== undefined) {
    faults.push('AUTH_ISSUER, AUTH_AUDIENCE, AUTH_ROLES_CLAIM: set AUTH_JWKS_URL or AUTH_SECRET as well')
  }
  if (given.TRUSTED_DOCUMENTS !== undefined && given.GRAPHIQL?.trim() === 'on') {
    faults.push('TRUSTED_DOCUMENTS and GRAPHIQL: GraphiQL sends documents of its own; turn it off')
  }
  if (given.TRUSTED_DOCUMENTS !== undefined && given.WEB?.trim() === 'on') {
    faults.push('TRUSTED_DOCUMENTS and WEB: the page sends documents of its own; turn it off')
  }
  const hasIdentity = tokens !== undefined || splitList(given.AUTH_SERVICE_KEYS ?? '').length > 0
  const openId = [given.WEB_OIDC_ISSUER, given.WEB_OIDC_CLIENT_ID].filter((value) => value !== undefined)
  if (openId.length === 1) faults.push('WEB_OIDC_ISSUER and WEB_OIDC_CLIENT_ID: set both of them')
  if (openId.length > 0 && given.WEB_TOKEN_URL !== undefined) {
    faults.push('WEB_TOKEN_URL and WEB_OIDC_ISSUER: set one of them')
  }
  if (openId.length > 0 && given.AUTH_JWKS_URL === undefined) {
    faults.push('WEB_OIDC_ISSUER: set AUTH_JWKS_URL as well, to the keys of this provider')
  }
  if (hasIdentity && given.WEB?.trim() === 'on' && given.WEB_TOKEN_URL === undefined && openId.length === 0) {
    faults.push(
      'WEB: with identity settings the page needs tokens; set WEB_TOKEN_URL to what gives them, or WEB_OIDC_ISSUER and WEB_OIDC_CLIENT_ID',
    )
  }
  const isOpen = given.HOST !== undefined && !isLoopback(given.HOST)
  if (isOpen && !hasIdentity && given.ALLOW_UNAUTHENTICATED !== 'true') {
    faults.push(
      `HOST: ${given.HOST} is no loopback address, and without identity settings everyone who reaches it could read everything; ` +
        'set AUTH_JWKS_URL, AUTH_SECRET or AUTH_SERVICE_KEYS, or ALLOW_UNAUTHENTICATED=true',
    )
  }
  return faults
}

function whole(min: number, max: number, fallback: number, meaning: string) {
  const read = (text: string) => wholeIn(min, max, text)
  return { read, takes: `a whole number from ${min} to ${max}`, fallback: String(fallback), meaning }
}

function wholeIn(min: number, max: number, text: string): number | undefined {
  const value = Number(text)
  return /^\s*\d+\s*$/.test(text) && value >= min && value <= max ? value : undefined
}

/** From 1 on, or `off`. */
function wholeOrOff<Fallback extends string | null>(max: number, fallback: Fallback, meaning: string) {
  const read = (text: string) => (text.trim() === 'off' ? ('off' as const) : wholeIn(1, max, text))
  return { read, takes: `off, or a whole number from 1 to ${max}`, fallback, meaning }
}

function unlessOff(value: number | 'off' | undefined): number | undefined {
  return value === 'off' ? undefined : value
}

function oneOf<const Value extends string>(values: readonly Value[], fallback: Value, meaning: string) {
  const read = (text: string) => values.find((value) => value === text.trim())
  return { read, takes: `one of ${values.join(', ')}`, fallback, meaning }
}

/** Who does not say leaves it to the other settings. */
function onOrOff(meaning: string) {
  const read = (text: string) => (text.trim() === 'on' ? true : text.trim() === 'off' ? false : undefined)
  return { read, takes: 'one of on, off', fallback: null, meaning }
}

function text<Fallback extends string | null>(takes: string, fallback: Fallback, meaning: string) {
  return { read: (value: string) => value as string | undefined, takes, fallback, meaning }
}

/** A list in which nothing is named is as none. */
function list(isItem: (item: string) => boolean, takes: string) {
  const read = (text: string) => {
    const items = splitList(text)
    return items.every(isItem) ? items : undefined
  }
  return { read, takes, fallback: null }
}

function readHost(text: string): string | undefined {
  const host = text.replace(/^\[(.*:.*)\]$/, '$1')
  return isIP(host) !== 0 || /^[\w-]+(\.[\w-]+)*\.?$/.test(host) ? host : undefined
}

function isDatabaseUrl(value: string): boolean {
  return /^postgres(ql)?:\/\//.test(value) && URL.canParse(value) && new URL(value).pathname.length > 1
}

/** A network of all addresses would believe everybody. */
function isNetwork(value: string): boolean {
  const [address = '', prefix, ...more] = value.split('/')
  const version = isIP(address)
  if (version === 0 || address.includes('%') || more.length > 0) return false
  return prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128))
}

/** Whoever can alter the keys on their way can be any user. */
function isKeyUrl(value: string): boolean {
  if (!/^https?:\/\//.test(value) || !URL.canParse(value)) return false
  const { protocol, hostname, username } = new URL(value)
  return username === '' && (protocol === 'https:' || isLoopback(hostname))
}

/** Whoever can alter an answer on its way can be any user. */
function isTokenUrl(value: string): boolean {
  return /^\/([^/\\]|$)/.test(value) || isKeyUrl(value)
}

/** It stands in a policy, where a semicolon ends what may be said; hosts may have one. */
function isPictureOrigin(value: string): boolean {
  return value.startsWith('https://') && isOrigin(value) && !/[;']/.test(value)
}

function isNatsUrl(value: string): boolean {
  return URL.canParse(value) && /^(nats|tls):\/\/[^/]/.test(value)
}

/**
 * Whether a browser can send this as `Origin`. Apps in a shell, such as Capacitor and Tauri, and extensions of browsers
 * have schemes of their own, which URL gives no origin.
 */
function isOrigin(value: string): boolean {
  if (value.includes('*')) return false
  if (/^https?:/i.test(value)) return URL.canParse(value) && new URL(value).origin === value
  return /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@,]+$/.test(value)
}

/** By the backend's name. */
function readServiceKeys(value: string): ReadonlyMap<string, ServiceKey> | undefined {
  const keys = splitList(value)
  if (
    keys.length === 0 ||
    keys.some((key) => !/^[^:\s]+:[0-9a-f]{64}(:(read|write|support|import))?(:(agent|service))?$/.test(key))
  )
    return undefined
  const byName = new Map(
    keys.map((key) => {
      const [name, hash, ...rest] = key.split(':') as [string, string, ...string[]]
      const role = (['read', 'write', 'support', 'import'] as const).find((one) => rest.includes(one)) ?? 'import'
      return [name, { hash, role, isService: rest.includes('service') }]
    }),
  )
  return byName.size === keys.length ? byName : undefined
}

/** A text that was given, short enough for a line. */
function quote(value: string): string {
  return JSON.stringify(value.length <= 60 ? value : `${value.slice(0, 60)}…`)
}

function splitList(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}
