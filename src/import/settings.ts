import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { formatNames } from './formats/formats.ts'

/** Where to import to, and as whom. */
export interface Settings {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** For how many milliseconds a server that is away is asked again. */
  readonly retryMs: number
  /** Whether a server that is away at the start is waited for as well. */
  readonly waitsForStart: boolean
}

/** A setting or an argument that the caller has to change. Only its sentence is shown. */
export class SettingError extends Error {}

export const usage = `Usage: npm run import -- FILE [--format FORMAT]

Imports conversations into a running server. FILE has one JSON value a line, or JSON of any layout: a list of
conversations, one conversation, or a list of messages. Without --format, each conversation is read in the format that
it fits:

  openai    {"id": "…", "messages": [{"role": "user", "content": "…"}, …]}, as in chat completions, and OpenAI's
            fine-tuning files, also those with preferred_output and non_preferred_output
  ai-sdk    {"id": "…", "messages": […]} with UIMessages of the AI SDK, or a list of UIMessages
  sharegpt  {"conversations": [{"from": "human", "value": "…"}, …]}
  claude    conversations.json of Claude's export
  chatgpt   conversations.json of ChatGPT's export, with its branches

A conversation keeps its id. If it has none, its id is made from its content. If the conversation exists, the import
continues it, and its title and metadata stay. Every message has a client id, so you can repeat an import: nothing is
stored twice. If a message is left out and a later import stores it, it comes last in its conversation.

The times of the file become the times of conversations and messages, and so sort the list. A message without a time has
that of the message that it continues. With COLLOQUY_TOKEN the times are only kept in sentAt.

What the server has no field for is kept in metadata, under the name of the format. What is too large for metadata,
what an export hides, and files that an export only names are counted at the end. A message with a fault is reported
with its place, and the other messages are imported. The exit code is 0 if no fault was reported, and otherwise 1.

Environment:
  COLLOQUY_URL            the server's GraphQL endpoint (http://127.0.0.1:PORT/graphql)
  PORT                    the server's port on this machine, unless COLLOQUY_URL is set (4000)
  COLLOQUY_USER           who owns the conversations, if the caller may say so (in development: local)
  COLLOQUY_TOKEN          a bearer token
  COLLOQUY_SERVICE_KEY    a service key, together with COLLOQUY_USER
  COLLOQUY_RETRY_SECONDS  how long to try again while the server is away (60). If it is set, the import also waits for a
                          server that is away at the start.`

/** What to import. */
export interface Arguments {
  readonly path: string
  /** null: each conversation is read in the format that it fits. */
  readonly format: string | null
}

/** @returns null if the usage is asked for @throws SettingError */
export function readArguments(args: readonly string[]): Arguments | null {
  let read: ReturnType<typeof parse>
  try {
    read = parse(args)
  } catch (error) {
    const [fault] = (error as Error).message.split('. ')
    throw new SettingError(`${fault}. "npm run import -- --help" says more.`)
  }
  const { values, positionals } = read
  if (values.help) return null
  const [path, ...others] = positionals
  if (path === undefined || others.length > 0) {
    throw new SettingError(`Name one file: npm run import -- FILE. "npm run import -- --help" says more.`)
  }
  const { format = null } = values
  if (format !== null && !formatNames.includes(format)) {
    throw new SettingError(`--format must be one of ${formatNames.join(', ')}.`)
  }
  // npm runs its scripts in the project's folder. INIT_CWD is the folder in which npm was called.
  return { path: resolve(process.env.INIT_CWD ?? '', path), format }
}

function parse(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { format: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  })
}

/** @throws SettingError */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const url = env.COLLOQUY_URL || `http://127.0.0.1:${env.PORT || 4000}/graphql`
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    const name = env.COLLOQUY_URL
      ? 'COLLOQUY_URL must be the URL of a GraphQL endpoint, http:// or https://.'
      : 'PORT must be the port of the server.'
    throw new SettingError(name)
  }
  const retryMs = Number(env.COLLOQUY_RETRY_SECONDS || '60') * 1_000
  if (!(retryMs >= 0)) throw new SettingError('COLLOQUY_RETRY_SECONDS must be a number of seconds.')
  const headers = {
    authorization: env.COLLOQUY_TOKEN && `Bearer ${env.COLLOQUY_TOKEN}`,
    'x-service-key': env.COLLOQUY_SERVICE_KEY,
    'x-user-id': env.COLLOQUY_USER,
  }
  const given = Object.entries(headers).flatMap(([name, value]) => (value ? [[name, headerText(value)]] : []))
  return { url, headers: Object.fromEntries(given), retryMs, waitsForStart: Boolean(env.COLLOQUY_RETRY_SECONDS) }
}

/**
 * A header consists of bytes. `fetch` takes each character as one byte of Latin-1, and the server reads the bytes as
 * UTF-8.
 */
function headerText(value: string): string {
  return Buffer.from(value.trim(), 'utf8').toString('latin1')
}
