import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findNodeFault } from '../../src/node-check.ts'
import { isLong } from '../support/long.ts'
import { buildPrograms } from '../support/program/program.ts'

const refusal = /^Node \S+ reads some keys of JSON as other keys, and data would be stored altered: use Node 22 .+\.$/

describe('the check of a Node', () => {
  test('accepts the Node that runs the tests', () => {
    expect(findNodeFault()).toBeNull()
  })

  test.each([
    ['20.20.2', 'Node 20.20.2 is too old: use Node 22 from 22.17 on, 24 from 24.22.1 on, or 26.12.1 and later.'],
    ['22.16.9', expect.stringContaining('is too old')],
    ['22.17.0', null],
    ['24.0.0', null],
  ])('knows whether %s is too old', (version, sentence) => {
    expect(findNodeFault(JSON.parse, version)).toEqual(sentence)
  })

  test('refuses a parser that reads a line break as the backslash of an earlier key, and nothing else wrongly', () => {
    const parse = (text: string) =>
      JSON.parse(text === String.raw`{"zz":1,"\n":0}` ? String.raw`{"zz":1,"\\":0}` : text)
    expect(findNodeFault(parse)).toMatch(refusal)
  })

  test('refuses a parser that reads only other escapes wrongly', () => {
    const parse = (text: string) => JSON.parse(text.replace(/\\u[0-9a-f]{4}/, '?'))
    expect(findNodeFault(parse)).toMatch(refusal)
  })

  test('names each version in which package.json lets a Node begin', async () => {
    const { engines } = JSON.parse(await readFile('package.json', 'utf8'))
    const versions: string[] = engines.node.match(/\d+(\.\d+)+/g)
    expect(versions).toHaveLength(3)
    const sentence = findNodeFault(() => ({}))
    for (const version of versions) expect(sentence).toContain(version)
  })
})

/** A Node is 45 MB to download. */
const patience = 300_000

/**
 * npm fetches two versions of Node into its cache, unless they are there. The tests then install from the cache alone, so the
 * speed of the registry has no part in them. Where npm cannot fetch them, these tests are skipped and say why.
 */
describe.skipIf(!isLong)('Node 24.21.0, which has the fault,', { timeout: patience }, () => {
  const name = `node-${process.platform}-${process.arch}`
  let directory: string
  let faulty: string
  let fetching: ReturnType<typeof run>

  beforeAll(async () => {
    buildPrograms()
    directory = await mkdtemp(join(tmpdir(), 'node-check-'))
    faulty = join(directory, 'node_modules', name, 'bin/node')
    const wanted = [`${name}@24.21.0`, `${name}@${preparedVersion(await readFile('scripts/prepare.js', 'utf8'))}`]
    fetching = run('npm', ['cache', 'add', ...wanted, '--prefer-offline', '--fetch-retries=0', '--loglevel=error'])
    if (fetching.status === 0) run('npm', ['install', `${name}@24.21.0`, '--no-audit', '--no-fund'], directory, offline)
  }, patience)

  beforeEach((context) => {
    const { status, stderr } = fetching
    const isAway = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT/.test(stderr)
    context.skip(isAway, `npm does not reach its registry: ${stderr.split('\n')[0]}`)
    context.skip(status === null, 'npm takes more than 100 s to fetch two versions of Node.')
    expect([status, stderr]).toEqual([0, ''])
  })

  afterAll(() => rm(directory, { recursive: true, force: true }))

  test('does not run the server', () => {
    const { status, stdout, stderr } = run(faulty, ['dist/src/main.js'], '.', {
      DATA_DIR: join(directory, 'data'),
      PORT: '0',
    })
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr.trimEnd()).toMatch(refusal)
    expect(stderr).toMatch(/^Node 24\.21\.0 /)
  })

  test('does not import', () => {
    const { status, stdout, stderr } = run(faulty, ['dist/src/main.js', 'import', 'conversations.jsonl'])
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr.trimEnd()).toMatch(refusal)
  })

  test('is what doctor finds', () => {
    const { status, stdout } = run(faulty, ['dist/src/main.js', 'doctor', '--json'], '.', { PORT: 'http' })
    const [{ check, state, sentence }] = JSON.parse(stdout).findings
    expect([status, check, state]).toEqual([1, 'node', 'wrong'])
    expect(sentence).toMatch(refusal)
  })

  test.each(['another Node', 'it'])('is replaced in a clone that %s prepares', async (preparing) => {
    await using clone = await makeClone()
    await cp(join(directory, 'node_modules'), join(clone.path, 'node_modules'), {
      recursive: true,
      verbatimSymlinks: true,
      // Thousands of files that nobody runs.
      filter: (path) => !path.endsWith('/include'),
    })
    const local = join(clone.path, 'node_modules', name, 'bin/node')
    expect(findsFault(local)).toBe(true)
    expect(clone.prepare(preparing === 'it' ? local : process.execPath).stdout).toMatch(/^Fetching Node /)
    expect(findsFault(local)).toBe(false)
  })

  test('is not used in a clone where it is the Node of the machine', async () => {
    await using clone = await makeClone()
    expect(clone.prepare(faulty).stdout).toMatch(/^Fetching Node /)
    const local = join(clone.path, 'node_modules', name, 'bin/node')
    expect(findsFault(local)).toBe(false)
    // Without npm: nothing is missing any more, whichever Node is asked.
    for (const node of [faulty, local]) {
      expect(clone.prepare(node, { PATH: '' })).toEqual({ status: 0, stdout: '', stderr: '' })
    }
  })
})

const offline = { ...process.env, npm_config_offline: 'true' }

/** The version of Node that prepare.js fetches. */
function preparedVersion(script: string): string {
  return /^const nodeVersion = '([\d.]+)'$/m.exec(script)?.[1] ?? ''
}

/** A folder in which prepare.js finds everything but a Node: no dependencies are wanted, and no sources are to be built. */
async function makeClone() {
  const path = await mkdtemp(join(tmpdir(), 'node-check-clone-'))
  const lock = JSON.stringify({ lockfileVersion: 3, packages: {} })
  const manifest = JSON.stringify({ type: 'module' })
  const stamp = createHash('sha256')
  for (const source of ['package.json', manifest, 'package-lock.json', lock]) stamp.update(source).update('\0')
  const files = {
    'package.json': manifest,
    'package-lock.json': lock,
    'node_modules/.package-lock.json': lock,
    'dist/src/main.js': '',
    'dist/.stamp': stamp.digest('hex'),
    'scripts/prepare.js': await readFile('scripts/prepare.js'),
  }
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(path, file)), { recursive: true })
    await writeFile(join(path, file), content)
  }
  return {
    path,
    prepare: (node: string, env: NodeJS.ProcessEnv = offline) => run(node, ['scripts/prepare.js'], path, env),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
}

function findsFault(node: string): boolean {
  const script = `import { findNodeFault } from './src/node-check.ts'; console.log(findNodeFault() !== null)`
  return JSON.parse(run(node, ['--input-type=module', '-e', script]).stdout)
}

function run(command: string, args: readonly string[], cwd = '.', env: NodeJS.ProcessEnv = process.env) {
  // A server that runs, where it should refuse to, is told to stop.
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: patience / 3 })
  return { status, stdout, stderr }
}
