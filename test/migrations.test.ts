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
