/** Where to, and as whom. */
export interface Settings {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** How long a server that is away is asked again. */
  readonly retryMs: number
}

/** A setting or an argument that the caller has to change: only its sentence is shown. */
export class SettingError extends Error {}

export const usage = `Usage: npm run import -- FILE

Imports conversations in the shape of OpenAI's chat completions into a running server. Each line of FILE is one JSON
object, {"id": "…", "messages": [{"role": "user", "content": "…"}, …]}. The id becomes the conversation's id; one that
is there already is continued. Every message gets a client id (import:0, import:1, …), so an import that was interrupted
can be repeated: nothing is stored twice. A line with a fault is reported, and the others are imported all the same.

A tool message's name becomes toolName, content parts become parts; fields of a message that the server has no field for
are kept in its metadata, under "openai".

Environment:
  COLLOQUY_URL            the server's GraphQL endpoint (http://127.0.0.1:4000/graphql)
  COLLOQUY_USER           who owns the conversations, where the caller may say so (in development: local)
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

/** A header is bytes, which `fetch` takes one by one as Latin-1; the server reads them as UTF-8. */
function headerText(value: string): string {
  return Buffer.from(value.trim(), 'utf8').toString('latin1')
}
