// Makes a clone ready: dependencies, a fit Node, an up-to-date dist/. `prepare.js run`, before `npm start` and every other
// command of the program, installs only what running and building need. Without `run`, before `npm test`, it installs
// everything. It runs on whatever Node the machine has (20 or later). So it uses no dependencies and no TypeScript. If there
// is nothing to do, it needs no network and writes nothing.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const nodePackage = `node-${process.platform}-${process.arch}`
const nodeVersion = '24.22.3'
const localNode = `node_modules/${nodePackage}/bin/node`
/** What the build reads. */
const sources = [
  'src',
  'client/src',
  'migrations',
  'mikro-orm.config.ts',
  'tsconfig.json',
  'package.json',
  'package-lock.json',
  'scripts/build.js',
  'scripts/licences.js',
  'README.md',
  'LICENSE',
]
/** What scripts/build.js imports. */
const compiler = 'node_modules/rolldown'
const isToRun = process.argv[2] === 'run'

process.chdir(root)
if (!(dependenciesAreInstalled() && nodeIsFit() && buildIsFresh())) {
  try {
    await alone(() => {
      // Checked again: another start may have done the work while this one waited.
      if (!dependenciesAreInstalled() || !nodeIsFit()) install()
      if (!nodeIsFit())
        throw new Error(
          `npm left an unfit Node in ${dirname(dirname(localNode))}: delete node_modules, and start again.`,
        )
      if (!buildIsFresh()) build()
    })
  } catch (error) {
    console.error(error.message)
    process.exitCode = 1
  }
}

/**
 * Whether node_modules holds what package-lock.json asks for. npm notes in node_modules/.package-lock.json what it has
 * installed.
 */
function dependenciesAreInstalled() {
  const installed = read('node_modules/.package-lock.json')?.packages
  if (!installed) return false
  const wanted = Object.entries(read('package-lock.json').packages).filter(([path]) => path !== '')
  const missing = wanted.filter(([path, { version }]) => installed[path]?.version !== version)
  return missing.every(([path, entry]) => !installed[path] && isDispensable(path, entry))
}

/**
 * Whether an entry of the lock file may be missing. It may if it is for another platform, or if it is for development
 * and this clone only runs the program.
 */
function isDispensable(path, { optional, os, cpu, libc, dev }) {
  if (dev && isToRun) return path !== compiler || buildIsFresh()
  // Only npm knows which libc this machine has. An entry that names no platform belongs to an entry that does.
  const isForHere = os?.includes(process.platform) && cpu?.includes(process.arch) && !libc
  return Boolean(optional && !isForHere)
}

/**
 * Not `npm ci`: it would take node_modules away from a server or a Node that runs from there. `install --no-save` takes
 * the same versions from the lock file, and writes neither the lock file nor package.json.
 */
function install() {
  // npm would remove a local Node that is not named again.
  const isNodeWanted = existsSync(`node_modules/${nodePackage}`) || !isFit()
  const node = isNodeWanted ? [`${nodePackage}@${nodeVersion}`] : []
  // npm would also remove what an earlier `npm test` has installed.
  const isForDevelopment = Object.values(read('node_modules/.package-lock.json')?.packages ?? {}).some(({ dev }) => dev)
  const isLean = isToRun && !isForDevelopment
  const what = isLean ? 'what running needs' : 'all dependencies'
  console.log(
    dependenciesAreInstalled()
      ? `Fetching Node ${nodeVersion} …`
      : `Installing ${what}${isNodeWanted ? `, and Node ${nodeVersion}` : ''} …`,
  )
  // No package needs its install script. The includes overrule NODE_ENV and the user's own npmrc.
  npm(
    'install',
    '--no-save',
    '--ignore-scripts',
    '--include=optional',
    ...(isLean ? leanly() : ['--include=dev']),
    ...node,
  )
}

/** Of what is for development, only the compiler, which npm then has to take for a dependency like others. */
function leanly() {
  const { version } = read('package-lock.json').packages[compiler]
  return ['--omit=dev', '--save-prod', `${basename(compiler)}@${version}`]
}

/**
 * Whether `node` in the npm script that follows is fit. There node_modules/.bin comes first in PATH. In most cases that
 * is the Node that runs this script. To start another one and ask it takes about 50 ms.
 */
function nodeIsFit() {
  if (existsSync(localNode) && existsSync('node_modules/.bin/node')) {
    if (realpathSync(localNode) === process.execPath) return isFit()
    return spawnSync(localNode, ['-p', `(${isFit})()`], { encoding: 'utf8' }).stdout?.trim() === 'true'
  }
  return !process.execPath.startsWith(join(root, 'node_modules')) && isFit()
}

/**
 * Whether the Node that runs this function is new enough for MikroORM 7 and vitest 5, and keeps the keys of JSON as
 * they are: see src/node-check.ts. Another Node runs the source text of this function alone, so the function uses
 * nothing of this file.
 */
function isFit() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 22 || (major === 22 && minor < 17)) return false
  const earlier = JSON.parse(String.raw`{"zz":1,"\\":0}`)
  const later = JSON.parse(String.raw`{"zz":1,"\n":0}`)
  // This line keeps the earlier object alive until the later text is parsed.
  return '\\' in earlier && '\n' in later
}

/** Compares contents and not times, so that a folder that was copied or just checked out need not be built again. */
function buildIsFresh() {
  const isBuilt = existsSync('dist/.stamp') && existsSync('dist/src/main.js')
  return isBuilt && readFileSync('dist/.stamp', 'utf8') === fingerprint()
}

function build() {
  console.log('Building …')
  rmSync('dist/.stamp', { force: true })
  const stamp = fingerprint()
  const node = existsSync(localNode) ? localNode : process.execPath
  const { status } = spawnSync(node, ['scripts/build.js'], { stdio: 'inherit' })
  if (status !== 0) throw new Error('The build failed.')
  writeFileSync('dist/.stamp', stamp)
}

function fingerprint() {
  const hash = createHash('sha256')
  for (const path of sourceFiles()) hash.update(`${path}\0`).update(readFileSync(path)).update('\0')
  return hash.digest('hex')
}

function sourceFiles() {
  return sources.flatMap((path) => (!existsSync(path) ? [] : statSync(path).isDirectory() ? filesIn(path) : [path]))
}

function filesIn(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    return entry.isDirectory() ? filesIn(path) : entry.isFile() ? [path] : []
  })
}

/** Runs the npm that runs this script, on the Node that npm itself runs on, which is outside node_modules. */
function npm(...args) {
  const cli = process.env.npm_execpath
  const viaNpm = cli && basename(cli) === 'npm-cli.js' && process.env.npm_node_execpath
  const command = viaNpm ? [process.env.npm_node_execpath, cli] : ['npm']
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  const { status, error } = spawnSync(command[0], [...command.slice(1), ...args, ...quiet], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  if (status !== 0) throw new Error(`npm ${args[0]} failed${error ? `: ${error.message}` : ''}. See the lines above.`)
}

/**
 * Runs `work` while no other start in this folder does. The lock is a symbolic link that names the pid of its owner,
 * because a link is made in one step. The lock is in dist/, which git ignores and npm leaves alone.
 */
async function alone(work) {
  const lock = 'dist/.preparing'
  mkdirSync('dist', { recursive: true })
  for (let waited = 0; !acquire(lock); waited++) {
    if (waited === 1) console.log('Waiting for another start in this folder …')
    await sleep(100)
  }
  try {
    work()
  } finally {
    rmSync(lock, { force: true })
  }
}

function acquire(lock) {
  try {
    symlinkSync(String(process.pid), lock)
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  removeStale(lock)
  return false
}

/**
 * Removes a lock whose owner is gone, or that is ten minutes old: then another program has the owner's pid. The lock is
 * moved away first, because only one process can do that.
 */
function removeStale(lock) {
  try {
    const owner = readlinkSync(lock)
    if (isAlive(Number(owner)) && Date.now() - lstatSync(lock).mtimeMs < 600_000) return
    const aside = `${lock}.${process.pid}`
    renameSync(lock, aside)
    if (readlinkSync(aside) === owner) rmSync(aside)
    else renameSync(aside, lock)
  } catch {
    // Another start was first.
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** The content of a JSON file; undefined if it is missing, or if another npm has written only half of it. */
function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return undefined
  }
}
