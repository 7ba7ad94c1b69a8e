import { expect, test } from 'vitest'
import type { Answer, Api, GraphqlError } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { Wire } from '../support/network/wire.ts'

const limit = 2_000
const bed = useBed({
  MAX_MESSAGE_BYTES: String(limit),
  MAX_PARTS: '3',
  MAX_TOOL_CALLS: '2',
  MAX_METADATA_BYTES: '500',
  POLL_MS: '20',
})

const start = 'mutation ($input: StartMessageInput!) { startMessage(input: $input) { attempt message { id } } }'
const add = 'mutation ($input: AppendMessageTextInput!) { appendMessageText(input: $input) { nextChunk } }'
const complete = `mutation ($input: CompleteMessageInput!) { completeMessage(input: $input) {
  message { content status parts partsFormat finishReason usage toolCalls { callId } error { code } } } }`
const edit = 'mutation ($input: EditMessageInput!) { editMessage(input: $input) { message { content metadata } } }'
const readOne =
  'query ($id: ID!) { node(id: $id) { ... on Message { content status nextChunk parts toolCalls { callId } } } }'

/** A message that has streamed its text. */
async function stream(ada: Api, text: string, more = {}) {
  const conversationId = `paid ${crypto.randomUUID()}`
  const { startMessage } = await ada.get(start, { input: { conversationId, ifMissing: 'CREATE', ...more } })
  const address = { messageId: startMessage.message.id as string, attempt: startMessage.attempt as number }
  await ada.get(add, { input: { ...address, chunk: 0, text } })
  const read = async () => (await ada.get(readOne, { id: address.messageId })).node
  return { address, end: { ...address, chunks: 1 }, read }
}

/** The most text that a message of an assistant may stream: who speaks counts too. */
const longest = limit - 'ASSISTANT'.length

const deep = (depth: number): unknown => (depth === 0 ? 1 : [deep(depth - 1)])
const calls = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ callId: `c${n}`, name: 'f', arguments: '{}' }))
const other = { partsFormat: 'OTHER' }

/** Fields of a completion as JSON texts: a client's own JSON would not write all of them. */
const refused: [what: string, field: string, fields: string][] = [
  [
    'half a surrogate pair in a part',
    'parts',
    '{"parts":[{"type":"text","text":"\\ud83d"}],"partsFormat":"ANTHROPIC"}',
  ],
  ['half a surrogate pair in a key', 'parts', '{"parts":[{"\\ud83d":1}],"partsFormat":"OTHER"}'],
  ['NUL in a part', 'parts', '{"parts":[{"a":["\\u0000"]}],"partsFormat":"OTHER"}'],
  ['a key __proto__', 'parts', '{"parts":[{"__proto__":1}],"partsFormat":"OTHER"}'],
  ['parts that are nested too deeply', 'parts', JSON.stringify({ parts: [deep(65)], ...other })],
  ['parts that are nested far too deeply', 'parts', `{"parts":[${'['.repeat(990)}${']'.repeat(990)}]}`],
  ['too many parts', 'parts', JSON.stringify({ parts: [1, 2, 3, 4], ...other })],
  ['parts that are too large', 'parts', JSON.stringify({ parts: ['x'.repeat(limit)], ...other })],
  ['an unknown format', 'partsFormat', '{"parts":[1],"partsFormat":"GEMINI"}'],
  ['NUL in the usage', 'usage', '{"usage":{"a":"\\u0000"}}'],
  ['a usage that is no object', 'usage', '{"usage":[1]}'],
  ['metadata that is too large', 'metadata', JSON.stringify({ metadata: { a: 'x'.repeat(500) } })],
  ['half a surrogate pair in the metadata', 'metadata', '{"metadata":{"a":"\\ude00"}}'],
  ['too many calls', 'toolCalls', JSON.stringify({ toolCalls: calls(3) })],
  ['a call without a name', 'toolCalls', '{"toolCalls":[{"callId":"c","name":"","arguments":"{}"}]}'],
  ['NUL in arguments', 'toolCalls', '{"toolCalls":[{"callId":"c","name":"f","arguments":"\\u0000"}]}'],
  ['a long name of the model', 'model', JSON.stringify({ model: 'm'.repeat(256) })],
  ['an empty finish reason', 'finishReason', '{"finishReason":""}'],
  ['a content that is too long', 'content', JSON.stringify({ content: 'x'.repeat(limit + 1) })],
]

/** Beyond what one field can say: the whole body is refused. */
const unread: [what: string, fields: string][] = [
  ['a number that a double cannot hold', '{"parts":[12345678901234567890],"partsFormat":"OTHER"}'],
  ['a number beyond the doubles', '{"parts":[1e400],"partsFormat":"OTHER"}'],
  ['a key that stands twice', '{"usage":{"a":1,"a":2}}'],
]

const bodyOf = (input: object, fields: string) =>
  `{"query":${JSON.stringify(complete)},"variables":{"input":${JSON.stringify(input).slice(0, -1)},${fields.slice(1)}}}`

const ways: [string, (body: string) => Promise<Answer>][] = [
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

test.each(refused)(
  'a completion with %s loses nothing: the error names the field, and the text stays without it',
  async (_what, field, fields) => {
    const ada = bed.server.as()
    for (const [way, send] of ways) {
      const { end, read } = await stream(ada, 'It was paid for.')
      const { errors } = await send(bodyOf(end, fields))
      const [error] = errors as [GraphqlError]
      expect(error.extensions.code, way).toMatch(/^(BAD_USER_INPUT|PAYLOAD_TOO_LARGE)$/)
      const { path, without = [field] } = error.extensions
      if (path === 'input') expect(without).toEqual([field, 'partsFormat'])
      else expect(path).toMatch(new RegExp(`^input\\.${field}\\b`))
      expect((without as string[])[0]).toBe(field)
      expect(await read()).toEqual({
        content: 'It was paid for.',
        status: 'STREAMING',
        nextChunk: 1,
        parts: null,
        toolCalls: [],
      })
      const { message } = (await ada.get(complete, { input: { ...end, finishReason: 'stop' } })).completeMessage
      expect(message).toMatchObject({ content: 'It was paid for.', status: 'COMPLETE', finishReason: 'stop' })
    }
  },
)

test.each(unread)('a completion that cannot be read, with %s, loses nothing either', async (_what, fields) => {
  const ada = bed.server.as()
  for (const [way, send] of ways) {
    const { end, read } = await stream(ada, 'Paid.')
    expect((await send(bodyOf(end, fields))).errors?.[0]?.extensions.code, way).toBe('BAD_USER_INPUT')
    expect(await read()).toMatchObject({ content: 'Paid.', status: 'STREAMING' })
    await ada.get(complete, { input: end })
    expect(await read()).toMatchObject({ content: 'Paid.', status: 'COMPLETE' })
  }
})

test('what the check of a completion refuses says what to send instead', async () => {
  const ada = bed.server.as()
  const { end } = await stream(ada, 'Paid.')
  const many = await ada.fail(complete, { input: { ...end, parts: [1, 2, 3, 4], ...other } })
  expect(many.extensions).toEqual({
    code: 'PAYLOAD_TOO_LARGE',
    path: 'input.parts',
    limit: 3,
    actual: 4,
    without: ['parts', 'partsFormat'],
  })
  expect(many.message).toMatch(/its text is kept: complete it without parts\.$/)
  // The largest field is the one to leave out.
  const usage = { a: 'x'.repeat(limit) }
  const large = await ada.fail(complete, { input: { ...end, usage, finishReason: 'stop' } })
  expect(large.extensions).toMatchObject({ path: 'input', limit, without: ['usage'] })
})

const texts: [string, string][] = [
  ['plain', 'x'.repeat(longest)],
  ['all of it escaped in JSON', '"\n\\'.repeat(longest).slice(0, longest)],
  ['of four bytes each', '😀'.repeat(Math.floor(longest / 4))],
]

const formats: [string, (text: string) => object[]][] = [
  ['OPENAI_CHAT', (text) => [{ type: 'text', text }]],
  [
    'OPENAI_RESPONSES',
    (text) => [
      { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x'.repeat(1_000) },
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text, annotations: [] }],
      },
    ],
  ],
  [
    'ANTHROPIC',
    (text) => [
      { type: 'thinking', thinking: 'Hm.', signature: 'x'.repeat(1_000) },
      { type: 'text', text: text.slice(0, 400), citations: [] },
      { type: 'text', text: text.slice(400) },
    ],
  ],
  ['AI_SDK', (text) => [{ type: 'step-start' }, { type: 'text', text, state: 'done' }]],
  ['LANGCHAIN', (text) => [{ type: 'text', text }]],
]

test.each(formats)(
  'whoever streamed as much text as a message may have completes it with the parts of that text: %s',
  async (partsFormat, partsOf) => {
    const ada = bed.server.as()
    for (const [kind, text] of texts) {
      const { address, end, read } = await stream(ada, text)
      const parts = partsOf(text)
      const usage = { output_tokens: 500 }
      const input = { ...end, parts, partsFormat, usage, finishReason: 'stop', model: 'm', toolCalls: calls(2) }
      const { message } = (await ada.get(complete, { input })).completeMessage
      expect(message, kind).toMatchObject({ content: text, status: 'COMPLETE', parts, partsFormat, usage })
      expect((await read()).content).toBe(text)
      // Larger than an append may be, and still to be edited, as long as it does not grow.
      const edited = { messageId: address.messageId, metadata: { rating: 1 }, parts, partsFormat }
      expect((await ada.get(edit, { input: edited })).editMessage.message).toMatchObject({ metadata: { rating: 1 } })
    }
  },
)

test('beside its text a completed message has at most MAX_MESSAGE_BYTES, to the byte', async () => {
  const ada = bed.server.as()
  const text = 'x'.repeat(longest)
  const { end } = await stream(ada, text)
  const part = { type: 'text', text }
  const bare = Buffer.byteLength(
    JSON.stringify([
      { ...part, text: '' },
      { type: 'x', x: '' },
    ]),
  )
  const left = limit - 'ASSISTANT'.length - 'ANTHROPIC'.length - bare
  const input = (rest: number) => ({
    ...end,
    parts: [part, { type: 'x', x: 'x'.repeat(rest) }],
    partsFormat: 'ANTHROPIC',
  })
  const over = await ada.fail(complete, { input: input(left + 1) })
  expect(over.extensions).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', path: 'input', limit, actual: limit + 1 })
  await ada.get(complete, { input: input(left) })
})

test('a text that an append brings in its content and in its parts counts once', async () => {
  const ada = bed.server.as()
  const message = (content: string, text: string) => ({
    role: 'ASSISTANT',
    content,
    parts: [{ type: 'text', text }],
    partsFormat: 'OPENAI_CHAT',
  })
  const text = '"é"'.repeat(300)
  await ada.append('once', message(text, text))
  const append = 'mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { replayed } }'
  const another = { conversationId: 'once', message: message(text, `${text}.`) }
  expect((await ada.fail(append, { input: another })).extensions).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', limit })
})

test('a chunk beyond the limit is refused, and what was stored before it stays and can be completed', async () => {
  const ada = bed.server.as()
  const { address, end, read } = await stream(ada, 'x'.repeat(longest))
  for (const durable of [true, false]) {
    const { extensions, message } = await ada.fail(add, { input: { ...address, chunk: 1, text: 'y', durable } })
    expect(extensions).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', path: 'input.text', limit, actual: limit + 1 })
    expect(message).toContain('which are kept')
  }
  expect(await read()).toMatchObject({ content: 'x'.repeat(longest), status: 'STREAMING', nextChunk: 1 })
  const { message } = (await ada.get(complete, { input: { ...end, finishReason: 'length' } })).completeMessage
  expect(message).toMatchObject({ content: 'x'.repeat(longest), status: 'COMPLETE' })
})

test.each(['FAILED', 'CANCELLED'])('a message that ends as %s keeps its text, also after a refusal', async (status) => {
  const ada = bed.server.as()
  const { end, read } = await stream(ada, 'So far')
  const error = { code: 'OVERLOADED', message: 'Try later.' }
  await ada.fail(complete, { input: { ...end, status, error, parts: [1, 2, 3, 4], ...other } })
  expect(await read()).toMatchObject({ content: 'So far', status: 'STREAMING' })
  await ada.get(complete, { input: { ...end, status, error } })
  expect(await read()).toMatchObject({ content: 'So far', status })
})
