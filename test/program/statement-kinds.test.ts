import { globSync } from 'node:fs'
import { resolve } from 'node:path'
import { loadModule } from 'libpg-query'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { Statement, StatementKind } from '../../src/storage/postgres/statement.ts'
import { useBed } from '../support/bed.ts'
import { createDatabase } from '../support/database/database.ts'
import { findFaults, type Volatility } from '../support/database/statement-rules.ts'
import { useTransfers } from '../support/program/transfer.ts'

/** Statements that are made while a server runs, by name, as they were sent. */
const sent = vi.hoisted(() => new Map<string, unknown>())

vi.mock('../../src/storage/postgres/statement.ts', async (original) => {
  const module = await original<typeof import('../../src/storage/postgres/statement.ts')>()
  const noting =
    <Given extends unknown[], Answer>(run: (on: never, statement: never, ...given: Given) => Answer) =>
    (on: unknown, statement: { name: string }, ...given: Given) => {
      sent.set(statement.name, statement)
      return run(on as never, statement as never, ...given)
    }
  return { ...module, query: noting(module.query), queryKey: noting(module.queryKey) }
})

const bed = useBed()
const transfers = useTransfers()
let volatility: Volatility
const statements = new Map<string, Statement>()

beforeAll(async () => {
  await loadModule()
  const client = await bed.database.connect()
  const { rows } = await client.query(
    `select proname as name, array_agg(pronargs::int) as args, array_agg(provolatile::text) as kinds,
       array_agg(provariadic <> 0) as variadic from pg_proc
     where pronamespace = 'pg_catalog'::regnamespace and 'timetz'::regtype <> all(proargtypes::oid[]) group by 1`,
  )
  const functions = new Map(rows.map((row) => [row.name, row]))
  volatility = (name, args) => {
    const found = functions.get(name)
    const kinds = (found?.kinds ?? []).filter((_: string, n: number) => found.variadic[n] || found.args[n] >= args)
    return kinds.includes('v') ? 'v' : kinds.includes('s') ? 's' : 'i'
  }
  for (const file of globSync('src/{storage,transfer}/**/*.ts'))
    collect((await import(/* @vite-ignore */ `${resolve(file)}?whole`)).whole)
  await useEverything()
  collect(Object.fromEntries(sent))
})

/** Statements may lie in records and lists. */
function collect(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  const { name, text } = value as Record<string, unknown>
  if (typeof name === 'string' && typeof text === 'string') statements.set(name, value as Statement)
  else if (Object.getPrototypeOf(value) === Object.prototype || Array.isArray(value))
    Object.values(value).forEach(collect)
}

/** Asks for what has a statement that is made for the fields that are asked for, or for the columns that are there. */
async function useEverything(): Promise<void> {
  const ada = bed.server.as()
  for (const content of ['one', 'two', 'three']) await ada.append('c', content)
  await ada.get(`{
    conversations(first: 2) { nodes { id lastMessage { content } } }
    searchMessages(query: "one") { edges { node { id } after { id } } }
    filtered: conversations(last: 2, filter: { archived: false }) { nodes { id title } }
    conversation(id: "c") {
      messages(first: 2) { nodes { content toolCalls { callId } } }
      last: messages(last: 1) { nodes { id } }
      message(seq: 1) { content }
      history { content }
    }
  }`)
  await ada.get('mutation { startMessage(input: { conversationId: "c" }) { attempt } }')
  await using target = await createDatabase()
  await transfers.import(target.url, await transfers.export(bed.database.url))
}

test('every statement of storage/ and transfer/ has a kind, and is what its kind says', () => {
  expect(statements.size).toBeGreaterThan(60)
  const faults = [...statements.values()].flatMap((statement) =>
    findFaults(statement, volatility).map((fault) => `${statement.name} (${statement.kind}): ${fault}`),
  )
  expect(faults).toEqual([])
})

test('what touches several conversations at once is known by name', () => {
  const named = (kind: StatementKind) =>
    [...statements.values()].filter((statement) => statement.kind === kind).map(({ name }) => name)
  expect(named('gathered').sort()).toEqual([
    'append-together',
    'conversation-list-unread',
    'search-all',
    'search-all-part',
    'stream-add-together',
    'words-store',
  ])
  expect(named('two keys').sort()).toEqual(['conversation-fork-copy', 'conversation-fork-copy-links'])
})

describe('the rules find', () => {
  const broken: [StatementKind, string, RegExp][] = [
    ['key', 'select from message m', /message is not asked by the key/],
    [
      'key',
      'insert into conversation as c (key) values ($1) on conflict (key) do update set revision = 1 where exists (select from message m where m.conversation_key = $1)',
      /a conflict asks a table/,
    ],
    ['key', 'select from message m where m.conversation_key = $2', /message is not asked by the key/],
    ['key', 'select from message m where m.conversation_key = $1 or true', /message is not asked/],
    ['key', 'select from conversation c, message m where c.key = $1 and m.seq = 1', /message is not asked/],
    [
      'key',
      'select from conversation c where c.key = $1 and exists (select from message m where m.seq = 1)',
      /message/,
    ],
    ['key', 'select from unnest($2::uuid[]) asked(key) join conversation c on c.key = asked.key', /unnests keys/],
    ['key', 'select from conversation c where c.key = any($1::uuid[])', /conversation is not asked/],
    ['key', 'insert into message (conversation_key, seq) values ($2, 1)', /inserted with another key/],
    [
      'key',
      'update conversation c set updated_at = clock_timestamp() where c.key = $1',
      /clock_timestamp.. is volatile/,
    ],
    [
      'key',
      "update conversation c set updated_at = c.updated_at + interval '1 us' where c.key = $1",
      /an interval is added to a timestamptz/,
    ],
    [
      'key',
      'update conversation c set title = to_char(c.updated_at, $2) where c.key = $1',
      /to_char.. of a column is not immutable/,
    ],
    [
      'key',
      'insert into conversation (key) values ($1) on conflict (key) do update set updated_at = now()',
      /now.. in ON CONFLICT is not immutable/,
    ],
    [
      'user',
      'select from conversation c join message m on m.seq = c.last_seq where c.user_id = $1',
      /message is not asked/,
    ],
    ['maintenance', 'delete from conversation', /changes rows of many/],
  ]
  test.each(broken)('%s: %s', (kind, text, fault) => {
    expect(findFaults({ name: 'x', kind, text }, volatility).join('; ')).toMatch(fault)
  })

  test('nothing in what Citus takes', () => {
    const later = "((c.updated_at at time zone 'UTC') + interval '1 microsecond') at time zone 'UTC'"
    const text = `with moved as (
        update conversation c set updated_at = greatest(now(), ${later}) where c.key = $1 returning c.key, c.last_seq
      )
      insert into message (conversation_key, seq) select moved.key, moved.last_seq from moved`
    expect(findFaults({ name: 'x', kind: 'key', text }, volatility)).toEqual([])
  })
})
