import { Client } from 'pg'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { blocked } from '../support/database/blocked.ts'
import { withDatabase } from '../support/database/database-url.ts'
import { hold } from '../support/database/hold.ts'
import { Wire } from '../support/network/wire.ts'
import { until } from '../support/until.ts'

const append = 'mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { message { seq } } }'
const update = 'mutation { updateConversation(input: { id: "c", title: "t" }) { conversation { id } } }'
const read = '{ conversation(id: "c") { messages { nodes { seq } } } }'
const follow = 'subscription { messageAppended(conversationId: "c", after: "") { node { seq } } }'
const input = { conversationId: 'c', ifMissing: 'CREATE', message: { role: 'USER', content: 'x' } }

describe('a database that is away', () => {
  const bed = useBed()

  /** Runs SQL in another database of the cluster; `$name` is the name of this one. */
  async function administer(...statements: string[]): Promise<void> {
    const { nodes } = inject('cluster')
    const client = new Client({ connectionString: withDatabase(nodes[0], 'postgres') })
    await client.connect()
    const name = new URL(bed.database.url).pathname.slice(1)
    try {
      for (const sql of statements) await client.query(sql.replaceAll('$name', name))
    } finally {
      await client.end()
    }
  }

  /** @throws any error but that of a database that somebody is connected to */
  const isUnused = (error: { code?: string }) => {
    if (error.code === '55006') return false
    throw error
  }

  const terminate = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '$name'"
  const closed = 'alter database $name allow_connections false'
  const opened = 'alter database $name_away allow_connections true'
  const undo: string[] = []
  afterEach(() => administer(...undo.splice(0)))

  const ways: [string, string, string][] = [
    [
      'takes no connections',
      'alter database $name allow_connections false',
      'alter database $name allow_connections true',
    ],
    ['has another name', 'alter database $name rename to $name_away', 'alter database $name_away rename to $name'],
  ]

  test.each(ways)(
    'is UNAVAILABLE in every way of asking, and everything goes on when it is back: %s',
    async (_how, away, back) => {
      const ada = bed.server.as()
      await ada.append('c', 'x')
      const { lastSeq } = (await ada.get('{ conversation(id: "c") { lastSeq } }')).conversation
      await using wire = await Wire.open(bed.server.url)
      if (away.includes('rename')) {
        // PostgreSQL renames no database that is in use: nobody may come back, and who was just coming is not seen at first.
        await administer(closed)
        await until(() => administer(terminate, away).then(() => true, isUnused))
        await administer(opened)
      } else await administer(away, terminate)
      undo.push(back)

      const unavailable = {
        message: expect.stringContaining('try again'),
        extensions: { code: 'UNAVAILABLE' },
      }
      for (const [query, variables] of [[read], [append, { input }], [update]] as const) {
        expect((await ada.ask(query, variables)).errors).toEqual([expect.objectContaining(unavailable)])
        expect((await wire.ask(query, variables)).errors).toEqual([expect.objectContaining(unavailable)])
      }
      expect((await wire.ask(follow)).errors).toEqual([expect.objectContaining(unavailable)])
      expect((await fetch(`${bed.server.url}/readyz`)).status).toBe(503)
      expect((await fetch(`${bed.server.url}/healthz`)).status).toBe(200)

      await administer(...undo.splice(0))
      expect((await ada.append('c', 'y')).message.seq).toBe(lastSeq + 1)
      expect((await wire.ask(read)).data.conversation.messages.nodes).toHaveLength(lastSeq + 1)
      expect((await wire.ask(follow)).data.messageAppended.node.seq).toBe(1)
      expect((await fetch(`${bed.server.url}/readyz`)).status).toBe(200)
    },
  )

  test('is UNAVAILABLE for a statement whose connection is cut, and the next one is answered', async () => {
    const ada = bed.server.as()
    await ada.append('cut', 'x')
    const client = await bed.database.connect()
    await client.query('begin')
    await client.query('lock table message in access exclusive mode')
    const asked = ada.fail('{ conversation(id: "cut") { lastMessage { seq } } }')
    for (const pid of await blocked(client)) await client.query('select pg_terminate_backend($1::int)', [pid])
    expect((await asked).extensions).toEqual({ code: 'UNAVAILABLE' })
    await client.query('commit')
    expect(await ada.get('{ conversation(id: "cut") { lastMessage { seq } } }')).toEqual({
      conversation: { lastMessage: { seq: 1 } },
    })
  })
})

describe('sessions that take no writes, as those of a server that was a primary', () => {
  const bed = useBed({ POOL_SIZE: '2' })

  test('are UNAVAILABLE for writes, and leave the pool after the first one', async () => {
    const ada = bed.server.as()
    await ada.append('c', 'x')
    const start = 'mutation { startMessage(input: { conversationId: "c" }) { attempt } }'
    const client = await bed.database.connect()
    const name = new URL(bed.database.url).pathname.slice(1)
    for (const [query, variables] of [[append, { input }], [start], [update]] as const) {
      await client.query(`alter database ${name} set default_transaction_read_only = on`)
      await client.query(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1 and application_name = 'colloquy'",
        [name],
      )
      await ada.get(read)
      expect((await ada.fail(query, variables)).extensions).toEqual({ code: 'UNAVAILABLE' })
      await client.query(`set transaction_read_only = off; alter database ${name} reset default_transaction_read_only`)
      await ada.get(query, variables)
    }
  })
})

describe('a database that takes no writes', () => {
  // The first window waits until the tokenizer is loaded.
  const bed = useBed({ REQUEST_TIMEOUT_MS: '120000' })

  test('is UNAVAILABLE for writes, answers reads and windows, and /readyz says so', async () => {
    const ada = bed.server.as()
    await ada.append('c', 'x')
    const client = await bed.database.connect()
    const name = new URL(bed.database.url).pathname.slice(1)
    const terminate =
      "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1 and application_name = 'colloquy'"
    const health = async () => {
      const response = await fetch(`${bed.server.url}/readyz`)
      return [response.status, ((await response.json()) as { status: string }).status]
    }
    expect(await health()).toEqual([200, 'ready'])
    await client.query(`alter database ${name} set default_transaction_read_only = on`)
    await client.query(terminate, [name])

    for (const [query, variables] of [[append, { input }], [update]] as const) {
      expect((await ada.fail(query, variables)).extensions).toEqual({ code: 'UNAVAILABLE' })
    }
    expect((await ada.get(read)).conversation.messages.nodes).toHaveLength(1)
    const window = '{ conversation(id: "c") { context(format: OPENAI_CHAT, maxTokens: 1000) { messages } } }'
    expect((await ada.get(window)).conversation.context.messages).toEqual([{ role: 'user', content: 'x' }])
    expect(await health()).toEqual([200, 'ready, but the database takes no writes'])

    await client.query(`set transaction_read_only = off; alter database ${name} reset default_transaction_read_only`)
    await client.query(terminate, [name])
    expect((await ada.append('c', 'y')).message.seq).toBe(2)
    expect(await health()).toEqual([200, 'ready'])
  })
})

describe('a database that is busy', () => {
  const bed = useBed({ LOCK_TIMEOUT_MS: '50' })

  test('is UNAVAILABLE for a write that waits too long for a row, and nothing is stored', async () => {
    const ada = bed.server.as()
    await ada.append('held', 'x')
    const client = await hold(bed.database, 'held')
    const error = await ada.fail(append, { input: { ...input, conversationId: 'held' } })
    expect(error.extensions).toEqual({ code: 'UNAVAILABLE' })
    await client.query('commit')
    expect((await ada.append('held', 'y')).message.seq).toBe(2)
  })
})

describe('a statement that runs too long', () => {
  // The statements that are not held up need some time too.
  const bed = useBed({ STATEMENT_TIMEOUT_MS: '2000' })

  test('is ended, and UNAVAILABLE', async () => {
    const ada = bed.server.as()
    await ada.append('slow', 'x')
    const client = await bed.database.connect()
    await client.query('begin')
    await client.query('lock table message in access exclusive mode')
    const error = await ada.fail('{ conversation(id: "slow") { lastMessage { seq } } }')
    expect(error.extensions).toEqual({ code: 'UNAVAILABLE' })
    await client.query('commit')
    await ada.get('{ conversation(id: "slow") { lastMessage { seq } } }')
  })
})

describe('a pool that has no connection left', () => {
  // Those who get a connection wait for it to be made.
  const bed = useBed({ POOL_SIZE: '2', POOL_TIMEOUT_MS: '3000' })

  test('is UNAVAILABLE, and those who have one are answered', async () => {
    const ada = bed.server.as()
    await ada.append('pool', 'x')
    const lastMessage = '{ conversation(id: "pool") { lastMessage { seq } } }'
    const client = await bed.database.connect()
    await client.query('begin')
    await client.query('lock table message in access exclusive mode')
    const waiting = [ada.get(lastMessage), ada.get(lastMessage)]
    await blocked(client, 2)
    const response = await ada.post(JSON.stringify({ query: lastMessage }))
    expect(response.headers.get('retry-after')).toBe('1')
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAVAILABLE' } }] })
    await client.query('commit')
    expect(await Promise.all(waiting)).toEqual(Array(2).fill({ conversation: { lastMessage: { seq: 1 } } }))
  })
})
