// Writes dist/web/, the page that the server serves at /, unless it is there and fresh. It installs what web/ needs for that,
// where it is missing, and runs on whatever Node a clone has. A server of a clone starts it when it is ready. If it fails, dist/web-failed.txt
// says why.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { licencesOf } from './licences.js'

process.chdir(dirname(dirname(fileURLToPath(import.meta.url))))

const next = 'dist/web-next'
const failure = 'dist/web-failed.txt'
const lock = 'dist/web.lock'
/** What the build reads. */
const sources = [
  'web/src',
  'web/index.html',
  'web/vite.config.ts',
  'web/package-lock.json',
  'client/src',
  'scripts/build-web.js',
  'scripts/licences.js',
]

mkdirSync('dist', { recursive: true })
if (!isFresh() && acquire()) {
  try {
    rmSync(failure, { force: true })
    await build()
    console.log('The page is built.')
  } catch (error) {
    writeFileSync(failure, `${error.message}\n`)
    console.error(error.message)
    process.exitCode = 1
  } finally {
    rmSync(lock, { force: true })
  }
}

async function build() {
  const stamp = fingerprint()
  install()
  const { build: viteBuild } = await import('../web/node_modules/vite/dist/node/index.js')
  const { output } = await viteBuild({ root: 'web', logLevel: 'warn' })
  const modules = output.flatMap(({ moduleIds = [] }) => moduleIds)
  const licences = licencesOf(modules.filter((id) => id.includes('/node_modules/')))
  writeFileSync(`${next}/LICENSES.txt`, `The page contains these packages.\n\n${licences}\n`)
  compress()
  // What there is serves until all of the new is there.
  rmSync('dist/web', { recursive: true, force: true })
  renameSync(next, 'dist/web')
  writeFileSync('dist/.web-stamp', stamp)
}

/** Without what is for development, unless that is there. */
function install() {
  const wanted = Object.entries(JSON.parse(readFileSync('web/package-lock.json', 'utf8')).packages)
  const installed = readInstalled()
  const isThere = wanted.every(
    ([path, { version, optional, dev }]) => path === '' || optional || dev || installed[path]?.version === version,
  )
  if (isThere) return
  console.log('Installing what the page is made of …')
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  const { status } = spawnSync('npm', ['ci', '--omit=dev', ...quiet], {
    cwd: 'web',
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) throw new Error('The page could not be built: npm ci failed in web/.')
}

function readInstalled() {
  try {
    return JSON.parse(readFileSync('web/node_modules/.package-lock.json', 'utf8')).packages
  } catch {
    return {}
  }
}

/** Once, and not for each visitor. */
function compress() {
  for (const path of filesIn(next)) {
    if (!['.js', '.css', '.html', '.svg'].includes(extname(path))) continue
    const bytes = readFileSync(path)
    const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY }
    writeFileSync(`${path}.br`, brotliCompressSync(bytes, { params }))
    writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }))
  }
}

function isFresh() {
  const isBuilt = existsSync('dist/web/index.html') && existsSync('dist/.web-stamp')
  return isBuilt && readFileSync('dist/.web-stamp', 'utf8') === fingerprint()
}

/** Of contents and not of times, as a clone that was copied has others. */
function fingerprint() {
  const hash = createHash('sha256')
  const paths = sources.flatMap((path) => (statSync(path).isDirectory() ? filesIn(path) : [path]))
  for (const path of paths) hash.update(`${path}\0`).update(readFileSync(path)).update('\0')
  return hash.digest('hex')
}

function filesIn(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesIn(path) : [path]
  })
}

/** Another build in this folder makes the same. @returns whether there is none */
function acquire() {
  try {
    if (existsSync(lock) && !isAlive(Number(readFileSync(lock, 'utf8')))) rmSync(lock, { force: true })
    writeFileSync(lock, String(process.pid), { flag: 'wx' })
    return true
  } catch {
    return false
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}
