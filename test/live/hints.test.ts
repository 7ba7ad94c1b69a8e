import type { Client } from 'pg'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { openOrm } from '../../src/database/orm.ts'
import { postgresBus } from '../../src/live/bus/postgres-bus.ts'
import { Poll } from '../../src/live/poll.ts'
import { Watchers } from '../../src/live/watchers.ts'
import type { Answer } from '../support/api.ts'
import { appendUncommitted } from '../support/database/append-uncommitted.ts'
import { createDatabase, type TestDatabase } from '../support/database/database.ts'
import { engine } from '../support/database/engine.ts'
import { countStatements } from '../support/database/statements.ts'
import { storeOf } from '../support/database/store.ts'
import { logged } from '../support/observe/logged.ts'
import { serve, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'

const appended = `subscription ($id: ID!, $after: String) {
  messageAppended(conversationId: $id, after: $after) { node { seq content } }
}`

/** So rare that no test can pass by the poll. */
const never = { POLL_MS: '600000' }

let database: TestDatabase
let client: Client
const servers: TestServer[] = []

beforeEach(async () => {
  database = await createDatabase()
  client = await database.connect()
})

afterEach(async () => {
  for (const server of servers.splice(0)) {
    await server[Symbol.asyncDispose]()
    expect(server.inspect()).toEqual({ sockets: 0, watchers: 0, answerBytes: 0, feedBytes: 0 })
  }
  await database[Symbol.asyncDispose]()
})

/** A server that hears hints. */
async function start(settings: Record<string, string>): Promise<TestServer> {
  const before = await listeners()
  const server = await serve(database.url, settings)
  servers.push(server)
  await until(async () => (await listeners()) > before)
  return server
}

/** How many servers are ready to hear hints. */
async function listeners(): Promise<number> {
  const { rows } = await client.query(`
    select count(*)::int as count from pg_stat_activity
    where datname = current_database() and application_name = 'colloquy hints' and state = 'idle'`)
  return rows[0].count
}

/** Appends as a server would that could send no hint at all. */
async function appendSilently(id: string, content: string): Promise<void> {
  await appendUncommitted(client, id, content)
  await client.query('commit')
}

/** Says something of conversations, as another server would. Not counted as a statement of the servers'. */
async function notify(keys: readonly string[], payloads: readonly string[]): Promise<void> {
  await client.query(
    "select pg_notify('colloquy ' || key, payload) from unnest($1::text[]) key, unnest($2::text[]) payload",
    [keys, payloads],
  )
}

/** Terminates the servers' connections of this name, and waits until they are gone. */
async function end(name: string): Promise<void> {
  const { rows } = await client.query(terminate, [name])
  const pids = rows.map(({ pid }) => pid)
  await until(async () => {
    const left = await client.query('select from pg_stat_activity where pid = any($1::int[])', [pids])
    return left.rows.length === 0
  })
}

const terminate = `
  select pid, pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and application_name like $1 and pid <> pg_backend_pid()`

async function keyOf(id: string): Promise<{ key: string; revision: number }> {
  const { rows } = await client.query('select key::text, revision::int from conversation where id = $1', [id])
  return rows[0]
}

const node = (answer: Answer | null) => answer?.data.messageAppended.node

test('6 hints: an append on one server reaches who follows on another', async () => {
  const [one, two] = [await start(never), await start(never)]
  await one.as().append('talk', 'first')
  await using there = two.as().subscribe(appended, { id: 'talk', after: '' })
  await using here = one.as().subscribe(appended, { id: 'talk', after: '' })
  expect(node(await there.next())).toEqual({ seq: 1, content: 'first' })
  for (let seq = 2; seq <= 20; seq++) {
    const from = seq % 2 === 0 ? one : two
    await from.as().append('talk', `${seq}`)
    expect(node(await there.next())).toEqual({ seq, content: `${seq}` })
  }
  expect((await here.take(20)).map((answer) => node(answer).seq)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
})

test('6 hints: of many commits at once on one server, none is missed on another', async () => {
  const [one, two] = [await start(never), await start(never)]
  const ids = Array.from({ length: 30 }, (_, n) => `c${n}`)
  for (const id of ids) await one.as().append(id, 'first')
  const feeds = ids.map((id) => two.as().subscribe(appended, { id, after: '' }))
  for (const feed of feeds) await feed.take(1)
  await Promise.all(ids.flatMap((id) => [1, 2, 3, 4, 5].map(() => one.as().append(id, 'burst'))))
  for (const feed of feeds) {
    expect((await feed.take(5)).map((answer) => node(answer).seq)).toEqual([2, 3, 4, 5, 6])
    await feed[Symbol.asyncDispose]()
  }
})

test('6 hints: one that was lost is made up for by the poll', async () => {
  const server = await start({ POLL_MS: '20' })
  await server.as().append('silent', 'first')
  await using feed = server.as().subscribe(appended, { id: 'silent', after: '' })
  await feed.take(1)
  await appendSilently('silent', 'second')
  expect(node(await feed.next())).toEqual({ seq: 2, content: 'second' })
  await client.query("update conversation set deleted_at = now(), revision = revision + 1 where id = 'silent'")
  expect(await feed.next()).toBeNull()
})

test('6 hints: the poll is one statement for all watched conversations', async () => {
  const server = await start(never)
  const ids = Array.from({ length: 40 }, (_, n) => `c${n}`)
  for (const id of ids) await server.as().append(id, 'first')
  const feeds = ids.map((id) => server.as().subscribe(appended, { id, after: '' }))
  for (const feed of feeds) await feed.take(1)
  await appendSilently('c7', 'second')
  // A server that hears again looks at once: it listens, it looks, and the one feed that is behind reads.
  const count = await countStatements(database, async () => {
    await client.query(terminate, ['colloquy hints'])
    expect(node((await feeds[7]?.next()) ?? null)).toEqual({ seq: 2, content: 'second' })
  })
  const ofTheTest = 1
  expect(count - ofTheTest).toBe(3)
  for (const feed of feeds) await feed[Symbol.asyncDispose]()
})

test('6 hints: the poll of 10,000 watched conversations is ten statements, spread over its period', async () => {
  await client.query(`
    insert into conversation (key, epoch, user_id, id, revision, changed_revision, last_seq, metadata, created_at, updated_at)
    select gen_random_uuid(), 1, 'ada', n::text, 1, 1, 0, '{}', now(), now() from generate_series(1, 10000) n`)
  const { rows } = await client.query('select key::text from conversation')
  const log = pino({ level: 'silent' })
  await using bus = postgresBus(database.url, log)
  await using opened = await openOrm(database.url, engine, readConfig({}).pool, () => {})
  const watchers = new Watchers(bus)
  const seen = new Map<string, number>()
  for (const { key } of rows) {
    watchers.watch(key, { moved: () => void (seen.has(key) || seen.set(key, performance.now())) })
  }
  const store = storeOf(opened)
  const periodMs = 2_000
  const count = await countStatements(database, async () => {
    await using _poll = new Poll(store, watchers, periodMs, 80_000, log)
    await until(() => seen.size === 10_000)
  })
  expect(count).toBe(10)
  const times = [...seen.values()]
  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(periodMs / 2)
})

test('6 hints: junk changes nothing and costs nothing', async () => {
  const [one, two] = [await start(never), await start(never)]
  const append = await countStatements(database, () => one.as().append('junk', 'first'))
  await using feed = two.as().subscribe(appended, { id: 'junk', after: '' })
  await feed.take(1)
  const { key, revision } = await keyOf('junk')
  const unknown = Array.from({ length: 10_000 }, (_, n) => n.toString(16).padStart(32, '0'))
  const past = Array.from({ length: 50 }, (_, n) => `${n} ${revision}`)
  const junk = ['', ' ', 'x', ':', 'x :', 'x 9 9', 'x -1', 'x 1e9', 'x  9', 'x 9 ', '999', `x ${'9'.repeat(16)}`]
  const huge = ['x '.repeat(3_900), '9'.repeat(7_999), '\u{1F600}']
  const count = await countStatements(database, async () => {
    await notify([...unknown, key.toUpperCase(), `${key} `, ''], ['x 1'])
    await notify([key], [...past, ...junk, ...huge])
    // Notices come in the order of their commits: once this one is heard, those before it were.
    await one.as().append('junk', 'second')
    expect(node(await feed.next())).toEqual({ seq: 2, content: 'second' })
  })
  const read = 1
  expect(count).toBe(append + read)
})

test('6 hints: doubled, late and of a revision that never was, they repeat no message and cost few reads', async () => {
  const [one, two] = [await start(never), await start(never)]
  await one.as().append('loud', 'first')
  await using feed = two.as().subscribe(appended, { id: 'loud', after: '' })
  await feed.take(1)
  const { key } = await keyOf('loud')
  const hints = Array.from({ length: 10_000 }, (_, n) => `x ${999_999_999_999_999 - n}`)
  const count = await countStatements(database, async () => {
    await notify([key], hints)
    await one.as().append('loud', 'second')
    expect(node(await feed.next())).toEqual({ seq: 2, content: 'second' })
    await notify([key], hints)
    await one.as().append('loud', 'third')
    expect(node(await feed.next())).toEqual({ seq: 3, content: 'third' })
  })
  // Hints that are heard while a feed reads are one more read together.
  expect(count).toBeLessThan(200)
})

test('6 hints: what is appended while no server hears is delivered as soon as they hear again', async () => {
  const [one, two] = [await start(never), await start(never)]
  await one.as().append('deaf', 'first')
  await using feed = two.as().subscribe(appended, { id: 'deaf', after: '' })
  await feed.take(1)
  await end('colloquy hints')
  await one.as().append('deaf', 'second')
  await one.as().append('deaf', 'third')
  expect((await feed.take(2)).map((answer) => node(answer).content)).toEqual(['second', 'third'])
  await until(async () => (await listeners()) === 2)
  await one.as().append('deaf', 'fourth')
  expect(node(await feed.next())).toEqual({ seq: 4, content: 'fourth' })
  await end('colloquy hints')
  // Its hint is lost for good, and not only late: a server that hears again looks by itself.
  await appendSilently('deaf', 'fifth')
  expect(node(await feed.next())).toEqual({ seq: 5, content: 'fifth' })
})

test('6 hints: feeds outlive the loss of every connection of their server', async () => {
  const [one, two] = [await start(never), await start(never)]
  await one.as().append('lost', 'first')
  await using here = one.as().subscribe(appended, { id: 'lost', after: '' })
  await using there = two.as().subscribe(appended, { id: 'lost', after: '' })
  await here.take(1)
  await there.take(1)
  await end('colloquy%')
  // A server of its own appends: it has no connection that could have been lost.
  const three = await serve(database.url, never)
  servers.push(three)
  await three.as().append('lost', 'second')
  await until(async () => (await listeners()) === 3)
  await three.as().append('lost', 'third')
  for (const feed of [here, there]) {
    expect((await feed.take(2)).map((answer) => node(answer).content)).toEqual(['second', 'third'])
  }
})

test('6 hints: a feed whose reads fail for a while goes on where it was', async () => {
  const server = await start({ POLL_MS: '20', STATEMENT_TIMEOUT_MS: '1000' })
  await server.as().append('failing', 'first')
  await using feed = server.as().subscribe(appended, { id: 'failing', after: '' })
  await feed.take(1)
  const { key } = await keyOf('failing')
  await client.query('begin; lock table message in access exclusive mode')
  const other = await database.connect()
  await other.query("select pg_notify('colloquy ' || $1, 'x 999')", [key])
  await logged(server, ({ msg }) => msg === 'a feed could not read on and will try again')
  await client.query('commit')
  await appendSilently('failing', 'second')
  await appendSilently('failing', 'third')
  expect((await feed.take(2)).map((answer) => node(answer).content)).toEqual(['second', 'third'])
})

test('7 bounds: a server stops while its connection for hints is being made', async () => {
  const server = await serve(database.url, never)
  servers.push(server)
  await server[Symbol.asyncDispose]()
  // PostgreSQL notices a little later that a client has gone.
  await until(async () => {
    const { rows } = await client.query(
      "select from pg_stat_activity where datname = current_database() and application_name like 'colloquy%'",
    )
    return rows.length === 0
  })
})
