import { z } from 'zod'
import { StartupError } from './errors.ts'

const KiB = 1024
const MiB = 1024 * KiB

/** The variables of the environment: what each accepts, its default, and its sentence in the README's table. */
const settings = {
  PORT: whole(0, 65_535, 4000, 'Port to listen on; 0 picks a free one.'),
  HOST: text('127.0.0.1', 'Address to listen on. Without identity settings only a loopback address is accepted.'),
  DATABASE_URL: optional('PostgreSQL 15 or later, as a URL. Absent: an embedded PostgreSQL in `DATA_DIR`.'),
  DATA_DIR: text('.data', 'Folder of the embedded PostgreSQL.'),
  NATS_URL: list(
    'NATS servers that carry hints between servers on one database, as `nats://` or `tls://` URLs, separated by commas. Absent: PostgreSQL carries the hints.',
  ).refine((urls) => urls.every(isNatsUrl), 'must be nats:// or tls:// URLs, separated by commas'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('How much is logged, as JSON lines on standard output.'),
  CORS_ORIGINS: list('Web origins, separated by commas, that may call this server from a browser.'),

  AUTH_JWKS_URL: z.url('must be a URL').optional().describe('Where the keys of bearer tokens are published.'),
  AUTH_SECRET: optional('Shared secret of HS256 bearer tokens, at least 32 bytes.').refine(
    (secret) => secret === undefined || Buffer.byteLength(secret) >= 32,
    'must have at least 32 bytes',
  ),
  AUTH_ISSUER: optional('Required `iss` of bearer tokens.'),
  AUTH_AUDIENCE: optional('Required `aud` of bearer tokens.'),
  AUTH_USER_CLAIM: text('sub', "The claim that holds the user's id."),
  AUTH_SERVICE_KEYS: list('`name:sha256-hex` of the keys of trusted backends, separated by commas.').refine(
    (keys) => keys.every((key) => /^[^:\s]+:[0-9a-f]{64}$/.test(key)),
    'must be name:sha256-hex, separated by commas',
  ),
  ALLOW_UNAUTHENTICATED: z
    .enum(['true', 'false'])
    .default('false')
    .transform((value) => value === 'true')
    .describe('`true` lets a server without identity settings listen beyond loopback.'),

  MAX_BODY_BYTES: whole(1 * KiB, 64 * MiB, 4 * MiB, 'Most bytes of a request body or of a WebSocket frame.'),
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
  POOL_TIMEOUT_MS: whole(10, 60_000, 5_000, 'Longest wait for a connection.'),
  STATEMENT_TIMEOUT_MS: whole(10, 600_000, 10_000, 'Longest run of one SQL statement.'),
  LOCK_TIMEOUT_MS: whole(10, 60_000, 5_000, 'Longest wait for a row that another transaction holds.'),
  TRANSACTION_IDLE_TIMEOUT_MS: whole(10, 600_000, 10_000, 'Longest pause inside a transaction.'),
  REQUEST_TIMEOUT_MS: whole(100, 600_000, 30_000, 'Longest time for one HTTP request, from first byte to answer.'),
  SHUTDOWN_TIMEOUT_MS: whole(100, 60_000, 8_000, 'Longest wait for requests in flight when the server stops.'),
  GATHER: z
    .enum(['all', 'conversation', 'off'])
    .default('all')
    .describe(
      'Which appends that come at the same time go into one statement. `all`: those to any conversations. `conversation`: only those to one conversation (for engines that spread conversations over machines). `off`: each has its own.',
    ),
  COMPILE_AFTER: whole(
    0,
    1_000_000,
    2,
    'How many times a GraphQL document is executed before it is compiled. A document with `@skip` or `@include` is never compiled.',
  ),
  TEXT_WINDOW_MS: whole(0, 1_000, 25, 'How often the text of all streaming messages is stored, in one statement.'),
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
}

/** Limits that the contract itself states. They are the same on every server. Lengths are in characters. */
export const contractLimits = {
  userId: 255,
  conversationId: 128,
  clientId: 255,
  name: 255,
  title: 1_000,
  page: 100,
  defaultPage: 50,
  history: 1_000,
  batch: 100,
  nodes: 100,
  windows: 10,
  contextTokens: 10_000_000,
  siblings: 100,
  chunks: 1_000,
  streamSeconds: 3_600,
  defaultStreamSeconds: 60,
  jsonDepth: 64,
} as const

const environment = z.object(settings)

type Settings = z.output<typeof environment>

export interface Limits {
  readonly bodyBytes: number
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
  readonly subscriptions: number
  readonly sockets: number
  readonly messagesPerSecond: number
}

export interface Identity {
  readonly jwksUrl: string | undefined
  readonly secret: string | undefined
  readonly issuer: string | undefined
  readonly audience: string | undefined
  readonly userClaim: string
  /** Lower-case hex of the SHA-256 of each key, by the backend's name. */
  readonly serviceKeys: ReadonlyMap<string, string>
}

export interface ListTimes {
  /**
   * Longer than any transaction can still run after it gave a conversation its `updatedAt`. The longest is the start of
   * a stream: it ends the statement that appends, and runs two more statements, with a pause after each of the three. A
   * fourth time is for the commit, which has no limit of its own, and for a clock that was set.
   */
  readonly settleMs: number
  readonly tombstoneDays: number
}

export interface Config {
  readonly port: number
  readonly host: string
  /** undefined: embedded PostgreSQL in `dataDir`. */
  readonly databaseUrl: string | undefined
  readonly dataDir: string
  /** Empty: hints go through PostgreSQL. */
  readonly natsUrls: readonly string[]
  readonly logLevel: Settings['LOG_LEVEL']
  readonly corsOrigins: readonly string[]
  /** undefined: development, where the caller names its own user. */
  readonly identity: Identity | undefined
  readonly limits: Limits
  readonly pool: {
    readonly size: number
    readonly waitMs: number
    readonly statementMs: number
    readonly lockMs: number
    readonly transactionIdleMs: number
  }
  readonly lists: ListTimes
  readonly requestMs: number
  readonly shutdownMs: number
  readonly gather: Settings['GATHER']
  readonly compileAfter: number
  readonly textWindowMs: number
  readonly pollMs: number
  readonly pingMs: number
}

/**
 * Reads the whole configuration from the environment.
 *
 * @throws StartupError with one message that lists every fault
 */
export function readConfig(env: Record<string, string | undefined>): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''),
  )
  const parsed = environment.safeParse(given)
  const issues = parsed.error?.issues ?? []
  const faults = [
    ...issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    ...contradictions(given as Record<string, string>),
  ]
  if (!parsed.success || faults.length > 0) throw new StartupError(faults.join('; '))
  return toConfig(parsed.data)
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** Every setting with its default and meaning, in the order of the README's table. */
export function describeSettings(): { name: string; default: string; meaning: string }[] {
  return Object.entries(settings).map(([name, schema]) => {
    const fallback = schema.safeParse(undefined)
    const value = fallback.success ? fallback.data : undefined
    const shown = value === undefined || (Array.isArray(value) && value.length === 0) ? '' : String(value)
    return { name, default: shown, meaning: schema.description ?? '' }
  })
}

function toConfig(from: Settings): Config {
  return {
    port: from.PORT,
    host: from.HOST,
    databaseUrl: from.DATABASE_URL,
    dataDir: from.DATA_DIR,
    natsUrls: from.NATS_URL,
    logLevel: from.LOG_LEVEL,
    corsOrigins: from.CORS_ORIGINS,
    identity: toIdentity(from),
    limits: {
      bodyBytes: from.MAX_BODY_BYTES,
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
      subscriptions: from.MAX_SUBSCRIPTIONS,
      sockets: from.MAX_SOCKETS,
      messagesPerSecond: from.MAX_MESSAGES_PER_SECOND,
    },
    pool: {
      size: from.POOL_SIZE,
      waitMs: from.POOL_TIMEOUT_MS,
      statementMs: from.STATEMENT_TIMEOUT_MS,
      lockMs: from.LOCK_TIMEOUT_MS,
      transactionIdleMs: from.TRANSACTION_IDLE_TIMEOUT_MS,
    },
    lists: {
      settleMs: 4 * (from.STATEMENT_TIMEOUT_MS + from.TRANSACTION_IDLE_TIMEOUT_MS),
      tombstoneDays: from.TOMBSTONE_DAYS,
    },
    requestMs: from.REQUEST_TIMEOUT_MS,
    shutdownMs: from.SHUTDOWN_TIMEOUT_MS,
    gather: from.GATHER,
    compileAfter: from.COMPILE_AFTER,
    textWindowMs: from.TEXT_WINDOW_MS,
    pollMs: from.POLL_MS,
    pingMs: from.PING_MS,
  }
}

function toIdentity(from: Settings): Identity | undefined {
  const isSet = from.AUTH_JWKS_URL ?? from.AUTH_SECRET ?? from.AUTH_SERVICE_KEYS[0]
  if (isSet === undefined) return undefined
  return {
    jwksUrl: from.AUTH_JWKS_URL,
    secret: from.AUTH_SECRET,
    issuer: from.AUTH_ISSUER,
    audience: from.AUTH_AUDIENCE,
    userClaim: from.AUTH_USER_CLAIM,
    serviceKeys: new Map(from.AUTH_SERVICE_KEYS.map((key) => key.split(':') as [string, string])),
  }
}

/** What is wrong between settings, even if each of them is right by itself. */
function contradictions(given: Readonly<Record<string, string | undefined>>): string[] {
  const faults: string[] = []
  if (given.AUTH_JWKS_URL !== undefined && given.AUTH_SECRET !== undefined) {
    faults.push('AUTH_JWKS_URL and AUTH_SECRET: set one of them')
  }
  const tokens = given.AUTH_JWKS_URL ?? given.AUTH_SECRET
  if (tokens === undefined && (given.AUTH_ISSUER ?? given.AUTH_AUDIENCE) !== undefined) {
    faults.push('AUTH_ISSUER, AUTH_AUDIENCE: set AUTH_JWKS_URL or AUTH_SECRET as well')
  }
  const hasIdentity = tokens !== undefined || splitList(given.AUTH_SERVICE_KEYS ?? '').length > 0
  const isOpen = given.HOST !== undefined && !isLoopback(given.HOST)
  if (isOpen && !hasIdentity && given.ALLOW_UNAUTHENTICATED !== 'true') {
    faults.push(
      `HOST: ${given.HOST} is reachable from other machines, and without identity settings everyone could read everything; ` +
        'set AUTH_JWKS_URL, AUTH_SECRET or AUTH_SERVICE_KEYS, or ALLOW_UNAUTHENTICATED=true',
    )
  }
  return faults
}

function whole(min: number, max: number, fallback: number, meaning: string) {
  return z.coerce
    .number(`must be a whole number from ${min} to ${max}`)
    .int(`must be a whole number from ${min} to ${max}`)
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`)
    .default(fallback)
    .describe(meaning)
}

function text(fallback: string, meaning: string) {
  return z.string().default(fallback).describe(meaning)
}

function optional(meaning: string) {
  return z.string().optional().describe(meaning)
}

function list(meaning: string) {
  return z.string().default('').transform(splitList).describe(meaning)
}

function isNatsUrl(value: string): boolean {
  return URL.canParse(value) && /^(nats|tls):\/\/[^/]/.test(value)
}

function splitList(value: string): string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}
