import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { Client } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { connect } from '../../src/transfer/connect.ts'
import { exportDatabase, exportToFile } from '../../src/transfer/export-database.ts'
import { Sealer, unclosed } from '../../src/transfer/lines.ts'
import { dataTables, notData, readTables } from '../../src/transfer/tables.ts'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { createDatabase, type TestDatabase } from '../support/database/database.ts'
import { engine } from '../support/database/engine.ts'
import { readExported, readRows, useTransfers } from '../support/program/transfer.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const bed = useBed()
const transfers = useTransfers()

/** Everything that makes rows of another kind, through the API. */
async function fill(ada: Api): Promise<void> {
  await ada.append('plain', 'one', {
    message: { role: 'USER', content: 'one', clientId: 'c1', metadata: { b: 1, a: [] } },
  })
  await ada.append('plain', {
    role: 'ASSISTANT',
    parts: [{ type: 'text', text: 'ä "\\ \n\u2028' }],
    partsFormat: 'OPENAI_CHAT',
  })
  const { message } = await ada.append('plain', 'three')
  await ada.get('mutation ($id: ID!) { editMessage(input: { messageId: $id, content: "drei" }) { message { id } } }', {
    id: message.id,
  })
  const { message: gone } = await ada.append('plain', 'four')
  await ada.get('mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { id } } }', { id: gone.id })
  await ada.append('branched', 'root')
  const { message: leaf } = await ada.append('branched', 'leaf')
  await ada.append('branched', 'other', { message: { role: 'USER', content: 'other', parentId: null } })
  await ada.get('mutation ($id: ID!) { setActiveLeaf(input: { messageId: $id }) { conversation { id } } }', {
    id: leaf.id,
  })
  await ada.get(
    'mutation { forkConversation(input: { id: "branched", newId: "forked", upToSeq: 2 }) { conversation { id } } }',
  )
  await ada.get(
    'mutation { createConversation(input: { id: "empty", title: "nothing", createdAt: "2020-01-01T00:00:00.000001Z" }) { created } }',
  )
  await ada.get('mutation { updateConversation(input: { id: "empty", archived: true }) { conversation { id } } }')
  await ada.append('again', 'of an earlier life')
  await ada.get('mutation { deleteConversation(input: { id: "again" }) { deletedConversationId } }')
  await ada.append('again', 'of a later life')
  await ada.append('deleted', 'm')
  await ada.get('mutation { deleteConversation(input: { id: "deleted" }) { deletedConversationId } }')
  const start =
    'mutation ($id: ID!) { startMessage(input: { conversationId: $id, ifMissing: CREATE }) { attempt message { id } } }'
  for (const id of ['streaming', 'streamed', 'silent']) {
    const { startMessage } = await ada.get(start, { id })
    if (id === 'silent') continue
    const add = 'mutation ($input: AppendMessageTextInput!) { appendMessageText(input: $input) { nextChunk } }'
    for (const chunk of [0, 1]) {
      const { attempt, message } = startMessage
      const data = chunk === 1 ? { at: [1, null] } : undefined
      await ada.get(add, { input: { messageId: message.id, attempt, chunk, text: `"piece"\n${chunk}`, data } })
    }
    if (id === 'streaming') continue
    const complete = 'mutation ($input: CompleteMessageInput!) { completeMessage(input: $input) { replayed } }'
    await ada.get(complete, { input: { messageId: startMessage.message.id, attempt: startMessage.attempt, chunks: 2 } })
  }
}

/** Values that are easily lost, by type; no column is left NULL. */
const strange: Readonly<Record<string, string>> = {
  text: `'"\\\\ü \\n{"crc":"00000000"}' || chr(1) || chr(8232) || E'\\n\\r\\t'`,
  json: `'{"b":1.0, "a" :1e2,"a":"twice","2":2,"1":1,"big":123456789012345678901234567890.50}'`,
  jsonb: `'{"b": 1.0, "big": 123456789012345678901234567890.50, "1": "\\u00e9"}'`,
  bytea: `decode('00ff5c270a22', 'hex')`,
  'timestamp with time zone': `timestamptz '1066-10-14 09:00:00.000001+00'`,
  boolean: 'true',
  bigint: '281474976710655',
}

/** A row of each table, with a strange value in every column that has no rule of its own. */
async function addStrangeRows(client: Client, user: string): Promise<void> {
  const tables = await readTables(client)
  const key = `'${randomUUID()}'`
  const given: Record<string, string> = {
    key,
    conversation_key: key,
    seq: '1',
    user_id: `'${user}'`,
    parts_format: `'LANGCHAIN'`,
    status: `'STREAMING'`,
    author_kind: `'AGENT'`,
    rating: `'DOWN'`,
    deleted_at: 'null',
    last_seq: '1',
  }
  for (const table of dataTables) {
    const columns = tables[table]
    if (table === 'participant') given.role = `'MEMBER'`
    else given.role = `'TOOL'`
    const values = columns.map(({ name, type }) => given[name] ?? strange[type] ?? '7')
    await client.query(`insert into ${table} (${columns.map(({ name }) => name)}) values (${values})`)
  }
}

describe('an export', () => {
  test('has every table and every column, but for what is named as no data', async () => {
    const client = await bed.database.connect()
    const { rows } = await client.query<{ table: string; column: string }>(
      `select table_name as "table", column_name as column from information_schema.columns
       where table_schema = current_schema() and is_generated = 'NEVER'
         and table_name in (select tablename from pg_tables where schemaname = current_schema())`,
    )
    const [first] = await readExported(await transfers.export(bed.database.url))
    const exported = Object.entries(first?.colloquy.tables as Record<string, string[]>)
    const covered = exported.flatMap(([table, columns]) => columns.map((column) => `${table}.${column}`))
    const stored = rows.filter(({ table }) => !(table in notData)).map(({ table, column }) => `${table}.${column}`)
    expect(covered.sort()).toEqual(stored.sort())
    const tables = new Set(rows.map(({ table }) => table))
    expect(Object.keys(notData).filter((table) => !tables.has(table))).toEqual([])
  })

  test.each(['export.jsonl', 'export.jsonl.gz'])(
    'gives, imported, a database that is equal row by row: %s',
    async (name) => {
      await using source = await createDatabase()
      await using target = await createDatabase()
      const [from, to] = [await source.connect(), await target.connect()]
      {
        await using server = await serve(source.url)
        await fill(server.as())
      }
      await addStrangeRows(from, 'strange')
      const path = await transfers.export(source.url, null, transfers.path(name))
      const rows = await readRows(from)
      expect(Object.values(rows).every((list) => list.length > 0)).toBe(true)
      const imported = await transfers.import(target.url, path)
      expect(await readRows(to)).toEqual(rows)
      const counts = { conversations: rows.conversation?.length, messages: rows.message?.length }
      expect(imported).toEqual({ ...counts, there: 0, conflicts: 0, told: [] })
      // It is a database to work with, and what is exported of it is the same again.
      await using server = await serve(target.url)
      expect((await server.as().append('plain', 'five')).message.seq).toBe(5)
      const header = 1
      const lines = (await readExported(await transfers.export(source.url))).slice(header, -1)
      expect((await readExported(path)).slice(header, -1)).toEqual(lines)
    },
  )

  test('keeps a column that a later version adds', async () => {
    await using source = await createDatabase()
    await using target = await createDatabase()
    const [from, to] = [await source.connect(), await target.connect()]
    for (const client of [from, to]) await client.query('alter table message add column flavour text')
    await addStrangeRows(from, 'ada')
    await transfers.import(target.url, await transfers.export(source.url))
    expect(await readRows(to)).toEqual(await readRows(from))
  })

  test('of one user has the conversations of that user and no other', async () => {
    const [one, other] = [`o'ne\\`, 'other']
    for (const user of [one, other]) await bed.server.as({ 'x-user-id': user }).append('c', user)
    const lines = await readExported(await transfers.export(bed.database.url, one))
    expect(lines.map((line) => line.conversation?.user_id ?? line.message?.content ?? Object.keys(line)[0])).toEqual([
      'colloquy',
      one,
      one,
      'end',
    ])
    expect(lines[0]?.colloquy.userId).toBe(one)
  })

  // On Citus, it has each conversation as it is when its turn comes.
  test.skipIf(engine.spreads)('has nothing of what is written after it began', async () => {
    const ada = bed.server.as({ 'x-user-id': 'moment' })
    await ada.append('c', 'before')
    await using client = await connect(bed.database.url)
    const bytes = exportDatabase(client, { userId: 'moment' })
    const chunks = [(await bytes.next()).value]
    await ada.append('c', 'after')
    await ada.append('d', 'after')
    for await (const chunk of bytes) chunks.push(chunk)
    const text = Buffer.concat(chunks as Buffer[]).toString()
    expect([text.includes('before'), text.includes('after')]).toEqual([true, false])
    expect(text).toContain('{"end":{"conversations":1,"messages":1,')
  })

  test('has each conversation whole, while others write', async () => {
    const users = Array.from({ length: 8 }, (_, n) => bed.server.as({ 'x-user-id': `writer ${n}` }))
    for (const user of users) await user.append('c', 'before')
    let isOver = false
    const writers = users.map(async (user) => {
      while (!isOver) await user.append('c', 'm')
    })
    const paths: string[] = []
    while (paths.length < 3) paths.push(await transfers.export(bed.database.url))
    isOver = true
    await Promise.all(writers)
    for (const path of paths) {
      const lines = await readExported(path)
      const conversations = lines.filter((line) => line.conversation?.user_id.startsWith('writer'))
      expect(conversations).toHaveLength(users.length)
      for (const conversation of conversations) {
        const from = lines.indexOf(conversation) + 1
        const { last_seq: count } = conversation.conversation
        const seqs = lines.slice(from, from + count).map((line) => line.message.seq)
        expect(seqs).toEqual(Array.from({ length: count }, (_, n) => n + 1))
        expect(lines[from + count]?.message).toBeUndefined()
      }
    }
  })

  test('holds little in memory: a reader that takes nothing holds up PostgreSQL', async () => {
    await using source = await createDatabase()
    const asker = await source.connect()
    await addMany(asker, 4, 500, 20_000)
    await using client = await connect(source.url)
    const bytes = exportDatabase(client, { userId: null })
    await bytes.next()
    let largest = (await bytes.next()).value?.length ?? 0
    const waits = `select from pg_stat_activity where application_name = 'colloquy transfer' and wait_event = 'ClientWrite'
      and datname = current_database()`
    await until(async () => (await asker.query(waits)).rowCount === 1)
    let all = 0
    for await (const chunk of bytes) {
      all += chunk.length
      largest = Math.max(largest, chunk.length)
    }
    expect(all).toBeGreaterThan(30_000_000)
    expect(largest).toBeLessThan(1_000_000)
  })

  test('leaves no file, and the file of before, when it fails', async () => {
    await using bare = await createDatabase('bare')
    const path = await transfers.write('of before')
    await expect(transfers.export(bare.url, null, path)).rejects.toThrow('its tables were never made')
    expect(await readFile(path, 'utf8')).toBe('of before')
    const lost = exportToFile(bed.database.url, `${transfers.folder}/none/x`, { userId: null })
    await expect(lost).rejects.toThrow('ENOENT')
  })
})

/** Conversations of a user `many`, with messages of so many characters. */
async function addMany(client: Client, conversations: number, messages: number, characters: number): Promise<void> {
  await client.query(
    `insert into conversation (key, epoch, user_id, id, last_seq, revision, changed_revision, created_at, updated_at)
     select gen_random_uuid(), n, 'many', 'c' || n, $2::int, 1, 1, now(), now() from generate_series(1, $1::int) n`,
    [conversations, messages],
  )
  await client.query(
    `insert into message (conversation_key, seq, role, content, size, created_at, updated_at)
     select c.key, seq, 'USER', repeat('x', $2::int), $2::int, now(), now()
     from conversation c, generate_series(1, $1::int) seq where c.user_id = 'many'`,
    [messages, characters],
  )
}

describe('a file that is no longer what it was', () => {
  let path: string
  let bytes: Buffer
  let lines: string[]
  let target: TestDatabase

  beforeAll(async () => {
    for (const id of ['a', 'b']) for (let n = 0; n < 5; n++) await bed.server.as().append(id, `message ${n}`)
    path = await transfers.export(bed.database.url)
    bytes = await readFile(path)
    lines = bytes.toString().split('\n').slice(0, -1)
    expect(lines.length).toBeGreaterThan(10)
  })

  const join = (some: string[]) => `${some.join('\n')}\n`

  async function refusal(content: string | Buffer, name?: string): Promise<string> {
    target = await createDatabase()
    await using _ = target
    const file = await transfers.write(content, name)
    const error = await transfers.import(target.url, file).then(
      () => new Error('it was imported'),
      (thrown: Error) => thrown,
    )
    const rows = await readRows(await target.connect())
    expect(Object.values(rows).flat()).toEqual([])
    return error.message.replace(file, 'FILE')
  }

  test('is refused with the number of a damaged line, and nothing is stored', async () => {
    for (const number of [2, 5, lines.length]) {
      const damaged = lines.map((line, n) =>
        n === number - 1 ? line.replace(/:(\d)/, (_, d) => `:${(+d + 1) % 10}`) : line,
      )
      expect(await refusal(join(damaged))).toBe(`FILE: line ${number} is damaged: its checksum is another`)
    }
    const blank = join([...lines.slice(0, 3), '', ...lines.slice(3)])
    expect(await refusal(blank)).toBe('FILE: line 4 is damaged: its checksum is another')
  })

  test('is refused where lines are missing, doubled, or come in another order', async () => {
    const told = (number: number) => `FILE: line ${number} says that lines before it are missing or others`
    const at = lines.findIndex((line) => line.startsWith('{"message"'))
    const without = lines.filter((_, n) => n !== at)
    expect(await refusal(join(without))).toBe(told(lines.length - 1))
    const doubled = lines.flatMap((line, n) => (n === at ? [line, line] : [line]))
    expect(await refusal(join(doubled))).toBe(told(lines.length + 1))
    const moved = [...without.slice(0, -1), lines[at] as string, lines.at(-1) as string]
    expect(await refusal(join(moved))).toBe(told(lines.length))
    expect(await refusal(join([...lines, lines[2] as string]))).toBe(
      `FILE: line ${lines.length + 1} stands behind the end`,
    )
    expect(await refusal(join([lines[0] as string, lines[at] as string]))).toBe('FILE: line 2 is of no conversation')
    expect(await refusal(join([lines[0] as string, lines[0] as string]))).toBe('FILE: line 2 is a second header')
  })

  test('is refused where it is cut off, packed or not', async () => {
    const cut = (number: number) => `FILE is cut off after line ${number}: its end is missing`
    expect(await refusal(join(lines.slice(0, -1)))).toBe(cut(lines.length - 1))
    expect(await refusal(bytes.subarray(0, -1))).toBe(cut(lines.length))
    expect(await refusal(join(lines.slice(0, 4)).slice(0, -5))).toBe(cut(4))
    const packed = gzipSync(bytes)
    expect(gunzipSync(packed)).toEqual(bytes)
    expect(await refusal(packed.subarray(0, -20))).toMatch(
      /^FILE is cut off after line \d+: it cannot be unpacked further$/,
    )
    const bent = Buffer.from(packed)
    const middle = packed.length >> 1
    bent.fill(0xff, middle, middle + 50)
    expect(await refusal(bent)).toMatch(/^FILE(: line \d+ is damaged:| is damaged after line \d+:)/)
  })

  test('is refused when it is of a later version, or no export', async () => {
    for (const content of ['', '{}', '[{"id": "c", "messages": []}]\n', gzipSync('{}')]) {
      expect(await refusal(content)).toBe('FILE is no export of Colloquy: it does not begin with {"colloquy":')
    }
    const header = JSON.parse(lines[0] as string).colloquy
    const sealed = (changes: object) => {
      const sealer = new Sealer()
      const head = sealer.seal([Buffer.from(unclosed({ colloquy: { ...header, ...changes } }))])
      return Buffer.concat([head, sealer.end()])
    }
    expect(await refusal(sealed({ version: 2 }))).toBe(
      'FILE was written by a later version of Colloquy; import it with that version',
    )
    const later = 'FILE is of a later version of Colloquy: it'
    const end = ', which this version does not know; import it with that version'
    expect(await refusal(sealed({ migration: 'Migration99999' }))).toBe(
      `${later} was exported after Migration99999${end}`,
    )
    const tables = { ...header.tables, message: [...header.tables.message, 'flavour'], taste: ['of'] }
    expect(await refusal(sealed({ tables }))).toBe(`${later} has message.flavour, taste.of${end}`)
  })

  test('is told with its lines where PostgreSQL takes no row of it, and nothing of that conversation is stored', async () => {
    await using empty = await createDatabase()
    const sealer = new Sealer()
    const open = (line: string) => Buffer.from(line.slice(0, line.lastIndexOf(',"crc"')))
    const at = lines.findIndex((line) => line.startsWith('{"message"'))
    const bad = (lines[at] as string).replace(/"role":"\w+"/, '"role":"NOBODY"')
    const content = Buffer.concat([
      sealer.seal([open(lines[0] as string), open(lines[at - 1] as string), open(bad)]),
      sealer.end(),
    ])
    const file = await transfers.write(content)
    await expect(transfers.import(empty.url, file)).rejects.toThrow(
      `${file}: line 3 cannot be stored: new row for relation "message`,
    )
    expect(Object.values(await readRows(await empty.connect())).flat()).toEqual([])
  })
})

describe('an import', () => {
  test.each(['import', 'restore'] as const)(
    'that breaks off goes on where it was, and ends the same: %s',
    async (kind) => {
      await using source = await createDatabase()
      await using target = await createDatabase()
      const [from, to] = [await source.connect(), await target.connect()]
      await addMany(from, 300, 20, 3_000)
      const path = await transfers.export(source.url)
      const late = (await readExported(path)).filter((line) => line.conversation)[250]?.conversation.id
      await to.query(`alter table conversation add constraint broken check (id <> '${late}')`)
      await expect(transfers.import(target.url, path, kind)).rejects.toThrow('violates check constraint "broken')
      await to.query('alter table conversation drop constraint broken')
      const half = await readRows(to)
      const stored = half.conversation?.length as number
      expect([stored > 0, stored <= 250, half.message?.length]).toEqual([true, true, stored * 20])
      const rest = { conversations: 300 - stored, messages: (300 - stored) * 20, there: stored, conflicts: 0 }
      expect(await transfers.import(target.url, path, kind)).toMatchObject(rest)
      const [all, wanted] = [await readRows(to), await readRows(from)]
      expect(all.message).toEqual(wanted.message)
      expect(all.conversation).toEqual(expect.arrayContaining(half.conversation as string[]))
      expect(all.conversation).toHaveLength(300)
      if (kind === 'restore') return
      expect(all.conversation).toEqual(wanted.conversation)
      expect(await transfers.import(target.url, path)).toMatchObject({ conversations: 0, messages: 0, there: 300 })
    },
  )

  test('leaves a conversation as it is whose key is there with another epoch, says so, and stores the others', async () => {
    await using source = await createDatabase()
    await using target = await createDatabase()
    const to = await target.connect()
    {
      await using one = await serve(source.url)
      for (const id of ['mine', 'theirs', 'late']) await one.as().append(id, 'of the file')
      await using other = await serve(target.url)
      await other.as().append('theirs', 'of the database')
    }
    const before = await readRows(to)
    const path = await transfers.export(source.url)
    const imported = await transfers.import(target.url, path)
    expect(imported).toMatchObject({ conversations: 2, messages: 2, there: 0, conflicts: 1 })
    const line = (await readExported(path)).findIndex(({ conversation }) => conversation?.id === 'theirs') + 1
    expect(imported.told).toEqual([
      `${path}: line ${line}: the conversation "theirs" of "ada" is there already, and is another one; it stays as it is`,
    ])
    const after = await readRows(to)
    expect(after.message).toEqual(expect.arrayContaining(before.message as string[]))
    expect(after.conversation).toEqual(expect.arrayContaining(before.conversation as string[]))
    expect([after.conversation?.length, after.message?.length]).toEqual([3, 3])
  })

  test('gives what a line of an earlier version does not have its default', async () => {
    await using source = await createDatabase()
    await using target = await createDatabase()
    const [from, to] = [await source.connect(), await target.connect()]
    await addMany(from, 1, 1, 1)
    const path = await transfers.export(source.url)
    await to.query("alter table message add column flavour text not null default 'plain', add column smell text")
    await transfers.import(target.url, path)
    expect((await to.query('select flavour, smell, content from message')).rows).toEqual([
      { flavour: 'plain', smell: null, content: 'x' },
    ])
  })

  test('is refused while a server is there, also when that is idle and its pool has no connection', async () => {
    const path = await transfers.export(bed.database.url)
    const client = await bed.database.connect()
    await bed.server.as().append('c', 'm')
    const pooled = "from pg_stat_activity where datname = current_database() and application_name = 'colloquy'"
    for (const closed of [false, true]) {
      if (closed) {
        await client.query(`select pg_terminate_backend(pid) ${pooled}`)
        await until(async () => (await client.query(`select ${pooled}`)).rowCount === 0)
      }
      await expect(transfers.import(bed.database.url, path)).rejects.toThrow('Servers are connected to the database')
    }
  })

  test('ends cursors of lists from before it, and no others', async () => {
    await using source = await createDatabase()
    await using target = await createDatabase()
    const list = '{ conversations(first: 1) { cursor nodes { cursor } } }'
    const follow = 'subscription ($after: String) { conversationsChanged(after: $after) { __typename cursor } }'
    let [cursor, own] = ['', '']
    {
      await using one = await serve(source.url)
      await one.as().append('brought', 'm')
      await using other = await serve(target.url)
      await other.as().append('c', 'm')
      const { conversations } = await other.as().get(list)
      cursor = conversations.cursor
      own = conversations.nodes[0].cursor
    }
    await transfers.import(target.url, await transfers.export(source.url))
    await using server = await serve(target.url)
    {
      await using feed = server.as().subscribe(follow, { after: cursor })
      expect((await feed.next())?.errors?.[0]?.extensions.code).toBe('CURSOR_EXPIRED')
    }
    const { conversations } = await server.as().get(list)
    for (const after of [conversations.cursor, '']) {
      await using feed = server.as().subscribe(follow, { after })
      expect((await feed.next())?.errors).toBeUndefined()
    }
    // The conversation's own cursor is as good as it was.
    const changes = 'query ($after: String) { changes(conversationId: "c", after: $after) { events { __typename } } }'
    expect((await server.as().get(changes, { after: own })).changes.events).toEqual([])
  })
})
