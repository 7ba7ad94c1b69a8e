import { expect, test } from 'vitest'
import { conversationKey } from '../../src/storage/conversation/conversation-key.ts'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { blocked } from '../support/database/blocked.ts'
import { engine } from '../support/database/engine.ts'
import { hold } from '../support/database/hold.ts'
import { countStatements } from '../support/database/statements.ts'
import { untilWaiting } from '../support/database/until-waiting.ts'

const bed = useBed()

const fields = 'id seq content parentId siblings { index count ids }'
const append = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) {
  replayed message { ${fields} } conversation { lastSeq activeLeaf { seq } } } }`
const appendMany = `mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) {
  replayed messages { ${fields} } conversation { lastSeq activeLeaf { seq } } } }`
const start = `mutation ($input: StartMessageInput!) { startMessage(input: $input) {
  attempt replayed messageEdges { node { ${fields} } } conversation { activeLeaf { seq } } } }`
const choose = `mutation ($id: ID!) { setActiveLeaf(input: { messageId: $id }) {
  message { ${fields} } conversation { id title updatedAt activeLeaf { seq } } } }`
const readAll = `query ($id: ID!) { conversation(id: $id) { lastSeq updatedAt activeLeaf { id seq }
  messages(first: 100) { nodes { ${fields} } } history(last: 1000) { seq } } }`

interface Stored {
  readonly id: string
  readonly seq: number
  readonly parentId: string
}

const user = (content: string, more = {}) => ({ role: 'USER', content, ...more })

/** Appends messages one by one; each names its parent by the seq that it has, 0 being the beginning. */
async function grow(ada: Api, id: string, ...parents: (number | null)[]): Promise<Stored[]> {
  const stored: Stored[] = []
  for (const parent of parents) {
    const parentId = parent === null ? null : parent === 0 ? id : stored[parent - 1]?.id
    const message = user(`m${stored.length + 1}`, { parentId })
    stored.push(
      (await ada.get(append, { input: { conversationId: id, ifMissing: 'CREATE', message } })).appendMessage.message,
    )
  }
  return stored
}

const seqsOf = (messages: readonly { seq: number }[]) => messages.map(({ seq }) => seq)

async function branchOf(ada: Api, id: string, leaf: string): Promise<number[]> {
  const query = `query ($id: ID!, $leaf: ID) { conversation(id: $id) { messages(first: 100, branch: $leaf) { nodes { seq } } } }`
  return seqsOf((await ada.get(query, { id, leaf })).conversation.messages.nodes)
}

test('an edit of a message is its sibling: both stay, and history follows the newest one', async () => {
  const ada = bed.server.as()
  const [first, second, third] = await grow(ada, 'edit', null, null, null)
  const edited = (
    await ada.get(append, {
      input: { conversationId: 'edit', message: user('m2, better', { parentId: second?.parentId }) },
    })
  ).appendMessage
  expect(edited.message).toMatchObject({ seq: 4, parentId: first?.id })
  expect(edited.message.siblings).toEqual({ index: 1, count: 2, ids: [second?.id, edited.message.id] })
  const { conversation } = await ada.get(readAll, { id: 'edit' })
  expect(seqsOf(conversation.messages.nodes)).toEqual([1, 2, 3, 4])
  expect(conversation.messages.nodes[1].siblings).toEqual({ index: 0, count: 2, ids: [second?.id, edited.message.id] })
  expect(conversation.activeLeaf.seq).toBe(4)
  expect(seqsOf(conversation.history)).toEqual([1, 4])
  expect(await branchOf(ada, 'edit', third?.id ?? '')).toEqual([1, 2, 3])
  expect(await branchOf(ada, 'edit', edited.message.id)).toEqual([1, 4])
})

test('without branching each message continues the one before it, alone, and nothing is asked about it', async () => {
  const ada = bed.server.as()
  const stored = await grow(ada, 'straight', null, null, null)
  expect(stored.map(({ parentId }) => parentId)).toEqual(['straight', stored[0]?.id, stored[1]?.id])
  const query = '{ conversation(id: "straight") { messages { nodes { parentId siblings { index count ids } } } } }'
  const count = await countStatements(bed.database, async () => {
    const { conversation } = await ada.get(query)
    const alone = stored.map(({ id }) => ({ index: 0, count: 1, ids: [id] }))
    expect(conversation.messages.nodes.map((node: { siblings: object }) => node.siblings)).toEqual(alone)
  })
  // The conversation with its page.
  expect(count).toBe(1)
  expect(await branchOf(ada, 'straight', stored[1]?.id ?? '')).toEqual([1, 2])
})

test("the conversation's own id as a parent is a new beginning, beside the first message", async () => {
  const ada = bed.server.as()
  const [first, , again] = await grow(ada, 'anew', null, null, 0)
  expect(again).toMatchObject({ seq: 3, parentId: 'anew' })
  expect(again).toMatchObject({ siblings: { index: 1, count: 2, ids: [first?.id, again?.id] } })
  const { conversation } = await ada.get(readAll, { id: 'anew' })
  expect(seqsOf(conversation.history)).toEqual([3])
  const [only] = await grow(ada, 'anew-empty', 0)
  expect(only).toMatchObject({ seq: 1, parentId: 'anew-empty', siblings: { count: 1 } })
})

test('messages of a batch continue one another, and one in its middle may branch', async () => {
  const ada = bed.server.as()
  const [first] = await grow(ada, 'batch', null, null)
  const messages = [user('a', { parentId: first?.id }), user('b'), user('c', { parentId: first?.id }), user('d')]
  const { appendMessages } = await ada.get(appendMany, { input: { conversationId: 'batch', messages } })
  const [a, , c, d] = appendMessages.messages
  expect(appendMessages.messages.map(({ parentId }: Stored) => parentId)).toEqual([first?.id, a.id, first?.id, c.id])
  expect(await branchOf(ada, 'batch', d.id)).toEqual([1, 5, 6])
})

test('an answer is regenerated by startMessage: beside the old one, in one call with the edited question', async () => {
  const ada = bed.server.as()
  const [question, answer] = await grow(ada, 'again', null, null)
  const input = { conversationId: 'again', parentId: question?.id, clientId: 'second answer' }
  const second = (await ada.get(start, { input })).startMessage
  expect(second.messageEdges[0].node).toMatchObject({ seq: 3, parentId: question?.id })
  expect(second.messageEdges[0].node.siblings.ids).toEqual([answer?.id, second.messageEdges[0].node.id])
  expect((await ada.get(start, { input })).startMessage).toEqual({ ...second, replayed: true })
  const edited = { conversationId: 'again', messages: [user('better', { parentId: 'again' })] }
  const third = (await ada.get(start, { input: edited })).startMessage
  expect(third.messageEdges.map(({ node }: { node: Stored }) => [node.seq, node.parentId])).toEqual([
    [4, 'again'],
    [5, third.messageEdges[0].node.id],
  ])
  expect(third.conversation.activeLeaf.seq).toBe(5)
})

test('the active leaf is exactly the message that was chosen, until an append continues it', async () => {
  const ada = bed.server.as()
  const stored = await grow(ada, 'leaf', null, null, null, 1, null)
  const idOf = (seq: number) => stored[seq - 1]?.id
  const before = await ada.get(readAll, { id: 'leaf' })
  expect(before.conversation.activeLeaf.seq).toBe(5)
  const { setActiveLeaf } = await ada.get(choose, { id: idOf(2) })
  expect(setActiveLeaf).toMatchObject({ message: { seq: 2 }, conversation: { id: 'leaf', activeLeaf: { seq: 2 } } })
  expect(setActiveLeaf.conversation.updatedAt > before.conversation.updatedAt).toBe(true)
  const chosen = (await ada.get(readAll, { id: 'leaf' })).conversation
  expect([chosen.activeLeaf.seq, seqsOf(chosen.history)]).toEqual([2, [1, 2]])
  const next = (await ada.get(append, { input: { conversationId: 'leaf', message: user('m6') } })).appendMessage
  expect(next.message).toMatchObject({ seq: 6, parentId: idOf(2) })
  expect(next.message.siblings.ids).toEqual([idOf(3), next.message.id])
  const after = (await ada.get(readAll, { id: 'leaf' })).conversation
  expect([after.activeLeaf.seq, seqsOf(after.history)]).toEqual([6, [1, 2, 6]])
  const again = (await ada.get(choose, { id: next.message.id })).setActiveLeaf
  expect(again.conversation.updatedAt).toBe(after.updatedAt)
})

test('an append after the newest message was chosen again branches nothing', async () => {
  const ada = bed.server.as()
  const stored = await grow(ada, 'to-and-fro', null, null, null)
  await ada.get(choose, { id: stored[0]?.id })
  await ada.get(choose, { id: stored[2]?.id })
  const next = (await ada.get(append, { input: { conversationId: 'to-and-fro', message: user('m4') } })).appendMessage
  expect(next.message).toMatchObject({ parentId: stored[2]?.id, siblings: { count: 1 } })
})

test('watchers are told of the chosen leaf by ConversationUpdated, and of messages of all branches with their parents', async () => {
  const ada = bed.server.as()
  const stored = await grow(ada, 'watched', null, null)
  const events = `subscription ($after: String) { conversationEvents(conversationId: "watched", after: $after) { __typename
    ... on MessageAppended { edge { node { seq parentId siblings { count } } } }
    ... on ConversationUpdated { conversation { activeLeaf { seq } } } } }`
  const { conversation } = await ada.get('{ conversation(id: "watched") { cursor } }')
  await using results = ada.subscribe(events, { after: conversation.cursor })
  const take = async (n: number) => (await results.take(n)).map(({ data }) => data.conversationEvents)
  expect(await take(1)).toEqual([{ __typename: 'CaughtUp' }])
  await ada.get(choose, { id: stored[0]?.id })
  expect(await take(1)).toEqual([{ __typename: 'ConversationUpdated', conversation: { activeLeaf: { seq: 1 } } }])
  await ada.append('watched', 'beside the second')
  expect(await take(1)).toEqual([
    { __typename: 'MessageAppended', edge: { node: { seq: 3, parentId: stored[0]?.id, siblings: { count: 2 } } } },
  ])
  const appended = 'subscription { messageAppended(conversationId: "watched", after: "") { node { seq parentId } } }'
  await using log = ada.subscribe(appended)
  expect((await log.take(3)).map(({ data }) => data.messageAppended.node)).toEqual([
    { seq: 1, parentId: 'watched' },
    { seq: 2, parentId: stored[0]?.id },
    { seq: 3, parentId: stored[0]?.id },
  ])
})

test('3 retry-safe: the parent is part of the payload, and a retry is a replay wherever the leaf is by then', async () => {
  const ada = bed.server.as()
  const [first, second] = await grow(ada, 'retry', null, null, null)
  const send = (more: object) => ({
    input: { conversationId: 'retry', message: user('x', { clientId: 'c', ...more }) },
  })
  const stored = (await ada.get(append, send({ parentId: first?.id }))).appendMessage
  await ada.append('retry', 'later')
  const replay = (await ada.get(append, send({ parentId: first?.id }))).appendMessage
  expect(replay).toMatchObject({ replayed: true, message: stored.message, conversation: { lastSeq: 5 } })
  for (const other of [{ parentId: second?.id }, {}, { parentId: null }]) {
    expect((await ada.fail(append, send(other))).extensions).toMatchObject({ code: 'CONFLICT', reason: 'CLIENT_ID' })
  }
  const plain = { input: { conversationId: 'retry', message: user('y', { clientId: 'd', parentId: null }) } }
  await ada.get(append, { input: { conversationId: 'retry', message: user('y', { clientId: 'd' }) } })
  expect((await ada.get(append, plain)).appendMessage.replayed).toBe(true)
})

test('3 retry-safe: what was hashed before there were parents is still a replay', async () => {
  const ada = bed.server.as()
  await ada.append('hashed', user('Hello', { clientId: 'c' }))
  const client = await bed.database.connect()
  const { rows } = await client.query("select encode(payload_hash, 'hex') as hash from message where content = 'Hello'")
  // SHA-256 of {"clientId":"c","content":"Hello","role":"USER"}, as 0.1.0 stored it.
  expect(rows).toEqual([{ hash: '01441bd9395901e9483a667cebdf93d91059af44ca99cf354b1b514591ea27a88d' }])
})

test('4 atomic: a batch that is partly known goes on behind what it repeats', async () => {
  const ada = bed.server.as()
  const [first] = await grow(ada, 'repeat', null, null)
  const a = user('a', { clientId: 'a', parentId: first?.id })
  const stored = (await ada.get(appendMany, { input: { conversationId: 'repeat', messages: [a] } })).appendMessages
  await ada.append('repeat', 'meanwhile')
  const both = { conversationId: 'repeat', messages: [a, user('b', { clientId: 'b' })] }
  const { replayed, messages } = (await ada.get(appendMany, { input: both })).appendMessages
  expect(replayed).toEqual([true, false])
  expect(messages[1]).toMatchObject({ seq: 5, parentId: stored.messages[0].id })
  const saved = { conversationId: 'repeat', messages: [user('z', { clientId: 'z' }), user('y', { clientId: 'y' })] }
  await ada.get(appendMany, { input: saved })
  const more = { ...saved, messages: [...saved.messages, user('x', { clientId: 'x' })] }
  expect((await ada.get(appendMany, { input: more })).appendMessages.messages[2].seq).toBe(8)
})

test('a parent that the conversation does not have is refused in one way, and nothing is stored', async () => {
  const ada = bed.server.as()
  const [mine] = await grow(ada, 'refused', null)
  const [other] = await grow(ada, 'other', null, null)
  const [zero, beyond] = [atSeq(mine?.id, 0), atSeq(mine?.id, 2)]
  const answers = []
  for (const parentId of [other?.id, beyond, zero, 'other', 'nowhere', 'msg_junk', 'usr_ada', '', 'a\0b']) {
    for (const messages of [[user('x', { parentId })], [user('w'), user('x', { parentId })]]) {
      const error = await ada.fail(appendMany, { input: { conversationId: 'refused', messages } })
      expect(error.extensions).toEqual({
        code: 'BAD_USER_INPUT',
        path: `input.messages[${messages.length - 1}].parentId`,
      })
      answers.push(error.message.replace(/\[\d\]/, ''))
    }
  }
  expect(new Set(answers).size).toBe(1)
  const started = await ada.fail(start, { input: { conversationId: 'refused', parentId: other?.id } })
  expect(started.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'input.parentId' })
  const missing = { conversationId: 'never', ifMissing: 'CREATE', message: user('x', { parentId: mine?.id }) }
  expect((await ada.fail(append, { input: missing })).extensions.path).toBe('input.message.parentId')
  expect(await ada.get('{ conversation(id: "never") { id } }')).toEqual({ conversation: null })
  expect((await ada.get(readAll, { id: 'refused' })).conversation.lastSeq).toBe(1)
})

/** The id that another message of the same conversation has, or would have. */
function atSeq(id: string | undefined, seq: number): string {
  const bytes = Buffer.from(id?.slice(4) ?? '', 'base64url')
  bytes.writeInt32BE(seq, 23)
  return `msg_${bytes.toString('base64url')}`
}

test('a new version is written with the parentId that was read, whichever message it is of', async () => {
  const ada = bed.server.as()
  const stored = await grow(ada, 'versions', null, null, null)
  for (const [index, { id, parentId }] of stored.entries()) {
    const message = user(`m${index + 1}, better`, { parentId })
    const version = (await ada.get(append, { input: { conversationId: 'versions', message } })).appendMessage.message
    expect(version).toMatchObject({ parentId, siblings: { index: 1, count: 2, ids: [id, version.id] } })
  }
  // An explicit null is the same as absent, in appends and starts.
  const nothing = { parentId: null, parentClientId: null }
  const input = { conversationId: 'versions', ...nothing, messages: [user('on', nothing)] }
  const { messageEdges } = (await ada.get(start, { input })).startMessage
  expect(seqsOf(messageEdges.map(({ node }: { node: Stored }) => node))).toEqual([7, 8])
  expect(await branchOf(ada, 'versions', messageEdges[1].node.id)).toEqual([1, 2, 6, 7, 8])
})

test('a parent is named by its client id: of a stored message, of an earlier one of the call, and of a start', async () => {
  const ada = bed.server.as()
  const batch = [
    user('q', { clientId: 'q' }),
    user('a', { clientId: 'a', parentClientId: 'q' }),
    user('b', { clientId: 'b', parentClientId: 'q' }),
    user('c', { parentClientId: 'a' }),
    user('d'),
  ]
  const input = { conversationId: 'by-name', ifMissing: 'CREATE', messages: batch }
  const { messages } = (await ada.get(appendMany, { input })).appendMessages
  const [q, a, b, c] = messages
  expect(messages.map(({ parentId }: Stored) => parentId)).toEqual(['by-name', q.id, q.id, a.id, c.id])
  const begun = {
    conversationId: 'by-name',
    parentClientId: 'x',
    messages: [user('x', { clientId: 'x', parentClientId: 'b' })],
  }
  const { messageEdges } = (await ada.get(start, { input: begun })).startMessage
  expect(messageEdges[0].node.parentId).toBe(b.id)
  expect(messageEdges[1].node.parentId).toBe(messageEdges[0].node.id)
  const asked = { role: 'USER', content: '?', parentClientId: 'b' }
  const window = `query ($asked: MessageInput) { conversation(id: "by-name") {
    context(maxTokens: 1000, userMessage: $asked) { messages } } }`
  const { context } = (await ada.get(window, { asked })).conversation
  expect(context.messages.map(({ content }: { content: string }) => content)).toEqual(['q', 'b', '?'])
})

test('3 retry-safe: a parent that is named by id and by client id is one payload, also in a fork', async () => {
  const ada = bed.server.as()
  const [, second] = await grow(ada, 'ways', null, null)
  const named = { conversationId: 'ways', message: user('p', { clientId: 'p' }) }
  const p = (await ada.get(append, { input: named })).appendMessage.message
  await ada.append('ways', 'on')
  const send = (conversationId: string, more: object) => ({
    input: { conversationId, message: user('x', { clientId: 'x', ...more }) },
  })
  const stored = (await ada.get(append, send('ways', { parentClientId: 'p' }))).appendMessage.message
  expect(stored.parentId).toBe(p.id)
  for (const parent of [{ parentClientId: 'p' }, { parentId: p.id }]) {
    expect((await ada.get(append, send('ways', parent))).appendMessage).toMatchObject({
      replayed: true,
      message: stored,
    })
  }
  for (const other of [{}, { parentId: second?.id }, { parentClientId: 'x' }, { parentClientId: 'unknown' }]) {
    expect((await ada.fail(append, send('ways', other))).extensions).toMatchObject({ reason: 'CLIENT_ID' })
  }
  const fork = 'mutation { forkConversation(input: { id: "ways", newId: "ways-copy" }) { conversation { id } } }'
  await ada.get(fork)
  expect((await ada.get(append, send('ways-copy', { parentClientId: 'p' }))).appendMessage.replayed).toBe(true)
})

test('a client id that the conversation does not have is refused in the way of an id, and beside an id always', async () => {
  const ada = bed.server.as()
  const [mine] = await grow(ada, 'unnamed', null)
  await ada.append('others', user('theirs', { clientId: 'elsewhere' }))
  await bed.server.as({ 'x-user-id': 'bob' }).append('unnamed', user('theirs', { clientId: 'bobs' }))
  const answers = new Set<string>()
  for (const parentClientId of ['elsewhere', 'bobs', 'later', 'self', '', 'a\0b', '\ud800', mine?.id]) {
    const messages = [user('x', { parentClientId, clientId: 'self' }), user('y', { clientId: 'later' })]
    const error = await ada.fail(appendMany, { input: { conversationId: 'unnamed', messages } })
    expect(error.extensions).toEqual({ code: 'BAD_USER_INPUT', path: 'input.messages[0].parentClientId' })
    answers.add(error.message)
  }
  expect(answers.size).toBe(1)
  const both = { parentId: mine?.id, parentClientId: 'x' }
  for (const [document, input] of [
    [append, { message: user('x', both) }],
    [start, both],
    [start, { messages: [user('x', both)] }],
  ] as const) {
    const error = await ada.fail(document, { input: { conversationId: 'unnamed', ...input } })
    expect(error).toMatchObject({
      extensions: { code: 'BAD_USER_INPUT' },
      message: expect.stringContaining('parentId'),
    })
  }
  const window = `query ($asked: MessageInput) { conversation(id: "unnamed") {
    context(maxTokens: 1000, userMessage: $asked) { messages } } }`
  const { extensions } = await ada.fail(window, { asked: user('?', { parentClientId: 'elsewhere' }) })
  expect(extensions.path).toBe('userMessage.parentClientId')
  expect((await ada.get(readAll, { id: 'unnamed' })).conversation.lastSeq).toBe(1)
})

test('a branch ends with a message of the conversation, and is refused in one way otherwise', async () => {
  const ada = bed.server.as()
  const [old] = await grow(ada, 'ends', null)
  await ada.get('mutation { deleteConversation(input: { id: "ends" }) { deletedConversationId } }')
  const [mine] = await grow(ada, 'ends', null, null, 1)
  const [other] = await grow(ada, 'elsewhere', null)
  const page = 'query ($leaf: ID) { conversation(id: "ends") { messages(branch: $leaf) { nodes { seq } } } }'
  expect(await branchOf(ada, 'ends', atSeq(mine?.id, 3))).toEqual([1, 3])
  const errors = []
  for (const leaf of [old?.id, other?.id, atSeq(mine?.id, 0), atSeq(mine?.id, 4), 'ends', 'msg_junk', 'usr_ada', '']) {
    errors.push(await ada.fail(page, { leaf }))
  }
  expect(errors[0]?.extensions).toEqual({ code: 'BAD_USER_INPUT', path: 'branch' })
  for (const error of errors) expect(error).toEqual(errors[0])
})

test('of an earlier conversation of the same id, messages are no parents, and branches begin anew', async () => {
  const ada = bed.server.as()
  const [old] = await grow(ada, 'reborn', null, null, 1)
  await ada.get(choose, { id: old?.id })
  await ada.get('mutation { deleteConversation(input: { id: "reborn" }) { deletedConversationId } }')
  const stored = await grow(ada, 'reborn', null, null)
  expect(stored[1]).toMatchObject({ parentId: stored[0]?.id, siblings: { count: 1 } })
  const input = { conversationId: 'reborn', message: user('x', { parentId: old?.id }) }
  expect((await ada.fail(append, { input })).extensions.code).toBe('BAD_USER_INPUT')
  expect((await ada.fail(choose, { id: old?.id })).extensions.code).toBe('NOT_FOUND')
  expect((await ada.get(readAll, { id: 'reborn' })).conversation.activeLeaf.seq).toBe(2)
})

test('deleted messages stay parents, siblings and leaves', async () => {
  const ada = bed.server.as()
  const stored = await grow(ada, 'tombs', null, null, 1)
  const remove =
    'mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { parentId siblings { count } } } }'
  const { deleteMessage } = await ada.get(remove, { id: stored[2]?.id })
  expect(deleteMessage.message).toEqual({ parentId: stored[0]?.id, siblings: { count: 2 } })
  const next = (await ada.get(append, { input: { conversationId: 'tombs', message: user('m4') } })).appendMessage
  expect(next.message.parentId).toBe(stored[2]?.id)
  const { conversation } = await ada.get(readAll, { id: 'tombs' })
  expect(seqsOf(conversation.history)).toEqual([1, 4])
  expect(await branchOf(ada, 'tombs', next.message.id)).toEqual([1, 3, 4])
  await ada.get(choose, { id: stored[2]?.id })
  await ada.get('mutation { clearConversation(input: { id: "tombs" }) { conversation { id } } }')
  const cleared = (await ada.get(readAll, { id: 'tombs' })).conversation
  expect([cleared.activeLeaf.seq, cleared.history]).toEqual([3, []])
  expect(cleared.messages.nodes.map((node: Stored) => node.parentId)).toEqual([
    'tombs',
    stored[0]?.id,
    stored[0]?.id,
    stored[2]?.id,
  ])
})

test('an edit in place keeps the parent, and so does a transcript that is saved again', async () => {
  const ada = bed.server.as()
  const [first, second] = await grow(ada, 'kept', null, null)
  const branch = user('x', { clientId: 'c', parentId: first?.id })
  const stored = (await ada.get(append, { input: { conversationId: 'kept', message: branch } })).appendMessage.message
  const edit = 'mutation ($id: ID!) { editMessage(input: { messageId: $id, content: "y" }) { message { parentId } } }'
  expect((await ada.get(edit, { id: stored.id })).editMessage.message.parentId).toBe(first?.id)
  const messages = [user('z', { clientId: 'c', parentId: second?.id })]
  const input = { conversationId: 'kept', onExisting: 'REPLACE', messages }
  expect((await ada.get(appendMany, { input })).appendMessages.messages[0]).toMatchObject({
    content: 'z',
    parentId: first?.id,
  })
})

test('history reaches back to the call along its own path, however much other branches stored in between', async () => {
  const ada = bed.server.as()
  const call = { role: 'ASSISTANT', toolCalls: [{ callId: 'a', name: 'find', arguments: '{}' }] }
  const conversationId = 'calls'
  const one = async (message: object) =>
    (await ada.get(append, { input: { conversationId, ifMissing: 'CREATE', message } })).appendMessage.message
  const question = await one(user('q'))
  const calling = await one(call)
  for (let i = 0; i < 11; i++) {
    const messages = Array.from({ length: 100 }, (_, n) =>
      n === 0 ? { ...call, parentId: question.id } : user('noise'),
    )
    await ada.get(appendMany, { input: { conversationId, messages } })
  }
  const result = await one({ role: 'TOOL', toolCallId: 'a', content: 'found', parentId: calling.id })
  await one(user('thanks'))
  const history = async (last: number, beforeSeq?: number) => {
    const query = `query ($last: Int!, $beforeSeq: Int) { conversation(id: "calls") { history(last: $last, beforeSeq: $beforeSeq) { seq } } }`
    return seqsOf((await ada.get(query, { last, beforeSeq })).conversation.history)
  }
  expect(await history(1)).toEqual([result.seq + 1])
  expect(await history(2)).toEqual([2, result.seq, result.seq + 1])
  expect(await history(50)).toEqual([1, 2, result.seq, result.seq + 1])
  expect(await history(50, result.seq)).toEqual([1, 2])
  const orphan = await one({ role: 'TOOL', toolCallId: 'a', content: 'no call on this path', parentId: question.id })
  expect(await history(1)).toEqual([])
  await one(text('said'))
  expect(await history(2)).toEqual([orphan.seq + 1])
})

const text = (content: string) => ({ role: 'ASSISTANT', content })

test('a context window follows the active path, with the instructions that this path begins with, and counts what it leaves out of it', async () => {
  const ada = bed.server.as()
  const conversationId = 'windows'
  const one = async (message: object) =>
    (await ada.get(append, { input: { conversationId, ifMissing: 'CREATE', message } })).appendMessage.message
  await one({ role: 'SYSTEM', content: 's1' })
  const q1 = await one(user('q1'))
  const a1 = await one(text('a1'))
  await one(user('q2'))
  const s2 = await one({ role: 'SYSTEM', content: 's2', parentId: conversationId })
  const q3 = await one(user('q3', { parentId: s2.id }))
  await one(text('a3'))
  const q4 = await one(user('q4', { parentId: a1.id }))
  const window = `query ($input: MessageInput, $max: Int!) { conversation(id: "windows") {
    context(maxTokens: $max, userMessage: $input) { messages firstSeq lastSeq included omitted { messages tokens } } } }`
  const read = async (max = 10_000, input: object | null = null) => {
    const { context } = (await ada.get(window, { max, input })).conversation
    const { firstSeq, lastSeq, included, omitted } = context
    const said = context.messages.map((message: { content: unknown }) => message.content)
    return { said, seqs: [firstSeq, lastSeq], included, omitted }
  }
  const none = { messages: 0, tokens: 0 }
  expect(await read()).toEqual({ said: ['s1', 'q1', 'a1', 'q4'], seqs: [2, 8], included: 4, omitted: none })
  await ada.get(choose, { id: q3.id })
  expect(await read()).toEqual({ said: ['s2', 'q3'], seqs: [6, 6], included: 2, omitted: none })
  await ada.get(choose, { id: q4.id })
  const small = await read(15)
  expect(small).toMatchObject({ said: ['s1', 'q4'], seqs: [8, 8], included: 2, omitted: { messages: 2 } })
  expect(small.omitted.tokens).toBeGreaterThan(0)
  const anew = await read(10_000, user('q1, better', { parentId: q1.parentId }))
  expect(anew).toEqual({ said: ['s1', 'q1, better'], seqs: [null, null], included: 1, omitted: none })
  expect((await read(10_000, user('first', { parentId: conversationId }))).said).toEqual(['first'])
  const other = { max: 100, input: user('x', { parentId: 'nowhere' }) }
  expect((await ada.fail(window, other)).extensions).toEqual({ code: 'BAD_USER_INPUT', path: 'userMessage.parentId' })
})

test('a context window reads past what was deleted on a path of many turns', async () => {
  const ada = bed.server.as()
  const conversationId = 'deleted-turns'
  const [first] = await grow(ada, conversationId, null)
  let parentId = first?.id
  const ids: string[] = []
  for (let i = 0; i < 45; i++) {
    const messages = [user('kept'), { ...text(`t${i}`), parentId }]
    const stored = (await ada.get(appendMany, { input: { conversationId, messages } })).appendMessages.messages
    parentId = stored[1].id
    ids.push(stored[1].id)
  }
  for (const id of ids) {
    await ada.get('mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { seq } } }', { id })
  }
  const query = `{ conversation(id: "deleted-turns") { context(maxTokens: 100) { messages firstSeq omitted { messages } } } }`
  const { context } = (await ada.get(query)).conversation
  expect(context).toEqual({ messages: [{ role: 'user', content: 'm1' }], firstSeq: 1, omitted: { messages: 0 } })
})

test.each([
  ['a page of a branch', 'messages(branch: $leaf) { nodes { seq } }'],
  ['a window', 'context(maxTokens: 100) { messages }'],
])('%s of a branched conversation that is deleted meanwhile is NOT_FOUND', async (name, field) => {
  const ada = bed.server.as()
  const stored = await grow(ada, name, null, null, 1)
  const reading = await bed.database.connect()
  await reading.query('begin; lock message')
  const leaf = field.includes('$leaf') ? ', $leaf: ID' : ''
  const query = `query ($id: ID!${leaf}) { conversation(id: $id) { ${field} } }`
  const asked = ada.fail(query, { id: name, leaf: stored[2]?.id })
  await blocked(reading)
  await ada.get('mutation ($id: ID!) { deleteConversation(input: { id: $id }) { deletedConversationId } }', {
    id: name,
  })
  await reading.query('commit')
  expect((await asked).extensions.code).toBe('NOT_FOUND')
})

test('two regenerations at once under ifLastSeq: one wins, and the other learns the last seq', async () => {
  const ada = bed.server.as()
  const [question] = await grow(ada, 'race', null, null)
  const again = (content: string) =>
    ada.ask(append, {
      input: { conversationId: 'race', ifLastSeq: 2, message: { role: 'ASSISTANT', content, parentId: question?.id } },
    })
  const answers = await Promise.all([again('a'), again('b')])
  expect(answers.filter(({ errors }) => !errors)).toHaveLength(1)
  const [lost] = answers.flatMap(({ errors }) => errors ?? [])
  expect(lost?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'LAST_SEQ', lastSeq: 3 })
  const { conversation } = await ada.get(readAll, { id: 'race' })
  expect(conversation.messages.nodes.map((node: Stored) => node.parentId)).toEqual(['race', question?.id, question?.id])
})

test('an append that waits while a leaf is chosen continues that leaf', async () => {
  const ada = bed.server.as()
  const stored = await grow(ada, 'choose-race', null, null, null)
  const client = await hold(bed.database, 'choose-race')
  const appended = ada.append('choose-race', 'm4')
  await untilWaiting(bed.database)
  const choose = 'update conversation set active_leaf = 1, revision = revision + 1 where key = $1'
  await client.query(choose, [conversationKey('ada', 'choose-race')])
  await client.query('commit')
  const { message } = await appended
  expect(message.seq).toBe(4)
  const { conversation } = await ada.get(readAll, { id: 'choose-race' })
  expect(conversation.messages.nodes[3].parentId).toBe(stored[0]?.id)
  expect(conversation.activeLeaf.seq).toBe(4)
})

test('appends to many conversations at once continue the leaf that was chosen in each', async () => {
  const ada = bed.server.as()
  const ids = Array.from({ length: 24 }, (_, i) => `leafy-${i}`)
  const firsts = await Promise.all(
    ids.map(async (id) => {
      const [first] = await grow(ada, id, null, null)
      await ada.get(choose, { id: first?.id })
      return first?.id
    }),
  )
  // What comes while the first is on its way is stored by one statement.
  await Promise.all(ids.map((id) => ada.append(id, 'at once')))
  for (const [index, id] of ids.entries()) {
    const { conversation } = await ada.get(readAll, { id })
    expect([conversation.messages.nodes[2].parentId, conversation.activeLeaf.seq]).toEqual([firsts[index], 3])
  }
})

test('appends that race with choices of the leaf leave no gap, and each continues a message that was a leaf', async () => {
  const ada = bed.server.as()
  const stored = await grow(ada, 'storm', null, null)
  const work = Array.from({ length: 60 }, (_, i) =>
    i % 3 === 0 ? ada.get(choose, { id: stored[(i / 3) % 2]?.id }) : ada.append('storm', `s${i}`),
  )
  await Promise.all(work)
  const { conversation } = await ada.get(readAll, { id: 'storm' })
  const nodes: Stored[] = conversation.messages.nodes
  expect(seqsOf(nodes)).toEqual(Array.from({ length: 42 }, (_, i) => i + 1))
  const seqOf = new Map(nodes.map(({ id, seq }) => [id, seq]))
  for (const { seq, parentId } of nodes.slice(2)) expect([1, 2, seq - 1]).toContain(seqOf.get(parentId ?? ''))
})

/** A generator of pseudo-random numbers from 0 to 1, the same for the same seed. */
function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Stores a random tree and answers the parent of each seq, 0 where there is none. */
async function growWild(
  ada: Api,
  id: string,
  count: number,
  random: () => number,
): Promise<{ parents: number[]; ids: string[] }> {
  const parents: number[] = []
  const ids: string[] = []
  let leaf = 0
  const pick = () => Math.floor(random() * (ids.length + 1))
  const idOf = (seq: number) => (seq === 0 ? id : ids[seq - 1])
  while (ids.length < count) {
    if (ids.length > 0 && random() < 0.15) {
      leaf = 1 + Math.floor(random() * ids.length)
      await ada.get(choose, { id: idOf(leaf) })
      continue
    }
    const messages = Array.from({ length: 1 + Math.floor(random() * 3) }, () => {
      const parent = random() < 0.3 ? pick() : null
      parents.push(parent ?? leaf)
      leaf = parents.length
      return user('m', parent === null ? {} : { parentId: idOf(parent) })
    })
    const input = { conversationId: id, ifMissing: 'CREATE', messages }
    const { appendMessages } = await ada.get(appendMany, { input })
    ids.push(...appendMessages.messages.map((message: Stored) => message.id))
  }
  return { parents, ids }
}

test.each([1, 2, 3])(
  'a wild tree (%i): parents, siblings, histories and pages of every branch are exact',
  async (seed) => {
    const ada = bed.server.as()
    const id = `wild-${seed}`
    const random = mulberry(seed)
    const { parents, ids } = await growWild(ada, id, 40, random)
    const pathTo = (leaf: number): number[] => (leaf === 0 ? [] : [...pathTo(parents[leaf - 1] as number), leaf])
    const { conversation } = await ada.get(readAll, { id })
    const idOf = (seq: number) => ids[seq - 1]
    for (const [index, node] of conversation.messages.nodes.entries()) {
      const parent = parents[index] as number
      const siblings = parents.flatMap((other, at) => (other === parent ? [at + 1] : []))
      expect(node).toMatchObject({
        seq: index + 1,
        parentId: parent === 0 ? id : idOf(parent),
        siblings: { index: siblings.indexOf(index + 1), count: siblings.length, ids: siblings.map(idOf) },
      })
    }
    const page = `query ($id: ID!, $branch: ID!, $first: Int, $after: String, $last: Int, $before: String) { conversation(id: $id) {
    messages(branch: $branch, first: $first, after: $after, last: $last, before: $before) {
      nodes { seq } pageInfo { hasNextPage hasPreviousPage } } } }`
    const cursors = (
      await ada.get('query ($id: ID!) { conversation(id: $id) { messages(first: 100) { edges { cursor } } } }', { id })
    ).conversation.messages.edges.map(({ cursor }: { cursor: string }) => cursor)
    for (let i = 0; i < 60; i++) {
      const leaf = 1 + Math.floor(random() * ids.length)
      const after = random() < 0.5 ? 0 : 1 + Math.floor(random() * ids.length)
      const before = random() < 0.5 ? null : 1 + Math.floor(random() * ids.length)
      const count = Math.floor(random() * 8)
      const fromEnd = random() < 0.5
      const path = pathTo(leaf)
      const between = path.filter((seq) => seq > after && (before === null || seq < before))
      const seqs = fromEnd ? between.slice(Math.max(between.length - count, 0)) : between.slice(0, count)
      const first = seqs[0] ?? (fromEnd ? (before ?? leaf + 1) : after + 1)
      const last = seqs.at(-1) ?? (fromEnd ? (before ?? leaf + 1) - 1 : after)
      const { messages } = (
        await ada.get(page, {
          id,
          branch: idOf(leaf),
          [fromEnd ? 'last' : 'first']: count,
          after: after === 0 ? null : cursors[after - 1],
          before: before === null ? null : cursors[before - 1],
        })
      ).conversation
      expect([leaf, after, before, count, fromEnd, seqsOf(messages.nodes), messages.pageInfo]).toEqual([
        leaf,
        after,
        before,
        count,
        fromEnd,
        seqs,
        { hasNextPage: path.some((seq) => seq > last), hasPreviousPage: path.some((seq) => seq < first) },
      ])
    }
    const history = `query ($id: ID!, $last: Int!, $beforeSeq: Int) { conversation(id: $id) { history(last: $last, beforeSeq: $beforeSeq) { seq } } }`
    for (let i = 0; i < 15; i++) {
      const leaf = 1 + Math.floor(random() * ids.length)
      const last = 1 + Math.floor(random() * 8)
      const beforeSeq = random() < 0.5 ? null : 1 + Math.floor(random() * ids.length)
      await ada.get(choose, { id: idOf(leaf) })
      const read = await ada.get(history, { id, last, beforeSeq })
      const wanted = pathTo(leaf).filter((seq) => beforeSeq === null || seq < beforeSeq)
      expect(seqsOf(read.conversation.history)).toEqual(wanted.slice(-last))
    }
  },
)

test('everything about branches of many conversations takes a number of statements in proportion', async ({ skip }) => {
  skip(
    engine.spreads,
    'answers of Citus came further apart, and less was asked together: 25 and 73, 27 and 80 statements',
  )
  const dora = bed.server.as({ 'x-user-id': 'dora' })
  for (let i = 0; i < 12; i++) await grow(dora, `nested-${i}`, null, null, 1, null, 2, ...(i % 2 ? [] : [null]))
  for (let i = 0; i < 4; i++) await dora.append(`plain-${i}`, 'x')
  const nested = `query ($first: Int!) { conversations(first: $first) { nodes { activeLeaf { parentId } history(last: 5) { seq }
    messages(last: 3) { nodes { parentId siblings { index ids } } } } } }`
  const measure = (first: number) =>
    countStatements(bed.database, async () => {
      const { conversations } = await dora.get(nested, { first })
      expect(conversations.nodes).toHaveLength(first)
    })
  // The list; for each conversation its leaf, history and page; for each with branches its path and siblings.
  expect([await measure(6), await measure(16)]).toEqual([1 + 3 * 6 + 2 * 2, 1 + 3 * 16 + 2 * 12])
})

const versions = 'changedSiblings { id siblings { index count ids } }'
const told = `subscription ($id: ID!, $after: String) { conversationEvents(conversationId: $id, after: $after) { __typename
  ... on MessageAppended { edge { node { ${fields} } } ${versions} } } }`

/** A cache as normalising clients have it: the fields of each object that has an `id`, merged, the newest value of each. */
class Cache {
  readonly messages = new Map<string, Record<string, unknown>>()

  take(value: unknown): void {
    if (typeof value !== 'object' || value === null) return
    for (const inner of Object.values(value)) this.take(inner)
    const { id } = value as { id?: string }
    if (id?.startsWith('msg_')) this.messages.set(id, { ...this.messages.get(id), ...value })
  }

  siblingsOf(ids: readonly { id: string }[]): unknown[] {
    return ids.map(({ id }) => this.messages.get(id)?.siblings)
  }
}

test('a cache that keeps messages by their ids knows the siblings of all versions, by what is answered and by events', async () => {
  const ada = bed.server.as()
  const [writer, watcher] = [new Cache(), new Cache()]
  const [question] = await grow(ada, 'cached', null, null)
  await using feed = ada.subscribe(told, { id: 'cached', after: '' })
  const hear = async (lastSeq: number) => {
    for (let seq = 0; seq < lastSeq; ) {
      const [answer] = await feed.take(1)
      watcher.take(answer?.data)
      seq = answer?.data.conversationEvents.edge?.node.seq ?? seq
    }
  }
  const send = async (document: string, input: object) => writer.take(await ada.get(document, { input }))
  const to = { conversationId: 'cached' }
  writer.take(await ada.get(readAll, { id: 'cached' }))
  await hear(2)
  const one = append.replace('{ appendMessage(input: $input) {', (found) => `${found} ${versions}`)
  const many = appendMany.replace('{ appendMessages(input: $input) {', (found) => `${found} ${versions}`)
  const begin = start.replace('{ startMessage(input: $input) {', (found) => `${found} ${versions}`)
  await send(begin, { ...to, parentId: question?.id, clientId: 's' })
  await send(one, { ...to, message: user('again', { parentId: question?.id }) })
  await send(many, {
    ...to,
    messages: [user('q, better', { parentId: 'cached' }), user('x'), user('y', { parentId: question?.id })],
  })
  // The answer was lost: the retry tells the same.
  await send(begin, { ...to, parentId: question?.id, clientId: 's' })
  await hear(7)
  const { messages } = (await ada.get(readAll, { id: 'cached' })).conversation
  const siblings = messages.nodes.map((node: { siblings: object }) => node.siblings)
  expect(messages.nodes).toHaveLength(7)
  expect(writer.siblingsOf(messages.nodes)).toEqual(siblings)
  expect(watcher.siblingsOf(messages.nodes)).toEqual(siblings)
})

test('changed siblings cost nothing where nobody branches, and two statements where somebody does', async () => {
  const ada = bed.server.as()
  const [first] = await grow(ada, 'costs', null, null)
  const one = append.replace(fields, 'id')
  const asked = one.replace('{ appendMessage(input: $input) {', (found) => `${found} ${versions}`)
  const count = (document: string, message: object) =>
    countStatements(bed.database, async () => {
      const { changedSiblings } = (await ada.get(document, { input: { conversationId: 'costs', message } }))
        .appendMessage
      if (document === asked) expect(changedSiblings).toHaveLength('parentId' in message ? 1 : 0)
    })
  const alone = await count(one, user('a'))
  expect(await count(asked, user('b'))).toBe(alone)
  const beside = user('c', { parentId: first?.id })
  const branching = await count(asked, beside)
  expect(branching - (await count(one, user('e', { parentId: first?.id })))).toBe(2)
})

test('changed siblings come with whatever is selected of them, without those of other conversations, and at most a hundred', async () => {
  const ada = bed.server.as()
  const [first, second] = await grow(ada, 'told', null, null)
  const input = { conversationId: 'told', message: user('again', { parentId: first?.id }) }
  const whole = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) {
    changedSiblings { ${fields} conversation { id } } } }`
  const { changedSiblings } = (await ada.get(whole, { input })).appendMessage
  expect(changedSiblings).toMatchObject([
    { ...second, content: 'm2', siblings: { count: 2 }, conversation: { id: 'told' } },
  ])
  const place = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) {
    changedSiblings { __typename id seq parentId conversationId siblings { count } } } }`
  const placed = (await ada.get(place, { input })).appendMessage.changedSiblings
  expect(placed[0]).toEqual({
    __typename: 'Message',
    id: second?.id,
    seq: 2,
    parentId: first?.id,
    conversationId: 'told',
    siblings: { count: 3 },
  })
  const messages = Array.from({ length: 100 }, () => user('again', { parentId: first?.id }))
  await ada.get(appendMany, { input: { conversationId: 'told', messages } })
  const last = (await ada.get(place, { input })).appendMessage.changedSiblings
  expect(last).toHaveLength(99)
  expect(last[98]).toMatchObject({ seq: 104, siblings: { count: 104 } })
})

test('of more than a hundred siblings only those around a message are named, and all are counted', async () => {
  const ada = bed.server.as()
  const [first] = await grow(ada, 'many', null)
  const ids: string[] = []
  for (let i = 0; i < 2; i++) {
    const messages = Array.from({ length: 75 }, () => user('again', { parentId: first?.id }))
    const { appendMessages } = await ada.get(appendMany, { input: { conversationId: 'many', messages } })
    ids.push(...appendMessages.messages.map((message: Stored) => message.id))
  }
  const siblings = async (seq: number) => {
    const query = `query ($seq: Int!) { conversation(id: "many") { message(seq: $seq) { siblings { index count ids } } } }`
    return (await ada.get(query, { seq })).conversation.message.siblings
  }
  expect(await siblings(2)).toEqual({ index: 0, count: 150, ids: ids.slice(0, 100) })
  expect(await siblings(151)).toEqual({ index: 149, count: 150, ids: ids.slice(50) })
  const middle = await siblings(80)
  expect(middle).toMatchObject({ index: 78, count: 150 })
  expect(middle.ids).toEqual(ids.slice(28, 128))
})

test('a branch is named by a message of its conversation', async () => {
  const ada = bed.server.as()
  const [mine] = await grow(ada, 'named', null)
  const [other] = await grow(ada, 'another', null)
  const query = 'query ($branch: ID) { conversation(id: "named") { messages(branch: $branch) { nodes { seq } } } }'
  for (const branch of [other?.id, 'named', 'msg_junk', mine?.id.replace(/.$/, 'I')]) {
    expect((await ada.fail(query, { branch })).extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'branch' })
  }
  expect((await ada.get(query, { branch: null })).conversation.messages.nodes).toHaveLength(1)
})

test('7 bounds: a path that turns off more often than is looked at is read from its end, and not from its beginning', async () => {
  const ada = bed.server.as()
  await grow(ada, 'winding', null)
  const client = await bed.database.connect()
  // Every second message continues the second one before it: the path to the last turns off before each of them.
  await client.query(`
    insert into message (conversation_key, seq, role, content, size, parent_seq, created_at, updated_at)
    select key, seq, 'USER', 'x', 5, case when seq > 2 then seq - 2 end, now(), now()
    from conversation, generate_series(2, 20003) seq where id = 'winding'`)
  await client.query("update conversation set last_seq = 20003, is_branched = true where id = 'winding'")
  const { conversation } = await ada.get(
    '{ conversation(id: "winding") { activeLeaf { id } history(last: 3) { seq } } }',
  )
  expect(seqsOf(conversation.history)).toEqual([19_999, 20_001, 20_003])
  const read = (args: string) =>
    `query ($leaf: ID) { conversation(id: "winding") { messages(branch: $leaf, ${args}) { nodes { seq } pageInfo { hasPreviousPage } } } }`
  const leaf = conversation.activeLeaf.id
  const last = (await ada.get(read('last: 2'), { leaf })).conversation.messages
  expect(last).toEqual({ nodes: [{ seq: 20_001 }, { seq: 20_003 }], pageInfo: { hasPreviousPage: true } })
  const leafAt = async (seq: number) => {
    const query = 'query ($seq: Int) { conversation(id: "winding") { message(seq: $seq) { id } } }'
    return (await ada.get(query, { seq })).conversation.message.id
  }
  const whole = (await ada.get(read('first: 2'), { leaf: await leafAt(20_000) })).conversation.messages
  expect(whole).toEqual({ nodes: [{ seq: 1 }, { seq: 2 }], pageInfo: { hasPreviousPage: false } })
  const refused = { code: 'PAYLOAD_TOO_LARGE', path: 'branch', limit: 10_000, actual: 10_001 }
  expect((await ada.fail(read('first: 2'), { leaf: await leafAt(20_002) })).extensions).toEqual(refused)
  const window = `query ($input: MessageInput) { conversation(id: "winding") {
    context(maxTokens: 1000, userMessage: $input) { lastSeq } } }`
  const inputAt = async (seq: number) => ({ input: user('next', { parentId: await leafAt(seq) }) })
  expect((await ada.get(window, await inputAt(20_000))).conversation.context).toEqual({ lastSeq: 20_000 })
  expect((await ada.fail(window, await inputAt(20_002))).extensions).toEqual(refused)
})
