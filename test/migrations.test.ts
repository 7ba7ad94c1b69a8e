import { spawnSync } from 'node:child_process'
import { MikroORM } from '@mikro-orm/postgresql'
import { expect, test } from 'vitest'
import { ormOptions } from '../mikro-orm.config.ts'
import { createDatabase } from './support/database.ts'

test('the migrations make what the entities describe', async () => {
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
  expect(run('migration:list').stdout).toContain('Migration00001Conversations')
  expect(run('migration:pending').stdout).toContain('No pending migrations')
  const check = run('migration:check')
  expect([check.status, check.stdout]).toEqual([0, expect.stringContaining('No changes required')])
})

test("every unique constraint holds the conversation's key, so that both tables may be spread over machines by it", async () => {
  await using database = await createDatabase()
  const client = await database.connect()
  const { rows } = await client.query(`
    select index.indexrelid::regclass::text as name, array_agg(a.attname::text) as columns
    from pg_index index
    join pg_class on pg_class.oid = index.indrelid and relnamespace = 'public'::regnamespace and relname <> 'migration'
    join pg_attribute a on a.attrelid = index.indrelid and a.attnum = any(index.indkey)
    where index.indisunique group by 1`)
  expect(rows.length).toBeGreaterThan(4)
  for (const { name, columns } of rows) {
    expect([name, columns.includes('key') || columns.includes('conversation_key')]).toEqual([name, true])
  }
})
