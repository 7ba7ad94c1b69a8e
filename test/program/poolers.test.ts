import { describe, expect, test } from 'vitest'
import { createDatabase, type TestDatabase } from '../support/database/database.ts'
import { DroppingPooler } from '../support/database/dropping-pooler.ts'
import { hold } from '../support/database/hold.ts'
import { PgBouncer, pgbouncerVersion } from '../support/database/pgbouncer.ts'
import { begin, holdMessages } from '../support/network/abandon.ts'
import { patient } from '../support/patient.ts'
import { serve } from '../support/server.ts'

const append = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) {
  replayed message { seq sentAt createdAt } } }`
const follow = `subscription { conversationsChanged(after: "") {
  __typename ... on ConversationListed { conversation { id lastSeq updatedAt } } } }`
const read = `{ conversation(id: "c") { messages { nodes { seq sentAt createdAt content } } }
  conversations { nodes { id updatedAt lastMessage { createdAt } } } }`
const sentAt = '2026-01-31T09:30:00.12Z'
const input = {
  conversationId: 'c',
  ifMissing: 'CREATE',
  message: { role: 'USER', content: 'x', clientId: 'k', sentAt },
}

describe.each(['refuses', 'drops'] as const)('a pooler that %s the settings of sessions', (what) => {
  test('is taken with the settings of the role and a direct URL, and the start says how to set both', async () => {
    await using database = await createDatabase()
    await using pooler = await DroppingPooler.before(database.url, what)
    await expect(serve(pooler.url)).rejects.toThrow(
      / and set DATABASE_DIRECT_URL to PostgreSQL itself, .*; run ALTER ROLE/,
    )
    await setRole(database, await refusalOf(pooler.url, database.url))
    await expect(serve(pooler.url)).rejects.toThrow(
      / and set DATABASE_DIRECT_URL to PostgreSQL itself, for migrations and LISTEN$/,
    )
    await useAll(pooler.url, database)
  })

  test('is not taken as the direct way', async () => {
    await using database = await createDatabase()
    await using pooler = await DroppingPooler.before(database.url, what)
    await setRole(database, await refusalOf(pooler.url, database.url))
    await expect(serve(pooler.url, { DATABASE_DIRECT_URL: pooler.url })).rejects.toThrow(
      /stands behind DATABASE_DIRECT_URL too/,
    )
  })

  test('is not taken with a direct URL of another database', async () => {
    await using database = await createDatabase()
    await using another = await createDatabase()
    await using pooler = await DroppingPooler.before(database.url, what)
    await setRole(database, await refusalOf(pooler.url, database.url))
    await expect(serve(pooler.url, { DATABASE_DIRECT_URL: another.url })).rejects.toThrow(
      /^DATABASE_URL and DATABASE_DIRECT_URL lead to different databases; /,
    )
  })
})

test('a role whose settings are not those of the server is told the difference', async () => {
  await using database = await createDatabase()
  await using pooler = await DroppingPooler.before(database.url, 'drops')
  await setRole(database, await refusalOf(pooler.url, database.url))
  const settings = { DATABASE_DIRECT_URL: database.url, STATEMENT_TIMEOUT_MS: '9000' }
  await expect(serve(pooler.url, settings)).rejects.toThrow(
    /keep the pooler and run ALTER ROLE "\w+" IN DATABASE "\w+" SET statement_timeout = 9000; and then/,
  )
})

test('behind a pooler, no statement and no wait for a row is without an end', async () => {
  await using database = await createDatabase()
  await using pooler = await DroppingPooler.before(database.url, 'drops')
  const settings = { LOCK_TIMEOUT_MS: '50', DATABASE_DIRECT_URL: database.url }
  await setRole(database, await refusalOf(pooler.url, database.url, settings))
  await using server = await serve(pooler.url, settings)
  const ada = server.as()
  await ada.append('held', 'x')
  const client = await hold(database, 'held')
  const error = await ada.fail(append, { input: { ...input, conversationId: 'held' } })
  expect(error.extensions).toEqual({ code: 'UNAVAILABLE' })
  await client.query('rollback')
})

if (pgbouncerVersion === null) {
  console.warn('PgBouncer itself is not tried: it is not installed (Debian: apt-get install pgbouncer).')
}

describe.skipIf(pgbouncerVersion === null)(`PgBouncer ${pgbouncerVersion}`, () => {
  const carries = Number(pgbouncerVersion) >= 1.21

  test('with session pooling', () => tryPgBouncer('session'))

  test.runIf(carries)('with transaction pooling', () => tryPgBouncer('transaction'))

  test.skipIf(carries)('with transaction pooling and without prepared statements is refused', async () => {
    await using database = await createDatabase()
    await using pooler = await PgBouncer.before(database.url, 'transaction')
    await expect(serve(pooler.url)).rejects.toThrow(/carries no prepared statements; use PgBouncer 1\.21 or later/)
  })

  test('passes on that nobody waits for a read any more', async () => {
    await using database = await createDatabase()
    await using pooler = await PgBouncer.before(database.url, 'session')
    const settings = { ...patient, DATABASE_DIRECT_URL: database.url }
    await setRole(database, await refusalOf(pooler.url, database.url, settings))
    await pooler.reconnect()
    await using server = await serve(pooler.url, settings)
    await server.as().append('c', 'x')
    const held = await holdMessages(database)
    const leave = begin(server, '{ conversation(id: "c") { context(maxTokens: 1000) { included } } }')
    await held.blocked()
    await leave()
    await held.untilNobodyWaits()
    await held.letGo()
  })

  async function tryPgBouncer(mode: 'session' | 'transaction'): Promise<void> {
    await using database = await createDatabase()
    await using pooler = await PgBouncer.before(database.url, mode)
    await setRole(database, await refusalOf(pooler.url, database.url))
    await pooler.reconnect()
    await useAll(pooler.url, database)
  }
})

/** What a start says that must not succeed. */
async function refusalOf(url: string, directUrl: string, settings: Record<string, string> = {}): Promise<string> {
  const starting = serve(url, { DATABASE_DIRECT_URL: directUrl, ...settings })
  const sentence = await starting.then(
    () => 'it started',
    (error: Error) => error.message,
  )
  expect(sentence).toMatch(/^A connection pooler, such as PgBouncer, stands before the database/)
  return sentence
}

/** Runs the commands that a sentence prints, as they are. */
async function setRole(database: TestDatabase, sentence: string): Promise<void> {
  const [, commands] = /\brun (ALTER ROLE .*;) and then let the pooler connect anew/.exec(sentence) ?? []
  const admin = await database.connect()
  await admin.query(commands as string)
}

/** Writes, reads and follows behind a pooler; the sessions there have another TimeZone and DateStyle. */
async function useAll(poolerUrl: string, database: TestDatabase): Promise<void> {
  await using server = await serve(poolerUrl, {
    POOL_TIMEOUT_MS: patient.POOL_TIMEOUT_MS,
    DATABASE_DIRECT_URL: database.url,
  })
  const ada = server.as()
  await using list = ada.subscribe(follow)
  expect((await list.next())?.data?.conversationsChanged.__typename).toBe('ConversationListCaughtUp')
  const { appendMessage } = await ada.get(append, { input })
  expect(appendMessage).toMatchObject({ replayed: false, message: { seq: 1, sentAt } })
  const { createdAt } = appendMessage.message
  expect((await list.next())?.data?.conversationsChanged).toEqual({
    __typename: 'ConversationListed',
    conversation: { id: 'c', lastSeq: 1, updatedAt: createdAt },
  })
  const admin = await database.connect()
  const form = 'YYYY-MM-DD"T"HH24:MI:SS.US'
  const { rows } = await admin.query(
    `select to_char(created_at at time zone 'UTC', '${form}') as time, current_setting('TimeZone') as zone from message`,
  )
  expect(rows[0].zone).toBe('Asia/Kolkata')
  expect(createdAt.replace('Z', '')).toBe(rows[0].time.replace(/\.?0+$/, ''))
  // All connections of the pooler at once.
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) => (index % 4 === 0 ? ada.get(append, { input }) : ada.get(read))),
  )
  for (const answer of answers) {
    if (answer.appendMessage) expect(answer.appendMessage).toMatchObject({ replayed: true, message: { seq: 1 } })
    else expect(answer.conversation.messages.nodes).toEqual([{ seq: 1, sentAt, createdAt, content: 'x' }])
  }
  await ada.get('mutation { updateConversation(input: { id: "c", title: "t" }) { conversation { id } } }')
  expect((await list.next())?.data?.conversationsChanged.conversation.id).toBe('c')
}
