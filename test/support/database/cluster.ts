import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import 'reflect-metadata'
import type { TestProject } from 'vitest/node'
import { readConfig } from '../../../src/config.ts'
import { startEmbeddedDatabase } from '../../../src/database/embedded/embedded.ts'
import { migrate } from '../../../src/database/migrate.ts'
import { withDatabase } from './database-url.ts'
import { closeOnAll, createOnAll, dropOnAll, type Nodes, readNodes, registerNodes } from './nodes.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The machines, and the databases on them that test files clone: a migrated one, and one without tables. */
    cluster: { nodes: Nodes; template: string; bare: string }
  }
}

/**
 * One cluster per run: the embedded PostgreSQL in a folder of its own, the one that TEST_DATABASE_URL names, or the
 * Citus of TEST_CITUS_URL. That names a database of the coordinator in which the workers are registered, by names under
 * which this machine reaches them too.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { TEST_CITUS_URL: citus, TEST_DATABASE_URL: given } = process.env
  const directory = await mkdtemp(join(tmpdir(), 'colloquy-test-'))
  // Without fsync a run is twice as fast; what kill -9 of a server leaves does not depend on it.
  const embedded = citus || given ? null : await startEmbeddedDatabase({ directory, settings: { fsync: 'off' } })
  const nodes: Nodes = citus ? await readNodes(citus) : [given || (embedded?.url as string)]
  const bare = `colloquy_bare_${project.name}_${process.pid}`
  const template = `colloquy_template_${project.name}_${process.pid}`
  await createOnAll(nodes, bare)
  if (citus) await registerNodes(nodes, bare)
  await closeOnAll(nodes, bare)
  await createOnAll(nodes, template, bare)
  await migrate(withDatabase(nodes[0], template), readConfig({}).pool)
  await closeOnAll(nodes, template)
  project.provide('cluster', { nodes, template, bare })
  return async () => {
    for (const name of [template, bare]) await dropOnAll(nodes, name)
    await embedded?.[Symbol.asyncDispose]()
    await rm(directory, { recursive: true, force: true })
  }
}
