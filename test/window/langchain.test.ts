import {
  AIMessage,
  AIMessageChunk,
  type BaseMessage,
  ChatMessage,
  ChatMessageChunk,
  FunctionMessage,
  FunctionMessageChunk,
  HumanMessage,
  HumanMessageChunk,
  RemoveMessage,
  SystemMessage,
  SystemMessageChunk,
  ToolMessage,
  ToolMessageChunk,
} from '@langchain/core/messages'
import { describe, expect, test } from 'vitest'
import { toInput } from '../../client/src/sdk/langchain-message.ts'
import type { Message } from '../../src/entities/message/message.ts'
import { ContextFormat } from '../../src/entities/window-enums.ts'
import { type ContextWindow, WindowBuilder } from '../../src/window/window.ts'
import { storedMessage } from '../support/window/transcripts.ts'
import { build } from '../support/window/window.ts'
import { type Exchange, readAsProvider, readBySdk } from '../support/window/window-rules.ts'

const formats = Object.values(ContextFormat)

async function buildValid(
  format: ContextFormat,
  fields: readonly Partial<Message>[],
): Promise<ContextWindow & { readonly exchanges: Exchange[] }> {
  const messages = fields.map((field, index) => storedMessage(index + 1, { clientId: `m${index}`, ...field }))
  const counted = messages.map((message) => ({ message, tokens: 10, reasoningTokens: 0 }))
  const leads = counted.findIndex(({ message: { role } }) => role !== 'SYSTEM' && role !== 'DEVELOPER')
  const request = { format, maxTokens: 1_000_000, reserve: 0, system: null, userMessage: null }
  const builder = new WindowBuilder(request, counted.slice(0, leads))
  builder.add(counted.toReversed())
  const window = builder.finish()
  const exchanges = readAsProvider(format, window)
  if (format === 'AI_SDK' || format === 'AI_SDK_MODEL') await readBySdk(format, window)
  return { ...window, exchanges }
}

const asJson = (value: unknown) => JSON.parse(JSON.stringify(value))

/** The forms in which a program may store a message whole. */
const forms: Record<string, (message: BaseMessage) => unknown> = {
  'toDict()': (message) => message.toDict(),
  'toDict() of its class': (message) => ({
    type: (message.constructor as { name: string }).name,
    data: message.toDict().data,
  }),
  'toJSON()': (message) => message.toJSON(),
  'its fields': (message) => ({ type: message.type, ...message.toDict().data }),
  'its fields, by LangChain for Python': (message) => ({
    ...message.toDict().data,
    type: message.type === 'generic' ? 'chat' : (message.constructor as { name: string }).name,
  }),
}

/** What the client library stores of a message. */
function byClient(message: BaseMessage): Partial<Message> {
  const { clientId: _, ...input } = toInput(message, 'unnamed-x')
  const toolCalls = (input.toolCalls ?? []).map((call) => ({ type: 'function', extra: null, ...call }))
  return { ...input, toolCalls } as Partial<Message>
}

function whole(message: BaseMessage, form: (message: BaseMessage) => unknown): Partial<Message> {
  const { role, toolCallId = null } = toInput(message, 'unnamed-x')
  return { role, toolCallId, parts: [asJson(form(message))], partsFormat: 'LANGCHAIN' }
}

const args = { city: 'Zürich', days: [1, 2] }
const text = JSON.stringify(args)
const called = { id: 'a', name: 'look', args }
const toolUse = (input: unknown) => [
  { type: 'text', text: 'I look.', index: 0 },
  { type: 'tool_use', id: 'a', name: 'look', input, index: 1 },
]

/** A streamed answer as ChatAnthropic sends it: chunk by chunk, put together by LangChain. */
function streamed(): AIMessageChunk {
  const start = new AIMessageChunk({
    content: toolUse(''),
    tool_call_chunks: [{ id: 'a', name: 'look', args: '', index: 1 }],
  })
  return [...text].reduce(
    (sum, piece) =>
      sum.concat(
        new AIMessageChunk({
          content: [{ type: 'input_json_delta', input: piece, index: 1 }],
          tool_call_chunks: [{ args: piece, index: 1 }],
        }),
      ),
    start,
  )
}

/** Answers that all say the same: "I look.", and a call of `look`. */
const answers: Record<string, AIMessage | AIMessageChunk> = {
  'a text and tool_calls': new AIMessage({ content: 'I look.', tool_calls: [called] }),
  'a tool_use beside tool_calls': new AIMessage({ content: toolUse(args), tool_calls: [called] }),
  'an empty tool_use beside tool_calls': new AIMessage({ content: toolUse({}), tool_calls: [called] }),
  'a tool_use with an empty text beside tool_calls': new AIMessage({ content: toolUse(''), tool_calls: [called] }),
  'a tool_use beside tool_calls without arguments': new AIMessage({
    content: toolUse(args),
    tool_calls: [{ ...called, args: {} }],
  }),
  'a tool_use alone': new AIMessage({ content: toolUse(args) }),
  'a tool_use whose input is a text': new AIMessage({ content: toolUse(text) }),
  'a tool_use and what a stream sent of its input': new AIMessage({
    content: [
      ...toolUse(''),
      ...[text.slice(0, 9), text.slice(9)].map((input) => ({ type: 'input_json_delta', input, index: 1 })),
    ],
  }),
  'a stream put together': streamed(),
  'chunks of a call': new AIMessageChunk({
    content: 'I look.',
    tool_call_chunks: [{ id: 'a', name: 'look', args: text, index: 0, type: 'tool_call_chunk' }],
  }),
  'what LangChain stored before it had tool_calls': new AIMessage({
    content: 'I look.',
    tool_calls: [],
    additional_kwargs: { tool_calls: [{ id: 'a', type: 'function', function: { name: 'look', arguments: text } }] },
  }),
  'standard blocks': new AIMessage({
    contentBlocks: [
      { type: 'reasoning', reasoning: 'Hm.' },
      { type: 'text', text: 'I look.' },
      { type: 'tool_call', ...called },
    ],
  }),
}

const question = new HumanMessage('What?')
const result = new ToolMessage({ content: 'Sun.', tool_call_id: 'a', name: 'look', status: 'success' })
const expected = [{ name: 'look', input: args, output: 'Sun.' }]

describe.each(Object.entries(forms))('a message that was stored as %s', (_form, form) => {
  test.each(Object.entries(answers))('goes to a model with its calls: %s', async (_name, answer) => {
    for (const format of formats) {
      const { exchanges, messages, reasons } = await buildValid(
        format,
        [question, answer, result].map((message) => whole(message, form)),
      )
      expect({ format, exchanges, reasons }).toEqual({ format, exchanges: expected, reasons: [] })
      expect(JSON.stringify(messages)).toContain('I look.')
    }
  })

  const system = [new SystemMessage('Be brief.'), new SystemMessageChunk('Be brief.')]
  const human = [question, new HumanMessageChunk('What?'), new ChatMessage('What?', 'user')]
  const others = [new ChatMessage('What?', 'critic'), new ChatMessageChunk('What?', 'critic')]
  const results = [
    result,
    new ToolMessageChunk({ content: 'Sun.', tool_call_id: 'a', name: 'look', status: 'success' }),
    new ToolMessage({ content: [{ type: 'text', text: 'Sun.' }], tool_call_id: 'a' }),
  ]
  const answer = answers['a text and tool_calls'] as AIMessage

  test('says what its class says: instructions, words of the user, results', async () => {
    for (const format of formats) {
      const window = async (messages: BaseMessage[]) => {
        const {
          system,
          messages: written,
          reasons,
        } = await buildValid(
          format,
          messages.map((message) => whole(message, form)),
        )
        expect({ format, reasons }).toEqual({ format, reasons: [] })
        return { system, written }
      }
      const first = await window([system[0], question, answer, result] as BaseMessage[])
      expect(JSON.stringify(first)).toContain('Be brief.')
      for (const instruction of system) expect(await window([instruction, question, answer, result])).toEqual(first)
      for (const said of [...human, ...others]) {
        expect(await window([system[0] as BaseMessage, said, answer, result])).toEqual(first)
      }
      for (const output of results) {
        expect(await window([system[0] as BaseMessage, question, answer, output])).toEqual(first)
      }
    }
  })

  test('pairs a function of old with its call, which had no id', async () => {
    const asked = new AIMessage({
      content: '',
      additional_kwargs: { function_call: { name: 'look', arguments: text } },
    })
    for (const of of [
      new FunctionMessage({ content: 'Sun.', name: 'look' }),
      new FunctionMessageChunk({ content: 'Sun.', name: 'look' }),
    ]) {
      for (const format of formats) {
        const fields = [question, asked, of].map((message) => whole(message, form))
        expect((await buildValid(format, fields)).exchanges).toEqual(expected)
      }
    }
  })

  test('says nothing when it only deletes another one', async () => {
    const remove: Partial<Message> = {
      role: 'USER',
      parts: [asJson(form(new RemoveMessage({ id: 'x' })))],
      partsFormat: 'LANGCHAIN',
    }
    const { messages, reasons } = await buildValid('OPENAI_CHAT', [whole(question, form), remove])
    expect({ messages, reasons }).toEqual({ messages: [{ role: 'user', content: 'What?' }], reasons: ['EMPTY'] })
  })

  test('says the same as when the client library stores it', async () => {
    // The client library stores `tool_calls` as the calls of a message, and these come first.
    const { 'a tool_use beside tool_calls without arguments': _, ...others } = answers
    const all = [new SystemMessage('Be brief.'), question, ...Object.values(others).flatMap((one) => [one, result])]
    for (const format of formats) {
      const stored = await buildValid(
        format,
        all.map((message) => whole(message, form)),
      )
      const { exchanges, system } = await buildValid(format, all.map(byClient))
      expect({ format, exchanges, system }).toEqual({ format, exchanges: stored.exchanges, system: stored.system })
    }
  })
})

test('a call that is no JSON stays as the model wrote it, and one without an id is told', async () => {
  const answer = new AIMessage({
    content: 'I look.',
    tool_calls: [{ name: 'look', args: {} }],
    invalid_tool_calls: [{ id: 'a', name: 'look', args: '{"city": ', error: 'Malformed args.' }],
  })
  // Not `buildValid`: OpenAI takes arguments that are no JSON; the reader of the exchanges does not.
  const all = [question, answer, result]
  const { messages, reasons } = build(
    'OPENAI_CHAT',
    all.map((message) => whole(message, (one) => one.toDict())),
  )
  expect(reasons).toEqual(['UNSUPPORTED_PART'])
  expect(messages[1]).toMatchObject({ tool_calls: [{ id: 'a', function: { name: 'look', arguments: '{"city": ' } }] })
  // The client library keeps the call without an id beside the fields.
  expect(build('OPENAI_CHAT', all.map(byClient))).toMatchObject({ messages, reasons: [] })
})

test('every standard block is read, or told when no provider knows it', async () => {
  const png = 'iVBORw0KGgoAAAAN'
  const blocks: [block: Record<string, unknown>, isSaid: boolean][] = [
    [{ type: 'text', text: 'So.' }, true],
    [{ type: 'refusal', refusal: 'No.' }, true],
    [{ type: 'image', url: 'https://example.com/a.png' }, true],
    [{ type: 'image', data: png, mimeType: 'image/png' }, true],
    [{ type: 'image', fileId: 'file-1' }, false],
    [{ type: 'audio', data: 'UklGRgAAAABXQVZF', mimeType: 'audio/wav' }, true],
    [{ type: 'video', url: 'https://example.com/a.mp4', mimeType: 'video/mp4' }, false],
    [{ type: 'file', data: 'JVBERi0xLjc=', mimeType: 'application/pdf' }, true],
    [{ type: 'text-plain', text: 'Words.', title: 'a.txt' }, true],
    [{ type: 'image_url', image_url: 'https://example.com/a.png' }, true],
    [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } }, true],
    [{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Words.' } }, true],
    [{ type: 'input_audio', input_audio: { data: 'UklGRgAAAABXQVZF', format: 'wav' } }, true],
    [{ type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0xLjc=' } }, true],
    [{ type: 'server_tool_call', id: 's', name: 'web_search', args: {} }, false],
    [{ type: 'server_tool_call_result', toolCallId: 's', status: 'success', output: {} }, false],
    [{ type: 'non_standard', value: { type: 'mine' } }, false],
    [{ type: 'non_standard', value: { langchain: { type: 'generic' } } }, true],
  ]
  for (const [block, isSaid] of blocks) {
    const fields: Partial<Message>[] = [
      { role: 'USER', parts: [{ type: 'text', text: 'See.' }, block], partsFormat: 'LANGCHAIN' },
    ]
    const { reasons } = await buildValid('OPENAI_CHAT', fields)
    expect({ block, reasons }).toEqual({ block, reasons: isSaid ? [] : ['UNSUPPORTED_PART'] })
  }
})
