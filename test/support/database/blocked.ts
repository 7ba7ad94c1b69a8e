import type { Client } from 'pg'
import { until } from '../until.ts'

/**
 * The pids of the connections of this database that wait for a table. Looks at pg_locks: pg_stat_activity would tell a
 * transaction for ever what it saw first.
 */
export async function readBlocked(client: Client): Promise<number[]> {
  const { rows } = await client.query<{ pid: number }>(
    `select pid from pg_locks where not granted
     and database = (select oid from pg_database where datname = current_database())`,
  )
  return rows.map(({ pid }) => pid)
}

/** The same, once there are so many. */
export async function blocked(client: Client, count = 1): Promise<number[]> {
  let pids: number[] = []
  await until(async () => {
    pids = await readBlocked(client)
    return pids.length >= count
  })
  return pids
}
