import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import 'reflect-metadata'
import { Client } from 'pg'
import type { TestProject } from 'vitest/node'
import { readConfig } from '../../src/config.ts'
import { startEmbeddedDatabase } from '../../src/database/embedded.ts'
import { migrate } from '../../src/database/migrate.ts'
import { withDatabase } from './database-url.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A URL of the cluster, and the migrated database in it that each test file clones. */
    cluster: { url: string; template: string }
  }
}

/** One cluster per run: the embedded PostgreSQL in a folder of its own, or the one that TEST_DATABASE_URL names. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.TEST_DATABASE_URL
  const directory = await mkdtemp(join(tmpdir(), 'colloquy-test-'))
  // Without fsync a run is twice as fast; what kill -9 of a server leaves does not depend on it.
  const embedded = given ? null : await startEmbeddedDatabase({ directory, settings: { fsync: 'off' } })
  const url = given ?? (embedded?.url as string)
  const template = `colloquy_template_${project.name}_${process.pid}`
  await execute(url, `create database ${template}`)
  const templateUrl = withDatabase(url, template)
  await migrate(templateUrl, readConfig({}).pool)
  project.provide('cluster', { url, template })
  return async () => {
    await execute(url, `drop database ${template} with (force)`)
    await embedded?.[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  }
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query(sql)
  await client.end()
}
