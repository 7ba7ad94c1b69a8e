import { expect, test } from 'vitest'
import { columns, type SqlType } from '../../src/storage/message/message-columns.ts'
import { createDatabase } from '../support/database/database.ts'

/** The types that PostgreSQL calls by another name, or holds more exactly. */
const fullNames: Partial<Record<SqlType, string>> = { int: 'integer', timestamptz: 'timestamp(6) with time zone' }

test("the table of columns is the database's table of messages, with its key besides", async () => {
  await using database = await createDatabase()
  const client = await database.connect()
  const { rows } = await client.query(`
    select attname as name, format_type(atttypid, atttypmod) as type from pg_attribute
    where attrelid = 'message'::regclass and attnum > 0 and not attisdropped`)
  const written = columns.map(({ name, type }) => [name, fullNames[type] ?? type])
  expect(Object.fromEntries(rows.map(({ name, type }) => [name, type]))).toEqual({
    conversation_key: 'uuid',
    ...Object.fromEntries(written),
  })
})
