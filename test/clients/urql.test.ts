import { join } from 'node:path'
import { type Client, gql } from '@urql/core'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { useBed } from '../support/bed.ts'
import { TcpProxy } from '../support/network/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { writeBlocks } from './blocks.ts'

const bed = useBed()

// biome-ignore lint/suspicious/noExplicitAny: the blocks of the guide are modules that do not exist before the test.
type Block = any

/** What graphcache says of a cache that is not configured for its data. */
const warned = vi.spyOn(console, 'warn').mockImplementation(() => {})

let proxy: TcpProxy
let client: Client
let block: Block

beforeAll(async () => {
  proxy = await TcpProxy.before(bed.server)
  block = await import(join(await writeBlocks('urql', proxy.url), 'urql.ts'))
  client = block.client
})

afterAll(async () => {
  await proxy[Symbol.asyncDispose]()
  // It looks for the fields of one kind of event in all others, and says so in development.
  const others = warned.mock.calls.filter(
    ([text]) => !/^Invalid undefined: .*(Subscription|subscription|Fragment)/s.test(text),
  )
  expect(others).toEqual([])
})

/** What is on a screen that shows a query, and the pages of it that were asked for. */
function show(query: Block, pick: (data: Block) => Block[] | undefined, ...pages: object[]) {
  const screen: { items: Block[] | undefined; last: Block } = { items: undefined, last: undefined }
  const ends: { unsubscribe(): void }[] = []
  const add = (variables: object) =>
    ends.push(
      client.query(query, variables).subscribe(({ data, error }) => {
        if (error) throw error
        screen.items = pick(data)
        screen.last = data
      }),
    )
  for (const variables of pages) add(variables)
  return {
    add,
    get items() {
      return screen.items
    },
    get data() {
      return screen.last
    },
    end: () => {
      for (const one of ends) one.unsubscribe()
    },
  }
}

const contentsOf = (data: Block) => data?.conversation?.messages.edges.map(({ node }: Block) => node.content)
const titlesOf = (data: Block) =>
  data?.conversations.edges.map(({ node }: Block) => node.title).filter((title: string | null) => title !== null)

const follow = (query: Block, variables: object) => client.subscription(query, variables).subscribe(() => {})

/** Another answer to the same message. */
const anew = `mutation ($id: ID!, $parentId: ID) {
  startMessage(input: { conversationId: $id, parentId: $parentId }) { attempt } }`

test('urql: pages, a lost connection and a cursor that another query has moved lose and double nothing', async () => {
  const ada = bed.server.as()
  const id = 'urql-live'
  const all = Array.from({ length: 70 }, (_, n) => `m-${n}`)
  for (const content of all) await ada.append(id, content)
  const screen = show(block.messagesQuery, contentsOf, { id })
  await until(() => screen.items?.length === 50)
  const { endCursor, startCursor } = screen.data.conversation.messages.pageInfo
  const firstId = screen.data.conversation.messages.edges[0].node.id
  await ada.append(id, 'between')
  await client.query(gql`query ($id: ID!) { conversation(id: $id) { id title cursor } }`, { id })
  const following = follow(block.eventsQuery, { id, after: endCursor })
  await until(() => screen.items?.at(-1) === 'between')
  proxy.cut()
  await ada.append(id, 'while it was away')
  await ada.get(
    'mutation ($id: ID!) { editMessage(input: { messageId: $id, content: "edited" }) { message { id } } }',
    {
      id: firstId,
    },
  )
  await until(() => screen.items?.at(-1) === 'while it was away' && screen.items[0] === 'edited')
  screen.add({ id, before: startCursor })
  const whole = [...all.with(20, 'edited'), 'between', 'while it was away']
  await until(() => screen.items?.length === whole.length)
  expect(screen.items).toEqual(whole)
  await ada.append(id, 'last')
  await until(() => screen.items?.at(-1) === 'last')
  expect(screen.items).toEqual([...whole, 'last'])
  await ada.get('mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { id } } }', { id: firstId })
  await until(() => screen.items?.[20] === null)
  const { message } = (
    await ada.get('mutation ($id: ID!) { startMessage(input: { conversationId: $id }) { message { id parentId } } }', {
      id,
    })
  ).startMessage
  for (const [chunk, text] of ['Ye', 's.'].entries()) {
    await ada.get(
      `mutation ($id: ID!, $chunk: Int!, $text: String!) {
        appendMessageText(input: { messageId: $id, attempt: 1, chunk: $chunk, text: $text }) { nextChunk } }`,
      { id: message.id, chunk, text },
    )
  }
  await until(() => screen.items?.at(-1) === 'Yes.')
  await ada.get(anew, { id, parentId: message.parentId })
  const versions = () =>
    screen.data.conversation.messages.edges
      .slice(-2)
      .map(({ node }: Block) => [node.siblings.index, node.siblings.count])
  await until(() => screen.items?.length === whole.length + 3)
  expect(versions()).toEqual([
    [0, 2],
    [1, 2],
  ])
  await ada.get('mutation ($id: ID!) { deleteConversation(input: { id: $id }) { deletedConversationId } }', { id })
  await until(() => screen.items === undefined)
  following.unsubscribe()
  screen.end()
})

test('urql: the list of conversations has what it creates and deletes, and what others do', async () => {
  const ada = bed.server.as()
  const screen = show(block.conversationsQuery, titlesOf, {})
  await until(() => screen.items !== undefined)
  const following = follow(block.changesQuery, { after: screen.data.conversations.cursor })
  await client.mutation(block.createMutation, { input: { title: 'mine' } })
  expect(screen.items).toEqual(['mine'])
  await ada.get('mutation { createConversation(input: { id: "theirs", title: "theirs" }) { created } }')
  await until(() => screen.items?.[0] === 'theirs')
  proxy.cut()
  await ada.append('theirs', 'moves it')
  await ada.get('mutation { updateConversation(input: { id: "theirs", title: "renamed" }) { conversation { id } } }')
  await until(() => screen.items?.includes('renamed') === true)
  expect(screen.items).toEqual(['renamed', 'mine'])
  await client.mutation(block.deleteMutation, { id: 'theirs' })
  await until(() => screen.items?.length === 1)
  expect(screen.items).toEqual(['mine'])
  const input = 'mutation { createConversation(input: { title: "x" }) { conversation { id } } }'
  const { conversation } = (await ada.get(input)).createConversation
  await until(() => screen.items?.length === 2)
  await ada.get(
    'mutation ($id: ID!) { deleteConversation(input: { id: $id }) { deletedConversationId } }',
    conversation,
  )
  await until(() => screen.items?.length === 1)
  following.unsubscribe()
  screen.end()
})
