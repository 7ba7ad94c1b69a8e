import { beforeAll, describe, expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import * as identities from './identities.ts'

/* Who wrote a message is what the server knows of its caller, whatever the caller says. */

const bed = useBed(identities.identitySettings)

const backend = (name: 'helper' | 'mover', userId: string) => bed.server.as(identities.backend(name, userId))
const user = async (...of: Parameters<typeof identities.user>) => bed.server.as(await identities.user(...of))

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

describe('a window with its authors', () => {
  const read = async (format: string, more = '') => {
    const ada = await user('ada')
    const query = `query ($format: ContextFormat!, $authors: Boolean!) { conversation(id: "several") {
      context(maxTokens: 9000, format: $format, authors: $authors${more}) { messages tokenCount } } }`
    const ask = async (authors: boolean) => (await ada.get(query, { format, authors })).conversation.context
    const [without, named] = [await ask(false), await ask(true)]
    return { messages: named.messages, tokens: named.tokenCount - without.tokenCount, without: without.messages }
  }
  const name = `grace <${'x'.repeat(70)}>`

  beforeAll(async () => {
    const ada = await user('ada')
    await ada.append('several', { role: 'USER', content: 'one', name: 'somebody' })
    await ada.append('several', { role: 'ASSISTANT', content: 'two' })
  })

  test('of a conversation with one author is as without them', async () => {
    for (const format of ['OPENAI_CHAT', 'ANTHROPIC']) {
      const { messages, tokens, without } = await read(format)
      expect([messages, tokens]).toEqual([without, 0])
    }
  })

  test('names the viewer as the author of the new message', async () => {
    const ada = await user('ada')
    await ada.get('mutation { addParticipant(input: { conversationId: "several", userId: "eve" }) { __typename } }')
    const eve = await user('eve')
    const { id } = (await eve.get('{ conversations { nodes { id } } }')).conversations.nodes[0]
    const query = `query ($id: ID!) { conversation(id: $id) {
      context(maxTokens: 1000, authors: true, userMessage: { role: USER, content: "new" }) { messages } } }`
    const { messages } = (await eve.get(query, { id })).conversation.context
    expect(messages).toEqual([
      { role: 'user', content: 'one', name: 'ada' },
      { role: 'assistant', content: 'two' },
      { role: 'user', content: 'new', name: 'eve' },
    ])
    await ada.get('mutation { removeParticipant(input: { conversationId: "several", userId: "eve" }) { __typename } }')
  })

  test('says in the way of each format who wrote, and counts it', async () => {
    const ada = await user('ada')
    const input = { conversationId: 'several', userId: name }
    await ada.get('mutation ($input: AddParticipantInput!) { addParticipant(input: $input) { __typename } }', { input })
    const grace = await user(name)
    const { id } = (await grace.get('{ conversations { nodes { id } } }')).conversations.nodes[0]
    const parts = [
      { type: 'text', text: 'three', id: 'of the part' },
      { type: 'file', mediaType: 'image/png', url: 'https://example.com/a.png' },
    ]
    await grace.append(id, { role: 'USER', parts, partsFormat: 'AI_SDK' }, { ifMissing: 'FAIL' })
    await grace.append(id, { role: 'USER', parts: parts.slice(1), partsFormat: 'AI_SDK' }, { ifMissing: 'FAIL' })
    const cut = name.slice(0, 64)
    const words: Record<string, (message: never) => unknown> = {
      OPENAI_RESPONSES: ({ content }: { content: unknown }) => content,
      ANTHROPIC: ({ content }: { content: unknown }) => content,
      AI_SDK: ({ parts: told }: { parts: unknown }) => told,
      AI_SDK_MODEL: ({ content }: { content: unknown }) => content,
    }
    for (const [format, wordsOf] of Object.entries(words)) {
      const { messages, tokens } = await read(format)
      const told = JSON.stringify(messages.map(wordsOf))
      expect(told, format).toMatch(/"ada: one".*"two"/)
      expect(told.match(new RegExp(`"${cut}: three".*"${cut}:"`)), told).not.toBeNull()
      expect(tokens, format).toBeGreaterThan(6)
    }
    const chat = await read('OPENAI_CHAT')
    expect(chat.messages.map(({ name: field }: { name?: string }) => field)).toEqual([
      'ada',
      undefined,
      `grace_${'x'.repeat(58)}`,
      `grace_${'x'.repeat(58)}`,
    ])
    expect(JSON.stringify(chat.messages)).not.toContain('ada: ')
    expect(chat.tokens).toBe((await read('ANTHROPIC')).tokens)
  })
})
