import { afterAll, beforeAll, expect } from 'vitest'
import { createDatabase, type TestDatabase } from './database/database.ts'
import { serve, type TestServer } from './server.ts'

/** What the tests of one file share: a database of their own and a server on it. */
export interface Bed {
  readonly database: TestDatabase
  readonly server: TestServer
}

/** Makes the bed before the tests of the file, and asserts after them that nothing of the server's is left open. */
export function useBed(settings: Record<string, string> = {}): Bed {
  const bed: { database?: TestDatabase; server?: TestServer } = {}
  beforeAll(async () => {
    bed.database = await createDatabase()
    bed.server = await serve(bed.database.url, settings)
  })
  afterAll(async () => {
    await bed.server?.[Symbol.asyncDispose]()
    const left = bed.server?.inspect()
    await bed.database?.[Symbol.asyncDispose]()
    expect(left).toEqual({ sockets: 0, watchers: 0, answerBytes: 0, feedBytes: 0 })
  })
  return bed as Bed
}
