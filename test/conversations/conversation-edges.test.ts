import { expect, test } from 'vitest'
import type { Results } from '../support/api.ts'
import { useBed } from '../support/bed.ts'

const bed = useBed()

const edge = 'conversationEdge { cursor node { id updatedAt } }'
const create = 'ifMissing: CREATE'
const message = '{ role: USER, content: "x" }'

/** Everything that brings a conversation into the list or to its top. */
const ways: [field: string, mutation: string][] = [
  ['createConversation', `createConversation(input: { id: "one" }) { ${edge} }`],
  ['createConversation', `createConversation(input: { id: "one", ifExists: RETURN }) { ${edge} }`],
  ['appendMessage', `appendMessage(input: { conversationId: "two", ${create}, message: ${message} }) { ${edge} }`],
  ['appendMessages', `appendMessages(input: { conversationId: "two", messages: [${message}] }) { ${edge} }`],
  [
    'appendMessages',
    `appendMessages(input: { conversationId: "three", ${create}, messages: [${message}] }) { ${edge} }`,
  ],
  ['startMessage', `startMessage(input: { conversationId: "four", ${create} }) { ${edge} }`],
  ['forkConversation', `forkConversation(input: { id: "two", newId: "five" }) { ${edge} }`],
  ['updateConversation', `updateConversation(input: { id: "one", archived: true }) { ${edge} }`],
  ['updateConversation', `updateConversation(input: { id: "one", archived: false }) { ${edge} }`],
]

test('what brings a conversation to the list answers its edge, which is that of the list', async () => {
  const ada = bed.server.as()
  for (const [field, mutation] of ways) {
    const answered = (await ada.get(`mutation { ${mutation} }`))[field].conversationEdge
    const { conversations } = await ada.get('{ conversations { edges { cursor node { id updatedAt } } } }')
    const { id } = answered.node
    const listed = conversations.edges.find(({ node }: { node: { id: string } }) => node.id === id)
    expect(answered, mutation).toEqual(listed)
  }
})

test('`ConversationListed` tells the edge of the list', async () => {
  const ada = bed.server.as({ 'x-user-id': 'watcher' })
  await using feed = ada.subscribe(`subscription { conversationsChanged(after: "") { __typename
    ... on ConversationListed { conversation { id } ${edge} } } }`)
  expect((await feed.next())?.data.conversationsChanged.__typename).toBe('ConversationListCaughtUp')
  await ada.get('mutation { createConversation(input: { id: "seen" }) { created } }')
  const { conversations } = await ada.get('{ conversations { edges { cursor node { id updatedAt } } } }')
  expect((await feed.next())?.data.conversationsChanged).toEqual({
    __typename: 'ConversationListed',
    conversation: { id: 'seen' },
    conversationEdge: conversations.edges[0],
  })
})

/** The other form of a conversation's id: its key and its epoch, which its cursor has behind a version byte. */
const formOf = (cursor: string) => `cnv_${Buffer.from(cursor, 'base64url').subarray(1, 23).toString('base64url')}`

test.each([
  ['its own id', () => 'gone'],
  ['the other form of its id', formOf],
])("what removes a conversation answers the id that the viewer's cache has: named by %s", async (name, toId) => {
  const ada = bed.server.as({ 'x-user-id': name })
  const { cursor } = (await ada.append('gone', 'x')).conversation
  const id = toId(cursor)
  await using list = ada.subscribe(`subscription { conversationsChanged(after: "") { __typename
    ... on ConversationUnlisted { conversationId } } }`)
  await using events = ada.subscribe(
    'subscription ($id: ID!) { conversationEvents(conversationId: $id, after: "") { __typename conversationId } }',
    { id },
  )
  const until = async (results: Results, kind: string) => {
    for (;;) {
      const [event] = Object.values((await results.next())?.data) as { __typename: string; conversationId: string }[]
      if (event?.__typename === kind) return event
    }
  }
  await until(list, 'ConversationListCaughtUp')
  await until(events, 'CaughtUp')
  const { conversation } = await ada.get('query ($id: ID!) { conversation(id: $id) { id } }', { id })
  const remove = 'mutation ($id: ID!) { deleteConversation(input: { id: $id }) { deletedConversationId } }'
  expect((await ada.get(remove, { id })).deleteConversation.deletedConversationId).toBe(conversation.id)
  expect((await until(list, 'ConversationUnlisted')).conversationId).toBe(conversation.id)
  expect((await until(events, 'ConversationDeleted')).conversationId).toBe(conversation.id)
})
