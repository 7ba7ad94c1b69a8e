import type { Client } from 'pg'
import { expect, test } from 'vitest'
import { conversationKey } from '../../src/storage/conversation/conversation-key.ts'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { buildPrograms, Program } from '../support/program/program.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

// A long time between two statements: what is accepted is not stored for a while.
const bed = useBed({
  TEXT_WINDOW_MS: '300',
  MAX_MESSAGE_BYTES: '2000',
  LOCK_TIMEOUT_MS: '60000',
  STATEMENT_TIMEOUT_MS: '60000',
})

const start = `mutation ($input: StartMessageInput!) { startMessage(input: $input) { attempt message { id } } }`
const add = `mutation ($input: AppendMessageTextInput!) { appendMessageText(input: $input) { nextChunk storedChunks stopRequested } }`
const complete = `mutation ($input: CompleteMessageInput!) { completeMessage(input: $input) { message { content status } } }`
const stop = 'mutation ($id: ID!) { stopMessage(input: { messageId: $id }) { message { id } } }'
const resume =
  'mutation ($id: ID!) { resumeMessage(input: { messageId: $id }) { attempt message { content nextChunk } } }'
const textOf = 'query ($id: ID!) { node(id: $id) { ... on Message { content status nextChunk } } }'

/** A producer of one message, who names the server of each call. */
async function begin(api: Api, conversationId: string) {
  const { startMessage } = await api.get(start, { input: { conversationId, ifMissing: 'CREATE' } })
  const { attempt } = startMessage
  const messageId = startMessage.message.id as string
  const call = (to: Api, chunk: number, text: string, more: object) =>
    to.ask(add, { input: { messageId, attempt, chunk, text, ...more } })
  return {
    id: messageId,
    /** Stored when it is answered. */
    write: async (to: Api, chunk: number, text: string) => (await call(to, chunk, text, {})).data.appendMessageText,
    /** Answered at once. */
    accept: async (to: Api, chunk: number, text: string) =>
      (await call(to, chunk, text, { durable: false })).data.appendMessageText,
    refused: async (to: Api, chunk: number, text: string, more: object = {}) =>
      (await call(to, chunk, text, more)).errors?.[0]?.extensions,
    end: (to: Api, chunks: number) => to.ask(complete, { input: { messageId, attempt, chunks } }),
    read: async (from: Api) => (await from.get(textOf, { id: messageId })).node,
  }
}

/** Holds what PostgreSQL knows of a stream until a transaction ends: no text of it is stored. */
async function holdStream(holder: Client, id: string): Promise<void> {
  const key = conversationKey('ada', id)
  await holder.query('begin')
  await holder.query('select from message_stream where conversation_key = $1 for update', [key])
}

test('a chunk that is not to be durable is accepted at once, and visible once it is stored', async () => {
  const ada = bed.server.as()
  const stream = await begin(ada, 'accepted')
  const holder = await bed.database.connect()
  expect(await stream.accept(ada, 0, 'a')).toEqual({ nextChunk: 1, storedChunks: 1, stopRequested: false })
  await holdStream(holder, 'accepted')
  expect(await stream.accept(ada, 1, 'b')).toEqual({ nextChunk: 2, storedChunks: 1, stopRequested: false })
  expect(await stream.accept(ada, 2, 'c')).toEqual({ nextChunk: 3, storedChunks: 1, stopRequested: false })
  expect(await stream.accept(ada, 1, 'b')).toEqual({ nextChunk: 3, storedChunks: 1, stopRequested: false })
  expect(await stream.read(ada)).toMatchObject({ content: 'a', nextChunk: 1 })
  await holder.query('commit')
  expect(await stream.write(ada, 3, 'd')).toEqual({ nextChunk: 4, storedChunks: 4, stopRequested: false })
  expect(await stream.read(ada)).toMatchObject({ content: 'abcd', nextChunk: 4 })
})

test('a message that somebody holds does not hold up the text of the others', async () => {
  const ada = bed.server.as()
  const [held, free] = [await begin(ada, 'held'), await begin(ada, 'free')]
  const holder = await bed.database.connect()
  await holdStream(holder, 'held')
  const waiting = held.write(ada, 0, 'later')
  for (const [chunk, text] of ['a', 'b', 'c'].entries()) await free.write(ada, chunk, text)
  expect(await free.read(ada)).toMatchObject({ content: 'abc' })
  await holder.query('commit')
  expect(await waiting).toMatchObject({ storedChunks: 1 })
})

test("5 isolated: a stranger's chunk that comes together with its owner's is NOT_FOUND, whoever comes first", async () => {
  const [ada, bob] = [bed.server.as(), bed.server.as({ 'x-user-id': 'bob' })]
  for (const isFirst of [true, false]) {
    const stream = await begin(ada, `guarded ${isFirst}`)
    // What comes after it waits for the same statement.
    await stream.write(ada, 0, 'a')
    const forged = () => stream.refused(bob, isFirst ? 1 : 2, 'forged')
    const early = isFirst ? forged() : null
    const written = stream.write(ada, 1, 'b')
    expect(await (early ?? forged())).toEqual({ code: 'NOT_FOUND' })
    expect(await written).toMatchObject({ storedChunks: 2 })
    expect(await stream.read(ada)).toMatchObject({ content: 'ab', nextChunk: 2 })
  }
})

test('a chunk that PostgreSQL refuses fails alone', async () => {
  const ada = bed.server.as()
  const client = await bed.database.connect()
  // Citus takes no trigger otherwise; elsewhere it is the name of nothing.
  await client.query('set citus.enable_unsafe_triggers = on')
  await client.query(`
    create function refuse() returns trigger language plpgsql as $$ begin raise check_violation; end $$`)
  await client.query(`
    create trigger refuse before insert on message_chunk for each row when (new.text = 'poison') execute function refuse()`)
  const streams = await Promise.all(Array.from({ length: 5 }, (_, n) => begin(ada, `poisoned-${n}`)))
  const written = Promise.all(streams.slice(1).map((stream) => stream.write(ada, 0, 'good')))
  expect(await streams[0]?.refused(ada, 0, 'poison')).toMatchObject({ code: 'INTERNAL_SERVER_ERROR' })
  expect((await written).map(({ storedChunks }) => storedChunks)).toEqual([1, 1, 1, 1])
  await client.query('drop function refuse cascade')
  expect(await streams[0]?.write(ada, 0, 'cured')).toMatchObject({ storedChunks: 1 })
})

test('chunks may come in any order at once, from any number of calls, and are stored in theirs', async () => {
  await using server = await serve(bed.database.url, { TEXT_WINDOW_MS: '50' })
  const ada = server.as()
  const stream = await begin(ada, 'shuffled')
  const chunks = [4, 2, 0, 3, 1, 2, 0, 5, 4]
  const answers = await Promise.all(chunks.map((chunk) => stream.write(ada, chunk, String(chunk))))
  for (const [index, { storedChunks }] of answers.entries()) expect(storedChunks).toBeGreaterThan(chunks[index] ?? 0)
  expect((await stream.end(ada, 6)).data.completeMessage.message).toEqual({ content: '012345', status: 'COMPLETE' })
})

test('behind a proxy that takes turns, a chunk waits for one that another server still holds, and so does the end', async () => {
  const settings = { TEXT_WINDOW_MS: '300' }
  await using near = await serve(bed.database.url, settings)
  await using far = await serve(bed.database.url, settings)
  const [a, b] = [near.as(), far.as()]
  const stream = await begin(a, 'turns')
  await stream.write(a, 0, '0')
  await stream.accept(a, 1, '1')
  expect(await stream.write(b, 2, '2')).toMatchObject({ nextChunk: 3, storedChunks: 3 })
  await stream.accept(a, 3, '3')
  const { data } = await stream.end(b, 4)
  expect(data.completeMessage.message).toEqual({ content: '0123', status: 'COMPLETE' })
})

test('what is really missing is a conflict with the expected chunk, in the text and at the end', async () => {
  await using server = await serve(bed.database.url)
  const ada = server.as()
  const stream = await begin(ada, 'gap')
  await stream.accept(ada, 0, '0')
  expect(await stream.refused(ada, 2, '2', { durable: false })).toMatchObject({ reason: 'CHUNK', nextChunk: 1 })
  expect((await stream.end(ada, 2)).errors?.[0]?.extensions).toMatchObject({ reason: 'CHUNK', nextChunk: 1 })
})

test('after kill -9 what was stored is readable, and the producer goes on elsewhere', async () => {
  buildPrograms()
  await using dying = new Program('src/main.js', [], {
    PORT: '0',
    DATABASE_URL: bed.database.url,
    TEXT_WINDOW_MS: '1000',
  })
  const [, url = ''] = await dying.prints(/GraphQL +(http:\S+)\/graphql/)
  const there = bed.server.as()
  const [a, b] = [Object.assign(bed.server.as(), { url }), there]
  const stream = await begin(a, 'killed')
  const words = ['Tell ', 'me ', 'of ', 'the ', 'sea.']
  await stream.write(a, 0, words[0] ?? '')
  let told = 0
  for (const [chunk, word] of words.entries()) told = (await stream.accept(a, chunk, word)).storedChunks
  dying.kill('SIGKILL')
  await dying.exited
  const { storedChunks } = await stream.write(b, 0, '')
  expect(storedChunks).toBeGreaterThanOrEqual(told)
  expect(await stream.read(b)).toMatchObject({
    content: words.slice(0, storedChunks).join(''),
    nextChunk: storedChunks,
  })
  if (storedChunks < 5)
    expect(await stream.refused(b, 5, 'x')).toMatchObject({ reason: 'CHUNK', nextChunk: storedChunks })
  for (const [chunk, word] of words.entries()) await stream.accept(b, chunk, word)
  expect((await stream.end(b, 5)).data.completeMessage.message.content).toBe(words.join(''))
})

test('what an older attempt had accepted is not stored after another took over, and its next call is told so', async () => {
  await using far = await serve(bed.database.url)
  const [a, b] = [bed.server.as(), far.as()]
  const stream = await begin(a, 'older')
  await stream.write(a, 0, 'kept ')
  await stream.accept(a, 1, 'late ')
  const { resumeMessage } = await b.get(resume, { id: stream.id })
  const { content, nextChunk } = resumeMessage.message
  expect(['kept ', 'kept late ']).toContain(content)
  await until(async () => (await stream.refused(a, 2, 'x', { durable: false }))?.reason === 'ATTEMPT')
  const input = { messageId: stream.id, attempt: 2, chunk: nextChunk, text: 'new' }
  expect((await b.get(add, { input })).appendMessageText).toMatchObject({ storedChunks: nextChunk + 1 })
  expect(await stream.read(a)).toMatchObject({ content: `${content}new` })
})

test('the next answer says that a stop was asked for here, also to a chunk that is not to be durable', async () => {
  const ada = bed.server.as()
  const stream = await begin(ada, 'stopped')
  await stream.write(ada, 0, 'a')
  expect(await stream.accept(ada, 1, 'b')).toMatchObject({ stopRequested: false })
  await ada.get(stop, { id: stream.id })
  expect(await stream.accept(ada, 2, 'c')).toMatchObject({ stopRequested: true })
})

test('text is refused where the message would be larger than it may be, and one of just that size can be completed', async () => {
  const ada = bed.server.as()
  const stream = await begin(ada, 'full')
  await stream.write(ada, 0, 'x'.repeat(1_000))
  await stream.accept(ada, 1, 'x'.repeat(900))
  const refused = await stream.refused(ada, 2, 'x'.repeat(101), { durable: false })
  expect(refused).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', path: 'input.text', limit: 2_000 })
  const room = 101 - (Number(refused?.actual) - 2_000)
  expect(await stream.refused(ada, 2, 'x'.repeat(room + 1))).toMatchObject({ limit: 2_000, actual: 2_001 })
  expect(await stream.accept(ada, 2, 'x'.repeat(room))).toMatchObject({ nextChunk: 3 })
  // What is not text has bytes as well.
  expect(await stream.refused(ada, 3, '', { data: 1 })).toMatchObject({ limit: 2_000, actual: 2_001 })
  expect((await stream.end(ada, 3)).data.completeMessage.message.content).toHaveLength(1_900 + room)
})

test('a server that stops stores what it has accepted', async () => {
  const far = await serve(bed.database.url, { TEXT_WINDOW_MS: '1000' })
  const stream = await begin(far.as(), 'drained')
  await stream.write(far.as(), 0, 'a')
  for (const [index, text] of ['b', 'c'].entries()) await stream.accept(far.as(), index + 1, text)
  await far[Symbol.asyncDispose]()
  expect(await stream.read(bed.server.as())).toMatchObject({ content: 'abc' })
})

test('and does not wait for ever where somebody holds the message', async () => {
  const far = await serve(bed.database.url, { LOCK_TIMEOUT_MS: '60000', STATEMENT_TIMEOUT_MS: '60000' })
  const stream = await begin(far.as(), 'held at the end')
  await stream.write(far.as(), 0, 'a')
  const holder = await bed.database.connect()
  await holdStream(holder, 'accepted')
  await stream.accept(far.as(), 1, 'b')
  await far[Symbol.asyncDispose]()
  await holder.query('commit')
  expect((await stream.read(bed.server.as())).content).toMatch(/^ab?$/)
})
