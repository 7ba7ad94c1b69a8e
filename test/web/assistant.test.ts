import { expect, test } from 'vitest'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { serve, type TestServer } from '../support/server.ts'
import { until } from '../support/until.ts'
import { chatScript, ModelServer } from '../support/window/model-server.ts'

const bed = useBed()

interface Read {
  readonly role: string
  readonly status: string
  readonly content: string | null
  readonly error: { readonly code: string } | null
  readonly siblings: { readonly count: number }
}

/** A page of the user opens at the server. */
const open = (server: TestServer, user: string) =>
  fetch(`${server.url}/web/settings.json`, { headers: { 'x-user-id': user } })

const mark = (api: Api, id: string) =>
  api.get(
    'mutation ($id: ID!) { createConversation(input: { id: $id, metadata: { assistant: "built-in" } }) { created } }',
    {
      id,
    },
  )

async function read(api: Api, id: string): Promise<Read[]> {
  const { conversation } = await api.get(
    `query ($id: ID!) { conversation(id: $id) { messages { nodes {
      role status content error { code } siblings { count }
    } } } }`,
    { id },
  )
  return conversation.messages.nodes
}

const isAnswered = (api: Api, id: string, count: number) =>
  until(async () => {
    const messages = await read(api, id)
    return messages.length === count && messages.at(-1)?.status === 'COMPLETE' && messages.at(-1)?.role === 'ASSISTANT'
  })

test('it answers who has opened a page, in conversations that are marked for it, also what was asked before', async () => {
  const [eve, bob] = ['eve', 'bob'].map((user) => bed.server.as({ 'x-user-id': user })) as [Api, Api]
  for (const api of [eve, bob]) {
    await mark(api, 'before')
    await api.append('before', 'Which order is mine?')
  }
  await open(bed.server, 'eve')
  await isAnswered(eve, 'before', 2)
  await eve.append('unmarked', 'Which order is mine?')
  await mark(eve, 'after')
  await eve.append('after', 'Where is my order 4?')
  await isAnswered(eve, 'after', 4)
  expect((await read(eve, 'after')).map(({ role }) => role)).toEqual(['USER', 'ASSISTANT', 'TOOL', 'ASSISTANT'])
  expect((await read(eve, 'after'))[3]?.content).toBe('Order **4**, a lamp, is on its way. It arrives on Friday.')
  expect(await read(eve, 'unmarked')).toHaveLength(1)
  expect(await read(bob, 'before')).toHaveLength(1)
})

test('it calls a person when one is wanted, and keeps to the conversations of its user', async () => {
  const [pat, sam, max] = ['pat', 'sam', 'max'].map((user) => bed.server.as({ 'x-user-id': user })) as [Api, Api, Api]
  for (const user of ['pat', 'sam']) await open(bed.server, user)
  await mark(pat, 'person')
  await pat.append('person', 'I want to talk to a person.')
  await isAnswered(pat, 'person', 4)
  expect(await pat.get('{ conversation(id: "person") { waiting { reason } } }')).toEqual({
    conversation: { waiting: { reason: 'I want to talk to a person.' } },
  })
  await mark(max, 'shared')
  await max.get('mutation { addParticipant(input: { conversationId: "shared", userId: "sam" }) { __typename } }')
  await max.append('shared', 'Which order is mine?')
  await mark(sam, 'own')
  await sam.append('own', 'Which order is mine?')
  await isAnswered(sam, 'own', 2)
  expect(await read(max, 'shared')).toHaveLength(1)
})

test('of two servers one answers, and again when the question is the active leaf again', async () => {
  await using other = await serve(bed.database.url, { POLL_MS: '200' })
  const api = bed.server.as({ 'x-user-id': 'two' })
  for (const server of [bed.server, other]) await open(server, 'two')
  const ids = Array.from({ length: 8 }, (_, index) => `two-${index}`)
  const asked = await Promise.all(
    ids.map(async (id) => {
      await mark(api, id)
      return (await api.append(id, 'Which order is mine?')).message.id
    }),
  )
  for (const id of ids) await isAnswered(api, id, 2)
  const [messageId] = asked
  await api.get('mutation ($id: ID!) { setActiveLeaf(input: { messageId: $id }) { message { id } } }', {
    id: messageId,
  })
  await isAnswered(api, 'two-0', 3)
  expect((await read(api, 'two-0')).map(({ siblings }) => siblings.count)).toEqual([1, 2, 2])
  for (const id of ids.slice(1)) expect([id, (await read(api, id)).length]).toEqual([id, 2])
})

/** The message of the assistant that asks whether it may pay back. */
async function askRefund(api: Api, id: string): Promise<{ id: string; callId: string }> {
  await mark(api, id)
  await api.append(id, 'Refund my order 4')
  await until(async () => (await read(api, id))[1]?.status === 'COMPLETE')
  const { conversation } = await api.get(
    'query ($id: ID!) { conversation(id: $id) { activeLeaf { id metadata toolCalls { callId name } } } }',
    { id },
  )
  const { id: messageId, metadata, toolCalls } = conversation.activeLeaf
  expect(toolCalls).toEqual([{ callId: expect.any(String), name: 'refund_order' }])
  expect(metadata).toEqual({ needsApproval: [toolCalls[0].callId] })
  return { id: messageId, callId: toolCalls[0].callId }
}

const answerCall = (api: Api, input: Record<string, unknown>) =>
  api.get('mutation ($input: AnswerCallInput!) { answerCall(input: $input) { message { id } } }', { input })

test('it goes on with a call when a person has answered, also at another server, and is told of a refusal', async () => {
  const api = bed.server.as({ 'x-user-id': 'refund' })
  const [yes, no] = await (async () => {
    await using first = await serve(bed.database.url)
    await open(first, 'refund')
    return [await askRefund(api, 'yes'), await askRefund(api, 'no')]
  })()
  // That server is gone. What was answered meanwhile is found by the next one, and what is answered later is heard.
  await answerCall(api, { messageId: yes.id, callId: yes.callId, approved: true })
  await open(bed.server, 'refund')
  await isAnswered(api, 'yes', 4)
  await answerCall(api, { messageId: no.id, callId: no.callId, approved: false, reason: 'Not this month.' })
  await isAnswered(api, 'no', 4)
  const told = async (id: string) => (await read(api, id)).slice(2).map(({ content }) => content)
  expect(await told('yes')).toEqual(['{"id":4,"refunded":"39 €"}', 'Order **4** is paid back: 39 €.'])
  expect(await told('no')).toEqual([
    'A person refused this call: Not this month.',
    'Then nothing is paid back. The reason that I was given: “Not this month.”',
  ])
})

test('it is silent while a person has taken the conversation over, and about what this person said last', async () => {
  const [ada, bob] = ['taken', 'taker'].map((user) => bed.server.as({ 'x-user-id': user })) as [Api, Api]
  await open(bed.server, 'taken')
  await mark(ada, 'taken')
  await ada.get(
    'mutation { addParticipant(input: { conversationId: "taken", userId: "taker", role: MEMBER }) { conversation { id } } }',
  )
  const { conversations } = await bob.get('{ conversations(first: 1) { nodes { id } } }')
  const [{ id }] = conversations.nodes
  const change = (name: string) =>
    bob.get(`mutation ($id: ID!) { ${name}(input: { conversationId: $id }) { conversation { id } } }`, { id })
  await change('takeOver')
  await ada.append('taken', 'Where is my order 4?')
  await bob.append(id, 'I have a look.')
  await change('handBack')
  // Another conversation shows that the assistant has heard all of this.
  await mark(ada, 'free')
  await ada.append('free', 'Where is my order 7?')
  await isAnswered(ada, 'free', 4)
  expect(await read(ada, 'taken')).toHaveLength(2)
  await ada.append('taken', 'And where is order 7?')
  await isAnswered(ada, 'taken', 6)
})

test('a server that stops ends its answers', async () => {
  const api = bed.server.as({ 'x-user-id': 'stopped' })
  await mark(api, 'stopped')
  {
    await using other = await serve(bed.database.url)
    await open(other, 'stopped')
    await api.append('stopped', 'Tell me a long story')
    await until(async () => (await read(api, 'stopped'))[1]?.content?.includes('Part 1') === true)
  }
  expect((await read(api, 'stopped'))[1]?.status).toBe('CANCELLED')
})

test('a model answers where there is one, and what it refuses fails the answer', async () => {
  const call = { id: 'c1', name: 'find_order', arguments: '{"id":7}' }
  const scripts = [chatScript({ calls: [call] }), chatScript({ texts: ['Two ', 'chairs.'] }), { status: 500 }]
  await using model = await ModelServer.start(...scripts)
  await using server = await serve(bed.database.url, {
    OPENAI_BASE_URL: model.url,
    OPENAI_MODEL: 'm',
    OPENAI_API_KEY: 'k',
  })
  expect(await (await open(server, 'model')).json()).toMatchObject({ assistant: 'model' })
  const api = server.as({ 'x-user-id': 'model' })
  await mark(api, 'model')
  await api.append('model', 'What is in order 7?')
  await isAnswered(api, 'model', 4)
  expect((await read(api, 'model'))[3]?.content).toBe('Two chairs.')
  expect(model.requests.map(({ model: name, stream }) => [name, stream])).toEqual([
    ['m', true],
    ['m', true],
  ])
  await api.append('model', 'And?')
  await until(async () => (await read(api, 'model'))[5]?.status === 'FAILED')
  expect((await read(api, 'model'))[5]?.error?.code).toBe('MODEL_FAILED')
})
