/** Where to import to, and as whom. */
export interface Settings {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** For how many milliseconds a server that is away is asked again. */
  readonly retryMs: number
  /** Whether a server that is away at the start is waited for as well. */
  readonly waitsForStart: boolean
}

/** A setting that the caller has to change. Only its sentence is shown. */
export class SettingError extends Error {}

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
