import type { ClientBase } from 'pg'
import { StartupError } from '../errors.ts'

/** What is asked of a database before it is used. */
export interface Fitness {
  readonly version: string
  readonly version_number: number
  readonly encoding: string
  readonly reads_only: boolean
}

export async function readFitness(client: ClientBase): Promise<Fitness> {
  const { rows } = await client.query<Fitness>(
    `select current_setting('server_version') as version, current_setting('server_version_num')::int as version_number,
       current_setting('server_encoding') as encoding,
       pg_is_in_recovery() or current_setting('transaction_read_only')::bool as reads_only`,
  )
  return rows[0] as Fitness
}

/** What is wrong, if something is: a sentence each. @param name the setting that names the database */
export function findUnfit(fitness: Fitness, name: string) {
  const { version, version_number: versionNumber, encoding, reads_only: readsOnly } = fitness
  return {
    version:
      versionNumber >= 150_000
        ? null
        : `PostgreSQL 15 or later is needed, and this is ${version}; set ${name} to a later one`,
    writes: readsOnly
      ? `The database takes no writes: it is a replica, or default_transaction_read_only is on; set ${name} to one that does`
      : null,
    encoding:
      encoding === 'UTF8'
        ? null
        : `The database has the encoding ${encoding}, which cannot hold every text; create one with ENCODING 'UTF8' TEMPLATE template0`,
  }
}

/** @throws StartupError */
export async function requireFit(client: ClientBase, name: string): Promise<void> {
  const { version, writes, encoding } = findUnfit(await readFitness(client), name)
  const fault = version ?? writes ?? encoding
  if (fault !== null) throw new StartupError(fault)
}
