import { spawnSync } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { MetadataStorage } from '@mikro-orm/core'
import { MikroORM } from '@mikro-orm/postgresql'
import { expect, test } from 'vitest'
import { ormOptions } from '../../mikro-orm.config.ts'
import { spreadTables } from '../../src/database/distribute.ts'
import { createDatabase } from '../support/database/database.ts'
import { engine } from '../support/database/engine.ts'

// Citus brings views of its own, which no entity describes.
test.skipIf(engine.spreads)('the migrations make what the entities describe', async () => {
  await using database = await createDatabase()
  const orm = await MikroORM.init({ ...ormOptions, clientUrl: database.url })
  const statements = (await orm.schema.getUpdateSchemaSQL()).split('\n').filter((line) => line.trim() !== '')
  await orm.close(true)
  expect(statements.filter((line) => !line.startsWith('set names'))).toEqual([])
})

test("MikroORM's command line finds the project's configuration", async () => {
  await using database = await createDatabase()
  const run = (...args: string[]) => {
    const options = { encoding: 'utf8', env: { ...process.env, DATABASE_URL: database.url } } as const
    return spawnSync('npm', ['run', '--silent', 'orm', '--', ...args], options)
  }
  expect(run('migration:pending').stdout).toContain('No pending migrations')
  if (engine.spreads) return
  const check = run('migration:check')
  expect([check.status, check.stdout]).toEqual([0, expect.stringContaining('No changes required')])
})

test('every unique constraint holds the column by which its table may be spread over machines', async () => {
  await using database = await createDatabase()
  const client = await database.connect()
  const { rows } = await client.query(`
    select index.indexrelid::regclass::text as name, relname as "table", array_agg(a.attname::text) as columns
    from pg_index index
    join pg_class on pg_class.oid = index.indrelid and relnamespace = 'public'::regnamespace and relname not in ('migration', 'transfer')
    join pg_attribute a on a.attrelid = index.indrelid and a.attnum = any(index.indkey)
    where index.indisunique group by 1, 2`)
  const columnOf = new Map(spreadTables.map(({ name, column }) => [name as string, column]))
  expect(rows.length).toBeGreaterThan(4)
  for (const { name, table, columns } of rows) {
    expect([name, columns.includes(columnOf.get(table))]).toEqual([name, true])
  }
})

test('mikro-orm.config.ts lists every migration, in the order of the files', async () => {
  const files = (await readdir('migrations')).sort()
  expect(files.length).toBeGreaterThan(4)
  const listed = ormOptions.migrations?.migrationsList as unknown[]
  const fileOf = await filesByClass('migrations')
  expect(listed.map((migration) => fileOf.get(migration))).toEqual(files)
})

test('mikro-orm.config.ts lists every entity', async () => {
  const fileOf = await filesByClass('src/entities')
  // Only @Entity makes the class known.
  const entities = Object.values(MetadataStorage.getMetadata()).map((known) => known.class)
  const files = [...fileOf].filter(([exported]) => entities.includes(exported as never)).map(([, file]) => file)
  expect(files.length).toBeGreaterThan(4)
  const listed = ormOptions.entities as unknown[]
  expect(listed.map((entity) => fileOf.get(entity)).sort()).toEqual(files.sort())
})

/** The file of each class that a file of a folder, or of a folder in it, exports. */
async function filesByClass(folder: string): Promise<Map<unknown, string>> {
  const files = new Map<unknown, string>()
  const all = await readdir(folder, { recursive: true })
  for (const file of all.filter((name) => name.endsWith('.ts'))) {
    for (const exported of Object.values(await import(/* @vite-ignore */ resolve(folder, file))))
      files.set(exported, file)
  }
  return files
}
