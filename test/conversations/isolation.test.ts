import { beforeAll, expect, test } from 'vitest'
import type { Answer, Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { recordStatements } from '../support/database/statements.ts'

const bed = useBed()

let adas: { conversation: { id: string; cursor: string }; message: { id: string }; messageEdge: { cursor: string } }

beforeAll(async () => {
  adas = await bed.server.as().append('secret', { role: 'USER', content: 'for my eyes', clientId: 'c-1' })
})

const bob = () => bed.server.as({ 'x-user-id': 'bob' })

/** How the id of somebody else's conversation reaches a stranger: in a message id or a cursor. */
function conversationIdOf(messageId: string): string {
  const bytes = Buffer.from(messageId.slice(4), 'base64url')
  return `cnv_${bytes.subarray(1, 23).toString('base64url')}`
}

const foreignConversationId = () => conversationIdOf(adas.message.id)

test("5 isolated: another user's conversation is the same null as one that does not exist", async () => {
  for (const id of ['secret', 'never', foreignConversationId(), adas.conversation.id]) {
    const answer = await bob().ask('query ($id: ID!) { conversation(id: $id) { id } node(id: $id) { id } }', { id })
    expect(answer).toEqual({ data: { conversation: null, node: null } })
  }
})

test("5 isolated: another user's message is the same null as one that does not exist", async () => {
  const missing = adas.message.id.replace(/.{4}$/, 'AAAJ')
  const answer = await bob().ask('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
    ids: [adas.message.id, missing, 'usr_ada', 'usr_nobody', 'msg_junk'],
  })
  expect(answer).toEqual({ data: { nodes: [null, null, null, null, null] } })
  const own = await bed.server.as().get('query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }', {
    ids: [adas.message.id, 'usr_ada', 'secret', foreignConversationId()],
  })
  expect(own.nodes).toEqual([
    { __typename: 'Message', id: adas.message.id },
    { __typename: 'Viewer', id: 'usr_ada' },
    { __typename: 'Conversation', id: 'secret' },
    { __typename: 'Conversation', id: 'secret' },
  ])
})

/** Everything that is asked of one conversation or one message: by its `id`, and where that takes more, with those of the same conversation. */
const asked: [name: string, of: 'conversation' | 'message' | 'stream', document: string][] = [
  ['conversation', 'conversation', 'query ($id: ID!) { conversation(id: $id) { id } }'],
  ['its page', 'conversation', 'query ($id: ID!) { conversation(id: $id) { messages { nodes { content } } } }'],
  ['node', 'conversation', 'query ($id: ID!) { node(id: $id) { id } }'],
  ['node', 'message', 'query ($id: ID!) { node(id: $id) { id } }'],
  ['nodes', 'message', 'query ($id: ID!) { nodes(ids: [$id]) { id } }'],
  ['nodes', 'conversation', 'query ($id: ID!) { nodes(ids: [$id]) { id } }'],
  ['changes', 'conversation', 'query ($id: ID!) { changes(conversationId: $id) { events { cursor } } }'],
  [
    'searchMessages',
    'conversation',
    'query ($id: ID!) { searchMessages(query: "x hello", conversationId: $id) { nodes { content } } }',
  ],
  ['messageChunks', 'stream', 'query ($id: ID!) { messageChunks(messageId: $id) { text } }'],
  ['appendMessage', 'conversation', appending('')],
  ['appendMessage, ifLastSeq', 'conversation', appending('ifLastSeq: 2')],
  ['appendMessage, a moved ifLastSeq', 'conversation', appending('ifLastSeq: 7')],
  ['appendMessage, a known client id', 'conversation', appending('', 'clientId: "c-1"')],
  ['appendMessage, a parent', 'conversation', appending('', 'parentId: $message')],
  ['appendMessage, a parent by its client id', 'conversation', appending('', 'parentClientId: "c-1"')],
  ['appendMessage, a reply', 'conversation', appending('', 'replyTo: $message')],
  ['appendMessage, a mention', 'conversation', appending('', 'mentions: ["ada"]')],
  [
    'appendMessages',
    'conversation',
    `mutation ($id: ID!) { appendMessages(input: { conversationId: $id, messages: [
      { role: USER, content: "x" }, { role: USER, content: "y" }] }) { replayed } }`,
  ],
  [
    'appendMessages, to replace',
    'conversation',
    `mutation ($id: ID!) { appendMessages(input: { conversationId: $id, onExisting: REPLACE, messages: [
      { role: USER, content: "x", clientId: "c-1" }] }) { replayed } }`,
  ],
  ['startMessage', 'conversation', 'mutation ($id: ID!) { startMessage(input: { conversationId: $id }) { attempt } }'],
  [
    'startMessage, a parent',
    'conversation',
    'mutation ($id: ID!, $message: ID!) { startMessage(input: { conversationId: $id, parentId: $message }) { attempt } }',
  ],
  [
    'startMessage, a parent by its client id',
    'conversation',
    'mutation ($id: ID!) { startMessage(input: { conversationId: $id, parentClientId: "c-1" }) { attempt } }',
  ],
  [
    'updateConversation',
    'conversation',
    'mutation ($id: ID!) { updateConversation(input: { id: $id, title: "mine" }) { conversation { title } } }',
  ],
  [
    'clearConversation',
    'conversation',
    'mutation ($id: ID!) { clearConversation(input: { id: $id }) { conversation { lastSeq } } }',
  ],
  [
    'deleteConversation',
    'conversation',
    'mutation ($id: ID!) { deleteConversation(input: { id: $id }) { deletedConversationId } }',
  ],
  [
    'forkConversation',
    'conversation',
    'mutation ($id: ID!) { forkConversation(input: { id: $id, upToSeq: 1 }) { conversation { lastSeq } } }',
  ],
  [
    'forkConversation, beyond its end',
    'conversation',
    'mutation ($id: ID!) { forkConversation(input: { id: $id, upToSeq: 7 }) { conversation { lastSeq } } }',
  ],
  [
    'forkConversation, to an id that is taken',
    'conversation',
    'mutation ($id: ID!) { forkConversation(input: { id: $id, newId: "taken", upToSeq: 1 }) { conversation { lastSeq } } }',
  ],
  [
    'addParticipant',
    'conversation',
    'mutation ($id: ID!) { addParticipant(input: { conversationId: $id, userId: "eve" }) { conversation { id } } }',
  ],
  [
    'removeParticipant',
    'conversation',
    'mutation ($id: ID!) { removeParticipant(input: { conversationId: $id, userId: "eve" }) { conversation { id } } }',
  ],
  [
    'leaveConversation',
    'conversation',
    'mutation ($id: ID!) { leaveConversation(input: { conversationId: $id }) { leftConversationId } }',
  ],
  [
    'markRead',
    'conversation',
    'mutation ($id: ID!) { markRead(input: { conversationId: $id, seq: 1 }) { conversation { readSeq } } }',
  ],
  [
    'setTyping',
    'conversation',
    'mutation ($id: ID!) { setTyping(input: { conversationId: $id, isTyping: true }) { conversation { id } } }',
  ],
  [
    'addReaction',
    'message',
    'mutation ($id: ID!) { addReaction(input: { messageId: $id, emoji: "👍" }) { message { reactions { count } } } }',
  ],
  [
    'removeReaction',
    'message',
    'mutation ($id: ID!) { removeReaction(input: { messageId: $id, emoji: "👍" }) { message { seq } } }',
  ],
  [
    'setFeedback',
    'stream',
    'mutation ($id: ID!) { setFeedback(input: { messageId: $id, rating: UP }) { message { feedback { rating } } } }',
  ],
  [
    'answerCall',
    'stream',
    'mutation ($id: ID!) { answerCall(input: { messageId: $id, callId: "c", approved: true }) { message { seq } } }',
  ],
  [
    'takeOver',
    'conversation',
    'mutation ($id: ID!) { takeOver(input: { conversationId: $id }) { conversation { id } } }',
  ],
  [
    'handBack',
    'conversation',
    'mutation ($id: ID!) { handBack(input: { conversationId: $id }) { conversation { id } } }',
  ],
  [
    'waitForPerson',
    'conversation',
    'mutation ($id: ID!) { waitForPerson(input: { conversationId: $id }) { conversation { id } } }',
  ],
  [
    'stopWaiting',
    'conversation',
    'mutation ($id: ID!) { stopWaiting(input: { conversationId: $id }) { conversation { id } } }',
  ],
  [
    'joinWaiting',
    'conversation',
    'mutation ($id: ID!) { joinWaiting(input: { conversationId: $id }) { conversation { id } } }',
  ],
  ['editMessage', 'message', editing('messageId: $id')],
  ['editMessage, by client id', 'conversation', editing('conversationId: $id, clientId: "c-1"')],
  ['deleteMessage', 'message', deleting('messageId: $id')],
  ['deleteMessage, by client id', 'conversation', deleting('conversationId: $id, clientId: "c-1"')],
  [
    'setActiveLeaf',
    'message',
    'mutation ($id: ID!) { setActiveLeaf(input: { messageId: $id }) { conversation { id } } }',
  ],
  ['appendMessageText', 'stream', writing('text: "x"')],
  ['appendMessageText, not durable', 'stream', writing('text: "x", durable: false')],
  ['appendMessageText, a sign of life', 'stream', writing('text: ""')],
  [
    'completeMessage',
    'stream',
    `mutation ($id: ID!) { completeMessage(input: { messageId: $id, attempt: 1, chunks: 1 }) { replayed } }`,
  ],
  ['stopMessage', 'stream', 'mutation ($id: ID!) { stopMessage(input: { messageId: $id }) { message { id } } }'],
  ['resumeMessage', 'stream', 'mutation ($id: ID!) { resumeMessage(input: { messageId: $id }) { attempt } }'],
  [
    'messageAppended',
    'conversation',
    'subscription ($id: ID!) { messageAppended(conversationId: $id, after: "") { cursor } }',
  ],
  [
    'conversationEvents',
    'conversation',
    'subscription ($id: ID!) { conversationEvents(conversationId: $id, after: "") { cursor } }',
  ],
]

/** What its owner is refused as well, if for another reason. */
const refusedToAll = [
  // An owner cannot leave.
  'leaveConversation',
  // The calls of a message come with its completion.
  'answerCall',
  'appendMessage, a moved ifLastSeq',
  'appendMessage, a known client id',
  'forkConversation, beyond its end',
  'forkConversation, to an id that is taken',
]

function appending(more: string, ofMessage = ''): string {
  return `mutation ($id: ID!${ofMessage.includes('$message') ? ', $message: ID!' : ''}) { appendMessage(input: {
    conversationId: $id, ${more} message: { role: USER, content: "x", ${ofMessage} } }) { replayed } }`
}

function editing(address: string): string {
  return `mutation ($id: ID!) { editMessage(input: { ${address}, content: "y" }) { message { id } } }`
}

function deleting(address: string): string {
  return `mutation ($id: ID!) { deleteMessage(input: { ${address} }) { message { id } } }`
}

function writing(text: string): string {
  return `mutation ($id: ID!) { appendMessageText(input: { messageId: $id, attempt: 1, chunk: 1, ${text} }) { nextChunk } }`
}

/** The ids of one conversation with a message and one that streams, of which the server has a chunk. */
interface Ids {
  readonly conversation: string
  readonly message: string
  readonly stream: string
}

async function makeConversation(id: string): Promise<Ids> {
  const ada = bed.server.as()
  const { message } = await ada.append(id, { role: 'USER', content: 'for my eyes', clientId: 'c-1' })
  const { startMessage } = await ada.get(
    'mutation ($id: ID!) { startMessage(input: { conversationId: $id }) { message { id } } }',
    { id },
  )
  const stream = startMessage.message.id
  await ada.get(writing('text: "for my eyes"').replace('chunk: 1', 'chunk: 0'), { id: stream })
  return { conversation: conversationIdOf(message.id), message: message.id, stream }
}

/** Of a conversation that there never was. */
const noIds: Ids = (() => {
  const place = Buffer.alloc(27, 7)
  place[0] = 1
  place.writeInt32BE(1, 23)
  const message = `msg_${place.toString('base64url')}`
  return { conversation: conversationIdOf(message), message, stream: message }
})()

/** All that is asked answers as if there were no such thing. @param ids what the viewer may not reach, and what there never was */
async function expectUnreachable(viewer: Api, ids: readonly Ids[], ownId: string | null): Promise<void> {
  const before = await wholeDatabase()
  for (const [name, of, document] of asked) {
    // The server has a chunk of it, and takes the next one without looking: what it promises is nothing.
    if (name === 'appendMessageText, not durable' && viewer.identity['x-user-id'] === 'ada') continue
    const ask = (id: string, { message }: Ids) => answerTo(viewer, document, { id, message })
    const missing = await ask(noIds[of], noIds)
    if (missing.errors) expect(missing.errors[0]?.extensions, name).toEqual({ code: 'NOT_FOUND' })
    else expect(JSON.stringify(missing), name).toMatch(/^\{"data":\{"\w+":(null|\[null\])\}\}$/)
    for (const one of ids) {
      expect(await ask(one[of], one), name).toEqual(missing)
      if (of === 'conversation' && ownId !== null) expect(await ask(ownId, one), name).toEqual(missing)
    }
    const gone = of === 'conversation' ? 'never' : 'msg_junk'
    expect(await ask(gone, noIds), name).toEqual(missing)
  }
  expect(await wholeDatabase()).toEqual(before)
}

async function answerTo(viewer: Api, document: string, variables: Record<string, unknown>): Promise<Answer> {
  const used = Object.fromEntries(Object.entries(variables).filter(([name]) => document.includes(`$${name}:`)))
  if (!document.startsWith('subscription')) return viewer.ask(document, used)
  await using results = viewer.subscribe(document, used)
  const answer = (await results.next()) as Answer
  if (answer.errors) expect(await results.next()).toBeNull()
  return answer
}

/** Every row there is. */
async function wholeDatabase(): Promise<string[]> {
  const client = await bed.database.connect()
  const rows = [
    'conversation',
    'participant',
    'read_marker',
    'waiting',
    'person',
    'message',
    'message_stream',
    'message_chunk',
    'message_token_count',
  ].map((table) => `select '${table} ' || t::text as row from ${table} t`)
  const found = await client.query(`${rows.join(' union all ')} order by row`)
  await client.end()
  return found.rows.map(({ row }) => row)
}

test('5 isolated: every field of the API that takes an id is asked here', async () => {
  const { __schema } = await bob().get(
    '{ __schema { types { name fields { name args { type { name ofType { name ofType { name ofType { name } } } } } } } } }',
  )
  const roots = __schema.types.filter(({ name }: { name: string }) =>
    ['Query', 'Mutation', 'Subscription'].includes(name),
  )
  const takesId = ({ args }: { args: object[] }) => /"(ID|\w+Input)"/.test(JSON.stringify(args))
  const names = roots.flatMap(({ fields }: { fields: { name: string; args: object[] }[] }) =>
    fields.filter(takesId).map(({ name }) => name),
  )
  // A new conversation is nobody else's.
  const expected = names.filter((name: string) => name !== 'createConversation')
  expect(expected).toContain('conversation')
  expect(new Set(asked.map(([, , document]) => /\{ (\w+)/.exec(document)?.[1]))).toEqual(new Set(expected))
})

test("5 isolated: whatever is asked of another user's conversation answers as for one that does not exist", async () => {
  await bob().append('taken', 'x')
  const ids = await makeConversation('hers')
  await expectUnreachable(bob(), [ids], 'hers')
})

test('5 isolated: whatever is asked of an earlier conversation of the same id answers as for one that does not exist', async () => {
  await bed.server.as().append('taken', 'x')
  const old = await makeConversation('reborn')
  await bed.server.as().get('mutation { deleteConversation(input: { id: "reborn" }) { deletedConversationId } }')
  await makeConversation('reborn')
  await expectUnreachable(bed.server.as(), [old], null)
})

test('5 isolated: whatever is asked of a deleted conversation, whose messages are still there, answers as for one that does not exist', async () => {
  await bed.server.as().append('taken', 'x')
  const ids = await makeConversation('deleted')
  const client = await bed.database.connect()
  await client.query("update conversation set deleted_at = now() where id = 'deleted'")
  await expectUnreachable(bed.server.as(), [ids], 'deleted')
})

test('5 isolated: whatever is asked of a conversation that has another owner by now answers as for one that does not exist', async () => {
  const ada = bed.server.as()
  await ada.append('taken', 'x')
  const ids = await makeConversation('moved')
  const client = await bed.database.connect()
  await client.query("update conversation set user_id = 'frank' where id = 'moved'")
  await expectUnreachable(ada, [ids], 'moved')
  // Its key is still the one that ada's id has, and it is not hers to create, also when its new owner has deleted it.
  for (const change of [
    'select',
    "update conversation set deleted_at = now() where id = 'moved'",
    "delete from message using conversation where conversation_key = key and id = 'moved'",
  ]) {
    await client.query(change)
    const before = await wholeDatabase()
    for (const create of [
      'mutation { createConversation(input: { id: "moved" }) { created } }',
      'mutation { createConversation(input: { id: "moved", ifExists: RETURN }) { created } }',
      'mutation { appendMessage(input: { conversationId: "moved", ifMissing: CREATE, message: { role: USER, content: "x" } }) { replayed } }',
      'mutation { startMessage(input: { conversationId: "moved", ifMissing: CREATE }) { attempt } }',
      'mutation { forkConversation(input: { id: "taken", newId: "moved" }) { conversation { id } } }',
    ]) {
      expect((await ada.fail(create)).extensions.code, create).toMatch(/^(NOT_FOUND|UNAVAILABLE)$/)
    }
    expect(await wholeDatabase()).toEqual(before)
  }
})

test('5 isolated: who follows a conversation that has another owner by now is told nothing more', async () => {
  const [ada, frank] = [bed.server.as(), bed.server.as({ 'x-user-id': 'frank' })]
  const ids = await makeConversation('followed')
  const client = await bed.database.connect()
  // Each of them begins with two results: the message and the stream, or the stream and CaughtUp.
  const messages = 'subscription ($id: ID!) { messageAppended(conversationId: $id, after: "") { node { content } } }'
  const events = 'subscription ($id: ID!) { conversationEvents(conversationId: $id) { __typename } }'
  const follow = async (api: Api, subscription: string) => {
    const results = api.subscribe(subscription, { id: ids.conversation })
    await results.take(2)
    return results
  }
  await using herMessages = await follow(ada, messages)
  await using herEvents = await follow(ada, events)
  await client.query("update conversation set user_id = 'frank' where id = 'followed'")
  // They stand where hers do, and read when hers do.
  await using hisMessages = await follow(frank, messages)
  await using hisEvents = await follow(frank, events)
  await frank.get(writing('text: "for his eyes"'), { id: ids.stream })
  expect((await hisEvents.next())?.data).toEqual({ conversationEvents: { __typename: 'MessageTextAppended' } })
  await frank.get(appending(''), { id: ids.conversation })
  expect((await hisMessages.next())?.data).toEqual({ messageAppended: { node: { content: 'x' } } })
  expect((await hisEvents.next())?.data).toEqual({ conversationEvents: { __typename: 'MessageAppended' } })
  expect(await herMessages.next()).toBeNull()
  expect((await herEvents.next())?.data).toEqual({ conversationEvents: { __typename: 'ConversationDeleted' } })
  expect(await herEvents.next()).toBeNull()
})

test.each(asked)('its owner is answered: %s of a %s', async (name, of, document) => {
  await bed.server.as().append('taken', 'x')
  const ids = await makeConversation(`own ${name} ${of}`)
  const { data, errors } = await answerTo(bed.server.as(), document, { id: ids[of], message: ids.message })
  if (refusedToAll.includes(name)) expect(errors?.[0]?.extensions.code).toMatch(/^(CONFLICT|BAD_USER_INPUT|FORBIDDEN)$/)
  else expect(JSON.stringify(data ?? errors)).toMatch(/^\{"\w+":(\{|\[\{)/)
})

/** Of one conversation, all that is read beside its own row. */
const everything = `query ($id: ID!, $message: ID!, $after: String!) { conversation(id: $id) {
  lastMessage { siblings { count } } activeLeaf { content } message(seq: 1) { content } other: message(clientId: "c-1") { content }
  history { content } messages(after: $after) { nodes { content } } branch: messages(branch: $message) { nodes { content } }
  context(maxTokens: 1000) { messages omitted { messages tokens } } } }`

/** What the server does for nobody; and what only names a key that the viewer's own id has made. */
const withoutViewer = [
  'conversation-create',
  'conversation-revisions',
  'message-erase',
  'stream-expired',
  // Only seqs: their messages are read with the condition.
  'stream-streaming',
]

/** The condition of access, with what is known to have none of it. */
const conditions: [what: string, condition: RegExp, isExempt: (name: string) => boolean][] = [
  // Whoever supports reaches what waits for a person: its condition is that it waits.
  ['the viewer', /\buser_id"? = ('|\$\d|\w+\.user_id)/, (name) => name === 'waiting-lock'],
  // A list and a quota name no conversation, and the unit of work has an epoch only where the id has one.
  ['the life', /\bepoch = (\$\d|\w+\.epoch)/, (name) => /^(conversation-list.*|search-all|quota-.*|)$/.test(name)],
  // A tombstone is locked in order to be created again, and lists tell of it.
  [
    'deleted or not',
    /\b(deleted|ended)_at"? is null/,
    (name) => /^conversation-(lock|list-states|list-others)$/.test(name),
  ],
]

test('5 isolated: every statement carries the condition of access, and in a transaction the first one does', async () => {
  const ada = bed.server.as()
  const sent = await recordStatements(bed.database, async () => {
    for (const [name, of, document] of asked) {
      const ids = await makeConversation(`stated ${name} ${of}`)
      await answerTo(ada, document, { id: ids[of], message: ids.message })
    }
    for (const isBranched of [false, true]) {
      const id = isBranched ? 'stated branched' : 'stated straight'
      const ids = await makeConversation(id)
      if (isBranched) await ada.append(id, { role: 'USER', content: 'beside', parentId: ids.message })
      const { cursor } = await ada.append(id, 'more').then(({ messageEdge }) => messageEdge)
      await ada.get(everything, { id, message: ids.message, after: cursor })
      const { conversation } = await ada.get('query ($id: ID!) { conversation(id: $id) { cursor } }', { id })
      await using feed = ada.subscribe(
        'subscription ($id: ID!, $after: String) { conversationEvents(conversationId: $id, after: $after) { __typename } }',
        { id, after: conversation.cursor },
      )
      await feed.take(2)
      await ada.get(writing('text: "x"'), { id: ids.stream })
      await feed.take(1)
      await ada.fail(writing('text: ""').replace('attempt: 1', 'attempt: 9'), { id: ids.stream })
    }
    // What comes while the first is on its way is stored by one statement.
    await Promise.all(Array.from({ length: 12 }, (_, i) => ada.append(`stated together ${i % 4}`, 'x')))
    await Promise.all(Array.from({ length: 12 }, (_, i) => ada.append(`stated together ${i % 4}`, 'x')))
    await ada.get('{ conversations(first: 1) { cursor nodes { lastMessage { id } } } }')
    await ada.get('{ conversations(first: 1, filter: { archived: false }) { nodes { id } } }')
    await ada.get('{ searchMessages(query: "x") { nodes { id } } }')
    await using list = ada.subscribe('subscription { conversationsChanged(after: "") { __typename } }')
    await list.take(1)
  })
  const aboutRows = sent.filter(({ text }) =>
    /\b(conversation|participant|read_marker|waiting|message|message_\w+)\b/.test(text),
  )
  const first = aboutRows.filter(({ place, name }) => place < 2 && !withoutViewer.includes(name ?? ''))
  // On Citus nothing is gathered, and what is gathered elsewhere is done by statements that are here anyway.
  expect(new Set(first.map(({ name }) => name)).size).toBeGreaterThan(25)
  for (const [what, condition, isExempt] of conditions) {
    const without = first.filter(({ name, text }) => !isExempt(name ?? '') && !condition.test(text))
    expect(new Set(without.map(({ name, text }) => name ?? text)), what).toEqual(new Set())
  }
})

test("5 isolated: another user's cursor opens nothing", async () => {
  await bob().append('mine', 'hello')
  const page = 'query ($after: String!) { conversation(id: "mine") { messages(after: $after) { nodes { content } } } }'
  for (const after of [adas.messageEdge.cursor, adas.conversation.cursor]) {
    expect((await bob().fail(page, { after })).extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'after' })
  }
})

test("5 isolated: another user's place in a list is only a time, and beside it stands nothing but one's own", async () => {
  const [dan, eve] = [bed.server.as({ 'x-user-id': 'dan' }), bed.server.as({ 'x-user-id': 'eve' })]
  for (const id of ['old', 'middle', 'new']) {
    await dan.append(`${id} of dan`, 'x')
    await eve.append(`${id} of eve`, 'x')
  }
  const { edges } = (await eve.get('{ conversations { edges { cursor node { id } } } }')).conversations
  expect(edges[1].node.id).toBe('middle of eve')
  const list = `query ($after: String, $before: String) { conversations(after: $after, before: $before) {
    nodes { id } pageInfo { hasNextPage hasPreviousPage } } }`
  const read = async (bounds: object) => {
    const { nodes, pageInfo } = (await dan.get(list, bounds)).conversations
    return [nodes.map(({ id }: { id: string }) => id), pageInfo.hasPreviousPage, pageInfo.hasNextPage]
  }
  expect(await read({ after: edges[1].cursor })).toEqual([['middle of dan', 'old of dan'], true, false])
  expect(await read({ before: edges[1].cursor })).toEqual([['new of dan'], false, true])
  // All that lies beyond these is eve's.
  expect(await read({ after: edges[2].cursor })).toEqual([['old of dan'], true, false])
  expect(await read({ before: edges[0].cursor })).toEqual([[], false, true])
})

test("5 isolated: another user's message is no parent, no branch and no leaf, the same as one that does not exist", async () => {
  await bob().append('branches', 'hello')
  const branch =
    'mutation ($id: ID!) { appendMessage(input: { conversationId: "branches", message: { role: USER, content: "x", parentId: $id } }) { replayed } }'
  const page = 'query ($id: ID!) { conversation(id: "branches") { messages(branch: $id) { nodes { id } } } }'
  const choose = 'mutation ($id: ID!) { setActiveLeaf(input: { messageId: $id }) { conversation { id } } }'
  const missing = adas.message.id.replace(/.{4}$/, 'AAAJ')
  for (const [asked, code] of [
    [branch, 'BAD_USER_INPUT'],
    [page, 'BAD_USER_INPUT'],
    [choose, 'NOT_FOUND'],
  ] as const) {
    const errors = []
    for (const id of [missing, adas.message.id, 'msg_junk', foreignConversationId()]) {
      errors.push(await bob().fail(asked, { id }))
    }
    for (const error of errors) expect(error).toEqual(errors[0])
    expect(errors[0]?.extensions.code).toBe(code)
  }
  const { conversation } = await bed.server.as().get('{ conversation(id: "secret") { activeLeaf { seq } lastSeq } }')
  expect(conversation).toEqual({ activeLeaf: { seq: 1 }, lastSeq: 1 })
})

test('5 isolated: two users may each have a conversation of one id', async () => {
  await bed.server.as().append('support', "ada's")
  const { conversation, message } = await bob().append('support', "bob's")
  expect(conversation.lastSeq).toBe(1)
  expect(message.content).toBe("bob's")
  const ids = '{ conversation(id: "support") { messages { nodes { id content } } } }'
  const [hers, his] = [await bed.server.as().get(ids), await bob().get(ids)]
  expect(hers.conversation.messages.nodes).toHaveLength(1)
  expect(hers.conversation.messages.nodes[0].id).not.toBe(his.conversation.messages.nodes[0].id)
})

test('5 isolated: a list shows only what is its own', async () => {
  const carol = bed.server.as({ 'x-user-id': 'carol' })
  expect(await carol.get('{ conversations { nodes { id } pageInfo { hasNextPage hasPreviousPage } } }')).toEqual({
    conversations: { nodes: [], pageInfo: { hasNextPage: false, hasPreviousPage: false } },
  })
})

test('every id of the API is unique across its types: own ids may not look like ours', async () => {
  const create = 'mutation ($id: ID!) { createConversation(input: { id: $id }) { created } }'
  for (const id of ['msg_1', 'usr_ada', 'cnv_1', 'client:1']) {
    expect((await bed.server.as().fail(create, { id })).extensions).toMatchObject({
      code: 'BAD_USER_INPUT',
      path: 'input.id',
    })
  }
})

test('what cannot have been stored is not found, and finds nothing else either', async () => {
  const ada = bed.server.as()
  await ada.append('\ufffd', { role: 'USER', content: 'x', clientId: '\ufffd' })
  for (const text of ['\ud800', 'a\0b']) {
    const found = 'query ($text: ID!) { conversation(id: $text) { id } node(id: $text) { id } }'
    expect(await ada.get(found, { text })).toEqual({ conversation: null, node: null })
    const message = 'query ($text: String!) { conversation(id: "\ufffd") { message(clientId: $text) { id } } }'
    expect(await ada.get(message, { text })).toEqual({ conversation: { message: null } })
    const edit = editing('conversationId: "\ufffd", clientId: $id').replace('ID!', 'String!')
    expect((await ada.fail(edit, { id: text })).extensions).toEqual({ code: 'NOT_FOUND' })
  }
})

/** The bytes of an id or a cursor, changed or with others behind them. */
function forge(text: string, change: (bytes: Buffer) => unknown, more = 0): string {
  const bytes = Buffer.concat([Buffer.from(text, 'base64url'), Buffer.alloc(Math.max(more, 0))])
  change(bytes)
  return bytes.subarray(0, more < 0 ? more : undefined).toString('base64url')
}

const asItIs = () => {}
const ofAnotherVersion = (bytes: Buffer) => bytes.writeUInt8(9)
const belowZero = (bytes: Buffer) => bytes.writeInt32BE(-1, 23)

test('what is nearly an id names nothing', async () => {
  const ada = bed.server.as()
  const [message, conversation] = [adas.message.id.slice(4), foreignConversationId().slice(4)]
  const node = async (id: string) => (await ada.get('query ($id: ID!) { node(id: $id) { id } }', { id })).node
  expect(await node(`msg_${forge(message, asItIs)}`)).toEqual({ id: adas.message.id })
  expect(await node(`cnv_${forge(conversation, asItIs)}`)).toEqual({ id: 'secret' })
  for (const id of [
    ...[ofAnotherVersion, belowZero].map((change) => `msg_${forge(message, change)}`),
    ...[-1, 1, 8].map((more) => `msg_${forge(message, asItIs, more)}`),
    ...[-1, 1, 5].map((more) => `cnv_${forge(conversation, asItIs, more)}`),
    `msg_${message}=`,
    `cnv_${message}`,
    `msg_${conversation}`,
  ]) {
    expect(await node(id), id).toBeNull()
  }
})

test('what is nearly a cursor is refused', async () => {
  const ada = bed.server.as()
  const page = 'query ($after: String) { conversation(id: "secret") { messages(after: $after) { nodes { id } } } }'
  const list = 'query ($after: String) { conversations(after: $after) { nodes { id } } }'
  const ofList = (await ada.get('{ conversations(first: 1) { edges { cursor } } }')).conversations.edges[0].cursor
  const { cursor } = adas.messageEdge
  // With eight bytes more it is a cursor of the feed.
  for (const [query, after] of [
    [page, forge(cursor, asItIs)],
    [page, forge(cursor, asItIs, 8)],
    [list, forge(ofList, asItIs)],
  ] as const) {
    await ada.get(query, { after })
  }
  for (const [query, after] of [
    ...[ofAnotherVersion, belowZero].map((change) => [page, forge(cursor, change)] as const),
    ...[-1, 1, 7, 9, 16].map((more) => [page, forge(cursor, asItIs, more)] as const),
    [list, forge(ofList, ofAnotherVersion)],
    [list, forge(ofList, asItIs, -1)],
    [list, cursor],
    [page, ofList],
  ] as const) {
    expect((await ada.fail(query, { after })).extensions, after).toEqual({ code: 'BAD_USER_INPUT', path: 'after' })
  }
})
