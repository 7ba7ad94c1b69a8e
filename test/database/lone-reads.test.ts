import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { openOrm } from '../../src/database/orm.ts'
import { LoneReads } from '../../src/database/reads/lone-reads.ts'
import { NobodyWaits } from '../../src/facts.ts'
import { AnswerBudget, AnswerMemory } from '../../src/storage/postgres/answer-budget.ts'
import { query, type Statement } from '../../src/storage/postgres/statement.ts'
import { createDatabase, type TestDatabase } from '../support/database/database.ts'
import { engine } from '../support/database/engine.ts'
import { recordStatements } from '../support/database/statements.ts'
import { untilWaiting } from '../support/database/until-waiting.ts'
import { TcpProxy } from '../support/network/tcp-proxy.ts'
import { patient } from '../support/patient.ts'
import { until } from '../support/until.ts'

/** Waits for the test to let it go. */
const held: Statement<'user'> = {
  name: 'held',
  kind: 'user',
  text: 'select pg_backend_pid(), pg_advisory_xact_lock_shared($1)::text',
}
const pid: Statement<'user'> = { name: 'pid', kind: 'user', text: 'select pg_backend_pid()' }

let database: TestDatabase
let login: string
let postgres: { path: string } | { url: string }
beforeAll(async () => {
  database = await createDatabase()
  const { host, port, ...who } = new Client({ connectionString: database.url })
  login = `${who.user}:${who.password ?? ''}`
  postgres = host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { url: `http://${host}:${port}` }
})
afterAll(() => database[Symbol.asyncDispose]())

/** A pool of one connection, through a proxy, and a session that holds what `held` waits for. */
async function open() {
  const proxy = await TcpProxy.before(postgres)
  const url = `postgresql://${login}@${new URL(proxy.url).host}${new URL(database.url).pathname}`
  const orm = await openOrm(url, engine, { ...readConfig(patient).pool, size: 1 }, () => {})
  const reads = new LoneReads(orm.pool, 60_000)
  const holder = await database.connect()
  await holder.query('select pg_advisory_lock(1)')
  const [[first] = []] = await query(reads, pid, [])
  return {
    proxy,
    pool: orm.pool,
    reads,
    first,
    letGo: () => holder.query('select pg_advisory_unlock_all()'),
    async [Symbol.asyncDispose]() {
      await holder.query('select pg_advisory_unlock_all()')
      await orm[Symbol.asyncDispose]()
      await proxy[Symbol.asyncDispose]()
    },
  }
}

const oneQuery = () => new AnswerBudget(new AnswerMemory(1), 1, 1, true)

test('a read for which nobody waits is cancelled, and its connection is used again', async () => {
  await using bed = await open()
  const budget = oneQuery()
  const read = query(bed.reads, held, [1], budget)
  await untilWaiting(database)
  budget[Symbol.dispose]()
  await expect(read).rejects.toThrow(NobodyWaits)
  expect(await query(bed.reads, pid, [], oneQuery())).toEqual([[bed.first]])
})

/** A read that is cancelled, and the request to cancel it, which has come to no PostgreSQL. */
async function cancelElsewhere(bed: Awaited<ReturnType<typeof open>>) {
  const requests: Socket[] = []
  const elsewhere = createServer((socket) => void requests.push(socket.on('error', () => {})))
  await once(elsewhere.listen(0, '127.0.0.1'), 'listening')
  const budget = oneQuery()
  const read = query(bed.reads, held, [1], budget)
  await untilWaiting(database)
  bed.proxy.aim({ url: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}` })
  budget[Symbol.dispose]()
  await until(() => requests.length === 1)
  elsewhere.close()
  bed.proxy.aim(postgres)
  return { read, request: requests[0] as Socket }
}

test('the connection serves nobody until the request to cancel is through, also if the read has ended', async () => {
  await using bed = await open()
  const { read, request } = await cancelElsewhere(bed)
  await bed.letGo()
  expect(await read).toEqual([[bed.first, '']])
  const next = query(bed.reads, pid, [])
  expect([bed.pool.idleCount, bed.pool.waitingCount]).toEqual([0, 1])
  request.end()
  expect(await next).toEqual([[bed.first]])
})

test('a connection leaves the pool if nobody knows whether a request to cancel may still come', async () => {
  await using bed = await open()
  const { read, request } = await cancelElsewhere(bed)
  request.resetAndDestroy()
  await bed.letGo()
  expect(await read).toEqual([[bed.first, '']])
  const [[second] = []] = await query(bed.reads, pid, [])
  expect(second).not.toBe(bed.first)
})

test('what waits for a connection does not begin once nobody waits for it', async () => {
  await using bed = await open()
  const sent = await recordStatements(database, async () => {
    const read = query(bed.reads, held, [1], oneQuery())
    const budget = oneQuery()
    const waiting = query(bed.reads, pid, [], budget)
    await untilWaiting(database)
    budget[Symbol.dispose]()
    await bed.letGo()
    await expect(waiting).rejects.toThrow(NobodyWaits)
    await read
  })
  expect(sent.filter(({ name }) => name !== undefined).map(({ name }) => name)).toEqual(['held'])
})
