import { createHash } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { pino } from 'pino'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createSchema } from '../../src/graphql/schema.ts'
import { type Measure, Quota } from '../../src/storage/postgres/quota.ts'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { recordStatements } from '../support/database/statements.ts'
import { Wire } from '../support/network/wire.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const none = { QUOTA_STREAMS: 'off' }
/** Without quotas of its own: what a test begins with is made here. */
const bed = useBed(none)

const call = (name: string, selected = '__typename') => {
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`
  return `mutation ($input: ${type}!) { ${name}(input: $input) { ${selected} } }`
}
const append = call('appendMessage', 'replayed message { seq }')
const appendMany = call('appendMessages', 'replayed')
const create = call('createConversation', 'created')
const start = call('startMessage', 'attempt replayed message { id }')
const text = call('appendMessageText', 'nextChunk')

/** A message of exactly so many bytes: its role counts 4. */
const message = (bytes: number, more: object = {}) => ({ role: 'USER', content: 'x'.repeat(bytes - 4), ...more })
const to = (conversationId: string, more: object) => ({ input: { conversationId, ifMissing: 'CREATE', ...more } })

function exceeded(quota: string, limit: number, used: number) {
  return { extensions: { code: 'QUOTA_EXCEEDED', quota, limit, used } }
}

/** All that a user has. */
async function everything(ada: Api): Promise<unknown> {
  const page = 'edges { node { seq content status revision deletedAt } }'
  return ada.get(
    `{ conversations(first: 10) { nodes { id title archivedAt updatedAt messages(first: 20) { ${page} } } } }`,
  )
}

/** A conversation with a message that is complete, and one that streams. */
interface Made {
  readonly id: string
  readonly message: string
  readonly streaming: string
}

async function make(ada: Api, id: string): Promise<Made> {
  const first = await ada.append(id, 'first')
  const { startMessage } = await ada.get(start, { input: { conversationId: id } })
  return { id, message: first.message.id, streaming: startMessage.message.id }
}

/** What each mutation takes room of, with an input that takes some of all of it. */
const mutations: Record<string, { readonly takes: readonly string[]; readonly input: (made: Made) => object }> = {
  appendMessage: {
    takes: ['conversations', 'bytes'],
    input: () => ({ conversationId: 'new', ifMissing: 'CREATE', message: { role: 'USER', content: 'new' } }),
  },
  appendMessages: {
    takes: ['conversations', 'bytes'],
    input: () => ({ conversationId: 'new', ifMissing: 'CREATE', messages: [{ role: 'USER', content: 'new' }] }),
  },
  addReaction: { takes: [], input: ({ message }) => ({ messageId: message, emoji: '👍' }) },
  removeReaction: { takes: [], input: ({ message }) => ({ messageId: message, emoji: '👍' }) },
  setFeedback: { takes: [], input: ({ streaming }) => ({ messageId: streaming, rating: 'UP' }) },
  addParticipant: { takes: [], input: ({ id }) => ({ conversationId: id, userId: 'grace' }) },
  appendMessageText: {
    takes: [],
    input: ({ streaming }) => ({ messageId: streaming, attempt: 1, chunk: 0, text: 'new' }),
  },
  clearConversation: { takes: [], input: ({ id }) => ({ id }) },
  completeMessage: {
    takes: [],
    input: ({ streaming }) => ({ messageId: streaming, attempt: 1, chunks: 0, content: 'whole' }),
  },
  createConversation: { takes: ['conversations'], input: () => ({ id: 'new', title: 'new' }) },
  deleteConversation: { takes: [], input: ({ id }) => ({ id }) },
  deleteMessage: { takes: [], input: ({ message }) => ({ messageId: message }) },
  editMessage: { takes: ['bytes'], input: ({ message }) => ({ messageId: message, content: 'longer than it was' }) },
  forkConversation: { takes: ['conversations', 'bytes'], input: ({ id }) => ({ id, newId: 'new', upToSeq: 1 }) },
  markRead: { takes: [], input: ({ id }) => ({ conversationId: id, seq: 1 }) },
  removeParticipant: { takes: [], input: ({ id }) => ({ conversationId: id, userId: 'grace' }) },
  resumeMessage: { takes: [], input: ({ streaming }) => ({ messageId: streaming }) },
  setActiveLeaf: { takes: [], input: ({ message }) => ({ messageId: message }) },
  setTyping: { takes: [], input: ({ id }) => ({ conversationId: id, isTyping: true }) },
  startMessage: {
    takes: ['conversations', 'bytes', 'streams'],
    input: () => ({ conversationId: 'new', ifMissing: 'CREATE' }),
  },
  stopMessage: { takes: [], input: ({ streaming }) => ({ messageId: streaming }) },
  takeOver: { takes: [], input: ({ id }) => ({ conversationId: id }) },
  handBack: { takes: [], input: ({ id }) => ({ conversationId: id }) },
  waitForPerson: { takes: [], input: ({ id }) => ({ conversationId: id, reason: 'a reason' }) },
  stopWaiting: { takes: [], input: ({ id }) => ({ conversationId: id }) },
  joinWaiting: { takes: [], input: ({ id }) => ({ conversationId: id }) },
  updateConversation: { takes: [], input: ({ id }) => ({ id, title: 'renamed', archived: true }) },
}

test('every mutation says what it takes room of', () => {
  const names = Object.keys(createSchema().getMutationType()?.getFields() ?? {})
  // An owner cannot leave. An answer to a call takes no room, but its call takes more than there is here.
  expect([...Object.keys(mutations), 'leaveConversation', 'answerCall'].sort()).toEqual(names.sort())
})

describe.each([
  ['conversations', 'QUOTA_CONVERSATIONS', 1],
  ['streams', 'QUOTA_STREAMS', 1],
  // 4 of a role and 5 of a text, and 9 of the role of a start.
  ['bytes', 'QUOTA_BYTES', 18],
])('whoever has used up %s', (quota, setting, limit) => {
  const limited = useBed({ ...none, [setting]: String(limit) })

  test.each(Object.entries(mutations))('sends %s', async (name, { takes, input }) => {
    const ada = limited.server.as({ 'x-user-id': name })
    const made = await make(ada, 'mine')
    const before = await everything(ada)
    const asked = { input: input(made) }
    if (!takes.includes(quota)) {
      await ada.get(call(name), asked)
      return
    }
    expect(await ada.fail(call(name), asked)).toMatchObject(exceeded(quota, limit, limit))
    expect(await everything(ada)).toEqual(before)
  })
})

describe('conversations', () => {
  const limited = useBed({ ...none, QUOTA_CONVERSATIONS: '2' })
  const as = (user: string) => limited.server.as({ 'x-user-id': user })
  const titles = async (ada: Api) =>
    (await ada.get('{ conversations(first: 10) { nodes { id } } }')).conversations.nodes.map(
      ({ id }: { id: string }) => id,
    )

  test('may be as many as the limit says, and one more only when one is deleted', async () => {
    const ada = as('edge')
    await ada.append('first', 'x')
    await ada.get(create, { input: { id: 'second' } })
    const refusal = await ada.fail(create, { input: { id: 'third' } })
    expect(refusal).toMatchObject(exceeded('conversations', 2, 2))
    expect(refusal.message).toBe(
      'There is no room for this: you have 2 conversations, and at most 2 are allowed. Delete a conversation, and try again.',
    )
    await ada.get(call('deleteConversation'), { input: { id: 'first' } })
    expect(await ada.get(create, { input: { id: 'third' } })).toEqual({ createConversation: { created: true } })
    expect(await ada.fail(append, to('first', { message: message(5) }))).toMatchObject(exceeded('conversations', 2, 2))
    expect((await titles(ada)).sort()).toEqual(['second', 'third'])
  })

  test('that exist are answered and appended to, whatever else would create them', async () => {
    const ada = as('existing')
    await ada.append('first', 'x')
    await ada.append('second', 'x')
    const input = { id: 'first', ifExists: 'RETURN' }
    expect(await ada.get(create, { input })).toEqual({ createConversation: { created: false } })
    expect(await ada.fail(create, { input: { id: 'first' } })).toMatchObject({ extensions: { reason: 'EXISTS' } })
    const fork = { input: { id: 'first', newId: 'second' } }
    expect(await ada.fail(call('forkConversation'), fork)).toMatchObject({ extensions: { reason: 'EXISTS' } })
    for (const id of ['first', 'second']) expect((await ada.append(id, 'y')).message.seq).toBe(2)
    const { startMessage } = await ada.get(start, to('first', {}))
    expect(startMessage.attempt).toBe(1)
  })

  test('of another user do not count', async () => {
    for (const user of ['one', 'other']) {
      const ada = as(user)
      for (const id of ['first', 'second']) await ada.append(id, 'x')
      expect(await ada.fail(create, { input: { id: 'third' } })).toMatchObject(exceeded('conversations', 2, 2))
    }
  })

  test('that come at once are no more than the limit says', async () => {
    const ada = as('many')
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        ada.ask(n % 2 ? create : append, n % 2 ? { input: {} } : to(`c${n}`, { message: message(5) })),
      ),
    )
    const codes = answers.flatMap(({ errors = [] }) => errors.map(({ extensions }) => extensions.code))
    expect(codes).toEqual(Array(18).fill('QUOTA_EXCEEDED'))
    expect(await titles(ada)).toHaveLength(2)
  })
})

describe('bytes', () => {
  const limited = useBed({ ...none, QUOTA_BYTES: '100' })
  const as = (user: string) => limited.server.as({ 'x-user-id': user })
  const known = { clientId: 'k' }

  test('may be as many as the limit says, and not one more', async () => {
    const ada = as('edge')
    await ada.append('a', message(50))
    expect(await ada.fail(append, to('b', { message: message(51) }))).toMatchObject(exceeded('bytes', 100, 50))
    expect(await ada.get('{ conversation(id: "b") { id } }')).toEqual({ conversation: null })
    expect((await ada.append('b', message(50))).message.seq).toBe(1)
    const refusal = await ada.fail(append, to('a', { message: message(5) }))
    expect(refusal).toMatchObject(exceeded('bytes', 100, 100))
    expect(refusal.message).toBe(
      'There is no room for this: you have 100 bytes of messages, and at most 100 are allowed. Delete messages or conversations, and try again.',
    )
  })

  test('that are stored already are replayed, and take no room again', async () => {
    const ada = as('replay')
    // The client id counts 1.
    const stored = message(79, known)
    await ada.append('a', stored)
    await ada.append('a', message(15))
    expect((await ada.append('a', stored)).replayed).toBe(true)
    const batch = (last: object) => to('a', { messages: [stored, last] })
    expect(await ada.fail(appendMany, batch(message(6)))).toMatchObject(exceeded('bytes', 100, 95))
    expect((await ada.get(appendMany, batch(message(5)))).appendMessages.replayed).toEqual([true, false])
    expect((await ada.append('a', stored)).replayed).toBe(true)
    expect(await ada.fail(append, to('a', { message: { ...stored, content: 'y' } }))).toMatchObject({
      extensions: { reason: 'CLIENT_ID' },
    })
  })

  test('of a message that is replaced count by what it grows', async () => {
    const ada = as('replace')
    await ada.append('a', message(49, known))
    await ada.append('a', message(40))
    const replace = (bytes: number) => to('a', { onExisting: 'REPLACE', messages: [message(bytes, known)] })
    expect(await ada.fail(appendMany, replace(60))).toMatchObject(exceeded('bytes', 100, 90))
    for (const bytes of [59, 58, 59, 20]) await ada.get(appendMany, replace(bytes))
    await ada.append('a', message(39))
    expect(await ada.fail(append, to('a', { message: message(5) }))).toMatchObject(exceeded('bytes', 100, 100))
  })

  test('of an edit count by what the message grows, and an edit that makes it smaller makes room', async () => {
    const ada = as('edit')
    const { message: first } = await ada.append('a', message(50))
    await ada.append('a', message(40))
    const edit = (bytes: number) => ({ input: { messageId: first.id, content: 'y'.repeat(bytes - 4) } })
    expect(await ada.fail(call('editMessage'), edit(61))).toMatchObject(exceeded('bytes', 100, 90))
    await ada.get(call('editMessage'), edit(60))
    await ada.get(call('editMessage'), edit(59))
    await ada.get(call('editMessage'), edit(20))
    await ada.append('a', message(40))
    expect(await ada.fail(append, to('a', { message: message(5) }))).toMatchObject(exceeded('bytes', 100, 100))
  })

  test.each([
    ['deleteMessage', (id: string) => ({ messageId: id })],
    ['clearConversation', () => ({ id: 'a' })],
    ['deleteConversation', () => ({ id: 'a' })],
  ])('make room at once: %s', async (name, input) => {
    const ada = as(name)
    const { message: first } = await ada.append('a', message(60))
    await ada.append('b', message(40))
    expect(await ada.fail(append, to('b', { message: message(60) }))).toMatchObject(exceeded('bytes', 100, 100))
    await ada.get(call(name), { input: input(first.id) })
    expect((await ada.append('b', message(60))).message.seq).toBe(2)
  })

  test('of a fork are those that it copies', async () => {
    const ada = as('fork')
    await ada.append('a', message(30))
    await ada.append('a', message(21))
    const fork = (newId: string, upToSeq?: number) => ({ input: { id: 'a', newId, upToSeq } })
    expect(await ada.fail(call('forkConversation'), fork('b'))).toMatchObject(exceeded('bytes', 100, 51))
    expect(await ada.get('{ conversation(id: "b") { id } }')).toEqual({ conversation: null })
    await ada.get(call('forkConversation'), fork('c', 1))
    expect(await ada.fail(append, to('a', { message: message(20) }))).toMatchObject(exceeded('bytes', 100, 81))
    await ada.append('a', message(19))
    // A copy of no message takes none.
    await ada.get(call('forkConversation'), fork('d', 0))
  })

  test('of a stream that runs are never refused, and count', async () => {
    const ada = as('stream')
    const { startMessage } = await ada.get(start, to('a', {}))
    const messageId = startMessage.message.id
    for (const chunk of [0, 1, 2])
      await ada.get(text, { input: { messageId, attempt: 1, chunk, text: 'y'.repeat(50) } })
    // The role of a start counts 9.
    expect(await ada.fail(append, to('a', { message: message(5) }))).toMatchObject(exceeded('bytes', 100, 159))
    expect(await ada.fail(start, to('a', {}))).toMatchObject(exceeded('bytes', 100, 159))
    const input = { messageId, attempt: 1, chunks: 3, model: 'm'.repeat(41) }
    await ada.get(call('completeMessage'), { input })
    expect(await ada.fail(append, to('a', { message: message(5) }))).toMatchObject(exceeded('bytes', 100, 200))
    // Beyond the limit, what takes no more is not refused: 9 of the role, 41 of the model, and a text that gets shorter.
    for (const content of ['y'.repeat(100), 'y']) await ada.get(call('editMessage'), { input: { messageId, content } })
    await ada.append('a', message(49))
  })

  test('of writes that come at once are no more than the limit says, and their refusals share looks', async () => {
    const ada = as('many')
    const answers: Awaited<ReturnType<Api['ask']>>[] = []
    const sent = await recordStatements(limited.database, async () => {
      const asks = Array.from({ length: 60 }, (_, n) => ada.ask(append, to(`c${n % 7}`, { message: message(10) })))
      answers.push(...(await Promise.all(asks)))
    })
    expect(answers.filter(({ errors }) => errors === undefined)).toHaveLength(10)
    const refusals = answers.flatMap(({ errors = [] }) => errors)
    for (const refusal of refusals) expect(refusal).toMatchObject(exceeded('bytes', 100, 100))
    expect(sent.filter(({ name }) => name === 'quota-bytes').length).toBeLessThan(20)
  })

  test('of a user with very many messages are measured piece by piece', async () => {
    const user = { 'x-user-id': 'pieces' }
    for (let n = 0; n < 10; n++) await bed.server.as(user).append(`c${n}`, message(10))
    const client = await bed.database.connect()
    await client.query("update conversation set last_seq = 40000 where user_id = 'pieces'")
    await using server = await serve(bed.database.url, { ...none, QUOTA_BYTES: '100' })
    const sent = await recordStatements(bed.database, async () => {
      const refusal = await server.as(user).fail(append, to('c0', { message: message(5) }))
      expect(refusal).toMatchObject(exceeded('bytes', 100, 100))
    })
    expect([8, 16]).toContain(sent.filter(({ name }) => name === 'quota-bytes').length)
  })

  test('are refused over a WebSocket as well, and all else goes on', async () => {
    const user = { 'x-user-id': 'socket' }
    await limited.server.as(user).append('a', message(100))
    await using wire = await Wire.open(limited.server.url, user)
    const { errors } = await wire.ask(append, to('a', { message: message(5) }))
    expect(errors).toMatchObject([exceeded('bytes', 100, 100)])
    expect((await wire.ask('{ conversation(id: "a") { lastSeq } }')).data.conversation.lastSeq).toBe(1)
  })
})

describe('streams', () => {
  const limited = useBed({ QUOTA_STREAMS: '2' })
  const as = (user: string) => limited.server.as({ 'x-user-id': user })
  test('cost nothing where no stream begins', async () => {
    const sent = await recordStatements(limited.database, () => as('appending').append('a', 'x'))
    expect(new Set(sent.flatMap(({ name }) => name?.split('-')[0] ?? []))).toEqual(new Set(['append']))
  })

  const begin = async (ada: Api, id: string) => (await ada.get(start, to(id, { clientId: 'k' }))).startMessage

  test('may be as many as the limit says; a retry is answered, and nothing of a start that is refused is stored', async () => {
    const ada = as('edge')
    await begin(ada, 'a')
    await begin(ada, 'b')
    const refusal = await ada.fail(start, to('c', { messages: [message(5)] }))
    expect(refusal).toMatchObject(exceeded('streams', 2, 2))
    expect(refusal.message).toBe(
      'There is no room for this: you have 2 messages that stream, and at most 2 are allowed. Complete one of them, and try again.',
    )
    expect(await ada.get('{ conversation(id: "c") { id } }')).toEqual({ conversation: null })
    expect(await begin(ada, 'a')).toMatchObject({ replayed: true, attempt: 1 })
  })

  test.each<[string, (message: string) => object]>([
    ['completeMessage', (messageId) => ({ messageId, attempt: 1, chunks: 0, content: 'whole' })],
    ['deleteMessage', (messageId) => ({ messageId })],
    ['clearConversation', () => ({ id: 'a' })],
    ['deleteConversation', () => ({ id: 'a' })],
  ])('that have ended make room at once: %s', async (name, input) => {
    const ada = as(name)
    const { message: first } = await begin(ada, 'a')
    await begin(ada, 'b')
    expect(await ada.fail(start, to('c', {}))).toMatchObject(exceeded('streams', 2, 2))
    await ada.get(call(name), { input: input(first.id) })
    expect((await begin(ada, 'c')).attempt).toBe(1)
    expect(await ada.fail(start, to('d', {}))).toMatchObject(exceeded('streams', 2, 2))
  })
})

describe('two servers', () => {
  test('each find what the other has stored, and room that the other has made', async () => {
    const settings = { ...none, QUOTA_BYTES: '100' }
    await using one = await serve(bed.database.url, settings)
    await using two = await serve(bed.database.url, settings)
    const user = { 'x-user-id': 'both' }
    const { message: first } = await two.as(user).append('a', message(60))
    await two.as(user).append('a', message(40))
    expect(await one.as(user).fail(append, to('a', { message: message(5) }))).toMatchObject(exceeded('bytes', 100, 100))
    await two.as(user).get(call('deleteMessage'), { input: { messageId: first.id } })
    await until(async () => (await one.as(user).ask(append, to('a', { message: message(60) }))).errors === undefined)
    expect(await two.as(user).fail(append, to('a', { message: message(60) }))).toMatchObject(
      exceeded('bytes', 100, 100),
    )
  })

  test('may together pass the limit by what each has not yet seen of the other', async () => {
    const settings = { ...none, QUOTA_CONVERSATIONS: '2' }
    await using one = await serve(bed.database.url, settings)
    await using two = await serve(bed.database.url, settings)
    const user = { 'x-user-id': 'between looks' }
    await one.as(user).append('a', 'x')
    await two.as(user).append('b', 'x')
    await one.as(user).append('c', 'x')
    expect(await one.as(user).fail(create, { input: {} })).toMatchObject(exceeded('conversations', 2, 3))
  })
})

test('a backend stores within the quota of the user for whom it acts, with times of long ago too', async () => {
  const key = 'k'.repeat(32)
  const hash = createHash('sha256').update(key).digest('hex')
  await using server = await serve(bed.database.url, { ...none, QUOTA_BYTES: '100', AUTH_SERVICE_KEYS: `crm:${hash}` })
  const as = (user: string) => server.as({ 'x-service-key': key, 'x-user-id': user })
  const imported = { message: message(60, { createdAt: '2020-01-01T00:00:00Z' }) }
  await as('first').get(append, to('a', imported))
  expect(await as('first').fail(append, to('a', imported))).toMatchObject({
    extensions: { code: 'QUOTA_EXCEEDED', quota: 'bytes' },
  })
  await as('second').get(append, to('a', imported))
})

test('without a quota nobody looks, whatever is stored', async () => {
  const ada = bed.server.as({ 'x-user-id': 'unlimited' })
  const sent = await recordStatements(bed.database, async () => {
    const { streaming } = await make(ada, 'a')
    await ada.get(call('completeMessage'), { input: { messageId: streaming, attempt: 1, chunks: 0, content: 'x' } })
    await ada.get(create, { input: {} })
  })
  expect(sent.filter(({ name }) => name?.startsWith('quota-'))).toEqual([])
})

describe('the looks of a quota', () => {
  afterEach(() => void vi.restoreAllMocks())

  /** A user's ten, of which `found` are used, and a clock that stands still. */
  function lookAt(measure: Measure, options?: { patienceMs?: number; mostUsers?: number }) {
    const lines: Record<string, unknown>[] = []
    const log = pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line)) })
    const clock = { now: 1_000 }
    vi.spyOn(performance, 'now').mockImplementation(() => clock.now)
    return { quota: new Quota('bytes', 10, measure, log, options), lines, clock }
  }
  const take = (quota: Quota, count: number, user = 'ada') =>
    quota.within(user, count, async (room) => {
      room.require(count)
    })

  test('are one for a user whose refusals flood, for a hundred times what the look took', async () => {
    let looks = 0
    const { quota, clock } = lookAt(async () => {
      looks += 1
      return { found: 10, tookMs: 20 }
    })
    for (let n = 0; n < 100; n++) await expect(take(quota, 1)).rejects.toMatchObject({ used: 10 })
    clock.now += 2_000
    await expect(take(quota, 1)).rejects.toThrow()
    expect(looks).toBe(1)
    clock.now += 1
    await expect(take(quota, 1)).rejects.toThrow()
    expect(looks).toBe(2)
  })

  test('are made again for a refusal after something was deleted', async () => {
    let found = 10
    const { quota } = lookAt(async () => ({ found, tookMs: 20 }))
    await expect(take(quota, 1)).rejects.toThrow()
    found = 5
    await expect(take(quota, 1)).rejects.toThrow()
    quota.free('ada')
    await take(quota, 5)
    await expect(take(quota, 1)).rejects.toMatchObject({ used: 10 })
  })

  test('are made while nobody waits, once the last is old: after five seconds, or a hundred times what it took', async () => {
    const looks: number[] = []
    let tookMs = 1
    const { quota, clock } = lookAt(async () => {
      looks.push(clock.now)
      return { found: 0, tookMs }
    })
    await take(quota, 1)
    clock.now = 6_000
    await take(quota, 1)
    tookMs = 100
    clock.now = 6_001
    await take(quota, 1)
    await turn()
    clock.now = 16_001
    await take(quota, 1)
    clock.now = 16_002
    await take(quota, 1)
    expect(looks).toEqual([1_000, 6_001, 16_002])
  })

  test('that refuse begin when no write of the user is under way, and new writes wait for them', async () => {
    const order: string[] = []
    let found = 7
    const { quota, clock } = lookAt(async () => {
      order.push('look')
      return { found, tookMs: 1 }
    })
    const slow = Promise.withResolvers<void>()
    const writing = quota.within('ada', 2, async (room) => {
      await slow.promise
      found += 2
      order.push('written')
      room.use(2)
    })
    const refused = take(quota, 2).catch(({ used }) => void order.push(`refused at ${used}`))
    // Its look is over when those before it are.
    await take(quota, 1, 'bob')
    const late = take(quota, 1).then(() => void order.push('late'))
    clock.now += 1_000
    slow.resolve()
    await Promise.all([writing, refused, late])
    expect(order.slice(0, 4)).toEqual(['look', 'look', 'written', 'look'])
    expect(order.slice(4).sort()).toEqual(['late', 'refused at 9'])
  })

  test('that take too long are not waited for: what is known decides until they are over', async () => {
    const look = Promise.withResolvers<number>()
    const measure = async () => ({ found: await look.promise, tookMs: 1 })
    const { quota } = lookAt(measure, { patienceMs: 1 })
    await take(quota, 6)
    await expect(take(quota, 5)).rejects.toMatchObject({ used: 6 })
    await take(quota, 4)
    look.resolve(3)
    await turn()
    // What was stored while the look ran may be among what it found, so a refusal looks again.
    await expect(take(quota, 8)).rejects.toMatchObject({ used: 3 })
  })

  test('that fail refuse nobody, and are told', async () => {
    const { quota, lines } = lookAt(() => Promise.reject(new Error('it took too long')))
    await take(quota, 10)
    expect(lines).toMatchObject([{ quota: 'bytes', user: 'ada', err: { message: 'it took too long' } }])
  })

  test('are remembered of so many users, and of those who wrote last', async () => {
    const looked: string[] = []
    const measure: Measure = async (user) => {
      looked.push(user)
      return { found: 0, tookMs: 1 }
    }
    const { quota } = lookAt(measure, { mostUsers: 100 })
    for (let n = 0; n < 1_000; n++) {
      await take(quota, 0, 'busy')
      await take(quota, 1, `user ${n}`)
    }
    await take(quota, 1, 'user 0')
    expect(quota.size).toBe(100)
    expect(looked.filter((user) => user === 'busy')).toHaveLength(1)
    expect(looked.filter((user) => user === 'user 0')).toHaveLength(2)
  })
})

describe('what a member writes counts for the owner of the conversation', () => {
  // 4 of a role, and 9 of that of a start.
  const limited = useBed({ QUOTA_BYTES: '100', QUOTA_STREAMS: '1' })
  const as = (userId: string) => limited.server.as({ 'x-user-id': userId })

  /** The id by which bob knows a conversation of ada's in which so many bytes are stored. */
  async function share(owner: string, bytes: number): Promise<{ id: string; member: Api; first: string }> {
    const [ada, member] = [as(owner), as(`${owner}'s member`)]
    const { message: first } = await ada.append('shared', message(bytes))
    await ada.get(call('addParticipant'), { input: { conversationId: 'shared', userId: `${owner}'s member` } })
    const { id } = (await member.get('{ conversations(first: 1) { nodes { id } } }')).conversations.nodes[0]
    return { id, member, first: first.id }
  }

  test('as far as the owner has room, whatever the member has', async () => {
    const { id, member } = await share('ada', 60)
    await member.append('own', message(100))
    const input = (bytes: number) => ({ input: { conversationId: id, message: message(bytes) } })
    expect(await member.fail(append, input(41))).toMatchObject(exceeded('bytes', 100, 60))
    await member.get(append, input(40))
    expect(await member.fail(append, input(5))).toMatchObject(exceeded('bytes', 100, 100))
    expect(await as('ada').fail(append, to('shared', { message: message(5) }))).toMatchObject(
      exceeded('bytes', 100, 100),
    )
  })

  test('also what an edit adds, and what a deletion frees', async () => {
    const { id, member } = await share('eve', 60)
    const own = await member.get(append, { input: { conversationId: id, message: message(30) } })
    expect(own.appendMessage.message.seq).toBe(2)
    const { conversation } = await member.get('query ($id: ID!) { conversation(id: $id) { message(seq: 2) { id } } }', {
      id,
    })
    const edit = (bytes: number) => ({ input: { messageId: conversation.message.id, content: 'x'.repeat(bytes - 4) } })
    expect(await member.fail(call('editMessage'), edit(41))).toMatchObject(exceeded('bytes', 100, 90))
    await member.get(call('editMessage'), edit(40))
    await member.get(call('deleteMessage'), { input: { messageId: conversation.message.id } })
    await as('eve').get(append, to('shared', { message: message(40) }))
  })

  test('also its streams', async () => {
    const { id, member } = await share('ida', 10)
    await member.append('own', message(10))
    await member.get(start, { input: { conversationId: 'own' } })
    await member.get(start, { input: { conversationId: id } })
    expect(await member.fail(start, { input: { conversationId: id } })).toMatchObject(exceeded('streams', 1, 1))
    expect(await as('ida').fail(start, to('shared', {}))).toMatchObject(exceeded('streams', 1, 1))
  })
})
