import type { Client } from 'pg'
import { describe, expect, test } from 'vitest'
import { ormOptions } from '../../mikro-orm.config.ts'
import { readConfig } from '../../src/config.ts'
import { distributeAll, distributeEmpty, messageKey, spreadTables } from '../../src/database/distribute.ts'
import { migrate } from '../../src/database/migrate.ts'
import { openOrm } from '../../src/database/orm.ts'
import { onePostgres } from '../../src/database/session.ts'
import { createDatabase, type TestDatabase } from '../support/database/database.ts'
import { engine } from '../support/database/engine.ts'
import { buildPrograms, Program } from '../support/program/program.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const { pool } = readConfig({})
const whole = { spreads: true, advice: null }
const none = { spreads: false, advice: null }

test('what is spread is every table of the entities with conversations, and the foreign keys are those that the migrations make', async () => {
  await using database = await createDatabase()
  const client = await database.connect()
  const tables = await client.query(
    `select relname from pg_class
     where relnamespace = 'public'::regnamespace and relkind = 'r' and relname not in ('migration', 'transfer') order by 1`,
  )
  // The table of transfers stays on the coordinator.
  expect(ormOptions.entities).toHaveLength(spreadTables.length + 1)
  expect(tables.rows.map(({ relname }) => relname)).toEqual(spreadTables.map(({ name }) => name).sort())
  const keys = await client.query(
    `select conrelid::regclass::text as "table", conname as name, pg_get_constraintdef(oid) as text
     from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace order by 1`,
  )
  const below = spreadTables.map(({ name }) => name).filter((name) => name.startsWith('message_'))
  expect(keys.rows).toEqual(
    below.sort().map((table) => ({ table, name: `${table}_message_foreign`, text: messageKey })),
  )
})

test('one PostgreSQL has nothing to spread over, and colloquy distribute says what is missing', async ({ skip }) => {
  skip(engine.spreads, 'every database there has workers')
  buildPrograms()
  await using database = await createDatabase()
  expect(await distributeEmpty(await database.connect())).toEqual(none)
  const missing = /^The database has no workers of Citus; run CREATE EXTENSION citus .* citus_add_node\(.*\n$/
  expect(await distribute({ DATABASE_URL: database.url })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(missing),
  })
  expect(await distribute({ DATABASE_URL: database.url }, '--dry-run')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(missing),
  })
  expect(await distribute({})).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^The embedded PostgreSQL has no/),
  })
})

describe.runIf(engine.spreads)('on the Citus of TEST_CITUS_URL', () => {
  test('servers that start at once on a new database spread it once', async () => {
    await using database = await createDatabase('bare')
    const servers = await Promise.all(Array.from({ length: 3 }, () => serve(database.url)))
    for (const server of servers) await server[Symbol.asyncDispose]()
    const catalog = await readCatalog(database)
    expect(
      catalog.tables.map(({ name, column, is_beside, old_bytes }) => [name, column, is_beside, old_bytes]),
    ).toEqual(spreadTables.map(({ name, column }) => [name, column, column !== 'user_id', '0']).sort())
    expect(catalog.keys.map(({ name }) => name).sort()).toEqual(
      spreadTables
        .map(({ name }) => `${name}_message_foreign`)
        .slice(2)
        .sort(),
    )
    expect(catalog).toEqual(await usualCatalog())
  })

  test.each(['new', 'filled'] as const)(
    '%s tables are spread in spite of an end after every single step',
    async (kind) => {
      await using database = await createUnspread(kind)
      const spread = (client: Client) => (kind === 'new' ? distributeEmpty(client) : distributeAll(client, () => {}))
      const steps: string[] = []
      for (;;) {
        const client = await database.connect()
        const step = await endAfterStep(client, () => spread(client))
        if (step === null) break
        steps.push(step)
      }
      expect(new Set(steps).size).toBe(steps.length)
      expect(steps).toHaveLength(kind === 'new' ? 11 : 14)
      expect(await readCatalog(database)).toEqual(await usualCatalog())
      if (kind === 'filled') expect(await readRows(database)).toEqual(rows)
    },
  )

  test('a connection that ends while rows are moved leaves a table as it was', async () => {
    await using database = await createUnspread('filled')
    const [holder, watch, client] = [await database.connect(), await database.connect(), await database.connect()]
    await holder.query('begin; lock table conversation in row exclusive mode')
    const { pid } = (await client.query('select pg_backend_pid() as pid')).rows[0]
    const ended = distributeAll(client, () => {}).catch(() => 'ended')
    const waiting = 'select from pg_locks where pid = $1 and not granted'
    await expect.poll(async () => (await watch.query(waiting, [pid])).rowCount).toBe(1)
    await watch.query('select pg_terminate_backend($1::int, 5000)', [pid])
    expect(await ended).toBe('ended')
    await holder.query('rollback')
    expect(await readCatalog(database)).toMatchObject({ tables: [], keys: [] })
    expect(await readRows(database)).toEqual(rows)
    expect(await distributeAll(watch, () => {})).toEqual(whole)
    expect(await readCatalog(database)).toEqual(await usualCatalog())
    expect(await readRows(database)).toEqual(rows)
  })

  test('conversations from before the workers are served where they are, and the log names the command', async () => {
    buildPrograms()
    await using database = await createUnspread('filled')
    {
      await using server = await serve(database.url)
      const warning = server.logged.find(({ level }) => level === 40)
      expect(warning?.msg).toMatch(/^Citus has workers, .*stop all servers and run colloquy distribute/)
      expect((await server.as().append('new', 'is served')).message.seq).toBe(1)
      expect(await distribute({ DATABASE_URL: database.url })).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^Servers are connected to the database; stop all of them/),
      })
    }
    const client = await database.connect()
    const dry = await distribute({ DATABASE_URL: database.url }, '--dry-run')
    expect(dry).toMatchObject({ code: 0, stderr: '' })
    expect(await readCatalog(database)).toMatchObject({ tables: [], keys: [] })
    const servers = "select from pg_stat_activity where application_name = 'colloquy' and datname = current_database()"
    await until(async () => (await client.query(servers)).rowCount === 0)
    const done = await distribute({ DATABASE_URL: database.url })
    expect(done).toEqual({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(
        /^message_stream: dropping .*\nconversation: moving .*\nAll conversations are spread/s,
      ),
    })
    const steps = done.stdout.split('\n').slice(0, -2)
    expect(dry.stdout.split('\n')).toEqual([...steps, `${steps.length} steps. Nothing was changed.`, ''])
    expect(await readCatalog(database)).toEqual(await usualCatalog())
    expect(await readRows(database)).toEqual({ conversations: 41, messages: 401, chunks: 40 })
    expect(await distribute({ DATABASE_URL: database.url })).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^All conversations are spread/),
    })
  })

  test('no server starts on tables that are spread in part', async () => {
    await using database = await createUnspread('filled')
    const client = await database.connect()
    const stop = (sentence: string) => {
      if (sentence.startsWith('message:')) throw new Error('stopped')
    }
    await expect(distributeAll(client, stop)).rejects.toThrow('stopped')
    const sentence = /only in part, and conversation has rows; stop all servers, and run colloquy distribute/
    await expect(serve(database.url)).rejects.toThrow(sentence)
  })

  test('migrations run on tables that are spread already, and a table that they add is spread too', async () => {
    await using database = await createDatabase('bare')
    {
      await using opened = await openOrm(database.url, onePostgres, pool, () => {})
      await opened.orm.migrator.up({ to: 'Migration00003NoForeignKey' })
    }
    const client = await database.connect()
    // The tables of that time, as this program would have spread them.
    const key = (name: string) => `constraint ${name}_message_foreign`
    for (const name of ['message_stream', 'message_chunk']) await client.query(`alter table ${name} drop ${key(name)}`)
    for (const { name, column } of spreadTables.slice(0, 4)) {
      const beside = name === 'conversation' ? 'none' : 'conversation'
      await client.query(`select create_distributed_table('${name}', '${column}', colocate_with => '${beside}')`)
    }
    for (const name of ['message_stream', 'message_chunk'])
      await client.query(`alter table ${name} add ${key(name)} ${messageKey}`)
    await fill(client)
    expect(await migrate(database.url, pool)).toEqual(whole)
    expect(await readCatalog(database)).toEqual(await usualCatalog())
    expect(await readRows(database)).toEqual(rows)
  })
})

/** How `colloquy distribute` ends, and what it says. */
async function distribute(settings: Record<string, string>, ...args: string[]) {
  await using program = new Program('src/main.js', ['distribute', ...args], settings)
  const { code } = await program.exited
  return { code, stdout: program.stdout, stderr: program.stderr }
}

async function createUnspread(kind: 'new' | 'filled'): Promise<TestDatabase> {
  const database = await createDatabase('bare')
  expect(await migrate(database.url, pool, { distribute: async () => none })).toEqual(none)
  if (kind === 'filled') await fill(await database.connect())
  return database
}

const rows = { conversations: 40, messages: 400, chunks: 40 }

async function fill(client: Client): Promise<void> {
  await client.query(`
    insert into conversation (key, epoch, user_id, id, last_seq, revision, changed_revision, created_at, updated_at)
    select md5(n::text)::uuid, n, 'ada', n, 10, 10, 0, now(), now() from generate_series(1, 40) n;
    insert into message (conversation_key, seq, role, content, size, created_at, updated_at)
    select md5(n::text)::uuid, seq, 'USER', seq, 1, now(), now() from generate_series(1, 40) n, generate_series(1, 10) seq;
    insert into message_chunk (conversation_key, seq, chunk, text)
    select md5(n::text)::uuid, 10, 0, n from generate_series(1, 40) n;`)
}

async function readRows(database: TestDatabase): Promise<unknown> {
  const client = await database.connect()
  const { rows } = await client.query(`
    select (select count(*)::int from conversation) as conversations,
      (select count(*)::int from message m join conversation c on c.key = m.conversation_key) as messages,
      (select count(*)::int from message_chunk k join message m using (conversation_key, seq)) as chunks`)
  return rows[0]
}

/** Lets work make one change, and ends its connection then. @returns the change; null if there was none to make */
async function endAfterStep(client: Client, work: () => Promise<unknown>): Promise<string | null> {
  const original = client.query.bind(client)
  let step: string | null = null
  const query = async (text: string, values: unknown[] = []) => {
    const result = await original(text, values)
    if (/^alter|create_distributed|truncate_local/.test(text)) {
      step = text
      await client.end()
    }
    return result
  }
  Object.assign(client, { query })
  await work().catch(() => {})
  return step
}

interface Catalog {
  readonly tables: readonly { name: string; column: string; is_beside: boolean; shards: string; old_bytes: string }[]
  readonly keys: readonly { name: string; text: string; of_shards: string }[]
  readonly columns: readonly unknown[]
  readonly indexes: readonly unknown[]
}

async function usualCatalog(): Promise<Catalog> {
  await using database = await createDatabase()
  return await readCatalog(database)
}

/** How the tables are spread, and what they have. */
async function readCatalog(database: TestDatabase): Promise<Catalog> {
  const client = await database.connect()
  const read = async (text: string) => (await client.query(text)).rows
  return {
    tables: await read(`
      select t.logicalrelid::text as name, column_to_column_name(t.logicalrelid, t.partkey) as "column",
        t.colocationid = (select o.colocationid from pg_dist_partition o where o.logicalrelid = 'conversation'::regclass)
          as is_beside,
        (select count(*) from pg_dist_shard s where s.logicalrelid = t.logicalrelid) as shards,
        pg_relation_size(t.logicalrelid) as old_bytes
      from pg_dist_partition t order by 1`),
    keys: await read(`
      select c.conname as name, pg_get_constraintdef(c.oid) as text, (
          select sum(result::int) from run_command_on_shards(
            c.conrelid, $$select count(*) from pg_constraint where conrelid = '%s'::regclass and contype = 'f'$$
          )
        ) as of_shards
      from pg_constraint c join pg_dist_partition t on t.logicalrelid = c.conrelid where c.contype = 'f' order by 1`),
    columns: await read(`
      select table_name, column_name, data_type, is_nullable, column_default from information_schema.columns
      where table_schema = 'public' order by 1, 2`),
    indexes: await read(`select indexdef from pg_indexes where schemaname = 'public' order by 1`),
  }
}
