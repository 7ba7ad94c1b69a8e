import { Pool } from 'pg'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { Store } from '../../src/storage/postgres/store.ts'
import { StreamWriter } from '../../src/storage/stream/stream-writer.ts'
import { useBed } from '../support/bed.ts'
import { engine } from '../support/database/engine.ts'
import { recordStatements } from '../support/database/statements.ts'

const bed = useBed()

const start =
  'mutation ($id: ID!) { startMessage(input: { conversationId: $id, ifMissing: CREATE }) { attempt message { id } } }'
const textOf = 'query ($id: ID!) { node(id: $id) { ... on Message { content nextChunk } } }'

/** Twenty messages that stream, and a writer on four connections. */
async function begin(name: string, spreads: boolean) {
  const ada = bed.server.as()
  const starts = Array.from({ length: 20 }, (_, n) => ada.get(start, { id: `${name} ${n}` }))
  const ids = (await Promise.all(starts)).map(({ startMessage }) => startMessage.message.id)
  const client = await bed.database.connect()
  const { rows } = await client.query('select key, epoch from conversation where id like $1', [`${name} %`])
  const pool = new Pool({ connectionString: bed.database.url, max: 4 })
  const log = pino({ level: 'silent' })
  const store = { pool, spreads, transactionMs: 60_000, quotas: { bytes: null }, announce: () => {}, log }
  const writer = new StreamWriter(store as unknown as Store, 1_000, 300, 60_000)
  const to = ({ key, epoch }: { key: string; epoch: string }, number: number, text: string) => {
    return {
      userId: 'ada',
      place: { key, epoch: Number(epoch), seq: 1 },
      attempt: 1,
      number,
      text,
      data: undefined,
      size: text.length,
    }
  }
  return {
    pool,
    keys: rows.map(({ key }) => key as string),
    /** Stored when it settles. */
    write: (number: number, text: string) => Promise.all(rows.map((row) => writer.add(to(row, number, text)))),
    /** Accepted when it settles. */
    accept: (number: number, text: string) => Promise.all(rows.map((row) => writer.accept(to(row, number, text)))),
    read: () => Promise.all(ids.map(async (id) => (await ada.get(textOf, { id })).node)),
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]()
      await pool.end()
    },
  }
}

/** The statements that store five chunks for each message. */
async function storeFive({ write, accept, read }: Awaited<ReturnType<typeof begin>>) {
  const sent = await recordStatements(bed.database, async () => {
    await write(0, 'a')
    await Promise.all([1, 2, 3].map((number) => accept(number, 'b')))
    await write(4, 'c')
  })
  for (const message of await read()) expect(message).toEqual({ content: 'abbbc', nextChunk: 5 })
  return sent
}

test('the text of many messages is stored by one statement a window', async ({ skip }) => {
  skip(engine.spreads, 'Citus takes no statement about many conversations, and is sent none')
  await using streams = await begin('many', false)
  // One begins at once. If the machine stands still, there are more windows. Each chunk by itself would be a hundred.
  expect((await storeFive(streams)).length).toBeLessThanOrEqual(20)
})

test('where the database spreads conversations, the text of each message is stored by itself', async () => {
  await using streams = await begin('spread', true)
  const names = new Set((await storeFive(streams)).map(({ name }) => name))
  expect(names).toEqual(new Set([undefined, 'stream-lock-text', 'stream-insert', 'stream-move']))
})

test('text of messages that somebody holds leaves half of the connections to others', async () => {
  await using streams = await begin('held', true)
  const holder = await bed.database.connect()
  await holder.query('begin')
  const lock = 'select from message_stream where conversation_key = $1 for update'
  for (const key of streams.keys) await holder.query(lock, [key])
  const written = streams.write(0, 'a')
  await expect.poll(() => streams.pool.totalCount - streams.pool.idleCount).toBe(2)
  await Promise.all([1, 2].map(() => streams.pool.query('select pg_sleep(0)')))
  expect(streams.pool.waitingCount).toBe(0)
  await holder.query('commit')
  expect((await written).map(({ storedChunks }) => storedChunks)).toEqual(Array(20).fill(1))
})
