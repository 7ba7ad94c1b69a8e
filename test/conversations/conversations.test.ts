import { Pool } from 'pg'
import { expect, test } from 'vitest'
import { eraseMessages } from '../../src/storage/conversation/erase.ts'
import { useBed } from '../support/bed.ts'
import { patient } from '../support/patient.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const bed = useBed(patient)

const create = `mutation ($input: CreateConversationInput!) { createConversation(input: $input) { created conversation {
  id userId title metadata lastSeq createdAt updatedAt archivedAt } } }`
const update = `mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) { conversation {
  id title metadata archivedAt updatedAt } } }`
const remove = 'mutation ($id: ID!) { deleteConversation(input: { id: $id }) { deletedConversationId } }'

test('a conversation made without an id gets a UUIDv7', async () => {
  const { createConversation } = await bed.server.as().get(create, { input: { title: 'T', metadata: { a: 1 } } })
  expect(createConversation).toMatchObject({
    created: true,
    conversation: { userId: 'ada', title: 'T', metadata: { a: 1 }, lastSeq: 0, archivedAt: null },
  })
  expect(createConversation.conversation.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-/)
})

test('creating one that exists is a conflict, and with ifExists RETURN answers it as it is', async () => {
  const ada = bed.server.as()
  const first = (await ada.get(create, { input: { id: 'mine', title: 'first' } })).createConversation
  const error = await ada.fail(create, { input: { id: 'mine', title: 'second' } })
  expect(error.extensions).toMatchObject({ code: 'CONFLICT', reason: 'EXISTS' })
  const again = await ada.get(create, { input: { id: 'mine', title: 'second', ifExists: 'RETURN' } })
  expect(again.createConversation).toEqual({ ...first, created: false })
})

test('creating one a hundred times at once creates it once', async () => {
  const ada = bed.server.as()
  const input = { id: 'hundred', ifExists: 'RETURN' }
  const answers = await Promise.all(Array.from({ length: 100 }, () => ada.get(create, { input })))
  expect(answers.filter(({ createConversation }) => createConversation.created)).toHaveLength(1)
})

test('an update changes what it names, clears what is null and leaves the rest', async () => {
  const ada = bed.server.as()
  const { conversation } = (await ada.get(create, { input: { id: 'up', title: 'T', metadata: { a: 1, b: { c: 2 } } } }))
    .createConversation
  const change = async (input: object) =>
    (await ada.get(update, { input: { id: 'up', ...input } })).updateConversation.conversation
  expect(await change({ metadata: { b: { d: 3 }, e: null } })).toMatchObject({
    title: 'T',
    metadata: { a: 1, b: { d: 3 }, e: null },
  })
  expect(await change({ title: null })).toMatchObject({ title: null, metadata: { a: 1 } })
  expect((await change({ metadata: null })).metadata).toEqual({})
  const archived = await change({ archived: true })
  expect(archived.archivedAt).not.toBeNull()
  expect(archived.updatedAt > conversation.updatedAt).toBe(true)
  expect((await change({ archived: true })).archivedAt).toBe(archived.archivedAt)
  expect((await change({ archived: false })).archivedAt).toBeNull()
})

test('concurrent updates of different metadata keys all stay', async () => {
  const ada = bed.server.as()
  await ada.get(create, { input: { id: 'merge' } })
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => ada.get(update, { input: { id: 'merge', metadata: { [`k${i}`]: i } } })),
  )
  const { conversation } = await ada.get('{ conversation(id: "merge") { metadata } }')
  expect(Object.keys(conversation.metadata)).toHaveLength(20)
})

interface Page {
  nodes: { id: string }[]
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string; endCursor: string }
}

test('the list has the newest activity first and every conversation once, in both directions', async () => {
  const eve = bed.server.as({ 'x-user-id': 'eve' })
  for (let i = 0; i < 23; i++) await eve.get(create, { input: { id: `c${i}` } })
  await eve.append('c5', 'to the top')
  // Equal times are told apart by key.
  const client = await bed.database.connect()
  await client.query(
    "update conversation set updated_at = '2026-01-01T00:00:00.000001Z' where user_id = 'eve' and id in ('c1', 'c2', 'c3', 'c4')",
  )
  const list = `query ($first: Int, $after: String, $last: Int, $before: String) {
    conversations(first: $first, after: $after, last: $last, before: $before) {
      edges { cursor node { id updatedAt } } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`
  const whole = (await eve.get(list, { first: 100 })).conversations
  const order = whole.nodes.map((node: { id: string }) => node.id)
  expect(order[0]).toBe('c5')
  expect(new Set(order).size).toBe(23)
  expect(new Set(order.slice(-4))).toEqual(new Set(['c1', 'c2', 'c3', 'c4']))
  for (const size of [1, 5, 22, 23, 24]) {
    const forward: string[] = []
    for (let after: string | null = null; ; ) {
      const { nodes, pageInfo }: Page = (await eve.get(list, { first: size, after })).conversations
      expect(pageInfo.hasPreviousPage).toBe(forward.length > 0)
      forward.push(...nodes.map((node: { id: string }) => node.id))
      if (!pageInfo.hasNextPage) break
      after = pageInfo.endCursor
    }
    expect(forward).toEqual(order)
    const backward: string[] = []
    for (let before: string | null = null; ; ) {
      const { nodes, pageInfo }: Page = (await eve.get(list, { last: size, before })).conversations
      expect(pageInfo.hasNextPage).toBe(backward.length > 0)
      backward.unshift(...nodes.map((node: { id: string }) => node.id))
      if (!pageInfo.hasPreviousPage) break
      before = pageInfo.startCursor
    }
    expect(backward).toEqual(order)
  }
  const around = async (variables: object) => {
    const { nodes, pageInfo } = (await eve.get(list, variables)).conversations
    return [nodes.length, pageInfo.hasPreviousPage, pageInfo.hasNextPage]
  }
  const { startCursor, endCursor } = whole.pageInfo
  expect(await around({ first: 5, after: endCursor })).toEqual([0, true, false])
  expect(await around({ last: 5, before: startCursor })).toEqual([0, false, true])
  expect(await around({ first: 0 })).toEqual([0, false, true])
  expect(await around({ last: 0 })).toEqual([0, true, false])
  expect(await around({ after: startCursor, before: endCursor, first: 100 })).toEqual([21, true, true])
})

test('a deleted conversation is gone at once, for everybody and everything', async () => {
  const ada = bed.server.as()
  const { message } = await ada.append('gone', 'Hello')
  expect(await ada.get(remove, { id: 'gone' })).toEqual({ deleteConversation: { deletedConversationId: 'gone' } })
  const after = await ada.get(
    'query ($m: ID!) { conversation(id: "gone") { id } node(id: "gone") { id } message: node(id: $m) { id } }',
    { m: message.id },
  )
  expect(after).toEqual({ conversation: null, node: null, message: null })
  expect((await ada.fail(remove, { id: 'gone' })).extensions.code).toBe('NOT_FOUND')
  expect((await ada.fail(update, { input: { id: 'gone', title: 'x' } })).extensions.code).toBe('NOT_FOUND')
  const { conversations } = await ada.get('{ conversations(first: 100) { nodes { id } } }')
  expect(conversations.nodes.map((node: { id: string }) => node.id)).not.toContain('gone')
})

test('a deleted conversation is as gone while its messages are still there', async () => {
  const ada = bed.server.as()
  const { message } = await ada.append('tombstone', { role: 'USER', content: 'still there', clientId: 'c' })
  const client = await bed.database.connect()
  await client.query("update conversation set deleted_at = now() where id = 'tombstone'")
  const { rowCount } = await client.query("select from message where content = 'still there'")
  expect(rowCount).toBe(1)
  const query = 'query ($m: ID!) { conversation(id: "tombstone") { id } node(id: $m) { id } nodes(ids: [$m]) { id } }'
  expect(await ada.get(query, { m: message.id })).toEqual({ conversation: null, node: null, nodes: [null] })
})

test('a server that starts erases what an earlier one left of deleted conversations', async () => {
  await bed.server.as().append('left', 'left behind')
  const client = await bed.database.connect()
  await client.query("update conversation set deleted_at = now() where id = 'left'")
  const left = "select from message where content = 'left behind'"
  expect((await client.query(left)).rowCount).toBe(1)
  await using _second = await serve(bed.database.url)
  await until(async () => (await client.query(left)).rowCount === 0)
})

test('an eraser that is late does nothing to a new life of the same key', async () => {
  const ada = bed.server.as()
  await ada.append('late', 'old')
  const client = await bed.database.connect()
  const { rows } = await client.query("select key, epoch from conversation where id = 'late'")
  await ada.get(remove, { id: 'late' })
  await ada.append('late', 'new')
  await ada.get(remove, { id: 'late' })
  await ada.append('late', 'newest')
  // Straight into storage: no request can be as late as an eraser that was held up.
  const pool = new Pool({ connectionString: bed.database.url })
  await eraseMessages({ pool }, { key: rows[0].key, epoch: Number(rows[0].epoch) })
  await pool.end()
  const { conversation } = await ada.get('{ conversation(id: "late") { messages { nodes { content } } } }')
  expect(conversation.messages.nodes).toEqual([{ content: 'newest' }])
})

test.each(['createConversation', 'appendMessage'])(
  'deleted and created again by %s: old message ids are null, old cursors expired, client ids free',
  async (way) => {
    const ada = bed.server.as()
    const id = `again-${way}`
    const old = await ada.append(id, { role: 'USER', content: 'old', clientId: 'c' })
    await ada.append(id, 'older')
    await ada.get(remove, { id })
    if (way === 'createConversation') await ada.get(create, { input: { id, title: 'new', metadata: { n: 1 } } })
    const fresh = await ada.append(id, { role: 'USER', content: 'new', clientId: 'c' })
    expect(fresh).toMatchObject({ replayed: false, message: { seq: 1 }, conversation: { lastSeq: 1 } })
    expect(fresh.message.id).not.toBe(old.message.id)
    const data = await ada.get(
      'query ($id: ID!, $old: ID!) { node(id: $old) { id } conversation(id: $id) { title messages { nodes { content } } } }',
      { id, old: old.message.id },
    )
    const title = way === 'createConversation' ? 'new' : null
    expect(data).toEqual({ node: null, conversation: { title, messages: { nodes: [{ content: 'new' }] } } })
    for (const after of [old.messageEdge.cursor, old.conversation.cursor]) {
      const page = `query ($id: ID!, $after: String) { conversation(id: $id) { messages(after: $after) { nodes { id } } } }`
      expect((await ada.fail(page, { id, after })).extensions.code).toBe('CURSOR_EXPIRED')
    }
  },
)

test('creating again right after deleting thousands of messages never shows an old one', async () => {
  const ada = bed.server.as()
  const messages = Array.from({ length: 100 }, () => ({ role: 'USER', content: 'old' }))
  const input = { conversationId: 'large', ifMissing: 'CREATE', messages }
  for (let i = 0; i < 15; i++) {
    await ada.get('mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }', { input })
  }
  await ada.get(remove, { id: 'large' })
  const [one, two] = await Promise.all([ada.append('large', 'new'), ada.append('large', 'new')])
  expect([one.message.seq, two.message.seq].sort()).toEqual([1, 2])
  const { conversation } = await ada.get('{ conversation(id: "large") { lastSeq messages { nodes { content } } } }')
  expect(conversation).toEqual({ lastSeq: 2, messages: { nodes: [{ content: 'new' }, { content: 'new' }] } })
})

test('deleting, creating and appending at the same time leaves one whole conversation', async () => {
  const ada = bed.server.as()
  await ada.append('storm', 'first')
  const work = Array.from({ length: 60 }, (_, i) =>
    i % 3 === 0 ? ada.ask(remove, { id: 'storm' }) : ada.append('storm', `m${i}`),
  )
  await Promise.all(work)
  await ada.append('storm', 'last')
  const { conversation } = await ada.get('{ conversation(id: "storm") { lastSeq messages { nodes { seq } } } }')
  const seqs = conversation.messages.nodes.map((node: { seq: number }) => node.seq)
  expect(seqs).toEqual(Array.from({ length: conversation.lastSeq }, (_, i) => i + 1))
})
