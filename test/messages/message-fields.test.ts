import { randomUUID } from 'node:crypto'
import {
  type GraphQLInputField,
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql'
import { describe, expect, test } from 'vitest'
import { followConversation } from '../../client/src/index.ts'
import { createSchema } from '../../src/graphql/schema.ts'
import { columns, givenColumns } from '../../src/storage/message/message-columns.ts'
import { useBed } from '../support/bed.ts'

const bed = useBed()
const schema = createSchema()

type Fields = Record<string, unknown>

/** The fields of a message as it is answered, and as an append takes it. */
const answered = (schema.getType('Message') as GraphQLObjectType).getFields()
/**
 * Without `parentClientId`, which names the `parentId` in another way, and what has a table of its own, which
 * people/chat tries.
 */
const taken = inputFields('MessageInput').filter(
  ({ name }) => !['parentClientId', 'replyTo', 'mentions'].includes(name),
)

/** All of a message, but not its conversation. */
const everything = Object.values(answered)
  .filter(({ type }) => !isNode(getNamedType(type)))
  .map(({ name, type }) => `${name} ${subfields(getNamedType(type))}`)
  .join(' ')

const names = (fields: readonly GraphQLInputField[]) => fields.map(({ name }) => name)
const takenBy = (input: string) => inputFields(input).filter(({ name }) => names(taken).includes(name))
const addresses = names(inputFields('DeleteMessageInput'))

const edited = takenBy('EditMessageInput').filter(({ name }) => !addresses.includes(name))
const started = takenBy('StartMessageInput')
const completed = inputFields('CompleteMessageInput').filter(({ name }) => name in answered)
/** Those that a caller may leave out; a message without a client id can neither be retried nor replaced. */
const optional = taken.filter(({ name, type }) => !isNonNullType(type) && name !== 'clientId')
const notClientId = (fields: readonly GraphQLInputField[]) => fields.filter(({ name }) => name !== 'clientId')

test('the table of columns has every field that an input of the API takes', () => {
  const written = (writer: 'append' | 'import' | 'edit' | 'completion') =>
    givenColumns
      .filter(({ writers }) => (writers as readonly string[]).includes(writer))
      .map(({ property }) => property)
  // The parent is a column that the server writes: its seq.
  expect(names(taken).sort()).toEqual([...written('append'), ...written('import'), 'parentId'].sort())
  expect(names(edited).sort()).toEqual(written('edit').sort())
  expect(names(completed).sort()).toEqual([...written('completion'), 'error', 'status'].sort())
})

test('an append stores every field, and each comes back equal', async () => {
  const place = await begin()
  const message = fieldsOf(taken, 1, place)
  const stored = await append(place, message)
  expect(pick(stored, taken)).toEqual(message)
  expect(await read(stored)).toEqual(stored)
})

test('a follower of the client library is told every field, but for those that cost a look of their own', async () => {
  const place = await begin()
  const { siblings, readBy, reactions, mentions, feedback, author, ...stored } = await append(
    place,
    fieldsOf(taken, 1, place),
  )
  const { picture, ...writer } = author as Record<string, unknown>
  expect([siblings, readBy, reactions, mentions, feedback, picture]).toEqual([
    expect.anything(),
    expect.anything(),
    [],
    [],
    null,
    null,
  ])
  const following = followConversation({
    url: `${bed.server.url}/graphql`,
    conversationId: place.conversationId,
    after: '',
    connectionParams: { 'x-user-id': 'ada' },
  })
  const told = []
  for await (const event of following) {
    if (event.__typename === 'MessageAppended') told.push(event.edge.node)
    if (event.__typename === 'CaughtUp') break
  }
  expect(told.at(-1)).toEqual({ ...stored, author: writer })
})

describe('an edit', () => {
  test.each(edited)('of $name alone keeps everything else', async (field) => {
    const place = await begin()
    const before = await append(place, fieldsOf(taken, 1, place))
    for (const value of [valueFor(field, 2, place), null]) {
      const input = { messageId: before.id, [field.name]: value }
      const { message } = await mutate('editMessage', `message { ${everything} }`, input)
      const { updatedAt, editedAt, revision } = message
      const change = { [field.name]: value ?? nothing(field.name), updatedAt, editedAt, revision }
      expect(message).toEqual({ ...before, ...change })
      expect(await read(before)).toEqual(message)
    }
  })
})

describe('a message that streams', () => {
  test('has every field that it was started with', async () => {
    const place = await begin()
    const message = fieldsOf(started, 1, place)
    expect(pick((await start(place, message)).message, started)).toEqual(message)
  })

  test.each(notClientId(started))('is another one to a retry with another $name', async (field) => {
    const place = await begin()
    const message = fieldsOf(started, 1, place)
    expect((await start(place, message)).replayed).toBe(false)
    expect((await start(place, message)).replayed).toBe(true)
    await expect(start(place, { ...message, [field.name]: valueFor(field, 2, place) })).rejects.toThrow('CONFLICT')
  })

  test.each(completed)('keeps everything else when its completion brings only $name', async (field) => {
    const place = await begin()
    const { message, attempt } = await stream(place)
    const input = { ...attempt, [field.name]: valueFor(field, 2, place) }
    const { message: after } = await mutate('completeMessage', `message { ${everything} }`, input)
    const { updatedAt, revision } = after
    const end = { status: 'COMPLETE', nextChunk: null, updatedAt, revision }
    expect(after).toEqual({ ...message, ...end, [field.name]: valueFor(field, 2, place) })
    expect(await read(message)).toEqual(after)
  })

  test('keeps everything when its completion brings null', async () => {
    const { message, attempt } = await stream(await begin())
    const nulls = completed.filter(({ type }) => !isNonNullType(type)).map(({ name }) => [name, null])
    const input = { ...attempt, ...Object.fromEntries(nulls) }
    const { message: after } = await mutate('completeMessage', `message { ${everything} }`, input)
    const { updatedAt, revision } = after
    expect(after).toEqual({ ...message, status: 'COMPLETE', nextChunk: null, updatedAt, revision })
  })
})

describe('a save that replaces', () => {
  test('gives every field its new value, but keeps the parent, the client id and when the message was created', async () => {
    const place = await begin()
    const { before, after, kept, message } = await replace(place)
    const { updatedAt, editedAt, revision } = after
    expect(after).toEqual({ ...before, ...message, ...kept, updatedAt, editedAt, revision })
    expect(await read(before)).toEqual(after)
  })

  test.each(optional.filter(({ name }) => name !== 'createdAt'))(
    'clears $name when it leaves it out',
    async ({ name }) => {
      const place = await begin()
      const { after, kept, message } = await replace(place, name)
      expect(pick(after, taken)).toEqual({ ...message, [name]: nothing(name), ...kept })
    },
  )
})

test('a fork copies every field, and of its columns those that the table says', async () => {
  const place = await begin()
  await fill(place)
  const newId = randomUUID()
  await mutate('forkConversation', 'conversation { id }', { id: place.conversationId, newId })
  const [messages, copies] = [await readAll(place.conversationId), await readAll(newId)]
  // Ids differ: a parent is the same when it has the same place.
  const given = (all: Fields[]) =>
    all.map((message) => ({ ...pick(message, taken), parentId: all.findIndex(({ id }) => id === message.parentId) }))
  expect(given(copies)).toEqual(given(messages))
  const [rows, copied] = [await readRows(place.conversationId), await readRows(newId)]
  for (const { name, fork } of columns) {
    const values = rows.map((row) => (fork === 'copies' ? row[name] : null))
    expect([name, copied.map((row) => row[name])]).toEqual([name, values])
  }
})

test('a deletion clears and keeps what the table says: content, parts, tool calls and metadata are gone', async () => {
  const place = await begin()
  await fill(place)
  const before = await readRows(place.conversationId)
  for (const { id } of (await readAll(place.conversationId)).slice(3)) {
    const { message } = await mutate('deleteMessage', `message { ${everything} }`, { messageId: id })
    const { content, parts, toolCalls, metadata } = message
    expect({ content, parts, toolCalls, metadata }).toEqual({ content: null, parts: null, toolCalls: [], metadata: {} })
    expect(await read(message)).toEqual(message)
  }
  const after = await readRows(place.conversationId)
  const cleared: Fields = { size: 0, metadata: {} }
  const moved = ['revision', 'updated_at', 'deleted_at']
  for (const { name, deletion } of columns.filter(({ name }) => !moved.includes(name))) {
    const values = before.slice(3).map((row) => (deletion === 'keeps' ? row[name] : (cleared[name] ?? null)))
    expect([name, after.slice(3).map((row) => row[name])]).toEqual([name, values])
  }
})

describe('the payload of an append', () => {
  test.each(notClientId(taken))('is another one with another $name', async (field) => {
    const place = await begin()
    const message = fieldsOf(taken, 1, place)
    await append(place, message)
    expect((await save(place, message)).replayed).toEqual([true])
    await expect(append(place, { ...message, [field.name]: valueFor(field, 2, place) })).rejects.toThrow('CONFLICT')
  })

  test.each(optional)(
    'is the same whether $name is null or absent, and another one when it is given',
    async (field) => {
      const place = await begin()
      const { [field.name]: value, ...message } = fieldsOf(taken, 1, place)
      await append(place, message)
      expect((await save(place, { ...message, [field.name]: null })).replayed).toEqual([true])
      await expect(append(place, { ...message, [field.name]: value })).rejects.toThrow('CONFLICT')
    },
  )

  test.each(inputFields('ToolCallInput'))('is another one with another $name of a tool call', async (field) => {
    const place = await begin()
    const message = fieldsOf(taken, 1, place)
    await append(place, message)
    const [call] = message.toolCalls as Fields[]
    const toolCalls = [{ ...call, [field.name]: valueFor(field, 2, place) }]
    await expect(append(place, { ...message, toolCalls })).rejects.toThrow('CONFLICT')
  })
})

interface Place {
  readonly conversationId: string
  readonly messageIds: readonly string[]
}

/** A conversation of three messages, so that what comes next may continue one that is not the last. */
async function begin(): Promise<Place> {
  const conversationId = randomUUID()
  const messages = ['one', 'two', 'three'].map((content) => ({ role: 'USER', content }))
  const input = { conversationId, ifMissing: 'CREATE', messages }
  const stored = await mutate('appendMessages', 'messages { id }', input)
  return { conversationId, messageIds: stored.messages.map(({ id }: Fields) => id) }
}

async function save({ conversationId }: Place, message: Fields, onExisting = 'FAIL') {
  const input = { conversationId, onExisting, messages: [message] }
  return mutate('appendMessages', `replayed messages { ${everything} }`, input)
}

async function append(place: Place, message: Fields): Promise<Fields> {
  return (await save(place, message)).messages[0]
}

async function start({ conversationId }: Place, message: Fields) {
  return mutate('startMessage', `attempt replayed message { ${everything} }`, { conversationId, ...message })
}

/** A message that was started with all that a start takes, and that says something; and what its completion has to name. */
async function stream(place: Place, more: Fields = {}) {
  const begun = await start(place, { ...fieldsOf(started, 1, place), ...more })
  const writer = { messageId: begun.message.id, attempt: begun.attempt }
  await mutate('appendMessageText', 'nextChunk', { ...writer, chunk: 0, text: 'so far' })
  return { message: await read(begun.message), attempt: { ...writer, chunks: 1 } }
}

/** Saves another message over one with the same client id. @param without a field that it leaves out */
async function replace(place: Place, without?: string) {
  const before = await append(place, fieldsOf(taken, 1, place))
  const { parentId, clientId, createdAt } = before
  const kept = { parentId, clientId, createdAt }
  const message = { ...fieldsOf(taken, 2, place), clientId: before.clientId }
  const given = Object.entries(message).filter(([name]) => name !== without)
  const { messages } = await save(place, Object.fromEntries(given), 'REPLACE')
  return { before, after: messages[0] as Fields, kept, message }
}

/** Two more messages in whose rows each column has a value, in one or the other; only neither is deleted. */
async function fill(place: Place): Promise<void> {
  const { id } = await append(place, fieldsOf(taken, 1, place))
  await mutate('editMessage', 'message { id }', { messageId: id, metadata: { edited: true } })
  const { message, attempt } = await stream(place, { clientId: 'streamed' })
  await mutate('stopMessage', 'message { id }', { messageId: message.id })
  await mutate('completeMessage', 'message { id }', { ...attempt, ...fieldsOf(completed, 2, place) })
  // They come from credentials, and not from any field.
  const client = await bed.database.connect()
  await client.query(
    "update message set author_id = 'x', author_kind = 'AGENT', author_name = 'y' where client_id = 'streamed'",
  )
  const rows = await readRows(place.conversationId)
  expect(columns.filter(({ name }) => rows.every((row) => row[name] === null)).map(({ name }) => name)).toEqual([
    'deleted_at',
  ])
}

/** Runs a mutation and answers its payload. */
async function mutate(name: string, payload: string, input: object) {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`
  const data = await bed.server
    .as()
    .get(`mutation ($input: ${type}!) { ${name}(input: $input) { ${payload} } }`, { input })
  return data[name]
}

async function read({ id }: Fields): Promise<Fields> {
  const query = `query ($id: ID!) { node(id: $id) { ... on Message { ${everything} } } }`
  return (await bed.server.as().get(query, { id })).node
}

async function readAll(id: string): Promise<Fields[]> {
  const query = `query ($id: ID!) { conversation(id: $id) { messages(first: 100) { nodes { ${everything} } } } }`
  return (await bed.server.as().get(query, { id })).conversation.messages.nodes
}

async function readRows(id: string): Promise<Fields[]> {
  const client = await bed.database.connect()
  const { rows } = await client.query(
    'select to_jsonb(m) as row from message m join conversation c on c.key = m.conversation_key where c.id = $1 order by seq',
    [id],
  )
  return rows.map(({ row }) => row)
}

function inputFields(name: string): GraphQLInputField[] {
  return Object.values((schema.getType(name) as GraphQLInputObjectType).getFields())
}

function isNode(type: GraphQLNamedType): boolean {
  return isObjectType(type) && type.getInterfaces().some(({ name }) => name === 'Node')
}

function subfields(type: GraphQLNamedType): string {
  if (!isObjectType(type)) return ''
  const fields = Object.values(type.getFields()).filter((field) => !isObjectType(getNamedType(field.type)))
  return `{ ${fields.map(({ name }) => name).join(' ')} }`
}

/** What a field of a message answers when it holds nothing. */
function nothing(name: string): unknown {
  const type = answered[name]?.type
  if (!isNonNullType(type)) return null
  return isListType(type.ofType) ? [] : {}
}

function pick(message: Fields, fields: readonly GraphQLInputField[]): Fields {
  return Object.fromEntries(names(fields).map((name) => [name, message[name]]))
}

/** A value for each field, made from its type. @param n 1 or 2: the two differ in every field */
function fieldsOf(fields: readonly GraphQLInputField[], n: 1 | 2, place: Place): Fields {
  return Object.fromEntries(fields.map((field) => [field.name, valueFor(field, n, place)]))
}

function valueFor({ name, type }: GraphQLInputField, n: 1 | 2, { messageIds }: Place): unknown {
  if (name === 'parentId') return messageIds[n - 1]
  if (name === 'role') return n === 1 ? 'ASSISTANT' : 'USER'
  return valueOfType(type, name, n)
}

function valueOfType(type: GraphQLInputType, name: string, n: 1 | 2): unknown {
  if (isNonNullType(type)) return valueOfType(type.ofType, name, n)
  if (isListType(type)) return [valueOfType(type.ofType, name, n)]
  // From the last one on: parts of the format OTHER have no text that content would have to equal.
  if (isEnumType(type)) return type.getValues().at(-n)?.name
  if (isInputObjectType(type)) {
    const members = Object.values(type.getFields())
    return Object.fromEntries(members.map((member) => [member.name, valueOfType(member.type, member.name, n)]))
  }
  const make = scalars[type.name]
  if (make === undefined) throw new Error(`There is no value for ${name}, a ${type.name}.`)
  return make(name, n)
}

const scalars: Record<string, (name: string, n: 1 | 2) => unknown> = {
  String: (name, n) => `${name} ${n}`,
  Boolean: (_name, n) => n === 1,
  Int: (_name, n) => n,
  Float: (_name, n) => n + 0.5,
  DateTime: (_name, n) => `2026-01-31T09:30:00.00000${n}Z`,
  JSON: (name, n) => ({ [name]: n }),
  JSONObject: (name, n) => ({ [name]: n }),
}
