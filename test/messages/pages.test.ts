import { beforeAll, expect, test } from 'vitest'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { countStatements } from '../support/database/statements.ts'

const bed = useBed()

const count = 25

beforeAll(async () => {
  const ada = bed.server.as()
  const messages = Array.from({ length: count }, (_, i) => ({ role: 'USER', content: `m${i + 1}` }))
  await ada.get('mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }', {
    input: { conversationId: 'log', ifMissing: 'CREATE', messages },
  })
})

const page = `query ($first: Int, $after: String, $last: Int, $before: String) { conversation(id: "log") { cursor
  messages(first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { seq content } } nodes { seq } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } } }`

async function read(ada: Api, variables: Record<string, unknown>) {
  const { conversation } = await ada.get(page, variables)
  const { edges, nodes, pageInfo } = conversation.messages
  expect(nodes).toEqual(edges.map((edge: { node: { seq: number } }) => ({ seq: edge.node.seq })))
  expect(pageInfo.startCursor).toBe(edges[0]?.cursor ?? null)
  expect(pageInfo.endCursor).toBe(edges.at(-1)?.cursor ?? null)
  return {
    seqs: edges.map((edge: { node: { seq: number } }) => edge.node.seq) as number[],
    next: pageInfo.hasNextPage as boolean,
    previous: pageInfo.hasPreviousPage as boolean,
    start: pageInfo.startCursor as string,
    end: pageInfo.endCursor as string,
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

test.each([1, 7, 24, 25, 26, 100])('forward pages of %i hold every message once, in order', async (first) => {
  const seen: number[] = []
  let after: string | null = null
  for (;;) {
    const one = await read(bed.server.as(), { first, after })
    seen.push(...one.seqs)
    expect(one.previous).toBe((one.seqs[0] ?? 0) > 1)
    if (!one.next) break
    after = one.end
  }
  expect(seen).toEqual(range(1, count))
})

test.each([1, 7, 24, 25, 26, 100])('backward pages of %i hold every message once, in order', async (last) => {
  const seen: number[] = []
  let before: string | null = null
  for (;;) {
    const one = await read(bed.server.as(), { last, before })
    seen.unshift(...one.seqs)
    expect(one.next).toBe((one.seqs.at(-1) ?? 0) < count)
    if (!one.previous) break
    before = one.start
  }
  expect(seen).toEqual(range(1, count))
})

test('after and before together bound a page, from either end', async () => {
  const ada = bed.server.as()
  const { end: third } = await read(ada, { first: 3 })
  const { start: tenth } = await read(ada, { last: 16 })
  const between = { after: third, before: tenth }
  expect(await read(ada, { ...between, first: 100 })).toMatchObject({ seqs: range(4, 9), next: true, previous: true })
  expect(await read(ada, { ...between, first: 2 })).toMatchObject({ seqs: [4, 5], next: true, previous: true })
  expect(await read(ada, { ...between, last: 2 })).toMatchObject({ seqs: [8, 9], next: true, previous: true })
  const crossed = { after: tenth, before: third }
  expect(await read(ada, { ...crossed, first: 5 })).toMatchObject({ seqs: [], next: true, previous: true })
  expect(await read(ada, { ...crossed, last: 5 })).toMatchObject({ seqs: [], next: true, previous: true })
})

const pagedFields = [
  'conversation(id: "log") { page: messages(ARGS) { nodes { id } pageInfo { hasNextPage hasPreviousPage } } }',
  'conversation(id: "log") { page: messages(branch: LEAF, ARGS) { nodes { id } pageInfo { hasNextPage hasPreviousPage } } }',
  'page: conversations(ARGS) { nodes { id } pageInfo { hasNextPage hasPreviousPage } }',
]

// Relay's loadNext sends `last` with its default beside `first` and `after`; loadPrevious does the same the other way.
test.each(pagedFields)('of first and last the cursor says which one counts: %s', async (field) => {
  const ada = bed.server.as()
  for (let n = 0; n < 8; n++) {
    await ada.get(`mutation { createConversation(input: { id: "listed ${n}", ifExists: RETURN }) { created } }`)
  }
  const { conversation, conversations } = await ada.get(
    '{ conversation(id: "log") { activeLeaf { id } messages { edges { cursor } } } conversations { edges { cursor } } }',
  )
  const { edges } = field.startsWith('page') ? conversations : conversation.messages
  const asked = field.replace('LEAF', JSON.stringify(conversation.activeLeaf.id))
  const ask = async (args: Record<string, unknown>) => {
    const given = Object.entries(args).filter(([, value]) => value !== undefined)
    const { data, errors } = await ada.ask(
      `{ ${asked.replace('ARGS', given.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(' '))} }`,
    )
    return errors?.[0]?.extensions ?? data.page ?? data.conversation.page
  }
  const counts = [
    { first: 3, last: 2 },
    { first: 2, last: 3 },
    { first: 0, last: 2 },
    { first: 1, last: 0 },
    { first: 3, last: 1000 },
  ]
  for (const after of [undefined, null, edges[1].cursor]) {
    for (const before of [undefined, null, edges[6].cursor]) {
      for (const { first, last } of counts) {
        const cursors = { after, before }
        const both = await ask({ first, last, ...cursors })
        if (Boolean(after) === Boolean(before)) expect(both).toEqual({ code: 'BAD_USER_INPUT', path: 'last' })
        else expect(both).toEqual(await ask({ ...(after ? { first } : { last }), ...cursors }))
        for (const alone of [{ first }, { last }]) {
          const other = 'first' in alone ? { last: null } : { first: null }
          expect(await ask({ ...alone, ...other, ...cursors })).toEqual(await ask({ ...alone, ...cursors }))
        }
      }
    }
  }
})

test('an empty page says exactly what lies around it', async () => {
  const ada = bed.server.as()
  const all = await read(ada, { first: 100 })
  expect(await read(ada, { first: 5, after: all.end })).toMatchObject({ seqs: [], next: false, previous: true })
  expect(await read(ada, { last: 5, before: all.start })).toMatchObject({ seqs: [], next: true, previous: false })
  expect(await read(ada, { first: 0 })).toMatchObject({ seqs: [], next: true, previous: false })
  expect(await read(ada, { last: 0 })).toMatchObject({ seqs: [], next: false, previous: true })
})

test("a page may begin at the conversation's own cursor, and nulls are the same as absent", async () => {
  const ada = bed.server.as()
  const { conversation } = await ada.get('{ conversation(id: "log") { cursor } }')
  expect((await read(ada, { first: 5, after: conversation.cursor })).seqs).toEqual([])
  expect((await read(ada, { first: null, after: null, last: null, before: null })).seqs).toEqual(range(1, count))
})

test('pages of a conversation without messages are empty on all sides', async () => {
  const ada = bed.server.as()
  await ada.get('mutation { createConversation(input: { id: "empty" }) { created } }')
  const { conversation } = await ada.get(
    '{ conversation(id: "empty") { lastSeq lastMessage { id } history { id } messages(last: 5) { nodes { id } pageInfo { hasNextPage hasPreviousPage } } } }',
  )
  expect(conversation).toEqual({
    lastSeq: 0,
    lastMessage: null,
    history: [],
    messages: { nodes: [], pageInfo: { hasNextPage: false, hasPreviousPage: false } },
  })
})

test('deleted messages keep their places in pages, and history and lastMessage pass over them', async () => {
  const ada = bed.server.as()
  for (const content of ['a', 'b', 'c']) await ada.append('holes', content)
  const client = await bed.database.connect()
  await client.query(
    "update message set deleted_at = now(), content = null where content in ('b', 'c') and conversation_key = (select key from conversation where id = 'holes')",
  )
  const { conversation } = await ada.get(
    '{ conversation(id: "holes") { lastSeq lastMessage { seq } history { seq } messages { nodes { seq deletedAt } } } }',
  )
  expect(conversation.messages.nodes.map((node: { seq: number }) => node.seq)).toEqual([1, 2, 3])
  expect(conversation).toMatchObject({ lastSeq: 3, lastMessage: { seq: 1 }, history: [{ seq: 1 }] })
})

test('a message is found by its seq or its client id, and by exactly one of them', async () => {
  const ada = bed.server.as()
  await ada.append('found', { role: 'USER', content: 'x', clientId: 'mine' })
  const message = (args: string) => `{ conversation(id: "found") { message(${args}) { seq content } } }`
  expect((await ada.get(message('seq: 1'))).conversation.message).toEqual({ seq: 1, content: 'x' })
  expect((await ada.get(message('clientId: "mine"'))).conversation.message).toEqual({ seq: 1, content: 'x' })
  expect((await ada.get(message('seq: 2'))).conversation.message).toBeNull()
  expect((await ada.get(message('clientId: "other", seq: null'))).conversation.message).toBeNull()
  for (const args of ['seq: 1, clientId: "mine"', 'seq: null']) {
    expect((await ada.fail(message(args))).extensions.code).toBe('BAD_USER_INPUT')
  }
})

test('what is nested in a list of conversations takes a statement of each kind for each conversation', async () => {
  const dora = bed.server.as({ 'x-user-id': 'dora' })
  const nested = `query ($first: Int!) { conversations(first: $first) { nodes { id lastMessage { seq conversation { id } }
    messages(last: 3) { nodes { content conversation { title } } } history(last: 5) { content } message(seq: 1) { id }
    byClientId: message(clientId: "k") { id } } } }`
  const measure = async (first: number) => {
    const count = await countStatements(bed.database, async () => {
      const { conversations } = await dora.get(nested, { first })
      expect(conversations.nodes).toHaveLength(first)
      for (const node of conversations.nodes) expect(node.history.length).toBeGreaterThan(0)
    })
    return count
  }
  for (let i = 0; i < 60; i++) await dora.append(`nested-${i}`, { role: 'USER', content: 'x', clientId: 'k' })
  const counts = [await measure(1), await measure(2), await measure(60)]
  // The list with its last messages; for each conversation a page, a history, a message by seq and one by client id.
  expect(counts).toEqual([1, 2, 60].map((first) => 1 + 4 * first))
})

/** What is asked of a conversation, and how many statements it takes. */
const opened: [name: string, selected: string, statements: number][] = [
  ['the last page', 'id lastSeq messages(last: 3) { nodes { seq } }', 1],
  [
    'the first page in a fragment',
    '... on Conversation { page: messages(first: 3, after: null) { nodes { seq } } }',
    1,
  ],
  ['a page after a cursor', 'messages(after: "") { nodes { seq } } cursor', 1],
  ['two pages', 'messages(first: 1) { nodes { seq } } end: messages(last: 1) { nodes { seq } }', 3],
  ['a page under a condition', 'title messages @skip(if: true) { nodes { seq } }', 1],
  ['no page', 'title', 1],
  [
    'another page within a page',
    'messages(last: 1) { nodes { conversation { messages(last: 2) { nodes { seq model } } } } }',
    2,
  ],
  [
    'an earlier page within a page',
    'messages(last: 1) { nodes { conversation { messages(last: 1, before: "<end>") { nodes { seq model } } } } }',
    2,
  ],
  [
    'the same page within a page',
    'messages(last: 1) { nodes { conversation { messages(last: 1) { nodes { seq model } } } } }',
    1,
  ],
]

test.each(opened)('a conversation and %s take as few statements as can be', async (_, selected, statements) => {
  const ada = bed.server.as()
  const { end } = await read(ada, { last: 1 })
  const ask = (more: string) => ada.get(`{ conversation(id: "log") { ${more.replace('<end>', end)} } }`)
  let answer: unknown
  const count = await countStatements(bed.database, async () => {
    answer = await ask(selected)
  })
  expect(count).toBe(statements)
  // Under a condition no page is read ahead.
  expect(answer).toEqual(await ask(`... @include(if: true) { ${selected} }`))
})

test('a conversation with its page is null where the viewer has none, and wrong arguments are refused in their place', async () => {
  const { id } = (await bed.server.as().get('{ conversation(id: "log") { messages(first: 1) { nodes { id } } } }'))
    .conversation.messages.nodes[0]
  const mallory = bed.server.as({ 'x-user-id': 'mallory' })
  const ask = 'query ($id: ID!, $last: Int) { conversation(id: $id) { id messages(last: $last) { nodes { seq } } } }'
  for (const other of ['log', 'none', id, 'cnv_x']) {
    expect(await mallory.ask(ask, { id: other, last: 5 })).toEqual({ data: { conversation: null } })
  }
  const refused = await bed.server.as().ask(ask, { id: 'log', last: 101 })
  expect(refused.errors?.[0]).toMatchObject({
    path: ['conversation', 'messages'],
    extensions: { code: 'BAD_USER_INPUT' },
  })
})

test('an id and a cursor name their message, however far it is', async () => {
  const ada = bed.server.as()
  await ada.append('far', 'first')
  const client = await bed.database.connect()
  for (const seq of [62, 63, 4_095, 262_143, 16_777_215, 1_073_741_823, 2_147_483_640]) {
    await client.query(`update conversation set last_seq = ${seq - 1} where id = 'far'`)
    const { message, messageEdge } = await ada.append('far', String(seq))
    expect(message.seq).toBe(seq)
    const ask = `query ($id: ID!, $cursor: String) { node(id: $id) { ... on Message { seq content } }
      conversation(id: "far") { messages(first: 1, after: $cursor) { nodes { seq } pageInfo { hasNextPage hasPreviousPage } } } }`
    expect(await ada.get(ask, { id: message.id, cursor: messageEdge.cursor })).toEqual({
      node: { seq, content: String(seq) },
      conversation: { messages: { nodes: [], pageInfo: { hasNextPage: false, hasPreviousPage: true } } },
    })
  }
})
