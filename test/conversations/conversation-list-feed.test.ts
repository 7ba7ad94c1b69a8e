import { Pool } from 'pg'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import { openOrm } from '../../src/database/orm.ts'
import { listFeedCursor } from '../../src/graphql/feed/list-feed-cursor.ts'
import type { Batch } from '../../src/live/feed.ts'
import { maxStates } from '../../src/live/known-states.ts'
import { type ListEvent, ListReader, readStart } from '../../src/live/list-reader.ts'
import { OthersConversations } from '../../src/live/others-conversations.ts'
import { Poll } from '../../src/live/poll.ts'
import { HeldReads, SharedReads } from '../../src/live/shared-reads.ts'
import { Watchers } from '../../src/live/watchers.ts'
import { conversationKey, listKey } from '../../src/storage/conversation/conversation-key.ts'
import { purgeTombstones } from '../../src/storage/conversation/purge.ts'
import { AnswerMemory } from '../../src/storage/postgres/answer-budget.ts'
import { listRevision } from '../../src/storage/postgres/store.ts'
import type { Answer, Api, Results } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { appendUncommitted, appendWithin } from '../support/database/append-uncommitted.ts'
import { earlier } from '../support/database/earlier.ts'
import { engine } from '../support/database/engine.ts'
import { countStatements } from '../support/database/statements.ts'
import { storeOf } from '../support/database/store.ts'
import { untilWaiting } from '../support/database/until-waiting.ts'
import { EventStreamReader } from '../support/network/event-stream.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

// Without a poll only hints can bring what is live.
const bed = useBed({ POLL_MS: '600000' })

const fields = 'id title archivedAt lastSeq createdAt updatedAt'
const follow = `subscription ($after: String) { conversationsChanged(after: $after) { __typename cursor
  ... on ConversationListed { conversation { ${fields} } } ... on ConversationUnlisted { conversationId } } }`
const list = `query ($first: Int, $after: String) { conversations(first: $first, after: $after) {
  cursor nodes { ${fields} } pageInfo { hasNextPage endCursor } } }`
const create = 'mutation ($id: ID!) { createConversation(input: { id: $id }) { conversation { id } } }'
const rename = `mutation ($id: ID!, $title: String!) { updateConversation(input: { id: $id, title: $title }) {
  conversation { id } } }`
const archive = 'mutation ($id: ID!) { updateConversation(input: { id: $id, archived: true }) { conversation { id } } }'
const drop = 'mutation ($id: ID!) { deleteConversation(input: { id: $id }) { deletedConversationId } }'

const { lists, pool } = readConfig({})
const day = 24 * 60 * 60 * 1_000_000

interface Listed {
  id: string
  title: string | null
  archivedAt: string | null
  lastSeq: number
  createdAt: string
  updatedAt: string
}

interface Event {
  __typename: string
  cursor: string
  conversation?: Listed
  conversationId?: string
}

let users = 0

/** A user that no other test knows. */
function newUser(server = bed.server): Api {
  users += 1
  return server.as({ 'x-user-id': `user${users}` })
}

const userOf = (api: Api) => api.identity['x-user-id'] as string

function eventOf(answer: Answer | null): Event {
  if (!answer?.data) throw new Error(`expected an event, and got ${JSON.stringify(answer)}`)
  const event = answer.data.conversationsChanged
  expect(answer.extensions?.cursor).toBe(event.cursor)
  return event
}

async function next(feed: Results): Promise<Event> {
  return eventOf(await feed.next())
}

/** Everything up to and with ConversationListCaughtUp. */
async function catchUp(feed: Results): Promise<Event[]> {
  const events: Event[] = []
  while (events.at(-1)?.__typename !== 'ConversationListCaughtUp') events.push(await next(feed))
  return events
}

/** In words: what happened to which conversation. */
function tell({ __typename, conversation, conversationId }: Event): string {
  if (__typename === 'ConversationListed') return `${conversation?.id} ${conversation?.lastSeq}`
  return __typename === 'ConversationUnlisted' ? `${conversationId} gone` : 'caught up'
}

/** PostgreSQL leaves out the zeros at the end. */
const sortable = (timestamp: string) => timestamp.slice(0, -1).padEnd(27, timestamp.includes('.') ? '0' : '.000000')

/** What a client that takes events in knows of the list. */
class Mirror {
  readonly conversations: Map<string, Listed>

  constructor(of: Iterable<[string, Listed]> = []) {
    this.conversations = new Map(of)
  }

  take({ conversation, conversationId }: Event): void {
    if (conversationId !== undefined) this.conversations.delete(conversationId)
    if (conversation === undefined) return
    const before = this.conversations.get(conversation.id)
    // An older state never follows a newer one. A conversation that was created again may have older times.
    const isSame = before?.createdAt === conversation.createdAt
    expect(!isSame || sortable(conversation.updatedAt) >= sortable(before.updatedAt)).toBe(true)
    this.conversations.set(conversation.id, conversation)
  }

  /** Newest activity first. */
  get nodes(): Listed[] {
    return [...this.conversations.values()].sort((a, b) => (sortable(a.updatedAt) < sortable(b.updatedAt) ? 1 : -1))
  }
}

async function readList(api: Api): Promise<{ cursor: string; nodes: Listed[] }> {
  const nodes: Listed[] = []
  let cursor: string | null = null
  let after: string | null = null
  for (;;) {
    const page: { cursor: string; nodes: Listed[]; pageInfo: { hasNextPage: boolean; endCursor: string } } = (
      await api.get(list, { first: 100, after })
    ).conversations
    cursor ??= page.cursor
    nodes.push(...page.nodes)
    if (!page.pageInfo.hasNextPage) return { cursor, nodes }
    after = page.pageInfo.endCursor
  }
}

/** Conversations c1 to c`count`, each with its number, in milliseconds before now, as its age. */
async function insertOld(userId: string, count: number, spacing: string): Promise<void> {
  const client = await bed.database.connect()
  const keys = Array.from({ length: count }, (_, n) => conversationKey(userId, `c${n + 1}`))
  await client.query(
    `insert into conversation (key, epoch, user_id, id, revision, changed_revision, last_seq, metadata, created_at, updated_at)
     select key, 1, $1, 'c' || n, 1, 1, 0, '{}', now(), now() - ($3::int - n) * $4::interval
     from unnest($2::uuid[]) with ordinality as c(key, n)`,
    [userId, keys, count, spacing],
  )
}

test('created, moved to the top, renamed, archived, deleted: it arrives in every tab, and on every server', async () => {
  await using other = await serve(bed.database.url, { POLL_MS: '600000' })
  const ada = newUser()
  const there = other.as(ada.identity)
  await using here = ada.subscribe(follow)
  await using tab = ada.subscribe(follow)
  await using far = there.subscribe(follow)
  const feeds = [here, tab, far]
  for (const feed of feeds) expect(tell(await next(feed))).toBe('caught up')
  const expectAll = async (event: object) => {
    for (const feed of feeds) expect(await next(feed)).toMatchObject(event)
  }
  await ada.get(create, { id: 'one' })
  await expectAll({ __typename: 'ConversationListed', conversation: { id: 'one', lastSeq: 0 } })
  await there.append('two', 'created by a message')
  await expectAll({ __typename: 'ConversationListed', conversation: { id: 'two', lastSeq: 1 } })
  await ada.append('one', 'to the top')
  await expectAll({ __typename: 'ConversationListed', conversation: { id: 'one', lastSeq: 1 } })
  await there.get(rename, { id: 'two', title: 'T' })
  await expectAll({ __typename: 'ConversationListed', conversation: { id: 'two', title: 'T' } })
  await ada.get(archive, { id: 'two' })
  await expectAll({ __typename: 'ConversationListed', conversation: { id: 'two', archivedAt: expect.any(String) } })
  await there.get(drop, { id: 'one' })
  await expectAll({ __typename: 'ConversationUnlisted', conversationId: 'one' })
  await ada.append('one', 'again')
  await expectAll({ __typename: 'ConversationListed', conversation: { id: 'one', lastSeq: 1, title: null } })
})

test('edits, deleted messages and the two ends of a stream are told, and its text is not', async () => {
  const ada = newUser()
  const { message } = await ada.append('talk', 'first')
  await using feed = ada.subscribe(follow)
  await next(feed)
  const told = async () => (await next(feed)).conversation?.updatedAt
  await ada.get(
    'mutation ($id: ID!) { editMessage(input: { messageId: $id, content: "x" }) { message { id } } }',
    message,
  )
  const edited = await told()
  await ada.get('mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { id } } }', message)
  const deleted = await told()
  const { startMessage } = await ada.get(
    'mutation { startMessage(input: { conversationId: "talk", clientId: "s" }) { attempt message { id } } }',
  )
  const started = await told()
  const { id } = startMessage.message
  const write = `mutation ($id: ID!, $chunk: Int!) {
    appendMessageText(input: { messageId: $id, attempt: 1, chunk: $chunk, text: "t" }) { nextChunk } }`
  for (let chunk = 0; chunk < 3; chunk++) await ada.get(write, { id, chunk })
  await ada.get(
    'mutation ($id: ID!) { completeMessage(input: { messageId: $id, attempt: 1, chunks: 3 }) { message { id } } }',
    { id },
  )
  const completed = await told()
  await ada.append('end', 'nothing else came')
  expect(tell(await next(feed))).toBe('end 1')
  expect(new Set([edited, deleted, started, completed]).size).toBe(4)
})

test('from "" come all conversations, the oldest change first and none that are deleted, and then what is live', async () => {
  const ada = newUser()
  for (const id of ['one', 'two', 'three', 'just gone', 'long gone']) await ada.append(id, 'm')
  await ada.append('one', 'm')
  for (const id of ['just gone', 'long gone']) await ada.get(drop, { id })
  const client = await bed.database.connect()
  await client.query(`update conversation set updated_at = ${earlier('updated_at', '1 hour')} where id = 'long gone'`)
  await using feed = ada.subscribe(follow, { after: '' })
  expect((await catchUp(feed)).map(tell)).toEqual(['two 1', 'three 1', 'one 2', 'caught up'])
  await ada.get(drop, { id: 'three' })
  expect(tell(await next(feed))).toBe('three gone')
})

test("absent is from now on; from a page's cursor comes what the page does not show, and nothing that it shows", async () => {
  const ada = newUser()
  for (const id of ['one', 'two', 'three']) await ada.append(id, 'm')
  await using now = ada.subscribe(follow)
  expect(tell(await next(now))).toBe('caught up')
  const [page, whole] = [(await ada.get(list, { first: 2 })).conversations, await readList(ada)]
  await using nothing = ada.subscribe(follow, { after: whole.cursor })
  expect((await catchUp(nothing)).map(tell)).toEqual(['caught up'])
  await ada.append('two', 'm')
  await ada.get(drop, { id: 'three' })
  await using feed = ada.subscribe(follow, { after: page.cursor })
  expect((await catchUp(feed)).map(tell)).toEqual(['one 1', 'two 2', 'three gone', 'caught up'])
})

test("another user's changes never appear, nor do they move anything", async () => {
  const [ada, bob] = [newUser(), newUser()]
  await ada.append('talk', 'secret')
  await using feed = bob.subscribe(follow, { after: '' })
  expect((await catchUp(feed)).map(tell)).toEqual(['caught up'])
  await ada.append('talk', 'secret')
  await ada.get(drop, { id: 'talk' })
  await bob.append('mine', 'm')
  expect(tell(await next(feed))).toBe('mine 1')
})

test('6 resuming: from any cursor of a run with many writers everything after it comes, and no older state after a newer one', async () => {
  const ada = newUser()
  await insertOld(userOf(ada), 150, '1 minute')
  await using feed = ada.subscribe(follow, { after: '' })
  const events: Event[] = []
  while (events.length < 40) events.push(await next(feed))
  const ids = Array.from({ length: 12 }, (_, n) => `c${n + 130}`)
  const write = async (id: string) => {
    await ada.append(id, 'm')
    await ada.get(rename, { id, title: 'T' })
    if (id.endsWith('3')) await ada.get(drop, { id })
    if (id === 'c133') await ada.append(id, 'again')
  }
  await Promise.all(ids.map(write))
  await ada.get(drop, { id: 'c1' })
  await ada.get(drop, { id: 'c150' })
  await ada.append('last', 'm')
  while (events.at(-1)?.conversation?.id !== 'last') events.push(await next(feed))
  const { nodes } = await readList(ada)
  // In the order of time, so the mirror before each of them is what a client knew there.
  const mirror = new Mirror()
  for (const [index, event] of events.entries()) {
    mirror.take(event)
    if (index % 7 !== 0 && index < events.length - 20) continue
    const resumed = new Mirror(mirror.conversations)
    await using rest = ada.subscribe(follow, { after: event.cursor })
    for (const missed of await catchUp(rest)) resumed.take(missed)
    expect(resumed.nodes).toEqual(nodes)
  }
})

test('6 resuming: what was sent in the overlap does not come again, up to the hundred that a cursor names', async () => {
  const ada = newUser()
  await using feed = ada.subscribe(follow)
  await next(feed)
  for (let n = 1; n <= 30; n++) await ada.append(`c${n % 10}`, 'm')
  const seen: string[] = []
  let last: Event | undefined
  while (seen.at(-1) !== 'c0 3') {
    last = await next(feed)
    seen.push(tell(last))
  }
  expect(new Set(seen).size).toBe(seen.length)
  await using rest = ada.subscribe(follow, { after: last?.cursor as string })
  expect((await catchUp(rest)).map(tell)).toEqual(['caught up'])
  await ada.append('c1', 'm')
  expect(tell(await next(rest))).toBe('c1 4')
})

test('6 resuming: a writer that holds its commit to the limit is seen live and from every cursor', async () => {
  const ada = newUser()
  for (const id of ['slow', 'quick']) await ada.append(`${userOf(ada)} ${id}`, 'm')
  const [slow, quick] = [`${userOf(ada)} slow`, `${userOf(ada)} quick`]
  const page = await readList(ada)
  await using feed = ada.subscribe(follow, { after: page.cursor })
  await next(feed)
  const writer = await bed.database.connect()
  await appendUncommitted(writer, slow, 'late')
  // As of a transaction that began so long ago: as old as may be committed, and with a pause before its COMMIT.
  const { transactionMs, transactionIdleMs } = pool
  await writer.query("update conversation set updated_at = now() - $2 * interval '1 ms' where id = $1", [
    slow,
    transactionMs + transactionIdleMs,
  ])
  await ada.append(quick, 'm')
  const quickEvent = await next(feed)
  expect(tell(quickEvent)).toBe(`${quick} 2`)
  const later = await readList(ada)
  await using fromNow = ada.subscribe(follow)
  const caughtUp = await next(fromNow)
  await writer.query('commit')
  // Its hint comes with the next change.
  await ada.append(quick, 'm')
  for (const watching of [feed, fromNow]) {
    expect(tell(await next(watching))).toBe(`${slow} 2`)
    expect(tell(await next(watching))).toBe(`${quick} 3`)
  }
  for (const after of [quickEvent.cursor, later.cursor, caughtUp.cursor]) {
    await using resumed = ada.subscribe(follow, { after })
    expect((await catchUp(resumed)).map(tell)).toEqual([`${slow} 2`, `${quick} 3`, 'caught up'])
  }
})

test('6 resuming: a writer that began before what was told, and committed after it, is seen live and from every cursor', async () => {
  const ada = newUser()
  const [late, quick] = [`${userOf(ada)} late`, `${userOf(ada)} quick`]
  const writer = await bed.database.connect()
  await ada.append(late, 'm')
  await writer.query('begin')
  await ada.append(quick, 'm')
  await using feed = ada.subscribe(follow, { after: '' })
  const known = await catchUp(feed)
  expect(known.map(tell)).toEqual([`${late} 1`, `${quick} 1`, 'caught up'])
  await using fromNow = ada.subscribe(follow)
  expect(tell(await next(fromNow))).toBe('caught up')
  const page = await readList(ada)
  // It changes the conversation only now, and its time is that of its beginning.
  await appendWithin(writer, late, 'late')
  await writer.query('commit')
  await ada.append(quick, 'm')
  for (const watching of [feed, fromNow]) {
    expect(tell(await next(watching))).toBe(`${late} 2`)
    expect(tell(await next(watching))).toBe(`${quick} 2`)
  }
  const times = new Map((await readList(ada)).nodes.map(({ id, updatedAt }) => [id, sortable(updatedAt)]))
  expect(times.get(late)?.localeCompare(sortable(page.nodes[0]?.updatedAt ?? ''))).toBe(-1)
  for (const after of [...known.map(({ cursor }) => cursor), page.cursor]) {
    await using resumed = ada.subscribe(follow, { after })
    expect((await catchUp(resumed)).map(tell)).toEqual([`${late} 2`, `${quick} 2`, 'caught up'])
  }
})

test('6 resuming: a thousand conversations come in pages, each once, and from the middle the rest', async () => {
  const ada = newUser()
  const userId = userOf(ada)
  await insertOld(userId, 1_050, '1 ms')
  await using feed = ada.subscribe(follow, { after: '' })
  const events = await catchUp(feed)
  expect(events.map(tell)).toEqual([...Array.from({ length: 1_050 }, (_, n) => `c${n + 1} 0`), 'caught up'])
  await ada.append('c7', 'm')
  expect(tell(await next(feed))).toBe('c7 1')
  await using rest = ada.subscribe(follow, { after: events[524]?.cursor as string })
  const told = (await catchUp(rest)).map(tell)
  // Those of the overlap that its cursor cannot name come again.
  const missed = Array.from({ length: 525 }, (_, n) => `c${n + 526} 0`)
  expect(told.slice(-527)).toEqual([...missed, 'c7 1', 'caught up'])
})

/** A reader of a user's list, from the beginning, that a test pulls by itself. */
async function openReader(userId: string) {
  const opened = await openOrm(bed.database.url, engine, pool, () => {})
  const store = storeOf(opened)
  const toText = (event: ListEvent) => (event.kind === 'caught-up' ? 'caught up' : event.conversation.id)
  const start = await readStart(store, userId, { ...lists, lastTransfer: 0 }, 'beginning')
  const watchers = new Watchers({ interest: () => ({ confirmed: Promise.resolve(), [Symbol.dispose]() {} }) })
  const none = await OthersConversations.watch(store, watchers, userId, { moved() {} })
  const reader = new ListReader(store, userId, lists.settleMs, start, none, toText)
  const reads = new SharedReads(new AnswerMemory(1_000_000_000))
  return {
    async read() {
      const { promise, resolve, reject } = Promise.withResolvers<Batch<string>>()
      using held = new HeldReads(reads, reject)
      reader.read(held, true, resolve)
      return await promise
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  }
}

test('6 resuming: who commits behind the place of a catch-up, while that takes several reads, is told of by its end', async () => {
  const ada = newUser()
  await insertOld(userOf(ada), 201, '10 ms')
  await using reader = await openReader(userOf(ada))
  expect((await reader.read()).events).toHaveLength(100)
  const client = await bed.database.connect()
  // As of a transaction that took its time so long ago that the next read would settle it.
  await client.query(
    `update conversation set updated_at = now() - $2 * interval '1 ms', revision = revision + 1
     where user_id = $1 and id = 'c3'`,
    [userOf(ada), lists.settleMs],
  )
  const told: string[] = []
  for (;;) {
    const { events, rest } = await reader.read()
    told.push(...events)
    if (rest === 'all') break
  }
  expect(told).toEqual([...Array.from({ length: 101 }, (_, n) => `c${n + 101}`), 'caught up', 'c3'])
})

test('7 bounds: a list of which more changed just now than a reader keeps in mind is told, and comes to an end', async () => {
  const ada = newUser()
  const count = maxStates + 150
  // All at one moment, so that only their keys tell where a read goes on.
  await insertOld(userOf(ada), count, '0')
  await using reader = await openReader(userOf(ada))
  const told: string[] = []
  for (;;) {
    const { events, rest } = await reader.read()
    told.push(...events)
    if (rest === 'all') break
  }
  expect(told.pop()).toBe('caught up')
  expect(told).toHaveLength(count)
  expect(new Set(told).size).toBe(count)
})

test('7 bounds: conversations that together have more bytes than one read may take are told in several', async () => {
  const ada = newUser()
  await insertOld(userOf(ada), 90, '1 minute')
  const client = await bed.database.connect()
  // A read takes a hundred rows, and 1 MiB.
  await client.query(
    "update conversation set metadata = jsonb_build_object('a', repeat('x', 16000)) where user_id = $1",
    [userOf(ada)],
  )
  await using feed = ada.subscribe(follow, { after: '' })
  expect((await catchUp(feed)).map(tell)).toEqual([...Array.from({ length: 90 }, (_, n) => `c${n + 1} 0`), 'caught up'])
})

test('6 resuming: Last-Event-ID resumes an event stream', async () => {
  const ada = newUser()
  await ada.append('one', 'm')
  const request = { query: follow, variables: { after: '' }, identity: ada.identity }
  const { id } = await (async () => {
    await using stream = await EventStreamReader.open(bed.server.url, request)
    await stream.event()
    const event = await stream.event()
    expect(eventOf(JSON.parse(event?.data as string)).__typename).toBe('ConversationListCaughtUp')
    return event as { id: string }
  })()
  await ada.append('two', 'm')
  await using stream = await EventStreamReader.open(bed.server.url, { ...request, headers: { 'last-event-id': id } })
  expect(tell(eventOf(await stream.result()))).toBe('two 1')
  expect(tell(eventOf(await stream.result()))).toBe('caught up')
})

async function refusal(api: Api, after: string): Promise<{ code: string; message: string }> {
  await using feed = api.subscribe(follow, { after })
  const [error] = (await feed.next())?.errors ?? []
  return { code: error?.extensions.code ?? '', message: error?.message ?? '' }
}

test('6 resuming: a cursor from before deleted conversations are remembered has expired, and no other', async () => {
  const ada = newUser()
  await ada.append('one', 'm')
  const now = Date.now() * 1_000
  const of = (settled: number, deletedSince: number) =>
    listFeedCursor(userOf(ada), { settled, deletedSince, marks: [] })
  const limit = now - lists.tombstoneDays * day
  const minute = 60_000_000
  expect((await refusal(ada, of(limit - minute, limit - minute))).code).toBe('CURSOR_EXPIRED')
  // In the middle of a first catch-up, which begins with what is old.
  for (const after of [of(limit + minute, limit + minute), of(limit - minute, now), of(0, now)]) {
    await using feed = ada.subscribe(follow, { after })
    expect((await catchUp(feed)).map(tell)).toEqual(['one 1', 'caught up'])
  }
  // From before the database's clock was set back.
  await using feed = ada.subscribe(follow, { after: of(now + day, now + day) })
  expect((await catchUp(feed)).map(tell)).toEqual(['one 1', 'caught up'])
})

test("5 isolation: a cursor of another user's list, or of something else, is refused", async () => {
  const [ada, bob] = [newUser(), newUser()]
  const { conversation, messageEdge } = await ada.append('one', 'm')
  const { cursor } = await readList(ada)
  expect(await refusal(bob, cursor)).toMatchObject({
    code: 'BAD_USER_INPUT',
    message: expect.stringContaining('another'),
  })
  const page = await ada.get('{ conversations { pageInfo { endCursor } } }')
  const others = [conversation.cursor, messageEdge.cursor, page.conversations.pageInfo.endCursor]
  for (const after of [...others, 'x', ' ', `${cursor}A`, cursor.slice(0, -4)]) {
    expect((await refusal(ada, after)).code).toBe('BAD_USER_INPUT')
  }
})

test('6 hints: a change whose hint was lost is found by the poll, and so is a late commit', async () => {
  await using server = await serve(bed.database.url, { POLL_MS: '20' })
  const ada = newUser(server)
  const id = `${userOf(ada)} silent`
  await ada.append(id, 'first')
  await using feed = ada.subscribe(follow, { after: '' })
  await catchUp(feed)
  const client = await bed.database.connect()
  for (let seq = 2; seq <= 4; seq++) {
    await appendUncommitted(client, id, 'silent')
    await client.query("update conversation set updated_at = now() - interval '60 s' where id = $1", [id])
    await client.query('commit')
    expect(tell(await next(feed))).toBe(`${id} ${seq}`)
  }
})

const createAt = `mutation ($id: ID!, $createdAt: DateTime!) {
  createConversation(input: { id: $id, createdAt: $createdAt }) { conversation { id } } }`
const appendAt = `mutation ($id: ID!, $messages: [MessageInput!]!) {
  appendMessages(input: { conversationId: $id, ifMissing: CREATE, messages: $messages }) { messages { id } } }`
const choose = `mutation ($messageId: ID!) { setActiveLeaf(input: { messageId: $messageId, keepPlace: true }) {
  conversation { id } } }`

/** Imports a conversation with a message for each time. */
async function bring(api: Api, id: string, ...times: string[]): Promise<{ id: string }[]> {
  const messages = times.map((createdAt) => ({ role: 'USER', content: 'x', createdAt }))
  return (await api.get(appendAt, { id, messages })).appendMessages.messages
}

/** A moment of 2024. */
const of2024 = (minute: number) => new Date(Date.UTC(2024, 0, 1, 0, minute)).toISOString()

test('imports: times of long ago are told at once, in every tab, and on every server', async () => {
  await using other = await serve(bed.database.url, { POLL_MS: '600000' })
  const ada = newUser()
  await ada.append('of now', 'm')
  const there = other.as(ada.identity)
  await using here = ada.subscribe(follow)
  await using tab = ada.subscribe(follow)
  await using far = there.subscribe(follow)
  const feeds = [here, tab, far]
  for (const feed of feeds) expect(tell(await next(feed))).toBe('caught up')
  const client = await bed.database.connect()
  const expectAll = async (event: object) => {
    for (const feed of feeds) expect(await next(feed)).toMatchObject(event)
    // What was told is soon so old that no feed looks there any more.
    await client.query(`update conversation set imported_at = ${earlier('imported_at', '1 hour')} where user_id = $1`, [
      userOf(ada),
    ])
  }
  const listed = (conversation: object) => ({ __typename: 'ConversationListed', conversation })
  await ada.get(createAt, { id: 'one', createdAt: of2024(0) })
  await expectAll(listed({ id: 'one', lastSeq: 0, updatedAt: '2024-01-01T00:00:00Z' }))
  const [first] = await bring(there, 'one', of2024(1), of2024(3))
  await expectAll(listed({ id: 'one', lastSeq: 2, updatedAt: '2024-01-01T00:03:00Z' }))
  await bring(ada, 'one', of2024(2))
  await expectAll(listed({ id: 'one', lastSeq: 3, updatedAt: '2024-01-01T00:03:00Z' }))
  await there.get(choose, { messageId: first?.id })
  await expectAll(listed({ id: 'one', lastSeq: 3, updatedAt: '2024-01-01T00:03:00Z' }))
  await bring(ada, 'two', of2024(5))
  await expectAll(listed({ id: 'two', lastSeq: 1 }))
  expect((await readList(ada)).nodes.map(({ id }) => id)).toEqual(['of now', 'two', 'one'])
  await there.get(rename, { id: 'one', title: 'T' })
  await expectAll(listed({ id: 'one', title: 'T' }))
  await bring(ada, 'one', of2024(9))
  await expectAll(listed({ id: 'one', lastSeq: 4 }))
  await ada.append('two', 'an ordinary one')
  await expectAll(listed({ id: 'two', lastSeq: 2 }))
  await there.get(archive, { id: 'one' })
  await expectAll(listed({ id: 'one', archivedAt: expect.any(String) }))
  await ada.get(drop, { id: 'one' })
  await expectAll({ __typename: 'ConversationUnlisted', conversationId: 'one' })
  await bring(there, 'one', of2024(0))
  await expectAll(listed({ id: 'one', lastSeq: 1, title: null, updatedAt: '2024-01-01T00:00:00Z' }))
  await ada.get(drop, { id: 'two' })
  await expectAll({ __typename: 'ConversationUnlisted', conversationId: 'two' })
  await there.get(createAt, { id: 'two', createdAt: of2024(7) })
  await expectAll(listed({ id: 'two', lastSeq: 0, updatedAt: '2024-01-01T00:07:00Z' }))
  const fork = 'mutation { forkConversation(input: { id: "one", newId: "copy" }) { conversation { id } } }'
  await ada.get(fork)
  await expectAll(listed({ id: 'copy', lastSeq: 1 }))
})

test("imports: from a page's cursor comes what was brought since, and nothing that the page shows", async () => {
  const ada = newUser()
  await ada.append('plain', 'm')
  await bring(ada, 'old', of2024(0))
  const page = await readList(ada)
  expect(page.nodes.map(({ id }) => id)).toEqual(['plain', 'old'])
  await using nothing = ada.subscribe(follow, { after: page.cursor })
  expect((await catchUp(nothing)).map(tell)).toEqual(['caught up'])
  await bring(ada, 'older', of2024(-9))
  await bring(ada, 'old', of2024(-8))
  await using feed = ada.subscribe(follow, { after: page.cursor })
  const missed = await catchUp(feed)
  expect(missed.map(tell)).toEqual(['older 1', 'old 2', 'caught up'])
  await using rest = ada.subscribe(follow, { after: missed[0]?.cursor as string })
  expect((await catchUp(rest)).map(tell)).toEqual(['old 2', 'caught up'])
  await using beginning = ada.subscribe(follow, { after: '' })
  expect((await catchUp(beginning)).map(tell)).toEqual(['plain 1', 'older 1', 'old 2', 'caught up'])
})

test('imports: hundreds of them among ordinary changes come in the order of the changes, each once, from any cursor', async () => {
  const ada = newUser()
  const userId = userOf(ada)
  await insertOld(userId, 450, '1 minute')
  const client = await bed.database.connect()
  // Two of three were brought. They have times of 2024, in the reverse order of the import.
  await client.query(
    `update conversation set imported_at = updated_at,
       updated_at = (timestamp '2024-06-01' - ((updated_at at time zone 'UTC') - timestamp '2024-06-01')) at time zone 'UTC'
     where user_id = $1 and substring(id from 2)::int % 3 > 0`,
    [userId],
  )
  await using feed = ada.subscribe(follow, { after: '' })
  const events = await catchUp(feed)
  const all = [...Array.from({ length: 450 }, (_, n) => `c${n + 1} 0`), 'caught up']
  expect(events.map(tell)).toEqual(all)
  for (const at of [0, 98, 99, 100, 101, 250, 430]) {
    await using rest = ada.subscribe(follow, { after: events[at]?.cursor as string })
    // The newest changes are in the overlap, and its cursor names the last hundred of those that were told.
    expect((await catchUp(rest)).map(tell)).toEqual(all.slice(at + 1))
  }
})

test('imports: from any cursor of a run with many writers on two servers everything after it comes, while pages are read', async () => {
  await using other = await serve(bed.database.url, { POLL_MS: '600000' })
  const ada = newUser()
  const there = other.as(ada.identity)
  await insertOld(userOf(ada), 120, '1 minute')
  await using feed = there.subscribe(follow, { after: '' })
  const events: Event[] = []
  while (events.length < 40) events.push(await next(feed))
  const write = async (n: number) => {
    const api = n % 2 === 0 ? ada : there
    const id = `i${n}`
    await api.get(createAt, { id, createdAt: of2024(n) })
    const [first] = await bring(api, id, of2024(n + 1), of2024(n))
    await bring(api, `c${n + 50}`, of2024(n))
    if (n % 3 === 0) await api.append(id, 'm')
    if (n % 3 === 1) await api.get(choose, { messageId: first?.id })
    if (n % 4 === 0) await api.get(drop, { id })
    if (n % 8 === 0) await bring(api, id, of2024(-n))
    if (n % 5 === 0) await api.get(archive, { id: `c${n + 50}` })
  }
  const mirrors: { mirror: Mirror; cursor: string }[] = []
  const readPages = async () => {
    for (let n = 0; n < 6; n++) {
      const { nodes, cursor } = await readList(n % 2 === 0 ? ada : there)
      mirrors.push({ mirror: new Mirror(nodes.map((node) => [node.id, node])), cursor })
    }
  }
  await Promise.all([readPages(), ...Array.from({ length: 24 }, (_, n) => write(n + 1))])
  await bring(ada, 'last', of2024(0))
  while (events.at(-1)?.conversation?.id !== 'last') events.push(await next(feed))
  const { nodes } = await readList(ada)
  const ofId = (some: Listed[]) => [...some].sort((a, b) => (a.id < b.id ? 1 : -1))
  const mirror = new Mirror()
  for (const [index, event] of events.entries()) {
    mirror.take(event)
    if (index % 7 !== 0 && index < events.length - 20) continue
    mirrors.push({ mirror: new Mirror(mirror.conversations), cursor: event.cursor })
  }
  for (const [index, known] of mirrors.entries()) {
    await using rest = (index % 2 === 0 ? ada : there).subscribe(follow, { after: known.cursor })
    for (const missed of await catchUp(rest)) known.mirror.take(missed)
    expect(ofId(known.mirror.nodes)).toEqual(ofId(nodes))
  }
})

test('imports: one that holds its commit to the limit is seen live and from every cursor', async () => {
  const ada = newUser()
  const [slow, quick] = [`${userOf(ada)} slow`, `${userOf(ada)} quick`]
  for (const id of [slow, quick]) await bring(ada, id, of2024(0))
  const page = await readList(ada)
  await using feed = ada.subscribe(follow, { after: page.cursor })
  await next(feed)
  const writer = await bed.database.connect()
  await writer.query('begin')
  const { statementMs, transactionIdleMs } = pool
  await writer.query(
    `update conversation set revision = revision + 1, last_seq = last_seq + 1, imported_at = now() - $2 * interval '1 ms'
     where id = $1`,
    [slow, 3 * (statementMs + transactionIdleMs)],
  )
  await bring(ada, quick, of2024(1))
  const quickEvent = await next(feed)
  expect(tell(quickEvent)).toBe(`${quick} 2`)
  const later = await readList(ada)
  await using fromNow = ada.subscribe(follow)
  const caughtUp = await next(fromNow)
  await writer.query('commit')
  // Its hint comes with the next change.
  await bring(ada, quick, of2024(2))
  for (const watching of [feed, fromNow]) {
    expect(tell(await next(watching))).toBe(`${slow} 2`)
    expect(tell(await next(watching))).toBe(`${quick} 3`)
  }
  for (const after of [quickEvent.cursor, later.cursor, caughtUp.cursor]) {
    await using resumed = ada.subscribe(follow, { after })
    expect((await catchUp(resumed)).map(tell)).toEqual([`${slow} 2`, `${quick} 3`, 'caught up'])
  }
})

test('imports: one whose hint was lost is found by the poll, and so is a late commit', async () => {
  await using server = await serve(bed.database.url, { POLL_MS: '20' })
  const ada = newUser(server)
  const id = `${userOf(ada)} silent`
  await bring(ada, id, of2024(0))
  await using feed = ada.subscribe(follow, { after: '' })
  await catchUp(feed)
  const client = await bed.database.connect()
  for (const [seq, seconds] of [2, 3, 4].entries()) {
    await client.query(
      `update conversation set revision = revision + 1, last_seq = $2, imported_at = now() - $3 * interval '1 s'
       where id = $1`,
      [id, seq + 2, seconds * 10],
    )
    expect(tell(await next(feed))).toBe(`${id} ${seq + 2}`)
  }
})

test('7 bounds: 10,000 idle lists cost the poll ten statements a round and no read; who changed is told', async () => {
  const log = pino({ level: 'silent' })
  await using opened = await openOrm(bed.database.url, engine, pool, () => {})
  const watchers = new Watchers({ interest: () => ({ confirmed: Promise.resolve(), [Symbol.dispose]: () => {} }) })
  const told: string[] = []
  for (let n = 0; n < 10_000; n++) {
    const userId = `idle${n}`
    watchers.watch(listKey(userId), { moved: () => void told.push(userId) }, userId)
  }
  await insertOld('idle7', 3, '1 hour')
  const store = storeOf(opened)
  const looked = () => watchers.listOf(listKey('idle9999'))?.looked
  await using poll = new Poll(store, watchers, 600_000, lists.settleMs, log)
  // The newest of the three is of now.
  expect(await countStatements(bed.database, () => poll.now())).toBe(10)
  expect(told).toEqual(['idle7'])
  expect(looked()).not.toBeNull()
  expect(await countStatements(bed.database, () => poll.now())).toBe(10)
  expect(told).toEqual(['idle7'])
  await insertOld('idle9000', 1, '0')
  await poll.now()
  expect(told).toEqual(['idle7', 'idle9000'])
})

test('7 bounds: a tombstone is purged when no cursor asks for it any more, and its conversation can be created again', async () => {
  const ada = newUser()
  const userId = userOf(ada)
  const names = ['old', 'young', 'unerased', 'alive']
  for (const id of names) await ada.append(`${userId} ${id}`, 'm')
  for (const id of names.slice(0, 3)) await ada.get(drop, { id: `${userId} ${id}` })
  const client = await bed.database.connect()
  const rows = async () => {
    const { rows } = await client.query('select id from conversation where user_id = $1 order by id', [userId])
    return rows.map(({ id }) => id.slice(userId.length + 1))
  }
  const left = `select from message join conversation c on conversation_key = key
    where user_id = $1 and c.deleted_at is not null`
  await until(async () => (await client.query(left, [userId])).rows.length === 0)
  await appendUncommitted(client, `${userId} unerased`, 'left')
  await client.query('commit')
  const age = (id: string, seconds: number) =>
    client.query(
      `update conversation set deleted_at = now() - $2 * interval '1 day' - $3 * interval '1 ms' - $4 * interval '1 s'
       where id = $1`,
      [`${userId} ${id}`, lists.tombstoneDays, lists.settleMs, seconds],
    )
  await age('old', 1)
  await age('young', -60)
  await age('unerased', 100)
  const epochOf = async (id: string) =>
    (await client.query('select epoch from conversation where id = $1', [`${userId} ${id}`])).rows[0]?.epoch
  const before = await epochOf('old')
  const own = new Pool({ connectionString: bed.database.url })
  await purgeTombstones({ pool: own }, lists)
  await own.end()
  expect(await rows()).toEqual(['alive', 'unerased', 'young'])
  await ada.append(`${userId} old`, 'again')
  expect(await epochOf('old')).not.toBe(before)
  // A server purges at its start.
  await age('young', 1)
  await using server = await serve(bed.database.url)
  await until(async () => !(await rows()).includes('young'))
  expect(server.logged.filter(({ level }) => Number(level) >= 40)).toEqual([])
})

test('7 bounds: what is created again while tombstones are purged stays', async () => {
  const ada = newUser()
  const id = `${userOf(ada)} revived`
  await ada.get(create, { id })
  await ada.get(drop, { id })
  const client = await bed.database.connect()
  const key = conversationKey(userOf(ada), id)
  await client.query("update conversation set deleted_at = now() - interval '100 days' where key = $1", [key])
  await client.query('begin')
  await client.query('update conversation set deleted_at = null, epoch = epoch + 1 where key = $1', [key])
  const own = new Pool({ connectionString: bed.database.url })
  const purging = purgeTombstones({ pool: own }, lists)
  await untilWaiting(bed.database)
  await client.query('commit')
  await purging
  await own.end()
  expect((await client.query('select from conversation where id = $1', [id])).rows).toHaveLength(1)
})

test('hints of lists are above every revision, as long as hints may be', () => {
  expect(String(listRevision)).toMatch(/^9{15}$/)
})
