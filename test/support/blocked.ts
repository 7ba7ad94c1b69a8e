import type { Client } from 'pg'
import { until } from './until.ts'

/**
 * The pids of the connections of this database that wait for a table, once there are so many. Looks at pg_locks:
 * pg_stat_activity would tell a transaction for ever what it saw first.
 */
export async function blocked(client: Client, count = 1): Promise<number[]> {
  const waiting = `select pid from pg_locks where not granted
    and database = (select oid from pg_database where datname = current_database())`
  let pids: number[] = []
  await until(async () => {
    const { rows } = await client.query<{ pid: number }>(waiting)
    pids = rows.map(({ pid }) => pid)
    return pids.length >= count
  })
  return pids
}
