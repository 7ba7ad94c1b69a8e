// Writes dist/. npm runs this before it packs or links the package, in a clone where perhaps nothing is installed yet. So it
// uses no dependencies, and installs those that the build needs unless the package or the repository around it has them.

import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

process.chdir(dirname(fileURLToPath(import.meta.url)))

if (!isInstalled()) {
  run('npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error')
}
rmSync('dist', { recursive: true, force: true })
run(process.execPath, join(dirname(find('typescript/package.json')), 'bin/tsc'))

function isInstalled() {
  try {
    return ['typescript/package.json', 'ai', '@langchain/core/messages', 'graphql-ws'].map(find)
  } catch {
    return false
  }
}

function find(name) {
  return createRequire(import.meta.url).resolve(name)
}

function run(command, ...args) {
  // tsc writes its errors to the standard output, where npm writes the name of the package.
  const { status } = spawnSync(command, args, { stdio: ['ignore', 2, 2] })
  if (status !== 0) process.exit(status ?? 1)
}
