import { Client } from 'pg'
import type { TestDatabase } from './database.ts'

/**
 * How many statements `work` sends to a database, `begin` and `commit` included and the listener's NOTIFY left out.
 * Counted at the driver, which every connection of this process goes through.
 */
export async function countStatements(database: TestDatabase, work: () => Promise<unknown>): Promise<number> {
  const { pathname } = new URL(database.url)
  const original = Client.prototype.query
  let count = 0
  // biome-ignore lint/suspicious/noExplicitAny: it passes on whatever the overloads of `query` take.
  Client.prototype.query = function (this: Client, ...args: any[]): any {
    const [config] = args
    const text = typeof config === 'string' ? config : String(config?.text)
    if (`/${this.database}` === pathname && !text.includes('pg_notify')) count += 1
    // biome-ignore lint/suspicious/noExplicitAny: likewise.
    return (original as any).apply(this, args)
  }
  try {
    await work()
  } finally {
    Client.prototype.query = original
  }
  return count
}
