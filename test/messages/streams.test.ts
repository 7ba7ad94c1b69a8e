import { expect, test } from 'vitest'
import { conversationKey } from '../../src/storage/conversation/conversation-key.ts'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { hold } from '../support/database/hold.ts'
import { recordStatements } from '../support/database/statements.ts'
import { untilWaiting } from '../support/database/until-waiting.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const bed = useBed({ POLL_MS: '50' })

const fields = `id seq role content status nextChunk stopRequestedAt revision editedAt clientId model finishReason usage metadata
  toolCalls { callId name arguments } error { code message }`
const start = `mutation ($input: StartMessageInput!) { startMessage(input: $input) { attempt replayed conversation { lastSeq }
  message { ${fields} } messageEdges { node { seq role content status } } } }`
const add = `mutation ($input: AppendMessageTextInput!) { appendMessageText(input: $input) { nextChunk storedChunks stopRequested } }`
const complete = `mutation ($input: CompleteMessageInput!) { completeMessage(input: $input) { replayed message { ${fields} } conversation { lastSeq } } }`
const stop = `mutation ($id: ID!) { stopMessage(input: { messageId: $id }) { message { ${fields} } } }`
const resume = `mutation ($id: ID!) { resumeMessage(input: { messageId: $id }) { attempt message { ${fields} } } }`
const edit = `mutation ($id: ID!) { editMessage(input: { messageId: $id, content: "x" }) { message { id } } }`
const remove = `mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { ${fields} } } }`
const chunksOf = 'query ($id: ID!, $from: Int! = 0) { messageChunks(messageId: $id, from: $from) { chunk text data } }'
const follow = `subscription ($id: ID!, $after: String) { conversationEvents(conversationId: $id, after: $after) { __typename cursor
  ... on MessageAppended { edge { node { seq content nextChunk status } } }
  ... on MessageUpdated { message { seq content nextChunk status stopRequestedAt } }
  ... on MessageTextAppended { messageId seq chunk text data } } }`

async function begin(ada: Api, conversationId: string, more = {}) {
  const { startMessage } = await ada.get(start, { input: { conversationId, ifMissing: 'CREATE', ...more } })
  const { message, attempt } = startMessage
  const write = (chunk: number, text: string, others = {}) =>
    ada.ask(add, { input: { messageId: message.id, attempt, chunk, text, ...others } })
  const end = (chunks: number, others = {}) =>
    ada.ask(complete, { input: { messageId: message.id, attempt, chunks, ...others } })
  return { started: startMessage, id: message.id as string, attempt, write, end }
}

const read = async (ada: Api, id: string) =>
  (await ada.get(`query ($id: ID!) { node(id: $id) { ... on Message { ${fields} } } }`, { id })).node

test("an agent's turn: start with the user's message, stream, complete", async () => {
  const ada = bed.server.as()
  const messages = [{ role: 'USER', content: 'Tell me.' }]
  const turn = await begin(ada, 'turn', { messages, model: 'm-1', clientId: 'turn-1', metadata: { a: 1 } })
  expect(turn.started).toMatchObject({
    attempt: 1,
    replayed: false,
    conversation: { lastSeq: 2 },
    message: { seq: 2, role: 'ASSISTANT', status: 'STREAMING', content: null, nextChunk: 0 },
    messageEdges: [{ node: { seq: 1, content: 'Tell me.' } }, { node: { seq: 2, status: 'STREAMING' } }],
  })
  expect((await turn.write(0, 'Once ')).data.appendMessageText).toEqual({
    nextChunk: 1,
    storedChunks: 1,
    stopRequested: false,
  })
  await turn.write(1, 'upon')
  expect(await read(ada, turn.id)).toMatchObject({ content: 'Once upon', nextChunk: 2, status: 'STREAMING' })
  const { data } = await turn.end(2, { finishReason: 'stop', usage: { out: 2 }, metadata: { b: 2 } })
  expect(data.completeMessage.message).toMatchObject({
    content: 'Once upon',
    status: 'COMPLETE',
    nextChunk: null,
    model: 'm-1',
    finishReason: 'stop',
    usage: { out: 2 },
    metadata: { a: 1, b: 2 },
    clientId: 'turn-1',
    editedAt: null,
  })
  expect(await read(ada, turn.id)).toEqual(data.completeMessage.message)
  const client = await bed.database.connect()
  const left = await client.query('select seq from message_chunk union all select seq from message_stream')
  expect(left.rowCount).toBe(0)
})

test('startMessage is safe to retry, also after its message is complete', async () => {
  const ada = bed.server.as()
  const input = { messages: [{ role: 'USER', content: 'q', clientId: 'q' }], clientId: 'a' }
  const first = await begin(ada, 'again', input)
  await first.write(0, 'text')
  const second = await begin(ada, 'again', input)
  expect(second.started).toMatchObject({ attempt: 1, replayed: true, conversation: { lastSeq: 2 } })
  expect(second.started.message).toMatchObject({ id: first.id, content: 'text', nextChunk: 1 })
  await first.end(1)
  expect((await begin(ada, 'again', input)).started).toMatchObject({ attempt: 0, replayed: true })
  const other = await ada.fail(start, { input: { conversationId: 'again', ...input, model: 'another' } })
  expect(other.extensions).toMatchObject({ code: 'CONFLICT', reason: 'CLIENT_ID' })
})

test('a repeated chunk is acknowledged and not added twice; a gap is a conflict with the expected one', async () => {
  const ada = bed.server.as()
  const { id, write } = await begin(ada, 'chunks')
  await Promise.all(Array.from({ length: 20 }, () => write(0, 'a')))
  expect((await write(0, 'a')).data.appendMessageText.nextChunk).toBe(1)
  const gap = await write(2, 'c')
  expect(gap.errors?.[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'CHUNK', nextChunk: 1 })
  await write(1, 'b')
  expect(await read(ada, id)).toMatchObject({ content: 'ab', nextChunk: 2 })
})

test('empty text is a sign of life and takes no number; data alone is a chunk', async () => {
  const ada = bed.server.as()
  const { id, write } = await begin(ada, 'beat')
  expect((await write(0, '')).data.appendMessageText.nextChunk).toBe(0)
  expect((await write(0, '', { data: { reasoning: 'hm' } })).data.appendMessageText.nextChunk).toBe(1)
  await write(1, 'x', { data: [1, null] })
  expect((await ada.get(chunksOf, { id })).messageChunks).toEqual([
    { chunk: 0, text: '', data: { reasoning: 'hm' } },
    { chunk: 1, text: 'x', data: [1, null] },
  ])
  expect((await ada.get(chunksOf, { id, from: 1 })).messageChunks).toHaveLength(1)
})

test('completing says how many chunks there were: with another number stored it is a conflict, and the same call is a replay', async () => {
  const ada = bed.server.as()
  const { id, write, end } = await begin(ada, 'complete')
  await write(0, 'a')
  const early = await end(2)
  expect(early.errors?.[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'CHUNK', nextChunk: 1 })
  await write(1, 'b')
  const done = (await end(2)).data.completeMessage
  expect(done).toMatchObject({ replayed: false, message: { content: 'ab' } })
  expect((await end(2)).data.completeMessage).toEqual({ ...done, replayed: true })
  const other = await end(2, { finishReason: 'length' })
  expect(other.errors?.[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'NOT_STREAMING' })
  const late = await write(2, 'c')
  expect(late.errors?.[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'NOT_STREAMING' })
  expect(await read(ada, id)).toMatchObject({ content: 'ab' })
})

test('a completion may bring the content, tool calls and an error; only what was broken off may be empty', async () => {
  const ada = bed.server.as()
  const one = await begin(ada, 'ends')
  await one.write(0, 'streamed')
  const toolCalls = [{ callId: '1', name: 'f', arguments: '{}' }]
  const { data } = await one.end(1, { content: 'whole', toolCalls })
  expect(data.completeMessage.message).toMatchObject({ content: 'whole', toolCalls })
  const two = await begin(ada, 'ends')
  expect((await two.end(0)).errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: 'input' })
  const error = { code: 'OVERLOADED', message: 'Try later.' }
  const failed = (await two.end(0, { status: 'FAILED', error })).data.completeMessage.message
  expect(failed).toMatchObject({ status: 'FAILED', content: null, error })
  const three = await begin(ada, 'ends')
  expect((await three.end(0, { status: 'STREAMING', content: 'x' })).errors?.[0]?.extensions).toEqual({
    code: 'BAD_USER_INPUT',
    path: 'input.status',
  })
})

test('stopMessage is seen by the producer with its next chunk, and by watchers', async () => {
  const ada = bed.server.as()
  const { id, write, end } = await begin(ada, 'stop')
  await write(0, 'a')
  const stopped = (await ada.get(stop, { id })).stopMessage.message
  expect(stopped.stopRequestedAt).not.toBeNull()
  expect((await ada.get(stop, { id })).stopMessage.message).toEqual(stopped)
  expect((await write(1, '')).data.appendMessageText).toMatchObject({ stopRequested: true, nextChunk: 1 })
  expect((await end(1, { status: 'CANCELLED' })).data.completeMessage.message.status).toBe('CANCELLED')
  const two = await begin(ada, 'stop')
  await two.end(0, { content: 'x' })
  expect((await ada.fail(stop, { id: two.id })).extensions).toMatchObject({ reason: 'NOT_STREAMING' })
})

test('resumeMessage takes a stream over only while it has so many chunks, if it says how many', async () => {
  const ada = bed.server.as()
  const { id, write } = await begin(ada, 'takeover-empty')
  const take = (chunks: number) =>
    ada.ask('mutation ($input: ResumeMessageInput!) { resumeMessage(input: $input) { attempt } }', {
      input: { messageId: id, chunks },
    })
  expect((await take(1)).errors?.[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'CHUNK', nextChunk: 0 })
  expect((await write(0, 'a')).errors).toBeUndefined()
  expect((await take(0)).errors?.[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'CHUNK', nextChunk: 1 })
  expect((await write(1, 'b')).errors).toBeUndefined()
  expect((await take(2)).data).toEqual({ resumeMessage: { attempt: 2 } })
})

test('resumeMessage takes a stream over: calls of an older attempt are a conflict and change nothing', async () => {
  const ada = bed.server.as()
  const { id, write, end } = await begin(ada, 'takeover')
  await write(0, 'a')
  const { resumeMessage } = await ada.get(resume, { id })
  expect(resumeMessage).toMatchObject({ attempt: 2, message: { content: 'a', nextChunk: 1 } })
  for (const old of [await write(1, 'old'), await write(1, ''), await end(1)]) {
    expect(old.errors?.[0]?.extensions).toMatchObject({ code: 'CONFLICT', reason: 'ATTEMPT', attempt: 2 })
  }
  await write(1, 'b', { attempt: 2 })
  // The server knows where the stream stands by now, and takes what is not durable without looking.
  const accepted = await write(2, 'old', { durable: false })
  expect(accepted.errors?.[0]?.extensions).toMatchObject({ reason: 'ATTEMPT', attempt: 2 })
  const done = (await end(2, { attempt: 2 })).data.completeMessage.message
  expect(done.content).toBe('ab')
  expect((await ada.fail(resume, { id })).extensions).toMatchObject({ reason: 'NOT_STREAMING' })
})

test('a message whose producer gives no sign of life is failed once, with what was stored', async () => {
  const ada = bed.server.as()
  await using other = await serve(bed.database.url, { POLL_MS: '20' })
  const { id, write } = await begin(other.as(), 'gone', { timeoutSeconds: 1 })
  const client = await bed.database.connect()
  const failed = "select from message where status = 'FAILED' and conversation_key = $1"
  const untilFailed = (count: number) =>
    until(async () => (await client.query(failed, [conversationKey('ada', 'gone')])).rowCount === count)
  await write(0, 'so far')
  await untilFailed(1)
  const message = await read(ada, id)
  expect(message).toMatchObject({
    status: 'FAILED',
    content: 'so far',
    error: { code: 'PRODUCER_GONE' },
    nextChunk: null,
  })
  expect((await write(1, 'late')).errors?.[0]?.extensions).toMatchObject({ reason: 'NOT_STREAMING' })
  // Another stream that is failed after it: had the first been failed twice, its revision would have moved before.
  await begin(ada, 'gone', { timeoutSeconds: 1 })
  await untilFailed(2)
  expect(await read(ada, id)).toEqual(message)
})

test('a producer that gives a sign of life at the last moment is not failed', async () => {
  const ada = bed.server.as()
  const { id, write } = await begin(ada, 'last-moment')
  const holder = await hold(bed.database, 'last-moment')
  const client = await bed.database.connect()
  await client.query('update message_stream set expires_at = now()')
  // The reaper has found it and waits for its conversation.
  await untilWaiting(bed.database)
  await write(0, '')
  await holder.query('commit')
  // It was first in line: once this is stored, it has been there.
  await ada.append('last-moment', 'after it')
  expect(await read(ada, id)).toMatchObject({ status: 'STREAMING', error: null })
})

test('a timeout begins after the wait for a lock, for a start, a sign of life, a chunk and another attempt', async () => {
  const ada = bed.server.as()
  await ada.append('waits', 'question')
  const { id, write } = await begin(ada, 'waits')
  const [holder, looker] = [await bed.database.connect(), await bed.database.connect()]
  const key = conversationKey('ada', 'waits')
  const conversation = 'select from conversation where key = $1 for update'
  const stream = 'select from message_stream where conversation_key = $1 for update'
  const calls: [lock: string, call: () => Promise<unknown>][] = [
    [conversation, () => begin(ada, 'waits')],
    [stream, () => write(0, '')],
    [stream, () => write(0, 'a')],
    [stream, () => ada.get(resume, { id })],
  ]
  for (const [lock, call] of calls) {
    await holder.query('begin')
    await holder.query(lock, [key])
    const done = call()
    await untilWaiting(bed.database)
    const { rows } = await holder.query('select clock_timestamp()::text as time')
    await holder.query('commit')
    await done
    const latest = `select from message_stream where conversation_key = $1
      having max(expires_at - timeout_seconds * interval '1 second') > $2`
    expect((await looker.query(latest, [key, rows[0].time])).rowCount, `${lock} ${call}`).toBe(1)
  }
})

test('history leaves a streaming message out, edits refuse it, and deleting it ends it', async () => {
  const ada = bed.server.as()
  await ada.append('busy', 'question')
  const { id, write } = await begin(ada, 'busy')
  await write(0, 'half')
  const { conversation } = await ada.get('{ conversation(id: "busy") { history { content } lastMessage { content } } }')
  expect(conversation).toEqual({ history: [{ content: 'question' }], lastMessage: { content: 'half' } })
  expect((await ada.fail(edit, { id })).extensions).toMatchObject({ code: 'CONFLICT', reason: 'STREAMING' })
  expect((await ada.get(remove, { id })).deleteMessage.message).toMatchObject({
    content: null,
    status: 'CANCELLED',
    nextChunk: null,
  })
  for (const gone of [
    await write(1, 'x'),
    await write(1, ''),
    await ada.ask(complete, { input: { messageId: id, attempt: 1, chunks: 1 } }),
    await ada.ask(stop, { id }),
    await ada.ask(resume, { id }),
  ]) {
    expect(gone.errors?.[0]?.extensions).toEqual({ code: 'NOT_FOUND' })
  }
})

test.each([
  ['deleting it', remove],
  [
    'clearing its conversation',
    'mutation { clearConversation(input: { id: "clearing its conversation" }) { conversation { id } } }',
  ],
])('text that is being stored while its message is deleted is deleted as well: %s', async (how, mutation) => {
  const ada = bed.server.as()
  const { id, write } = await begin(ada, how)
  await write(0, 'seen ')
  const holder = await bed.database.connect()
  // The text has its stream, and waits for the row of the message.
  await holder.query('begin')
  await holder.query('select from message where conversation_key = $1 and seq = 1 for update', [
    conversationKey('ada', how),
  ])
  const written = write(1, 'late')
  await untilWaiting(bed.database)
  const deleted = ada.ask(mutation, mutation === remove ? { id } : {})
  await untilWaiting(bed.database, 2)
  await holder.query('commit')
  expect((await written).data.appendMessageText).toMatchObject({ storedChunks: 2 })
  expect((await deleted).errors).toBeUndefined()
  expect(await read(ada, id)).toMatchObject({ status: 'CANCELLED', content: null, nextChunk: null })
  expect((await ada.get(chunksOf, { id })).messageChunks).toEqual([])
})

interface TextEvent {
  __typename: string
  cursor: string
  chunk?: number
  text?: string
  edge?: { node: { seq: number; content: string | null; nextChunk: number | null; status: string } }
  message?: { seq: number; content: string | null; nextChunk: number | null; status: string }
}

/** A watcher that splices text as the contract says. */
async function watchText(api: Api, id: string, after: string | undefined, cuts: number): Promise<string> {
  let text = ''
  let next = 0
  let cursor = after
  for (let round = 1; ; round++) {
    await using feed = api.subscribe(follow, { id, after: cursor })
    for (let taken = 0; cuts === 0 || taken < (round * cuts) % 13; taken++) {
      const event = (await feed.next())?.data.conversationEvents as TextEvent
      cursor = event.cursor
      const state = event.edge?.node ?? event.message
      if (state?.status === 'COMPLETE' && state.seq === 2) return state.content ?? ''
      if (state?.nextChunk !== null && state !== undefined) {
        expect(state.content ?? '').toContain(text)
        text = state.content ?? ''
        next = state.nextChunk
      }
      if (event.__typename === 'MessageTextAppended') {
        expect(event.chunk).toBe(next)
        text += event.text
        next += 1
      }
    }
  }
}

test('watchers on two servers, joining at the start, in the middle and again and again, see the text without gap or repeat', async () => {
  await using other = await serve(bed.database.url, { POLL_MS: '600000' })
  const [ada, far] = [bed.server.as(), other.as()]
  const first = await ada.append('watched', 'question')
  const { write, end } = await begin(ada, 'watched')
  const watching = [watchText(far, 'watched', '', 0), watchText(ada, 'watched', first.messageEdge.cursor, 3)]
  const words = Array.from({ length: 60 }, (_, i) => `word${i} `)
  for (const [chunk, word] of words.entries()) {
    await write(chunk, word)
    if (chunk === 20) watching.push(watchText(far, 'watched', undefined, 5), watchText(far, 'watched', '', 7))
  }
  await end(60)
  for (const text of await Promise.all(watching)) expect(text).toBe(words.join(''))
})

test('whoever joins in the middle, on another server, is told the text so far with the number of its next chunk, and then the chunks from there', async () => {
  // Without a poll only hints can bring text.
  await using near = await serve(bed.database.url, { POLL_MS: '600000' })
  await using far = await serve(bed.database.url, { POLL_MS: '600000' })
  const { write } = await begin(near.as(), 'middle')
  for (const [chunk, text] of ['a', 'b', 'c'].entries()) await write(chunk, text)
  const { conversation } = await near.as().get('{ conversation(id: "middle") { cursor } }')
  await using feed = far.as().subscribe(follow, { id: 'middle', after: conversation.cursor })
  const next = async () => (await feed.next())?.data.conversationEvents
  expect(await next()).toMatchObject({
    __typename: 'MessageUpdated',
    message: { seq: 1, content: 'abc', nextChunk: 3, status: 'STREAMING' },
  })
  expect((await next()).__typename).toBe('CaughtUp')
  await write(3, 'd', { data: { n: 1 } })
  expect(await next()).toMatchObject({ __typename: 'MessageTextAppended', seq: 1, chunk: 3, text: 'd', data: { n: 1 } })
})

test('a text event answers its message: the text so far, at least up to its chunk, and never less than before', async () => {
  const ada = bed.server.as()
  const { write, end, id } = await begin(ada, 'cached')
  const state = 'message { id content nextChunk status deletedAt }'
  await using feed = ada.subscribe(`subscription { conversationEvents(conversationId: "cached", after: "") { __typename
    ... on MessageTextAppended { chunk ${state} } ... on MessageUpdated { ${state} } ... on MessageDeleted { ${state} } } }`)
  const next = async () => (await feed.next())?.data.conversationEvents
  while ((await next()).__typename !== 'CaughtUp');
  const words = Array.from({ length: 40 }, (_, i) => `word${i} `)
  const written = (async () => {
    for (const [chunk, word] of words.entries()) await write(chunk, word)
    await end(40)
  })()
  let known = 0
  for (;;) {
    const { __typename, chunk, message } = await next()
    expect(message.id).toBe(id)
    const upTo = message.nextChunk ?? words.length
    expect(message.content).toBe(words.slice(0, upTo).join(''))
    expect(message.status).toBe(message.nextChunk === null ? 'COMPLETE' : 'STREAMING')
    expect(upTo).toBeGreaterThanOrEqual(__typename === 'MessageTextAppended' ? Math.max(known, chunk + 1) : known)
    known = upTo
    if (__typename === 'MessageUpdated' && message.status === 'COMPLETE') break
  }
  await written
})

test.each([
  ['text', 0],
  ['text message { content }', 1],
])("a text event's message is read only for whoever selects it: %s", async (selected, reads) => {
  const ada = bed.server.as()
  const conversationId = `selected ${reads}`
  const { write } = await begin(ada, conversationId)
  await using feed = ada.subscribe(
    `subscription ($id: ID!) { conversationEvents(conversationId: $id, after: "") {
      __typename ... on MessageTextAppended { ${selected} } } }`,
    { id: conversationId },
  )
  while ((await feed.next())?.data.conversationEvents.__typename !== 'CaughtUp');
  const sent = await recordStatements(bed.database, async () => {
    await write(0, 'a')
    expect((await feed.next())?.data.conversationEvents).toMatchObject({ __typename: 'MessageTextAppended', text: 'a' })
  })
  expect(sent.filter(({ name }) => name === 'message-at')).toHaveLength(reads)
})

test('a streaming message that is deleted while a feed begins is told as deleted', async () => {
  const ada = bed.server.as()
  const { write } = await begin(ada, 'deleted')
  await write(0, 'seen')
  const { conversation } = await ada.get('{ conversation(id: "deleted") { cursor } }')
  const holder = await bed.database.connect()
  const looker = await bed.database.connect()
  // The feed finds out which messages are streaming, and waits before it can read them.
  await holder.query('begin; lock table message in access exclusive mode')
  await using feed = ada.subscribe(
    `subscription ($after: String) { conversationEvents(conversationId: "deleted", after: $after) { __typename
      ... on MessageUpdated { message { content deletedAt } } ... on MessageDeleted { message { content deletedAt } } } }`,
    { after: conversation.cursor },
  )
  const first = feed.next()
  await until(
    async () =>
      (await looker.query("select from pg_locks where not granted and relation = 'message'::regclass")).rowCount === 1,
  )
  const key = conversationKey('ada', 'deleted')
  const moved = 'update conversation set revision = revision + 1 where key = $1 returning revision'
  const { rows } = await holder.query(moved, [key])
  await holder.query('delete from message_stream where conversation_key = $1', [key])
  await holder.query(
    `update message set deleted_at = now(), status = 'CANCELLED', content = null, revision = $2
     where conversation_key = $1`,
    [key, rows[0].revision],
  )
  await holder.query('commit')
  const event = (await first)?.data.conversationEvents
  expect(event.message).toMatchObject({ content: null, deletedAt: expect.any(String) })
  expect(event.__typename).toBe('MessageDeleted')
})

test('whoever comes back to more streaming messages than one look finds is told of each', async () => {
  const ada = bed.server.as()
  for (let n = 0; n < 101; n++) await begin(ada, 'crowd')
  const { conversation } = await ada.get('{ conversation(id: "crowd") { cursor } }')
  await using feed = ada.subscribe(follow, { id: 'crowd', after: conversation.cursor })
  const told = (await feed.take(102)).map(({ data }) => data.conversationEvents)
  expect(told.slice(0, 101).map(({ message }) => message.seq)).toEqual(Array.from({ length: 101 }, (_, n) => n + 1))
  expect(told[101].__typename).toBe('CaughtUp')
})

test('whoever comes back to many large messages that are streaming is told of each', async () => {
  const ada = bed.server.as()
  const streams = [await begin(ada, 'large'), await begin(ada, 'large'), await begin(ada, 'large')]
  for (const { write } of streams) await write(0, 'x'.repeat(900_000))
  const { conversation } = await ada.get('{ conversation(id: "large") { cursor } }')
  await using feed = ada.subscribe(follow, { id: 'large', after: conversation.cursor })
  for (const seq of [1, 2, 3]) {
    const { message } = (await feed.next())?.data.conversationEvents ?? {}
    expect(message).toMatchObject({ seq, nextChunk: 1 })
    expect(message.content).toHaveLength(900_000)
  }
  expect((await feed.next())?.data.conversationEvents.__typename).toBe('CaughtUp')
})

test('messageAppended tells of a streaming message at its start', async () => {
  const ada = bed.server.as()
  const { messageEdge } = await ada.append('started', 'q')
  await using feed = ada.subscribe(
    'subscription ($after: String) { messageAppended(conversationId: "started", after: $after) { node { seq status content } } }',
    { after: messageEdge.cursor },
  )
  const next = feed.next()
  await begin(ada, 'started')
  expect((await next)?.data.messageAppended.node).toMatchObject({ seq: 2, status: 'STREAMING', content: null })
})

test('timeouts are from 1 to 3600 seconds, and a tool result does not stream', async () => {
  const ada = bed.server.as()
  const code = async (more: object) =>
    (await ada.fail(start, { input: { conversationId: 'bounds', ifMissing: 'CREATE', ...more } })).extensions
  expect(await code({ timeoutSeconds: 0 })).toMatchObject({ path: 'input.timeoutSeconds' })
  expect(await code({ timeoutSeconds: 3601 })).toMatchObject({ path: 'input.timeoutSeconds' })
  expect(await code({ role: 'TOOL' })).toMatchObject({ path: 'input.role' })
  const messages = Array.from({ length: 100 }, () => ({ role: 'USER', content: 'x' }))
  expect(await code({ messages })).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', limit: 99, actual: 100 })
  expect((await begin(ada, 'bounds', { messages: messages.slice(1), timeoutSeconds: 3600 })).started.message.seq).toBe(
    100,
  )
})

test('what a producer may not send is refused in its place, and changes nothing', async () => {
  const ada = bed.server.as()
  const { id, write, end } = await begin(ada, 'misuse')
  const starting = async (more: object) =>
    (await ada.fail(start, { input: { conversationId: 'misuse', ...more } })).extensions
  const writing = async (chunk: number, text: string, more = {}) =>
    (await write(chunk, text, more)).errors?.[0]?.extensions
  const ending = async (error: object) =>
    (await end(0, { status: 'FAILED', error: { code: 'X', message: 'x', ...error } })).errors?.[0]?.extensions
  const badInput = (path: string) => ({ code: 'BAD_USER_INPUT', path })
  const tooLong = (path: string) => ({ code: 'PAYLOAD_TOO_LARGE', path, limit: 255, actual: 256 })
  expect(await starting({ ifLastSeq: -1 })).toEqual(badInput('input.ifLastSeq'))
  expect(await starting({ name: 'x'.repeat(256) })).toEqual(tooLong('input.name'))
  expect(await starting({ messages: [{ role: 'USER' }] })).toEqual(badInput('input.messages[0]'))
  expect(await writing(-1, 'x')).toEqual(badInput('input.chunk'))
  expect(await writing(0, 'a\0')).toEqual(badInput('input.text'))
  expect(await writing(0, 'half \ud83d', { durable: false })).toEqual(badInput('input.text'))
  expect(await ending({ code: '' })).toEqual(badInput('input.error.code'))
  expect(await ending({ code: 'x'.repeat(256) })).toEqual(tooLong('input.error.code'))
  expect(await ending({ message: 'a\0' })).toEqual(badInput('input.error.message'))
  expect((await ada.get('{ conversation(id: "misuse") { lastSeq } }')).conversation.lastSeq).toBe(1)
  expect(await read(ada, id)).toMatchObject({ status: 'STREAMING', nextChunk: 0 })
  const error = { code: 'x'.repeat(255), message: '' }
  expect((await end(0, { status: 'FAILED', error })).data.completeMessage.message.error).toEqual(error)
})
