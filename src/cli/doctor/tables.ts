import { openOrm, tablesOf } from '../../database/orm.ts'
import { requireRights } from '../../database/rights.ts'
import { onePostgres } from '../../database/session.ts'
import type { Examined, Found } from './finding.ts'

/** Tables, columns and indexes as the entities describe them, and the rights of the role. */
export async function checkTables({ config, database, client }: Examined): Promise<Found> {
  await using opened = await openOrm(database.directUrl, onePostgres, config.pool, () => {})
  const tables = tablesOf(opened.orm)
  await requireRights(client, tables, database.name)
  // What is there besides is somebody else's.
  const statements = (await opened.orm.schema.getUpdateSchemaSQL({ safe: true, dropTables: false }))
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('set names'))
  const { rows: invalid } = await client.query<{ name: string }>(
    `select i.indexrelid::regclass::text as name from pg_index i join pg_class t on t.oid = i.indrelid
     where t.relnamespace = current_schema()::regnamespace and t.relname = any($1) and not i.indisvalid
     order by 1`,
    [tables],
  )
  return {
    good: 'Every table, column and index is there, every index is valid, and the role may read and write.',
    wrong: [
      ...statements.map((sql) => `A table is not as the migrations left it; run ${whileServersRun(sql)}`),
      ...invalid.map(
        ({ name }) => `The index ${name} is not valid, and serves no read; run REINDEX INDEX CONCURRENTLY ${name};`,
      ),
    ],
  }
}

/** Without CONCURRENTLY, nobody could write until the index is built. */
function whileServersRun(sql: string): string {
  return sql.replace(/^create (unique )?index /, 'create $1index concurrently ')
}
