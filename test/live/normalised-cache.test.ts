import { expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'
import type { Api, Results } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { earlier } from '../support/database/earlier.ts'

const bed = useBed()

type Fields = Record<string, unknown>

/**
 * A cache as those of Apollo, urql and Relay: it keeps an object that has an `id` once, whichever answer brought the
 * object, and a field has the value of the answer that came last.
 */
class NormalisedCache {
  readonly #objects = new Map<string, Fields>()

  /** Takes over an answer. */
  write(value: unknown): void {
    this.#normalised(value)
  }

  // biome-ignore lint/suspicious/noExplicitAny: as answers in tests.
  read(id: string): any {
    return this.#whole(this.#objects.get(id))
  }

  #normalised(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#normalised(item))
    if (typeof value !== 'object' || value === null) return value
    const fields = Object.fromEntries(Object.entries(value).map(([name, field]) => [name, this.#normalised(field)]))
    if (typeof fields.id !== 'string') return fields
    this.#objects.set(fields.id, { ...this.#objects.get(fields.id), ...fields })
    return { reference: fields.id }
  }

  #whole(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#whole(item))
    if (typeof value !== 'object' || value === null) return value
    const { reference } = value as { reference?: string }
    if (reference !== undefined) return this.#whole(this.#objects.get(reference))
    return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, this.#whole(field)]))
  }
}

interface MessageEdge {
  readonly cursor: string
  readonly node: { readonly id: string; readonly content: string }
}

const listQuery = `query ($id: ID!) { conversation(id: $id) { id cursor
  messages(last: 50) { edges { cursor node { id content } } pageInfo { endCursor } } } }`
const titleQuery = 'query ($id: ID!) { conversation(id: $id) { id title cursor } }'
const feeds = {
  messageAppended: `subscription ($id: ID!, $after: String) {
    event: messageAppended(conversationId: $id, after: $after) { cursor node { id content } } }`,
  conversationEvents: `subscription ($id: ID!, $after: String) {
    event: conversationEvents(conversationId: $id, after: $after) { __typename
      ... on MessageAppended { edge { cursor node { id content } } } ... on MessageUpdated { message { id content } } } }`,
}

/** Where a client begins to follow the list of messages that its cache has. */
const starts = {
  "the conversation's cursor in the cache": (conversation: { cursor: string }) => conversation.cursor,
  'the endCursor of the cached list': (conversation: { messages: { pageInfo: { endCursor: string | null } } }) =>
    conversation.messages.pageInfo.endCursor ?? '',
  'the last edge of the cached list': (conversation: { messages: { edges: MessageEdge[] } }) =>
    conversation.messages.edges.at(-1)?.cursor ?? '',
}

/**
 * Reads the list, then lets another query of the same client move the cached `cursor`, and follows.
 *
 * @returns what the client shows at the end
 */
async function showMessages(feed: keyof typeof feeds, start: keyof typeof starts, isEmpty: boolean) {
  const ada = bed.server.as()
  const id = `${feed}, ${start}, ${isEmpty}`
  const cache = new NormalisedCache()
  await ada.get('mutation ($id: ID!) { createConversation(input: { id: $id }) { created } }', { id })
  if (!isEmpty) await ada.append(id, 'one')
  cache.write(await ada.get(listQuery, { id }))
  await ada.append(id, 'two')
  if (!isEmpty && feed === 'conversationEvents') await edit(ada, cache.read(id).messages.edges[0].node.id)
  cache.write(await ada.get(titleQuery, { id }))
  const cached = cache.read(id)
  const edges: MessageEdge[] = [...cached.messages.edges]
  await using results = ada.subscribe(feeds[feed], { id, after: starts[start](cached) })
  await ada.append(id, 'three')
  while (edges.at(-1)?.node.content !== 'three') {
    const { event } = (await results.next())?.data ?? {}
    cache.write(event)
    const edge = feed === 'messageAppended' ? event : event.edge
    if (edge !== undefined) edges.push(edge)
  }
  return edges.map(({ node }) => cache.read(node.id).content as string)
}

const edit = (ada: Api, id: string) =>
  ada.get('mutation ($id: ID!) { editMessage(input: { messageId: $id, content: "one, edited" }) { message { id } } }', {
    id,
  })

const bothFeeds = Object.keys(feeds) as (keyof typeof feeds)[]

test.each(bothFeeds)(
  'the cached cursor of a conversation outruns the cached list, and messages are lost: %s',
  async (feed) => {
    const shown = await showMessages(feed, "the conversation's cursor in the cache", false)
    expect(shown).toEqual(['one', 'three'])
  },
)

test.each(bothFeeds.flatMap((feed) => [false, true].map((isEmpty) => ({ feed, isEmpty }))))(
  'a client that follows from the end of its own list loses nothing: $feed, empty $isEmpty',
  async ({ feed, isEmpty }) => {
    const first = feed === 'conversationEvents' ? 'one, edited' : 'one'
    const whole = isEmpty ? ['two', 'three'] : [first, 'two', 'three']
    expect(await showMessages(feed, 'the endCursor of the cached list', isEmpty)).toEqual(whole)
    expect(await showMessages(feed, 'the last edge of the cached list', isEmpty)).toEqual(whole)
  },
)

test('what deletes messages answers their tombstones, for each of them that the cache has', async () => {
  const ada = bed.server.as()
  const cache = new NormalisedCache()
  const messages = 'messages(last: 50) { edges { cursor node { id content } } pageInfo { endCursor } }'
  for (const content of ['one', 'two', 'three']) await ada.append('cleared', content)
  cache.write(await ada.get(listQuery, { id: 'cleared' }))
  const shown = () => cache.read('cleared').messages.edges.map(({ node }: MessageEdge) => node.content)
  const remove = 'mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { id content } } }'
  cache.write(await ada.get(remove, { id: cache.read('cleared').messages.edges[0].node.id }))
  expect(shown()).toEqual([null, 'two', 'three'])
  cache.write(
    await ada.get(`mutation { clearConversation(input: { id: "cleared" }) { conversation { id ${messages} } } }`),
  )
  expect(shown()).toEqual([null, null, null])
})

const conversationsQuery = `query ($after: String) { conversations(first: 2, after: $after) { cursor
  edges { cursor node { id } } pageInfo { endCursor } } }`

/** The ids that a client comes to know which has read two pages of the list, and follows from one of their cursors. */
async function showConversations(user: string, choose: (first: string, merged: string) => string) {
  const ada = bed.server.as({ 'x-user-id': user })
  const database = await bed.database.connect()
  const create = (id: string) =>
    ada.get('mutation ($id: ID!) { createConversation(input: { id: $id }) { created } }', { id })
  for (const id of ['a', 'b', 'c', 'd']) await create(id)
  await database.query(`update conversation set updated_at = ${earlier('updated_at', '1 hour')} where user_id = $1`, [
    user,
  ])
  const { conversations: first } = await ada.get(conversationsQuery)
  // A conversation is created just after the first page was read, and so long before the second page is read that the
  // second cursor takes it for known.
  await create('new')
  const { settleMs } = readConfig({}).lists
  await database.query(
    `update conversation set updated_at = now() - $2 * interval '1 millisecond'
     where user_id = $1 and id = 'new'`,
    [user, settleMs],
  )
  const { conversations: second } = await ada.get(conversationsQuery, { after: first.pageInfo.endCursor })
  // As Apollo's relayStylePagination merges pages.
  const merged = { ...first, ...second, edges: [...first.edges, ...second.edges] }
  const shown = new Set<string>(merged.edges.map(({ node }: { node: { id: string } }) => node.id))
  await using results: Results = ada.subscribe(
    `subscription ($after: String) { conversationsChanged(after: $after) { __typename
      ... on ConversationListed { conversationEdge { node { id } } } } }`,
    { after: choose(first.cursor, merged.cursor) },
  )
  for (;;) {
    const event = (await results.next())?.data.conversationsChanged
    if (event.__typename === 'ConversationListCaughtUp') return [...shown].sort()
    shown.add(event.conversationEdge.node.id)
  }
}

test('the cursor of the list that a later page brings outruns the first page; the first one, kept aside, loses nothing', async () => {
  expect(await showConversations('naive', (_first, merged) => merged)).toEqual(['a', 'b', 'c', 'd'])
  expect(await showConversations('careful', (first) => first)).toEqual(['a', 'b', 'c', 'd', 'new'])
})
