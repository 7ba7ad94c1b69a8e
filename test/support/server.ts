import { pino } from 'pino'
import { readConfig } from '../../src/config.ts'
import { type Server, startServer } from '../../src/server/server.ts'
import { Api, type Identity } from './api.ts'

export interface TestServer extends Server {
  /** The API as a user of it, `ada` unless another is named; each call is a real HTTP request. */
  as(identity?: Identity): Api
  /** What the server logged so far, as objects. */
  readonly logged: Record<string, unknown>[]
}

/**
 * A whole server on a free port. Settings are those of the environment. It polls so rarely that no test passes by the
 * poll, and that no round of the poll is among the statements that a test counts. It has no rate limit, because tests ask
 * faster than people do. It fills no words for searches, unless a test is about them.
 */
export async function serve(databaseUrl: string, settings: Record<string, string> = {}): Promise<TestServer> {
  const logged: Record<string, unknown>[] = []
  const log = pino({ level: 'debug' }, { write: (line) => void logged.push(JSON.parse(line)) })
  const config = readConfig({
    PORT: '0',
    POLL_MS: '600000',
    RATE_LIMIT: 'off',
    SEARCH_FILL: 'off',
    DATABASE_URL: databaseUrl,
    ...settings,
  })
  const server = await startServer(config, log, () => {})
  return Object.assign(server, {
    logged,
    as: (identity: Identity = { 'x-user-id': 'ada' }) => new Api(server.url, identity),
  })
}
