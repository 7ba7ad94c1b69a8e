import { readFile, writeFile } from 'node:fs/promises'
import { createSchema } from '../src/graphql/schema.ts'
import { renderSchema, withExample, withSettings } from './generated.ts'
import { renderPgbenchScript } from './pgbench-script.ts'

/** Writes what is made from the code: `schema.graphql`, the README's table and example, pgbench's script. Tests fail while it is stale. */
const root = new URL('../', import.meta.url)
await writeFile(new URL('schema.graphql', root), renderSchema(createSchema()))
await writeFile(new URL('bench/peers/pgbench.sql', root), renderPgbenchScript())
const readme = await readFile(new URL('README.md', root), 'utf8')
const example = await readFile(new URL('examples/hello.mjs', root), 'utf8')
await writeFile(new URL('README.md', root), withExample(withSettings(readme), example))
