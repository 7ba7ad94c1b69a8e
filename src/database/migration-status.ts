import type { ClientBase } from 'pg'
import { ormOptions } from '../../mikro-orm.config.ts'

/** Which migrations a database has, by name. */
export interface MigrationStatus {
  /** `at` is a time in ISO 8601, to the second. */
  readonly applied: readonly { readonly name: string; readonly at: string }[]
  /** In the order in which they will run. */
  readonly waiting: readonly string[]
  /** Those that a later version of this program has applied. */
  readonly unknown: readonly string[]
}

/** Only looks, and makes no table. */
export async function readMigrationStatus(client: ClientBase): Promise<MigrationStatus> {
  const { tableName, migrationsList = [] } = ormOptions.migrations ?? {}
  const known = (migrationsList as readonly { readonly name: string }[]).map(({ name }) => name)
  const { rows: found } = await client.query<{ table: string | null }>('select to_regclass($1)::text as table', [
    tableName,
  ])
  const { rows: applied } =
    found[0]?.table == null
      ? { rows: [] }
      : await client.query<{ name: string; at: string }>(
          `select name, to_char(executed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as at
           from ${tableName} order by id`,
        )
  const names = applied.map(({ name }) => name)
  return {
    applied: applied.filter(({ name }) => known.includes(name)),
    waiting: known.filter((name) => !names.includes(name)),
    unknown: names.filter((name) => !known.includes(name)),
  }
}
