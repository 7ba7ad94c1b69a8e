import type { Client } from 'pg'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { type Batch, Feed } from '../../src/live/feed.ts'
import { SharedReads } from '../../src/live/shared-reads.ts'
import { states, Watchers } from '../../src/live/watchers.ts'
import { AnswerMemory } from '../../src/storage/postgres/answer-budget.ts'
import { textHint } from '../../src/storage/postgres/store.ts'
import type { Answer, Api, Results } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { Socket } from '../support/network/socket.ts'
import { expectNothingOpenAfterEach } from '../support/nothing-open.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const bed = useBed({ POOL_SIZE: '8' })

const appended = `subscription ($id: ID!, $after: String) {
  messageAppended(conversationId: $id, after: $after) { cursor node { seq content conversationId } }
}`

const create = 'mutation ($id: ID!) { createConversation(input: { id: $id }) { conversation { cursor } } }'
const remove = 'mutation ($id: ID!) { deleteConversation(input: { id: $id }) { deletedConversationId } }'
const appendMany = `mutation ($input: AppendMessagesInput!) {
  appendMessages(input: $input) { messageEdges { cursor } }
}`

expectNothingOpenAfterEach(bed)

/** Appends `count` messages in batches, each with its number as content, padded to `bytes`. */
async function fill(api: Api, conversationId: string, count: number, bytes = 0): Promise<void> {
  const perBatch = bytes > 0 ? 50 : 100
  for (let from = 1; from <= count; from += perBatch) {
    const messages = Array.from({ length: Math.min(perBatch, count - from + 1) }, (_, index) => {
      return { role: 'USER', content: String(from + index).padEnd(bytes, ' ') }
    })
    await api.get(appendMany, { input: { conversationId, ifMissing: 'CREATE', messages } })
  }
}

const seqOf = (answer: Answer | null): number => answer?.data.messageAppended.node.seq
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index)

async function seqs(results: Results, count: number): Promise<number[]> {
  return (await results.take(count)).map(seqOf)
}

/** The code of the one answer of a subscription that is refused. */
async function refusal(results: Results) {
  await using _ = results
  const answer = await results.next()
  expect(await results.next()).toBeNull()
  return answer?.errors?.[0]
}

test('6 feeds: from "" comes what is there, in order, and then what is appended', async () => {
  const ada = bed.server.as()
  await fill(ada, 'replay', 45)
  await using feed = ada.subscribe(appended, { id: 'replay', after: '' })
  expect(await seqs(feed, 45)).toEqual(upTo(45))
  await ada.append('replay', 'live')
  const live = await feed.next()
  expect(live?.data.messageAppended.node).toEqual({ seq: 46, content: 'live', conversationId: 'replay' })
})

test("6 feeds: from an edge's cursor comes everything after it, whether a page, an append or a feed gave it", async () => {
  const ada = bed.server.as()
  await fill(ada, 'edge', 4)
  const { messageEdge } = await ada.append('edge', 'five')
  await fill(ada, 'edge', 2)
  const page = await ada.get('{ conversation(id: "edge") { messages(last: 3) { edges { cursor node { seq } } } } }')
  await using fromAppend = ada.subscribe(appended, { id: 'edge', after: messageEdge.cursor })
  expect(await seqs(fromAppend, 2)).toEqual([6, 7])
  await using fromPage = ada.subscribe(appended, { id: 'edge', after: page.conversation.messages.edges[0].cursor })
  const [six] = await fromPage.take(1)
  expect(seqOf(six ?? null)).toBe(6)
  await using fromFeed = ada.subscribe(appended, { id: 'edge', after: six?.extensions?.cursor })
  expect(await seqs(fromFeed, 1)).toEqual([7])
})

test('6 feeds: from Conversation.cursor of an empty conversation comes all of it', async () => {
  const ada = bed.server.as()
  const { createConversation } = await ada.get(create, { id: 'empty' })
  await using feed = ada.subscribe(appended, { id: 'empty', after: createConversation.conversation.cursor })
  await fill(ada, 'empty', 3)
  expect(await seqs(feed, 3)).toEqual([1, 2, 3])
})

test('6 feeds: what is appended between reading Conversation.cursor and subscribing is delivered', async () => {
  const ada = bed.server.as()
  await fill(ada, 'between', 2)
  const { conversation } = await ada.get('{ conversation(id: "between") { cursor lastMessage { seq } } }')
  await ada.append('between', 'meanwhile')
  await using feed = ada.subscribe(appended, { id: 'between', after: conversation.cursor })
  expect(await seqs(feed, 1)).toEqual([conversation.lastMessage.seq + 1])
})

test.for([[{}], [{ after: null }]])(
  '6 feeds: without `after`, %o, comes only what is appended from now on',
  async ([more]) => {
    const ada = bed.server.as()
    const id = `now-${JSON.stringify(more)}`
    await fill(ada, id, 3)
    await using feed = ada.subscribe(appended, { id, ...more })
    const first = feed.next()
    let isThere = false
    void first.then(() => {
      isThere = true
    })
    // Nothing tells when a subscription has begun, so this appends until the first result is there.
    let last = 3
    while (!isThere) last = (await ada.append(id, 'on')).message.seq
    const begun = seqOf(await first)
    expect(begun).toBeGreaterThan(3)
    await ada.append(id, 'end')
    expect(await seqs(feed, last + 1 - begun)).toEqual(upTo(last + 1, begun + 1))
  },
)

test('6 feeds: every result has its cursor in extensions, also when the selection leaves it out', async () => {
  const ada = bed.server.as()
  await fill(ada, 'extensions', 30)
  await using feed = ada.subscribe(appended, { id: 'extensions', after: '' })
  const results = await feed.take(30)
  for (const { data, extensions } of results) expect(extensions).toEqual({ cursor: data.messageAppended.cursor })
  const narrow = 'subscription { messageAppended(conversationId: "extensions", after: "") { node { role } } }'
  await using other = ada.subscribe(narrow)
  expect((await other.take(30)).map((result) => result.extensions?.cursor)).toEqual(
    results.map(({ data }) => data.messageAppended.cursor),
  )
})

test('6 feeds: cut at any moment and resumed with the last cursor, it brings everything once and in order', async () => {
  const ada = bed.server.as()
  const writers = 8
  const each = 40
  await ada.get(create, { id: 'cuts' })
  const writing = Array.from({ length: writers }, async (_, writer) => {
    for (let n = 0; n < each; n++) await ada.append('cuts', `${writer}/${n}`)
  })
  // The same cuts in every run: none, some or many results after connecting.
  let random = 7
  const draw = (below: number) => {
    random = (random * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((random / 2 ** 31) * below)
  }
  const seen: { seq: number; content: string }[] = []
  let after = ''
  let cuts = 0
  while (seen.length < writers * each) {
    const socket = await Socket.connect(bed.server)
    socket.begin('feed', appended, { id: 'cuts', after })
    for (let left = draw(12); left > 0 && seen.length < writers * each; left--) {
      const { data, extensions } = await socket.result('feed')
      seen.push(data.messageAppended.node)
      after = extensions?.cursor as string
    }
    socket.terminate()
    await socket.closed
    cuts += 1
  }
  await Promise.all(writing)
  expect(seen.map(({ seq }) => seq)).toEqual(upTo(writers * each))
  expect(new Set(seen.map(({ content }) => content)).size).toBe(writers * each)
  expect(cuts).toBeGreaterThan(20)
})

test('6 feeds: a catch-up of thousands while writers go on is exactly 1 to n', async () => {
  const ada = bed.server.as()
  await fill(ada, 'thousands', 3_000)
  await using feed = ada.subscribe(appended, { id: 'thousands', after: '' })
  const writing = Array.from({ length: 4 }, async (_, writer) => {
    for (let n = 0; n < 50; n++) await ada.append('thousands', `${writer}/${n}`)
  })
  expect(await seqs(feed, 3_200)).toEqual(upTo(3_200))
  await Promise.all(writing)
})

test('6 feeds: several on one socket, of one conversation and of others, each get their own', async () => {
  const ada = bed.server.as()
  await fill(ada, 'left', 3)
  await fill(ada, 'right', 2)
  await using socket = await Socket.connect(bed.server)
  socket.begin('l', appended, { id: 'left', after: '' })
  socket.begin('r', appended, { id: 'right', after: '' })
  socket.begin('l2', appended, { id: 'left', after: '' })
  await ada.append('right', 'three')
  const got: Record<string, [string, number][]> = { l: [], r: [], l2: [] }
  for (let n = 0; n < 9; n++) {
    const frame = await socket.receive()
    const { seq, conversationId } = frame?.payload.data.messageAppended.node ?? {}
    got[frame?.id ?? '']?.push([conversationId, seq])
  }
  const left = upTo(3).map((seq) => ['left', seq])
  expect(got).toEqual({ l: left, r: upTo(3).map((seq) => ['right', seq]), l2: left })
  socket.complete('l')
  await until(() => bed.server.inspect().watchers === 2)
})

test('6 feeds: an id that is completed and used again at once is the new feed only, and leaks nothing', async () => {
  const ada = bed.server.as()
  await fill(ada, 'old', 100)
  await fill(ada, 'new', 30)
  await using socket = await Socket.connect(bed.server)
  for (let n = 0; n < 50; n++) {
    socket.begin('1', appended, { id: 'old', after: '' })
    if (n % 3 === 0) await socket.receive()
    socket.complete('1')
  }
  socket.begin('1', appended, { id: 'new', after: '' })
  const got: number[] = []
  while (got.length < 30) {
    const frame = await socket.receive()
    expect(frame).toMatchObject({ id: '1', type: 'next' })
    const { conversationId, seq } = frame?.payload.data.messageAppended.node ?? {}
    if (conversationId === 'new') got.push(seq)
    // What the server sent before it knew is allowed; after the first of the new feed nothing is.
    else expect(got).toEqual([])
  }
  expect(got).toEqual(upTo(30))
  await ada.append('new', 'live')
  expect(seqOf(await socket.result('1'))).toBe(31)
  // The last of the old ones may still be looking for their conversation.
  await until(() => bed.server.inspect().watchers === 1)
  socket.complete('1')
  await until(() => bed.server.inspect().watchers === 0)
  expect(bed.server.inspect().sockets).toBe(1)
})

test('6 feeds: one that waits holds no bytes', async () => {
  const ada = bed.server.as()
  await fill(ada, 'idle', 3, 10_000)
  await using feed = ada.subscribe(appended, { id: 'idle', after: '' })
  await feed.take(3)
  await until(() => bed.server.inspect().feedBytes === 0)
  expect(bed.server.inspect().watchers).toBe(1)
})

test('6 cursors: one of an earlier conversation of the same id is CURSOR_EXPIRED', async () => {
  const ada = bed.server.as()
  const { messageEdge, conversation } = await ada.append('again', 'first life')
  await ada.get(remove, { id: 'again' })
  await ada.append('again', 'second life')
  for (const after of [messageEdge.cursor, conversation.cursor]) {
    const error = await refusal(ada.subscribe(appended, { id: 'again', after }))
    expect(error?.extensions.code).toBe('CURSOR_EXPIRED')
  }
})

test('6 cursors: one beyond the log, as after a restored backup, is CURSOR_EXPIRED', async () => {
  const ada = bed.server.as()
  await fill(ada, 'restored', 2)
  const { messageEdge } = await ada.append('restored', 'lost with the disk')
  const client = await bed.database.connect()
  await client.query(`
    with lost as (delete from message where content = 'lost with the disk' returning conversation_key)
    update conversation set last_seq = 2 from lost where key = conversation_key`)
  const error = await refusal(ada.subscribe(appended, { id: 'restored', after: messageEdge.cursor }))
  expect(error?.extensions.code).toBe('CURSOR_EXPIRED')
})

test('6 cursors: what is none, and one of another conversation, is BAD_USER_INPUT', async () => {
  const ada = bed.server.as()
  const { messageEdge } = await ada.append('cursor-a', 'a')
  await ada.append('cursor-b', 'b')
  const { cursor } = messageEdge
  for (const after of [cursor, 'x', '!', ' ', `${cursor}A`, cursor.slice(0, -1), `${cursor}=`, 'AAAA'.repeat(9)]) {
    const error = await refusal(ada.subscribe(appended, { id: 'cursor-b', after }))
    expect(error?.extensions, after).toEqual({ code: 'BAD_USER_INPUT', path: 'after' })
  }
})

test('5 isolation: a feed of a missing conversation and of another user’s is the same NOT_FOUND', async () => {
  const { messageEdge } = await bed.server.as().append('hers', 'secret')
  const bytes = Buffer.from(messageEdge.cursor, 'base64url')
  const theirs = `cnv_${bytes.subarray(1, 23).toString('base64url')}`
  const missing = `cnv_${Buffer.alloc(22, 7).toString('base64url')}`
  const bob = bed.server.as({ 'x-user-id': 'bob' })
  const errors = []
  for (const id of [missing, theirs, 'hers', 'missing', 'cnv_x', 'msg_x']) {
    for (const after of ['', messageEdge.cursor, null]) {
      errors.push(await refusal(bob.subscribe(appended, { id, after })))
    }
  }
  expect(errors[0]?.extensions).toEqual({ code: 'NOT_FOUND' })
  for (const error of errors) expect(error).toEqual(errors[0])
})

test('6 deletion: deleting a conversation completes its feeds, on this server and on every other', async () => {
  await using other = await serve(bed.database.url, { POLL_MS: '600000' })
  const ada = bed.server.as()
  await fill(ada, 'deleted', 3)
  await using here = ada.subscribe(appended, { id: 'deleted', after: '' })
  await using there = other.as().subscribe(appended, { id: 'deleted', after: '' })
  await here.take(3)
  await there.take(3)
  await other.as().get(remove, { id: 'deleted' })
  expect(await here.next()).toBeNull()
  expect(await there.next()).toBeNull()
})

test('6 deletion: it completes a feed in the middle of a catch-up', async () => {
  const ada = bed.server.as()
  await fill(ada, 'big', 3_000, 8_192)
  await using socket = await Socket.connect(bed.server)
  socket.begin('feed', appended, { id: 'big', after: '' })
  const got = [seqOf(await socket.result('feed'))]
  socket.ws.pause()
  await ada.get(remove, { id: 'big' })
  socket.ws.resume()
  for (;;) {
    const frame = await socket.receive()
    if (frame?.type === 'complete') break
    got.push(seqOf(frame?.payload))
  }
  expect(got).toEqual(upTo(got.length))
  expect(got.length).toBeLessThan(3_000)
})

test('6 deletion: a conversation that is created again does not feed who followed the old one', async () => {
  const ada = bed.server.as()
  await fill(ada, 'reborn', 2)
  const { conversation } = await ada.get('{ conversation(id: "reborn") { cursor } }')
  await using socket = await Socket.connect(bed.server)
  socket.begin('all', appended, { id: 'reborn', after: '' })
  await socket.result('all')
  await socket.result('all')
  socket.begin('new', appended, { id: 'reborn', after: conversation.cursor })
  await ada.append('reborn', 'for both')
  // Both follow, and wait for more, once they were told of it.
  const told = [await socket.receive(), await socket.receive()]
  expect(told.map((frame) => [frame?.type, frame?.id]).sort()).toEqual([
    ['next', 'all'],
    ['next', 'new'],
  ])
  await ada.get(remove, { id: 'reborn' })
  await fill(ada, 'reborn', 5)
  const rest = [await socket.receive(), await socket.receive()]
  expect(rest.map((frame) => frame?.type)).toEqual(['complete', 'complete'])
  await using feed = ada.subscribe(appended, { id: 'reborn', after: '' })
  expect(await seqs(feed, 5)).toEqual(upTo(5))
})

test('7 bounds: a subscriber that vanishes without a close frame leaves nothing, wherever its feed was', async () => {
  const ada = bed.server.as()
  await fill(ada, 'vanish', 200)
  const { conversation } = await ada.get('{ conversation(id: "vanish") { cursor } }')
  for (const [after, results] of [
    [conversation.cursor, 0],
    ['', 0],
    ['', 1],
    ['', 150],
    ['', 200],
  ]) {
    const socket = await Socket.connect(bed.server)
    socket.begin('feed', appended, { id: 'vanish', after })
    for (let n = 0; n < results; n++) await socket.result('feed')
    socket.terminate()
    await until(() => bed.server.inspect().sockets === 0)
    await until(() => bed.server.inspect().watchers === 0)
  }
})

test('7 bounds: a feed that is ended while it reads holds nothing afterwards', async () => {
  const ada = bed.server.as()
  await fill(ada, 'reading', 10)
  const client = await bed.database.connect()
  await client.query('begin; lock table message in access exclusive mode')
  const socket = await Socket.connect(bed.server)
  socket.begin('feed', appended, { id: 'reading', after: '' })
  await until(async () => (await count(client, blocked)) === 1)
  socket.terminate()
  await until(() => bed.server.inspect().watchers === 0)
  await client.query('rollback')
  await until(async () => (await count(client, running)) === 0)
  await ada.get('{ conversation(id: "reading") { lastMessage { seq } } }')
  expect(bed.server.inspect().feedBytes).toBe(0)
})

const blocked = "from pg_locks where relation = 'message'::regclass and not granted"
const running = `from pg_stat_activity
  where datname = current_database() and state = 'active' and pid <> pg_backend_pid()`

async function count(client: Client, from: string): Promise<number> {
  const { rows } = await client.query(`select count(*)::int as count ${from}`)
  return rows[0].count
}

test('6 feeds: what a failed read was to bring is read when text alone moves', async () => {
  const watchers = new Watchers({ interest: () => ({ confirmed: Promise.resolve(), [Symbol.dispose]: () => {} }) })
  const log = pino({ level: 'silent' })
  using feed = new Feed<string>({ watchers, reads: new SharedReads(new AnswerMemory(1_000_000)), log }, 'key')
  // As of a reader that follows a message which streams: every hint is a reason to read.
  const rest = { rest: 'all', revision: -1 } as const
  const asked: boolean[] = []
  feed.begin({
    read: (reads, hasMoved, tell) => {
      asked.push(hasMoved)
      const answer = async () => {
        if (asked.length === 2) throw new Error('the database is away')
        return asked.length > 2 && hasMoved ? ['what changed'] : []
      }
      reads.once('what is new', answer, (events) => tell({ events, ...rest }))
    },
  })
  const told: string[] = []
  feed.follow({ tell: (event) => told.push(event) > 0, over: () => {} })
  await until(() => asked.length === 1)
  watchers.moved({ key: 'key', revision: 1 })
  await until(() => asked.length === 2)
  watchers.moved({ key: 'key', revision: textHint })
  await until(() => told.length > 0)
  expect(told).toEqual(['what changed'])
  expect(asked).toEqual([true, true, true])
})

test('6 feeds: text that is stored while a feed looks for text is read, right behind its message too', async () => {
  const confirmed = Promise.resolve()
  const watchers = new Watchers({ interest: () => ({ confirmed, [Symbol.dispose]: () => {} }) })
  const log = pino({ level: 'silent' })
  using feed = new Feed<string>({ watchers, reads: new SharedReads(new AnswerMemory(1_000_000)), log }, 'key')
  const reads: { readonly hasMoved: boolean; readonly tell: (batch: Batch<string>) => void }[] = []
  feed.begin({ read: (_reads, hasMoved, tell) => void reads.push({ hasMoved, tell }) })
  const told: string[] = []
  feed.follow({ tell: (event) => told.push(event) > 0, over: () => {} })
  await confirmed
  reads[0]?.tell({ events: [], rest: 'all', revision: 3 })
  watchers.moved({ key: 'key', revision: 4 })
  reads[1]?.tell({ events: ['a message that streams'], rest: 'more', revision: 4 })
  expect(reads).toHaveLength(3)
  // The third read has begun before the text was stored, and does not find it.
  watchers.moved({ key: 'key', revision: textHint })
  reads[2]?.tell({ events: [], rest: 'all', revision: -1 })
  expect(reads[3]?.hasMoved).toBe(false)
  reads[3]?.tell({ events: ['its text'], rest: 'all', revision: -1 })
  expect(told).toEqual(['a message that streams', 'its text'])
  expect(reads).toHaveLength(4)
})

test('6 feeds: states are read after the log, and what a failed read of them was to bring at the next hint', async () => {
  const watchers = new Watchers({ interest: () => ({ confirmed: Promise.resolve(), [Symbol.dispose]: () => {} }) })
  const log = pino({ level: 'silent' })
  using feed = new Feed<string>({ watchers, reads: new SharedReads(new AnswerMemory(1_000_000)), log }, 'key')
  const asked: string[] = []
  const ask = (name: string) => async () => {
    asked.push(name)
    if (asked.length === 3) throw new Error('the database is away')
    return [`${asked.length} ${name}`]
  }
  feed.begin({
    read: (reads, _hasMoved, tell) =>
      reads.once('log', ask('log'), (events) => tell({ events, rest: 'all', revision: 5, stirs: states.people })),
    readStates: (reads, moved, tell) =>
      reads.once('states', ask(`states ${moved}`), (events) => tell({ events, rest: 'all', revision: null })),
  })
  const told: string[] = []
  feed.follow({ tell: (event) => told.push(event) > 0, over: () => {} })
  await until(() => told.length === 2)
  watchers.stir('key', states.markers)
  await until(() => asked.length === 3)
  watchers.stir('another', states.all)
  // No revision is newer than the one that was read.
  watchers.moved({ key: 'key', revision: 5 })
  await until(() => told.length === 3)
  expect(told).toEqual(['1 log', '2 states 2', '4 states 1'])
})
