import { expect, test } from 'vitest'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { serve } from '../support/server.ts'

// Without a poll only hints can bring what is live.
const bed = useBed({ POLL_MS: '600000' })

const message = 'seq content revision deletedAt'
const event = `__typename cursor conversationId ... on MessageAppended { edge { cursor node { ${message} } } }
  ... on MessageUpdated { message { ${message} } } ... on MessageDeleted { message { ${message} } }
  ... on ConversationUpdated { conversation { title } }`
const follow = `subscription ($id: ID!, $after: String) { conversationEvents(conversationId: $id, after: $after) { ${event} } }`
const poll = `query ($id: ID!, $after: String, $first: Int) { changes(conversationId: $id, after: $after, first: $first) {
  cursor hasMore events { ${event} } } }`
const edit = `mutation ($id: ID!, $content: String!) { editMessage(input: { messageId: $id, content: $content }) { message { revision } } }`
const remove = 'mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { revision } } }'
const rename = `mutation ($id: ID!, $title: String!) { updateConversation(input: { id: $id, title: $title }) { conversation { id } } }`
const drop = 'mutation ($id: ID!) { deleteConversation(input: { id: $id }) { deletedConversationId } }'
const readAll = `query ($id: ID!) { conversation(id: $id) { title lastSeq cursor messages(first: 100) { nodes { ${message} } } } }`

interface Seen {
  seq: number
  content: string | null
  revision: string
  deletedAt: string | null
}

interface Event {
  __typename: string
  cursor: string
  edge?: { node: Seen }
  message?: Seen
  conversation?: { title: string | null }
}

/** What a client that takes events in knows of the conversation. */
class Mirror {
  readonly messages = new Map<number, Seen>()
  title: string | null = null
  cursor = ''

  take(event: Event): void {
    this.cursor = event.cursor
    if (event.conversation) this.title = event.conversation.title
    const seen = event.edge?.node ?? event.message
    if (!seen) return
    const before = this.messages.get(seen.seq)
    // An older state never follows a newer one.
    expect(Number(seen.revision)).toBeGreaterThanOrEqual(Number(before?.revision ?? 0))
    if (event.__typename === 'MessageAppended') expect(seen.seq === this.messages.size + 1 || before).toBeTruthy()
    else expect(before).toBeDefined()
    this.messages.set(seen.seq, seen)
  }

  async expectEqual(ada: Api, id: string): Promise<void> {
    const { conversation } = await ada.get(readAll, { id })
    expect([...this.messages.values()].sort((a, b) => a.seq - b.seq)).toEqual(conversation.messages.nodes)
    expect(this.title).toBe(conversation.title)
  }
}

/** Conversation `id` with five messages, the second edited, the third deleted, and a title set in between. */
async function prepare(ada: Api, id: string): Promise<{ edges: string[] }> {
  const edges: string[] = []
  const ids: string[] = []
  for (let i = 1; i <= 5; i++) {
    const appended = await ada.append(id, `m${i}`)
    ids.push(appended.message.id)
    edges.push(appended.messageEdge.cursor)
  }
  await ada.get(edit, { id: ids[1], content: 'edited' })
  await ada.get(rename, { id, title: 'T' })
  await ada.get(remove, { id: ids[2] })
  return { edges }
}

const typesOf = (events: Event[]) => events.map(({ __typename }) => __typename)

test('from the beginning: the conversation, its messages as they are now, CaughtUp, and then everything live', async () => {
  const ada = bed.server.as()
  await prepare(ada, 'live')
  const mirror = new Mirror()
  await using feed = ada.subscribe(follow, { id: 'live', after: '' })
  const next = async () => {
    const result = await feed.next()
    const event = result?.data.conversationEvents as Event
    expect(result?.extensions?.cursor).toBe(event.cursor)
    mirror.take(event)
    return event
  }
  const first: Event[] = []
  while (first.at(-1)?.__typename !== 'CaughtUp') first.push(await next())
  expect(typesOf(first)).toEqual(['ConversationUpdated', ...Array(5).fill('MessageAppended'), 'CaughtUp'])
  await mirror.expectEqual(ada, 'live')

  const { message: sixth } = await ada.append('live', 'm6')
  expect((await next()).edge?.node).toMatchObject({ seq: 6, content: 'm6' })
  await ada.get(edit, { id: sixth.id, content: 'better' })
  expect(await next()).toMatchObject({ __typename: 'MessageUpdated', message: { seq: 6, content: 'better' } })
  await ada.get(remove, { id: sixth.id })
  expect(await next()).toMatchObject({ __typename: 'MessageDeleted', message: { seq: 6, content: null } })
  await ada.get(rename, { id: 'live', title: 'U' })
  expect(await next()).toMatchObject({ __typename: 'ConversationUpdated', conversation: { title: 'U' } })
  await mirror.expectEqual(ada, 'live')
  await ada.get(drop, { id: 'live' })
  expect(await next()).toMatchObject({ __typename: 'ConversationDeleted', conversationId: 'live' })
  expect(await feed.next()).toBeNull()
})

test("from the conversation's cursor: only what came after, also of messages from before", async () => {
  const ada = bed.server.as()
  await prepare(ada, 'cursor')
  const { conversation } = await ada.get(readAll, { id: 'cursor' })
  const { message } = await ada.append('cursor', 'm6')
  await ada.get(edit, { id: message.id, content: 'm6!' })
  const { changes } = await ada.get(poll, { id: 'cursor', after: conversation.cursor })
  expect(typesOf(changes.events)).toEqual(['MessageAppended'])
  await ada.get(edit, { id: message.id, content: 'm6!!' })
  const later = (await ada.get(poll, { id: 'cursor', after: changes.cursor })).changes
  expect(later.events).toMatchObject([{ __typename: 'MessageUpdated', message: { seq: 6, content: 'm6!!' } }])
  const none = (await ada.get(poll, { id: 'cursor', after: later.cursor })).changes
  expect(none).toEqual({ cursor: later.cursor, hasMore: false, events: [] })
})

test("from an edge's cursor, which names only a place: first every message up to there that was ever changed", async () => {
  const ada = bed.server.as()
  const { edges } = await prepare(ada, 'edge')
  const { changes } = await ada.get(poll, { id: 'edge', after: edges[1] })
  expect(changes.events).toMatchObject([
    { __typename: 'MessageUpdated', message: { seq: 2, content: 'edited' } },
    { __typename: 'ConversationUpdated' },
    { __typename: 'MessageAppended', edge: { node: { seq: 3, content: null } } },
    { __typename: 'MessageAppended', edge: { node: { seq: 4 } } },
    { __typename: 'MessageAppended', edge: { node: { seq: 5 } } },
  ])
})

test('absent is from now on: CaughtUp comes first', async () => {
  const ada = bed.server.as()
  await prepare(ada, 'now')
  await using feed = ada.subscribe(follow, { id: 'now' })
  expect((await feed.next())?.data.conversationEvents.__typename).toBe('CaughtUp')
  await ada.append('now', 'm6')
  expect((await feed.next())?.data.conversationEvents.edge.node.seq).toBe(6)
})

/** Conversation `id` of 60 messages; from `start` on, most of the first 30 were changed, the last first. */
async function scramble(ada: Api, id: string): Promise<{ start: string }> {
  const ids: string[] = []
  for (let i = 1; i <= 30; i++) ids.push((await ada.append(id, `m${i}`)).message.id)
  const start = (await ada.get(readAll, { id })).conversation.cursor
  for (const [n, messageId] of [...ids.entries()].reverse()) {
    if (n % 4) await ada.get(edit, { id: messageId, content: `edited ${n}` })
    if (n === 5) await ada.get(rename, { id, title: 'in the middle' })
    if (n % 3 === 0) await ada.get(remove, { id: messageId })
    await ada.append(id, `later ${n}`)
  }
  return { start }
}

/** What a client at `from` knows already. */
function mirrorAt(from: string): Mirror {
  const mirror = new Mirror()
  if (from !== '') for (let seq = 1; seq <= 30; seq++) mirror.take(appended(seq))
  mirror.cursor = from
  return mirror
}

test('breaking off after any event and going on from its cursor misses nothing, whatever the size of a page', async () => {
  const ada = bed.server.as()
  const { start } = await scramble(ada, 'any')
  for (const from of ['', start]) {
    for (const first of [1, 2, 7, 100]) {
      const mirror = mirrorAt(from)
      for (;;) {
        const { changes } = await ada.get(poll, { id: 'any', after: mirror.cursor, first })
        // One event of each page, then on from its cursor: the rest of the page has to come again.
        if (changes.events[0]) mirror.take(changes.events[0])
        else expect(changes).toMatchObject({ hasMore: false, cursor: mirror.cursor })
        if (changes.events.length === 0) break
      }
      await mirror.expectEqual(ada, 'any')
    }
  }
})

test('pages of changes, each from the cursor of the one before, hold everything and end exactly', async () => {
  const ada = bed.server.as()
  const { start } = await scramble(ada, 'pages')
  for (const from of ['', start]) {
    for (const first of [1, 2, 7, 100]) {
      const mirror = mirrorAt(from)
      for (let after = from, hasMore = true; hasMore; ) {
        const { changes } = await ada.get(poll, { id: 'pages', after, first })
        for (const event of changes.events) mirror.take(event)
        if (changes.hasMore) expect(changes.events.length).toBeGreaterThanOrEqual(first)
        after = changes.cursor
        hasMore = changes.hasMore
      }
      await mirror.expectEqual(ada, 'pages')
    }
  }
})

test('a feed that catches up over more than one read holds everything before CaughtUp', async () => {
  const ada = bed.server.as()
  const { start } = await scramble(ada, 'long')
  for (const from of ['', start]) {
    const mirror = mirrorAt(from)
    await using feed = ada.subscribe(follow, { id: 'long', after: from })
    for (;;) {
      const event = (await feed.next())?.data.conversationEvents
      if (event.__typename === 'CaughtUp') break
      mirror.take(event)
    }
    await mirror.expectEqual(ada, 'long')
  }
})

function appended(seq: number): Event {
  const node = { seq, content: `m${seq}`, revision: '0', deletedAt: null }
  return { __typename: 'MessageAppended', cursor: '', edge: { node } }
}

test('followers that are cut at random end with the conversation as it is, two servers writing', async () => {
  await using other = await serve(bed.database.url, { POLL_MS: '600000' })
  const [ada, far] = [bed.server.as(), other.as()]
  const first = await ada.append('storm', 'm')
  const ids = [first.message.id]
  const write = async (api: Api, offset: number) => {
    for (let i = 0; i < 40; i++) {
      const id = ids[(i * 7 + offset) % ids.length] as string
      const what = (i + offset) % 5
      if (what === 0) await api.ask(edit, { id, content: `edited ${offset} ${i}` })
      else if (what === 1 && i % 4 === 0) await api.ask(remove, { id })
      else if (what === 2) await api.get(rename, { id: 'storm', title: `${offset} ${i}` })
      else ids.push((await api.append('storm', `${offset} ${i}`)).message.id)
    }
  }
  const watch = async (api: Api, cuts: number) => {
    const mirror = new Mirror()
    const last = async () => {
      if (![...mirror.messages.values()].some(({ content }) => content === 'the end')) return false
      const { changes } = await ada.get(poll, { id: 'storm', after: mirror.cursor })
      return changes.events.length === 0
    }
    for (let round = 1; !(await last()); round++) {
      await using feed = api.subscribe(follow, { id: 'storm', after: mirror.cursor })
      for (let i = 0; i < (round * cuts) % 11 && !(await last()); i++) {
        const result = await feed.next()
        mirror.take(result?.data.conversationEvents)
      }
    }
    return mirror
  }
  const watching = [watch(ada, 3), watch(far, 5), watch(far, 7)]
  await Promise.all([write(ada, 0), write(far, 1), write(far, 2)])
  await ada.append('storm', 'the end')
  for (const mirror of await Promise.all(watching)) await mirror.expectEqual(ada, 'storm')
})

test('cursors: of another epoch or beyond the log they are expired, of another conversation or none they are refused', async () => {
  const ada = bed.server.as()
  const old = (await ada.append('epoch', 'x')).conversation.cursor
  const other = (await ada.append('other', 'x')).conversation.cursor
  await ada.get(drop, { id: 'epoch' })
  await ada.append('epoch', 'y')
  const code = async (after: string) => (await ada.fail(poll, { id: 'epoch', after })).extensions.code
  expect(await code(old)).toBe('CURSOR_EXPIRED')
  expect(await code(other)).toBe('BAD_USER_INPUT')
  expect(await code('nonsense')).toBe('BAD_USER_INPUT')
  const now = Buffer.from((await ada.get(readAll, { id: 'epoch' })).conversation.cursor, 'base64url')
  now.writeBigUInt64BE(now.readBigUInt64BE(now.length - 8) + 1n, now.length - 8)
  expect(await code(now.toString('base64url'))).toBe('CURSOR_EXPIRED')
})

test('the size of a page of changes is from 1 to 100', async () => {
  const ada = bed.server.as()
  await ada.append('size', 'x')
  for (const first of [0, 101]) {
    expect((await ada.fail(poll, { id: 'size', first })).extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      path: 'first',
    })
  }
  for (const first of [1, 100]) await ada.get(poll, { id: 'size', first })
})
