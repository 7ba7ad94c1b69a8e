// node scripts/record-documents.js v0.1.0 > test/program/released-client.graphql
//
// What the client of a release asks: a document a line, as the tests of that release make the client send it. It needs the tag, and
// what `npm test` installs.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildSchema, parse, stripIgnoredCharacters, validate } from 'graphql'

const root = fileURLToPath(new URL('../', import.meta.url))
const tag = process.argv[2]
if (tag === undefined) throw new Error('name the tag of a release')
const folder = mkdtempSync(join(tmpdir(), 'record-'))
try {
  run('sh', ['-c', `git -C "${root}" archive ${tag} | tar -x`])
  for (const path of ['node_modules', 'test/clients/node_modules']) symlinkSync(join(root, path), join(folder, path))
  // All that the client asks goes through one method.
  const connection = join(folder, 'client/src/connection/connection.ts')
  const method = 'return new Promise<Outcome>((resolve, reject) => {'
  const source = readFileSync(connection, 'utf8')
  if (source.split(method).length !== 2) throw new Error(`${connection} has no place for the line that records`)
  const recorded = join(folder, 'recorded.jsonl')
  const record = `appendFileSync('${recorded}', JSON.stringify(operation.query) + '\\n')`
  writeFileSync(
    connection,
    `import { appendFileSync } from 'node:fs'\n${source.replace(method, `${record}\n${method}`)}`,
  )
  // Tests that fail, because what is installed is newer, ask all the same.
  run(join(root, 'node_modules/.bin/vitest'), ['run', 'test/client/', 'test/clients/'])
  const schema = buildSchema(readFileSync(join(folder, 'schema.graphql'), 'utf8'))
  const lines = readFileSync(recorded, 'utf8').trim().split('\n')
  const documents = new Set(
    lines
      .map((line) => JSON.parse(line))
      .filter((text) => isValid(schema, text))
      .map(stripIgnoredCharacters),
  )
  console.log([...documents].sort().join('\n'))
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Some tests send what is not. */
function isValid(schema, text) {
  try {
    return validate(schema, parse(text)).length === 0
  } catch {
    return false
  }
}

function run(command, args) {
  const { error } = spawnSync(command, args, { cwd: folder, stdio: ['ignore', 2, 2] })
  if (error) throw error
}
