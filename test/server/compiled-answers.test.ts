import { readFileSync } from 'node:fs'
import { buildSchema, parse, print, separateOperations, validate } from 'graphql'
import { expect, test } from 'vitest'
import type { Answer, Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { createDatabase } from '../support/database/database.ts'
import { asToldHere, byGraphql } from '../support/documents/by-graphql.ts'
import { type Asked, Documents, type Taste } from '../support/documents/documents.ts'
import { EventStreamReader } from '../support/network/event-stream.ts'
import type { Random } from '../support/random.ts'
import { serve } from '../support/server.ts'

const bed = useBed()

/** How many documents of each kind, and from which seed. */
const count = Number(process.env.DOCUMENTS ?? 150)
const firstSeed = Number(process.env.DOCUMENTS_SEED ?? 1)

const schema = buildSchema(readFileSync('schema.graphql', 'utf8'))

/** What stands in documents for the id of a message, which every database has its own of. */
const messages = ['<m1>', '<m2>', '<m3>', '<m4>', '<m5>', '<m6>']

async function fill(api: Api): Promise<string[]> {
  const calls = [{ callId: 'c1', name: 'find', arguments: '{"a":1}', extra: { deep: [1, null] } }]
  await api.append('same', 'one')
  await api.append('same', { role: 'ASSISTANT', toolCalls: calls, model: 'm', usage: { tokens: 3 } })
  await api.append('same', { role: 'TOOL', toolCallId: 'c1', toolName: 'find', content: 'found', toolError: false })
  await api.append('same', { role: 'USER', parts: [{ type: 'text', text: 'x' }], partsFormat: 'OPENAI_CHAT' })
  await api.append('same', { role: 'USER', content: 'gone', clientId: 'gone', sentAt: '2026-01-02T03:04:05Z' })
  await api.append('same', { role: 'ASSISTANT', content: 'changed', clientId: 'changed', metadata: { a: { b: [] } } })
  const { conversation } = await api.get('{ conversation(id: "same") { messages { nodes { id } } } }')
  const ids = conversation.messages.nodes.map(({ id }: { id: string }) => id) as string[]
  await api.get('mutation ($id: ID!) { deleteMessage(input: { messageId: $id }) { message { id } } }', { id: ids[4] })
  await api.get('mutation ($id: ID!) { editMessage(input: { messageId: $id, content: "other" }) { message { id } } }', {
    id: ids[5],
  })
  await api.get(
    'mutation { createConversation(input: { id: "empty", title: "Empty", metadata: { a: 1 } }) { created } }',
  )
  return ids
}

/** Values that mean something here, and some that are refused. */
function value(random: Random, type: unknown, argument: string): unknown {
  const named = String(type).replace(/[[\]!]/g, '')
  const isList = String(type).startsWith('[')
  if (named === 'ID' && !isList) {
    if (/message|parent|leaf|branch/i.test(argument)) return random.pick([...messages, 'none'])
    return random.pick([...messages, 'same', 'same', 'empty', 'usr_ada', 'none'])
  }
  if (argument.startsWith('maxTokens')) return random.pick([10, 1_000, 100_000])
  if (named === 'Int') return random.pick([0, 1, 2, 3, 5, 50, 2_000])
  if (named === 'DateTime') return random.pick(['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.123456789Z'])
  if (/^(after|before)/.test(argument)) return random.pick(['', '', 'x'])
  if (argument.startsWith('clientId')) return random.pick(['changed', 'gone', 'none'])
  return undefined
}

const taste: Omit<Taste, 'kinds'> = { depth: 6, width: 5, wrong: 0.002, value }

/** Documents that are valid and answer something, with the seed of each. */
function* asking(kinds: Taste['kinds'], fixed: Taste['fixed'] = {}): Generator<Asked & { readonly seed: number }> {
  const documents = new Documents(schema, { ...taste, kinds, fixed })
  for (let seed = firstSeed, found = 0; found < count; seed++) {
    const asked = documents.make(seed)
    if (validate(schema, parse(asked.query)).length > 0) continue
    found += 1
    yield { ...asked, seed }
  }
}

test('a query is answered as by GraphQL itself', async () => {
  const ids = await fill(bed.server.as())
  const said = new Map<string, number>()
  for (const asked of asking(['query'])) {
    const right = asToldHere(await byGraphql(() => ask(bed.server.as(), asked, ids)))
    const compiled = await ask(bed.server.as(), asked, ids)
    expect(comparable(compiled), saying(asked)).toBe(comparable(right))
    for (const { extensions } of right.errors ?? []) said.set(extensions.code, (said.get(extensions.code) ?? 0) + 1)
    if (right.data) said.set('data', (said.get('data') ?? 0) + 1)
  }
  if (process.env.DOCUMENTS) console.log(Object.fromEntries(said))
  expect(said.get('INTERNAL_SERVER_ERROR')).toBeUndefined()
  expect(said.get('data')).toBeGreaterThan(count / 2)
})

test('a mutation does and answers the same as by GraphQL itself', async () => {
  // Each server changes a database of its own, in the same order.
  await using database = await createDatabase()
  await using plain = await serve(database.url)
  const eve = { 'x-user-id': 'eve' }
  const [compiledIds, plainIds] = [await fill(bed.server.as(eve)), await fill(plain.as(eve))]
  const said = new Map<string, number>()
  for (const asked of asking(['mutation'])) {
    const right = asToldHere(await byGraphql(() => ask(plain.as(eve), asked, plainIds)))
    const compiled = await ask(bed.server.as(eve), asked, compiledIds)
    expect(withoutOwn(comparable(compiled)), saying(asked)).toBe(withoutOwn(comparable(right)))
    for (const { extensions } of right.errors ?? []) said.set(extensions.code, (said.get(extensions.code) ?? 0) + 1)
    if (right.data && !right.errors) said.set('data', (said.get('data') ?? 0) + 1)
  }
  if (process.env.DOCUMENTS) console.log(Object.fromEntries(said))
  expect(said.get('INTERNAL_SERVER_ERROR')).toBeUndefined()
})

test('events are told as by GraphQL itself, over sockets and event streams, to one or many', async () => {
  const bob = { 'x-user-id': 'bob' }
  await fill(bed.server.as(bob))
  const fixed = {
    conversationEvents: '(conversationId: "same", after: "")',
    messageAppended: '(conversationId: "same", after: "")',
    conversationsChanged: '(after: "")',
  }
  for (const asked of asking(['subscription'], fixed)) {
    const right = await byGraphql(() => told(bed.server.as(bob), asked))
    const compiled = await Promise.all([
      told(bed.server.as(bob), asked),
      told(bed.server.as(bob), asked),
      streamed(bed.server.url, bob, asked),
    ])
    for (const answers of compiled) expect(answers, saying(asked)).toEqual(right)
  }
})

async function ask(api: Api, { query, operationName, variables }: Asked, ids: readonly string[]): Promise<Answer> {
  const body = JSON.stringify({ query, operationName, variables })
  const text = body.replace(/<m(\d)>/g, (_, number) => ids[number - 1] ?? '')
  return (await (await api.post(text)).json()) as Answer
}

/** How many events there are to tell. What waits for a person is one state. */
const eventsOf = ({ query, operationName }: Asked) =>
  onlyOperation(query, operationName).includes('waitingConversationsChanged') ? 1 : 3

async function told(api: Api, asked: Asked): Promise<string[]> {
  const { query, operationName, variables } = asked
  const events = eventsOf(asked)
  await using feed = api.subscribe(onlyOperation(query, operationName), variables)
  const answers: string[] = []
  try {
    while (answers.length < events) {
      const answer = await feed.next()
      if (answer === null) break
      answers.push(comparable(answer))
    }
  } catch (refused) {
    // The client throws the errors that came in place of results.
    answers.push(comparable({ data: undefined, errors: refused as Answer['errors'] }))
  }
  return answers
}

async function streamed(url: string, identity: Record<string, string>, asked: Asked): Promise<string[]> {
  const { operationName, variables } = asked
  const query = onlyOperation(asked.query, operationName)
  const events = eventsOf(asked)
  await using reader = await EventStreamReader.open(url, { query, variables, identity })
  const answers: string[] = []
  while (answers.length < events) {
    const event = await reader.event()
    if (event?.event !== 'next') break
    answers.push(comparable(JSON.parse(event.data ?? '')))
  }
  return answers
}

/** The operation alone, with its fragments: a socket's client of the tests names no operation. */
function onlyOperation(query: string, name: string): string {
  const document = parse(query)
  const source = separateOperations(document)[name]
  if (source === undefined) throw new Error(`no operation ${name}`)
  return print(source)
}

/**
 * What two answers have in common. Which errors are told beneath a place that is null because of one of them depends on
 * which came first, so of those only the place is compared; and so does the order of errors. A cursor of the list of
 * conversations has the time at which it was made.
 */
function comparable({ data, errors, extensions }: Answer): string {
  const told = (errors ?? []).map(({ path = [], ...error }) => {
    const place = nullIn(data, path)
    if (place.length < path.length) return JSON.stringify([place, 'beneath'])
    return JSON.stringify([path, error])
  })
  const answer = JSON.stringify({ data, extensions, errors: [...new Set(told)].sort() }, null, 1)
  return answer.replace(/"(?!msg_)[\w-]{30,}"/g, '"a cursor of the list"')
}

/** The part of a path that leads to null. */
function nullIn(data: unknown, path: readonly (string | number)[]): readonly (string | number)[] {
  let at = data
  for (const [length, step] of path.entries()) {
    if (at == null) return path.slice(0, length)
    at = (at as Record<string, unknown>)[step]
  }
  return path
}

/** Without what differs from database to database: ids of messages, cursors and times. */
function withoutOwn(answer: string): string {
  return answer
    .replace(/msg_[\w-]+/g, 'msg')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'time')
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]+/g, 'uuid')
    .replace(/"[\w-]{20,}"/g, '"a cursor"')
}

function saying({ seed, query, operationName, variables }: Asked & { readonly seed: number }): string {
  return `DOCUMENTS_SEED=${seed} ${operationName} ${JSON.stringify(variables)}\n${query}\n`
}
