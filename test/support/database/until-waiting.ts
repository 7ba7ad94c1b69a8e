import { Client } from 'pg'
import { until } from '../until.ts'
import type { TestDatabase } from './database.ts'

/** Waits until so many sessions of a database wait for a lock. That of a row is on the machine that has the row. */
export async function untilWaiting(database: TestDatabase, count = 1): Promise<void> {
  const waiting = "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
  const lookers = database.nodes.map((connectionString) => new Client({ connectionString }))
  await Promise.all(lookers.map((looker) => looker.connect()))
  try {
    await until(async () => {
      const answers = await Promise.all(lookers.map((looker) => looker.query(waiting)))
      return answers.reduce((sum, { rowCount }) => sum + (rowCount ?? 0), 0) >= count
    })
  } finally {
    await Promise.all(lookers.map((looker) => looker.end()))
  }
}
