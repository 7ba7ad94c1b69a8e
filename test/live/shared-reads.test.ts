import { beforeAll, expect, test } from 'vitest'
import type { Api, Results } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { countStatements } from '../support/database/statements.ts'
import { serve } from '../support/server.ts'

// Only what is counted here asks the database.
const settings = { POLL_MS: '600000' }
const bed = useBed(settings)

const appended = `subscription ($id: ID!, $after: String = "") { messageAppended(conversationId: $id, after: $after) { node { seq } } }`
const events = `subscription ($id: ID!, $after: String = "") { conversationEvents(conversationId: $id, after: $after) { __typename
  ... on MessageAppended { edge { node { seq content } } } ... on MessageTextAppended { chunk text } } }`
const start = `mutation ($id: ID!) { startMessage(input: { conversationId: $id, ifMissing: CREATE }) { message { id } } }`
const add = `mutation ($id: ID!, $chunk: Int!) {
  appendMessageText(input: { messageId: $id, attempt: 1, chunk: $chunk, text: "token " }) { nextChunk } }`

/** How many statements an append has where nobody watches, and a chunk of text: on Citus each is a transaction. */
let [append, chunk] = [0, 0]
beforeAll(async () => {
  const ada = bed.server.as()
  append = await countStatements(bed.database, () => ada.append('alone', 'first'))
  const { id } = await begin(ada, 'alone')
  chunk = await countStatements(bed.database, () => ada.get(add, { id, chunk: 0 }))
})

async function begin(api: Api, id: string): Promise<{ readonly id: string }> {
  return (await api.get(start, { id })).startMessage.message
}

/** Watchers that have been told `told` things each, and wait. */
async function watch(api: Api, query: string, id: string, count: number, told: number) {
  const watchers = Array.from({ length: count }, () => api.subscribe(query, { id }))
  for (const watcher of watchers) await watcher.take(told)
  return watchers
}

async function each(watchers: readonly Results[]) {
  return Promise.all(watchers.map(async (watcher) => (await watcher.next())?.data))
}

async function close(watchers: readonly Results[]): Promise<void> {
  for (const watcher of watchers) await watcher[Symbol.asyncDispose]()
}

test('all watchers of a conversation on one server share one read of what was appended', async () => {
  const ada = bed.server.as()
  await ada.append('many', 'first')
  const messages = await watch(ada, appended, 'many', 30, 1)
  const everything = await watch(ada, events, 'many', 30, 3)
  const statements = await countStatements(bed.database, async () => {
    await ada.append('many', 'second')
    for (const data of await each(messages)) expect(data).toEqual({ messageAppended: { node: { seq: 2 } } })
    for (const data of await each(everything)) {
      expect(data.conversationEvents.edge.node).toEqual({ seq: 2, content: 'second' })
    }
  })
  // The read of the one kind of feed, and that of the other.
  expect(statements).toBe(append + 2)
  await close([...messages, ...everything])
})

test('and so do those on another server', async () => {
  await using far = await serve(bed.database.url, settings)
  const ada = bed.server.as()
  await ada.append('far', 'first')
  const watchers = await watch(far.as(), appended, 'far', 30, 1)
  const statements = await countStatements(bed.database, async () => {
    await ada.append('far', 'second')
    await each(watchers)
  })
  expect(statements).toBe(append + 1)
  await close(watchers)
})

test('streamed text is read once for all who follow it, and not at all for those who only wait for messages', async () => {
  const ada = bed.server.as()
  const message = await begin(ada, 'text')
  const messages = await watch(ada, appended, 'text', 10, 1)
  const everything = await watch(ada, events, 'text', 30, 3)
  await ada.get(add, { id: message.id, chunk: 0 })
  await each(everything)
  const statements = await countStatements(bed.database, async () => {
    await ada.get(add, { id: message.id, chunk: 1 })
    for (const { conversationEvents } of await each(everything)) {
      expect(conversationEvents).toMatchObject({ chunk: 1, text: 'token ' })
    }
  })
  expect(statements).toBe(chunk + 1)
  await close([...messages, ...everything])
})

test('watchers of different users share nothing', async () => {
  const bob = bed.server.as({ 'x-user-id': 'bob' })
  const ada = bed.server.as()
  for (const api of [ada, bob]) await api.append('same id', api === ada ? "ada's" : "bob's")
  const watchers = [...(await watch(ada, events, 'same id', 2, 3)), ...(await watch(bob, events, 'same id', 2, 3))]
  await Promise.all([ada.append('same id', "ada's second"), bob.append('same id', "bob's second")])
  const told = (await each(watchers)).map(({ conversationEvents }) => conversationEvents.edge.node.content)
  expect(told).toEqual(["ada's second", "ada's second", "bob's second", "bob's second"])
  await close(watchers)
})

const withLast = `subscription ($id: ID!, $after: String = "") { messageAppended(conversationId: $id, after: $after) {
  node { seq conversation { lastMessage { content } } } } }`

test('an event is answered once for all who select the same, from wherever they began', async () => {
  const ada = bed.server.as()
  const { messageEdge } = await ada.append('answered', 'first')
  const watchers = [
    ...(await watch(ada, withLast, 'answered', 20, 1)),
    ...Array.from({ length: 20 }, () => ada.subscribe(withLast, { id: 'answered', after: messageEdge.cursor })),
  ]
  // All of them wait: each has been told of the second.
  await ada.append('answered', 'second')
  await each(watchers)
  const statements = await countStatements(bed.database, async () => {
    await ada.append('answered', 'third')
    for (const { messageAppended } of await each(watchers)) {
      expect(messageAppended.node).toEqual({ seq: 3, conversation: { lastMessage: { content: 'third' } } })
    }
  })
  // The read of it, and the last message.
  expect(statements).toBe(append + 2)
  await close(watchers)
})

test('a variable that is left out is not the same as one that is null', async () => {
  const ada = bed.server.as()
  for (const content of ['first', 'second', 'third']) await ada.append('default', content)
  const query = `subscription ($last: Int = 1) { messageAppended(conversationId: "default", after: "") {
    node { conversation { history(last: $last) { seq } } } } }`
  const watchers = [ada.subscribe(query, {}), ada.subscribe(query, { last: null })]
  for (const watcher of watchers) await watcher.take(3)
  await ada.append('default', 'fourth')
  const seqs = (await each(watchers)).map(({ messageAppended }) => messageAppended.node.conversation.history.length)
  expect(seqs).toEqual([1, 4])
  await close(watchers)
})

test('who selects something else is answered for itself: another document, operation, or variable', async () => {
  const ada = bed.server.as()
  await ada.append('apart', 'first')
  const query = `subscription A($with: Boolean!) { messageAppended(conversationId: "apart", after: "") { node { seq content @include(if: $with) } } }`
  const other = 'subscription { messageAppended(conversationId: "apart", after: "") { node { role } cursor } }'
  const watchers = [
    ada.subscribe(query, { with: true }),
    ada.subscribe(query, { with: false }),
    ada.subscribe(other, {}),
    ada.subscribe(query, { with: true }),
  ]
  for (const watcher of watchers) await watcher.take(1)
  const { messageEdge } = await ada.append('apart', 'second')
  expect((await each(watchers)).map(({ messageAppended }) => messageAppended)).toEqual([
    { node: { seq: 2, content: 'second' } },
    { node: { seq: 2 } },
    { node: { role: 'USER' }, cursor: messageEdge.cursor },
    { node: { seq: 2, content: 'second' } },
  ])
  await close(watchers)
})
