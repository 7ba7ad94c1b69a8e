import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql'
import { contractLimits, describeSettings } from '../src/config.ts'

/** The text of `schema.graphql`. */
export function renderSchema(schema: GraphQLSchema): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`
}

/** docs/settings.md with the settings of `config.ts`, a table for each subject. */
export function withSettings(text: string): string {
  const settings = new Map(describeSettings().map((setting) => [setting.name, setting]))
  const tables = Object.entries(subjects).map(([subject, names]) => {
    const rows = names.map((name) => {
      const setting = settings.get(name)
      if (setting === undefined) throw new Error(`${name} is no setting, or has two subjects in scripts/generated.ts`)
      settings.delete(name)
      const { default: fallback, takes, meaning } = setting
      return `| \`${name}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${takes} | ${meaning} |`
    })
    return [`## ${subject}`, '', '| variable | default | values | meaning |', '|---|---|---|---|', ...rows, ''].join(
      '\n',
    )
  })
  if (settings.size > 0) throw new Error(`${[...settings.keys()].join(', ')}: no subject in scripts/generated.ts`)
  return replaceBetween(text, 'settings', tables.join('\n').trimEnd())
}

/** Which settings belong together. */
const subjects: Record<string, readonly string[]> = {
  'Address, proxies and browsers': ['PORT', 'HOST', 'TRUST_PROXY', 'CORS_ORIGINS'],
  Identity: [
    'AUTH_JWKS_URL',
    'AUTH_SECRET',
    'AUTH_ISSUER',
    'AUTH_AUDIENCE',
    'AUTH_USER_CLAIM',
    'AUTH_ROLES_CLAIM',
    'AUTH_KEYS_HOURS',
    'AUTH_REQUIRE_EXPIRY',
    'AUTH_SERVICE_KEYS',
    'ALLOW_UNAUTHENTICATED',
  ],
  Database: [
    'DATABASE_URL',
    'DATABASE_DIRECT_URL',
    'POOL_SIZE',
    'PIPELINES',
    'POOL_TIMEOUT_MS',
    'STATEMENT_TIMEOUT_MS',
    'LOCK_TIMEOUT_MS',
    'TRANSACTION_IDLE_TIMEOUT_MS',
  ],
  'Embedded database': ['DATA_DIR'],
  'Feeds and streamed text': ['NATS_URL', 'POLL_MS', 'TEXT_WINDOW_MS', 'PING_MS', 'TOMBSTONE_DAYS'],
  Search: ['SEARCH_FILL'],
  'The page': [
    'WEB',
    'WEB_TOKEN_URL',
    'WEB_OIDC_ISSUER',
    'WEB_OIDC_CLIENT_ID',
    'WEB_PICTURES',
    'OPENAI_API_KEY',
    'OPENAI_BASE_URL',
    'OPENAI_MODEL',
  ],
  'What may be asked': ['TRUSTED_DOCUMENTS', 'GRAPHIQL', 'INTROSPECTION'],
  'Limits of a request': [
    'MAX_BODY_BYTES',
    'MAX_BODY_VALUES',
    'MAX_BODY_KEYS',
    'MAX_QUERY_CHARACTERS',
    'MAX_QUERY_TOKENS',
    'MAX_QUERY_DEPTH',
    'MAX_QUERY_FIELDS',
    'MAX_QUERY_ALIASES',
    'MAX_QUERY_REPEATS',
    'MAX_COST',
    'REQUEST_TIMEOUT_MS',
  ],
  'Limits of what is stored': [
    'MAX_MESSAGE_BYTES',
    'MAX_PARTS',
    'MAX_TOOL_CALLS',
    'MAX_METADATA_BYTES',
    'MAX_FORK_MESSAGES',
    'MAX_FORK_BYTES',
  ],
  'Limits of answers': ['MAX_ANSWER_BYTES', 'MAX_ANSWERS_BYTES'],
  'Limits of connections': [
    'MAX_CONNECTIONS',
    'MAX_CONNECTIONS_PER_ADDRESS',
    'MAX_SOCKETS',
    'MAX_SUBSCRIPTIONS',
    'MAX_MESSAGES_PER_SECOND',
  ],
  'Rates and quotas': ['RATE_LIMIT', 'RATE_BURST', 'QUOTA_CONVERSATIONS', 'QUOTA_BYTES', 'QUOTA_STREAMS'],
  'Log and metrics': ['LOG_LEVEL', 'METRICS_PORT', 'METRICS_HOST'],
  Stopping: ['SHUTDOWN_DELAY_MS', 'SHUTDOWN_TIMEOUT_MS'],
}

/** SECURITY.md with the table of limits from `config.ts`: those that can be set, and then those of the contract. */
export function withLimits(text: string): string {
  const limits = describeSettings().filter(({ name }) => /^(MAX|RATE|QUOTA)_|_TIMEOUT_MS$|^POOL_SIZE$/.test(name))
  const rows = [
    ...limits.map(({ name, default: fallback, meaning }) => `| \`${name}\` | ${fallback} | ${meaning} |`),
    ...Object.entries(contractMeanings).map(
      ([name, meaning]) => `| always | ${contractLimits[name as ContractLimit]} | ${meaning} |`,
    ),
  ]
  const table = ['| limit | default | meaning |', '|---|---|---|', ...rows].join('\n')
  return replaceBetween(text, 'limits', table)
}

type ContractLimit = keyof typeof contractLimits

/** Defaults are no limits. */
const contractMeanings: Record<Exclude<ContractLimit, `default${string}`>, string> = {
  userId: 'Most characters of the id of a user.',
  conversationId: 'Most characters of the id of a conversation.',
  clientId: 'Most characters of a client id.',
  operationId: 'Most characters of the id of an operation on a WebSocket.',
  name: 'Most characters of the name of a message, of a tool and of a call, and of a user in a token: there, a longer one is not shown.',
  title: 'Most characters of the title of a conversation.',
  page: 'Most items of a page.',
  history: 'Most messages of a history.',
  batch: 'Most messages of one append.',
  nodes: 'Most ids of `nodes`.',
  participants: 'Most participants of a conversation beside its owner.',
  namedPeople: 'Most people of a conversation whom its live events name: of more, they tell the number.',
  emojiBytes: 'Most bytes of the emoji of a reaction.',
  emojis: 'Most different emojis of one message.',
  mentions: 'Most users that one message mentions.',
  feedbackReasonBytes: 'Most bytes of the `reason` of feedback.',
  feedbackCommentBytes: 'Most bytes of the `comment` of feedback.',
  approvalReasonBytes: 'Most bytes of the `reason` with which a person answers a tool call.',
  waitingReasonBytes: 'Most bytes of the `reason` for which a conversation waits for a person.',
  picture: 'Most characters of the picture of a user in a token: a longer one is not shown.',
  windows: 'Most context windows of one operation.',
  searchQuery: 'Most characters of a query of `searchMessages`.',
  found: 'Most messages of one page of `searchMessages`.',
  contextTokens: 'Most tokens of a context window.',
  siblings: 'Most siblings that are listed of a message.',
  chunks: 'Most chunks of a stream that are read at once.',
  streamSeconds: 'Longest silence of the producer of a streaming message, in seconds.',
  jsonDepth: 'Deepest nesting of JSON that is stored.',
  bodyDepth: 'Deepest nesting of a request body or of a WebSocket frame.',
}

/** What gives docs/start.md the present text of the example client. */
export function withExample(example: string): (text: string) => string {
  return (text) =>
    text.replace(
      /(<!-- examples\/hello\.mjs -->\n```js\n)[\s\S]*?(```)/,
      (_all, start, end) => `${start}${example}${end}`,
    )
}

function replaceBetween(text: string, mark: string, made: string): string {
  return text.replace(
    new RegExp(`(<!-- ${mark}: .*-->\\n)[\\s\\S]*?(<!-- /${mark} -->)`),
    (_all, start, end) => `${start}${made}\n${end}`,
  )
}
