import { expect, test } from 'vitest'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { engine } from '../support/database/engine.ts'
import { hold } from '../support/database/hold.ts'
import { recordStatements } from '../support/database/statements.ts'
import { untilWaiting } from '../support/database/until-waiting.ts'
import { nextOfLog } from '../support/next-of-log.ts'
import { patient } from '../support/patient.ts'
import { serve } from '../support/server.ts'
import * as identities from './identities.ts'

/* What people add to messages: reactions, replies, mentions, feedback, answers to calls; and taking a conversation over. */

const bed = useBed({ ...patient, ...identities.identitySettings, QUOTA_STREAMS: 'off' })

const user = async (...of: Parameters<typeof identities.user>) => bed.server.as(await identities.user(...of))

/** A conversation of ada's with a message of each, in which grace is a member; and its id for her. */
async function begin(id: string) {
  const [ada, grace] = [await user('ada'), await user('grace')]
  const question = (await ada.append(id, 'question')).message.id as string
  const answer = (await ada.append(id, { role: 'ASSISTANT', content: 'answer' })).message.id as string
  await join(ada, id, 'grace')
  const forGrace = (await grace.get('{ conversations(first: 1) { nodes { id } } }')).conversations.nodes[0].id as string
  return { ada, grace, forGrace, question, answer }
}

async function join(owner: Api, id: string, userId: string): Promise<void> {
  const add = `mutation ($id: ID!, $userId: String!) {
    addParticipant(input: { conversationId: $id, userId: $userId }) { conversation { id } }
  }`
  await owner.get(add, { id, userId })
}

const call = (name: string, selected: string) =>
  `mutation ($input: ${name[0]?.toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${selected} } }`

const react = (name: 'addReaction' | 'removeReaction') =>
  call(name, 'message { revision reactions { emoji count viewerReacted } }')

async function reacted(api: Api, messageId: string, emoji: string, name: Parameters<typeof react>[0] = 'addReaction') {
  return (await api.get(react(name), { input: { messageId, emoji } }))[name].message
}

async function reactionsOf(api: Api, id: string) {
  return (
    await api.get('query ($id: ID!) { node(id: $id) { ... on Message { reactions { emoji count viewerReacted } } } }', {
      id,
    })
  ).node.reactions
}

const countRows = async (table: string, id: string) => {
  const client = await bed.database.connect()
  const { rowCount } = await client.query(
    `select from ${table} t join conversation c on c.key = t.conversation_key where c.id = $1`,
    [id],
  )
  return rowCount
}

test('each user has each emoji once, and emojis stand in the order of their first use', async () => {
  const { ada, grace, question } = await begin('each once')
  await reacted(ada, question, '🎉')
  await reacted(grace, question, '👍🏽')
  expect((await reacted(grace, question, '🎉')).reactions).toEqual([
    { emoji: '🎉', count: 2, viewerReacted: true },
    { emoji: '👍🏽', count: 1, viewerReacted: true },
  ])
  const before = (await ada.get('{ conversation(id: "each once") { cursor updatedAt } }')).conversation
  expect((await reacted(ada, question, '🎉')).reactions).toEqual([
    { emoji: '🎉', count: 2, viewerReacted: true },
    { emoji: '👍🏽', count: 1, viewerReacted: false },
  ])
  await reacted(ada, question, '👎', 'removeReaction')
  // What was there already, and what was not there, changed nothing.
  expect((await ada.get('{ conversation(id: "each once") { cursor updatedAt } }')).conversation).toEqual(before)
  await reacted(ada, question, '🎉', 'removeReaction')
  // The first use of those that are there: hers of 👍🏽 came before hers of 🎉.
  expect(await reactionsOf(ada, question)).toEqual([
    { emoji: '👍🏽', count: 1, viewerReacted: false },
    { emoji: '🎉', count: 1, viewerReacted: false },
  ])
  for (const emoji of ['🎉', '👍🏽']) await reacted(grace, question, emoji, 'removeReaction')
  expect(await reactionsOf(ada, question)).toEqual([])
})

test('a feed tells every reaction, a reader that comes back gets the state once, and pages show it', async () => {
  const { ada, grace, question } = await begin('feeds')
  const { cursor } = (await ada.get('{ conversation(id: "feeds") { cursor } }')).conversation
  const follow = `subscription ($after: String) { conversationEvents(conversationId: "feeds", after: $after) {
    __typename cursor ... on MessageUpdated { message { seq revision reactions { emoji count viewerReacted } } }
  } }`
  await using live = ada.subscribe(follow, { after: cursor })
  expect(await nextOfLog(live)).toMatchObject({ __typename: 'CaughtUp' })
  const state = async (change: Promise<{ revision: string }>, reactions: object[]) => {
    const { revision } = await change
    const event = await nextOfLog(live)
    expect(event).toMatchObject({ __typename: 'MessageUpdated', message: { seq: 1, revision, reactions } })
    return (event as { cursor: string }).cursor
  }
  const one = await state(reacted(grace, question, '👀'), [{ emoji: '👀', count: 1, viewerReacted: false }])
  const two = await state(reacted(ada, question, '👀'), [{ emoji: '👀', count: 2, viewerReacted: true }])
  const now = await state(reacted(grace, question, '👀', 'removeReaction'), [
    { emoji: '👀', count: 1, viewerReacted: true },
  ])
  for (const after of [cursor, one, two]) {
    await using again = ada.subscribe(follow, { after })
    expect(await nextOfLog(again)).toMatchObject({
      message: { reactions: [{ emoji: '👀', count: 1, viewerReacted: true }] },
    })
    expect(await nextOfLog(again)).toMatchObject({ __typename: 'CaughtUp' })
  }
  await using rest = ada.subscribe(follow, { after: now })
  expect(await nextOfLog(rest)).toMatchObject({ __typename: 'CaughtUp' })
  const page = '{ conversation(id: "feeds") { messages { nodes { reactions { emoji count } } } } }'
  expect((await ada.get(page)).conversation.messages.nodes).toEqual([
    { reactions: [{ emoji: '👀', count: 1 }] },
    { reactions: [] },
  ])
})

test('of many who react at once none is lost, and the limit of emojis holds', async () => {
  const { ada, grace, question } = await begin('at once')
  const emojis = [...'😀😁😂🤣😃😄😅😆😉😊😋😎😍😘🥰😗😙😚🙂🤗🤩🤔']
  const answers = await Promise.all(
    emojis.flatMap((emoji) =>
      [ada, grace].map((api) => api.ask(react('addReaction'), { input: { messageId: question, emoji } })),
    ),
  )
  const refused = answers.flatMap(({ errors }) => errors ?? [])
  expect(refused).toHaveLength(4)
  for (const { extensions } of refused) {
    expect(extensions).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', path: 'input.emoji', limit: 20, actual: 21 })
  }
  const reactions = await reactionsOf(ada, question)
  expect(reactions.map(({ count }: { count: number }) => count)).toEqual(Array.from({ length: 20 }, () => 2))
  // One that is there takes no room.
  await reacted(await user('ada'), question, reactions[0].emoji)
})

test('a message that is being written takes reactions, and loses neither them nor text', async () => {
  const { ada, grace, forGrace } = await begin('written')
  const { startMessage } = await ada.get(call('startMessage', 'attempt message { id }'), {
    input: { conversationId: 'written' },
  })
  const { attempt, message } = startMessage
  const write = (chunk: number, text: string) =>
    ada.get(call('appendMessageText', 'nextChunk'), { input: { messageId: message.id, attempt, chunk, text } })
  await write(0, 'so ')
  const meanwhile = await grace.get(call('addReaction', 'message { status content nextChunk }'), {
    input: { messageId: message.id, emoji: '👏' },
  })
  expect(meanwhile.addReaction.message).toEqual({ status: 'STREAMING', content: 'so ', nextChunk: 1 })
  await write(1, 'far')
  await ada.get(call('completeMessage', 'replayed'), { input: { messageId: message.id, attempt, chunks: 2 } })
  const last =
    'query ($id: ID!) { conversation(id: $id) { lastMessage { content reactions { emoji viewerReacted } } } }'
  expect((await grace.get(last, { id: forGrace })).conversation.lastMessage).toEqual({
    content: 'so far',
    reactions: [{ emoji: '👏', viewerReacted: true }],
  })
})

test('an emoji is one of those that Unicode recommends, and nothing else is', async () => {
  const { ada, question } = await begin('emojis')
  for (const emoji of ['❤️', '👩🏽‍🚀', '🇺🇳', '🏴󠁧󠁢󠁷󠁬󠁳󠁿', '👩🏻‍❤️‍💋‍👨🏿', '#️⃣']) await reacted(ada, question, emoji)
  const fail = async (emoji: string) => {
    const { extensions } = await ada.fail(react('addReaction'), { input: { messageId: question, emoji } })
    expect(await ada.fail(react('removeReaction'), { input: { messageId: question, emoji } })).toMatchObject({
      extensions,
    })
    return extensions
  }
  for (const emoji of ['', 'a', ':+1:', '👍👍', '👍 ', '❤', '🇺', '\0', '\ud83d', '👍'.repeat(16)]) {
    expect(await fail(emoji)).toMatchObject({ code: 'BAD_USER_INPUT', path: 'input.emoji' })
  }
  expect(await fail(`${'👍'.repeat(16)}!`)).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', limit: 64, actual: 65 })
})

test('what was added to a message goes with it, and a fork copies only what it says itself', async () => {
  const { ada, grace, question, answer } = await begin('goes')
  const reply = { role: 'USER', content: 'x', replyTo: question, mentions: ['grace'] }
  await ada.append('goes', reply)
  await reacted(grace, question, '👍')
  for (const messageId of [question, answer]) await reacted(ada, messageId, '👍')
  await ada.get(call('setFeedback', 'message { id }'), { input: { messageId: answer, rating: 'UP' } })
  await ada.get(call('forkConversation', 'conversation { id }'), { input: { id: 'goes', newId: 'copy' } })
  const rows = async (id: string) => [
    await countRows('message_reaction', id),
    await countRows('message_link', id),
    await countRows('message_feedback', id),
  ]
  expect([await rows('goes'), await rows('copy')]).toEqual([
    [3, 1, 1],
    [0, 1, 0],
  ])
  const copied = `{ conversation(id: "copy") { message(seq: 3) {
    reactions { count } replyTo { seq conversationId } mentions { userId } feedback { rating }
  } } }`
  expect((await ada.get(copied)).conversation.message).toEqual({
    reactions: [],
    replyTo: { seq: 1, conversationId: 'copy' },
    mentions: [{ userId: 'grace' }],
    feedback: null,
  })
  const gone = call(
    'deleteMessage',
    'message { reactions { count } replyTo { seq } mentions { userId } feedback { rating } }',
  )
  const nothing = { reactions: [], replyTo: null, mentions: [], feedback: null }
  expect((await ada.get(gone, { input: { messageId: question } })).deleteMessage.message).toEqual(nothing)
  expect(await rows('goes')).toEqual([1, 1, 1])
  // The message to which it replies is a tombstone.
  const third = '{ conversation(id: "goes") { message(seq: 3) { replyTo { seq } mentions { userId } } } }'
  expect((await ada.get(third)).conversation.message).toEqual({ replyTo: null, mentions: [{ userId: 'grace' }] })
  for (const messageId of [question, answer]) {
    const extensions = { code: messageId === question ? 'NOT_FOUND' : 'BAD_USER_INPUT' }
    const feedback = { messageId, rating: messageId === question ? 'UP' : null, reason: 'x' }
    expect(await ada.fail(call('setFeedback', 'message { id }'), { input: feedback })).toMatchObject({ extensions })
  }
  expect(await ada.fail(react('addReaction'), { input: { messageId: question, emoji: '👍' } })).toMatchObject({
    extensions: { code: 'NOT_FOUND' },
  })
  await ada.get(call('clearConversation', 'conversation { id }'), { input: { id: 'goes' } })
  expect(await rows('goes')).toEqual([0, 0, 0])
  // A later conversation of the same key has nothing of this one.
  await ada.get(call('deleteConversation', 'deletedConversationId'), { input: { id: 'copy' } })
  await ada.append('copy', 'new')
  expect(await rows('copy')).toEqual([0, 0, 0])
})

/** What an append is when nothing stands against it. */
const plainAppend = engine.spreads
  ? [undefined, 'append-upsert-move', 'append-upsert-store-one', undefined]
  : ['append-upsert-one']

test('an append and a page without them ask the database nothing more', async () => {
  const { ada } = await begin('plain')
  const names = async (work: () => Promise<unknown>) =>
    (await recordStatements(bed.database, work)).map(({ name }) => name)
  expect(await names(() => ada.append('plain', 'more'))).toEqual(plainAppend)
  const page = (more: string) => () => ada.get(`{ conversation(id: "plain") { messages { nodes { model ${more} } } } }`)
  const alone = await names(page(''))
  // Nothing was changed, so there are no reactions; a user's message has no feedback.
  expect(await names(page('reactions { emoji }'))).toEqual(alone)
  expect(await names(page('replyTo { seq } mentions { userId }'))).toEqual([...alone, 'link-select'])
  expect(await names(page('feedback { rating }'))).toEqual([...alone, 'feedback-own'])
})

const append = call('appendMessage', 'replayed message { id seq parentId replyTo { id content } mentions { userId } }')

async function said(api: Api, conversationId: string, message: object) {
  const input = { conversationId, message: { role: 'USER', content: 'said', ...message } }
  return (await api.get(append, { input })).appendMessage
}

async function refusal(api: Api, conversationId: string, message: object) {
  const input = { conversationId, message: { role: 'USER', content: 'said', ...message } }
  return (await api.fail(append, { input })).extensions
}

test('a message replies to one of the same conversation, changes no branch by that, and models see none of it', async () => {
  const { ada, grace, forGrace, question, answer } = await begin('replies')
  const { message } = await said(grace, forGrace, { replyTo: question })
  expect(message).toMatchObject({ seq: 3, parentId: answer, replyTo: { id: question, content: 'question' } })
  const context = '{ conversation(id: "replies") { context(maxTokens: 1000) { messages } } }'
  expect(JSON.stringify((await ada.get(context)).conversation.context.messages)).not.toContain('reply')
  const elsewhere = (await ada.append('elsewhere', 'x')).message.id as string
  const strangers = (await (await user('eve')).append('hers', 'x')).message.id as string
  const [beyond, never] = [message.id.replace(/.$/, '4'), elsewhere.replace(/.{4}$/, 'AAAJ')]
  const path = 'input.message.replyTo'
  const foreign = { code: 'BAD_USER_INPUT', path }
  for (const replyTo of [elsewhere, strangers, beyond, never, 'msg_junk', 'replies', forGrace, '']) {
    for (const [api, id] of [
      [ada, 'replies'],
      [grace, forGrace],
    ] as const) {
      expect(await refusal(api, id, { replyTo })).toMatchObject(foreign)
    }
  }
  const messages = [
    { role: 'USER', content: 'one' },
    { role: 'USER', content: 'two', replyTo: elsewhere },
  ]
  const batch = { conversationId: 'replies', messages }
  expect((await ada.fail(call('appendMessages', 'replayed'), { input: batch })).extensions).toMatchObject({
    code: 'BAD_USER_INPUT',
    path: 'input.messages[1].replyTo',
  })
  expect((await ada.get('{ conversation(id: "replies") { lastSeq } }')).conversation.lastSeq).toBe(3)
  // The message that streams says for itself to which it replies.
  const { startMessage } = await ada.get(call('startMessage', 'messageEdges { node { replyTo { seq } } }'), {
    input: { conversationId: 'replies', messages: [{ role: 'USER', content: 'x', replyTo: answer }] },
  })
  expect(startMessage.messageEdges).toEqual([{ node: { replyTo: { seq: 2 } } }, { node: { replyTo: null } }])
  const start = call('startMessage', 'replayed message { seq replyTo { seq } mentions { userId } }')
  const input = { conversationId: 'replies', clientId: 's-1', replyTo: message.id, mentions: ['grace'] }
  const begun = { message: { seq: 6, replyTo: { seq: 3 }, mentions: [{ userId: 'grace' }] } }
  for (const replayed of [false, true]) {
    expect((await ada.get(start, { input })).startMessage).toEqual({ replayed, ...begun })
  }
  for (const [name, other] of Object.entries({ replyTo: question, mentions: ['ada'] })) {
    const { extensions } = await ada.fail(start, { input: { ...input, [name]: other } })
    expect(extensions).toMatchObject({ code: 'CONFLICT', reason: 'CLIENT_ID' })
  }
  for (const [name, wrong] of Object.entries({ replyTo: elsewhere, mentions: ['eve'] })) {
    const { extensions } = await ada.fail(start, { input: { conversationId: 'replies', [name]: wrong } })
    expect(extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: `input.${name}` })
  }
})

test('a reply and mentions are part of what a client id stands for, by the place of the message', async () => {
  const { ada, question, answer } = await begin('hashes')
  const message = { clientId: 'c-1', replyTo: question, mentions: ['grace'] }
  expect((await said(ada, 'hashes', message)).replayed).toBe(false)
  expect((await said(ada, 'hashes', message)).replayed).toBe(true)
  for (const other of [{ replyTo: answer }, { replyTo: null }, { mentions: ['ada'] }, { mentions: null }]) {
    expect(await refusal(ada, 'hashes', { ...message, ...other })).toMatchObject({
      code: 'CONFLICT',
      reason: 'CLIENT_ID',
    })
  }
  // In a fork the message to which it replies has another id.
  await ada.get(call('forkConversation', 'conversation { id }'), { input: { id: 'hashes', newId: 'forked' } })
  const { id } = (await ada.get('{ conversation(id: "forked") { message(seq: 1) { id } } }')).conversation.message
  expect(id).not.toBe(question)
  await join(ada, 'forked', 'grace')
  expect(await said(ada, 'forked', { ...message, replyTo: id })).toMatchObject({ replayed: true, message: { seq: 3 } })
  // A plain message has the hash that it had before there were replies.
  await said(ada, 'hashes', { clientId: 'c-2' })
  expect((await said(ada, 'hashes', { clientId: 'c-2', replyTo: null, mentions: null })).replayed).toBe(true)
})

test('a replacement replaces the reply and the mentions, and an edit leaves them', async () => {
  const { ada, question, answer } = await begin('replaced')
  const input = (more: object) => ({
    conversationId: 'replaced',
    onExisting: 'REPLACE',
    messages: [{ role: 'USER', content: 'x', clientId: 'c-1', ...more }],
  })
  const save = call('appendMessages', 'replayed messages { id seq replyTo { id } mentions { userId } }')
  const saved = async (more: object) => (await ada.get(save, { input: input(more) })).appendMessages.messages[0]
  const first = await saved({ replyTo: question, mentions: ['grace', 'ada', 'grace'] })
  expect(first).toMatchObject({ replyTo: { id: question }, mentions: [{ userId: 'grace' }, { userId: 'ada' }] })
  const edit = call('editMessage', 'message { content replyTo { id } mentions { userId } }')
  expect(
    (await ada.get(edit, { input: { messageId: first.id, content: 'edited' } })).editMessage.message,
  ).toMatchObject({
    content: 'edited',
    replyTo: { id: question },
    mentions: [{ userId: 'grace' }, { userId: 'ada' }],
  })
  expect(await saved({ content: 'y', replyTo: answer })).toMatchObject({ replyTo: { id: answer }, mentions: [] })
  const ofItself = await ada.fail(save, { input: input({ content: 'z', replyTo: first.id }) })
  expect(ofItself.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'input.messages[0].replyTo' })
  expect(await saved({ content: 'z' })).toMatchObject({ replyTo: null, mentions: [] })
  expect(await countRows('message_link', 'replaced')).toBe(0)
})

test('only who takes part is mentioned, up to 50, and sees what is unread of it', async () => {
  const { ada, grace, forGrace } = await begin('mentions')
  const path = 'input.message.mentions'
  for (const outsider of ['eve', 'Grace']) {
    const input = { conversationId: 'mentions', message: { role: 'USER', content: 'x', mentions: ['grace', outsider] } }
    const error = await ada.fail(append, { input })
    expect(error.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path })
    expect(error.message).toContain(`"${outsider}"`)
  }
  expect(await refusal(ada, 'mentions', { mentions: [''] })).toMatchObject({
    code: 'BAD_USER_INPUT',
    path: `${path}[0]`,
  })
  const many = (count: number) => Array.from({ length: count }, () => 'grace')
  expect(await refusal(ada, 'mentions', { mentions: many(51) })).toMatchObject({
    code: 'PAYLOAD_TOO_LARGE',
    path,
    limit: 50,
    actual: 51,
  })
  const unread = async (api: Api, id: string) =>
    (await api.get('query ($id: ID!) { conversation(id: $id) { unreadMentions } }', { id })).conversation.unreadMentions
  expect((await said(ada, 'mentions', { mentions: many(50) })).message.mentions).toEqual([{ userId: 'grace' }])
  await said(ada, 'mentions', { mentions: ['ada'] })
  expect((await said(ada, 'mentions', { mentions: [] })).message.mentions).toEqual([])
  const { message } = await said(ada, 'mentions', { mentions: ['grace'] })
  expect([await unread(grace, forGrace), await unread(ada, 'mentions')]).toEqual([2, 0])
  await grace.get(call('markRead', 'conversation { id }'), {
    input: { conversationId: forGrace, seq: message.seq - 1 },
  })
  expect(await unread(grace, forGrace)).toBe(1)
  await said(grace, forGrace, { mentions: ['ada'] })
  expect([await unread(grace, forGrace), await unread(ada, 'mentions')]).toEqual([0, 1])
  await ada.get(call('removeParticipant', 'conversation { id }'), {
    input: { conversationId: 'mentions', userId: 'grace' },
  })
  expect(await refusal(ada, 'mentions', { mentions: ['grace'] })).toMatchObject({ code: 'BAD_USER_INPUT', path })
  // Nobody is there whom a new conversation could mention, but for its owner.
  const fresh = (mentions: string[]) => ({
    conversationId: 'fresh',
    ifMissing: 'CREATE',
    message: { role: 'USER', content: 'x', mentions },
  })
  expect((await ada.fail(append, { input: fresh(['grace']) })).extensions).toMatchObject({
    code: 'BAD_USER_INPUT',
    path,
  })
  expect((await ada.get('{ conversation(id: "fresh") { id } }')).conversation).toBeNull()
  expect((await ada.get(append, { input: fresh(['ada']) })).appendMessage.message.mentions).toEqual([{ userId: 'ada' }])
})

test('a message that waits while somebody leaves does not mention that one', async () => {
  const { ada } = await begin('waits')
  const client = await hold(bed.database, 'waits')
  await client.query(
    `update participant p set ended_at = now() from conversation c
     where c.id = 'waits' and c.key = p.conversation_key and p.user_id = 'grace'`,
  )
  const refused = refusal(ada, 'waits', { mentions: ['grace'] })
  await untilWaiting(bed.database)
  await client.query('commit')
  expect(await refused).toMatchObject({ code: 'BAD_USER_INPUT', path: 'input.message.mentions' })
})

const rate = call('setFeedback', 'message { id feedback { rating reason comment } }')
const rated = async (api: Api, input: object) => (await api.get(rate, { input })).setFeedback.message.feedback

test('each user says its own of an answer, says it anew, and takes it back', async () => {
  const { ada, grace, forGrace, question, answer: messageId } = await begin('feedback')
  const { cursor } = (await ada.get('{ conversation(id: "feedback") { cursor } }')).conversation
  const first = { rating: 'DOWN', reason: 'wrong', comment: 'It is 12.' }
  expect(await rated(ada, { messageId, ...first })).toEqual(first)
  expect(await rated(grace, { messageId, rating: 'UP' })).toEqual({ rating: 'UP', reason: null, comment: null })
  const own = 'query ($id: ID!) { conversation(id: $id) { cursor messages { nodes { feedback { rating userId } } } } }'
  const seen = async (api: Api, id: string) => (await api.get(own, { id })).conversation.messages.nodes
  expect(await seen(ada, 'feedback')).toEqual([{ feedback: null }, { feedback: { rating: 'DOWN', userId: 'ada' } }])
  expect(await seen(grace, forGrace)).toEqual([{ feedback: null }, { feedback: { rating: 'UP', userId: 'grace' } }])
  expect(await rated(ada, { messageId, rating: 'UP' })).toEqual({ rating: 'UP', reason: null, comment: null })
  expect(await rated(ada, { messageId, rating: null })).toBeNull()
  expect(await rated(ada, { messageId })).toBeNull()
  expect(await seen(grace, forGrace)).toEqual([{ feedback: null }, { feedback: { rating: 'UP', userId: 'grace' } }])
  // It is no part of the log.
  expect((await ada.get('{ conversation(id: "feedback") { cursor } }')).conversation.cursor).toBe(cursor)
  const refused = async (input: object) => (await ada.fail(rate, { input })).extensions
  expect(await refused({ messageId: question, rating: 'UP' })).toMatchObject({
    code: 'BAD_USER_INPUT',
    path: 'input.messageId',
  })
  for (const name of ['reason', 'comment']) {
    expect(await refused({ messageId, [name]: 'x' })).toMatchObject({ code: 'BAD_USER_INPUT', path: `input.${name}` })
    expect(await refused({ messageId, rating: 'UP', [name]: 'a\0' })).toMatchObject({ code: 'BAD_USER_INPUT' })
  }
  for (const [name, limit] of [
    ['reason', 200],
    ['comment', 4_096],
  ] as const) {
    const text = 'ä'.repeat(limit / 2)
    expect(await rated(ada, { messageId, rating: 'UP', [name]: text })).toMatchObject({ [name]: text })
    expect(await refused({ messageId, rating: 'UP', [name]: `${text}x` })).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      path: `input.${name}`,
      limit,
      actual: limit + 1,
    })
  }
})

const given = `query ($first: Int, $after: String, $rating: FeedbackRating, $from: DateTime, $to: DateTime) {
  feedback(first: $first, after: $after, rating: $rating, from: $from, to: $to) {
    nodes { userId ownerId rating comment givenAt messageId conversationId message { content } }
    edges { cursor node { comment } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`

test("an owner lists what was said in its own conversations, and an operator all; nobody sees another's", async () => {
  const owner = await user('olga')
  const [mel, root, acting] = [
    await user('mel'),
    await user('root', 'colloquy:operator'),
    await user('root', 'colloquy:operator', 'mel'),
  ]
  const answer = { role: 'ASSISTANT', content: 'answer' }
  const ids: string[] = []
  for (let n = 0; n < 5; n++) ids.push((await owner.append('listed', answer)).message.id)
  await join(owner, 'listed', 'mel')
  const mels = (await mel.append("mel's", answer)).message.id as string
  for (const [n, messageId] of ids.entries())
    await rated(mel, { messageId, rating: n % 2 === 0 ? 'UP' : 'DOWN', comment: `m${n}` })
  await rated(owner, { messageId: ids[0], rating: 'DOWN', comment: 'o0' })
  await rated(mel, { messageId: mels, rating: 'DOWN', comment: 'own' })
  const list = async (api: Api, variables: object = {}) => (await api.get(given, variables)).feedback
  const comments = async (api: Api, variables: object = {}) =>
    (await list(api, variables)).nodes.map(({ comment }: { comment: string }) => comment)
  expect(await comments(owner)).toEqual(['o0', 'm4', 'm3', 'm2', 'm1', 'm0'])
  expect(await comments(owner, { rating: 'DOWN' })).toEqual(['o0', 'm3', 'm1'])
  expect(await comments(mel)).toEqual(['own'])
  expect(await comments(acting)).toEqual(['own'])
  expect(await comments(bed.server.as(identities.backend('helper', 'mel')))).toEqual(['own'])
  expect(await comments(await user('eve'))).toEqual([])
  const all = ['own', 'o0', 'm4', 'm3', 'm2', 'm1', 'm0']
  expect((await comments(root, { first: 100 })).slice(0, 7)).toEqual(all)
  // An operator is shown where it is, and reads nothing of it but by acting for its owner.
  const [seen] = (await list(root, { first: 1 })).nodes
  expect(seen).toMatchObject({ userId: 'mel', ownerId: 'mel', messageId: mels, message: null })
  expect(seen.conversationId).toMatch(/^cnv_/)
  expect((await list(acting)).nodes[0]).toMatchObject({ conversationId: "mel's", message: { content: 'answer' } })
  // Those of one moment are paged as well, each once.
  const client = await bed.database.connect()
  await client.query(
    "update message_feedback set given_at = '2026-01-31T09:30:00.123456Z' where user_id in ('mel', 'olga')",
  )
  const walk = async (api: Api, variables: object) => {
    const found: string[] = []
    for (let after: string | null = null; ; ) {
      const page: Awaited<ReturnType<typeof list>> = await list(api, { ...variables, after })
      expect(page.pageInfo.hasPreviousPage).toBe(after !== null)
      expect(page.edges.map(({ node }: { node: object }) => node)).toEqual(
        page.nodes.map(({ comment }: { comment: string }) => ({ comment })),
      )
      found.push(...page.nodes.map(({ comment }: { comment: string }) => comment))
      if (!page.pageInfo.hasNextPage) return found
      after = page.pageInfo.endCursor
    }
  }
  const moment = { from: '2026-01-31T09:30:00.123456Z', to: '2026-01-31T09:30:00.123457Z' }
  for (const [api, expected] of [
    [owner, all.slice(1)],
    [root, all],
  ] as const) {
    for (const first of [1, 2]) {
      const found = await walk(api, { first, ...moment })
      expect(found.toSorted()).toEqual(expected.toSorted())
    }
  }
  expect(await comments(owner, { from: moment.to })).toEqual([])
  expect(await comments(owner, { to: moment.from })).toEqual([])
  const { endCursor } = (await list(owner, { first: 2 })).pageInfo
  for (const after of ['junk', endCursor.slice(0, -12), (await owner.append('listed', 'x')).messageEdge.cursor]) {
    expect((await owner.fail(given, { after })).extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'after' })
  }
  expect((await owner.fail(given, { first: 101 })).extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'first' })
  // A deleted conversation has none, from that moment on.
  await owner.get(call('deleteConversation', 'deletedConversationId'), { input: { id: 'listed' } })
  expect(await comments(owner)).toEqual([])
})

const answer = call('answerCall', 'message { revision toolCalls { callId approval { approved reason userId } } }')

/** Adds a message with two calls, and answers its id. */
async function addCalls(api: Api, id: string): Promise<string> {
  const toolCalls = ['a', 'b'].map((callId) => ({ callId, name: 'pay', arguments: '{}' }))
  return (await api.append(id, { role: 'ASSISTANT', content: 'I pay.', toolCalls, clientId: 'calls' })).message.id
}

const answered = async (api: Api, input: object) => (await api.get(answer, { input })).answerCall.message

test('the first answer to a call stays, and the same again changes nothing', async () => {
  const { ada, grace, question } = await begin('answers')
  const messageId = await addCalls(ada, 'answers')
  const given = { messageId, callId: 'a', approved: false, reason: 'é'.repeat(100) }
  const first = await answered(grace, given)
  expect(first.toolCalls).toEqual([
    { callId: 'a', approval: { approved: false, reason: 'é'.repeat(100), userId: 'grace' } },
    { callId: 'b', approval: null },
  ])
  expect(await answered(grace, given)).toEqual(first)
  const taken = { code: 'CONFLICT', reason: 'CALL_ANSWERED', userId: 'grace', approved: false }
  for (const [api, other] of [
    [ada, given],
    [grace, { ...given, approved: true }],
    [grace, { ...given, reason: null }],
  ] as const) {
    expect((await api.fail(answer, { input: other })).extensions).toEqual(taken)
  }
  const refusal = async (input: object) =>
    (await ada.fail(answer, { input: { messageId, callId: 'b', approved: true, ...input } })).extensions
  expect(await refusal({ callId: 'c' })).toEqual({ code: 'NOT_FOUND' })
  expect(await refusal({ messageId: question })).toEqual({ code: 'NOT_FOUND' })
  const path = 'input.reason'
  expect(await refusal({ reason: 'x'.repeat(201) })).toEqual({
    code: 'PAYLOAD_TOO_LARGE',
    path,
    limit: 200,
    actual: 201,
  })
  expect(await refusal({ reason: '\0' })).toEqual({ code: 'BAD_USER_INPUT', path })
  const { startMessage } = await ada.get(
    'mutation { startMessage(input: { conversationId: "answers" }) { message { id } } }',
  )
  const streaming = { messageId: startMessage.message.id }
  expect(await refusal(streaming)).toEqual({ code: 'CONFLICT', reason: 'STREAMING' })
  await ada.append('answers', { role: 'TOOL', toolCallId: 'b', content: 'paid' })
  expect(await refusal({})).toEqual({ code: 'CONFLICT', reason: 'CALL_OVER' })
  // A replay is one after the result as well.
  await ada.append('answers', { role: 'TOOL', toolCallId: 'a', content: 'not paid' })
  expect((await answered(grace, given)).toolCalls).toEqual(first.toolCalls)
})

test('of many who answer a call at once one is heard', async () => {
  const { ada, grace } = await begin('one is heard')
  const messageId = await addCalls(ada, 'one is heard')
  const answers = await Promise.all(
    [ada, grace, ada, grace].map((api, n) =>
      api.ask(answer, { input: { messageId, callId: 'a', approved: n % 2 === 0, reason: String(n) } }),
    ),
  )
  const refused = answers.flatMap(({ errors }) => errors ?? [])
  expect(refused.map(({ extensions }) => extensions.reason)).toEqual(Array.from({ length: 3 }, () => 'CALL_ANSWERED'))
  expect(await countRows('message_approval', 'one is heard')).toBe(1)
})

test('an agent that follows on another server goes on when the call is answered, and the model reads a refusal', async () => {
  await using other = await serve(bed.database.url, { ...identities.identitySettings, POLL_MS: '600000' })
  const { ada, grace } = await begin('goes on')
  const messageId = await addCalls(ada, 'goes on')
  const agent = other.as(identities.backend('helper', 'ada'))
  const { cursor } = (await agent.get('{ conversation(id: "goes on") { cursor } }')).conversation
  const follow = `subscription ($after: String) { conversationEvents(conversationId: "goes on", after: $after) {
    __typename ... on MessageUpdated { message { id toolCalls { callId approval { approved reason userId } } } }
  } }`
  await using events = agent.subscribe(follow, { after: cursor })
  expect(await nextOfLog(events)).toMatchObject({ __typename: 'CaughtUp' })
  const ask = (callId: string, approved: boolean, reason?: string) =>
    answered(grace, { messageId, callId, approved, reason })
  const yes = { callId: 'a', approval: { approved: true, reason: null, userId: 'grace' } }
  const no = { callId: 'b', approval: { approved: false, reason: 'Too dear.', userId: 'grace' } }
  await ask('a', true)
  const told = await nextOfLog(events)
  expect(told).toMatchObject({ message: { id: messageId, toolCalls: [yes, { callId: 'b', approval: null }] } })
  await ask('b', false, 'Too dear.')
  expect(await nextOfLog(events)).toMatchObject({ message: { toolCalls: [yes, no] } })
  const window = `{ conversation(id: "goes on") {
    context(maxTokens: 1000) { messages tokenCount pendingCalls { callId approved } }
  } }`
  const waiting = (await agent.get(window)).conversation.context
  expect(waiting.pendingCalls).toEqual([{ callId: 'a', approved: true }])
  expect(waiting.messages.at(-1)).toMatchObject({ tool_call_id: 'b', content: 'A person refused this call: Too dear.' })
  await agent.append('goes on', { role: 'TOOL', toolCallId: 'a', content: 'paid' })
  const whole = (await agent.get(window)).conversation.context
  expect(whole.pendingCalls).toEqual([])
  expect(whole.messages.slice(-2)).toMatchObject([{ content: 'paid' }, { tool_call_id: 'b' }])
  const page =
    '{ conversation(id: "goes on") { messages { nodes { toolCalls { callId approval { approved reason userId } } } } } }'
  expect((await ada.get(page)).conversation.messages.nodes[2]).toEqual({ toolCalls: [yes, no] })
})

test('answers stay while the calls stay, go with their message, and cost a page and a window nothing that have none', async () => {
  const { ada } = await begin('stay')
  const messageId = await addCalls(ada, 'stay')
  await answered(ada, { messageId, callId: 'a', approved: true })
  const edit = call('editMessage', 'message { toolCalls { approval { approved } } }')
  const edited = async (more: object) =>
    (await ada.get(edit, { input: { messageId, ...more } })).editMessage.message.toolCalls
  expect(await edited({ content: 'I pay now.' })).toEqual([{ approval: { approved: true } }, { approval: null }])
  await ada.get(call('forkConversation', 'conversation { id }'), { input: { id: 'stay', newId: 'stay too' } })
  expect(await countRows('message_approval', 'stay too')).toBe(0)
  const others = [{ callId: 'a', name: 'pay', arguments: '{"all":true}' }]
  expect(await edited({ toolCalls: others })).toEqual([{ approval: null }])
  expect(await countRows('message_approval', 'stay')).toBe(0)
  await answered(ada, { messageId, callId: 'a', approved: true })
  await ada.get(call('deleteMessage', 'message { id }'), { input: { messageId } })
  expect(await countRows('message_approval', 'stay')).toBe(0)

  await addCalls(ada, 'plain')
  await ada.append('plain', 'Well?')
  const looks = async (of: string) => {
    const statements = await recordStatements(bed.database, () => ada.get(`{ conversation(id: "plain") { ${of} } }`))
    return statements.filter(({ text }) => text.includes('message_approval')).length
  }
  expect(await looks('messages { nodes { toolCalls { callId } } }')).toBe(0)
  expect(await looks('messages { nodes { toolCalls { approval { approved } } } }')).toBe(0)
  expect(await looks('context(maxTokens: 1000) { messages }')).toBe(0)
})

const takeOver = call('takeOver', 'conversation { takenOverBy lastSeq }')
const handBack = call('handBack', 'conversation { takenOverBy }')

test('while a person has a conversation agents begin no turns, and nothing that was paid for is lost', async () => {
  const { ada, grace, forGrace } = await begin('desk')
  await join(ada, 'desk', 'mel')
  const mel = await user('mel')
  const forMel = (await mel.get('{ conversations(first: 1) { nodes { id } } }')).conversations.nodes[0].id
  const agent = bed.server.as(identities.backend('helper', 'ada'))
  const start = call('startMessage', 'attempt message { id }')
  const started = (await agent.get(start, { input: { conversationId: 'desk' } })).startMessage
  const stream = { messageId: started.message.id, attempt: started.attempt }
  await agent.append('desk', { role: 'ASSISTANT', content: 'known', clientId: 'known' })
  const { cursor } = (await ada.get('{ conversation(id: "desk") { cursor } }')).conversation
  const follow = `subscription ($after: String) { conversationEvents(conversationId: "desk", after: $after) { __typename
    ... on MessageUpdated { message { id stopRequestedAt } } ... on ConversationUpdated { conversation { takenOverBy } }
  } }`
  await using events = ada.subscribe(follow, { after: cursor })
  // What streams is told to whoever comes.
  expect(await nextOfLog(events)).toMatchObject({ message: { id: stream.messageId, stopRequestedAt: null } })
  expect(await nextOfLog(events)).toMatchObject({ __typename: 'CaughtUp' })

  const taken = (await grace.get(takeOver, { input: { conversationId: forGrace } })).takeOver.conversation
  expect(taken.takenOverBy).toBe('grace')
  const told = [await nextOfLog(events), await nextOfLog(events)]
  expect(told).toContainEqual({
    __typename: 'MessageUpdated',
    message: { id: stream.messageId, stopRequestedAt: expect.any(String) },
  })
  expect(told).toContainEqual({ __typename: 'ConversationUpdated', conversation: { takenOverBy: 'grace' } })
  // The same again changes nothing, and another one has to wait.
  expect((await grace.get(takeOver, { input: { conversationId: forGrace } })).takeOver.conversation).toEqual(taken)
  const conflict = { code: 'CONFLICT', reason: 'TAKEN_OVER', userId: 'grace' }
  expect((await ada.fail(takeOver, { input: { conversationId: 'desk' } })).extensions).toEqual(conflict)

  const turn = { role: 'ASSISTANT', content: 'a turn' }
  const result = { role: 'TOOL', toolCallId: 'a', content: 'paid' }
  for (const refused of [
    await agent.fail(append, { input: { conversationId: 'desk', message: turn } }),
    await agent.fail(call('appendMessages', 'replayed'), {
      input: { conversationId: 'desk', messages: [result, turn] },
    }),
    await agent.fail(start, { input: { conversationId: 'desk', messages: [result] } }),
    await agent.fail(start, { input: { conversationId: 'desk', role: 'USER' } }),
  ]) {
    expect(refused.extensions).toEqual(conflict)
  }
  const text = call('appendMessageText', 'nextChunk stopRequested')
  expect((await agent.get(text, { input: { ...stream, chunk: 0, text: 'So' } })).appendMessageText).toEqual({
    nextChunk: 1,
    stopRequested: true,
  })
  await agent.get(call('completeMessage', 'replayed'), { input: { ...stream, chunks: 1 } })
  expect((await agent.append('desk', { role: 'ASSISTANT', content: 'known', clientId: 'known' })).replayed).toBe(true)
  await agent.append('desk', result)
  await agent.append('desk', 'words of ada')
  // A person speaks in whatever role.
  expect((await said(grace, forGrace, turn)).message.seq).toBe(taken.lastSeq + 3)

  const refusal = await mel.fail(handBack, { input: { conversationId: forMel } })
  expect(refusal.extensions).toEqual({ code: 'FORBIDDEN' })
  expect((await ada.get(handBack, { input: { conversationId: 'desk' } })).handBack.conversation.takenOverBy).toBeNull()
  expect((await agent.append('desk', turn)).message.seq).toBe(taken.lastSeq + 4)
  // Who has it hands it back as well, and what nobody has stays as it is.
  await grace.get(takeOver, { input: { conversationId: forGrace } })
  for (const _ of ['hands back', 'again']) {
    expect(
      (await grace.get(handBack, { input: { conversationId: forGrace } })).handBack.conversation.takenOverBy,
    ).toBeNull()
  }
})

test('a turn that waits while a person takes over is not stored, and elsewhere an append is the statement that it was', async () => {
  const { ada, grace, forGrace } = await begin('meanwhile')
  const agent = bed.server.as(identities.backend('helper', 'ada'))
  const turn = { role: 'ASSISTANT', content: 'a turn' }
  const client = await hold(bed.database, 'meanwhile')
  const taking = grace.get(takeOver, { input: { conversationId: forGrace } })
  await untilWaiting(bed.database)
  const refused = agent.fail(append, { input: { conversationId: 'meanwhile', message: turn } })
  await untilWaiting(bed.database, 2)
  await client.query('commit')
  const { lastSeq } = (await taking).takeOver.conversation
  expect((await refused).extensions).toMatchObject({ reason: 'TAKEN_OVER' })
  expect((await ada.get('{ conversation(id: "meanwhile") { lastSeq } }')).conversation.lastSeq).toBe(lastSeq)

  await agent.append('free', 'x')
  const sent = await recordStatements(bed.database, () => agent.append('free', turn))
  expect(sent.map(({ name }) => name)).toEqual(plainAppend)
})
