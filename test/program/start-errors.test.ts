import { mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createDatabase, type TestDatabase } from '../support/database/database.ts'
import { withDatabase } from '../support/database/database-url.ts'
import { DroppingPooler } from '../support/database/dropping-pooler.ts'
import { listen } from '../support/network/listen.ts'
import { buildPrograms, Program } from '../support/program/program.ts'

let directory: string
let database: TestDatabase

beforeAll(async () => {
  buildPrograms()
  directory = await realpath(await mkdtemp(join(tmpdir(), 'start-errors-')))
  database = await createDatabase()
})

afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await rm(directory, { recursive: true, force: true })
})

describe('a start that cannot succeed ends with 1 and one sentence that says what to do:', () => {
  test.each([
    [{ DATA_DIR: '/proc/colloquy' }, /\/proc\/colloquy cannot hold a database: ENOENT.*set DATA_DIR/],
    [{ DATA_DIR: '/proc/a/b/c' }, /cannot hold a database: ENOENT.*set DATA_DIR/],
    [{ DATA_DIR: '/proc' }, /cannot hold a database: ENOENT.*set DATA_DIR/],
    [{ DATA_DIR: '/dev/null/data' }, /cannot hold a database: ENOTDIR.*set DATA_DIR/],
    [{ DATA_DIR: '/dev/null' }, /cannot hold a database: it is a file; set DATA_DIR/],
    [{ DATA_DIR: `/${'x'.repeat(300)}` }, /cannot hold a database: ENAMETOOLONG.*set DATA_DIR/],
    [{ CORS_ORIGINS: '*' }, /^CORS_ORIGINS: must be web origins.* and is "\*"$/],
    [{ PORT: '99999', MAX_QUERY_DEPHT: '3' }, /^PORT: .*; MAX_QUERY_DEPHT is no setting.*: use MAX_QUERY_DEPTH$/],
  ])('%j', async (settings: Record<string, string>, sentence) => {
    expect(await refusal(settings)).toMatch(sentence)
  })

  test('DATA_DIR leads nowhere', async () => {
    await symlink(join(directory, 'nowhere/at/all'), join(directory, 'link'))
    await writeFile(join(directory, 'file'), '')
    for (const name of ['link', 'link/below', 'file', 'file/below']) {
      expect(await refusal({ DATA_DIR: join(directory, name) })).toMatch(/cannot hold a database: .*set DATA_DIR/)
    }
  })

  test.each([
    ['nosuch.invalid', /^HOST: nosuch\.invalid is the name of no host/],
    ['203.0.113.1', /^HOST: 203\.0\.113\.1 is no address of this machine/],
  ])('HOST=%s', async (HOST, sentence) => {
    expect(await refusal({ HOST, ALLOW_UNAUTHENTICATED: 'true', DATABASE_URL: database.url })).toMatch(sentence)
  })

  test('a database that takes no writes', async () => {
    await using role = await createRole('set default_transaction_read_only = on')
    expect(await refusal({ DATABASE_URL: role.url })).toMatch(/^The database takes no writes: .*; set DATABASE_URL/)
  })

  test('a role that may read its tables and not write them', async () => {
    await using role = await createRole()
    await role.admin.query(`grant select on all tables in schema public to ${role.name}`)
    const sentence = /^The role of DATABASE_URL has no right to .*INSERT.* on conversation; GRANT it/
    expect(await refusal({ DATABASE_URL: role.url })).toMatch(sentence)
  })

  test('a role that may not read its tables', async () => {
    await using role = await createRole()
    expect(await refusal({ DATABASE_URL: role.url })).toMatch(/cannot be migrated: permission denied for .*GRANT/)
  })

  test('a role that is unknown, and one that may not log in', async () => {
    const url = new URL(database.url)
    url.username = 'nobody_of_this_name'
    expect(await refusal({ DATABASE_URL: url.href })).toMatch(/"nobody_of_this_name" does not exist; correct the user/)
    await using role = await createRole('nologin')
    expect(await refusal({ DATABASE_URL: role.url })).toMatch(/is not permitted to log in; correct the user/)
  })

  test('a database of another encoding', async () => {
    const admin = await database.connect()
    const name = `${new URL(database.url).pathname.slice(1)}_latin`
    await admin.query(`create database ${name} encoding 'LATIN1' template template0 locale 'C' locale_provider 'libc'`)
    try {
      const url = withDatabase(database.url, name)
      expect(await refusal({ DATABASE_URL: url })).toMatch(/^The database has the encoding LATIN1, .*ENCODING 'UTF8'/)
    } finally {
      await admin.query(`drop database ${name} with (force)`)
    }
  })

  test('a table that another transaction holds', async () => {
    const admin = await database.connect()
    await admin.query('begin; lock table conversation')
    const reason = await refusal({ DATABASE_URL: database.url, LOCK_TIMEOUT_MS: '50' })
    expect(reason).toMatch(/lock timeout; another transaction holds a table/)
    await admin.query('rollback')
  })

  test.each(['refuses', 'drops'] as const)('a pooler that %s the settings of a session', async (what) => {
    await using pooler = await DroppingPooler.before(database.url, what)
    const reason = await refusal({ DATABASE_URL: pooler.url })
    expect(reason).toMatch(/A connection pooler.* stands before .*set DATABASE_URL to PostgreSQL itself/i)
  })

  test.each([
    ['closes at once', (socket: Socket) => socket.end()],
    ['speaks another protocol', (socket: Socket) => socket.end('J\0\0\0\n8.0.33\0')],
    ['speaks HTTP', (socket: Socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))],
    ['says nothing', () => {}],
  ])('what listens there %s', async (_what, answer) => {
    await using server = await listen((socket) => {
      socket.on('error', () => {})
      answer(socket)
    })
    const url = `postgresql://ada@127.0.0.1:${server.port}/c`
    const reason = await refusal({ DATABASE_URL: url, POOL_TIMEOUT_MS: '200' })
    expect(reason).toMatch(/^The database at .* cannot be reached: .*check the host and the port of DATABASE_URL/)
  })

  test('a name of the database that no DNS knows', async () => {
    const reason = await refusal({ DATABASE_URL: 'postgresql://ada:secret@nosuch.invalid/c' })
    expect(reason).toMatch(/cannot be reached: .*correct the host of DATABASE_URL/)
    expect(reason).not.toContain('secret')
  })
})

test('a misspelt setting is a warning of a server that starts', async () => {
  const settings = { DATABASE_URL: database.url, PORT: '0', MAX_QUERY_DEPHT: '3', CORS_ORIGIN: 'https://app.example' }
  await using server = new Program('src/main.js', [], settings)
  await server.prints(/Access/)
  const warnings = server.stdout.split('\n').filter((line) => line.startsWith('{"level":40'))
  expect(warnings.map((line) => JSON.parse(line).msg)).toEqual([
    'MAX_QUERY_DEPHT is no setting, and has no effect: use MAX_QUERY_DEPTH',
    'CORS_ORIGIN is no setting, and has no effect: use CORS_ORIGINS',
  ])
})

/** What a server that must not start says, without its end of line. */
async function refusal(settings: Record<string, string>): Promise<string> {
  await using server = new Program('src/main.js', [], { DATA_DIR: join(directory, 'unused'), PORT: '0', ...settings })
  expect(await server.exited).toEqual({ code: 1, signal: null })
  expect(server.stdout).toBe('')
  expect(server.stderr.trim().split('\n')).toHaveLength(1)
  return server.stderr.trimEnd()
}

/** A role of the database. @param setting of ALTER ROLE */
async function createRole(setting?: string) {
  const admin = await database.connect()
  const name = `role_${crypto.randomUUID().replaceAll('-', '')}`
  await admin.query(`create role ${name} login`)
  if (setting) await admin.query(`alter role ${name} ${setting}`)
  const url = new URL(database.url)
  url.username = name
  return {
    admin,
    name,
    url: url.href,
    [Symbol.asyncDispose]: async () => void (await admin.query(`drop owned by ${name}; drop role ${name}`)),
  }
}
