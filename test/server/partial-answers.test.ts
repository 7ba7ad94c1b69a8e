import { beforeAll, expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { serve } from '../support/server.ts'

const bed = useBed()

beforeAll(async () => {
  for (const content of ['one', 'two']) await bed.server.as().append('talk', content)
})

const badFields: [field: string, code: string][] = [
  ['conversations(first: 1000) { nodes { id } }', 'BAD_USER_INPUT'],
  ['conversations(after: "nonsense") { nodes { id } }', 'BAD_USER_INPUT'],
  ['changes(conversationId: "talk", first: 1000) { cursor }', 'BAD_USER_INPUT'],
  ['changes(conversationId: "none") { cursor }', 'NOT_FOUND'],
  ['messageChunks(messageId: "msg_nonsense") { text }', 'NOT_FOUND'],
  [`nodes(ids: [${'"x", '.repeat(101)}]) { id }`, 'PAYLOAD_TOO_LARGE'],
  ['bad: conversation(id: "talk") { messages(first: 1000) { nodes { id } } }', 'BAD_USER_INPUT'],
  ['bad: conversation(id: "talk") { messages(branch: "x") { nodes { id } } }', 'BAD_USER_INPUT'],
  ['bad: conversation(id: "talk") { history(last: 100000) { id } }', 'BAD_USER_INPUT'],
  ['bad: conversation(id: "talk") { context(maxTokens: 1) { messages } }', 'BAD_USER_INPUT'],
  ['bad: conversation(id: "talk") { message { id } }', 'BAD_USER_INPUT'],
]

test.each(badFields)('an error of one field leaves the others as they are: %s', async (field, code) => {
  const good = '{ lastSeq lastMessage { content } messages(first: 1) { nodes { seq } } }'
  const query = `{ viewer { userId } before: conversation(id: "talk") ${good} ${field} after: conversation(id: "talk") ${good} }`
  const { data, errors } = await bed.server.as().ask(query)
  const whole = { lastSeq: 2, lastMessage: { content: 'two' }, messages: { nodes: [{ seq: 1 }] } }
  expect(data).toMatchObject({ viewer: { userId: 'ada' }, before: whole, after: whole })
  expect(errors?.map((error) => error.extensions.code)).toEqual([code])
  const path = errors?.[0]?.path ?? []
  const parent = path.slice(0, -1).reduce((value, step) => value[step], data)
  expect(parent[path.at(-1) ?? '']).toBeNull()
})

test('an error of a field of a conversation leaves its other fields as they are', async () => {
  const { data, errors } = await bed.server.as().ask(
    `{ conversation(id: "talk") { lastSeq context(maxTokens: 1) { messages } messages { nodes { seq siblings { count } } }
      history(last: 0) { seq } wide: messages(last: 101) { nodes { seq } } } }`,
  )
  const nodes = [1, 2].map((seq) => ({ seq, siblings: { count: 1 } }))
  expect(data.conversation).toEqual({ lastSeq: 2, context: null, messages: { nodes }, history: null, wide: null })
  expect(errors?.map(({ path }) => path?.at(-1)).sort()).toEqual(['context', 'history', 'wide'])
})

test('a start whose window is too small still answers the attempt', async () => {
  const query = `mutation ($input: StartMessageInput!) { startMessage(input: $input) {
    attempt message { status } conversation { lastSeq context(maxTokens: 1) { messages } }
  } }`
  const messages = [{ role: 'USER', content: 'a question' }]
  const input = { conversationId: 'started', ifMissing: 'CREATE', messages }
  const { data, errors } = await bed.server.as().ask(query, { input })
  expect(data.startMessage).toEqual({
    attempt: 1,
    message: { status: 'STREAMING' },
    conversation: { lastSeq: 2, context: null },
  })
  expect(errors).toMatchObject([
    { path: ['startMessage', 'conversation', 'context'], extensions: { reason: 'CONTEXT_TOO_SMALL' } },
  ])
})

test('a mutation that fails leaves those beside it as they are, also those after it', async () => {
  const append = (id: string) =>
    `appendMessage(input: { conversationId: "${id}", message: { role: USER, content: "x" } })`
  const { data, errors } = await bed.server.as().ask(`mutation {
    first: createConversation(input: { id: "several" }) { created }
    second: ${append('none')} { message { seq } }
    third: ${append('several')} { message { seq } }
  }`)
  expect(data).toEqual({ first: { created: true }, second: null, third: { message: { seq: 1 } } })
  expect(errors).toMatchObject([{ path: ['second'], extensions: { code: 'NOT_FOUND' } }])
})

test('each of several nodes fails alone', async () => {
  await using server = await serve(bed.database.url, { MAX_ANSWER_BYTES: '4096' })
  const ada = server.as()
  const ids: string[] = []
  for (const n of [1, 2]) ids.push((await ada.append('large', `${n}${'x'.repeat(3_000)}`)).message.id)
  const query = 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }'
  const { data, errors } = await ada.ask(query, { ids: ['usr_ada', ...ids, 'talk', 'none'] })
  expect(data.nodes).toEqual([{ id: 'usr_ada' }, null, null, { id: 'talk' }, null])
  expect(errors?.map(({ path }) => path).sort()).toEqual([
    ['nodes', 1],
    ['nodes', 2],
  ])
  expect(errors?.map((error) => error.extensions.code)).toEqual(['PAYLOAD_TOO_LARGE', 'PAYLOAD_TOO_LARGE'])
})
