import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Answer, Api, Results } from '../support/api.ts'
import { appendUncommitted } from '../support/database/append-uncommitted.ts'
import { createDatabase, type TestDatabase } from '../support/database/database.ts'
import { untilWaiting } from '../support/database/until-waiting.ts'
import { serve, type TestServer } from '../support/server.ts'

const appended = `subscription ($id: ID!) {
  messageAppended(conversationId: $id, after: "") { node { seq content clientId } }
}`

const forward = `query ($id: ID!, $after: String) { conversation(id: $id) { lastSeq messages(first: 50, after: $after) {
  nodes { seq content clientId conversation { lastSeq } } pageInfo { endCursor hasNextPage }
} } }`

const backward = `query ($id: ID!, $before: String) { conversation(id: $id) { messages(last: 50, before: $before) {
  nodes { seq content clientId } pageInfo { startCursor hasPreviousPage }
} } }`

interface Entry {
  readonly seq: number
  readonly content: string
  readonly clientId: string | null
}

let database: TestDatabase
let one: TestServer
let two: TestServer

beforeAll(async () => {
  database = await createDatabase()
  one = await serve(database.url)
  two = await serve(database.url)
})

afterAll(async () => {
  for (const server of [one, two]) {
    await server[Symbol.asyncDispose]()
    expect(server.inspect()).toEqual({ sockets: 0, watchers: 0, answerBytes: 0, feedBytes: 0 })
  }
  await database[Symbol.asyncDispose]()
})

const entryOf = (answer: Answer): Entry => answer.data.messageAppended.node
const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)

async function follow(feed: Results, count: number): Promise<Entry[]> {
  return (await feed.take(count)).map(entryOf)
}

/** Pages on until it has `count`, also past pages that are not full because the next message is not there yet. */
async function pageForward(api: Api, id: string, count: number): Promise<Entry[]> {
  const read: Entry[] = []
  let after: string | null = null
  while (read.length < count) {
    const { conversation } = await api.get(forward, { id, after })
    const { nodes, pageInfo } = conversation.messages
    for (const { conversation: _, ...entry } of nodes) read.push(entry)
    after = pageInfo.endCursor ?? after
    // A later page is read after its conversation: only its messages say how that stood at the same moment.
    expect(conversation.lastSeq).toBeGreaterThanOrEqual(read.length - nodes.length)
    const { lastSeq } = nodes.at(-1)?.conversation ?? { lastSeq: read.length }
    expect(pageInfo.hasNextPage).toBe(read.length < lastSeq)
  }
  return read
}

async function pageBackward(api: Api, id: string): Promise<Entry[]> {
  let read: Entry[] = []
  let before: string | null = null
  for (;;) {
    const { conversation } = await api.get(backward, { id, before })
    const { nodes, pageInfo } = conversation.messages
    read = [...nodes, ...read]
    before = pageInfo.startCursor
    if (!pageInfo.hasPreviousPage) return read
  }
}

test('2 ordered: 64 writers on two servers, and followers and pagers of both see the same 1 to n', async () => {
  const writers = 64
  const each = 20
  const total = writers * each
  const id = 'busy'
  await one.as().get('mutation { createConversation(input: { id: "busy" }) { created } }')
  await using feedOne = one.as().subscribe(appended, { id })
  await using feedTwo = two.as().subscribe(appended, { id })
  const answered: Entry[] = []
  const writing = Array.from({ length: writers }, async (_, writer) => {
    const api = (writer % 2 === 0 ? one : two).as()
    for (let n = 0; n < each; n++) {
      const content = `${writer}/${n}`
      const { message, replayed } = await api.append(id, { role: 'USER', content, clientId: `id ${content}` })
      expect(replayed).toBe(false)
      answered.push({ seq: message.seq, content: message.content, clientId: `id ${content}` })
    }
  })
  const [fromOne, fromTwo, pagesOfOne, pagesOfTwo] = await Promise.all([
    follow(feedOne, total),
    follow(feedTwo, total),
    pageForward(one.as(), id, total),
    pageForward(two.as(), id, total),
    ...writing,
  ])
  expect(fromOne.map(({ seq }) => seq)).toEqual(upTo(total))
  expect(fromTwo).toEqual(fromOne)
  expect(pagesOfOne).toEqual(fromOne)
  expect(pagesOfTwo).toEqual(fromOne)
  expect(await pageBackward(two.as(), id)).toEqual(fromOne)
  expect(answered.sort((a, b) => a.seq - b.seq)).toEqual(fromOne)
  // Each writer waited for its answers, so its own messages stand in the order in which it wrote them.
  for (let writer = 0; writer < writers; writer++) {
    const own = fromOne.filter(({ content }) => content.startsWith(`${writer}/`)).map(({ content }) => content)
    expect(own).toEqual(Array.from({ length: each }, (_, n) => `${writer}/${n}`))
  }
})

/** What every way of reading shows of a conversation, which must all agree. */
async function readEveryWay(id: string): Promise<string[]> {
  const shown = []
  for (const server of [one, two]) {
    const { conversation } = await server.as().get(
      `query ($id: ID!) { conversation(id: $id) {
        lastSeq lastMessage { content } history { content } first: messages(first: 100) { nodes { seq content } }
        last: messages(last: 100) { nodes { seq content } }
      } }`,
      { id },
    )
    const contents = conversation.first.nodes.map(({ content }: Entry) => content)
    expect(conversation.first.nodes.map(({ seq }: Entry) => seq)).toEqual(upTo(conversation.lastSeq))
    expect(conversation.last).toEqual(conversation.first)
    expect(conversation.history.map(({ content }: Entry) => content)).toEqual(contents)
    expect(conversation.lastMessage.content).toBe(contents.at(-1))
    shown.push(contents)
  }
  expect(shown[1]).toEqual(shown[0])
  return shown[0]
}

test('2 ordered: a writer that commits late comes before those that waited for it, for everybody', async () => {
  await one.as().append('late', 'first')
  const slow = await database.connect()
  await using feedOne = one.as().subscribe(appended, { id: 'late' })
  await using feedTwo = two.as().subscribe(appended, { id: 'late' })
  await follow(feedOne, 1)
  await follow(feedTwo, 1)
  await appendUncommitted(slow, 'late', 'slow')
  const waiting = [one, two].map((server) => server.as().append('late', 'fast'))
  await untilWaiting(database, 2)
  // Readers wait for nobody, and see neither of them.
  expect(await readEveryWay('late')).toEqual(['first'])
  await slow.query('commit')
  expect((await Promise.all(waiting)).map(({ message }) => message.seq).sort()).toEqual([3, 4])
  expect(await readEveryWay('late')).toEqual(['first', 'slow', 'fast', 'fast'])
  for (const feed of [feedOne, feedTwo]) {
    const entries = await follow(feed, 3)
    expect(entries.map(({ seq, content }) => [seq, content])).toEqual([
      [2, 'slow'],
      [3, 'fast'],
      [4, 'fast'],
    ])
  }
})

test('2 ordered: a writer that rolls back leaves no gap', async () => {
  await one.as().append('undone', 'first')
  const slow = await database.connect()
  await using feed = two.as().subscribe(appended, { id: 'undone' })
  await follow(feed, 1)
  await appendUncommitted(slow, 'undone', 'slow')
  const waiting = one.as().append('undone', 'fast')
  await untilWaiting(database)
  expect(await readEveryWay('undone')).toEqual(['first'])
  await slow.query('rollback')
  expect((await waiting).message.seq).toBe(2)
  await one.as().append('undone', 'third')
  expect((await follow(feed, 2)).map(({ seq, content }) => [seq, content])).toEqual([
    [2, 'fast'],
    [3, 'third'],
  ])
  expect(await readEveryWay('undone')).toEqual(['first', 'fast', 'third'])
})

test('2 ordered: a writer that waits too long is refused, and what it wrote is nowhere', async () => {
  await using server = await serve(database.url, { LOCK_TIMEOUT_MS: '50' })
  await one.as().append('refused', 'first')
  const slow = await database.connect()
  await appendUncommitted(slow, 'refused', 'slow')
  const error = await server.as().fail(
    `mutation { appendMessage(input: { conversationId: "refused", message: { role: USER, content: "fast" } }) {
      message { seq }
    } }`,
  )
  expect(error.extensions.code).toBe('UNAVAILABLE')
  await slow.query('commit')
  expect((await one.as().append('refused', 'third')).message.seq).toBe(3)
  expect(await readEveryWay('refused')).toEqual(['first', 'slow', 'third'])
})
