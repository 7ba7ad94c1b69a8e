import { beforeAll, expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'

const bed = useBed()

const subfields: Readonly<Record<string, string>> = {
  author: ' { userId kind name picture }',
  readBy: ' { count userIds }',
  conversation: ' { id title }',
  toolCalls: ' { callId name arguments type extra approval { approved reason userId answeredAt } }',
  error: ' { code message }',
  siblings: ' { index count ids }',
  reactions: ' { emoji count viewerReacted }',
  replyTo: ' { id content }',
  mentions: ' { userId }',
  feedback: ' { rating reason comment userId givenAt messageId conversationId ownerId message { id } }',
}

/** Every field of a message, with what is selected of it; one that the schema gains comes along. */
let fields: string[]
/** By field, what each message of the conversation holds; read one by one, with all of their columns. */
let stored: Record<string, unknown>[]

beforeAll(async () => {
  const ada = bed.server.as()
  const { __type } = await ada.get('{ __type(name: "Message") { fields { name } } }')
  fields = __type.fields.map(({ name }: { name: string }) => `${name}${subfields[name] ?? ''}`)
  const said = { role: 'ASSISTANT', name: 'Ann', content: 'Hello', clientId: 'first', metadata: { mood: 'good' } }
  const typed = { parts: [{ type: 'text', text: 'Hello' }], partsFormat: 'OPENAI_CHAT', sentAt: '2026-01-31T09:30:00Z' }
  const toolCalls = [{ callId: 'c1', name: 'look', arguments: '{}', extra: { index: 0 } }]
  const first = await ada.append('rich', {
    ...said,
    ...typed,
    toolCalls,
    model: 'm',
    finishReason: 'stop',
    usage: { total: 3 },
  })
  const answer = `mutation ($id: ID!) {
    answerCall(input: { messageId: $id, callId: "c1", approved: true, reason: "Go on." }) { message { id } }
  }`
  await ada.get(answer, { id: first.message.id })
  await ada.append('rich', { role: 'TOOL', content: 'seen', toolName: 'look', toolCallId: 'c1', toolError: false })
  const { id } = first.message
  const links = { parentId: id, replyTo: id, mentions: ['ada'] }
  await ada.append('rich', { role: 'USER', content: 'before', clientId: 'edited', ...links })
  await ada.get('mutation ($id: ID!) { addReaction(input: { messageId: $id, emoji: "👍" }) { message { id } } }', {
    id,
  })
  await ada.get('mutation ($id: ID!) { setFeedback(input: { messageId: $id, rating: UP }) { message { id } } }', { id })
  const edit =
    'mutation { editMessage(input: { conversationId: "rich", clientId: "edited", content: "since" }) { message { id } } }'
  await ada.get(edit)
  await ada.append('rich', { role: 'USER', content: 'gone', clientId: 'deleted' })
  await ada.get('mutation { deleteMessage(input: { conversationId: "rich", clientId: "deleted" }) { message { id } } }')
  const start = 'mutation { startMessage(input: { conversationId: "rich" }) { attempt message { id } } }'
  const { attempt, message } = (await ada.get(start)).startMessage
  const add = 'mutation ($input: AppendMessageTextInput!) { appendMessageText(input: $input) { nextChunk } }'
  await ada.get(add, { input: { messageId: message.id, attempt, chunk: 0, text: 'so far' } })
  await ada.get('mutation ($id: ID!) { stopMessage(input: { messageId: $id }) { message { id } } }', { id: message.id })

  const { conversation } = await ada.get('{ conversation(id: "rich") { messages { nodes { id } } } }')
  const ids = conversation.messages.nodes.map(({ id }: { id: string }) => id)
  const read = `query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Message { ${fields.join(' ')} } } }`
  stored = (await ada.get(read, { ids })).nodes
  expect(stored).toHaveLength(5)
})

/** A page whose messages are asked for one field, in ways that a document can say it. */
const ways: [name: string, page: (field: string) => string][] = [
  ['of nodes', (field) => `{ conversation(id: "rich") { messages { nodes { ${field} } } } }`],
  ['of an edge', (field) => `{ conversation(id: "rich") { messages { edges { node { ${field} } } } } }`],
  [
    'in fragments',
    (field) => `query { conversation(id: "rich") { ...C } } fragment C on Conversation { messages { ...P } }
      fragment P on MessageConnection { nodes { ... on Node { ...M } } } fragment M on Message { ${field} }`,
  ],
  [
    'beside a page of other fields',
    (field) => `{ conversation(id: "rich") { brief: messages { nodes { seq } } messages { nodes { ${field} } } } }`,
  ],
  [
    'in two selections of one page',
    (field) => `{ conversation(id: "rich") { messages { nodes { seq } } messages { nodes { ${field} } } } }`,
  ],
  [
    'by a condition',
    (field) => `query ($yes: Boolean = true) { conversation(id: "rich") {
      messages { nodes { seq } } messages @include(if: $yes) { nodes { ... @include(if: $yes) { ${field} } } } } }`,
  ],
]

test.each(ways)('every field of a message, selected alone, is what is stored: %s', async (_, page) => {
  for (const field of fields) {
    const { conversation } = await bed.server.as().get(page(field))
    const name = field.split(' ')[0] as string
    const { nodes, edges } = conversation.messages
    const messages: Record<string, unknown>[] = nodes ?? edges.map(({ node }: { node: unknown }) => node)
    expect(messages.map((message) => ({ [name]: message[name] }))).toEqual(
      stored.map((message) => ({ [name]: message[name] })),
    )
  }
})

test('every field of a message is stored with a value in at least one of the messages that this asks for', () => {
  const empty = fields
    .map((field) => field.split(' ')[0] as string)
    .filter((name) => stored.every((message) => message[name] === null))
  expect(empty).toEqual(['error'])
})
