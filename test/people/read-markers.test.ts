import { expect, test } from 'vitest'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import * as identities from './identities.ts'

const bed = useBed({ ...identities.identitySettings, QUOTA_STREAMS: 'off' })

const agent = (userId: string) => bed.server.as(identities.backend('helper', userId))
const user = async (userId: string) => bed.server.as(await identities.user(userId))

const mark = `mutation ($id: ID!, $seq: Int!) { markRead(input: { conversationId: $id, seq: $seq }) {
  conversation { readSeq unreadCount }
} }`

async function stateOf(api: Api, id: string) {
  return (await api.get('query ($id: ID!) { conversation(id: $id) { readSeq unreadCount } }', { id })).conversation
}

const answer = (content: string, more: object = {}) => ({ role: 'ASSISTANT', content, ...more })

test('what others wrote is unread until it is marked; a marker never moves back, nor beyond the end', async () => {
  const ada = await user('ada')
  await ada.append('read', 'question')
  expect(await stateOf(ada, 'read')).toEqual({ readSeq: 1, unreadCount: 0 })
  for (const content of ['one', 'two', 'three']) await agent('ada').append('read', answer(content))
  expect(await stateOf(ada, 'read')).toEqual({ readSeq: 1, unreadCount: 3 })
  const marked = async (seq: number) => (await ada.get(mark, { id: 'read', seq })).markRead.conversation
  expect(await marked(3)).toEqual({ readSeq: 3, unreadCount: 1 })
  expect(await marked(2)).toEqual({ readSeq: 3, unreadCount: 1 })
  expect(await marked(1_000_000)).toEqual({ readSeq: 4, unreadCount: 0 })
  await agent('ada').append('read', answer('four'))
  expect(await stateOf(ada, 'read')).toEqual({ readSeq: 4, unreadCount: 1 })
  // Her own message moves it as well.
  await ada.append('read', 'next question')
  expect(await stateOf(ada, 'read')).toEqual({ readSeq: 6, unreadCount: 0 })
})

test('a marker changes nothing in the log', async () => {
  const ada = await user('ada')
  await agent('ada').append('log', answer('x'))
  const state = '{ conversation(id: "log") { lastSeq updatedAt cursor } }'
  const before = await ada.get(state)
  await ada.get(mark, { id: 'log', seq: 1 })
  expect(await ada.get(state)).toEqual(before)
})

test('only what a person reads counts: finished words of users and assistants', async () => {
  const [ada, helper] = [await user('ada'), agent('ada')]
  await helper.append('counted', answer('counts'))
  await helper.append('counted', { role: 'USER', content: 'counts' })
  await helper.append('counted', { role: 'SYSTEM', content: 'does not' })
  await helper.append('counted', answer('', { toolCalls: [{ callId: 'c', name: 'n', arguments: '{}' }] }))
  await helper.append('counted', { role: 'TOOL', content: 'does not', toolCallId: 'c' })
  const { message } = await helper.append('counted', answer('deleted'))
  await ada.get('mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { __typename } }', { id: message.id })
  await helper.get('mutation { startMessage(input: { conversationId: "counted" }) { attempt } }')
  expect((await stateOf(ada, 'counted')).unreadCount).toBe(2)
})

test('it counts to 100 and no further', async () => {
  const [ada, helper] = [await user('ada'), agent('ada')]
  const append = `mutation ($messages: [MessageInput!]!) {
    appendMessages(input: { conversationId: "many", ifMissing: CREATE, messages: $messages }) { replayed }
  }`
  await helper.get(append, { messages: Array.from({ length: 99 }, () => answer('x')) })
  expect((await stateOf(ada, 'many')).unreadCount).toBe(99)
  await helper.append('many', answer('x'))
  expect((await stateOf(ada, 'many')).unreadCount).toBe(100)
  await helper.append('many', answer('x'))
  expect((await stateOf(ada, 'many')).unreadCount).toBe(100)
})

test('each participant has a marker of its own, and a message says who has read it', async () => {
  const [ada, grace, otto] = [await user('ada'), await user('grace'), await user('otto')]
  await ada.append('group', 'hello all')
  const add = `mutation ($userId: String!, $role: ParticipantRole!) {
    addParticipant(input: { conversationId: "group", userId: $userId, role: $role }) { conversation { id } }
  }`
  await ada.get(add, { userId: 'grace', role: 'MEMBER' })
  await ada.get(add, { userId: 'otto', role: 'OBSERVER' })
  const { conversations } = await grace.get('{ conversations { nodes { id unreadCount } } }')
  const [{ id, unreadCount }] = conversations.nodes
  expect(unreadCount).toBe(1)
  const readBy = async (seq: number) =>
    (await ada.get(`{ conversation(id: "group") { message(seq: ${seq}) { readBy { count userIds } } } }`)).conversation
      .message.readBy
  expect(await readBy(1)).toEqual({ count: 0, userIds: [] })
  // An observer reads, and says so.
  await otto.get(mark, { id, seq: 1 })
  expect(await readBy(1)).toEqual({ count: 1, userIds: ['otto'] })
  // Whoever answers has read what it answers.
  await grace.append(id, 'hello ada')
  expect(await readBy(1)).toEqual({ count: 2, userIds: ['grace', 'otto'] })
  expect(await readBy(2)).toEqual({ count: 0, userIds: [] })
  expect((await stateOf(ada, 'group')).unreadCount).toBe(1)
  await ada.get(mark, { id: 'group', seq: 2 })
  expect(await readBy(2)).toEqual({ count: 1, userIds: ['ada'] })
  await ada.get('mutation { removeParticipant(input: { conversationId: "group", userId: "otto" }) { __typename } }')
  expect(await readBy(1)).toEqual({ count: 1, userIds: ['grace'] })
  // Who takes no part may mark nothing.
  expect((await otto.fail(mark, { id, seq: 2 })).extensions.code).toBe('NOT_FOUND')
})

test('fifty readers are named, and all are counted', async () => {
  const ada = await user('ada')
  await ada.append('crowd', 'x')
  const client = await bed.database.connect()
  const rows = (columns: string) =>
    `select key, 'user ' || lpad(n::text, 2, '0'), epoch, ${columns} from conversation, generate_series(1, 60) n where id = 'crowd'`
  await client.query(
    `insert into participant (conversation_key, user_id, epoch, role, revision, created_at, changed_at)
     ${rows("'MEMBER', revision, now(), now()")}`,
  )
  await client.query(`insert into read_marker (conversation_key, user_id, epoch, seq, updated_at) ${rows('1, now()')}`)
  const { conversation } = await ada.get(
    '{ conversation(id: "crowd") { message(seq: 1) { readBy { count userIds } } } }',
  )
  const { count, userIds } = conversation.message.readBy
  expect(count).toBe(60)
  expect(userIds).toHaveLength(50)
  expect(userIds[49]).toBe('user 50')
})

test('the viewer is told how many conversations have something unread', async () => {
  const eve = await user('eve')
  for (const id of ['a', 'b', 'c']) await agent('eve').append(id, answer('x'))
  await eve.append('own', 'x')
  const count = async () => (await eve.get('{ viewer { unreadConversations } }')).viewer.unreadConversations
  expect(await count()).toBe(3)
  await eve.get(mark, { id: 'b', seq: 1 })
  expect(await count()).toBe(2)
})

test('a conversation that is created again is unread again', async () => {
  const ada = await user('ada')
  for (const content of ['one', 'two']) await agent('ada').append('again', answer(content))
  await ada.get(mark, { id: 'again', seq: 2 })
  await ada.get('mutation { deleteConversation(input: { id: "again" }) { deletedConversationId } }')
  await agent('ada').append('again', answer('new'))
  expect(await stateOf(ada, 'again')).toEqual({ readSeq: 0, unreadCount: 1 })
  expect((await ada.get(mark, { id: 'again', seq: 9 })).markRead.conversation.readSeq).toBe(1)
})

test('what can be marked: a seq that is not negative, of a conversation that is there', async () => {
  const ada = await user('ada')
  await agent('ada').append('edge', answer('x'))
  expect((await ada.get(mark, { id: 'edge', seq: 0 })).markRead.conversation.readSeq).toBe(0)
  expect((await ada.fail(mark, { id: 'edge', seq: -1 })).extensions).toMatchObject({
    code: 'BAD_USER_INPUT',
    path: 'input.seq',
  })
  expect((await ada.fail(mark, { id: 'never', seq: 1 })).extensions.code).toBe('NOT_FOUND')
})
