import { expect, test } from 'vitest'
import type { Api, Results } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { hold } from '../support/database/hold.ts'
import { recordStatements } from '../support/database/statements.ts'
import { untilWaiting } from '../support/database/until-waiting.ts'
import { nextOfLog } from '../support/next-of-log.ts'
import { serve } from '../support/server.ts'
import * as identities from './identities.ts'

/* Conversations that wait for a person, those who support, and what they reach. */

// Without a poll only what a write announces can bring what is live.
const settings = { ...identities.identitySettings, QUOTA_STREAMS: 'off', POLL_MS: '600000' }
const bed = useBed(settings)

const user = async (...of: Parameters<typeof identities.user>) => bed.server.as(await identities.user(...of))
const supporter = (userId: string) => user(userId, 'colloquy:support')

const call = (name: string, selected: string) =>
  `mutation ($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${selected} } }`

const doing =
  (name: string, selected: string) =>
  async (api: Api, conversationId: string, more: object = {}) =>
    (await api.get(call(name, `conversation { ${selected} }`), { input: { conversationId, ...more } }))[name]
      .conversation
const refusal = async (api: Api, name: string, conversationId: string, more: object = {}) =>
  (await api.fail(call(name, '__typename'), { input: { conversationId, ...more } })).extensions

const wait = doing('waitForPerson', 'cursor waiting { since reason }')
const stop = doing('stopWaiting', 'cursor waiting { since reason }')
const join = doing('joinWaiting', 'cursor viewerRole')
const takeOver = doing('takeOver', 'takenOverBy viewerRole waiting { since }')
const handBack = doing('handBack', 'takenOverBy')

const queue = `query ($first: Int, $after: String) { waitingConversations(first: $first, after: $after) {
  count nodes { conversationId ownerId title since reason } edges { cursor } pageInfo { hasNextPage hasPreviousPage endCursor }
} }`
const followQueue = `subscription ($first: Int) { waitingConversationsChanged(first: $first) { count nodes { conversationId reason } } }`
const happened = `subscription ($id: ID!, $after: String) { conversationEvents(conversationId: $id, after: $after) { __typename
  ... on MessageAppended { edge { node { content } } }
  ... on ConversationUpdated { conversation { waiting { reason } takenOverBy } }
  ... on ParticipantsChanged { conversation { participants { nodes { userId role } } } }
} }`

/** A conversation of ada's, which waits; and its id for those who support. */
async function begin(id: string) {
  const ada = await user('ada')
  await ada.append(id, `question in ${id}`)
  await wait(ada, id, { reason: id })
  const { nodes } = (await (await supporter('sue')).get(queue)).waitingConversations
  const found = nodes.find(({ reason }: { reason: string }) => reason === id)
  return { ada, id: found.conversationId as string }
}

/** All that is told until the feed ends. */
async function restOf(feed: Results): Promise<string> {
  const told: unknown[] = []
  for (let answer = await feed.next(); answer !== null; answer = await feed.next()) told.push(answer.data)
  return JSON.stringify(told)
}

const queued = async (feed: Results) => (await feed.next())?.data.waitingConversationsChanged

test('a conversation waits from the first call on, whoever writes in it may say so and take it back, and watchers are told', async () => {
  const ada = await user('ada')
  await ada.append('wait', 'question')
  await using events = ada.subscribe(happened, { id: 'wait' })
  expect(await nextOfLog(events)).toEqual({ __typename: 'CaughtUp' })
  const agent = bed.server.as(identities.backend('helper', 'ada'))
  const first = await wait(agent, 'wait', { reason: 'a refund' })
  expect(first.waiting).toEqual({ since: expect.any(String), reason: 'a refund' })
  const updated = (waiting: object | null) => ({
    __typename: 'ConversationUpdated',
    conversation: { waiting, takenOverBy: null },
  })
  expect(await nextOfLog(events)).toEqual(updated({ reason: 'a refund' }))
  // The same again changes nothing.
  expect(await wait(ada, 'wait', { reason: 'a refund' })).toEqual(first)
  const other = await wait(ada, 'wait')
  expect(other.waiting).toEqual({ ...first.waiting, reason: null })
  expect(await nextOfLog(events)).toEqual(updated({ reason: null }))
  // A turn of an agent is no turn of a person: it goes on.
  await agent.append('wait', { role: 'ASSISTANT', content: 'meanwhile' })
  expect(await nextOfLog(events)).toMatchObject({ __typename: 'MessageAppended' })
  const stopped = await stop(ada, 'wait')
  expect(stopped.waiting).toBeNull()
  expect(await nextOfLog(events)).toEqual(updated(null))
  expect(await stop(ada, 'wait')).toEqual(stopped)
  const again = await wait(ada, 'wait', { reason: 'x'.repeat(1_000) })
  expect(again.waiting.since > first.waiting.since).toBe(true)
  expect(await refusal(ada, 'waitForPerson', 'wait', { reason: 'x'.repeat(1_001) })).toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
    path: 'input.reason',
    limit: 1000,
    actual: 1001,
  })
  const fork = call('forkConversation', 'conversation { waiting { since } }')
  expect((await ada.get(fork, { input: { id: 'wait' } })).forkConversation.conversation.waiting).toBeNull()
  await stop(ada, 'wait')
})

test('what waits is seen by those who support and by nobody else, whichever waits longest first', async () => {
  const ada = await user('ada')
  const ids = ['first', 'second', 'third']
  for (const id of [...ids, 'other']) await ada.append(id, 'question')
  for (const id of ids) await wait(ada, id, { reason: id })
  await ada.get('mutation { updateConversation(input: { id: "first", title: "Mine" }) { __typename } }')
  const sue = await supporter('sue')
  expect(await sue.get('{ viewer { isSupporter } }')).toEqual({ viewer: { isSupporter: true } })
  const page = async (args: object = {}) => (await sue.get(queue, args)).waitingConversations
  const whole = await page()
  expect(whole).toMatchObject({ count: 3, pageInfo: { hasNextPage: false, hasPreviousPage: false } })
  expect(whole.nodes).toMatchObject(
    ids.map((reason) => ({ reason, ownerId: 'ada', title: reason === 'first' ? 'Mine' : null })),
  )
  const some = await page({ first: 2 })
  expect(some).toMatchObject({ count: 3, nodes: whole.nodes.slice(0, 2), pageInfo: { hasNextPage: true } })
  const rest = await page({ first: 2, after: some.pageInfo.endCursor })
  expect(rest).toMatchObject({ nodes: whole.nodes.slice(2), pageInfo: { hasNextPage: false, hasPreviousPage: true } })
  expect(await page({ after: rest.pageInfo.endCursor })).toMatchObject({ count: 3, nodes: [], edges: [] })
  for (const after of ['junk', whole.edges[0].cursor.slice(4), (await sue.append('own', 'x')).messageEdge.cursor])
    expect((await sue.fail(queue, { after })).extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'after' })

  const others = [ada, await user('olga', 'colloquy:operator'), bed.server.as(identities.backend('mover', 'sue'))]
  for (const api of others) {
    expect(await api.get('{ viewer { isSupporter } }')).toEqual({ viewer: { isSupporter: false } })
    expect((await api.fail(queue)).extensions).toEqual({ code: 'FORBIDDEN' })
    expect(await refusal(api, 'joinWaiting', whole.nodes[0].conversationId)).toEqual({ code: 'FORBIDDEN' })
    await using feed = api.subscribe(followQueue)
    expect((await feed.next())?.errors?.[0]?.extensions).toEqual({ code: 'FORBIDDEN' })
  }
  const desk = bed.server.as(identities.backend('desk', 'sue'))
  expect((await desk.get(queue)).waitingConversations).toEqual(whole)
  // The role alone lets nobody read.
  const { conversationId } = whole.nodes[0]
  const read = 'query ($id: ID!) { conversation(id: $id) { id } }'
  expect(await sue.get(read, { id: conversationId })).toEqual({ conversation: null })
  await ada.get('mutation { deleteConversation(input: { id: "second" }) { deletedConversationId } }')
  expect((await page()).nodes).toEqual([whole.nodes[0], whole.nodes[2]])
  const client = await bed.database.connect()
  expect((await client.query("select from waiting w where w.reason = 'second'")).rowCount).toBe(0)
  for (const id of ['first', 'third']) await stop(ada, id)
})

test('the queue is told whole after each change, on any server, and found by the poll where no hint came', async () => {
  await using other = await serve(bed.database.url, { ...settings, POLL_MS: '50' })
  const sue = await supporter('sue')
  const ada = await user('ada')
  await using feed = sue.subscribe(followQueue, { first: 1 })
  await using polled = other.as(sue.identity).subscribe(followQueue)
  for (const one of [feed, polled]) expect(await queued(one)).toEqual({ count: 0, nodes: [] })
  const far = other.as(ada.identity)
  for (const id of ['one', 'two']) await ada.append(id, 'question')
  await wait(far, 'one', { reason: 'one' })
  const one = { conversationId: expect.stringMatching(/^cnv_/), reason: 'one' }
  expect(await queued(feed)).toEqual({ count: 1, nodes: [one] })
  await wait(far, 'two', { reason: 'two' })
  expect(await queued(feed)).toEqual({ count: 2, nodes: [one] })
  await stop(far, 'one')
  expect(await queued(feed)).toEqual({ count: 1, nodes: [{ ...one, reason: 'two' }] })
  await wait(far, 'one', { reason: 'one' })
  expect(await queued(feed)).toMatchObject({ count: 2 })
  await takeOver(far, 'two')
  expect(await queued(feed)).toEqual({ count: 1, nodes: [one] })
  // Nothing waits that is handed back.
  await handBack(far, 'two')
  await far.get('mutation { deleteConversation(input: { id: "one" }) { deletedConversationId } }')
  expect(await queued(feed)).toEqual({ count: 0, nodes: [] })
  const client = await bed.database.connect()
  await client.query(
    "insert into waiting (conversation_key, epoch, since, reason) select key, epoch, now(), 'unheard' from conversation where id = 'two'",
  )
  let last = await queued(polled)
  while (last.nodes[0]?.reason !== 'unheard') last = await queued(polled)
  await stop(far, 'two')
})

test('whoever supports reads a conversation while it waits, seen by all; then its part ends as if it were removed', async () => {
  const { ada, id } = await begin('look')
  const [sue, tom] = [await supporter('sue'), await supporter('tom')]
  await using events = ada.subscribe(happened, { id: 'look' })
  expect(await nextOfLog(events)).toEqual({ __typename: 'CaughtUp' })
  const joined = await join(sue, id)
  expect(joined.viewerRole).toBe('OBSERVER')
  const people = (...others: object[]) => ({
    __typename: 'ParticipantsChanged',
    conversation: { participants: { nodes: [{ userId: 'ada', role: 'OWNER' }, ...others] } },
  })
  expect(await nextOfLog(events)).toEqual(people({ userId: 'sue', role: 'OBSERVER' }))
  // The same again changes nothing, and an observer writes nothing.
  expect(await join(sue, id)).toEqual(joined)
  for (const name of ['waitForPerson', 'stopWaiting'])
    expect(await refusal(sue, name, id)).toEqual({ code: 'FORBIDDEN' })
  await join(tom, id)
  const add = call('addParticipant', '__typename')
  await ada.get(add, { input: { conversationId: 'look', userId: 'tom', role: 'OBSERVER' } })
  const read =
    'query ($id: ID!) { conversation(id: $id) { history { content } context(maxTokens: 1000) { included } } }'
  expect((await sue.get(read, { id })).conversation).toEqual({
    history: [{ content: 'question in look' }],
    context: { included: 1 },
  })
  await using feed = sue.subscribe(happened, { id })
  expect(await nextOfLog(feed)).toEqual({ __typename: 'CaughtUp' })
  await using list = sue.subscribe('subscription { conversationsChanged { __typename } }')
  expect(await nextOfLog(list)).toEqual({ __typename: 'ConversationListCaughtUp' })
  await stop(ada, 'look')
  await ada.append('look', 'after')
  expect(await restOf(feed)).not.toContain('"after"')
  let told = (await nextOfLog(list)) as { __typename: string }
  while (told.__typename !== 'ConversationUnlisted') told = (await nextOfLog(list)) as typeof told
  expect(await sue.get(read, { id })).toEqual({ conversation: null })
  expect(await refusal(sue, 'joinWaiting', id)).toEqual({ code: 'NOT_FOUND' })
  expect(await refusal(sue, 'takeOver', id)).toEqual({ code: 'NOT_FOUND' })
  // Whom the owner added stays.
  expect((await tom.get(read, { id })).conversation.history).toHaveLength(2)
  // It may wait again.
  await wait(ada, 'look', { reason: 'again' })
  expect((await join(sue, id)).viewerRole).toBe('OBSERVER')
  await stop(ada, 'look')
})

test('of several who support one takes a conversation over, and is a member; the others are told who', async () => {
  const { ada, id } = await begin('race')
  const [sue, tom, uma] = [await supporter('sue'), await supporter('tom'), await supporter('uma')]
  await join(tom, id)
  await using feed = tom.subscribe(happened, { id })
  expect(await nextOfLog(feed)).toEqual({ __typename: 'CaughtUp' })
  await using list = sue.subscribe('subscription { conversationsChanged { __typename } }')
  expect(await nextOfLog(list)).toEqual({ __typename: 'ConversationListCaughtUp' })
  const client = await hold(bed.database, 'race')
  const taking = takeOver(sue, id)
  await untilWaiting(bed.database)
  const late = [refusal(tom, 'takeOver', id), refusal(uma, 'takeOver', id), refusal(uma, 'joinWaiting', id)]
  await untilWaiting(bed.database, 4)
  await client.query('commit')
  expect(await taking).toEqual({ takenOverBy: 'sue', viewerRole: 'MEMBER', waiting: null })
  const conflict = { code: 'CONFLICT', reason: 'TAKEN_OVER', userId: 'sue' }
  expect(await Promise.all(late)).toEqual([conflict, conflict, conflict])
  expect(await refusal(ada, 'waitForPerson', 'race')).toEqual(conflict)
  await ada.append('race', 'after')
  expect(await restOf(feed)).not.toContain('"after"')
  expect(await nextOfLog(list)).toEqual({ __typename: 'ConversationListed' })
  const { participants } = (await ada.get('{ conversation(id: "race") { participants { nodes { userId role } } } }'))
    .conversation
  expect(participants.nodes).toEqual([
    { userId: 'ada', role: 'OWNER' },
    { userId: 'sue', role: 'MEMBER' },
  ])
  expect((await sue.append(id, 'I am here.')).message.seq).toBe(3)
  // A conversation that is handed back waits no more, and whoever had it stays a member.
  await handBack(sue, id)
  expect(await refusal(tom, 'takeOver', id)).toEqual({ code: 'NOT_FOUND' })
  await takeOver(ada, 'race')
  expect(await refusal(tom, 'takeOver', id)).toEqual({ code: 'NOT_FOUND' })
  await handBack(ada, 'race')
  expect((await sue.append(id, 'I am still here.')).message.seq).toBe(4)
  // Only who supports comes in so.
  await wait(ada, 'race')
  expect(await refusal(await user('eve'), 'takeOver', id)).toEqual({ code: 'NOT_FOUND' })
  await stop(ada, 'race')
})

test('whoever joined takes over as well, each event of it has a place of its own, and streams are asked to stop', async () => {
  const { ada, id } = await begin('joined')
  const [sue, tom] = [await supporter('sue'), await supporter('tom')]
  const start = call('startMessage', 'message { id }')
  const { message } = (await ada.get(start, { input: { conversationId: 'joined' } })).startMessage
  for (const api of [sue, tom]) await join(api, id)
  const { cursor } = (await ada.get('{ conversation(id: "joined") { cursor } }')).conversation
  expect((await takeOver(sue, id)).viewerRole).toBe('MEMBER')
  const read = `query ($id: ID!) { node(id: $id) { ... on Message { stopRequestedAt } } }`
  expect((await ada.get(read, { id: message.id })).node.stopRequestedAt).not.toBeNull()
  const changes = `query ($after: String) { changes(conversationId: "joined", after: $after) { events { __typename cursor } } }`
  const { events } = (await ada.get(changes, { after: cursor })).changes
  const kinds = (of: { __typename: string }[]) => of.map(({ __typename }) => __typename).sort()
  expect(kinds(events)).toEqual(['ConversationUpdated', 'MessageUpdated', 'ParticipantsChanged'])
  for (const [at, { cursor: after }] of events.entries())
    expect((await ada.get(changes, { after })).changes.events).toEqual(events.slice(at + 1))
})

test('a conversation takes in so many and no more', async () => {
  const { ada, id } = await begin('crowd')
  const client = await bed.database.connect()
  const crowd = (from: number, to: number) =>
    client.query(
      `insert into participant (conversation_key, user_id, epoch, role, revision, created_at, changed_at)
       select key, 'user ' || n, epoch, 'MEMBER', revision, now(), now()
       from conversation, generate_series($1::int, $2::int) n where id = 'crowd'`,
      [from, to],
    )
  await crowd(1, 999)
  const [sue, tom] = [await supporter('sue'), await supporter('tom')]
  await join(sue, id)
  const full = { code: 'PAYLOAD_TOO_LARGE', path: 'input.conversationId', limit: 1000, actual: 1001 }
  for (const name of ['joinWaiting', 'takeOver']) expect(await refusal(tom, name, id)).toEqual(full)
  expect((await takeOver(sue, id)).takenOverBy).toBe('sue')
  await handBack(ada, 'crowd')
})

test('a conversation that is not asked whether it waits pays nothing', async () => {
  const { ada } = await begin('kept')
  const sent = async (of: string) => {
    const statements = await recordStatements(bed.database, () => ada.get(`{ conversation(id: "kept") { ${of} } }`))
    return statements.filter(({ text }) => text.includes('waiting')).length
  }
  expect(await sent('takenOverBy messages { nodes { content } }')).toBe(0)
  expect(await sent('waiting { since }')).toBe(1)
  await stop(ada, 'kept')
})
