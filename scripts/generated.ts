import { type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql'
import { contractLimits, describeSettings } from '../src/config.ts'

/** The text of `schema.graphql`. */
export function renderSchema(schema: GraphQLSchema): string {
  return `${printSchema(lexicographicSortSchema(schema))}\n`
}

/** The README with the table of settings from `config.ts`. */
export function withSettings(readme: string): string {
  const rows = describeSettings().map(
    ({ name, default: fallback, takes, meaning }) =>
      `| \`${name}\` | ${fallback === '' ? '' : `\`${fallback}\``} | ${takes} | ${meaning} |`,
  )
  const table = ['| variable | default | values | meaning |', '|---|---|---|---|', ...rows].join('\n')
  return readme.replace(
    /(<!-- settings.*-->\n)[\s\S]*?(<!-- \/settings -->)/,
    (_all, start, end) => `${start}${table}\n${end}`,
  )
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
  return text.replace(
    /(<!-- limits.*-->\n)[\s\S]*?(<!-- \/limits -->)/,
    (_all, start, end) => `${start}${table}\n${end}`,
  )
}

type ContractLimit = keyof typeof contractLimits

/** Defaults are no limits. */
const contractMeanings: Record<Exclude<ContractLimit, `default${string}`>, string> = {
  userId: 'Most characters of the id of a user.',
  conversationId: 'Most characters of the id of a conversation.',
  clientId: 'Most characters of a client id.',
  operationId: 'Most characters of the id of an operation on a WebSocket.',
  name: 'Most characters of the name of a message, of a tool and of a call.',
  title: 'Most characters of the title of a conversation.',
  page: 'Most items of a page.',
  history: 'Most messages of a history.',
  batch: 'Most messages of one append.',
  nodes: 'Most ids of `nodes`.',
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

/** The README with the present text of the example client. */
export function withExample(readme: string, example: string): string {
  return readme.replace(
    /(<!-- examples\/hello\.mjs -->\n```js\n)[\s\S]*?(```)/,
    (_all, start, end) => `${start}${example}${end}`,
  )
}
