import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commands } from '../../src/cli/commands.ts'
import { describeSettings } from '../../src/config.ts'
import { Api } from '../support/api.ts'
import { createDatabase } from '../support/database/database.ts'
import { buildPrograms, Program } from '../support/program/program.ts'
import { serve } from '../support/server.ts'

let directory: string

beforeAll(async () => {
  buildPrograms()
  directory = await realpath(await mkdtemp(join(tmpdir(), 'cli-')))
})

afterAll(() => rm(directory, { recursive: true, force: true }))

async function run(args: readonly string[], env: Record<string, string> = {}) {
  await using program = new Program('src/main.js', args, { DATA_DIR: join(directory, 'unused'), ...env })
  const { code } = await program.exited
  return { code, stdout: program.stdout, stderr: program.stderr }
}

describe('the help', () => {
  test('lists every command', async () => {
    const { code, stdout, stderr } = await run(['--help'])
    expect([code, stderr]).toEqual([0, ''])
    for (const { name, summary } of commands) expect(stdout).toMatch(new RegExp(`^ +${name} .*${summary}`, 'm'))
  })

  test.each([
    ['start', describeSettings().map(({ name }) => name)],
    ['doctor', ['--json']],
    ['migrate', ['up', 'status']],
    ['migrate up', ['--json']],
    ['migrate status', ['--json']],
    ['import', ['<file>', '--format', 'chatgpt', '--json', 'COLLOQUY_URL', 'COLLOQUY_TOKEN']],
    ['export', ['--user', '--output', '--json', 'DATA_DIR']],
    ['backup', ['<file>', '--json', 'DATA_DIR']],
    ['restore', ['<file>', '--json', 'DATA_DIR']],
    ['renew-epochs', ['--json', 'DATA_DIR']],
    ['token', ['create']],
    ['token create', ['--user', '--expires', '--role', 'colloquy:operator']],
    ['distribute', ['DATABASE_URL']],
  ])('of %s says what it takes', async (name, words) => {
    const { code, stdout, stderr } = await run([...name.split(' '), '--help'])
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toContain(`Usage: colloquy ${name} `)
    for (const word of words) expect(stdout).toContain(word)
  })

  test('describes every command, argument and option', async () => {
    const bare: string[] = []
    const see = (path: string, command: Command) => {
      const parts = [...command.options.map(({ flags, description }) => [flags, description])]
      parts.push(...command.registeredArguments.map((argument) => [argument.name(), argument.description]))
      for (const [name, description] of parts) if (!description?.trim()) bare.push(`${path} ${name}`)
      if (!command.description().trim()) bare.push(path)
      for (const below of command.commands) see(`${path} ${below.name()}`, below)
    }
    for (const { name, load } of commands) {
      const command = new Command(name)
      ;(await load()).define(command)
      see(name, command)
    }
    expect(bare).toEqual([])
  })
})

test('the version is that of package.json', async () => {
  expect(await run(['--version'])).toEqual({ code: 0, stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/), stderr: '' })
})

describe('wrong use ends with 2 and one sentence that has the nearest name:', () => {
  test.each([
    [['strat'], "unknown command 'strat' (did you mean start?); colloquy --help says more"],
    [['zzzzzz'], "unknown command 'zzzzzz'; colloquy --help says more"],
    [['--versoin'], "unknown option '--versoin' (did you mean --version?); colloquy --help says more"],
    [['start', '--port', '5'], "unknown option '--port'; colloquy start --help says more"],
    [
      ['start', '5'],
      "too many arguments for 'start': expected 0 arguments but got 1: 5; colloquy start --help says more",
    ],
    [['migrate', 'stauts'], "unknown command 'stauts' (did you mean status?); colloquy migrate --help says more"],
    [['doctor', '--jsno'], "unknown option '--jsno' (did you mean --json?); colloquy doctor --help says more"],
    [
      ['token', 'create', '--user', 'ada'],
      "required option '--expires <time>' not specified; colloquy token create --help says more",
    ],
    [
      ['token', 'create', '--user', 'ada', '--expires', '0m'],
      "option '--expires <time>' argument '0m' is invalid: it must be a number and s, m, h or d, as 15m, or never; colloquy token create --help says more",
    ],
    [
      ['token', 'create', '--user', 'ada', '--expires', '1h', '--role', 'king'],
      "option '--role <role...>' argument 'king' is invalid: allowed choices are colloquy:read, colloquy:import, colloquy:operator, colloquy:support; colloquy token create --help says more",
    ],
    [['do\n(Did you mean x?)\nctor'], "unknown command 'do (Did you mean x?) ctor'; colloquy --help says more"],
  ])('%j', async (args, sentence) => {
    expect(await run(args)).toEqual({ code: 2, stdout: '', stderr: `${sentence}\n` })
  })

  test('a command of which only the first word is given shows its help', async () => {
    const { code, stdout, stderr } = await run(['migrate'])
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain('Usage: colloquy migrate [options] [command]')
  })
})

test('only the command that is asked for is loaded, and the server after the settings were found right', async () => {
  const tell = `import { registerHooks } from 'node:module'
    registerHooks({ load: (url, context, next) => { console.log(url); return next(url, context) } })`
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(tell)}` }
  const loaded = async (...args: string[]) => {
    const { stdout } = await run(args, { ...env, PORT: 'http' })
    const files = stdout.split('\n').filter((url) => url.includes('/dist/src/'))
    return (await Promise.all(files.map(sourcesOf))).flat()
  }
  const always = ['main', 'database/database-errors', 'errors', 'node-check']
  const withArguments = [...always, 'cli/program', 'cli/commands', 'version']
  const forStart = ['cli/commands/start', 'config', 'nearest-name', 'server/log']
  expect((await loaded('--version')).sort()).toEqual(withArguments.sort())
  expect((await loaded('start')).sort()).toEqual([...always, ...forStart].sort())
  expect((await loaded()).sort()).toEqual([...always, ...forStart].sort())
  expect((await loaded('start', '--help')).sort()).toEqual([...withArguments, ...forStart].sort())
  expect((await loaded('doctor', '--help')).sort()).toEqual([...withArguments, 'cli/commands/doctor'].sort())
})

/** What a built file was made of, of src/, without the endings. What the compiler itself adds has no map. */
async function sourcesOf(url: string): Promise<string[]> {
  const map = await readFile(new URL(`${url}.map`), 'utf8').catch(() => '{ "sources": [] }')
  const { sources } = JSON.parse(map) as { sources: string[] }
  return sources.flatMap((path) => /^\.\.\/\.\.\/src\/(.*)\.ts$/.exec(path)?.[1] ?? [])
}

describe('migrate', () => {
  test('says which migrations wait, applies them, and says that they are applied', async () => {
    await using database = await createDatabase('bare')
    const env = { DATABASE_URL: database.url }
    const names = (await readdir('migrations')).sort().map(className)
    const status = async () => JSON.parse((await run(['migrate', 'status', '--json'], env)).stdout)

    expect(await status()).toEqual({ applied: [], waiting: names, unknown: [] })
    const client = await database.connect()
    // To look makes nothing.
    expect((await client.query(`select to_regclass('migration') as table`)).rows).toEqual([{ table: null }])
    const up = await run(['migrate', 'up'], env)
    expect(up).toEqual({
      code: 0,
      stdout: `${names.map((name) => `applied  ${name}\n`).join('')}The database is up to date.\n`,
      stderr: '',
    })
    const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(await status()).toEqual({ applied: names.map((name) => ({ name, at })), waiting: [], unknown: [] })
    expect(await run(['migrate', 'up', '--json'], env)).toEqual({
      code: 0,
      stdout: `${JSON.stringify({ applied: [], advice: null }, null, 2)}\n`,
      stderr: '',
    })

    const last = names.at(-1) as string
    await client.query(`update migration set name = 'Migration99999Later' where name = $1`, [last])
    const { code, stdout } = await run(['migrate', 'status'], env)
    expect(code).toBe(0)
    expect(stdout.split('\n').slice(0, -1)).toEqual([
      ...names.slice(0, -1).map((name) => expect.stringMatching(new RegExp(`^applied  \\S{20}  ${name}$`))),
      `unknown${' '.repeat(24)}Migration99999Later, of a later version of Colloquy`,
      `waiting${' '.repeat(24)}${last}`,
    ])
  })

  test('makes no embedded database to say that none is there', async () => {
    const folder = join(directory, 'none')
    expect(await run(['migrate', 'status'], { DATA_DIR: folder })).toEqual({
      code: 1,
      stdout: '',
      stderr: `There is no database in ${folder} yet; colloquy start makes it, or set DATABASE_URL\n`,
    })
    expect(await readdir(directory)).not.toContain('none')
  })

  test('says why the database cannot be migrated', async () => {
    const { code, stderr } = await run(['migrate', 'up'], { DATABASE_URL: 'postgresql://ada:secret@127.0.0.1:1/c' })
    expect(stderr).toMatch(
      /^The database at postgresql:\/\/ada:…@127\.0\.0\.1:1\/c cannot be reached: .*ECONNREFUSED.*\n$/,
    )
    expect(code).toBe(1)
  })
})

/** 00001-conversations.ts has Migration00001Conversations. */
function className(file: string): string {
  const [number, ...words] = file.replace(/\.ts$/, '').split('-')
  return `Migration${number}${words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')}`
}

describe('token create', () => {
  const settings = {
    AUTH_SECRET: 'a secret that is long enough for HS256',
    AUTH_ISSUER: 'https://issuer.example',
    AUTH_AUDIENCE: 'colloquy',
    AUTH_USER_CLAIM: 'user',
    AUTH_ROLES_CLAIM: 'roles',
  }
  const create = (env: Record<string, string>, ...args: string[]) =>
    run(['token', 'create', '--user', 'žofie', '--expires', '15m', ...args], env)

  test('prints a token that a server with the same settings accepts, with its roles', async () => {
    await using database = await createDatabase()
    await using server = await serve(database.url, settings)
    const write = `mutation { appendMessage(input: { conversationId: "c", ifMissing: CREATE, message: { role: USER, content: "" } })
      { message { seq } } }`
    const ask = async (...args: string[]) => {
      const { code, stdout, stderr } = await create(settings, ...args)
      expect([code, stderr]).toEqual([0, ''])
      const token = stdout.trimEnd()
      const api = new Api(server.url, { authorization: `Bearer ${token}` })
      expect(await api.get('{ viewer { userId } }')).toEqual({ viewer: { userId: 'žofie' } })
      return { token, api }
    }
    const plain = await ask()
    expect(Object.keys(await plain.api.get(write))).toEqual(['appendMessage'])
    const claims = decodeJwt(plain.token)
    expect(Number(claims.exp) - Number(claims.iat)).toBe(15 * 60)
    expect(claims).toEqual({
      user: 'žofie',
      iss: settings.AUTH_ISSUER,
      aud: 'colloquy',
      iat: claims.iat,
      exp: claims.exp,
    })
    const reader = await ask('--role', 'colloquy:read')
    expect((await reader.api.fail(write)).extensions.code).toBe('FORBIDDEN')
    expect(decodeJwt((await ask('--role', 'colloquy:import', 'colloquy:operator')).token).roles).toEqual([
      'colloquy:import',
      'colloquy:operator',
    ])
  })

  test('makes a token without an end where servers accept one', async () => {
    const env = { ...settings, AUTH_REQUIRE_EXPIRY: 'false' }
    const { stdout } = await create(env, '--expires', 'never')
    expect(decodeJwt(stdout).exp).toBeUndefined()
  })

  test.each<[string, Record<string, string>, string[], RegExp]>([
    ['AUTH_SECRET is missing', {}, [], /^AUTH_SECRET signs tokens, and is not set; set it/],
    ['AUTH_SECRET is short', { AUTH_SECRET: 'short' }, [], /^AUTH_SECRET: must be a text of at least 32 bytes$/],
    [
      'servers read no roles',
      { AUTH_SECRET: settings.AUTH_SECRET },
      ['--role', 'colloquy:read'],
      /^AUTH_ROLES_CLAIM is not set, .*; set it here and there$/,
    ],
    ['tokens have to expire', settings, ['--expires', 'never'], /^Servers refuse .*; set AUTH_REQUIRE_EXPIRY=false/],
    ['no user has this id', settings, ['--user', 'x'.repeat(256)], /^Servers would refuse this token: A user id has/],
  ])('refuses when %s', async (_when, env, args, sentence) => {
    const { code, stdout, stderr } = await create(env, ...args)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr.trimEnd()).toMatch(sentence)
  })
})
