import { expect, test } from 'vitest'
import type { PartsFormat } from '../../src/entities/message/message-enums.ts'
import { ContextFormat } from '../../src/entities/window-enums.ts'
import { useBed } from '../support/bed.ts'
import { isLong } from '../support/long.ts'
import { readAsProvider } from '../support/window/window-rules.ts'

const bed = useBed()

const count = 5_000
const numbers = Array.from({ length: count }, (_, number) => number)

interface Call {
  readonly id: string
  readonly number: number
}

const calls = numbers.map((number): Call => ({ id: `call_${number}`, number }))
const toolCalls = calls.map(({ id, number }) => ({
  callId: id,
  name: 'look',
  arguments: `{"n": ${number}}`,
  type: 'function',
  extra: { index: number },
}))

/** What each dialect has for a text, for a call, and for the results of calls, which are the parts of one message. */
const dialects: Record<
  Exclude<PartsFormat, 'OTHER'>,
  {
    readonly text: (text: string) => object
    readonly call: (call: Call) => object
    /** null: one result is one message there. */
    readonly result: { readonly role: 'USER' | 'TOOL'; readonly part: (call: Call) => object } | null
  }
> = {
  OPENAI_CHAT: {
    text: (text) => ({ type: 'text', text }),
    call: ({ id, number }) => ({ id, type: 'function', function: { name: 'look', arguments: `{"n":${number}}` } }),
    result: null,
  },
  OPENAI_RESPONSES: {
    text: (text) => ({ type: 'input_text', text }),
    call: ({ id, number }) => ({ type: 'function_call', call_id: id, name: 'look', arguments: `{"n":${number}}` }),
    result: {
      role: 'TOOL',
      part: ({ id, number }) => ({ type: 'function_call_output', call_id: id, output: `of ${number}` }),
    },
  },
  ANTHROPIC: {
    text: (text) => ({ type: 'text', text }),
    call: ({ id, number }) => ({ type: 'tool_use', id, name: 'look', input: { n: number } }),
    result: {
      role: 'USER',
      part: ({ id, number }) => ({ type: 'tool_result', tool_use_id: id, content: `of ${number}` }),
    },
  },
  AI_SDK: {
    text: (text) => ({ type: 'text', text }),
    call: ({ id, number }) => ({ type: 'tool-look', toolCallId: id, state: 'input-available', input: { n: number } }),
    result: {
      role: 'TOOL',
      part: ({ id, number }) => ({
        type: 'tool-result',
        toolCallId: id,
        toolName: 'look',
        output: { type: 'text', value: `of ${number}` },
      }),
    },
  },
  LANGCHAIN: {
    text: (text) => ({ type: 'text', text }),
    call: ({ id, number }) => ({ type: 'tool_call', id, name: 'look', args: { n: number } }),
    result: null,
  },
}

const fields = 'content parts partsFormat toolCalls { callId name arguments type extra }'
const append = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { replayed message { id ${fields} } } }`
const edit = `mutation ($input: EditMessageInput!) { editMessage(input: $input) { message { ${fields} } } }`
const start = `mutation ($input: StartMessageInput!) { startMessage(input: $input) { attempt message { id } } }`
const add = `mutation ($input: AppendMessageTextInput!) { appendMessageText(input: $input) { nextChunk } }`
const complete = `mutation ($input: CompleteMessageInput!) { completeMessage(input: $input) { replayed message { ${fields} } } }`
const read = `query ($id: ID!) { node(id: $id) { ... on Message { ${fields} } } }`
const follow = `subscription ($id: ID!) { messageAppended(conversationId: $id, after: "") { node { ${fields} } } }`

const large: [name: string, message: Record<string, unknown>][] = [
  ['tool calls', { toolCalls }],
  ...Object.entries(dialects).flatMap(([partsFormat, { text, call }]): [string, Record<string, unknown>][] => [
    [`texts as parts of ${partsFormat}`, { partsFormat, parts: numbers.map((number) => text(`text ${number} `)) }],
    [`calls as parts of ${partsFormat}`, { partsFormat, parts: calls.map(call) }],
  ]),
  ['parts of no known dialect', { partsFormat: 'OTHER', parts: numbers }],
]

test.each(isLong ? large : large.slice(0, 3))(
  'a message of 5,000 %s is stored, changed, streamed, followed and read back',
  async (name, message) => {
    const ada = bed.server.as()
    const texts = (message.parts as { text?: string }[] | undefined)?.map(({ text }) => text ?? '').join('') || null
    const whole = { content: texts, parts: null, partsFormat: null, toolCalls: [], ...message }

    const input = {
      conversationId: name,
      ifMissing: 'CREATE',
      message: { role: 'ASSISTANT', clientId: 'large', ...message },
    }
    const { appendMessage } = await ada.get(append, { input })
    const { id, ...stored } = appendMessage.message
    expect(stored).toEqual(whole)
    expect((await ada.get(read, { id })).node).toEqual(whole)
    expect((await ada.get(append, { input })).appendMessage).toMatchObject({ replayed: true, message: { id } })

    const bare = await ada.append(name, 'to be edited')
    const { editMessage } = await ada.get(edit, { input: { messageId: bare.message.id, content: texts, ...message } })
    expect(editMessage.message).toEqual(whole)

    const { startMessage } = await ada.get(start, { input: { conversationId: name } })
    const producer = { messageId: startMessage.message.id, attempt: startMessage.attempt }
    await ada.get(add, { input: { ...producer, chunk: 0, text: 'So ' } })
    const completion = { ...producer, chunks: 1, ...message }
    const { completeMessage } = await ada.get(complete, { input: completion })
    expect(completeMessage).toEqual({ replayed: false, message: { ...whole, content: 'So ' } })
    expect((await ada.get(complete, { input: completion })).completeMessage.replayed).toBe(true)

    await using feed = ada.subscribe(follow, { id: name })
    const told = (await feed.take(3)).map(({ data }) => data.messageAppended.node)
    expect(told).toEqual([whole, whole, { ...whole, content: 'So ' }])
  },
)

const context = `query ($id: ID!, $format: ContextFormat!) { conversation(id: $id) {
  context(maxTokens: 10000000, format: $format) { system messages included omitted { reasons } } } }`

const windows = Object.values(ContextFormat)

const turns: [name: string, called: object, results: object[]][] = [
  ['tool calls', { toolCalls }, resultsOf('ANTHROPIC')],
  ...Object.entries(dialects).map(([partsFormat, { call }]): [string, object, object[]] => [
    // In another order than the parts: each is looked up for its part.
    `parts of ${partsFormat}, and tool calls`,
    { partsFormat, parts: calls.map(call), toolCalls: toolCalls.toReversed() },
    resultsOf(partsFormat as keyof typeof dialects),
  ]),
]

/** The messages that answer all calls. */
function resultsOf(partsFormat: keyof typeof dialects): object[] {
  const { result } = dialects[partsFormat]
  if (result !== null) return [{ role: result.role, toolCallId: 'call_0', partsFormat, parts: calls.map(result.part) }]
  return calls.map(({ id, number }) => ({ role: 'TOOL', toolCallId: id, toolName: 'look', content: `of ${number}` }))
}

const appendMany = 'mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }'

test.each(isLong ? turns : turns.slice(0, 2))(
  'a turn of 5,000 calls is in a window of every format, each with its result: %s',
  async (name, called, results) => {
    const ada = bed.server.as()
    const id = `window of ${name}`
    await ada.append(id, 'Look at all of them.')
    await ada.append(id, { role: 'ASSISTANT', ...called })
    for (let at = 0; at < results.length; at += 100) {
      await ada.get(appendMany, { input: { conversationId: id, messages: results.slice(at, at + 100) } })
    }
    for (const format of windows) {
      const window = (await ada.get(context, { id, format })).conversation.context
      expect(window, format).toMatchObject({ included: 2 + results.length, omitted: { reasons: [] } })
      const expected = calls.map(({ number }) => ({ name: 'look', input: { n: number }, output: `of ${number}` }))
      expect(readAsProvider(format, window), format).toEqual(expected)
    }
  },
)

test('a turn of 5,000 calls of one id, each one part with its result, is in a window of every format', async () => {
  const ada = bed.server.as()
  const parts = numbers.map((n) => ({
    type: 'tool-look',
    toolCallId: 'call',
    state: 'output-available',
    input: { n },
    output: `of ${n}`,
  }))
  await ada.append('one id', 'Look at all of them.')
  await ada.append('one id', { role: 'ASSISTANT', partsFormat: 'AI_SDK', parts })
  for (const format of windows) {
    const window = (await ada.get(context, { id: 'one id', format })).conversation.context
    const expected = numbers.map((n) => ({ name: 'look', input: { n }, output: `of ${n}` }))
    expect(readAsProvider(format, window), format).toEqual(expected)
  }
})
