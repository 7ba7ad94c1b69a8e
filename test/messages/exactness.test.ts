import { describe, expect, test } from 'vitest'
import type { Answer } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { Wire } from '../support/network/wire.ts'

const bed = useBed()

const fields = `seq role name content parts partsFormat toolCalls { callId name arguments type extra }
  toolName toolCallId toolError model finishReason usage metadata clientId sentAt`
const append = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { message { ${fields} } } }`
const readLast = `query ($id: ID!) { conversation(id: $id) { lastMessage { ${fields} } } }`

type Way = (body: string) => Promise<Answer>

/** Bodies are texts, because numbers and escapes are what is tested. */
const ways: [string, Way][] = [
  ['HTTP', async (body) => (await (await bed.server.as().post(body)).json()) as Answer],
  [
    'a socket',
    async (body) => {
      await using wire = await Wire.open(bed.server.url)
      wire.send(`{"id":"raw","type":"subscribe","payload":${body}}`)
      return await wire.answer('raw')
    },
  ],
]

let conversations = 0

/** Appends the message that a JSON text says, and answers it as the mutation and as a later query tell it: the same. */
async function keep(way: Way, message: string) {
  conversations += 1
  const id = `kept-${conversations}`
  const input = `{"conversationId":"${id}","ifMissing":"CREATE","message":${message}}`
  const { data, errors } = await way(`{"query":${JSON.stringify(append)},"variables":{"input":${input}}}`)
  expect(errors).toBeUndefined()
  const { conversation } = await bed.server.as().get(readLast, { id })
  expect(data.appendMessage.message).toEqual(conversation.lastMessage)
  return conversation.lastMessage
}

const texts: [string, string][] = [
  ['emoji', '👩🏽‍🚀🏳️‍🌈 1️⃣'],
  ['combining characters, not composed', 'e\u0301 \u00e9 \u1e9b\u0323'],
  ['right-to-left text with its marks', '\u202bשלום \u061cعالم\u202c\u200f'],
  ['all kinds of line ends', 'a\r\nb\nc\rd\u2028e\u2029f\u0085g'],
  ['characters of four bytes', '𝄞𠜎\u{10ffff}'],
  ['control characters', '\u0001\u0008\u000b\u001b\u007f\ufffe\uffff'],
  ['a byte order mark', '\ufeffa\ufeff'],
  ['white space around it', ' \t\u00a0a\u3000 '],
  ['quotes, backslashes and what looks like escapes', '\\u0000 \\" \' $1 %s {{a}} \\n'],
]

describe.each(ways)('over %s', (_way, way) => {
  test.each(texts)('%s come back byte for byte in every text', async (_what, text) => {
    const message = {
      role: 'TOOL',
      name: text,
      content: text,
      toolCalls: [{ callId: text, name: text, arguments: text, type: text, extra: { [text]: text } }],
      toolName: text,
      toolCallId: text,
      model: text,
      finishReason: text,
      clientId: text,
      parts: [text, { [text]: [text] }],
      usage: { [text]: text },
      metadata: { [text]: { [text]: text } },
    }
    expect(await keep(way, JSON.stringify(message))).toMatchObject(message)
  })

  test('a very long text comes back byte for byte', async () => {
    const content = '𝄞é\u2028"\\'.repeat(70_000)
    const kept = await keep(way, JSON.stringify({ role: 'USER', content }))
    expect(kept.content === content).toBe(true)
  })

  test('numbers that a double holds come back equal', async () => {
    const numbers =
      '[0.1,1.0,100e-2,1e21,-0,-0.0,5e-324,1.7976931348623157e308,9007199254740992,-1.5E+3,0.30000000000000004]'
    const equal = [0.1, 1, 1, 1e21, 0, 0, 5e-324, 1.7976931348623157e308, 9007199254740992, -1500, 0.30000000000000004]
    const extra = `"toolCalls":[{"callId":"c","name":"n","arguments":"1.0","extra":{"a":${numbers}}}]`
    const json = `{"role":"USER","parts":[${numbers}],"usage":{"a":${numbers}},"metadata":{"a":${numbers}},${extra}}`
    const kept = await keep(way, json)
    expect(kept.parts).toEqual([equal])
    expect(kept.usage).toEqual({ a: equal })
    expect(kept.metadata).toEqual({ a: equal })
    expect(kept.toolCalls[0]).toMatchObject({ arguments: '1.0', extra: { a: equal } })
  })

  test('the keys of parts keep their order, metadata is equal', async () => {
    const value = { z: 1, a: { '10': 1, '11': 2, y: 3, b: 4, '-1': 5, '01': 6 }, Z: [{ q: null, p: false }] }
    const kept = await keep(way, JSON.stringify({ role: 'USER', parts: [value], usage: value, metadata: value }))
    expect(JSON.stringify(kept.parts)).toBe(JSON.stringify([value]))
    expect(JSON.stringify(kept.usage)).toBe(JSON.stringify(value))
    expect(kept.metadata).toEqual(value)
  })

  test('keys that are numbers may stand in metadata in any order', async () => {
    const metadata = '{"b":1,"2":{"4":1,"3":2},"1":3}'
    const kept = await keep(way, `{"role":"USER","content":"x","metadata":${metadata}}`)
    expect(kept.metadata).toEqual(JSON.parse(metadata))
  })

  test('keys that are names of JavaScript come back', async () => {
    const value = {
      constructor: 1,
      toString: { prototype: 2 },
      hasOwnProperty: [],
      valueOf: 'x',
      '': 0,
      __typename: 'x',
    }
    const kept = await keep(way, JSON.stringify({ role: 'USER', parts: [value], usage: value, metadata: value }))
    expect(JSON.stringify(kept.parts)).toBe(JSON.stringify([value]))
    expect(Object.entries(kept.metadata).sort()).toEqual(Object.entries(value).sort())
  })
})

test('conversation ids and titles come back byte for byte', async () => {
  const ada = bed.server.as()
  const create =
    'mutation ($input: CreateConversationInput!) { createConversation(input: $input) { conversation { id title metadata } } }'
  const read = 'query ($id: ID!) { conversation(id: $id) { id title metadata } }'
  for (const [, text] of texts) {
    const conversation = { id: text, title: text, metadata: { [text]: text } }
    expect(await ada.get(create, { input: conversation })).toEqual({ createConversation: { conversation } })
    expect(await ada.get(read, { id: text })).toEqual({ conversation })
  }
})

test('ids that differ only in their Unicode form, case or white space are different', async () => {
  const ada = bed.server.as()
  for (const id of ['\u00e9', 'e\u0301', 'E\u0301', ' \u00e9', 'ß', 'ss']) {
    expect((await ada.append(id, id)).message.seq, JSON.stringify(id)).toBe(1)
  }
})

test('texts and JSON in the query itself come back exactly', async () => {
  const ada = bed.server.as()
  const string = JSON.stringify(texts.map(([, text]) => text).join(''))
  const { appendMessage } = await ada.get(
    `mutation { appendMessage(input: { conversationId: "literal", ifMissing: CREATE, message: {
      role: USER, content: ${string}, clientId: """ "block" """,
      parts: [{ z: 0.1, a: [1.0, 1e21, -0, 5e-324, 9007199254740992, true, null, ENUM], text: ${string} }],
      metadata: { constructor: { toString: 1 } }, sentAt: "2026-01-31T09:30:00.1+01:00"
    } }) { message { content clientId parts metadata sentAt } } }`,
  )
  const text = JSON.parse(string) as string
  expect(appendMessage.message).toEqual({
    content: text,
    clientId: ' "block" ',
    parts: [{ z: 0.1, a: [1, 1e21, 0, 5e-324, 9007199254740992, true, null, 'ENUM'], text }],
    metadata: { constructor: { toString: 1 } },
    sentAt: '2026-01-31T08:30:00.1Z',
  })
  expect(Object.keys(appendMessage.message.parts[0])).toEqual(['z', 'a', 'text'])
  const last = await ada.get(
    '{ conversation(id: "literal") { lastMessage { content clientId parts metadata sentAt } } }',
  )
  expect(last.conversation.lastMessage).toEqual(appendMessage.message)
})

describe('empty, null and absent', () => {
  const [, overHttp] = ways[0] as [string, Way]
  const toolCalls = [{ callId: 'c', name: 'n', arguments: '' }]

  test('content that is empty stays empty, even beside parts that have a text', async () => {
    expect((await keep(overHttp, '{"role":"USER","content":""}')).content).toBe('')
    const parts = [{ type: 'text', text: 'from the parts' }]
    const kept = await keep(overHttp, JSON.stringify({ role: 'USER', content: '', parts, partsFormat: 'ANTHROPIC' }))
    expect(kept).toMatchObject({ content: '', parts })
  })

  test('content that is null is content that is absent', async () => {
    const parts = [{ type: 'text', text: 'from the parts' }]
    for (const content of [null, undefined]) {
      expect((await keep(overHttp, JSON.stringify({ role: 'ASSISTANT', content, toolCalls }))).content).toBeNull()
      const kept = await keep(overHttp, JSON.stringify({ role: 'USER', content, parts, partsFormat: 'ANTHROPIC' }))
      expect(kept.content).toBe('from the parts')
    }
  })

  test('what is absent or null is null, and what is empty is empty', async () => {
    const bare = await keep(overHttp, '{"role":"USER","content":"x"}')
    const nulls = {
      name: null,
      parts: null,
      partsFormat: null,
      toolName: null,
      toolCallId: null,
      toolError: null,
      model: null,
      finishReason: null,
      usage: null,
      clientId: null,
      sentAt: null,
    }
    expect(bare).toEqual({ seq: 1, role: 'USER', content: 'x', toolCalls: [], metadata: {}, ...nulls })
    const explicit = { role: 'USER', content: 'x', toolCalls: null, metadata: null, ...nulls }
    expect(await keep(overHttp, JSON.stringify(explicit))).toEqual(bare)
    const empty = { parts: [], usage: {}, metadata: {}, toolError: false }
    expect(await keep(overHttp, JSON.stringify({ role: 'USER', content: 'x', ...empty }))).toMatchObject(empty)
    const calls = [...toolCalls.map((call) => ({ ...call, extra: {} })), ...toolCalls]
    expect((await keep(overHttp, JSON.stringify({ role: 'ASSISTANT', toolCalls: calls }))).toolCalls).toEqual([
      { callId: 'c', name: 'n', arguments: '', type: 'function', extra: {} },
      { callId: 'c', name: 'n', arguments: '', type: 'function', extra: null },
    ])
  })

  test('an update changes what is given, clears what is null and leaves what is absent', async () => {
    const ada = bed.server.as()
    const update = (input: Record<string, unknown>) =>
      ada.get(
        'mutation ($input: UpdateConversationInput!) { updateConversation(input: $input) { conversation { title metadata } } }',
        { input: { id: 'updated', ...input } },
      )
    const is = (title: string | null, metadata: object) => ({
      updateConversation: { conversation: { title, metadata } },
    })
    await ada.append('updated', 'x')
    expect(await update({ title: '', metadata: { a: 1, b: { c: 1, d: 2 } } })).toEqual(
      is('', { a: 1, b: { c: 1, d: 2 } }),
    )
    expect(await update({})).toEqual(is('', { a: 1, b: { c: 1, d: 2 } }))
    expect(await update({ metadata: { b: { e: 1 }, a: null } })).toEqual(is('', { a: null, b: { e: 1 } }))
    expect(await update({ title: null, metadata: {} })).toEqual(is(null, { a: null, b: { e: 1 } }))
    expect(await update({ title: 't', metadata: null })).toEqual(is('t', {}))
    expect((await ada.get('{ conversation(id: "updated") { title metadata } }')).conversation).toEqual({
      title: 't',
      metadata: {},
    })
  })
})

describe('times', () => {
  const [, overHttp] = ways[0] as [string, Way]

  test.each([
    ['2026-01-31T09:30:00.123456+05:30', '2026-01-31T04:00:00.123456Z'],
    ['2026-01-01T00:30:00+01:00', '2025-12-31T23:30:00Z'],
    ['2025-12-31T23:30:00.999999-01:00', '2026-01-01T00:30:00.999999Z'],
    ['2026-01-31T09:30:00Z', '2026-01-31T09:30:00Z'],
    ['2026-01-31T09:30:00.000000Z', '2026-01-31T09:30:00Z'],
    ['2026-01-31T09:30:00.120000Z', '2026-01-31T09:30:00.12Z'],
    ['2026-01-31T09:30:00.000001-00:00', '2026-01-31T09:30:00.000001Z'],
    ['2026-01-31T09:30:00.123Z', '2026-01-31T09:30:00.123Z'],
    ['2026-01-31T09:30:00.1234560Z', '2026-01-31T09:30:00.123456Z'],
    ['2026-01-31T09:30:00.123456000Z', '2026-01-31T09:30:00.123456Z'],
    ['2026-01-31T09:30:00.100000000+01:00', '2026-01-31T08:30:00.1Z'],
    ['2026-01-31T09:30:00.000000000Z', '2026-01-31T09:30:00Z'],
    ['2026-01-31t09:30:00z', '2026-01-31T09:30:00Z'],
    ['2024-02-29T23:59:59+23:59', '2024-02-29T00:00:59Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
    ['9999-12-31T23:59:59.999999Z', '9999-12-31T23:59:59.999999Z'],
  ])('sentAt %s is %s', async (sentAt, utc) => {
    expect((await keep(overHttp, JSON.stringify({ role: 'USER', content: 'x', sentAt }))).sentAt).toBe(utc)
  })

  test("the server's own times have PostgreSQL's microseconds", async () => {
    const ada = bed.server.as()
    await ada.append('timed', 'x')
    const client = await bed.database.connect()
    const { rows } = await client.query(
      `select to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') as at from conversation where id = 'timed'`,
    )
    const { conversation } = await ada.get('{ conversation(id: "timed") { updatedAt lastMessage { createdAt } } }')
    const at = `${rows[0].at.replace(/\.?0+$/, '')}Z`
    expect(conversation).toEqual({ updatedAt: at, lastMessage: { createdAt: at } })
  })
})

describe('content of a message that has only parts', () => {
  const [, overHttp] = ways[0] as [string, Way]
  const text = (type: string, value: string) => ({ type, text: value })

  test.each([
    [
      'OPENAI_CHAT',
      [text('text', 'a\r\n'), { type: 'image_url', image_url: { url: 'u' } }, text('text', 'b')],
      'a\r\nb',
    ],
    ['OPENAI_RESPONSES', [text('input_text', 'a'), text('output_text', 'b'), { type: 'input_image' }], 'ab'],
    [
      'OPENAI_RESPONSES',
      [
        { type: 'reasoning', summary: [] },
        { type: 'message', content: [text('output_text', 'a'), text('refusal', 'no')] },
      ],
      'a',
    ],
    ['ANTHROPIC', [{ type: 'thinking', thinking: 'hm' }, text('text', 'a'), { type: 'tool_use', input: {} }], 'a'],
    ['AI_SDK', [{ type: 'step-start' }, text('text', 'a'), text('reasoning', 'hm'), text('text', '')], 'a'],
    ['LANGCHAIN', [text('text', 'a'), { type: 'image', url: 'u' }], 'a'],
    ['ANTHROPIC', [text('text', '')], ''],
    ['ANTHROPIC', [{ type: 'image' }], null],
    ['ANTHROPIC', [{ type: 'text', text: 1 }, { type: 'text' }, 'a', 5, [text('text', 'a')]], null],
    ['OTHER', [text('text', 'a')], null],
    [null, [text('text', 'a')], null],
  ])('%s', async (partsFormat, parts, content) => {
    expect(await keep(overHttp, JSON.stringify({ role: 'USER', parts, partsFormat }))).toMatchObject({ content, parts })
  })
})
