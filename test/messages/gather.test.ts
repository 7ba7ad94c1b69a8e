import { expect, test } from 'vitest'
import { TooManyWait } from '../../src/facts.ts'
import { Distribution } from '../../src/observe/distribution.ts'
import { Gather } from '../../src/storage/postgres/gather.ts'
import type { Answer, Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { hold } from '../support/database/hold.ts'
import { countStatements } from '../support/database/statements.ts'
import { Wire } from '../support/network/wire.ts'
import { patient } from '../support/patient.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const bed = useBed(patient)

const append = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) {
  replayed message { id seq content conversation { lastSeq } } conversation { id lastSeq title } } }`
const appendMany = `mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) {
  replayed messages { seq content } conversation { lastSeq } } }`
const contents =
  'query ($id: ID!, $after: String) { conversation(id: $id) { lastSeq messages(first: 100, after: $after) { nodes { seq content } pageInfo { endCursor hasNextPage } } } }'

const upTo = (last: number) => Array.from({ length: last }, (_, index) => index + 1)
const say = (
  api: Api,
  conversationId: string,
  content: string,
  more: object = {},
  message: object = {},
): Promise<Answer> =>
  api.ask(append, { input: { conversationId, message: { role: 'USER', content, ...message }, ...more } })

async function read(api: Api, id: string): Promise<{ seq: number; content: string }[]> {
  const found: { seq: number; content: string }[] = []
  for (let after: string | null = null; ; ) {
    const { conversation } = await api.get(contents, { id, after })
    found.push(...conversation.messages.nodes)
    if (!conversation.messages.pageInfo.hasNextPage) return found
    after = conversation.messages.pageInfo.endCursor
  }
}

/** Answers, by whether they are errors, and of which reason or code. */
function outcomes(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { data, errors } of answers) {
    const extensions = errors?.[0]?.extensions
    const outcome =
      extensions === undefined
        ? data.appendMessage.replayed
          ? 'replayed'
          : 'stored'
        : String(extensions.reason ?? extensions.code)
    counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  return counts
}

test('what many callers append at once is stored by few statements, each message once and in its place', async () => {
  const ada = bed.server.as()
  const ids = upTo(20).map((n) => `few-${n}`)
  for (const id of ids) await ada.append(id, 'first')
  await using server = await serve(bed.database.url, { ...patient, MAX_SUBSCRIPTIONS: '400' })
  // On one socket they come all at once.
  await using wire = await Wire.open(server.url)
  let answers: Answer[] = []
  const statements = await countStatements(bed.database, async () => {
    const asked = upTo(400).map((n) => {
      const message = { role: 'USER', content: `${n}`, clientId: `${n}` }
      return wire.subscribe(append, { input: { conversationId: ids[n % 20], message } })
    })
    const answered = new Map<string, Answer>()
    while (answered.size < asked.length) {
      const frame = await wire.next()
      if (frame.type === 'next') answered.set(frame.id as string, frame.payload as Answer)
    }
    answers = asked.map((id) => answered.get(id) as Answer)
  })
  // Where conversations are spread, twenty conversations have two transactions of four statements each.
  expect(statements).toBeLessThan(200)
  expect(outcomes(answers)).toEqual({ stored: 400 })
  const told = new Map(
    answers.map(({ data }) => [
      `${data.appendMessage.conversation.id} ${data.appendMessage.message.seq}`,
      data.appendMessage.message.content,
    ]),
  )
  for (const id of ids) {
    const stored = await read(ada, id)
    expect(stored.map(({ seq }) => seq)).toEqual(upTo(21))
    for (const { seq, content } of stored.slice(1)) expect(told.get(`${id} ${seq}`)).toBe(content)
  }
})

test('each answer shows the conversation as its own append left it', async () => {
  const ada = bed.server.as()
  await ada.append('own', 'first')
  const answers = await Promise.all(upTo(60).map((n) => say(ada, 'own', `${n}`)))
  for (const { data } of answers) {
    const { message, conversation } = data.appendMessage
    expect(conversation).toEqual({ id: 'own', lastSeq: message.seq, title: null })
    expect(message.conversation.lastSeq).toBe(message.seq)
  }
})

test('a client id that comes many times at once is stored once, and all others are its replays', async () => {
  const ada = bed.server.as()
  await ada.append('same', 'first')
  const others = upTo(50).map((n) => say(ada, 'same', `other ${n}`))
  const same = upTo(50).map(() => say(ada, 'same', 'one', {}, { clientId: 'one' }))
  const answers = await Promise.all(same)
  expect(outcomes(answers)).toEqual({ stored: 1, replayed: 49 })
  expect(new Set(answers.map(({ data }) => data.appendMessage.message.seq)).size).toBe(1)
  expect(outcomes(await Promise.all(others))).toEqual({ stored: 50 })
  expect((await read(ada, 'same')).filter(({ content }) => content === 'one')).toHaveLength(1)
})

test('a client id that comes with two payloads at once is a conflict for one of them', async () => {
  const ada = bed.server.as()
  await ada.append('two', 'first')
  const answers = await Promise.all(
    upTo(20).flatMap((n) => [
      say(ada, 'two', 'this', {}, { clientId: `${n}` }),
      say(ada, 'two', 'that', {}, { clientId: `${n}` }),
    ]),
  )
  expect(outcomes(answers)).toEqual({ stored: 20, CLIENT_ID: 20 })
  expect(await read(ada, 'two')).toHaveLength(21)
})

test('of conditional appends among others one wins at most, and only at its seq', async () => {
  const ada = bed.server.as()
  await ada.append('conditional', 'first')
  const plain = upTo(30).map((n) => say(ada, 'conditional', `${n}`))
  const conditional = upTo(10).map((n) => say(ada, 'conditional', `turn ${n}`, { ifLastSeq: 1 }))
  const won = (await Promise.all(conditional)).filter(({ errors }) => errors === undefined)
  expect(won.length).toBeLessThanOrEqual(1)
  for (const { data } of won) expect(data.appendMessage.message.seq).toBe(2)
  await Promise.all(plain)
  expect(await read(ada, 'conditional')).toHaveLength(31 + won.length)
})

test('many that may create the conversation create it once, and are all stored', async () => {
  const ada = bed.server.as()
  const ids = upTo(5).map((n) => `created-${n}`)
  const answers = await Promise.all(upTo(100).map((n) => say(ada, ids[n % 5] ?? '', `${n}`, { ifMissing: 'CREATE' })))
  expect(outcomes(answers)).toEqual({ stored: 100 })
  for (const id of ids) expect((await read(ada, id)).map(({ seq }) => seq)).toEqual(upTo(20))
})

test('batches of several messages stay whole among others', async () => {
  const ada = bed.server.as()
  await ada.append('whole', 'first')
  const batch = (n: number) => upTo(5).map((part) => ({ role: 'USER', content: `${n}.${part}` }))
  const answers = await Promise.all(
    upTo(30).map((n) => ada.get(appendMany, { input: { conversationId: 'whole', messages: batch(n) } })),
  )
  const stored = await read(ada, 'whole')
  for (const { appendMessages } of answers) {
    const first = appendMessages.messages[0].seq as number
    expect(appendMessages.conversation.lastSeq).toBe(first + 4)
    expect(stored.slice(first - 1, first + 4)).toEqual(appendMessages.messages)
  }
})

test("a conversation that is missing, deleted, of an earlier life or another's is NOT_FOUND, and its neighbours are stored", async () => {
  const ada = bed.server.as()
  const mallory = bed.server.as({ 'x-user-id': 'mallory' })
  // What a stranger knows who got hold of a message's id: the key and the epoch.
  const idOf = ({ message }: { message: { id: string } }) => {
    const bytes = Buffer.from(message.id.slice(4), 'base64url')
    return `cnv_${bytes.subarray(1, 23).toString('base64url')}`
  }
  const foreign = idOf(await ada.append('neighbour', 'first'))
  await ada.append('gone', 'first')
  const earlier = idOf(await ada.append('reborn', 'first life'))
  for (const id of ['gone', 'reborn']) {
    await ada.get('mutation ($id: ID!) { deleteConversation(input: { id: $id }) { deletedConversationId } }', { id })
  }
  await ada.append('reborn', 'second life')
  const good = upTo(40).map((n) => say(ada, 'neighbour', `${n}`))
  const bad = upTo(10).flatMap(() => [
    say(ada, 'gone', 'x'),
    say(ada, 'never', 'x'),
    say(ada, earlier, 'x'),
    say(mallory, foreign, 'x'),
  ])
  expect(outcomes(await Promise.all(bad))).toEqual({ NOT_FOUND: 40 })
  expect(outcomes(await Promise.all(good))).toEqual({ stored: 40 })
  expect(await read(ada, 'neighbour')).toHaveLength(41)
  expect(await read(ada, 'reborn')).toHaveLength(1)
})

test('a conversation that somebody holds holds up only its own appends', async () => {
  const ada = bed.server.as()
  const ids = upTo(20).map((n) => `free-${n}`)
  for (const id of [...ids, 'held']) await ada.append(id, 'first')
  const holder = await hold(bed.database, 'held')
  const held = upTo(40).map((n) => say(ada, 'held', `${n}`))
  const alone = await say(ada, ids[0] ?? '', 'alone')
  expect(outcomes([alone])).toEqual({ stored: 1 })
  const free = await Promise.all(upTo(200).map((n) => say(ada, ids[n % 20] ?? '', `${n}`)))
  expect(outcomes(free)).toEqual({ stored: 200 })
  await holder.query('commit')
  expect(outcomes(await Promise.all(held))).toEqual({ stored: 40 })
  expect((await read(ada, 'held')).map(({ seq }) => seq)).toEqual(upTo(41))
})

test('a message that PostgreSQL refuses fails alone', async () => {
  const ada = bed.server.as()
  const client = await bed.database.connect()
  for (const id of ['bad', 'good']) await ada.append(id, 'first')
  // Citus takes no trigger otherwise; elsewhere it is the name of nothing.
  await client.query('set citus.enable_unsafe_triggers = on')
  await client.query(`
    create function refuse() returns trigger language plpgsql as $$ begin raise check_violation; end $$`)
  await client.query(`
    create trigger refuse before insert on message for each row when (new.content = 'poison') execute function refuse()`)
  const answers = upTo(60).map((n) => say(ada, n % 2 === 0 ? 'bad' : 'good', n === 30 ? 'poison' : `${n}`))
  expect(outcomes(await Promise.all(answers))).toEqual({ stored: 59, INTERNAL_SERVER_ERROR: 1 })
  await client.query('drop function refuse cascade')
  expect((await read(ada, 'bad')).map(({ seq }) => seq)).toEqual(upTo(30))
})

test('writers on two servers leave no gap and lose nothing', async () => {
  await using near = await serve(bed.database.url, patient)
  await using far = await serve(bed.database.url, patient)
  const apis = [near.as(), far.as()]
  const ids = upTo(4).map((n) => `both-${n}`)
  const answers = await Promise.all(
    upTo(400).map((n) =>
      say(apis[(n >> 1) % 2] as Api, ids[n % 4] ?? '', `${n}`, { ifMissing: 'CREATE' }, { clientId: `${n % 348}` }),
    ),
  )
  expect(outcomes(answers)).toEqual({ stored: 348, CLIENT_ID: 52 })
  let total = 0
  for (const id of ids) {
    const stored = await read(apis[0] as Api, id)
    expect(stored.map(({ seq }) => seq)).toEqual(upTo(stored.length))
    total += stored.length
  }
  expect(total).toBe(348)
})

test('appends that can only follow each other are refused once they have waited longer than they may together', async () => {
  await using server = await serve(bed.database.url, { POOL_TIMEOUT_MS: '1000', LOCK_TIMEOUT_MS: '1500' })
  const ada = server.as()
  await ada.append('chained', 'first')
  const holder = await hold(bed.database, 'chained')
  // One client id: none of them can be stored together with another.
  const answers = await Promise.all(upTo(10).map(() => say(ada, 'chained', 'same', {}, { clientId: 'same' })))
  await holder.query('rollback')
  expect(outcomes(answers)).toEqual({ UNAVAILABLE: 10 })
  const sentences = answers.map(({ errors }) => errors?.[0]?.message ?? '')
  expect(sentences.filter((sentence) => sentence.startsWith('The database was away'))).not.toEqual([])
  expect(sentences.filter((sentence) => sentence.startsWith('Too many requests wait'))).not.toEqual([])
  expect(await read(ada, 'chained')).toEqual([{ seq: 1, content: 'first' }])
})

test.each([
  ['is refused if it has waited longer than it may', 50, TooManyWait],
  ['begins if it has not', 60_000, null],
])('what waits for a run that takes long %s', async (_what, waitMs, refusal) => {
  const began: string[] = []
  const first = Promise.withResolvers<void>()
  await using gather = new Gather<string, string>({
    name: 'test',
    counts: { batches: new Distribution([]), waiting: 0, refused: 0 },
    keyOf: () => 'key',
    sizeOf: () => 1,
    run: async (items) => {
      began.push(...items)
      await first.promise
      return items.map((result) => ({ result }))
    },
    windowMs: 0,
    waitMs,
    runItems: 1,
    runItemsOfKey: 1,
    runSize: 1,
  })
  const one = gather.add('one')
  await until(() => began.length === 1)
  const two = gather.add('two')
  const earlier = performance.now()
  await until(() => performance.now() > earlier + 50)
  first.resolve()
  expect(await one).toBe('one')
  if (refusal === null) expect(await two).toBe('two')
  else await expect(two).rejects.toThrow(refusal)
  expect(began).toEqual(refusal === null ? ['one', 'two'] : ['one'])
})
