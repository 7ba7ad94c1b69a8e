import { getIntrospectionQuery, Lexer, Source, TokenKind } from 'graphql'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Answer } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { Wire } from '../support/network/wire.ts'

const bed = useBed()

beforeAll(async () => {
  await bed.server.as().append('q', 'x')
})

/** The two ways in; a subscription answers its first event. */
async function overHttp(query: string): Promise<Answer> {
  return bed.server.as().ask(query)
}

async function overSocket(query: string): Promise<Answer> {
  await using wire = await Wire.open(bed.server.url)
  return await wire.ask(query)
}

const inConversation = (fields: string) => `{ conversation(id: "q") { ${fields} } }`
const inSubscription = (fields: string) =>
  `subscription { messageAppended(conversationId: "q", after: "") { node { conversation { ${fields} } } } }`

function times(count: number, text: (n: number) => string): string {
  return Array.from({ length: count }, (_, n) => text(n)).join(' ')
}

function countTokens(document: string): number {
  const lexer = new Lexer(new Source(document))
  let count = 0
  while (lexer.advance().kind !== TokenKind.EOF) count += 1
  return count
}

/** A document of exactly so many tokens, of which a list inside JSON takes most. */
function ofTokens(count: number, conversationId: string): string {
  const around = (numbers: number) =>
    `mutation { appendMessage(input: { conversationId: "${conversationId}", ifMissing: CREATE, message: { role: USER,
       parts: [[${'0 '.repeat(numbers)}]] } }) { message { parts } } }`
  return around(count - countTokens(around(0)))
}

/** `conversation { lastMessage { conversation { … } } }`: levels of fields, the deepest of which is `id`. */
function nested(levels: number): string {
  const names = Array.from({ length: levels - 1 }, (_, n) => (n % 2 === 0 ? 'lastMessage' : 'conversation'))
  return names.reduceRight((inner, name) => `${name} { ${inner} }`, 'id')
}

const leaves =
  'id seq role name content parts partsFormat toolName toolCallId toolError model finishReason usage metadata clientId status revision sentAt createdAt updatedAt editedAt deletedAt conversationId'

/** Thirty aliases of a conversation with 33 fields each, and some more. */
function ofFields(count: number): string {
  const fragment = `fragment F on Conversation { id userId title metadata createdAt updatedAt archivedAt lastSeq lastMessage { ${leaves} } }`
  const more = ['__typename', 'viewer { id userId __typename }', 'conversations { pageInfo { hasNextPage } }']
  const used = 30 * 33 + 1 + 4 + 3
  const rest = count - used
  if (rest !== 2 && rest !== 3) throw new Error(`cannot make ${count} fields`)
  const last = `node(id: "none") { id ${rest === 3 ? '__typename' : ''} }`
  return `{ ${times(30, (n) => `a${n}: conversation(id: "q") { ...F }`)} ${more.join(' ')} ${last} } ${fragment}`
}

/** `__type { ofType { … } }`: levels beneath a field of introspection, the deepest of which is `name`. */
function introspecting(levels: number): string {
  return `{ __type(name: "Query") { ${'ofType { '.repeat(levels - 1)}name${' }'.repeat(levels - 1)} } }`
}

const limits: [string, string, number, string, string][] = [
  ['characters', 'characters', 32_768, '{ viewer { id } }'.padEnd(32_768), '{ viewer { id } }'.padEnd(32_769)],
  ['levels', 'levels', 15, inConversation(nested(14)), inConversation(nested(15))],
  [
    'levels, through fragments',
    'levels',
    15,
    `{ conversation(id: "q") { ...F } } fragment F on Conversation { ... on Conversation { ${nested(14)} } }`,
    `{ conversation(id: "q") { ...F } } fragment F on Conversation { ... on Conversation { ${nested(15)} } }`,
  ],
  // Twenty-one more than others have.
  ['levels, of introspection', 'levels', 15, introspecting(36), introspecting(37)],
  ['fields, through fragments', 'fields', 1000, ofFields(1000), ofFields(1001)],
  [
    'aliases',
    'aliases',
    30,
    inConversation(times(30, (n) => `a${n}: id`)),
    inConversation(times(31, (n) => `a${n}: id`)),
  ],
  [
    'aliases of __typename',
    'aliases',
    30,
    `{ ${times(30, (n) => `a${n}: __typename`)} }`,
    `{ ${times(31, (n) => `a${n}: __typename`)} }`,
  ],
  [
    'aliases, through fragments as often as they are spread',
    'aliases',
    30,
    `{ conversation(id: "q") { messages { edges { node { ...F } } nodes { ...F } } lastMessage { ...F } } } fragment F on Message { ${times(10, (n) => `a${n}: seq`)} }`,
    `{ conversation(id: "q") { messages { edges { node { ...F } } nodes { ...F } } lastMessage { ...F b: seq } } } fragment F on Message { ${times(10, (n) => `a${n}: seq`)} }`,
  ],
  ['repeated fields', 'repeated fields', 30, inConversation('id '.repeat(31)), inConversation('id '.repeat(32))],
  [
    'repeated fields, through fragments',
    'repeated fields',
    30,
    `{ ${'...F '.repeat(31)} } fragment F on Query { __typename }`,
    `{ ${'...F '.repeat(32)} } fragment F on Query { __typename }`,
  ],
]

describe.each([
  ['HTTP', overHttp],
  ['a socket', overSocket],
] as const)('a query over %s', (_way, ask) => {
  test.each(limits)('has a limit of %s', async (_what, unit, limit, fits, over) => {
    const accepted = await ask(fits)
    expect(accepted.errors).toBeUndefined()
    expect(Object.keys(accepted.data)).not.toEqual([])
    const { data, errors } = await ask(over)
    expect(data ?? null).toBeNull()
    expect(errors).toMatchObject([
      {
        message: expect.stringContaining(unit),
        extensions: { code: 'PAYLOAD_TOO_LARGE', path: 'query', limit, actual: limit + 1 },
      },
    ])
  })

  test('has a limit of tokens', async () => {
    expect(countTokens(ofTokens(4000, 'tokens'))).toBe(4000)
    const { data } = await ask(ofTokens(4000, 'tokens'))
    expect(data.appendMessage.message.parts[0].length).toBeGreaterThan(3900)
    expect((await ask(ofTokens(4001, 'tokens-over'))).errors).toMatchObject([
      { extensions: { code: 'PAYLOAD_TOO_LARGE', path: 'query', limit: 4000, actual: 4001 } },
    ])
    expect((await ask('{ conversation(id: "tokens-over") { id } }')).data).toEqual({ conversation: null })
  })

  test('is held to its limits in every operation of its document, and not only in the one that is asked for', async () => {
    const many = `query Many { viewer { ${times(31, (n) => `a${n}: id`)} } }`
    for (const document of [`query One { viewer { id } } ${many}`, `${many} query One { viewer { id } }`]) {
      expect((await ask(document)).errors).toMatchObject([
        { extensions: { code: 'PAYLOAD_TOO_LARGE', path: 'query', limit: 30, actual: 31 } },
      ])
    }
  })

  test('whose fragments double a hundred times is answered', async () => {
    const bomb = `{ ...F0 } ${times(100, (n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`)} fragment F100 on Query { viewer { id } }`
    expect((await ask(bomb)).errors?.[0]?.extensions.code).toBe('PAYLOAD_TOO_LARGE')
    const empty = `{ ...F0 } ${times(100, (n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`)} fragment F100 on Query { ...G }`
    expect((await ask(empty)).errors?.[0]?.extensions.code).toBe('PAYLOAD_TOO_LARGE')
  })

  test('whose fragments are cyclic is refused', async () => {
    const cycle = '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }'
    expect((await ask(cycle)).errors?.[0]?.extensions.code).toBe('PAYLOAD_TOO_LARGE')
    const unused = '{ viewer { id } } fragment A on Query { ...B } fragment B on Query { ...A }'
    expect((await ask(unused)).errors?.[0]?.extensions.code).toBe('GRAPHQL_VALIDATION_FAILED')
    const deep = inConversation('lastMessage { ...A }')
    const errors = (await ask(`${deep} fragment A on Message { conversation { lastMessage { ...A } } }`)).errors
    expect(errors?.[0]?.extensions.code).toBe('PAYLOAD_TOO_LARGE')
  })

  test("that is graphql-js's introspection, with all its options, is answered", async () => {
    const { errors, data } = await ask(
      getIntrospectionQuery({
        specifiedByUrl: true,
        directiveIsRepeatable: true,
        schemaDescription: true,
        inputValueDeprecation: true,
        oneOf: true,
      }),
    )
    expect(errors).toBeUndefined()
    expect(data.__schema.queryType.name).toBe('Query')
  })
})

describe('a subscription', () => {
  const subscriptions: [string, number, string, string][] = [
    ['characters', 32_768, inSubscription('id').padEnd(32_768), inSubscription('id').padEnd(32_769)],
    ['levels', 15, inSubscription(nested(12)), inSubscription(nested(13))],
    ['aliases', 30, inSubscription(times(30, (n) => `a${n}: id`)), inSubscription(times(31, (n) => `a${n}: id`))],
    ['repeated fields', 30, inSubscription('id '.repeat(31)), inSubscription('id '.repeat(32))],
  ]

  test.each(subscriptions)('has a limit of %s', async (_what, limit, fits, over) => {
    await using wire = await Wire.open(bed.server.url)
    const accepted = await wire.ask(fits)
    expect(accepted.errors).toBeUndefined()
    expect(accepted.data.messageAppended.node.conversation).toBeTypeOf('object')
    const { data, errors } = await wire.ask(over)
    expect(data ?? null).toBeNull()
    expect(errors).toMatchObject([
      { extensions: { code: 'PAYLOAD_TOO_LARGE', path: 'query', limit, actual: limit + 1 } },
    ])
    expect((await wire.ask('{ viewer { userId } }')).data).toEqual({ viewer: { userId: 'ada' } })
  })
})

describe('a document nested deeper than the stack of the parser', () => {
  const generous = useBed({ MAX_QUERY_TOKENS: '100000', MAX_QUERY_CHARACTERS: '1000000' })
  const nest = `${'['.repeat(45_000)}${']'.repeat(45_000)}`

  test.each([
    ['values', `{ conversation(id: ${nest}) { id } }`],
    ['JSON', `mutation { createConversation(input: { metadata: { a: ${nest} } }) { created } }`],
    ['selections', `${'{ a '.repeat(30_000)}${'}'.repeat(30_000)}`],
  ])('is refused like any other: %s', async (_what, document) => {
    const refused = [{ extensions: { code: 'BAD_USER_INPUT', path: 'query' } }]
    expect((await generous.server.as().ask(document)).errors).toMatchObject(refused)
    await using wire = await Wire.open(generous.server.url)
    expect((await wire.ask(document)).errors).toMatchObject(refused)
    expect((await wire.ask('{ viewer { userId } }')).data).toEqual({ viewer: { userId: 'ada' } })
  })
})

describe('a limit of levels below what introspection needs', () => {
  const shallow = useBed({ MAX_QUERY_DEPTH: '3' })

  test('holds for queries and not for introspection', async () => {
    const ada = shallow.server.as()
    expect((await ada.ask(getIntrospectionQuery())).errors).toBeUndefined()
    await ada.append('q', 'x')
    await ada.get(inConversation(nested(2)))
    expect((await ada.fail(inConversation(nested(3)))).extensions).toMatchObject({ limit: 3, actual: 4 })
  })
})
