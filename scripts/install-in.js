// `node scripts/install-in.js FOLDER` installs what only this folder needs, by its own lock file: the peers of `npm run bench`,
// the clients of test/clients.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const name = process.argv[2]
const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), name)

if (!isInstalled()) {
  console.log(`Installing the dependencies of ${name} …`)
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: 'inherit',
  })
  process.exitCode = status ?? 1
}

/** npm notes in node_modules what it has installed. */
function isInstalled() {
  const installed = read('node_modules/.package-lock.json')?.packages
  const wanted = read('package-lock.json').packages
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || optional || installed?.[path]?.version === version,
  )
}

function read(path) {
  try {
    return JSON.parse(readFileSync(`${folder}/${path}`, 'utf8'))
  } catch {
    return undefined
  }
}
