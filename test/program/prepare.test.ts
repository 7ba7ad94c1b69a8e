import { spawnSync } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

/** Stands in the place of npm: writes down how it was called, and notes what is installed then, as npm does. */
const npm = `#!/usr/bin/env node
const { appendFileSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs')
const args = process.argv.slice(2)
appendFileSync('npm.log', args.join(' ') + '\\n')
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
const isLean = args.includes('--omit=dev')
const installed = Object.entries(packages).flatMap(([path, entry]) => {
  if (path === '') return []
  if (isLean && path === 'node_modules/rolldown') return [[path, { version: entry.version }]]
  return isLean && entry.dev ? [] : [[path, entry]]
})
mkdirSync('node_modules', { recursive: true })
writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages: Object.fromEntries(installed) }))
`

/** Stands in the place of the build. */
const build = `import { mkdirSync, writeFileSync } from 'node:fs'
mkdirSync('dist/src', { recursive: true })
writeFileSync('dist/src/main.js', '')
`

const packages = {
  '': {},
  'node_modules/fastify': { version: '5.0.0' },
  'node_modules/rolldown': { version: '1.2.3', dev: true },
  'node_modules/vitest': { version: '5.1.1', dev: true },
}

let clone: string

beforeEach(async () => {
  clone = await mkdtemp(join(tmpdir(), 'prepare-'))
  const files = {
    'package.json': '{ "type": "module" }',
    'package-lock.json': JSON.stringify({ packages }),
    'scripts/build.js': build,
    'src/main.ts': '',
    'bin/package.json': '{ "type": "commonjs" }',
    'bin/npm': npm,
  }
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(clone, path)), { recursive: true })
    await writeFile(join(clone, path), content)
  }
  await cp('scripts/prepare.js', join(clone, 'scripts/prepare.js'))
  await chmod(join(clone, 'bin/npm'), 0o755)
})

afterEach(() => rm(clone, { recursive: true, force: true }))

/** What it says, without the ends of the lines. */
function prepare(...args: string[]): string[] {
  const path = `${join(clone, 'bin')}:${dirname(process.execPath)}:${process.env.PATH}`
  const env = { ...process.env, PATH: path, npm_execpath: '' }
  const script = [join(clone, 'scripts/prepare.js'), ...args]
  const { status, stdout, stderr } = spawnSync(process.execPath, script, { cwd: clone, env, encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
  return stdout.split('\n').slice(0, -1)
}

const calls = async () => (await readFile(join(clone, 'npm.log'), 'utf8')).split('\n').slice(0, -1)
const lean = expect.stringMatching(/^install --no-save --ignore-scripts .*--omit=dev --save-prod rolldown@1\.2\.3 /)
const whole = expect.stringMatching(/^install --no-save --ignore-scripts .*--include=dev /)

test('a clone that only runs gets what running needs and the compiler, and says what happens meanwhile', async () => {
  expect(prepare('run')).toEqual(['Installing what running needs …', 'Building …'])
  expect(await calls()).toEqual([lean])
  expect(prepare('run')).toEqual([])
})

test('tests bring what is for development, and no later start takes it away', async () => {
  expect(prepare('run')).toHaveLength(2)
  expect(prepare()).toEqual(['Installing all dependencies …'])
  expect(prepare('run')).toEqual([])
  await writeFile(
    join(clone, 'package-lock.json'),
    JSON.stringify({ packages: { ...packages, 'node_modules/pg': { version: '8.0.0' } } }),
  )
  expect(prepare('run')).toEqual(['Installing all dependencies …', 'Building …'])
  expect(await calls()).toEqual([lean, whole, whole])
})

test('a build that is fresh needs no compiler, as in an image to which dist/ was copied', async () => {
  expect(prepare('run')).toHaveLength(2)
  const installed = { packages: { 'node_modules/fastify': packages['node_modules/fastify'] } }
  await writeFile(join(clone, 'node_modules/.package-lock.json'), JSON.stringify(installed))
  expect(prepare('run')).toEqual([])
  await writeFile(join(clone, 'src/main.ts'), '// changed')
  expect(prepare('run')).toEqual(['Installing what running needs …', 'Building …'])
  expect(await calls()).toEqual([lean, lean])
})
