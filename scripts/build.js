// Writes dist/, which is the npm package: the program and all that it imports in a few files, with what npm needs to install
// it. prepare.js runs this when dist/ is stale. A start that loads its 1,600 modules one by one takes nearly twice the processor.
// Types are not checked here: `npm run check` does that.

import { chmodSync, copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { licencesOf } from './licences.js'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))

const manifest = JSON.parse(readFileSync('package.json', 'utf8'))

/** What a thread runs is an entrance of its own. All that is built lies side by side, where its starter looks for it. */
const entrances = {
  main: 'src/main.ts',
  'token-worker': 'src/tokens/token-worker.ts',
  'graphiql-worker': 'src/server/graphiql/graphiql-worker.ts',
}

/**
 * What is installed beside the bundle: the server sends a file of graphql-ws to browsers, and graphql-ws asks for graphql. No
 * other package comes with the two, so the versions of all that runs are exact.
 */
const installed = ['graphql', 'graphql-ws']

/** The program as a command starts it. V8 takes the size of its young generation only when a process begins. */
const asCommand = `#!/bin/sh
':' //; exec node --max-semi-space-size=32 "$0" "$@"`

// What there is serves until all of the new is there.
rmSync('dist/next', { recursive: true, force: true })
const modules = await bundle('dist/next')
rmSync('dist/src', { recursive: true, force: true })
renameSync('dist/next', 'dist/src')
chmodSync('dist/src/main.js', 0o755)
writeFileSync('dist/package.json', `${JSON.stringify(published(), null, 2)}\n`)
writeFileSync('dist/LICENSES.txt', `The program contains these packages.\n\n${licencesOf(modules)}\n`)
for (const file of ['README.md', 'LICENSE']) copyFileSync(file, `dist/${file}`)

/** @returns the paths of all modules that are in the bundle */
async function bundle(dir) {
  const build = await rolldown({
    input: entrances,
    platform: 'node',
    tsconfig: 'tsconfig.json',
    // pg, Type-GraphQL and MikroORM do without these. Whether they happen to be installed changes nothing.
    external: ['pg-native', 'class-validator', 'tinyglobby'],
    onLog: (level, log, report) => report(log.code === 'UNRESOLVED_IMPORT' ? 'error' : level, log),
    // `using` is not known to Node 22.
    transform: { target: 'node22.17' },
  })
  const { output } = await build.write({
    dir,
    format: 'esm',
    keepNames: true,
    sourcemap: true,
    sourcemapExcludeSources: true,
    comments: { legal: true, annotation: true, jsdoc: false },
    postBanner: ({ fileName }) => (fileName === 'main.js' ? asCommand : ''),
  })
  await build.close()
  return output.flatMap(({ moduleIds = [] }) => moduleIds)
}

function published() {
  const { name, version, description, license, type, engines, dependencies, optionalDependencies } = manifest
  return {
    name,
    version,
    description,
    license,
    type,
    bin: { [name]: 'src/main.js' },
    files: ['src', 'web', 'LICENSES.txt'],
    engines,
    dependencies: Object.fromEntries(installed.map((name) => [name, dependencies[name]])),
    optionalDependencies,
  }
}
