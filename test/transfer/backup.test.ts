import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { findRunningDatabase, startEmbeddedDatabase } from '../../src/database/embedded/embedded.ts'
import { startServer } from '../../src/server/server.ts'
import { exportToFile } from '../../src/transfer/export-database.ts'
import { importAlone } from '../../src/transfer/import-alone.ts'
import { renewEpochs } from '../../src/transfer/renew-epochs.ts'
import { Api } from '../support/api.ts'
import { createDatabase } from '../support/database/database.ts'
import { loneDatabase, pool, readExported, useTransfers } from '../support/program/transfer.ts'
import { serve } from '../support/server.ts'

const transfers = useTransfers()
const untold = { pool, tell: () => {}, onConflict: () => {} }

const append = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) {
  message { id seq } messageEdge { cursor } conversation { id cursor } } }`
const page =
  'query ($after: String) { conversation(id: "c") { messages(first: 100, after: $after) { nodes { seq content } } } }'
const changes = 'query ($after: String) { changes(conversationId: "c", after: $after) { hasMore } }'
const appended =
  'subscription ($after: String) { messageAppended(conversationId: "c", after: $after) { node { seq } } }'
const listChanged = 'subscription ($after: String) { conversationsChanged(after: $after) { __typename } }'
const node = 'query ($id: ID!) { node(id: $id) { id } }'

/** What a client holds. */
interface Held {
  /** Of the conversation `c`, by what it is asked with. */
  readonly cursors: readonly (readonly [query: string, after: string])[]
  readonly listCursor: string
  readonly messageId: string
}

async function hold(ada: Api): Promise<Held> {
  const input = { conversationId: 'c', ifMissing: 'CREATE', message: { role: 'USER', content: 'held' } }
  const { appendMessage } = await ada.get(append, { input })
  const { conversations } = await ada.get('{ conversations(first: 1) { cursor } }')
  const edge = appendMessage.messageEdge.cursor
  const cursors = [
    [page, edge],
    [changes, edge],
    [changes, appendMessage.conversation.cursor],
  ] as const
  return { cursors, listCursor: conversations.cursor, messageId: appendMessage.message.id }
}

/** Nothing that is held leads to something else. */
async function expectExpired(ada: Api, { cursors, listCursor, messageId }: Held): Promise<void> {
  for (const [query, after] of cursors) {
    expect((await ada.fail(query, { after })).extensions.code).toBe('CURSOR_EXPIRED')
  }
  for (const [query, after] of [
    [appended, cursors[0]?.[1]],
    [listChanged, listCursor],
  ] as const) {
    await using feed = ada.subscribe(query, { after })
    expect((await feed.next())?.errors?.[0]?.extensions.code).toBe('CURSOR_EXPIRED')
  }
  expect(await ada.get(node, { id: messageId })).toEqual({ node: null })
}

async function expectServing(ada: Api, { cursors, listCursor, messageId }: Held): Promise<void> {
  for (const [query, after] of cursors) expect((await ada.ask(query, { after })).errors).toBeUndefined()
  await using feed = ada.subscribe(listChanged, { after: listCursor })
  expect((await feed.next())?.errors).toBeUndefined()
  expect(await ada.get(node, { id: messageId })).toEqual({ node: { id: messageId } })
}

test('a backup that is made while appends run brings everything back that was acknowledged before it, after the folder is gone', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'colloquy-backup-'))
  try {
    const config = readConfig({ PORT: '0', DATA_DIR: join(folder, 'data'), RATE_LIMIT: 'off' })
    const start = () => startServer(config, pino({ level: 'silent' }), () => {})
    const path = join(folder, 'backup.jsonl.gz')
    let acknowledged = 0
    let held: Held
    {
      await using server = await start()
      const ada = new Api(server.url, { 'x-user-id': 'ada' })
      let isOver = false
      let last = 0
      const writers = Array.from({ length: 4 }, async (_, writer) => {
        while (!isOver) last = Math.max(last, (await ada.append('c', `of ${writer}`)).message.seq)
      })
      await ada.append('c', 'first')
      acknowledged = last
      await exportToFile((await findRunningDatabase(config.dataDir)) ?? '', path, { userId: null })
      isOver = true
      await Promise.all(writers)
      held = await hold(ada)
      await expectServing(ada, held)
    }
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    expect((await readdir(folder)).sort()).toEqual(['backup.jsonl.gz', 'data'])
    await rm(join(folder, 'data'), { recursive: true })
    const second = join(folder, 'second.jsonl')
    {
      await using embedded = await startEmbeddedDatabase({ directory: config.dataDir })
      await importAlone(loneDatabase(embedded.url), path, 'restore', untold)
      await exportToFile(embedded.url, second, { userId: null })
    }
    const [first, again] = [await readExported(path), await readExported(second)]
    expect(again.filter((line) => line.message)).toEqual(first.filter((line) => line.message))

    await using server = await start()
    const ada = new Api(server.url, { 'x-user-id': 'ada' })
    const stored = again.filter((line) => line.message).map((line) => line.message.seq)
    expect(stored.length).toBeGreaterThanOrEqual(acknowledged)
    expect(stored).toEqual(stored.map((_, n) => n + 1))
    await expectExpired(ada, held)
    await expectServing(ada, await hold(ada))
    const { message } = await ada.append('c', 'after')
    expect(message.seq).toBe(stored.length + 2)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

describe('a restore', () => {
  test('needs an empty database, and one that broke off goes on; until then no server starts', async () => {
    await using source = await createDatabase()
    await using target = await createDatabase()
    const to = await target.connect()
    {
      await using server = await serve(source.url)
      for (let n = 0; n < 20; n++) await server.as().append(`c${n}`, 'm')
    }
    const path = await transfers.export(source.url)
    const other = await transfers.export(source.url, 'nobody')
    await to.query("alter table conversation add constraint broken check (id <> 'c7')")
    await expect(transfers.import(target.url, path, 'restore')).rejects.toThrow('violates check constraint "broken')
    await to.query('alter table conversation drop constraint broken')
    await expect(serve(target.url)).rejects.toThrow('A restore into this database has not ended')
    for (const kind of ['restore', 'import'] as const) {
      await expect(transfers.import(target.url, other, kind)).rejects.toThrow('A restore of another file')
    }
    const { conversations, there, conflicts } = await transfers.import(target.url, path, 'restore')
    expect([conversations + there, conflicts]).toEqual([20, 0])
    const epochs = async (url: typeof to) =>
      (await url.query('select epoch from conversation')).rows.map(({ epoch }) => epoch as string)
    const before = await epochs(await source.connect())
    const after = await epochs(to)
    expect(after.filter((epoch) => before.includes(epoch))).toEqual([])
    expect(new Set(after).size).toBe(20)
    await expect(transfers.import(target.url, path, 'restore')).rejects.toThrow('a restore needs an empty one')
    await using server = await serve(target.url)
    expect((await server.as().get('{ conversations(first: 50) { nodes { id } } }')).conversations.nodes).toHaveLength(
      20,
    )
  })
})

describe('new epochs, after PostgreSQL was taken back', () => {
  test('end what clients hold, and change nothing else', async () => {
    await using database = await createDatabase()
    const client = await database.connect()
    let held: Held
    {
      await using server = await serve(database.url)
      held = await hold(server.as())
      await server.as().append('other', 'm')
      await server.as().append('gone', 'm')
      await server.as().get('mutation { deleteConversation(input: { id: "gone" }) { deletedConversationId } }')
      await expect(renewEpochs(loneDatabase(database.url), pool, () => {})).rejects.toThrow('Servers are connected')
    }
    const withoutEpochs = async () =>
      (await client.query("select to_jsonb(c) - 'epoch' as row from conversation c order by key")).rows
    const rows = await withoutEpochs()
    const epochs = (await client.query('select epoch from conversation order by key')).rows
    expect(await renewEpochs(loneDatabase(database.url), pool, () => {})).toBe(3)
    expect(await withoutEpochs()).toEqual(rows)
    const renewed = (await client.query('select epoch from conversation order by key')).rows
    expect(renewed.filter(({ epoch }, n) => epoch === epochs[n]?.epoch)).toEqual([])
    await using server = await serve(database.url)
    await expectExpired(server.as(), held)
    await expectServing(server.as(), await hold(server.as()))
  })
})
