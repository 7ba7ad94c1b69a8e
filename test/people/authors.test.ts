import { createHash } from 'node:crypto'
import { SignJWT } from 'jose'
import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'

/* Who wrote a message is what the server knows of its caller, whatever the caller says. */

const secret = 'a secret of thirty-two bytes or more'
const keyOf = (name: string, more?: string) => {
  const hash = createHash('sha256').update(`key of ${name}`).digest('hex')
  return more === undefined ? `${name}:${hash}` : `${name}:${hash}:${more}`
}
const bed = useBed({
  AUTH_SECRET: secret,
  AUTH_SERVICE_KEYS: [keyOf('helper'), keyOf('mover', 'import:service')].join(),
  AUTH_ROLES_CLAIM: 'scope',
})

const backend = (name: string, userId: string) =>
  bed.server.as({ 'x-service-key': `key of ${name}`, 'x-user-id': userId })

async function user(userId: string, scope = '', actsFor?: string) {
  const token = await new SignJWT({ scope })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(userId)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret))
  return bed.server.as({ authorization: `Bearer ${token}`, ...(actsFor === undefined ? {} : { 'x-user-id': actsFor }) })
}

const authors = async (id: string) => {
  const { conversation } = await (await user('ada')).get(
    'query ($id: ID!) { conversation(id: $id) { messages { nodes { content author { userId kind name } } } } }',
    { id },
  )
  return conversation.messages.nodes
}

test('a user, an agent, a service and an operator are told apart', async () => {
  await (await user('ada')).append('who', 'by ada')
  await backend('helper', 'ada').append('who', { role: 'ASSISTANT', content: 'by the agent', name: 'ada' })
  await backend('mover', 'ada').append('who', 'by the service')
  await (await user('root', 'colloquy:operator', 'ada')).append('who', 'by the operator')
  expect(await authors('who')).toEqual([
    { content: 'by ada', author: { userId: 'ada', kind: 'USER', name: null } },
    { content: 'by the agent', author: { userId: 'ada', kind: 'AGENT', name: 'helper' } },
    { content: 'by the service', author: { userId: 'ada', kind: 'SERVICE', name: 'mover' } },
    { content: 'by the operator', author: { userId: 'root', kind: 'USER', name: null } },
  ])
})

test('an agent takes part as a user of its own', async () => {
  const ada = await user('ada')
  await ada.append('team', 'hello')
  await ada.get(
    'mutation { addParticipant(input: { conversationId: "team", userId: "robot" }) { conversation { id } } }',
  )
  const robot = backend('helper', 'robot')
  const { conversations } = await robot.get('{ conversations { nodes { id viewerRole } } }')
  expect(conversations.nodes).toMatchObject([{ viewerRole: 'MEMBER' }])
  await robot.append(conversations.nodes[0].id, { role: 'ASSISTANT', content: 'hi' })
  expect((await authors('team'))[1]).toEqual({
    content: 'hi',
    author: { userId: 'robot', kind: 'AGENT', name: 'helper' },
  })
})

test('the author stays through edits, streams, replacements and deletion', async () => {
  const agent = backend('helper', 'ada')
  const ada = await user('ada')
  const { message } = await agent.append('stays', { role: 'ASSISTANT', content: 'one', clientId: 'c-1' })
  await ada.get(
    'mutation ($id: ID!) { editMessage(input: { messageId: $id, content: "edited" }) { message { id } } }',
    {
      id: message.id,
    },
  )
  await agent.get(
    `mutation { appendMessages(input: { conversationId: "stays", onExisting: REPLACE, messages: [
      { role: ASSISTANT, content: "replaced", clientId: "c-1" }] }) { replayed } }`,
  )
  const { startMessage } = await agent.get(
    'mutation { startMessage(input: { conversationId: "stays" }) { attempt message { id } } }',
  )
  await ada.get(
    'mutation ($id: ID!) { completeMessage(input: { messageId: $id, attempt: 1, chunks: 0, content: "whole" }) { replayed } }',
    { id: startMessage.message.id },
  )
  await ada.get('mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { id } } }', {
    id: startMessage.message.id,
  })
  const helper = { userId: 'ada', kind: 'AGENT', name: 'helper' }
  expect(await authors('stays')).toEqual([
    { content: 'replaced', author: helper },
    { content: null, author: helper },
  ])
})

test('what an agent and its user send with one client id is no replay of the other', async () => {
  const message = { role: 'USER', content: 'same', clientId: 'c-1' }
  await backend('helper', 'ada').append('told apart', message)
  const append = `mutation ($message: MessageInput!) {
    appendMessage(input: { conversationId: "told apart", message: $message }) { replayed }
  }`
  const refused = await (await user('ada')).fail(append, { message })
  expect(refused.extensions).toMatchObject({ code: 'CONFLICT', reason: 'CLIENT_ID' })
  expect(await backend('helper', 'ada').get(append, { message })).toEqual({ appendMessage: { replayed: true } })
})

test('a message that an agent stored before authors were known is still replayed to it', async () => {
  const message = { role: 'USER', content: 'old', clientId: 'c-1' }
  await backend('helper', 'ada').append('from before', message)
  const client = await bed.database.connect()
  await client.query(
    `update message set author_kind = null, author_name = null
     where conversation_key = (select key from conversation where id = 'from before')`,
  )
  const again = await backend('helper', 'ada').append('from before', message)
  expect(again.replayed).toBe(true)
})
