import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, realpath, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkDisk } from '../../src/cli/doctor/disk.ts'
import type { Finding } from '../../src/cli/doctor/finding.ts'
import { readConfig } from '../../src/config.ts'
import { startEmbeddedDatabase } from '../../src/database/embedded/embedded.ts'
import { migrate } from '../../src/database/migrate.ts'
import { createDatabase } from '../support/database/database.ts'
import { withDatabase } from '../support/database/database-url.ts'
import { DroppingPooler } from '../support/database/dropping-pooler.ts'
import { PgBouncer, pgbouncerVersion } from '../support/database/pgbouncer.ts'
import { freePort } from '../support/network/listen.ts'
import { hasNats, NatsServer } from '../support/network/nats.ts'
import { buildPrograms, Program } from '../support/program/program.ts'

let directory: string

beforeAll(async () => {
  buildPrograms()
  directory = await realpath(await mkdtemp(join(tmpdir(), 'doctor-')))
})

afterAll(() => rm(directory, { recursive: true, force: true }))

/** Every check, in the order of its findings. */
const checks = [
  'node',
  'settings',
  'keys',
  'database',
  'encoding',
  'sessions',
  'migrations',
  'tables',
  'clock',
  'durability',
  'bus',
  'disk',
]

/** How a doctor ends who is asked with these settings, and what it finds. */
async function examine(settings: Record<string, string>) {
  await using program = new Program('src/main.js', ['doctor', '--json'], settings)
  const { code } = await program.exited
  const { isGood, findings } = JSON.parse(program.stdout) as { isGood: boolean; findings: Finding[] }
  expect(program.stderr).toBe('')
  // Each check says something, whatever is wrong.
  expect([...new Set(findings.map(({ check }) => check))].sort()).toEqual(checks.toSorted())
  expect([code, isGood]).toEqual(findings.some(({ state }) => state === 'wrong') ? [1, false] : [0, true])
  const of = (wanted: Finding['state']) => findings.filter(({ state }) => state === wanted)
  return {
    findings,
    wrong: of('wrong').map(({ check, sentence }) => `${check}: ${sentence}`),
    skipped: of('skipped').map(({ check }) => check),
  }
}

/** What is wrong with a database of the tests' cluster, whose fsync is off. */
async function examineAt(url: string, settings: Record<string, string> = {}) {
  const { wrong, ...found } = await examine({ DATABASE_URL: url, ...settings })
  return { ...found, wrong: wrong.filter((sentence) => !sentence.startsWith('durability: fsync')) }
}

describe('doctor finds nothing wrong', () => {
  test('with an embedded database, before there is one, while a server runs it, and after', async () => {
    const settings = { DATA_DIR: join(directory, 'embedded'), PORT: '0' }
    const before = await examine(settings)
    expect(before.wrong).toEqual([])
    expect(before.findings.find(({ check }) => check === 'database')?.sentence).toMatch(
      /^There is no database in .* yet/,
    )
    expect(await readdir(directory)).not.toContain('embedded')

    {
      await using server = new Program('src/main.js', [], settings)
      await server.prints(/Access/)
      const running = await examine(settings)
      expect([running.wrong, running.skipped]).toEqual([[], ['keys']])
      server.kill('SIGTERM')
      expect((await server.exited).code).toBe(0)
    }
    await using program = new Program('src/main.js', ['doctor'], settings)
    expect(await program.exited).toEqual({ code: 0, signal: null })
    const lines = program.stdout.trim().split('\n')
    expect(lines.map((line) => line.split(/ {2,}/).slice(0, 2))).toEqual(
      checks.map((check) => [check === 'keys' ? 'skipped' : 'good', check]),
    )
    // What it started, it has stopped.
    expect(await readdir(join(settings.DATA_DIR, 'postgres'))).not.toContain('postmaster.pid')
  })

  test.skipIf(!hasNats)('with NATS', async () => {
    await using nats = await new NatsServer().start()
    await using database = await createDatabase()
    const { wrong, findings } = await examineAt(database.url, { NATS_URL: nats.url })
    expect(wrong).toEqual([])
    expect(findings).toContainEqual({
      check: 'bus',
      state: 'good',
      sentence: `A hint went through the NATS at ${new URL(nats.url).host}.`,
    })
  })
})

describe('doctor finds', () => {
  test('a database that may lose what it has answered, whose indexes are broken, a clock that is wrong, and no NATS', async () => {
    const data = join(directory, 'volatile')
    const settings = { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' }
    await using cluster = await startEmbeddedDatabase({ directory: data, settings })
    await migrate(cluster.url, readConfig({}).pool)
    const client = new Client({ connectionString: cluster.url })
    await client.connect()
    await client.query(`drop index conversation_deleted_at_index; alter table message drop column sent_at;
      update pg_index set indisvalid = false where indexrelid = 'message_stream_expires_at_index'::regclass`)
    await client.end()
    const port = await freePort()
    const shifted = 'const now = Date.now; Date.now = () => now() + 3_600_000'
    const { wrong } = await examine({
      DATABASE_URL: cluster.url,
      NATS_URL: `nats://127.0.0.1:${port}`,
      MAX_QUERY_DEPHT: '3',
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(shifted)}`,
    })
    expect(wrong).toEqual([
      'settings: MAX_QUERY_DEPHT is no setting, and has no effect: use MAX_QUERY_DEPTH',
      'tables: A table is not as the migrations left it; run create index concurrently "conversation_deleted_at_index" on "conversation" ("deleted_at") where "deleted_at" is not null;',
      'tables: A table is not as the migrations left it; run alter table "message" add "sent_at" timestamptz(6) null;',
      'tables: The index message_stream_expires_at_index is not valid, and serves no read; run REINDEX INDEX CONCURRENTLY message_stream_expires_at_index;',
      expect.stringMatching(
        /^clock: The clock of this machine is 3[56]\d\d\.\d s ahead of the clock of the database, .*; let NTP/,
      ),
      expect.stringMatching(/^durability: fsync is off: .*; run ALTER SYSTEM SET fsync = on;/),
      expect.stringMatching(/^durability: full_page_writes is off: .*; run ALTER SYSTEM SET full_page_writes = on;/),
      expect.stringMatching(
        /^durability: synchronous_commit is off: .*; run ALTER ROLE "colloquy" SET synchronous_commit = on;/,
      ),
      expect.stringMatching(
        new RegExp(`^bus: No hint went through the NATS at 127.0.0.1:${port}: .*; start it, or correct NATS_URL`),
      ),
    ])
  })

  test('settings that no server would start with, and looks at nothing else', async () => {
    const { wrong, skipped } = await examine({ PORT: 'http', AUTH_ISSUER: 'x' })
    expect(wrong).toEqual([expect.stringMatching(/^settings: PORT: must be .*; AUTH_ISSUER, .*: set AUTH_JWKS_URL or/)])
    expect(skipped).toEqual(checks.slice(2))
  })

  test.each([
    ['keys', 200, '{"keys":[{"kty":"oct","k":"eA"}]}', []],
    ['a list without keys', 200, '{"keys":[]}', ['its list is empty']],
    ['no list of keys', 200, '{}', ['JSON Web Key Set malformed']],
    ['an error', 404, '', ['it answers 404']],
  ])('that the identity provider answers %s', async (_, status, body, reasons) => {
    const provider = createServer((_request, response) => response.writeHead(status).end(body))
    await once(provider.listen(0, '127.0.0.1'), 'listening')
    const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/keys`
    const { wrong } = await examine({ AUTH_JWKS_URL: url, DATA_DIR: join(directory, 'none') })
    provider.close()
    expect(wrong).toEqual(
      reasons.map((reason) =>
        expect.stringMatching(`^keys: No keys come from ${url}: ${reason}; correct AUTH_JWKS_URL`),
      ),
    )
  })

  test('no database', async () => {
    const { wrong, skipped } = await examine({ DATABASE_URL: 'postgresql://ada:secret@127.0.0.1:1/c' })
    expect(wrong).toEqual([
      expect.stringMatching(/^database: The database at .*ada:…@.* cannot be reached: .*start PostgreSQL/),
    ])
    expect(skipped).toEqual(['keys', ...checks.slice(4)])
  })

  test('an embedded database of which another program has the folder', async () => {
    const folder = join(directory, 'taken')
    await mkdir(join(folder, 'postgres'), { recursive: true })
    const { findings } = await examine({ DATA_DIR: folder })
    expect(findings.find(({ check }) => check === 'database')?.sentence).toMatch(/^There is no database in .* yet/)
  })

  test('migrations that wait, of which alone it speaks then', async () => {
    await using database = await createDatabase('bare')
    const { wrong, skipped } = await examineAt(database.url)
    expect(wrong).toEqual([
      expect.stringMatching(/^migrations: Migrations wait: Migration00001Conversations, .*; .* colloquy migrate up$/),
    ])
    expect(skipped).toEqual(['keys', 'tables', 'disk'])
  })

  test('another encoding, and a database that takes no writes', async () => {
    await using database = await createDatabase()
    const admin = await database.connect()
    const name = `${new URL(database.url).pathname.slice(1)}_latin`
    await admin.query(`create database ${name} encoding 'LATIN1' template template0 locale 'C' locale_provider 'libc'`)
    try {
      await admin.query(`alter database ${name} set default_transaction_read_only = on`)
      const { wrong } = await examineAt(withDatabase(database.url, name))
      expect(wrong.filter((sentence) => /^(database|encoding)/.test(sentence))).toEqual([
        expect.stringMatching(/^database: The database takes no writes: .*; set DATABASE_URL to one that does$/),
        expect.stringMatching(/^encoding: The database has the encoding LATIN1, .*ENCODING 'UTF8'/),
      ])
    } finally {
      await admin.query(`drop database ${name} with (force)`)
    }
  })

  test('a role that may not write', async () => {
    await using database = await createDatabase()
    const admin = await database.connect()
    const role = `${new URL(database.url).pathname.slice(1)}_role`
    await admin.query(`create role ${role} login; grant select on all tables in schema public to ${role}`)
    try {
      const url = new URL(database.url)
      url.username = role
      expect((await examineAt(url.href)).wrong).toEqual([
        expect.stringMatching(/^tables: The role of DATABASE_URL has no right to .*INSERT.* on conversation; GRANT it/),
      ])
    } finally {
      await admin.query(`drop owned by ${role}; drop role ${role}`)
    }
  })

  test('a pooler that drops the settings of sessions', async () => {
    await using database = await createDatabase()
    await using pooler = await DroppingPooler.before(database.url, 'drops')
    const { wrong } = await examineAt(pooler.url)
    expect(wrong).toEqual([expect.stringMatching(/^sessions: A connection pooler.* stands before .*run ALTER ROLE/)])
  })

  test.skipIf(pgbouncerVersion === null)('the same of PgBouncer, until the role has the settings', async () => {
    await using database = await createDatabase()
    await using bouncer = await PgBouncer.before(database.url, 'session')
    const settings = { DATABASE_DIRECT_URL: database.url }
    const { wrong } = await examineAt(bouncer.url, settings)
    expect(wrong).toEqual([expect.stringMatching(/^sessions: A connection pooler.* stands before .*run ALTER ROLE/)])
    const commands = wrong[0]?.match(/ALTER ROLE [^;]*;/g) ?? []
    const admin = await database.connect()
    await admin.query(commands.join(' '))
    await bouncer.reconnect()
    const mended = await examineAt(bouncer.url, settings)
    expect(mended.wrong).toEqual([])
    expect(mended.findings.find(({ check }) => check === 'sessions')?.sentence).toMatch(
      /^A connection pooler stands before/,
    )
  })

  test('a disk with too little room', async () => {
    const { good, wrong } = await checkDisk(join(directory, 'not/there/yet'), 0)
    expect([good, wrong]).toEqual([expect.stringMatching(/^\d+\.\d GiB are free on the disk of /), []])
    expect((await checkDisk(directory, 2 ** 60)).wrong).toEqual([
      expect.stringMatching(/^Only \d+\.\d GiB are free on the disk of .*; make room, or set DATA_DIR$/),
    ])
  })
})
