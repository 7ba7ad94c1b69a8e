import { Pool } from 'pg'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { Store } from '../../src/storage/postgres/store.ts'
import { StreamWriter } from '../../src/storage/stream/stream-writer.ts'
import { useBed } from '../support/bed.ts'
import { recordStatements } from '../support/statements.ts'

const bed = useBed()

const start =
  'mutation ($id: ID!) { startMessage(input: { conversationId: $id, ifMissing: CREATE }) { attempt message { id } } }'
const textOf = 'query ($id: ID!) { node(id: $id) { ... on Message { content nextChunk } } }'

/** Writes five chunks to each of twenty messages, and answers the statements that store them. */
async function write(name: string, spreads: boolean) {
  const ada = bed.server.as()
  const starts = Array.from({ length: 20 }, (_, n) => ada.get(start, { id: `${name} ${n}` }))
  const ids = (await Promise.all(starts)).map(({ startMessage }) => startMessage.message.id)
  const client = await bed.database.connect()
  const { rows } = await client.query('select key, epoch::float from conversation where id like $1', [`${name} %`])
  const pool = new Pool({ connectionString: bed.database.url })
  const store = { pool, spreads, transactionMs: 60_000, announce: () => {}, log: pino({ level: 'silent' }) } as unknown as Store
  const chunk = (place: { key: string; epoch: number }, number: number, text: string) => {
    return { userId: 'ada', place: { ...place, seq: 1 }, attempt: 1, number, text, data: undefined, size: text.length }
  }
  const sent = await recordStatements(bed.database, async () => {
    await using writer = new StreamWriter(store, 1_000, 300)
    await Promise.all(rows.map((row) => writer.add(chunk(row, 0, 'a'))))
    await Promise.all(rows.flatMap((row) => [1, 2, 3].map((number) => writer.accept(chunk(row, number, 'b')))))
    await Promise.all(rows.map((row) => writer.add(chunk(row, 4, 'c'))))
  })
  await pool.end()
  for (const id of ids) {
    expect((await ada.get(textOf, { id })).node).toEqual({ content: 'abbbc', nextChunk: 5 })
  }
  return sent
}

test('the text of many messages is stored by one statement a window', async () => {
  const sent = await write('many', false)
  // One begins at once. If the machine stands still, there are more windows. Each chunk by itself would be a hundred.
  expect(sent.length).toBeLessThanOrEqual(20)
})

test('where the database spreads conversations, the text of each message is stored by itself', async () => {
  const sent = await write('spread', true)
  const names = new Set(sent.map((statement) => statement.name))
  expect(names).toEqual(new Set([undefined, 'stream-lock-text', 'stream-insert', 'stream-move']))
})
