import { Pool } from 'pg'
import { expect, test } from 'vitest'
import { purgeTombstones } from '../../src/storage/conversation/purge.ts'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { engine } from '../support/database/engine.ts'
import { hold } from '../support/database/hold.ts'
import { recordStatements } from '../support/database/statements.ts'
import { untilWaiting } from '../support/database/until-waiting.ts'
import { nextOfLog } from '../support/next-of-log.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const bed = useBed()

const as = (userId: string, server = bed.server) => server.as({ 'x-user-id': userId })

const add = `mutation ($id: ID!, $userId: String!, $role: ParticipantRole!) {
  addParticipant(input: { conversationId: $id, userId: $userId, role: $role }) { conversation { id } }
}`

const remove = `mutation ($id: ID!, $userId: String!) {
  removeParticipant(input: { conversationId: $id, userId: $userId }) { conversation { id } }
}`

const leave = 'mutation ($id: ID!) { leaveConversation(input: { conversationId: $id }) { leftConversationId } }'

const listed = `subscription ($after: String) { conversationsChanged(after: $after) {
  __typename cursor
  ... on ConversationListed { conversation { id title lastSeq } }
  ... on ConversationUnlisted { conversationId }
} }`

const happened = `subscription ($id: ID!, $after: String) { conversationEvents(conversationId: $id, after: $after) {
  __typename
  ... on MessageAppended { edge { node { content author { userId } } } }
  ... on MessageTextAppended { text }
  ... on ParticipantsChanged { conversation { participants { nodes { userId role } } } }
} }`

async function join(owner: Api, id: string, userId: string, role = 'MEMBER'): Promise<void> {
  await owner.get(add, { id, userId, role })
}

/** The id by which a participant knows the conversation that it joined last. */
async function idFor(api: Api): Promise<string> {
  return (await api.get('{ conversations(first: 1) { nodes { id } } }')).conversations.nodes[0].id
}

test('whoever is added to an old conversation is told, then of its changes, and when it leaves', async () => {
  const [ada, grace] = [as('ada'), as('grace')]
  await ada.append('old', 'one')
  for (const id of ['newer', 'newest']) await ada.append(id, 'x')
  await using list = grace.subscribe(listed)
  expect(await nextOfLog(list)).toMatchObject({ __typename: 'ConversationListCaughtUp' })
  await join(ada, 'old', 'grace')
  const joined = (await nextOfLog(list)) as { conversation: { id: string } }
  expect(joined).toMatchObject({ __typename: 'ConversationListed', conversation: { lastSeq: 1 } })
  const { id } = joined.conversation
  expect(id).toMatch(/^cnv_/)
  await ada.append('old', 'two')
  expect(await nextOfLog(list)).toMatchObject({ __typename: 'ConversationListed', conversation: { id, lastSeq: 2 } })
  expect(await grace.get(leave, { id })).toEqual({ leaveConversation: { leftConversationId: id } })
  expect(await nextOfLog(list)).toMatchObject({ __typename: 'ConversationUnlisted', conversationId: id })
  // It hears of nothing that happens afterwards.
  await ada.append('old', 'three')
  await grace.append("grace's own", 'x')
  expect(await nextOfLog(list)).toMatchObject({ conversation: { id: "grace's own" } })
})

test('whoever was away is told where it joined, and where its part has ended', async () => {
  const [ada, heidi] = [as('ada'), as('heidi')]
  for (const id of ['stays', 'ends']) await ada.append(id, 'secret', {})
  await join(ada, 'ends', 'heidi')
  const ended = await idFor(heidi)
  const { conversations } = await heidi.get('{ conversations { cursor nodes { id } } }')
  expect(conversations.nodes).toEqual([{ id: ended }])
  await join(ada, 'stays', 'heidi')
  await ada.get('mutation { updateConversation(input: { id: "ends", title: "secret title" }) { __typename } }')
  await ada.get(remove, { id: 'ends', userId: 'heidi' })
  await using list = heidi.subscribe(listed, { after: conversations.cursor })
  const told = [await nextOfLog(list), await nextOfLog(list), await nextOfLog(list)]
  expect(told).toMatchObject([
    { __typename: 'ConversationListed' },
    { __typename: 'ConversationUnlisted', conversationId: ended },
    { __typename: 'ConversationListCaughtUp' },
  ])
  expect(JSON.stringify(told)).not.toContain('secret title')
})

test('the list of a user who takes part in nothing of others is one statement', async () => {
  const [lone, host] = [as('lone'), as('host')]
  await lone.append('mine', 'hi')
  await host.append('lent', 'hi')
  const names = async () => {
    const sent = await recordStatements(bed.database, () => lone.get('{ conversations(first: 2) { nodes { title } } }'))
    return sent.map(({ name }) => name?.split('-').slice(0, 3).join('-'))
  }
  const alone = engine.spreads ? ['conversation-list-all'] : ['conversation-list-own']
  expect(await names()).toEqual(alone)
  await join(host, 'lent', 'lone')
  expect(await names()).toEqual([...new Set([...alone, 'conversation-list-all'])])
  await lone.get(leave, { id: await idFor(lone) })
  expect(await names()).toEqual(alone)
})

test("a participant's list is in the order of activity, among its own conversations, and pages both ways", async () => {
  const [ada, ivan] = [as('ada'), as('ivan')]
  const ids: string[] = []
  for (let n = 0; n < 6; n++) {
    if (n % 2 === 0) ids.unshift((await ivan.append(`own ${n}`, 'x')).conversation.id)
    else {
      await ada.append(`shared ${n}`, 'x')
      await join(ada, `shared ${n}`, 'ivan')
      ids.unshift(await idFor(ivan))
    }
  }
  const page = async (args: string) =>
    (
      await ivan.get(
        `{ conversations(${args}) { nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`,
      )
    ).conversations
  const whole = await page('first: 10')
  expect(whole.nodes.map(({ id }: { id: string }) => id)).toEqual(ids)
  expect(whole.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: false })
  const first = await page('first: 4')
  expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false })
  const rest = await page(`first: 4, after: "${first.pageInfo.endCursor}"`)
  expect(rest.nodes.map(({ id }: { id: string }) => id)).toEqual(ids.slice(4))
  expect(rest.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true })
  const back = await page(`last: 3, before: "${rest.pageInfo.startCursor}"`)
  expect(back.nodes.map(({ id }: { id: string }) => id)).toEqual(ids.slice(1, 4))
  expect(back.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true })
})

test('who joins, leaves, or gets another role is told in the feed of the conversation, and in its changes', async () => {
  const ada = as('ada')
  await ada.append('told', 'x')
  const { conversation } = await ada.get('{ conversation(id: "told") { cursor } }')
  await using events = ada.subscribe(happened, { id: 'told' })
  expect(await nextOfLog(events)).toEqual({ __typename: 'CaughtUp' })
  const owner = { userId: 'ada', role: 'OWNER' }
  const people = (...nodes: object[]) => ({
    __typename: 'ParticipantsChanged',
    conversation: { participants: { nodes: [owner, ...nodes] } },
  })
  await join(ada, 'told', 'judy', 'OBSERVER')
  expect(await nextOfLog(events)).toEqual(people({ userId: 'judy', role: 'OBSERVER' }))
  await join(ada, 'told', 'judy', 'MEMBER')
  expect(await nextOfLog(events)).toEqual(people({ userId: 'judy', role: 'MEMBER' }))
  // She has the role.
  await join(ada, 'told', 'judy', 'MEMBER')
  const judy = as('judy')
  const id = await idFor(judy)
  await judy.append(id, 'by judy')
  expect(await nextOfLog(events)).toMatchObject({ edge: { node: { content: 'by judy', author: { userId: 'judy' } } } })
  await judy.get(leave, { id })
  expect(await nextOfLog(events)).toEqual(people())
  const { changes } = await ada.get(
    'query ($after: String) { changes(conversationId: "told", after: $after) { events { __typename } hasMore } }',
    { after: conversation.cursor },
  )
  expect(changes).toEqual({
    events: [{ __typename: 'ParticipantsChanged' }, { __typename: 'MessageAppended' }],
    hasMore: false,
  })
})

test('a removed user hears nothing of what was committed after its removal, on any server', async () => {
  await using second = await serve(bed.database.url)
  const ada = as('ada')
  await ada.append('watched', 'x')
  const { startMessage } = await ada.get(
    'mutation { startMessage(input: { conversationId: "watched", role: ASSISTANT }) { attempt message { id } } }',
  )
  await join(ada, 'watched', 'kim')
  const id = await idFor(as('kim'))
  const feeds = [as('kim').subscribe(happened, { id }), as('kim', second).subscribe(happened, { id })]
  const messages = as('kim', second).subscribe(
    'subscription ($id: ID!) { messageAppended(conversationId: $id, after: "") { node { seq } } }',
    { id },
  )
  await messages.take(2)
  const text = async (chunk: number, words: string) => {
    const write = 'mutation ($input: AppendMessageTextInput!) { appendMessageText(input: $input) { nextChunk } }'
    await ada.get(write, { input: { messageId: startMessage.message.id, attempt: 1, chunk, text: words } })
  }
  await text(0, 'before')
  for (const feed of feeds) {
    let event = (await nextOfLog(feed)) as { __typename: string; text?: string }
    while (event.text !== 'before' && event.__typename !== 'CaughtUp') event = (await nextOfLog(feed)) as typeof event
  }
  await ada.get(remove, { id: 'watched', userId: 'kim' })
  await text(1, 'after')
  await ada.append('watched', 'after')
  for (const feed of feeds) {
    const rest: unknown[] = []
    for (let answer = await feed.next(); answer !== null; answer = await feed.next()) rest.push(answer.data)
    expect(JSON.stringify(rest)).not.toContain('after')
    expect(rest.at(-1)).toEqual({ conversationEvents: { __typename: 'ConversationDeleted' } })
    await feed[Symbol.asyncDispose]()
  }
  expect(await messages.next()).toBeNull()
  await messages[Symbol.asyncDispose]()
})

test('the feeds of many guests share one read, and each tells what its own guest may read', async () => {
  const ada = as('ada')
  const added = `mutation ($userId: String!, $historyFrom: Int) { addParticipant(input: {
    conversationId: "many", userId: $userId, historyFrom: $historyFrom
  }) { conversation { id } } }`
  await ada.append('many', 'one')
  const people = ['grace', 'linus', 'kim', 'late', 'gone']
  for (const userId of people) await ada.get(added, { userId, ...(userId === 'late' ? { historyFrom: 2 } : {}) })
  const messages = `subscription ($id: ID!, $after: String) { messageAppended(conversationId: $id, after: $after) {
    node { content author { userId } }
  } }`
  const feeds = await Promise.all(
    people.map(async (userId) => {
      const [guest, id] = [as(userId), await idFor(as(userId))]
      const events = guest.subscribe(happened, { id, after: '' })
      const appended = guest.subscribe(messages, { id, after: '' })
      const told: unknown[] = []
      while (told.at(-1) !== 'CaughtUp') told.push(((await nextOfLog(events)) as { __typename: string }).__typename)
      expect(told.includes('MessageAppended')).toBe(userId !== 'late')
      if (userId !== 'late') expect(await nextOfLog(appended)).toMatchObject({ node: { content: 'one' } })
      return { userId, events, appended }
    }),
  )
  // No hint tells of it: the next read finds out.
  const client = await bed.database.connect()
  await client.query("update participant set ended_at = now() where user_id = 'gone'")
  await client.end()
  const sent = await recordStatements(bed.database, async () => {
    await ada.append('many', 'two')
    for (const { userId, events, appended } of feeds) {
      const isGone = userId === 'gone'
      const event = isGone ? { __typename: 'ConversationDeleted' } : { edge: { node: { content: 'two' } } }
      expect(await nextOfLog(events), userId).toMatchObject(event)
      const node = (await appended.next())?.data.messageAppended.node
      expect(node, userId).toEqual(isGone ? undefined : { content: 'two', author: { userId: 'ada' } })
    }
  })
  const names = sent.flatMap(({ name }) => (/^(message-|taking-part-from)/.test(name ?? '') ? [name] : []))
  // For all, for whoever begins later, and for whoever is gone; of either feed.
  expect(names.filter((name) => name?.startsWith('message-changes'))).toHaveLength(3)
  expect(names.filter((name) => name?.startsWith('message-page'))).toHaveLength(3)
  expect(names.filter((name) => name === 'taking-part-from')).toHaveLength(2)
  for (const { events, appended } of feeds) {
    await events[Symbol.asyncDispose]()
    await appended[Symbol.asyncDispose]()
  }
})

test('an append that waits while its author is removed is not stored', async () => {
  const [ada, leo] = [as('ada'), as('leo')]
  await ada.append('held', 'x')
  await join(ada, 'held', 'leo')
  const id = await idFor(leo)
  const client = await hold(bed.database, 'held')
  await client.query("update participant set ended_at = now() where user_id = 'leo'")
  const appending = leo.fail(
    'mutation ($id: ID!) { appendMessage(input: { conversationId: $id, message: { role: USER, content: "late" } }) { replayed } }',
    { id },
  )
  await untilWaiting(bed.database)
  await client.query('commit')
  expect((await appending).extensions.code).toBe('NOT_FOUND')
  expect((await ada.get('{ conversation(id: "held") { lastSeq } }')).conversation.lastSeq).toBe(1)
})

test("another author's message with the same client id is a conflict, and the author's own a replay", async () => {
  const [ada, mia] = [as('ada'), as('mia')]
  const message = { role: 'USER', content: 'same', clientId: 'c-1' }
  await ada.append('ids', message)
  await join(ada, 'ids', 'mia')
  const id = await idFor(mia)
  const append = `mutation ($id: ID!, $message: MessageInput!, $more: OnExisting!) {
    appendMessages(input: { conversationId: $id, messages: [$message], onExisting: $more }) { replayed }
  }`
  for (const more of ['FAIL', 'REPLACE']) {
    expect((await mia.fail(append, { id, message, more })).extensions).toMatchObject({
      code: 'CONFLICT',
      reason: 'CLIENT_ID',
    })
    expect(await ada.get(append, { id: 'ids', message, more })).toEqual({ appendMessages: { replayed: [true] } })
    expect(await ada.get(append, { id, message, more })).toEqual({ appendMessages: { replayed: [true] } })
  }
  expect(await mia.get(append, { id, message: { ...message, clientId: 'c-2' }, more: 'FAIL' })).toEqual({
    appendMessages: { replayed: [false] },
  })
})

test('a conversation that is deleted and created again has none of its former participants', async () => {
  const [ada, nina] = [as('ada'), as('nina')]
  await ada.append('again', 'x')
  await join(ada, 'again', 'nina')
  const id = await idFor(nina)
  const { conversations } = await nina.get('{ conversations { cursor } }')
  await ada.get('mutation { deleteConversation(input: { id: "again" }) { deletedConversationId } }')
  await ada.append('again', 'new')
  expect((await nina.get('{ conversations { nodes { id } } }')).conversations.nodes).toEqual([])
  expect(await nina.get('query ($id: ID!) { conversation(id: $id) { id } }', { id })).toEqual({ conversation: null })
  await using list = nina.subscribe(listed, { after: conversations.cursor })
  expect(await nextOfLog(list)).toMatchObject({ __typename: 'ConversationUnlisted', conversationId: id })
})

test('a fork by a participant keeps who wrote what', async () => {
  const [ada, olaf] = [as('ada'), as('olaf')]
  await ada.append('source', 'by ada')
  await join(ada, 'source', 'olaf')
  const id = await idFor(olaf)
  await olaf.append(id, 'by olaf')
  const { forkConversation } = await olaf.get(
    `mutation ($id: ID!) { forkConversation(input: { id: $id }) {
      conversation { userId viewerRole messages { nodes { content author { userId } } } participants { nodes { userId } } }
    } }`,
    { id },
  )
  expect(forkConversation.conversation).toEqual({
    userId: 'olaf',
    viewerRole: 'OWNER',
    messages: {
      nodes: [
        { content: 'by ada', author: { userId: 'ada' } },
        { content: 'by olaf', author: { userId: 'olaf' } },
      ],
    },
    participants: { nodes: [{ userId: 'olaf' }] },
  })
})

test('a conversation has so many participants and no more; they are paged by user id', async () => {
  const ada = as('ada')
  await ada.append('crowd', 'x')
  const client = await bed.database.connect()
  await client.query(
    `insert into participant (conversation_key, user_id, epoch, role, revision, created_at, changed_at)
     select key, 'user ' || lpad(n::text, 4, '0'), epoch, 'MEMBER', revision, now(), now()
     from conversation, generate_series(1, 999) n where id = 'crowd'`,
  )
  await join(ada, 'crowd', 'zoe')
  const full = await ada.fail(add, { id: 'crowd', userId: 'zz', role: 'MEMBER' })
  expect(full.extensions).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', path: 'input.userId', limit: 1000, actual: 1001 })
  // Another role is no other participant.
  await join(ada, 'crowd', 'zoe', 'OBSERVER')
  const seen: string[] = []
  for (let after: string | null = ''; after !== null; ) {
    const { conversation } = await ada.get(
      `query ($after: String) { conversation(id: "crowd") { participants(first: 100, after: $after) {
        nodes { userId } pageInfo { hasNextPage hasPreviousPage endCursor }
      } } }`,
      { after },
    )
    const page: { nodes: { userId: string }[]; pageInfo: { [name: string]: unknown; endCursor: string } } =
      conversation.participants
    expect(page.pageInfo.hasPreviousPage).toBe(seen.length > 0)
    seen.push(...page.nodes.map(({ userId }) => userId))
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null
  }
  expect(seen).toHaveLength(1001)
  expect(seen).toEqual(seen.toSorted())
})

test('bad input has a code and a path', async () => {
  const ada = as('ada')
  await ada.append('inputs', 'x')
  const of = async (document: string, variables: object) => (await ada.fail(document, variables)).extensions
  expect(await of(add, { id: 'inputs', userId: '', role: 'MEMBER' })).toMatchObject({
    code: 'BAD_USER_INPUT',
    path: 'input.userId',
  })
  expect(await of(add, { id: 'inputs', userId: 'x'.repeat(256), role: 'MEMBER' })).toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
    limit: 255,
  })
  await join(ada, 'inputs', 'x'.repeat(255))
  expect(await of(add, { id: 'inputs', userId: 'x', role: 'OWNER' })).toMatchObject({
    code: 'BAD_USER_INPUT',
    path: 'input.role',
  })
  for (const document of [add, remove]) {
    expect(await of(document, { id: 'inputs', userId: 'ada', role: 'MEMBER' })).toMatchObject({ code: 'FORBIDDEN' })
  }
  const cursor = 'query { conversation(id: "inputs") { participants(after: "junk") { nodes { userId } } } }'
  expect(await of(cursor, {})).toMatchObject({ code: 'BAD_USER_INPUT', path: 'after' })
})

test('what is left of a part is deleted when no list can ask for it any more, and with its conversation', async () => {
  const ada = as('ada')
  await ada.append('purged', 'x')
  for (const userId of ['gone', 'left', 'here']) await join(ada, 'purged', userId)
  for (const userId of ['gone', 'left']) await ada.get(remove, { id: 'purged', userId })
  const client = await bed.database.connect()
  const age = 'update participant set ended_at = now() - $1::interval where user_id = $2'
  await client.query(age, ['31 days', 'gone'])
  await client.query(age, ['29 days', 'left'])
  const left = async () => {
    const { rows } = await client.query(
      "select p.user_id as user from participant p join conversation c on c.key = p.conversation_key where c.id = 'purged' order by 1",
    )
    return rows.map(({ user }) => user)
  }
  const times = { tombstoneDays: 30, settleMs: 0 }
  const { key } = (await client.query("select key from conversation where id = 'purged'")).rows[0]
  const pool = new Pool({ connectionString: bed.database.url })
  await purgeTombstones({ pool }, times)
  expect(await left()).toEqual(['here', 'left'])
  await ada.get('mutation { deleteConversation(input: { id: "purged" }) { deletedConversationId } }')
  await until(async () => (await client.query('select from message where conversation_key = $1', [key])).rowCount === 0)
  await client.query("update conversation set deleted_at = now() - interval '31 days' where key = $1", [key])
  await purgeTombstones({ pool }, times)
  await pool.end()
  expect((await client.query('select from participant where conversation_key = $1', [key])).rowCount).toBe(0)
})
