import {
  GraphQLID,
  type GraphQLInputType,
  GraphQLString,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { JSONScalar } from '../../src/graphql/input/scalars.ts'
import { createSchema } from '../../src/graphql/schema.ts'
import { useBed } from '../support/bed.ts'
import { Wire } from '../support/network/wire.ts'

const bed = useBed({ MAX_PARTS: '150', MAX_TOOL_CALLS: '120' })

const call = { callId: 'c', name: 'n', arguments: '' }
const message = { role: 'USER', content: 'x' }
const said = (more: object) => ({ conversationId: 'long', ifMissing: 'CREATE', message: { ...message, ...more } })

const append = 'mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { replayed } }'
const appendMany = 'mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }'
const start = 'mutation ($input: StartMessageInput!) { startMessage(input: $input) { replayed } }'
const complete = 'mutation ($input: CompleteMessageInput!) { completeMessage(input: $input) { replayed } }'
const edit = 'mutation ($input: EditMessageInput!) { editMessage(input: $input) { message { seq } } }'

/** How each list of the schema is given, what its items are, and how many it may have. */
type Given = readonly [document: string, variables: (items: unknown[]) => object, item: unknown, limit: number]

const lists: Readonly<Record<string, Given>> = {
  'Query.nodes.ids': ['query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', (ids) => ({ ids }), 'x', 100],
  'Query.searchMessages.roles': [
    'query ($roles: [MessageRole!]) { searchMessages(query: "x", roles: $roles) { nodes { id } } }',
    (roles) => ({ roles }),
    'USER',
    5,
  ],
  'AppendMessagesInput.messages': [
    appendMany,
    (messages) => ({ input: { conversationId: 'long', ifMissing: 'CREATE', messages } }),
    message,
    100,
  ],
  'StartMessageInput.messages': [
    start,
    (messages) => ({ input: { conversationId: 'long', ifMissing: 'CREATE', messages } }),
    message,
    99,
  ],
  'MessageInput.parts': [append, (parts) => ({ input: said({ parts }) }), {}, 150],
  'MessageInput.mentions': [append, (mentions) => ({ input: said({ mentions }) }), 'ada', 50],
  'StartMessageInput.mentions': [
    start,
    (mentions) => ({ input: { conversationId: 'long', ifMissing: 'CREATE', mentions } }),
    'ada',
    50,
  ],
  'MessageInput.toolCalls': [append, (toolCalls) => ({ input: said({ toolCalls }) }), call, 120],
  'CompleteMessageInput.parts': [complete, (parts) => ({ input: { ...streaming, parts } }), {}, 150],
  'CompleteMessageInput.toolCalls': [complete, (toolCalls) => ({ input: { ...streaming, toolCalls } }), call, 120],
  'EditMessageInput.parts': [edit, (parts) => ({ input: { ...stored, parts } }), {}, 150],
  'EditMessageInput.toolCalls': [edit, (toolCalls) => ({ input: { ...stored, toolCalls } }), call, 120],
}

let streaming: object
let stored: object

async function prepare(): Promise<void> {
  const ada = bed.server.as()
  const { message: appended } = await ada.append('stored', 'x')
  stored = { messageId: appended.id }
  const { startMessage } = await ada.get(
    'mutation { startMessage(input: { conversationId: "stored" }) { attempt message { id } } }',
  )
  streaming = { messageId: startMessage.message.id, attempt: startMessage.attempt, chunks: 0 }
}

/** Counts the values within lists that the server reads from now on. */
function countReads(): () => number {
  const spies = [GraphQLID, GraphQLString, JSONScalar].map((type) => vi.spyOn(type, 'parseValue'))
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore()
  })
  return () => spies.reduce((sum, { mock }) => sum + mock.calls.length, 0)
}

test('every list that callers give is among these', () => {
  const isList = (type: GraphQLInputType) => isListType(isNonNullType(type) ? type.ofType : type)
  const given = Object.values(createSchema().getTypeMap()).flatMap((type) => {
    if (type.name.startsWith('__')) return []
    if (isInputObjectType(type)) {
      return Object.values(type.getFields()).map((field) => [`${type.name}.${field.name}`, field.type] as const)
    }
    if (!isObjectType(type)) return []
    return Object.values(type.getFields()).flatMap(({ name, args }) =>
      args.map((arg) => [`${type.name}.${name}.${arg.name}`, arg.type] as const),
    )
  })
  expect(given.flatMap(([at, type]) => (isList(type) ? [at] : [])).sort()).toEqual(Object.keys(lists).sort())
})

describe('of a list that is longer than its field takes no item is read', () => {
  test.each(Object.entries(lists))('%s', async (_at, [document, variables, item, limit]) => {
    await prepare()
    const reads = countReads()
    const most = Math.max(limit, 100)
    const error = await bed.server.as().fail(document, variables(new Array(most + 1).fill(item)))
    expect(error.extensions).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', limit, actual: most + 1 })
    expect(reads()).toBeLessThan(10)
  })

  test('also of one that a subscription gives for its events', async () => {
    await bed.server.as().append('followed', 'x')
    await using wire = await Wire.open(bed.server.url)
    const reads = countReads()
    const answer = await wire.ask(
      `subscription ($message: MessageInput!) { messageAppended(conversationId: "followed", after: "") {
        node { seq conversation { context(maxTokens: 100, userMessage: $message) { included } } } } }`,
      { message: { ...message, toolCalls: new Array(20_000).fill(call) } },
    )
    expect(answer.errors).toMatchObject([{ extensions: { code: 'PAYLOAD_TOO_LARGE', limit: 120, actual: 20_000 } }])
    expect(answer.data.messageAppended.node.seq).toBe(1)
    expect(reads()).toBeLessThan(20)
  })
})
