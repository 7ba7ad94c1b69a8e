import { expect } from 'vitest'
import { blocked, readBlocked } from '../database/blocked.ts'
import type { TestDatabase } from '../database/database.ts'
import type { TestServer } from '../server.ts'
import { until } from '../until.ts'

/** Begins a request and answers how to go away from it. */
export function begin(server: TestServer, query: string, variables?: unknown): () => Promise<void> {
  const leaving = new AbortController()
  const headers = { 'content-type': 'application/json', ...server.as().identity }
  const body = JSON.stringify({ query, variables })
  const asked = fetch(`${server.url}/graphql`, { method: 'POST', headers, body, signal: leaving.signal })
  return async () => {
    leaving.abort()
    await expect(asked).rejects.toThrow('aborted')
  }
}

/** Holds the messages: whoever reads one waits, until `letGo`. */
export async function holdMessages(database: TestDatabase) {
  const client = await database.connect()
  await client.query('begin')
  await client.query('lock table message in access exclusive mode')
  const waiting = () => readBlocked(client)
  return {
    blocked: (count?: number) => blocked(client, count),
    waiting,
    untilNobodyWaits: () => until(async () => (await waiting()).length === 0),
    letGo: () => client.query('commit'),
  }
}
