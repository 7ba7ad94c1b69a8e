// Installs what the peers need, which is no part of the server's own dependencies. Runs before `npm run bench`.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = dirname(fileURLToPath(import.meta.url))

if (!isInstalled()) {
  console.log("Installing the peers' dependencies …")
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
