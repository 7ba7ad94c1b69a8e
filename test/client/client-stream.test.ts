import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { beforeAll, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import {
  activePath,
  applyEvent,
  type Completion,
  type ConversationEvent,
  type FollowedMessage,
  followConversation,
  GapError,
  type MessageAppended,
  type MessageInput,
  type MessageSiblings,
  messageSelection,
  type StreamError,
  type StreamOptions,
  streamMessage,
} from '../../client/src/index.ts'
import { useBed } from '../support/bed.ts'
import { TcpProxy } from '../support/network/tcp-proxy.ts'
import { expectNothingOpenAfterEach } from '../support/nothing-open.ts'
import { buildPrograms } from '../support/program/program.ts'
import { ServerProcess } from '../support/program/server-process.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const bed = useBed({ MAX_MESSAGE_BYTES: '200000', POLL_MS: '50' })

beforeAll(buildPrograms)

expectNothingOpenAfterEach(bed)

interface At {
  readonly url: string
}

const common = { connectionParams: { 'x-user-id': 'ada' }, webSocketImpl: WebSocket, timeoutMs: 500 }

/** A message of ada's in a conversation that may be missing. */
function begin({ url }: At, conversationId: string, more: Partial<StreamOptions> = {}) {
  return streamMessage({
    url: `${url}/graphql`,
    conversationId,
    ifMissing: 'CREATE',
    ...common,
    ...more,
  } as StreamOptions)
}

function takeOver({ url }: At, messageId: string, more: Partial<StreamOptions> = {}) {
  return streamMessage({ url: `${url}/graphql`, messageId, ...common, ...more } as StreamOptions)
}

const messageFields = 'id seq role content status nextChunk finishReason metadata error { code message }'

async function read(conversationId: string): Promise<FollowedMessage[]> {
  const query = `query ($id: ID!) { conversation(id: $id) { messages(first: 100) { nodes { ${messageFields} } } } }`
  return (await bed.server.as().get(query, { id: conversationId })).conversation.messages.nodes
}

/** The view of a follower who begins after a cursor, until it says so. */
async function follow(
  { url }: At,
  conversationId: string,
  after: string,
  isDone: (messages: readonly FollowedMessage[]) => boolean,
): Promise<readonly FollowedMessage[]> {
  let messages: readonly FollowedMessage[] = []
  for await (const event of followConversation({ url: `${url}/graphql`, conversationId, after, ...common })) {
    messages = applyEvent(messages, event)
    if (isDone(messages)) break
  }
  return messages
}

const isEnded = ({ status }: { readonly status: string }) => status !== 'STREAMING'

/** Words that tell where they stand, of one to four bytes a character. */
const words = (count: number) => Array.from({ length: count }, (_, n) => `${n}${['a', 'ü', '語', '😀'][n % 4]} `)

test('a view takes states as they come, splices text by its number, and refuses a gap', () => {
  const place = { cursor: 'c', conversationId: 'x' }
  const message = (seq: number, content: string | null, nextChunk: number | null = null) => ({
    seq,
    content,
    nextChunk,
  })
  type View = readonly ReturnType<typeof message>[]
  type Event = ConversationEvent<View[number]>
  const appended = (node: View[number]): Event => ({
    __typename: 'MessageAppended',
    edge: { node, cursor: 'c' },
    ...place,
  })
  const updated = (node: View[number]): Event => ({ __typename: 'MessageUpdated', message: node, ...place })
  const text = (seq: number, chunk: number, piece: string): Event => ({
    __typename: 'MessageTextAppended',
    messageId: 'm',
    seq,
    chunk,
    text: piece,
    data: null,
    ...place,
  })
  const see = (events: readonly Event[], from: View = []) => events.reduce<View>(applyEvent, from)

  const streaming = see([appended(message(1, 'q')), appended(message(2, null, 0))])
  const spliced = see([text(2, 0, 'a'), text(2, 0, 'a'), text(2, 1, 'b')], streaming)
  expect(spliced).toEqual([message(1, 'q'), message(2, 'ab', 2)])
  expect(streaming).toEqual([message(1, 'q'), message(2, null, 0)])
  expect(see([updated(message(2, 'abcd', 4)), text(2, 3, 'd'), text(2, 4, 'e')], spliced)[1]).toEqual(
    message(2, 'abcde', 5),
  )
  expect(see([updated(message(2, 'abc')), text(2, 2, 'c')], spliced)[1]).toEqual(message(2, 'abc'))
  expect(see([appended(message(1, 'edited')), appended(message(2, 'ab', 2))], spliced)).toHaveLength(2)
  const deleted = { __typename: 'MessageDeleted', message: message(1, null), ...place } as const
  expect(see([deleted], spliced)[0]).toEqual(message(1, null))
  // Begun in the middle: what lies before is not its affair. What a later server tells, neither.
  const middle = see([updated(message(4, 'x')), appended(message(5, 'y')), updated(message(4, 'z')), text(4, 7, 'z')])
  expect(middle).toEqual([message(5, 'y')])
  expect(see([{ __typename: 'SomethingElse', ...place } as unknown as Event], middle)).toBe(middle)
  expect(() => see([text(2, 3, 'd')], spliced)).toThrow(GapError)
  expect(() => see([appended(message(4, 'd'))], spliced)).toThrow(GapError)
})

test('the siblings of older versions follow, for whoever selects siblings; and a path shows one version of each', async () => {
  const answer = begin(bed.server, 'versions', { messages: [{ role: 'USER', content: 'Q' }] })
  answer.write('A')
  const { parentId } = await answer.complete()
  const again = begin(bed.server, 'versions', { parentId })
  again.write('B')
  await again.complete()
  const edited = begin(bed.server, 'versions', { messages: [{ role: 'USER', content: 'Q!', parentId: 'versions' }] })
  edited.write('C')
  await edited.complete()
  type Versioned = FollowedMessage & { readonly siblings: MessageSiblings }
  const at = { url: `${bed.server.url}/graphql`, conversationId: 'versions', after: '', ...common }
  let messages: readonly Versioned[] = []
  let leaf: string | undefined
  const selection = `${messageSelection} siblings { index count ids }`
  const following = followConversation<Versioned>({ ...at, selection })
  for await (const event of following) {
    messages = applyEvent(messages, event)
    if (event.__typename === 'CaughtUp') break
  }
  const one = begin(bed.server, 'versions', { parentId })
  one.write('D')
  await one.complete()
  for await (const event of followConversation<Versioned>({ ...at, selection, after: following.cursor })) {
    messages = applyEvent(messages, event)
    if (messages.at(-1)?.status === 'COMPLETE' && messages.length === 6) break
  }
  expect(messages.map(({ siblings }) => [siblings.index, siblings.count])).toEqual([
    [0, 2],
    [0, 3],
    [1, 3],
    [1, 2],
    [0, 1],
    [2, 3],
  ])
  const said = (path: readonly Versioned[]) => path.map(({ content }) => content)
  expect(said(activePath(messages))).toEqual(['Q', 'D'])
  expect(said(activePath(messages.slice(1)))).toEqual(['D'])
  expect(activePath(messages, 'msg_unknown')).toEqual([])
  const choose = 'mutation ($id: ID!) { setActiveLeaf(input: { messageId: $id }) { conversation { id } } }'
  await bed.server.as().get(choose, { id: messages[4]?.id })
  for await (const event of followConversation({ ...at, after: following.cursor })) {
    if (event.__typename === 'ConversationUpdated') leaf = event.conversation.activeLeaf?.id
    if (leaf !== undefined) break
  }
  expect(said(activePath(messages, leaf))).toEqual(['Q!', 'C'])
})

test("an agent's turn: the user's message, the text as it was written, and how it ended", async () => {
  const stream = begin(bed.server, 'turn', {
    messages: [{ role: 'USER', content: 'Tell me.' }],
    model: 'm-1',
    metadata: { a: 1 },
  })
  stream.write('Once ')
  stream.write('')
  stream.write('upon ', { tokens: [1, 2] })
  stream.write('', null)
  stream.write('\ud83d')
  stream.write('\ude00')
  expect(await stream.started).toMatchObject({ seq: 2, status: 'STREAMING', content: null, nextChunk: 0 })
  expect(stream).toMatchObject({ attempt: 1, messageId: stream.message?.id, stopRequested: false })
  const message = await stream.complete({ finishReason: 'stop', metadata: { b: 2 } })
  expect(message).toMatchObject({ content: 'Once upon 😀', status: 'COMPLETE', nextChunk: null })
  const [question, answer] = await read('turn')
  expect(question).toMatchObject({ role: 'USER', content: 'Tell me.' })
  expect(answer).toMatchObject({ content: 'Once upon 😀', finishReason: 'stop', metadata: { a: 1, b: 2 } })
  expect(() => stream.write('late')).toThrow('ended already')
  await expect(stream.complete()).rejects.toThrow('ended already')
})

test('a typed client branches: an answer anew beside the first one, and a question anew, and a follower sees all fields', async () => {
  const first = begin(bed.server, 'branches', { messages: [{ role: 'USER', content: 'Q', clientId: 'q' }] })
  first.write('A')
  const answer = await first.complete()
  const again = begin(bed.server, 'branches', {
    parentId: answer.parentId,
    name: 'second',
    model: 'm-2',
    metadata: { n: 2 },
  })
  const { parentId } = await again.complete({
    parts: [{ type: 'text', text: 'B' }],
    partsFormat: 'OPENAI_CHAT',
    toolCalls: [{ callId: 'c', name: 'f', arguments: '{}' }],
    usage: { total: 3 },
    finishReason: 'tool_calls',
  })
  expect(parentId).toBe(answer.parentId)
  const edit: MessageInput = { role: 'USER', content: 'Q, better', parentId: 'branches' }
  const edited = begin(bed.server, 'branches', { messages: [edit] })
  await edited.fail({ code: 'NO', message: 'No model.' })

  const appended: MessageAppended[] = []
  const at = { url: `${bed.server.url}/graphql`, conversationId: 'branches', after: '', ...common }
  for await (const event of followConversation(at)) {
    if (event.__typename === 'MessageAppended') appended.push(event)
    if (event.__typename === 'CaughtUp') break
  }
  const nodes = appended.map(({ edge }) => edge.node)
  const [question] = nodes
  expect(nodes.map((node) => node.parentId)).toEqual(['branches', question?.id, question?.id, 'branches', nodes[3]?.id])
  expect(nodes[2]).toMatchObject({
    conversationId: 'branches',
    name: 'second',
    content: 'B',
    partsFormat: 'OPENAI_CHAT',
    toolCalls: [{ callId: 'c', name: 'f', arguments: '{}', type: 'function', extra: null }],
    model: 'm-2',
    usage: { total: 3 },
    finishReason: 'tool_calls',
    metadata: { n: 2 },
    error: null,
    editedAt: null,
  })
  expect(nodes[4]).toMatchObject({ status: 'FAILED', error: { code: 'NO', message: 'No model.' } })
  // The place of an edge is one to go on from.
  const { edge } = appended[2] as MessageAppended
  expect(edge.cursor).toMatch(/./)
  for await (const event of followConversation({ ...at, after: edge.cursor })) {
    if (event.__typename === 'MessageAppended') expect(event.edge.node.seq).toBe(4)
    if (event.__typename === 'MessageAppended') break
  }
})

test('what is written while a call is out goes together, text with data alone, and what is long in several pieces', async () => {
  const stream = begin(bed.server, 'gathers')
  const long = '語😀'.repeat(20_000)
  for (const word of words(500)) stream.write(word)
  stream.write('', { reasoning: 'hm' })
  stream.write(long)
  await stream.started
  const client = await bed.database.connect()
  const chunks = () => client.query('select text, data from message_chunk order by chunk').then(({ rows }) => rows)
  await until(async () => (await chunks()).length === 4)
  const [first, second, ...rest] = await chunks()
  expect([first, second]).toEqual([
    { text: words(500).join(''), data: null },
    { text: '', data: { reasoning: 'hm' } },
  ])
  expect(rest.map(({ text }) => text).join('')).toBe(long)
  expect((await stream.complete()).content).toBe(words(500).join('') + long)
})

test('writing never waits, and drained() does while too much is unsent', async () => {
  await using proxy = await TcpProxy.before(bed.server)
  const stream = begin(proxy, 'drain', { maxUnsent: 1_000, timeoutMs: 60_000 })
  await stream.started
  await stream.drained()
  proxy.stall()
  stream.write('x'.repeat(1_000))
  await stream.drained()
  stream.write('y')
  let isDrained = false
  const drained = stream.drained().then(() => {
    isDrained = true
  })
  await bed.server.as().append('drain', 'goes another way')
  expect(isDrained).toBe(false)
  proxy.resume()
  await drained
  expect((await stream.complete()).content).toBe(`${'x'.repeat(1_000)}y`)
})

test('cut, stalled and dropped at random, between two servers: each text is what was written, and so is what followers see', async () => {
  await using other = await serve(bed.database.url, { MAX_MESSAGE_BYTES: '200000', POLL_MS: '50' })
  await using proxy = await TcpProxy.before(bed.server, other)
  const count = 6
  const isDone = (messages: readonly FollowedMessage[]) => messages.length === count && messages.every(isEnded)
  const disturbances = [() => proxy.cut(0.2), () => proxy.drop(0.2), () => proxy.stall(0.2), () => proxy.cut()]
  let disturbed = 0
  const timer = setInterval(() => disturbances[disturbed++ % disturbances.length]?.(), 40)
  await bed.server.as().get('mutation { createConversation(input: { id: "cut" }) { created } }')
  const following = [bed.server, proxy, proxy].map((server) => follow(server, 'cut', '', isDone))
  const streaming = Array.from({ length: count }, async (_, index) => {
    const stream = begin(proxy, 'cut')
    const written = words(150).map((word) => `${index}:${word}`)
    for (const [n, word] of written.entries()) {
      stream.write(word, n % 40 === 39 ? { n } : undefined)
      // At the pace of what comes through.
      if (n % 3 === 0) await bed.server.as().get('{ viewer { id } }')
    }
    const { id } = await stream.complete({ finishReason: `${index}` })
    return [id, written.join('')] as const
  })
  const texts = new Map(await Promise.all(streaming))
  clearInterval(timer)
  proxy.resume()
  const stored = await read('cut')
  expect(stored.map(({ id, content, status }) => [id, content, status])).toEqual(
    stored.map(({ id }) => [id, texts.get(id), 'COMPLETE']),
  )
  expect(texts.size).toBe(count)
  for (const view of await Promise.all(following)) {
    expect(view.map(({ seq, content }) => [seq, content])).toEqual(stored.map(({ seq, content }) => [seq, content]))
  }
  expect(disturbed).toBeGreaterThan(10)
})

test('a server that is killed in the middle takes nothing with it: it goes on at another one', async () => {
  // What this one accepts, it stores too late.
  await using first = await ServerProcess.start(bed.database.url, { TEXT_WINDOW_MS: '1000' })
  await using second = await ServerProcess.start(bed.database.url)
  await using proxy = await TcpProxy.before(first)
  const written = words(400)
  const stream = begin(proxy, 'killed')
  await stream.started
  for (const [n, word] of written.entries()) {
    stream.write(word)
    if (n % 5 === 0) await bed.server.as().get('{ viewer { id } }')
    if (n !== 200) continue
    first.program.kill('SIGKILL')
    proxy.aim(second)
  }
  expect((await stream.complete()).content).toBe(written.join(''))
})

test('what a server has lost is sent again, also when nothing more is written', async () => {
  await using proxy = await TcpProxy.before(bed.server)
  const stream = begin(proxy, 'lost')
  stream.write('first ')
  const client = await bed.database.connect()
  await until(async () => (await client.query("select from message_chunk where text = 'first '")).rowCount === 1)
  const count = async () => (await client.query("select from message_chunk where text = 'only'")).rowCount
  // The server accepts it, and cannot store it before it is forgotten there.
  await client.query('begin; lock table message_stream')
  stream.write('only')
  await until(async () => {
    const waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    return ((await client.query(waiting)).rowCount ?? 0) > 0
  })
  await client.query(`select pg_cancel_backend(pid) from pg_stat_activity
    where wait_event_type = 'Lock' and datname = current_database()`)
  await client.query('commit')
  proxy.cut()
  await until(async () => (await count()) === 1)
  expect((await stream.complete()).content).toBe('first only')
})

test('whoever asks it to stop is heard, and the message says so', async () => {
  const stream = begin(bed.server, 'stop', { timeoutSeconds: 3 })
  const { id } = await stream.started
  stream.write('so far')
  await bed.server.as().get(`mutation { stopMessage(input: { messageId: "${id}" }) { message { id } } }`)
  const { stopSignal } = stream
  if (!stopSignal.aborted) await new Promise((resolve) => stopSignal.addEventListener('abort', resolve))
  expect(stream.stopRequested).toBe(true)
  expect(await stream.complete({ status: 'CANCELLED' })).toMatchObject({ status: 'CANCELLED', content: 'so far' })
})

test('a producer that writes nothing gives signs of life by itself', async () => {
  const stream = begin(bed.server, 'alive', { timeoutSeconds: 3 })
  await stream.started
  const client = await bed.database.connect()
  const seen = new Set<string>()
  // Longer than its time, which is three of them.
  await until(async () => {
    const { rows } = await client.query('select expires_at::text from message_stream')
    return seen.add(rows[0]?.expires_at).size > 4
  })
  stream.write('late')
  expect(await stream.complete()).toMatchObject({ status: 'COMPLETE', content: 'late' })
})

test('another producer takes a message over, and the first one ends with a clear error', async () => {
  const stream = begin(bed.server, 'takeover')
  await stream.started
  stream.write('one ')
  await until(async () => (await read('takeover'))[0]?.content === 'one ')
  const next = takeOver(bed.server, stream.messageId as string)
  expect(await next.started).toMatchObject({ content: 'one ', nextChunk: 1 })
  expect(next.attempt).toBe(2)
  stream.write('never')
  const error = await stream.complete().catch((caught: StreamError) => caught)
  expect(error).toMatchObject({ name: 'StreamError', code: 'CONFLICT', reason: 'ATTEMPT' })
  expect(() => stream.write('more')).toThrow(error as StreamError)
  await expect(stream.drained()).rejects.toBe(error)
  await expect(stream.fail({ code: 'X', message: 'x' })).rejects.toBe(error)
  next.write('two')
  expect((await next.complete()).content).toBe('one two')
})

test('a call of its own to take over that comes late takes nothing from a producer', async () => {
  const first = begin(bed.server, 'late')
  const { id } = await first.started
  first.write('one ')
  await until(async () => (await read('late'))[0]?.content === 'one ')
  let calls = 0
  /** The first call to take over stays on its way. */
  class Losing extends WebSocket {
    override send(data: string): void {
      if (data.includes('resumeMessage') && calls++ === 0) this.terminate()
      else super.send(data)
    }
  }
  const next = takeOver(bed.server, id, { webSocketImpl: Losing })
  await next.started
  expect(next.attempt).toBe(2)
  // The server accepts each, and says only with the next one that it is stored.
  for (const text of ['two ', 'and ']) {
    next.write(text)
    await until(async () => (await read('late'))[0]?.content?.endsWith(text) === true)
  }
  await bed.server.as().get('mutation ($id: ID!) { resumeMessage(input: { messageId: $id }) { attempt } }', { id })
  next.write('three')
  expect((await next.complete()).content).toBe('one two and three')
  expect(next.attempt).toBe(4)
  await expect(first.complete()).rejects.toMatchObject({ reason: 'NOT_STREAMING' })
})

test('after a crash: a signal leaves the message as it is, for the next one to go on', async () => {
  const crash = new AbortController()
  const stream = begin(bed.server, 'crash', { signal: crash.signal })
  const { id } = await stream.started
  stream.write('half ')
  await until(async () => (await read('crash'))[0]?.content === 'half ')
  crash.abort()
  await expect(stream.complete()).rejects.toThrow('abort')
  expect(await read('crash')).toMatchObject([{ status: 'STREAMING' }])
  const next = takeOver(bed.server, id)
  next.write('whole')
  expect((await next.complete()).content).toBe('half whole')
})

test('a client id that another producer has begun to write with is refused, and one that nobody has is taken over', async () => {
  const first = begin(bed.server, 'same', { clientId: 'a' })
  await first.started
  const second = begin(bed.server, 'same', { clientId: 'a' })
  await second.started
  expect(second).toMatchObject({ messageId: first.messageId, attempt: 2 })
  second.write('text')
  await until(async () => (await read('same'))[0]?.content === 'text')
  const third = begin(bed.server, 'same', { clientId: 'a' })
  await expect(third.started).rejects.toMatchObject({ code: 'CONFLICT', reason: 'STARTED' })
  first.write('never')
  await expect(first.complete()).rejects.toMatchObject({ reason: 'ATTEMPT' })
  // Whoever was refused has not disturbed the one who writes.
  second.write(' and more')
  expect((await second.complete()).content).toBe('text and more')
  await expect(begin(bed.server, 'same', { clientId: 'a' }).started).rejects.toMatchObject({ reason: 'NOT_STREAMING' })
  await bed.server.as().get(`mutation { deleteMessage(input: { messageId: "${first.messageId}" }) { message { id } } }`)
  await expect(begin(bed.server, 'same', { clientId: 'a' }).started).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('where trying again would not help, it ends with what the server said', async () => {
  const ada = bed.server.as()
  await ada.append('errors', { role: 'USER', content: 'x', clientId: 'taken' })
  for (const [more, code, reason] of [
    [{ conversationId: 'missing', ifMissing: 'FAIL' }, 'NOT_FOUND', null],
    [{ conversationId: 'errors', ifLastSeq: 7 }, 'CONFLICT', 'LAST_SEQ'],
    [{ conversationId: 'errors', clientId: 'taken' }, 'CONFLICT', 'CLIENT_ID'],
    [{ conversationId: 'errors', role: 'TOOL' }, 'BAD_USER_INPUT', null],
    [{ conversationId: 'errors', selection: 'nothing' }, 'GRAPHQL_VALIDATION_FAILED', null],
  ] as const) {
    const stream = begin(bed.server, 'errors', more as object)
    await expect(stream.started, code).rejects.toMatchObject({ name: 'StreamError', code, reason })
    await expect(stream.complete()).rejects.toMatchObject({ code })
  }
  await expect(takeOver(bed.server, 'msg_nothing').started).rejects.toMatchObject({
    name: 'StreamError',
    code: 'NOT_FOUND',
  })
  const stream = begin(bed.server, 'errors')
  const { id } = await stream.started
  await ada.get(`mutation { deleteMessage(input: { messageId: "${id}" }) { message { id } } }`)
  stream.write('gone')
  await expect(stream.complete()).rejects.toMatchObject({ code: 'NOT_FOUND' })
})

test('a text that the server does not take fails the message, with what came before it', async () => {
  for (const [text, data, code] of [
    ['x'.repeat(200_000), undefined, 'PAYLOAD_TOO_LARGE'],
    // What is sent beside a text is not part of the message.
    ['', { nul: '\0' }, 'BAD_USER_INPUT'],
    // More than a frame may hold.
    ['', 'x'.repeat(5_000_000), 'PAYLOAD_TOO_LARGE'],
  ] as const) {
    const stream = begin(bed.server, 'refused')
    stream.write('before ', { n: 1 })
    stream.write(text, data)
    const error = await stream.complete().catch((caught: unknown) => caught)
    expect(error).toMatchObject({ name: 'StreamError', code })
    expect(() => stream.write('more')).toThrow(error as StreamError)
    const failed = await stream.fail({ code: 'X', message: 'x' })
    expect(failed).toMatchObject({ status: 'FAILED' })
    const stored = (await read('refused')).at(-1)
    expect(stored).toMatchObject({ status: 'FAILED', error: { code } })
    expect(stored?.content?.startsWith('before ')).toBe(true)
  }
})

test.each<[what: string, pieces: [text: string, data?: object][], text: string, isAltered: boolean]>([
  ['a pair in two pieces', [['\ud83d'], ['\ude00']], '😀', false],
  [
    'a pair in two pieces with data',
    [
      ['a\ud83d', { n: 1 }],
      ['\ude00b', { n: 2 }],
    ],
    'a😀b',
    false,
  ],
  ['a pair around data without text', [['a\ud83d'], ['', { n: 1 }], [''], ['\ude00']], 'a😀', false],
  ['a half at the end', [['a\ud83d']], 'a\ufffd', true],
  ['a half at the end, with data', [['a\ud83d', { n: 1 }]], 'a\ufffd', true],
  ['a first half before another text', [['a\ud83d'], ['b']], 'a\ufffdb', true],
  ['two first halves', [['\ud83d'], ['\ud83d'], ['\ude00']], '\ufffd😀', true],
  ['a second half', [['a'], ['\ude00', { n: 1 }]], 'a\ufffd', true],
  ['NUL', [['a\0'], ['\0', { n: 1 }]], 'a\ufffd\ufffd', true],
  ['U+FFFD of its own', [['a\ufffd']], 'a\ufffd', false],
  ['a pair where a chunk ends', [[`${'x'.repeat(32_767)}😀`]], `${'x'.repeat(32_767)}😀`, false],
])('never lost after it was paid for: a text with %s', async (_what, pieces, text, isAltered) => {
  const write = () => {
    const stream = begin(bed.server, `texts ${crypto.randomUUID()}`)
    for (const [piece, data] of pieces) stream.write(piece, data)
    return stream
  }
  const message = await write().complete({ finishReason: 'stop' })
  expect(message).toMatchObject({ status: 'COMPLETE', content: text, finishReason: 'stop' })
  if (isAltered) expect(message.error).toEqual({ code: 'NOT_STORED', message: expect.stringMatching(/^content: /) })
  else expect(message.error).toBeNull()
  const failed = await write().fail({ code: 'X', message: 'x' })
  expect(failed).toMatchObject({ status: 'FAILED', content: text, error: { code: 'X' } })
  expect(failed.error?.message).toMatch(isAltered ? /^x content: / : /^x$/)
})

/** Sockets, and a list of them as they are made. */
function listSockets() {
  const sockets: WebSocket[] = []
  class Listed extends WebSocket {
    constructor(...args: ConstructorParameters<typeof WebSocket>) {
      super(...args)
      sockets.push(this)
    }
  }
  return { sockets, webSocketImpl: Listed }
}

test('a socket that had an error and closes late takes nothing from the next one', async () => {
  await using late = await TcpProxy.before(bed.server)
  await using proxy = await TcpProxy.before(late)
  const { sockets, webSocketImpl } = listSockets()
  const connectionParams = () => {
    if (sockets.length > 1) return common.connectionParams
    // It is open, its error is told, and the other side does not hear that it closes.
    late.stall()
    proxy.aim(bed.server)
    throw new Error('There is no token.')
  }
  const stream = begin(proxy, 'late close', { webSocketImpl, connectionParams, timeoutMs: 15_000 })
  await stream.started
  const [first, second] = sockets as [WebSocket, WebSocket]
  expect(first.readyState).toBe(WebSocket.CLOSING)
  const closed = once(first, 'close')
  late.cut()
  await closed
  stream.write('Here.')
  expect(await stream.complete()).toMatchObject({ content: 'Here.' })
  expect(sockets).toEqual([first, second])
  await until(() => sockets.every(({ readyState }) => readyState === WebSocket.CLOSED))
})

test('credentials that fail late take nothing from the next connection', async () => {
  const { sockets, webSocketImpl } = listSockets()
  let failLate = () => {}
  const late = new Promise<never>((_, reject) => {
    failLate = () => reject(new Error('There is no token.'))
  })
  const connectionParams = () => (sockets.length > 1 ? common.connectionParams : late)
  const stream = begin(bed.server, 'late token', { webSocketImpl, connectionParams })
  await stream.started
  failLate()
  await late.catch(() => {})
  stream.write('Here.')
  expect(await stream.complete()).toMatchObject({ content: 'Here.' })
  expect(sockets).toHaveLength(2)
  await until(() => sockets.every(({ readyState }) => readyState === WebSocket.CLOSED))
})

const deep = (depth: number): unknown => (depth === 0 ? 1 : [deep(depth - 1)])
const cycle: Record<string, unknown> = {}
cycle.itself = cycle
const other = { partsFormat: 'OTHER' } as const
const toolCalls = [{ callId: 'c', name: 'f', arguments: '{}' }]

test.each<[what: string, fields: Completion, lost: string[]]>([
  ['half a surrogate pair', { parts: [{ text: '\ud83d' }], ...other, toolCalls }, ['parts']],
  ['NUL, twice', { parts: ['\0'], ...other, usage: { a: '\0' }, toolCalls }, ['parts', 'usage']],
  ['what is nested too deeply', { parts: [deep(100)], ...other, usage: { tokens: 1 } }, ['parts']],
  ['more than a message may have', { parts: ['x'.repeat(200_001)], ...other, usage: { tokens: 1 } }, ['parts']],
  ['more than a frame may have', { parts: ['x'.repeat(5_000_000)], ...other, usage: { tokens: 1 } }, ['parts']],
  ['too many parts', { parts: Array.from({ length: 10_001 }, () => 1), ...other, toolCalls }, ['parts']],
  ['an unknown format', { parts: [1], partsFormat: 'GEMINI' as 'OTHER', toolCalls }, ['parts']],
  ['too much metadata', { metadata: { a: 'x'.repeat(17_000) }, parts: [1], ...other }, ['metadata']],
  ['a big integer', { usage: { tokens: 1n }, parts: [1], ...other }, ['usage']],
  ['a cycle', { parts: [cycle], ...other, usage: { tokens: 1 } }, ['parts']],
  ['a call without a name', { toolCalls: [{ ...toolCalls[0], name: '' }] as typeof toolCalls }, ['toolCalls']],
  ['a long reason', { finishReason: 'x'.repeat(256), model: '' }, ['finishReason', 'model']],
  ['a content that cannot be stored', { content: '\ud83d' }, ['content']],
  ['an error that cannot be stored', { status: 'CANCELLED', error: { code: '', message: 'x' } }, ['error']],
])(
  'never lost after it was paid for: an end with %s is stored without it, and says so',
  async (_what, fields, lost) => {
    const id = `paid ${crypto.randomUUID()}`
    const stream = begin(bed.server, id)
    stream.write('It was paid for.')
    const { status = 'COMPLETE' } = fields
    const message = await stream.complete({ finishReason: 'stop', ...fields })
    expect(message).toMatchObject({ status, content: 'It was paid for.', error: { code: 'NOT_STORED' } })
    for (const field of ['parts', 'usage', 'toolCalls', 'finishReason'] as const) {
      const given = { finishReason: 'stop', ...fields }[field]
      const nothing = field === 'toolCalls' ? [] : null
      if (lost.includes(field)) expect(message[field], field).toEqual(nothing)
      else if (given !== undefined) expect(message[field], field).toMatchObject(given as object)
    }
    // One sentence for each, which names it and does not quote it.
    const sentences = message.error?.message ?? ''
    expect(sentences.length).toBeLessThan(300 * lost.length)
    expect(lost.filter((field) => sentences.includes(`${field}: `))).toEqual(lost)
    expect(await read(id)).toMatchObject([{ status, content: 'It was paid for.' }])
  },
)

test('an end whose text is as long as a message may be is stored with the parts of that text', async () => {
  const stream = begin(bed.server, 'longest')
  const text = '"x"\n'.repeat(200_000).slice(0, 200_000 - 'ASSISTANT'.length - 36)
  stream.write(text)
  const parts = [{ type: 'text', text }]
  const message = await stream.complete({ parts, partsFormat: 'ANTHROPIC', usage: { tokens: 1 }, finishReason: 'stop' })
  expect(message).toMatchObject({ status: 'COMPLETE', error: null, parts, usage: { tokens: 1 }, content: text })
})

test('of an answer that had nothing but what cannot be stored, the end is stored', async () => {
  const stream = begin(bed.server, 'nothing left')
  const message = await stream.complete({ parts: ['\0'], partsFormat: 'OTHER', usage: { tokens: 1 } })
  expect(message).toMatchObject({
    status: 'COMPLETE',
    content: '',
    error: { code: 'NOT_STORED' },
    usage: { tokens: 1 },
  })
})

test('a message that fails keeps its own error, beside what could not be stored', async () => {
  const stream = begin(bed.server, 'failed')
  stream.write('So far')
  const error = { code: 'OVERLOADED', message: 'Try later.' }
  const message = await stream.complete({ status: 'FAILED', error, parts: ['\0'], partsFormat: 'OTHER' })
  expect(message).toMatchObject({ status: 'FAILED', content: 'So far', error: { code: 'OVERLOADED' } })
  expect(message.error?.message).toMatch(/^Try later\. parts: /)
})

test('an end that the server does not take may be tried again otherwise', async () => {
  const stream = begin(bed.server, 'empty')
  await expect(stream.complete()).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
  const error = { code: 'NO_ANSWER', message: 'The model said nothing.' }
  expect(await stream.fail(error)).toMatchObject({ status: 'FAILED' })
  expect(await read('empty')).toMatchObject([{ status: 'FAILED', error, content: null }])
})

test('the agent of docs/start.md streams its answer, and says why when it could not', async () => {
  const guide = await readFile('docs/start.md', 'utf8')
  const [, block] = /```ts\n(const answer = streamMessage[\s\S]*?)```/.exec(guide) ?? []
  const names = ['streamMessage', 'url', 'connectionParams', 'question', 'model']
  // biome-ignore lint/security/noGlobalEval: it is ours, and this is the way to run it as it stands.
  const agent = eval(`(async (${names.join(', ')}) => { ${block} })`)
  const url = `${bed.server.url}/graphql`
  await bed.server.as().append('support-17', 'Hello')
  await agent(streamMessage, url, common.connectionParams, 'When?', async function* () {
    yield* ['To', 'morrow.']
  })
  await agent(streamMessage, url, common.connectionParams, 'Sure?', async function* () {
    yield 'Well'
    throw new Error('overloaded')
  })
  expect((await read('support-17')).slice(1)).toMatchObject([
    { role: 'USER', content: 'When?' },
    { role: 'ASSISTANT', content: 'Tomorrow.', status: 'COMPLETE', finishReason: 'stop' },
    { role: 'USER', content: 'Sure?' },
    { content: 'Well', status: 'FAILED', error: { code: 'MODEL_FAILED', message: 'overloaded' } },
  ])
})
