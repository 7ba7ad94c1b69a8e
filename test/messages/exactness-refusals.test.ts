import { describe, expect, test } from 'vitest'
import type { Answer } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { Wire } from '../support/network/wire.ts'

const bed = useBed()

const append = 'mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { message { seq } } }'
const create =
  'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { conversation { id } } }'
const update =
  'mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) { conversation { id } } }'

type Way = (body: string) => Promise<Answer>

/** Bodies are texts: a client's own JSON would not write what is refused here. */
const ways: [string, Way][] = [
  ['HTTP', async (body) => (await (await bed.server.as().post(body)).json()) as Answer],
  [
    'a socket',
    async (body) => {
      await using wire = await Wire.open(bed.server.url)
      wire.send(`{"id":"raw","type":"subscribe","payload":${body}}`)
      const answer = await wire.answer('raw')
      // What was refused was one operation; the socket goes on.
      expect((await wire.ask('{ viewer { userId } }')).data).toEqual({ viewer: { userId: 'ada' } })
      return answer
    },
  ],
]

function bodyOf(query: string, input: string): string {
  return `{"query":${JSON.stringify(query)},"variables":{"input":${input}}}`
}

/** Tries to append the message that a JSON text says, and answers the one error; nothing was stored. */
async function refuse(way: Way, message: string) {
  const input = `{"conversationId":"refused","ifMissing":"CREATE","message":${message}}`
  const { data, errors } = await way(bodyOf(append, input))
  expect(data?.appendMessage ?? null).toBeNull()
  expect(errors).toHaveLength(1)
  await expectNothing()
  return errors?.[0]
}

async function expectNothing(): Promise<void> {
  const { conversations } = await bed.server.as().get('{ conversations { nodes { id } } }')
  expect(conversations.nodes).toEqual([])
}

/** Why a text is refused, and not for another reason. */
const unstorable = /must not contain the character NUL|must be valid Unicode/

const badTexts: [string, string][] = [
  ['NUL', '\\u0000'],
  ['the first half of a surrogate pair', 'a\\ud83d'],
  ['the second half of a surrogate pair', '\\ude00a'],
  ['two halves in the wrong order', '\\ude00\\ud83d'],
]

const textFields: [string, (text: string) => string][] = [
  ['content', (text) => `"content":"${text}"`],
  ['name', (text) => `"content":"x","name":"${text}"`],
  ['toolName', (text) => `"content":"x","toolName":"${text}"`],
  ['toolCallId', (text) => `"content":"x","toolCallId":"${text}"`],
  ['model', (text) => `"content":"x","model":"${text}"`],
  ['finishReason', (text) => `"content":"x","finishReason":"${text}"`],
  ['clientId', (text) => `"content":"x","clientId":"${text}"`],
  ['toolCalls[0].callId', (text) => `"toolCalls":[{"callId":"${text}","name":"n","arguments":""}]`],
  ['toolCalls[0].name', (text) => `"toolCalls":[{"callId":"c","name":"${text}","arguments":""}]`],
  ['toolCalls[0].arguments', (text) => `"toolCalls":[{"callId":"c","name":"n","arguments":"${text}"}]`],
  ['toolCalls[0].type', (text) => `"toolCalls":[{"callId":"c","name":"n","arguments":"","type":"${text}"}]`],
]

const jsonFields: [string, (json: string) => string][] = [
  ['parts', (json) => `"parts":[{"a":${json}}]`],
  ['metadata', (json) => `"content":"x","metadata":{"a":${json}}`],
  ['usage', (json) => `"content":"x","usage":{"a":${json}}`],
  ['extra', (json) => `"toolCalls":[{"callId":"c","name":"n","arguments":"","extra":{"a":${json}}}]`],
]

describe.each(ways)('over %s', (_way, way) => {
  describe.each(badTexts)('%s is refused', (_what, text) => {
    test.each(textFields)('in %s', async (field, of) => {
      const error = await refuse(way, `{"role":"USER",${of(text)}}`)
      expect(error?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', path: `input.message.${field}` })
    })

    test.each(jsonFields)('in the texts and keys of %s, however deep', async (_field, of) => {
      for (const json of [`"${text}"`, `{"${text}":1}`, `[{"b":["${text}"]}]`, `[{"b":{"${text}":null}}]`]) {
        const error = await refuse(way, `{"role":"USER",${of(json)}}`)
        expect(error?.extensions.code).toBe('BAD_USER_INPUT')
        expect(error?.message).toMatch(unstorable)
      }
    })

    test('in ids, titles and metadata of conversations', async () => {
      const message = '{"role":"USER","content":"x"}'
      for (const [query, input, path] of [
        [append, `{"conversationId":"${text}","ifMissing":"CREATE","message":${message}}`, 'input.conversationId'],
        [create, `{"id":"${text}"}`, 'input.id'],
        [create, `{"title":"${text}"}`, 'input.title'],
      ] as const) {
        const { errors } = await way(bodyOf(query, input))
        expect(errors, path).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT', path } }])
      }
      const { errors } = await way(bodyOf(create, `{"metadata":{"${text}":1}}`))
      expect(errors).toMatchObject([
        { message: expect.stringMatching(unstorable), extensions: { code: 'BAD_USER_INPUT' } },
      ])
      await expectNothing()
    })
  })

  test.each(['9007199254740993', '12345678901234567890', '1e400', '-1E400', '1e-400', '0.12345678901234567890'])(
    'the number %s is refused',
    async (number) => {
      for (const [, of] of jsonFields) {
        const error = await refuse(way, `{"role":"USER",${of(`[{"b":${number}}]`)}}`)
        expect(error?.extensions.code).toBe('BAD_USER_INPUT')
        expect(error?.message).toContain(number)
      }
      const { errors } = await way(bodyOf(create, `{"metadata":{"a":${number}}}`))
      expect(errors).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
      await expectNothing()
    },
  )

  test.each([': N', ':\nN', ':\tN', ':[N]', ':[0,N]', ':[0,\r\n N ]'])(
    'a number that does not fit is refused where %j has it',
    async (written) => {
      for (const number of ['1e400', '-1E400', '12345678901234567890', '-0.12345678901234567890']) {
        const { errors } = await way(bodyOf(create, `{"metadata":{"a"${written.replace('N', number)}}}`))
        expect(errors).toMatchObject([
          { message: expect.stringContaining(number), extensions: { code: 'BAD_USER_INPUT' } },
        ])
      }
      await expectNothing()
    },
  )

  test.each(jsonFields)('a key __proto__ in %s is refused', async (_field, of) => {
    for (const json of ['{"__proto__":{"a":1}}', '[{"b":{"__proto__":null}}]', '{"\\u005f_proto__":1}']) {
      const error = await refuse(way, `{"role":"USER",${of(json)}}`)
      expect(error?.extensions.code).toBe('BAD_USER_INPUT')
      expect(error?.message).toContain('__proto__')
    }
  })

  test('a key __proto__ in the place of a field is refused', async () => {
    const error = await refuse(way, '{"role":"USER","content":"x","__proto__":{"name":"n"}}')
    expect(error?.extensions.code).toBe('BAD_USER_INPUT')
    expect(error?.message).toContain('__proto__')
  })

  test.each(jsonFields)('a key that stands twice in one object of %s is refused', async (_field, of) => {
    for (const json of [
      '{"a":1,"a":1}',
      '{"a":1,"a":1,"\\\\":2}',
      '[{"b":{"c":1,"d":2,"c":3}}]',
      '{"a":1,"\\u0061":2}',
      '{"\\\\":1,"\\\\":2}',
    ]) {
      const error = await refuse(way, `{"role":"USER",${of(json)}}`)
      expect(error?.extensions.code, json).toBe('BAD_USER_INPUT')
      expect(error?.message).toContain('stands twice')
    }
  })

  const ordered = jsonFields.filter(([field]) => field !== 'metadata')

  test.each(ordered)('keys that JSON.parse would move are refused in %s', async (_field, of) => {
    for (const json of [
      '{"2":1,"1":1}',
      '{"b":1,"1":1}',
      '[{"c":{"10":1,"9":1}}]',
      '{"b":1,"\\u0031":1}',
      '{"metadata":{"b":1,"1":1}}',
      '{"metadata":[{"2":1,"1":1}]}',
    ]) {
      const error = await refuse(way, `{"role":"USER",${of(json)}}`)
      expect(error?.extensions.code, json).toBe('BAD_USER_INPUT')
      expect(error?.message).toContain('would move')
    }
  })
})

test('an update that is refused changes nothing', async () => {
  const bob = bed.server.as({ 'x-user-id': 'bob' })
  const input = { id: 'kept', title: 't', metadata: { a: 1 } }
  await bob.get(create, { input })
  for (const change of [
    '{"title":"\\ud800"}',
    '{"metadata":{"b":"\\u0000"}}',
    '{"metadata":{"__proto__":1}}',
    '{"metadata":{"b":1e400}}',
  ]) {
    const body = bodyOf(update, `{"id":"kept","title":"new",${change.slice(1)}`)
    const { errors } = (await (await bob.post(body)).json()) as Answer
    expect(errors, change).toMatchObject([{ extensions: { code: 'BAD_USER_INPUT' } }])
  }
  expect((await bob.get('{ conversation(id: "kept") { id title metadata } }')).conversation).toEqual(input)
})

describe('in the text of a query', () => {
  const document = (message: string) =>
    `mutation { appendMessage(input: { conversationId: "refused", ifMissing: CREATE, message: { role: USER, ${message} } }) { message { seq } } }`

  test.each([
    ['NUL in a text', 'content: "\\u0000"', 'BAD_USER_INPUT'],
    ['NUL in JSON', 'parts: [{ a: "\\u0000" }]', 'GRAPHQL_VALIDATION_FAILED'],
    ['half of a surrogate pair, escaped', 'content: "\\ud800"', 'GRAPHQL_PARSE_FAILED'],
    ['half of a surrogate pair, as it is', 'content: "\ud800"', 'GRAPHQL_PARSE_FAILED'],
    ['a key __proto__', 'parts: [{ a: { __proto__: 1 } }]', 'GRAPHQL_VALIDATION_FAILED'],
    ['a key __proto__ in metadata', 'content: "x", metadata: { __proto__: { a: 1 } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['9007199254740993', 'parts: [9007199254740993]', 'GRAPHQL_VALIDATION_FAILED'],
    ['12345678901234567890', 'content: "x", usage: { a: [12345678901234567890] }', 'GRAPHQL_VALIDATION_FAILED'],
    ['1e400', 'content: "x", metadata: { a: { b: 1e400 } }', 'GRAPHQL_VALIDATION_FAILED'],
    ['1e-400', 'parts: [{ a: -1e-400 }]', 'GRAPHQL_VALIDATION_FAILED'],
    ['a key twice', 'parts: [{ a: 1, a: 2 }]', 'GRAPHQL_VALIDATION_FAILED'],
  ])('%s is refused', async (_what, message, code) => {
    for (const [, way] of ways) {
      const { errors } = await way(JSON.stringify({ query: document(message) }))
      expect(errors?.[0]?.extensions.code).toBe(code)
    }
    await expectNothing()
  })

  test('a variable inside JSON is held to the same rules', async () => {
    const query = `mutation ($text: String, $json: JSON) { appendMessage(input: { conversationId: "refused", ifMissing: CREATE,
      message: { role: USER, parts: [{ text: $text, json: [$json] }] } }) { message { seq } } }`
    for (const [, way] of ways) {
      for (const variables of ['{"text":"\\u0000"}', '{"json":{"__proto__":1}}', '{"json":["\\ud800"]}']) {
        const { errors } = await way(`{"query":${JSON.stringify(query)},"variables":${variables}}`)
        expect(errors?.[0]?.extensions.code, variables).toBe('BAD_USER_INPUT')
      }
    }
    await expectNothing()
  })
})

describe('bytes that are no UTF-8', () => {
  const [before = '', after = ''] = bodyOf(
    append,
    '{"conversationId":"refused","ifMissing":"CREATE","message":{"role":"USER","content":"*"}}',
  ).split('*')

  test.each([
    ['a byte alone', [0xff]],
    ['a sequence cut short', [0xe2, 0x82]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['an overlong form', [0xc0, 0x80]],
  ])('%s is refused in a body, and closes a socket with 1007', async (_what, bytes) => {
    const body = Buffer.concat([Buffer.from(before), Buffer.from(bytes), Buffer.from(after)])
    const response = await bed.server.as().post(new Uint8Array(body))
    expect(response.status).toBe(400)
    expect(((await response.json()) as Answer).errors).toMatchObject([
      { extensions: { code: 'BAD_USER_INPUT', path: 'body' } },
    ])
    const wire = await Wire.open(bed.server.url)
    wire.sendBytes(Buffer.concat([Buffer.from('{"id":"1","type":"subscribe","payload":'), body, Buffer.from('}')]))
    expect((await wire.closed).code).toBe(1007)
    await expectNothing()
  })
})

test.each([
  '2026-02-29T00:00:00Z',
  '2026-02-30T00:00:00Z',
  '2026-13-01T00:00:00Z',
  '2026-00-01T00:00:00Z',
  '2026-01-00T00:00:00Z',
  '2026-01-01T24:00:00Z',
  '2026-01-01T23:60:00Z',
  '2026-12-31T23:59:60Z',
  '2026-01-01T00:00:00',
  '2026-01-01',
  '2026-01-01 00:00:00Z',
  '2026-01-01T00:00Z',
  '2026-01-01T00:00:00.0000000000Z',
  '2026-01-01T00:00:00.Z',
  '2026-01-01T00:00:00,5Z',
  '2026-01-01T00:00:00+24:00',
  '2026-01-01T00:00:00+01:60',
  '2026-01-01T00:00:00+0100',
  '0000-06-01T00:00:00Z',
  '0001-01-01T00:00:00+01:00',
  '9999-12-31T23:59:59-01:00',
  '12026-01-01T00:00:00Z',
  'infinity',
  'now',
  '',
  1767225600,
])('the time %j is refused', async (sentAt) => {
  const [, overHttp] = ways[0] as [string, Way]
  const error = await refuse(overHttp, JSON.stringify({ role: 'USER', content: 'x', sentAt }))
  expect(error?.extensions.code).toBe('BAD_USER_INPUT')
  expect(error?.message).toMatch(/A time by RFC 3339 .* is needed here|There is no such time/)
})

test.each(['.1234567', '.0000001', '.000000001', '.123456001', '.999999999'])(
  'a time with %s of a second, which no message could keep, is refused in a variable and in a document',
  async (fraction) => {
    const [, overHttp] = ways[0] as [string, Way]
    const sentAt = `2026-01-01T00:00:00${fraction}Z`
    const inVariable = await refuse(overHttp, JSON.stringify({ role: 'USER', content: 'x', sentAt }))
    const inDocument = await bed.server
      .as()
      .fail(`{ conversations(filter: { updatedAfter: "${sentAt}" }) { nodes { id } } }`)
    for (const error of [inVariable, inDocument]) {
      expect(error?.extensions.code).toBeTypeOf('string')
      expect(error?.message).toContain('only the first six may be other than 0')
    }
  },
)

test('a refusal names its reason, however long what it refuses', async () => {
  const [, overHttp] = ways[0] as [string, Way]
  const long = 'x'.repeat(5_000)
  const error = await refuse(overHttp, `{"role":"USER","content":"x","metadata":{"a":"${long}","b":"\\u0000"}}`)
  expect(error?.message).toContain('NUL')
  expect(error?.message.length).toBeLessThan(1_100)
})
