import { join } from 'node:path'
import type { ApolloClient } from '@apollo/client'
import { gql } from '@apollo/client'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { useBed } from '../support/bed.ts'
import { TcpProxy } from '../support/network/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { writeBlocks } from './blocks.ts'

const bed = useBed()

// biome-ignore lint/suspicious/noExplicitAny: the blocks of the guide are modules that do not exist before the test.
type Block = any

/** What Apollo says of a cache that is not configured for its data. */
const warned = vi.spyOn(console, 'warn')

let proxy: TcpProxy
let client: ApolloClient
let list: Block
let messages: Block

beforeAll(async () => {
  proxy = await TcpProxy.before(bed.server)
  const place = await writeBlocks('apollo', proxy.url)
  ;({ client } = await import(join(place, 'apollo.ts')))
  messages = await import(join(place, 'apollo-messages.ts'))
  list = await import(join(place, 'apollo-conversations.ts'))
})

afterAll(async () => {
  client.stop()
  expect(warned).not.toHaveBeenCalled()
  await proxy[Symbol.asyncDispose]()
})

/** What the client shows of a conversation. */
function shown(id: string) {
  const data = client.readQuery<Block>({ query: messages.messagesQuery, variables: { id } })
  return data?.conversation?.messages.edges.map(({ node }: Block) => node)
}
const contents = (id: string) => shown(id)?.map(({ content }: Block) => content)

test('Apollo: pages, a lost connection and a cursor that another query has moved lose and double nothing', async () => {
  const ada = bed.server.as()
  const id = 'apollo-live'
  const all = Array.from({ length: 70 }, (_, n) => `m-${n}`)
  for (const content of all) await ada.append(id, content)
  const read = client.watchQuery<Block>({ query: messages.messagesQuery, variables: { id } })
  const watching = read.subscribe(() => {})
  await until(() => contents(id)?.length === 50)
  const { endCursor, startCursor } = read.getCurrentResult().data.conversation.messages.pageInfo
  await ada.append(id, 'between')
  await client.query({ query: gql`query ($id: ID!) { conversation(id: $id) { id title cursor } }`, variables: { id } })
  const end = messages.followMessages(id, endCursor)
  await until(() => contents(id).at(-1) === 'between')
  proxy.cut()
  await ada.append(id, 'while it was away')
  const first = shown(id)[0]
  await ada.get(
    'mutation ($id: ID!) { editMessage(input: { messageId: $id, content: "edited" }) { message { id } } }',
    {
      id: first.id,
    },
  )
  await until(() => contents(id).at(-1) === 'while it was away' && contents(id)[0] === 'edited')
  await read.fetchMore({ variables: { before: startCursor } })
  const whole = [...all.with(20, 'edited'), 'between', 'while it was away']
  expect(contents(id)).toEqual(whole)
  await ada.append(id, 'last')
  await until(() => contents(id).at(-1) === 'last')
  expect(contents(id)).toEqual([...whole, 'last'])
  end()
  watching.unsubscribe()
})

test('Apollo: streamed text, other versions and tombstones reach the list, and a deleted conversation leaves it', async () => {
  const ada = bed.server.as()
  const id = 'apollo-stream'
  await ada.append(id, { role: 'USER', content: 'Cold?', clientId: 'q' })
  const { data } = await client.query<Block>({ query: messages.messagesQuery, variables: { id } })
  const end = messages.followMessages(id, data.conversation.messages.pageInfo.endCursor)
  const start = (clientId: string) =>
    ada.get(
      `mutation ($id: ID!, $clientId: String!) { startMessage(input: { conversationId: $id, parentClientId: "q", clientId: $clientId }) {
        message { id } } }`,
      { id, clientId },
    )
  const { message } = (await start('a')).startMessage
  await until(() => contents(id).length === 2)
  const text = (chunk: number, text: string) =>
    ada.get(
      `mutation ($id: ID!, $chunk: Int!, $text: String!) {
        appendMessageText(input: { messageId: $id, attempt: 1, chunk: $chunk, text: $text }) { nextChunk } }`,
      { id: message.id, chunk, text },
    )
  await text(0, 'Ye')
  await until(() => contents(id)[1] === 'Ye')
  await text(1, 's.')
  await until(() => contents(id)[1] === 'Yes.')
  await start('b')
  await until(() => shown(id)[1].siblings?.count === 2)
  expect(shown(id).map(({ siblings }: Block) => [siblings.index, siblings.count])).toEqual([
    [0, 1],
    [0, 2],
    [1, 2],
  ])
  await ada.get('mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { id } } }', {
    id: message.id,
  })
  await until(() => shown(id)[1].deletedAt !== null)
  expect(contents(id)).toEqual(['Cold?', null, null])
  await ada.get('mutation ($id: ID!) { deleteConversation(input: { id: $id }) { deletedConversationId } }', { id })
  await until(() => contents(id) === undefined)
  end()
})

test('Apollo: the list of conversations has what it creates and deletes, and what others do', async () => {
  const ada = bed.server.as()
  const { data } = await client.query<Block>({ query: list.conversationsQuery, fetchPolicy: 'network-only' })
  const end = list.followConversations(data.conversations.cursor)
  const titles = () =>
    client
      .readQuery<Block>({ query: list.conversationsQuery })
      ?.conversations.edges.map(({ node }: Block) => node.title)
      .filter((title: string | null) => title !== null)
  await list.createConversation('mine')
  expect(titles()).toEqual(['mine'])
  const create = 'mutation { createConversation(input: { id: "theirs", title: "theirs" }) { created } }'
  await ada.get(create)
  await until(() => titles()[0] === 'theirs')
  proxy.cut()
  await ada.append('theirs', 'moves it')
  await ada.get('mutation { updateConversation(input: { id: "theirs", title: "renamed" }) { conversation { id } } }')
  await until(() => titles().includes('renamed'))
  expect(titles()).toEqual(['renamed', 'mine'])
  await list.deleteConversation('theirs')
  expect(titles()).toEqual(['mine'])
  const { conversation } = (
    await ada.get('mutation { createConversation(input: { title: "x" }) { conversation { id } } }')
  ).createConversation
  await until(() => titles().length === 2)
  await ada.get(
    'mutation ($id: ID!) { deleteConversation(input: { id: $id }) { deletedConversationId } }',
    conversation,
  )
  await until(() => titles().length === 1)
  end()
})
