/** Where to import to, and as whom. */
export interface Settings {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** For how many milliseconds a server that is away is asked again. */
  readonly retryMs: number
}

/** A setting or an argument that the caller has to change. Only its sentence is shown. */
export class SettingError extends Error {}

export const usage = `Usage: npm run import -- FILE

Imports conversations in the shape of OpenAI's chat completions into a running server. Each line of FILE is one JSON
object, {"id": "…", "messages": [{"role": "user", "content": "…"}, …]}. The id becomes the conversation's id. If that
conversation exists, the import continues it. Every message gets a client id (import:0, import:1, …), so you can repeat
an import that was interrupted: nothing is stored twice. A line with a fault is reported, and the other lines are imported.

A tool message's name becomes toolName, and content parts become parts. If the server has no field for a field of a
message, that field is kept in the message's metadata, under "openai".

Environment:
  COLLOQUY_URL            the server's GraphQL endpoint (http://127.0.0.1:4000/graphql)
  COLLOQUY_USER           who owns the conversations, if the caller may say so (in development: local)
  COLLOQUY_TOKEN          a bearer token
  COLLOQUY_SERVICE_KEY    a service key, together with COLLOQUY_USER
  COLLOQUY_RETRY_SECONDS  how long to try again while the server is away (60)`

/** @throws SettingError */
export function readSettings(env: Record<string, string | undefined>): Settings {
  const url = env.COLLOQUY_URL || 'http://127.0.0.1:4000/graphql'
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new SettingError('COLLOQUY_URL must be the URL of a GraphQL endpoint, http:// or https://.')
  }
  const retryMs = Number(env.COLLOQUY_RETRY_SECONDS || '60') * 1_000
  if (!(retryMs >= 0)) throw new SettingError('COLLOQUY_RETRY_SECONDS must be a number of seconds.')
  const headers = {
    authorization: env.COLLOQUY_TOKEN && `Bearer ${env.COLLOQUY_TOKEN}`,
    'x-service-key': env.COLLOQUY_SERVICE_KEY,
    'x-user-id': env.COLLOQUY_USER,
  }
  const given = Object.entries(headers).flatMap(([name, value]) => (value ? [[name, headerText(value)]] : []))
  return { url, headers: Object.fromEntries(given), retryMs }
}

/**
 * A header consists of bytes. `fetch` takes each character as one byte of Latin-1, and the server reads the bytes as
 * UTF-8.
 */
function headerText(value: string): string {
  return Buffer.from(value.trim(), 'utf8').toString('latin1')
}
