import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../../src/database/embedded/embedded.ts'
import { findBinaries } from '../../src/database/embedded/embedded-binaries.ts'
import { isLong } from '../support/long.ts'

let directory: string

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'embedded-')))
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

describe('the embedded database', () => {
  test('starts in a folder that does not exist yet, which only its user may enter', async () => {
    const below = join(directory, 'a', 'data')
    await using database = await start(below)
    expect(await answer(database.url, 'select current_database() as it')).toBe('colloquy')
    for (const path of [below, join(below, 'postgres')]) expect((await stat(path)).mode & 0o777).toBe(0o700)
    expect(await answer(database.url, `select current_setting('listen_addresses') as it`)).toBe('')
  })

  test('keeps its data from one start to the next', async () => {
    {
      await using database = await start()
      await answer(database.url, 'create table kept as select 42 as it')
    }
    await using database = await start()
    expect(await answer(database.url, 'select it from kept')).toBe(42)
  })

  test('is gone when it is disposed, with its socket', async () => {
    const database = await start()
    const pid = await postmasterPid()
    await database[Symbol.asyncDispose]()
    expect(isRunning(pid)).toBe(false)
    expect(
      (await readdir(join(directory, 'postgres'))).filter((name) => /s\.PGSQL|postmaster\.pid/.test(name)),
    ).toEqual([])
  })

  test('is reached through a short private folder when the path is too long for a socket, and removes it', async () => {
    const long = join(directory, 'x'.repeat(100), 'with "quotes", and spaces')
    let folder: string
    {
      await using database = await start(long)
      folder = decodeURIComponent(new URL(database.url).hostname)
      expect(await answer(database.url, 'select 1 as it')).toBe(1)
      expect((await stat(folder)).mode & 0o777).toBe(0o700)
    }
    await expect(stat(folder)).rejects.toThrow('ENOENT')
  })

  test('is refused, with the holder named, while another server has it', async () => {
    await using _database = await start()
    await expect(start()).rejects.toThrow(`${directory} is in use by another server (process ${process.pid})`)
  })

  test.skipIf(!isLong)('goes to one of three servers that start at once in an empty folder', async () => {
    const starts = await Promise.allSettled([start(), start(), start()])
    const errors = starts.flatMap((it) => (it.status === 'rejected' ? [String(it.reason)] : []))
    const databases = starts.flatMap((it) => (it.status === 'fulfilled' ? [it.value] : []))
    for (const database of databases) await database[Symbol.asyncDispose]()
    expect(databases).toHaveLength(1)
    expect(errors).toEqual(Array(2).fill(expect.stringContaining('in use by another server')))
    expect((await readdir(directory)).sort()).toEqual(['postgres', 'postgres.log'])
  })

  // With a whole server, lifecycle.test.ts shows the same.
  test.skipIf(!isLong)('is adopted as it runs when its server was killed', async () => {
    const owner = await startOwner()
    const pid = await postmasterPid()
    await kill(owner)
    {
      await using database = await start()
      expect(await postmasterPid()).toBe(pid)
      expect(await answer(database.url, 'select 1 as it')).toBe(1)
    }
    expect(isRunning(pid)).toBe(false)
  })

  test('starts anew after a crash, also when its pid belongs to another program by now', async () => {
    const owner = await startOwner()
    const path = join(directory, 'postgres', 'postmaster.pid')
    process.kill(await postmasterPid(), 'SIGKILL')
    await kill(owner)
    await writeFile(path, (await readFile(path, 'utf8')).replace(/^\d+/, String(process.ppid)))
    await using database = await start()
    expect(await postmasterPid()).not.toBe(process.ppid)
    expect(await answer(database.url, 'select 1 as it')).toBe(1)
  })

  test('starts after an initdb that was killed half way, and clears its leftovers', async () => {
    const gone = await startOwner()
    await kill(gone)
    await (await start())[Symbol.asyncDispose]()
    await rm(join(directory, 'postgres'), { recursive: true })
    await mkdir(join(directory, `postgres.init-${gone.pid}-00000000`, 'base'), { recursive: true })
    await using database = await start()
    expect(await answer(database.url, 'select 1 as it')).toBe(1)
    expect((await readdir(directory)).sort()).toEqual(['postgres', 'postgres.log'])
  })

  test('says so when PostgreSQL is lost while serving', async () => {
    const lost = Promise.withResolvers<Error>()
    await using _database = await startEmbeddedDatabase({ directory, settings: { fsync: 'off' }, onLost: lost.resolve })
    process.kill(await postmasterPid(), 'SIGKILL')
    expect((await lost.promise).message).toMatch(/^PostgreSQL stopped/)
  })

  test('survives the loss of its own session, and stays refused to others', async () => {
    const lost: Error[] = []
    await using database = await startEmbeddedDatabase({
      directory,
      settings: { fsync: 'off' },
      onLost: (error) => lost.push(error),
    })
    const holders = `from pg_locks where locktype = 'advisory'`
    const former = await answer(database.url, `select pid as it ${holders}`)
    await answer(database.url, `select pg_terminate_backend(pid, 5000) as it ${holders}`)
    await expect.poll(() => answer(database.url, `select pid as it ${holders}`)).toEqual(expect.any(Number))
    expect(await answer(database.url, `select pid as it ${holders}`)).not.toBe(former)
    await expect(start()).rejects.toThrow('in use by another server')
    expect(lost).toEqual([])
  })
})

describe('the embedded database refuses', () => {
  test('a cluster of another major version', async () => {
    await mkdir(join(directory, 'postgres'))
    await writeFile(join(directory, 'postgres', 'PG_VERSION'), '15\n')
    await expect(start()).rejects.toThrow(
      /written by PostgreSQL 15, and this is PostgreSQL \d+: .* or set DATABASE_URL/,
    )
  })

  test('a folder with something else in it', async () => {
    await mkdir(join(directory, 'postgres'))
    await writeFile(join(directory, 'postgres', 'letter.txt'), 'dear')
    await expect(start()).rejects.toThrow('is not empty and holds no PostgreSQL cluster')
  })

  test('a folder that cannot be made', async () => {
    await writeFile(join(directory, 'file'), '')
    await expect(start(join(directory, 'file', 'data'))).rejects.toThrow(
      /cannot hold a database: ENOTDIR.*set DATA_DIR/,
    )
  })

  test('settings that PostgreSQL refuses, with its own words', async () => {
    await expect(startEmbeddedDatabase({ directory, settings: { shared_buffers: 'much' } })).rejects.toThrow(
      'PostgreSQL did not start: FATAL:  invalid value for parameter "shared_buffers": "much"',
    )
  })

  test('a platform without binaries, and names the way out', async () => {
    await expect(findBinaries('plan9-mips')).rejects.toThrow(/no embedded PostgreSQL for plan9-mips: set DATABASE_URL/)
  })
})

function start(path = directory): Promise<EmbeddedDatabase> {
  return startEmbeddedDatabase({ directory: path, settings: { fsync: 'off' } })
}

/** Another process that owns the database. */
async function startOwner(): Promise<ChildProcess> {
  const script = new URL('../support/database/database-owner.ts', import.meta.url)
  const owner = fork(script, [directory], { execArgv: ['--import', '@oxc-node/core/register'] })
  await once(owner, 'message')
  return owner
}

async function kill(process: ChildProcess): Promise<void> {
  process.kill('SIGKILL')
  await once(process, 'exit')
}

async function postmasterPid(): Promise<number> {
  return Number.parseInt(await readFile(join(directory, 'postgres', 'postmaster.pid'), 'utf8'), 10)
}

/** A zombie, whom the parent of orphans has not collected yet, does not run. */
function isRunning(pid: number): boolean {
  return /^[^Z]/.test(spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim())
}

/** The column `it` of a statement's first row. */
async function answer(url: string, statement: string): Promise<unknown> {
  const client = new Client(url)
  await client.connect()
  try {
    const { rows } = await client.query<{ it: unknown }>(statement)
    return rows[0]?.it
  } finally {
    await client.end()
  }
}
