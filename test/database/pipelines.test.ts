import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { type Orm, openOrm } from '../../src/database/orm.ts'
import { Pipelines } from '../../src/database/reads/pipelines.ts'
import { TooManyWait } from '../../src/facts.ts'
import { query, type Runner, type Statement } from '../../src/storage/postgres/statement.ts'
import { blocked } from '../support/database/blocked.ts'
import { createDatabase, type TestDatabase } from '../support/database/database.ts'
import { engine } from '../support/database/engine.ts'
import { isLong } from '../support/long.ts'
import { TcpProxy } from '../support/network/tcp-proxy.ts'
import { until } from '../support/until.ts'

const echo: Statement<'user'> = {
  name: 'echo',
  kind: 'user',
  text: "select $1::int, repeat(chr(97 + $1 % 26), $1 % 7), 'x' from pg_sleep($2)",
}
const divide: Statement<'user'> = { name: 'divide', kind: 'user', text: 'select 100 / $1::int' }

const terminate = `select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and application_name = 'colloquy reads'`

const { pool: limits } = readConfig({})

let database: TestDatabase
let direct: Orm
let login: string
let postgres: { path: string } | { url: string }
beforeAll(async () => {
  database = await createDatabase()
  direct = await openOrm(database.url, engine, limits, () => {})
  const { host, port, ...who } = new Client({ connectionString: database.url })
  login = `${who.user}:${who.password ?? ''}`
  postgres = host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { url: `http://${host}:${port}` }
})
afterAll(async () => {
  await direct[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})

interface Bed extends AsyncDisposable {
  readonly pipelines: Pipelines
  readonly proxy: TcpProxy
  /** What was asked on the pool so far: by the names of the statements. */
  readonly onPool: string[]
}

/** Pipelines through a proxy, beside a pool that goes to PostgreSQL itself. */
async function open(more: Partial<typeof limits> = {}): Promise<Bed> {
  const proxy = await TcpProxy.before(postgres)
  const onPool: string[] = []
  const pool = Object.create(direct.pool, {
    query: {
      value: (config: { name: string }) => {
        onPool.push(config.name)
        return direct.pool.query(config as never)
      },
    },
  })
  const url = `postgresql://${login}@${new URL(proxy.url).host}${new URL(database.url).pathname}`
  const pipelines = new Pipelines(url, engine, { ...limits, pipelines: 1, ...more }, pool, () => {})
  await pipelines.open()
  return {
    pipelines,
    proxy,
    onPool,
    async [Symbol.asyncDispose]() {
      await pipelines[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
    },
  }
}

/** Asks about a number; the answer, if it is its own, is the number. */
async function ask(on: Runner, number: number, seconds = 0): Promise<number> {
  const rows = await query(on, echo, [number, seconds])
  expect(rows).toEqual([[number, String.fromCharCode(97 + (number % 26)).repeat(number % 7), 'x']])
  return number
}

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n)

test('a thousand at once over two connections: each gets its own answer, and nothing goes to the pool', async () => {
  await using bed = await open({ pipelines: 2 })
  expect(bed.proxy.size).toBe(2)
  const asked = numbers(1_000)
  expect(await Promise.all(asked.map((n) => ask(bed.pipelines, n)))).toEqual(asked)
  expect(bed.onPool).toEqual([])
})

test('one that PostgreSQL refuses gets its error, and those before and behind it their answers', async () => {
  await using bed = await open()
  const before = numbers(5).map((n) => ask(bed.pipelines, n))
  const refused = query(bed.pipelines, divide, [0])
  const behind = numbers(5).map((n) => ask(bed.pipelines, n))
  await expect(refused).rejects.toMatchObject({ code: '22012' })
  expect(await Promise.all([...before, ...behind])).toEqual([...numbers(5), ...numbers(5)])
  expect(bed.proxy.size).toBe(1)
})

test('cut anywhere in the answers: each gets its own answer, and nothing is lost', async () => {
  await using bed = await open()
  let cuts = 0
  const step = isLong ? 3 : 7
  for (let bytes = 0; ; bytes += step) {
    await bed.pipelines.open()
    bed.onPool.length = 0
    bed.proxy.cutAfter(bytes)
    const refused = query(bed.pipelines, divide, [0])
    const answers = numbers(4).map((n) => ask(bed.pipelines, bytes * 10 + n))
    await expect(refused).rejects.toMatchObject({ code: '22012' })
    expect(await Promise.all(answers)).toEqual(numbers(4).map((n) => bytes * 10 + n))
    // The refused one is asked again in any case.
    if (bed.onPool.length === 1) break
    expect(bed.onPool.length).toBeLessThanOrEqual(5)
    await until(() => bed.proxy.size === 0)
    cuts += 1
  }
  // It reached the end of all answers, beyond what the first ones of a connection say about their columns.
  expect(cuts).toBeGreaterThan(600 / step)
})

test.each(['reset', 'ended by PostgreSQL'])('%s while statements are under way: the same', async (how) => {
  await using bed = await open({ pipelines: 2 })
  const client = await database.connect()
  for (let round = 0; round < 30; round++) {
    await bed.pipelines.open()
    const asked = numbers(50)
    const answers = asked.map((n) => ask(bed.pipelines, n))
    await Promise.race(answers)
    if (how === 'reset') bed.proxy.cut(0.7)
    else await client.query(terminate)
    expect(await Promise.all(answers)).toEqual(asked)
  }
})

test('a connection that is lost without a word is given up, and its statements are answered elsewhere', async () => {
  await using bed = await open({ statementMs: 100 })
  await ask(bed.pipelines, 1)
  bed.onPool.length = 0
  bed.proxy.drop()
  expect(await Promise.all(numbers(10).map((n) => ask(bed.pipelines, n)))).toEqual(numbers(10))
  expect(bed.onPool).toHaveLength(10)
})

test('a statement that needs longer is asked again on the pool, and those behind it are not', async () => {
  await using bed = await open()
  const slow = ask(bed.pipelines, 1, 1.5)
  const behind = numbers(10).map((n) => ask(bed.pipelines, n))
  expect(await Promise.all(behind)).toEqual(numbers(10))
  expect(await slow).toBe(1)
  expect(bed.onPool).toEqual(['echo'])
})

test('while there is no connection the pool answers, and afterwards the pipelines do again', async () => {
  await using bed = await open()
  bed.proxy.aim({ url: 'http://127.0.0.1:1' })
  bed.proxy.cut()
  expect(await Promise.all(numbers(100).map((n) => ask(bed.pipelines, n)))).toEqual(numbers(100))
  expect(bed.onPool).toHaveLength(100)
  bed.proxy.aim(postgres)
  await until(async () => {
    await ask(bed.pipelines, 1)
    return bed.proxy.size === 1
  })
  await bed.pipelines.open()
  bed.onPool.length = 0
  await ask(bed.pipelines, 1)
  expect(bed.onPool).toEqual([])
})

describe('statements that wait', () => {
  const lock = 'select pg_advisory_xact_lock(1)'
  /** Waits for whoever holds the lock. */
  const wait: Statement<'user'> = {
    name: 'wait',
    kind: 'user',
    text: 'select $1::int from pg_advisory_xact_lock_shared(1)',
  }

  test('are limited: the one too many is refused, and the others are answered', async () => {
    await using bed = await open()
    const client = await database.connect()
    await client.query('begin')
    await client.query(lock)
    const asked = numbers(10_032).map((n) => query(bed.pipelines, wait, [n]))
    await expect(query(bed.pipelines, wait, [0])).rejects.toThrow(TooManyWait)
    await blocked(client)
    await client.query('commit')
    expect((await Promise.all(asked)).map((rows) => rows[0]?.[0])).toEqual(numbers(10_032))
  })

  test('longer than POOL_TIMEOUT_MS are refused, and what came later is answered', async () => {
    // A statement is ended after a second, and then there is room for the one that waits.
    await using bed = await open({ waitMs: 900 })
    const client = await database.connect()
    await client.query('begin')
    await client.query(lock)
    const line = numbers(32).map((n) => query(bed.pipelines, wait, [n]))
    await expect(ask(bed.pipelines, 1)).rejects.toThrow(TooManyWait)
    const later = ask(bed.pipelines, 2)
    await client.query('commit')
    expect(await later).toBe(2)
    expect(await Promise.all(line)).toEqual(numbers(32).map((n) => [[n]]))
  })

  test('and those under way fail when the pipelines end, and nothing is left open', async () => {
    const client = await database.connect()
    await client.query('begin')
    await client.query(lock)
    let proxy: TcpProxy
    const outcomes: Promise<PromiseSettledResult<unknown>[]>[] = []
    {
      await using bed = await open()
      proxy = bed.proxy
      outcomes.push(Promise.allSettled(numbers(100).map((n) => query(bed.pipelines, wait, [n]))))
      await blocked(client)
    }
    for (const { status } of (await Promise.all(outcomes)).flat()) expect(status).toBe('rejected')
    expect(proxy.size).toBe(0)
    await client.query('commit')
  })
})
