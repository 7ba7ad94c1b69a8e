import { readFile, writeFile } from 'node:fs/promises'
import { createSchema } from '../src/graphql/schema.ts'
import { renderClientSelections, renderClientToolName, renderClientTypes } from './client-types.ts'
import { renderSchema, withExample, withLimits, withSettings } from './generated.ts'
import { renderPgbenchScript } from './pgbench-script.ts'

/**
 * Writes what is made from the code: `schema.graphql`, the client's types and selections, the example in docs/start.md, the
 * tables of docs/settings.md, the limits in SECURITY.md, and pgbench's script. Tests fail while one of them is stale.
 */
const root = new URL('../', import.meta.url)
const schema = createSchema()
await writeFile(new URL('schema.graphql', root), renderSchema(schema))
await writeFile(new URL('client/src/schema/types.ts', root), renderClientTypes(schema))
await writeFile(new URL('client/src/schema/selections.ts', root), renderClientSelections(schema))
await writeFile(new URL('client/src/message/tool-name.ts', root), await renderClientToolName(root))
await writeFile(new URL('bench/peers/pgbench.sql', root), renderPgbenchScript())
await rewrite('docs/start.md', withExample(await readFile(new URL('examples/hello.mjs', root), 'utf8')))
await rewrite('docs/settings.md', withSettings)
await rewrite('SECURITY.md', withLimits)

async function rewrite(path: string, made: (text: string) => string): Promise<void> {
  await writeFile(new URL(path, root), made(await readFile(new URL(path, root), 'utf8')))
}
