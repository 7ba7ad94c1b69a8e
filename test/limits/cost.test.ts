import { beforeAll, describe, expect, test } from 'vitest'
import type { Answer } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { recordStatements } from '../support/database/statements.ts'
import { EventStreamReader } from '../support/network/event-stream.ts'
import { Wire } from '../support/network/wire.ts'

type Ask = (url: string, query: string, extensions?: unknown) => Promise<Answer>

const identity = { 'x-user-id': 'ada' }

/** Each way in, and the first answer of what was asked. */
const ways: [string, Ask][] = [
  [
    'POST',
    async (url, query, extensions) => {
      const headers = { 'content-type': 'application/json', ...identity }
      const body = JSON.stringify({ query, extensions })
      return (await (await fetch(`${url}/graphql`, { method: 'POST', headers, body })).json()) as Answer
    },
  ],
  [
    'GET',
    async (url, query, extensions) => {
      const search = new URLSearchParams({ query, extensions: JSON.stringify(extensions ?? null) })
      return (await (await fetch(`${url}/graphql?${search}`, { headers: identity })).json()) as Answer
    },
  ],
  [
    'a socket',
    async (url, query, extensions) => {
      await using wire = await Wire.open(url)
      return await wire.ask(query, undefined, extensions)
    },
  ],
  [
    'an event stream',
    async (url, query, extensions) => {
      const headers = { 'content-type': 'application/json', accept: 'text/event-stream', ...identity }
      const body = JSON.stringify({ query, extensions })
      const text = await (await fetch(`${url}/graphql/stream`, { method: 'POST', headers, body })).text()
      return JSON.parse(/^event: next\ndata: (.*)$/m.exec(text)?.[1] ?? '') as Answer
    },
  ],
]

const append = 'mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }'
const page = (first: number) => `{ conversation(id: "c") { messages(first: ${first}) { nodes { seq } } } }`

describe('MAX_COST', () => {
  const bed = useBed({ MAX_COST: '120' })

  beforeAll(async () => {
    const ada = bed.server.as()
    for (const count of [60, 60, 6]) {
      const messages = Array.from({ length: count }, () => ({ role: 'USER', content: 'x' }))
      await ada.get(append, { input: { conversationId: 'c', ifMissing: 'CREATE', messages } })
    }
  })

  describe.each(ways)('over %s', (_way, ask) => {
    test('an operation that may cost as much is answered, and one that may cost more is not, and nothing is read', async () => {
      const { url } = bed.server
      // 10 of the operation, 1 of the conversation, 101 of its page, 5 others, and 2.26 of fields.
      const others = (count: number) => Array.from({ length: count }, (_, n) => `a${n}: lastMessage { seq }`).join(' ')
      const edge = (count: number) => page(100).replace('{ messages', `{ ${others(count)} messages`)
      expect((await ask(url, edge(5))).errors).toBeUndefined()
      const read = await recordStatements(bed.database, async () => {
        expect((await ask(url, edge(6))).errors).toMatchObject([
          { extensions: { code: 'COST_LIMIT', cost: 121, limit: 120 } },
        ])
      })
      expect(read).toEqual([])
    })

    test('an answer says what it may cost and what it has read, to whoever asks', async () => {
      const { url } = bed.server
      const { data, extensions } = await ask(url, page(20), { cost: true })
      expect(data.conversation.messages.nodes).toHaveLength(20)
      expect(extensions).toEqual({ cost: { cost: 33, limit: 120, rows: 20 } })
      for (const other of [undefined, { cost: false }, { cost: 'yes' }]) {
        expect((await ask(url, page(20), other)).extensions).toBeUndefined()
      }
    })

    test('the error of an operation that costs too much is told in the words of the API', async () => {
      const { errors } = await ask(bed.server.url, '{ conversation(id: "c") { history(last: 1000) { seq } } }')
      expect(errors?.[0]?.message).toBe(
        'This operation may cost 1033, and at most 120 is allowed; ask for smaller pages, for fewer things, or in several operations.',
      )
    })

    // 11 before it and 10 of a window, so it may cost 41: but so many tokens may be in more messages than 120.
    test('a read that brings more rows than MAX_COST is refused, and what was read before it stays', async () => {
      const window = (maxTokens: number) =>
        `{ conversation(id: "c") { lastSeq context(maxTokens: ${maxTokens}) { included } } viewer { userId } }`
      const small = await ask(bed.server.url, window(200))
      expect(small.errors).toBeUndefined()
      const { data, errors } = await ask(bed.server.url, window(20_000))
      expect(data).toEqual({ conversation: { lastSeq: 126, context: null }, viewer: { userId: 'ada' } })
      expect(errors).toMatchObject([
        { path: ['conversation', 'context'], extensions: { code: 'COST_LIMIT', path: 'context', limit: 120 } },
      ])
      expect(errors?.[0]?.extensions.cost).toBeGreaterThan(120)
    })
  })

  const follow = (last: number) =>
    `subscription { messageAppended(conversationId: "c", after: "") { node { seq conversation { history(last: ${last}) { seq } } } } }`

  test('a subscription whose events may cost more does not begin: over a socket', async () => {
    await using wire = await Wire.open(bed.server.url)
    expect((await wire.ask(follow(110))).errors).toMatchObject([{ extensions: { code: 'COST_LIMIT', limit: 120 } }])
    expect((await wire.ask(follow(100))).data.messageAppended.node.seq).toBe(1)
  })

  test('a subscription whose events may cost more does not begin: over an event stream', async () => {
    await using refused = await EventStreamReader.open(bed.server.url, { query: follow(110) })
    expect((await refused.result()).errors).toMatchObject([{ extensions: { code: 'COST_LIMIT', limit: 120 } }])
    // It would be the same the next time.
    expect((await refused.event())?.event).toBe('complete')
    await using stream = await EventStreamReader.open(bed.server.url, { query: follow(100) })
    expect((await stream.result()).data.messageAppended.node.seq).toBe(1)
  })

  test('each event says what it has read, to whoever asks', async () => {
    await using wire = await Wire.open(bed.server.url)
    const told = await wire.ask(follow(20), undefined, { cost: true })
    expect(told.extensions).toEqual({ cursor: expect.any(String), cost: { cost: 21, rows: 20 } })
    expect(Object.keys((await wire.ask(follow(20))).extensions ?? {})).toEqual(['cursor'])
  })
})

describe('at the defaults', () => {
  const bed = useBed()

  beforeAll(async () => {
    const ada = bed.server.as()
    const messages = Array.from({ length: 100 }, () => ({ role: 'USER', content: 'x' }))
    await ada.get(append, { input: { conversationId: 'c', ifMissing: 'CREATE', messages } })
  })

  const deep = (levels: number): string =>
    Array.from({ length: levels }).reduce<string>(
      (inner) => `messages(first: 100) { nodes { seq conversation { ${inner} } } }`,
      'id',
    )

  test.each([
    ['a cycle of pages four deep', `{ conversation(id: "c") { ${deep(4)} } }`],
    ['a cycle of pages three deep', `{ conversation(id: "c") { ${deep(3)} } }`],
    [
      'five aliases of a cycle',
      `{ ${[1, 2, 3, 4, 5].map((n) => `a${n}: conversation(id: "c") { ${deep(2)} }`).join(' ')} }`,
    ],
    [
      'thirty forks',
      `mutation { ${Array.from({ length: 30 }, (_, n) => `a${n}: forkConversation(input: { id: "c" }) { conversation { id } }`).join(' ')} }`,
    ],
    [
      'ten windows of 10,000,000 tokens',
      `{ conversation(id: "c") { ${Array.from({ length: 10 }, (_, n) => `a${n}: context(maxTokens: 10000000) { messages }`).join(' ')} } }`,
    ],
  ])('%s cost too much, and nothing is read', async (_what, query) => {
    const read = await recordStatements(bed.database, async () => {
      const { data, errors } = await bed.server.as().ask(query)
      expect(data).toBeUndefined()
      expect(errors).toMatchObject([{ extensions: { code: 'COST_LIMIT', limit: 20_000 } }])
    })
    expect(read).toEqual([])
  })

  test('one fork of any length and one window of any length are possible', async () => {
    const ada = bed.server.as()
    await ada.get('mutation { forkConversation(input: { id: "c" }) { conversation { id } } }')
    const { conversation } = await ada.get('{ conversation(id: "c") { context(maxTokens: 10000000) { included } } }')
    expect(conversation.context.included).toBe(100)
  })
})
