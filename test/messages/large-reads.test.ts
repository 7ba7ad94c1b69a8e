import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { type Orm, openOrm } from '../../src/database/orm.ts'
import { Pipelines } from '../../src/database/reads/pipelines.ts'
import { AnswerTooLarge } from '../../src/facts.ts'
import { readMessagesAt } from '../../src/storage/message/message.ts'
import { type PageRequest, readPages } from '../../src/storage/message/message-page.ts'
import { AnswerBudget, AnswerMemory } from '../../src/storage/postgres/answer-budget.ts'
import type { Row, Runner } from '../../src/storage/postgres/statement.ts'
import type { Store } from '../../src/storage/postgres/store.ts'
import { createDatabase, type TestDatabase } from '../support/database/database.ts'
import { engine } from '../support/database/engine.ts'
import { storeOf } from '../support/database/store.ts'

const { pool: settings } = readConfig({})
const [large, small, other] = [randomUUID(), randomUUID(), randomUUID()]
const megabyte = 1_000_000
/** What a message counts beside its content. */
const more = 256

let database: TestDatabase
let orm: Orm
let pipelines: Pipelines
let store: Store
/** The bytes of the answers that came over the pipelines, and of those that came over the pool. */
const came = { reads: [] as number[], pool: [] as number[] }

beforeAll(async () => {
  database = await createDatabase()
  orm = await openOrm(database.url, engine, settings, () => {})
  pipelines = new Pipelines(database.url, engine, settings, orm.pool, () => {})
  await pipelines.open()
  store = { ...storeOf(orm), lone: watched(orm.pool, came.pool), reads: watched(pipelines, came.reads) }
  await fill(large, 20, megabyte)
  await fill(small, 60, 100)
  await fill(other, 20, megabyte)
})
afterAll(async () => {
  await pipelines[Symbol.asyncDispose]()
  await orm[Symbol.asyncDispose]()
  await database[Symbol.asyncDispose]()
})
beforeEach(() => {
  came.reads.length = 0
  came.pool.length = 0
})

function watched(on: Runner, bytes: number[]): Runner {
  const sizeOf = (row: Row) => row.reduce<number>((sum, value) => sum + String(value ?? '').length, 0)
  return {
    async query(config) {
      const answer = await on.query(config)
      bytes.push(answer.rows.reduce((sum, row) => sum + sizeOf(row), 0))
      return answer
    },
  }
}

async function fill(key: string, count: number, bytes: number): Promise<void> {
  const insert = `insert into conversation (key, epoch, user_id, id, metadata, last_seq, revision, changed_revision,
    created_at, updated_at) values ($1, 1, 'ada', $2, '{}', $3, 1, 1, now(), now())`
  await orm.pool.query(insert, [key, key, count])
  // Text that does not compress.
  const append = `insert into message (conversation_key, seq, role, content, metadata, size, status, created_at, updated_at)
    select $1, n, 'USER', substr(repeat(md5(n::text), $3 / 32 + 1), 1, $3), '{}', $3, 'COMPLETE', now(), now()
    from generate_series(1, $2) n`
  await orm.pool.query(append, [key, count, bytes])
}

const last50 = (key: string): PageRequest => {
  return { key, epoch: 1, ownerId: 'ada', after: 0, before: null, count: 50, fromEnd: true, columns: 'all' }
}
const budget = (limit: number) => new AnswerBudget(new AnswerMemory(Number.MAX_SAFE_INTEGER), limit)

/** The seqs on each page. */
async function read(limit: number, ...requests: PageRequest[]): Promise<(number[] | undefined)[]> {
  const pages = await readPages(store, budget(limit), 'ada', requests)
  // What has no room may come without its content. No reader may see that.
  for (const message of pages.flatMap((page) => page?.messages ?? [])) expect(message.content).not.toBeNull()
  return pages.map((page) => page?.messages.map(({ seq }) => seq))
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n)

test('one reader of 16 MB beside many small ones: nobody stands behind the large answer', async () => {
  const limit = 16 * 1024 * 1024
  const answers = await Promise.all([
    read(limit, last50(large)),
    ...range(1, 200).map(() => read(limit, last50(small))),
  ])
  expect(answers.shift()).toEqual([range(5, 20)])
  for (const answer of answers) expect(answer).toEqual([range(11, 60)])
  expect(came.pool).toHaveLength(1)
  expect(came.pool[0]).toBeGreaterThan(16 * megabyte)
  expect(came.reads).toHaveLength(201)
  expect(Math.max(...came.reads)).toBeLessThan(256 * 1024)
})

test('one large message is read, without crossing the pipelines', async () => {
  const [message] = await readMessagesAt(store, budget(1_000), 'ada', [{ key: large, epoch: 1, seq: 3 }])
  expect(message?.content).toHaveLength(megabyte)
  expect(Math.max(...came.reads)).toBeLessThan(1_000)
})

describe('of several pages', () => {
  test('those that need little leave the rest to the others', async () => {
    const limit = 8 * (megabyte + more) + 60 * (100 + more)
    expect(await read(limit, last50(large), last50(small), last50(other))).toEqual([
      range(17, 20),
      range(11, 60),
      range(17, 20),
    ])
  })

  test('each has one message at least, and those that were read whole become shorter for it', async () => {
    const limit = 2 * (megabyte + more) + 10 * (100 + more)
    expect(await read(limit, last50(large), last50(small), last50(other))).toEqual([[20], range(57, 60), [20]])
  })

  test('the first messages that do not fit together are AnswerTooLarge', async () => {
    const limit = 2 * (megabyte + more) - 1
    await expect(read(limit, last50(large), last50(other))).rejects.toEqual(new AnswerTooLarge(limit, limit + 1))
  })
})

describe('of several messages', () => {
  const place = (key: string, seq: number) => ({ key, epoch: 1, seq })

  test('all are read when they fit, however they lie in conversations', async () => {
    const places = [...range(1, 5).map((seq) => place(large, seq)), place(other, 1), place(small, 1)]
    const limit = 6 * (megabyte + more) + 100 + more
    const found = await readMessagesAt(store, budget(limit), 'ada', places)
    expect(found.map((message) => message?.seq)).toEqual([1, 2, 3, 4, 5, 1, 1])
    for (const message of found.slice(0, 6)) expect(message?.content).toHaveLength(megabyte)
  })

  test('one byte too many is AnswerTooLarge', async () => {
    const limit = 3 * (megabyte + more) - 1
    const places = [place(large, 1), place(large, 2), place(other, 1)]
    await expect(readMessagesAt(store, budget(limit), 'ada', places)).rejects.toBeInstanceOf(AnswerTooLarge)
  })
})
