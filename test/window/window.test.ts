import type { ContentBlockParam, MessageParam, TextBlockParam } from '@anthropic-ai/sdk/resources/messages'
import { AIMessage, HumanMessage, mapChatMessagesToStoredMessages, ToolMessage } from '@langchain/core/messages'
import type { ModelMessage, UIMessage } from 'ai'
import type { ChatCompletionMessageParam } from 'openai/resources/chat/completions'
import type { ResponseInputItem } from 'openai/resources/responses/responses'
import { describe, expect, test } from 'vitest'
import type { PartsFormat } from '../../src/entities/message/message-enums.ts'
import { ContextFormat } from '../../src/entities/window-enums.ts'
import { ContextTooSmall } from '../../src/facts.ts'
import { textOfParts } from '../../src/window/dialects/read-parts.ts'
import { readCountable } from '../../src/window/entries/countable.ts'
import { type ContextWindow, WindowBuilder } from '../../src/window/window.ts'
import { storedMessage } from '../support/window/transcripts.ts'
import { assistant, build, buildValid, call, type Fields, parts, tool, user } from '../support/window/window.ts'
import { readAsProvider } from '../support/window/window-rules.ts'

const formats = Object.values(ContextFormat)

describe('one conversation in the types of every SDK', () => {
  const png = 'iVBORw0KGgo='
  const conversation: Fields[] = [
    { role: 'SYSTEM', content: 'Be brief.' },
    { role: 'DEVELOPER', content: 'Use tools.' },
    {
      ...parts(
        'USER',
        'OPENAI_CHAT',
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
      ),
      name: 'ada',
    },
    assistant('I look.', call('a', '{"at": 1}'), call('b')),
    tool('b', 'no light', { toolError: true }),
    tool('a', 'a cat'),
    assistant('A cat.'),
  ]

  test('OPENAI_CHAT: ChatCompletionMessageParam[]', async () => {
    const expected: ChatCompletionMessageParam[] = [
      { role: 'system', content: 'Be brief.' },
      { role: 'developer', content: 'Use tools.' },
      {
        role: 'user',
        name: 'ada',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } },
        ],
      },
      {
        role: 'assistant',
        content: 'I look.',
        tool_calls: [
          { id: 'a', type: 'function', function: { name: 'look', arguments: '{"at": 1}' } },
          { id: 'b', type: 'function', function: { name: 'look', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'a', content: 'a cat' },
      { role: 'tool', tool_call_id: 'b', content: 'no light' },
      { role: 'assistant', content: 'A cat.' },
    ]
    expect(await buildValid('OPENAI_CHAT', conversation)).toMatchObject({ system: null, messages: expected })
  })

  test('OPENAI_RESPONSES: ResponseInputItem[]', async () => {
    const expected: ResponseInputItem[] = [
      { type: 'message', role: 'system', content: 'Be brief.' },
      { type: 'message', role: 'developer', content: 'Use tools.' },
      {
        type: 'message',
        role: 'user',
        content: [
          { type: 'input_text', text: 'What is this?' },
          { type: 'input_image', image_url: `data:image/png;base64,${png}`, detail: 'auto' },
        ],
      },
      { type: 'message', role: 'assistant', content: 'I look.' },
      { type: 'function_call', call_id: 'a', name: 'look', arguments: '{"at": 1}' },
      { type: 'function_call', call_id: 'b', name: 'look', arguments: '{}' },
      { type: 'function_call_output', call_id: 'a', output: 'a cat' },
      { type: 'function_call_output', call_id: 'b', output: 'no light' },
      { type: 'message', role: 'assistant', content: 'A cat.' },
    ]
    expect(await buildValid('OPENAI_RESPONSES', conversation)).toMatchObject({ system: null, messages: expected })
  })

  test('ANTHROPIC: MessageParam[], and TextBlockParam[] apart', async () => {
    const system: TextBlockParam[] = [
      { type: 'text', text: 'Be brief.' },
      { type: 'text', text: 'Use tools.' },
    ]
    const expected: MessageParam[] = [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'I look.' },
          { type: 'tool_use', id: 'a', name: 'look', input: { at: 1 } },
          { type: 'tool_use', id: 'b', name: 'look', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: 'a cat' },
          { type: 'tool_result', tool_use_id: 'b', content: 'no light', is_error: true },
        ],
      },
      { role: 'assistant', content: [{ type: 'text', text: 'A cat.' }] },
    ]
    expect(await buildValid('ANTHROPIC', conversation)).toMatchObject({ system, messages: expected })
  })

  test('AI_SDK: UIMessage[], and instructions apart', async () => {
    const system: ModelMessage[] = [
      { role: 'system', content: 'Be brief.' },
      { role: 'system', content: 'Use tools.' },
    ]
    const expected: UIMessage[] = [
      {
        id: 'm3',
        role: 'user',
        parts: [
          { type: 'text', text: 'What is this?' },
          { type: 'file', mediaType: 'image/png', url: `data:image/png;base64,${png}` },
        ],
      },
      {
        id: 'm4',
        role: 'assistant',
        parts: [
          { type: 'step-start' },
          { type: 'text', text: 'I look.' },
          {
            type: 'dynamic-tool',
            toolName: 'look',
            toolCallId: 'a',
            state: 'output-available',
            input: { at: 1 },
            output: 'a cat',
          },
          {
            type: 'dynamic-tool',
            toolName: 'look',
            toolCallId: 'b',
            state: 'output-error',
            input: {},
            errorText: 'no light',
          },
          { type: 'step-start' },
          { type: 'text', text: 'A cat.' },
        ],
      },
    ]
    expect(await buildValid('AI_SDK', conversation)).toMatchObject({ system, messages: expected })
  })

  test('AI_SDK_MODEL: ModelMessage[], and instructions apart', async () => {
    const system: ModelMessage[] = [
      { role: 'system', content: 'Be brief.' },
      { role: 'system', content: 'Use tools.' },
    ]
    const expected: ModelMessage[] = [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { type: 'file', mediaType: 'image/png', data: png },
        ],
      },
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'I look.' },
          { type: 'tool-call', toolCallId: 'a', toolName: 'look', input: { at: 1 } },
          { type: 'tool-call', toolCallId: 'b', toolName: 'look', input: {} },
        ],
      },
      {
        role: 'tool',
        content: [
          { type: 'tool-result', toolCallId: 'a', toolName: 'look', output: { type: 'text', value: 'a cat' } },
          { type: 'tool-result', toolCallId: 'b', toolName: 'look', output: { type: 'error-text', value: 'no light' } },
        ],
      },
      { role: 'assistant', content: [{ type: 'text', text: 'A cat.' }] },
    ]
    expect(await buildValid('AI_SDK_MODEL', conversation)).toMatchObject({ system, messages: expected })
  })
})

describe('a window in the dialect of the parts gives them back as they are', () => {
  test('ANTHROPIC: thoughts with their signature, citations, and what the server ran', async () => {
    const content: ContentBlockParam[] = [
      { type: 'thinking', thinking: 'Hm.', signature: 'sig==' },
      { type: 'redacted_thinking', data: 'x' },
      { type: 'server_tool_use', id: 'srv', name: 'web_search', input: { query: 'cats' } },
      { type: 'web_search_tool_result', tool_use_id: 'srv', content: [] },
      { type: 'text', text: 'See.', citations: [] },
      { type: 'tool_use', id: 'a', name: 'look', input: { b: [1] }, caller: { type: 'direct' } },
    ]
    const result: ContentBlockParam = {
      type: 'tool_result',
      tool_use_id: 'a',
      content: [{ type: 'text', text: 'one', cache_control: null }],
    }
    const fields = [user('?'), parts('ASSISTANT', 'ANTHROPIC', ...content), parts('USER', 'ANTHROPIC', result)]
    const { messages, tokenCount } = await buildValid('ANTHROPIC', fields)
    expect(messages.slice(1)).toEqual([
      { role: 'assistant', content },
      { role: 'user', content: [result] },
    ])
    expect(tokenCount, 'reasoning counts where it is said').toBe(35)
  })

  test('OPENAI_RESPONSES: items whole, with their ids, phases and encrypted reasoning', async () => {
    const items: ResponseInputItem[] = [
      { type: 'reasoning', id: 'rs', summary: [], encrypted_content: 'e' },
      {
        type: 'message',
        id: 'msg',
        role: 'assistant',
        status: 'completed',
        phase: 'commentary',
        content: [
          { type: 'output_text', text: 'One ', annotations: [] },
          { type: 'output_text', text: 'two', annotations: [] },
        ],
      },
      { type: 'function_call', id: 'fc', call_id: 'a', name: 'look', arguments: '{ "a":1}', status: 'completed' },
    ]
    const said: ResponseInputItem = { type: 'message', role: 'user', content: [{ type: 'input_text', text: '?' }] }
    const output: ResponseInputItem = { type: 'function_call_output', id: 'fco', call_id: 'a', output: 'x' }
    const fields = [
      parts('USER', 'OPENAI_RESPONSES', said),
      parts('ASSISTANT', 'OPENAI_RESPONSES', ...items),
      { ...parts('TOOL', 'OPENAI_RESPONSES', output), toolCallId: 'a' },
    ]
    expect((await buildValid('OPENAI_RESPONSES', fields)).messages).toEqual([said, ...items, output])
  })

  test('AI_SDK: every part of a UIMessage that the SDK knows', async () => {
    const said: UIMessage['parts'] = [
      { type: 'step-start' },
      { type: 'reasoning', text: 'Hm.', state: 'done', providerMetadata: { anthropic: { signature: 's' } } },
      { type: 'source-url', sourceId: '1', url: 'https://example.com' },
      {
        type: 'tool-look',
        toolCallId: 'a',
        state: 'output-available',
        input: { b: [1] },
        output: { n: 1.5 },
        callProviderMetadata: { openai: { itemId: 'fc' } },
      },
      { type: 'step-start' },
      { type: 'text', text: 'So.', state: 'done', providerMetadata: { x: { y: 1 } } },
      { type: 'data-weather', data: { sun: true } },
    ]
    const { messages, reasons } = await buildValid('AI_SDK', [user('?'), parts('ASSISTANT', 'AI_SDK', ...said)])
    expect(messages[1]).toMatchObject({ role: 'assistant', parts: said })
    expect(reasons).toEqual([])
  })

  test('AI_SDK_MODEL: reasoning with its provider options, and results as JSON', async () => {
    const options = { anthropic: { signature: 's' } }
    const said: ModelMessage = {
      role: 'assistant',
      content: [
        { type: 'reasoning', text: 'Hm.', providerOptions: options },
        { type: 'tool-call', toolCallId: 'a', toolName: 'look', input: [1], providerOptions: options },
      ],
    }
    const answered: ModelMessage = {
      role: 'tool',
      content: [
        { type: 'tool-result', toolCallId: 'a', toolName: 'look', output: { type: 'json', value: { n: [1] } } },
      ],
    }
    const fields = [
      user('?'),
      parts('ASSISTANT', 'AI_SDK', ...said.content),
      { ...parts('TOOL', 'AI_SDK', ...answered.content), toolCallId: 'a' },
    ]
    expect((await buildValid('AI_SDK_MODEL', fields)).messages.slice(1)).toEqual([said, answered])
  })

  test('OPENAI_CHAT: parts of kinds that nobody else knows, and what else a call held', async () => {
    const video = { type: 'video_url', video_url: { url: 'https://example.com/a.mp4' }, z: 1 }
    const extra = { extra_content: { google: { thought_signature: 's' } }, function: { strict: true } }
    const fields = [parts('USER', 'OPENAI_CHAT', video), assistant(null, call('a', '{}', { extra })), tool('a', 'x')]
    const { messages } = await buildValid('OPENAI_CHAT', fields)
    expect(messages[0]).toEqual({ role: 'user', content: [video] })
    expect(messages[1]).toEqual({
      role: 'assistant',
      content: null,
      tool_calls: [
        {
          id: 'a',
          type: 'function',
          function: { strict: true, name: 'look', arguments: '{}' },
          extra_content: { google: { thought_signature: 's' } },
        },
      ],
    })
  })
})

describe('reasoning goes to a model', () => {
  const thought = { type: 'thinking', thinking: 'Hm.', signature: 's' }
  const text = { type: 'text', text: 'So.' }
  const textOf = (window: ContextWindow) => JSON.stringify(window.messages)

  test.each(formats.filter((format) => format !== 'ANTHROPIC'))('never in another dialect: %s', async (format) => {
    const { exchanges: _, ...window } = await buildValid(format, [
      user('?'),
      parts('ASSISTANT', 'ANTHROPIC', thought, text),
    ])
    expect(textOf(window)).not.toContain('Hm.')
    expect(window).toMatchObject({ tokenCount: 20, reasons: [] })
  })

  test('never of a message that is not whole, whose words stay', () => {
    for (const status of ['FAILED', 'CANCELLED'] as const) {
      const window = build('ANTHROPIC', [user('?'), { ...parts('ASSISTANT', 'ANTHROPIC', thought, text), status }])
      expect(window.messages[1]).toEqual({ role: 'assistant', content: [text] })
    }
  })

  test('never when nothing follows it', () => {
    const window = build('ANTHROPIC', [user('?'), parts('ASSISTANT', 'ANTHROPIC', thought, text, thought)])
    expect(window.messages[1]).toEqual({ role: 'assistant', content: [thought, text] })
    const alone = build('ANTHROPIC', [user('?'), parts('ASSISTANT', 'ANTHROPIC', thought)])
    expect(alone).toMatchObject({ reasons: ['EMPTY'], tokenCount: 10 })
  })
})

describe('a call and its results', () => {
  test.each(formats)('stand together, whatever came between: %s', async (format) => {
    const between = [{ role: 'SYSTEM', content: 'Late.' } as const, assistant('Wait.')]
    const fields = [
      user('?'),
      assistant(null, call('a', '{"n":1}'), call('b', '{"n":2}')),
      tool('b', 'B'),
      ...between,
      tool('a', 'A'),
    ]
    const { exchanges, reasons } = await buildValid(format, fields)
    expect(exchanges).toEqual([
      { name: 'look', input: { n: 1 }, output: 'A' },
      { name: 'look', input: { n: 2 }, output: 'B' },
    ])
    expect(reasons).toEqual([])
  })

  test.each(formats)('a result belongs to the nearest earlier call of its id that has none yet: %s', async (format) => {
    const fields = [
      user('?'),
      assistant(null, call('a', '{"n":1}')),
      assistant(null, call('a', '{"n":2}')),
      tool('a', 'second'),
      tool('a', 'first'),
      assistant(null, call('a', '{"n":3}')),
      tool('a', 'third'),
    ]
    const { exchanges } = await buildValid(format, fields)
    expect(exchanges.map(({ output }) => output)).toEqual(['first', 'second', 'third'])
  })

  test.each(formats)('a result never belongs to a call before words of the user: %s', async (format) => {
    const fields = [user('?'), assistant(null, call('a')), user('Never mind.'), tool('a', 'late')]
    const { exchanges, reasons, included } = await buildValid(format, fields)
    expect(exchanges.map(({ output }) => output)).toEqual(['Interrupted: this call was not answered.'])
    expect(reasons.toSorted()).toEqual(['INTERRUPTED_CALL', 'ORPHANED_RESULT'])
    expect(included.map(({ seq }) => seq)).toEqual([1, 2, 3])
  })

  test.each(formats)('a call without a result at the end is answered as interrupted: %s', async (format) => {
    const { exchanges, reasons, tokenCount } = await buildValid(format, [
      user('?'),
      assistant('So.', call('a'), call('b')),
      tool('b', 'B'),
    ])
    expect(exchanges.map(({ output }) => output)).toEqual(['Interrupted: this call was not answered.', 'B'])
    expect(reasons).toEqual(['INTERRUPTED_CALL'])
    expect(tokenCount).toBe(50)
  })

  test.each(formats)(
    'a result that comes twice, or without a call, is left out and costs nothing: %s',
    async (format) => {
      const fields = [user('?'), tool('x', 'none'), assistant(null, call('a')), tool('a', 'A'), tool('a', 'again')]
      const { exchanges, reasons, tokenCount } = await buildValid(format, fields)
      expect(exchanges.map(({ output }) => output)).toEqual(['A'])
      expect(reasons).toEqual(['ORPHANED_RESULT'])
      expect(tokenCount).toBe(30)
    },
  )

  test('what stands in parts and in the fields counts once, with the arguments as the model wrote them', async () => {
    const fields: Fields[] = [
      user('?'),
      {
        ...parts('ASSISTANT', 'ANTHROPIC', { type: 'tool_use', id: 'a', name: 'look', input: { n: 1 } }),
        toolCalls: [call('a', '{ "n": 1.0 }'), call('b')],
      },
      {
        ...parts('TOOL', 'ANTHROPIC', { type: 'tool_result', tool_use_id: 'a', content: 'A' }),
        toolCallId: 'a',
        toolError: true,
        content: 'A',
      },
      tool('b', 'B'),
    ]
    const { messages } = await buildValid('OPENAI_CHAT', fields)
    expect(messages[1]).toMatchObject({
      tool_calls: [{ id: 'a', function: { arguments: '{ "n": 1.0 }' } }, { id: 'b' }],
    })
    const inAnthropic = await buildValid('ANTHROPIC', fields)
    expect(inAnthropic.exchanges).toHaveLength(2)
    expect(inAnthropic.messages[2]).toMatchObject({ content: [{ tool_use_id: 'a', is_error: true }, {}] })
  })

  test('a TOOL message is the results in its parts, and else one result of all that it holds', async () => {
    const result = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: id.toUpperCase(), is_error: true })
    const text = (value: string) => ({ type: 'text', text: value })
    const outputs = async (toolCallId: string, ...list: unknown[]) => {
      const answer = { ...parts('TOOL', 'ANTHROPIC', ...list), toolCallId }
      const fields = [user('?'), assistant(null, call('a'), call('b')), answer]
      const { messages, reasons } = await buildValid('AI_SDK_MODEL', fields)
      expect(reasons).not.toContain('ORPHANED_RESULT')
      const [, , { content }] = messages as [
        unknown,
        unknown,
        { content: { output: { type: string; value: string } }[] },
      ]
      return content.map(({ output: { type, value } }) => (value.startsWith('Interrupted') ? null : `${type} ${value}`))
    }
    expect(await outputs('a', text('one'), text('two'))).toEqual(['text onetwo', null])
    expect(await outputs('a', result('a'), text('more'))).toEqual(['error-text A', null])
    expect(await outputs('a', result('a'), result('b'))).toEqual(['error-text A', 'error-text B'])
    expect(await outputs('a', result('b'))).toEqual([null, 'error-text B'])
    expect(await outputs('a', result('b'), text('one'))).toEqual(['text one', 'error-text B'])
  })

  test.each(formats)('a result that is one part with its call is of no other: %s', async (format) => {
    const part = (n: number, more: object) => ({ type: 'tool-look', toolCallId: 'a', input: { n }, ...more })
    const done = (n: number) => part(n, { state: 'output-available', output: `of ${n}` })
    const said = [done(1), done(2), part(3, { state: 'input-available' }), { type: 'step-start' }, done(4)]
    const { exchanges } = await buildValid(format, [
      user('?'),
      parts('ASSISTANT', 'AI_SDK', ...said),
      tool('a', 'of 3'),
    ])
    expect(exchanges).toEqual([1, 2, 3, 4].map((n) => ({ name: 'look', input: { n }, output: `of ${n}` })))
  })

  test('what is said after results within one message comes after them', async () => {
    const said = [
      { type: 'tool-call', toolCallId: 'a', toolName: 'look', input: {} },
      { type: 'tool-result', toolCallId: 'a', toolName: 'look', output: { type: 'text', value: 'A' } },
      { type: 'text', text: 'So.' },
    ]
    const { messages } = await buildValid('OPENAI_CHAT', [user('?'), parts('ASSISTANT', 'AI_SDK', ...said)])
    expect(messages).toMatchObject([{}, { content: null }, { role: 'tool', content: 'A' }, { content: 'So.' }])
  })

  test('calls of anybody but an assistant are left out', () => {
    const window = build('OPENAI_CHAT', [{ ...user('?'), toolCalls: [call('a')] }])
    expect(window).toMatchObject({ messages: [{ role: 'user', content: '?' }], reasons: ['UNSUPPORTED_PART'] })
  })
})

describe('call ids', () => {
  const idsOf = (window: ContextWindow): unknown[] =>
    [...JSON.stringify(window.messages).matchAll(/"(?:id|call_id|toolCallId)":"([^"]*)"/g)]
      .map(([, id]) => id)
      .filter((id, index, all) => !/^m\d+$/.test(id ?? '') && all.indexOf(id) === index)
  const turns = (...ids: string[]) => [
    user('?'),
    ...ids.flatMap((id) => [assistant(null, call(id)), tool(id, `of ${id}`)]),
  ]

  test('those that come again are made unique, without taking a real one: but in OPENAI_CHAT, which takes them', async () => {
    const fields = turns('a', 'a', 'a-2', 'a')
    for (const format of formats) {
      expect(idsOf(await buildValid(format, fields))).toEqual(
        format === 'OPENAI_CHAT' ? ['a', 'a-2'] : ['a', 'a-3', 'a-2', 'a-4'],
      )
    }
  })

  test('parallel calls of one id are made unique everywhere', async () => {
    for (const format of formats) {
      const fields = [
        user('?'),
        assistant(null, call('a', '{"n":1}'), call('a', '{"n":2}')),
        tool('a', '2'),
        tool('a', '1'),
      ]
      const { exchanges } = await buildValid(format, fields)
      expect(exchanges.map(({ output }) => output)).toEqual(['1', '2'])
    }
  })

  test('those that the provider would refuse are made fit', async () => {
    const [long, longer] = [`${'x'.repeat(64)}`, `${'x'.repeat(64)}y`]
    const fields = turns('a b', 'a_b', long, longer)
    const x = (count: number) => 'x'.repeat(count)
    expect(idsOf(await buildValid('ANTHROPIC', fields))).toEqual(['a_b-2', 'a_b', x(64), `${x(56)}-2`])
    expect(idsOf(await buildValid('OPENAI_RESPONSES', fields))).toEqual(['a b', 'a_b', x(64), `${x(56)}-2`])
    expect(idsOf(await buildValid('OPENAI_CHAT', fields))).toEqual(['a b', 'a_b', x(40), `${x(32)}-2`])
    expect(idsOf(await buildValid('AI_SDK', fields))).toEqual(['a b', 'a_b', long, longer])
    const alike = turns('a b', 'a b-2', 'a b')
    expect(idsOf(await buildValid('ANTHROPIC', alike))).toEqual(['a_b', 'a_b-2', 'a_b-3'])
  })

  test('long ones that begin alike and come again are numbered together', async () => {
    const ids = Array.from({ length: 12 }, (_, i) => `${'x'.repeat(60)}${1000 + i}`)
    const numbered = ids.map((_, i) => `${'x'.repeat(56)}-${i + 2}`)
    const fields = turns(...ids, ...ids)
    for (const format of ['ANTHROPIC', 'OPENAI_RESPONSES'] as const) {
      expect(idsOf(await buildValid(format, fields))).toEqual([...ids, ...numbered])
    }
  })
})

describe('arguments', () => {
  const cases: [text: string, inText: string, inObject: unknown][] = [
    ['{"b": 1.0,  "a":[]}', '{"b": 1.0,  "a":[]}', { b: 1, a: [] }],
    ['', '{}', {}],
    [' \n', '{}', {}],
    ['not { JSON', 'not { JSON', { arguments: 'not { JSON' }],
    ['[1]', '[1]', { arguments: '[1]' }],
    ['null', 'null', { arguments: 'null' }],
  ]
  test.each(cases)('%j are text byte for byte, or an object', (text, inText, inObject) => {
    const argumentsIn = (format: ContextFormat) =>
      build(format, [user('?'), assistant(null, call('a', text)), tool('a', '')]).messages
    expect(argumentsIn('OPENAI_CHAT')[1]).toMatchObject({ tool_calls: [{ function: { arguments: inText } }] })
    expect(argumentsIn('OPENAI_RESPONSES')[1]).toMatchObject({ arguments: inText })
    expect(argumentsIn('ANTHROPIC')[1]).toHaveProperty('content.0.input', inObject)
    expect(argumentsIn('AI_SDK')[1]).toHaveProperty('parts.1.input', inObject)
    expect(argumentsIn('AI_SDK_MODEL')[1]).toHaveProperty('content.0.input', inObject)
  })

  test('those of a custom tool are a text', () => {
    const fields = [user('?'), assistant(null, call('a', '', { type: 'custom' })), tool('a', 'A')]
    const chat: ChatCompletionMessageParam = {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'a', type: 'custom', custom: { name: 'look', input: '' } }],
    }
    expect(build('OPENAI_CHAT', fields).messages[1]).toEqual(chat)
    const items: ResponseInputItem[] = [
      { type: 'custom_tool_call', call_id: 'a', name: 'look', input: '' },
      { type: 'custom_tool_call_output', call_id: 'a', output: 'A' },
    ]
    expect(build('OPENAI_RESPONSES', fields).messages.slice(1)).toEqual(items)
    const json = [user('?'), assistant(null, call('a', '{"n":1}', { type: 'custom' })), tool('a', 'A')]
    expect(build('ANTHROPIC', json).messages[1]).toMatchObject({ content: [{ input: { arguments: '{"n":1}' } }] })
  })
})

describe('messages that are not whole, or not there', () => {
  test.each(formats)(
    'deleted ones are not there, streaming ones are left out, what others said stays: %s',
    async (format) => {
      const fields = [
        user('one'),
        { ...assistant(null), deletedAt: '2026-01-01T00:00:00Z' },
        { ...assistant('half'), status: 'FAILED' as const },
        { ...assistant('stop'), status: 'CANCELLED' as const },
        { ...assistant('still'), status: 'STREAMING' as const },
      ]
      const window = await buildValid(format, fields)
      expect(window).toMatchObject({ tokenCount: 30, reasons: ['STREAMING'], firstSeq: 1, lastSeq: 4 })
      const text = JSON.stringify(window.messages)
      expect(text).toContain('half')
      expect(text).toContain('stop')
      expect(text).not.toContain('still')
    },
  )

  test.each(formats)('those that say nothing are left out: %s', async (format) => {
    const window = await buildValid(format, [user('one'), assistant(''), assistant('two')])
    expect(window).toMatchObject({ tokenCount: 20, reasons: ['EMPTY'] })
  })
})

describe('a window begins', () => {
  test.each(formats)('with the user: what the assistant said before is left out: %s', async (format) => {
    const { reasons, firstSeq } = await buildValid(format, [
      assistant('Welcome!'),
      tool('a', 'A'),
      user('Hi'),
      assistant('Hello'),
    ])
    expect({ reasons, firstSeq }).toEqual({ reasons: ['BEFORE_FIRST_USER'], firstSeq: 3 })
  })

  test.each(formats)('never at results, though a message of the user holds them: %s', async (format) => {
    const result = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: id.toUpperCase() })
    const fields = [
      user('one'),
      assistant(null, call('a')),
      parts('USER', 'ANTHROPIC', result('a')),
      assistant(null, call('b')),
      parts('USER', 'ANTHROPIC', result('b'), { type: 'text', text: 'two' }),
      assistant('three'),
    ]
    const whole = await buildValid(format, fields)
    expect(whole).toMatchObject({ tokenCount: 60, reasons: [], firstSeq: 1 })
    expect(whole.exchanges.map(({ output }) => output)).toEqual(['A', 'B'])
    const newest = await buildValid(format, fields, { maxTokens: 59 })
    expect(newest).toMatchObject({ tokenCount: 20, reasons: ['BUDGET'], firstSeq: 5, exchanges: [] })
    expect(JSON.stringify(newest.messages)).toContain('two')
  })

  test('with what a user says in this format: a picture begins none that cannot show it', () => {
    const sound = { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }
    const fields = [user('one'), assistant('two'), parts('USER', 'OPENAI_CHAT', sound), assistant('three')]
    const window = build('ANTHROPIC', fields, { maxTokens: 30 })
    expect(window).toMatchObject({ firstSeq: 1, tokenCount: 30, messages: [{ role: 'user' }, { role: 'assistant' }] })
    expect(window.reasons.toSorted()).toEqual(['EMPTY', 'UNSUPPORTED_PART'])
    expect(build('OPENAI_CHAT', fields, { maxTokens: 30 })).toMatchObject({ firstSeq: 3, reasons: ['BUDGET'] })
  })
})

describe('the budget', () => {
  const fields: Fields[] = [
    { role: 'SYSTEM', content: 'Rules.' },
    user('one'),
    assistant('two'),
    user('three'),
    assistant(null, call('a')),
    tool('a', 'A'),
    { role: 'SYSTEM', content: 'Late.' },
    assistant('four'),
  ]

  test.each(formats)('holds whole turns, newest first, after the leading instructions: %s', async (format) => {
    const at = (maxTokens: number) => buildValid(format, fields, { maxTokens })
    const seqs = async (maxTokens: number) => (await at(maxTokens)).included.map(({ seq }) => seq)
    expect(await seqs(60)).toEqual([1, 4, 5, 6, 7, 8])
    expect(await seqs(79)).toEqual([1, 4, 5, 6, 7, 8])
    expect(await seqs(80)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(await at(79)).toMatchObject({ reasons: ['BUDGET'], tokenCount: 60, firstSeq: 4, lastSeq: 8 })
    expect(await at(80)).toMatchObject({ reasons: [], tokenCount: 80, firstSeq: 2 })
  })

  test.each(formats)(
    'holds the system text first and the new message last, and keeps the reserve free: %s',
    async (format) => {
      const message = storedMessage(9, { role: 'USER', content: 'five' })
      const request = {
        system: { text: 'First.', tokens: 7 },
        userMessage: { message: { ...message, clientId: null }, tokens: 3, reasoningTokens: 0 },
        reserve: 100,
      }
      const whole = await buildValid(format, fields, { ...request, maxTokens: 190 })
      expect(whole).toMatchObject({ tokenCount: 90, reasons: [], lastSeq: 8 })
      const text = JSON.stringify([whole.system, whole.messages])
      expect(text.indexOf('First.')).toBeLessThan(text.indexOf('Rules.'))
      expect(JSON.stringify(whole.messages.at(-1))).toContain('five')
      const newest = await buildValid(format, fields, { ...request, maxTokens: 169 })
      expect(newest).toMatchObject({ tokenCount: 20, reasons: ['BUDGET'], firstSeq: null, lastSeq: null })
      expect(newest.included.map(({ seq }) => seq)).toEqual([1])
    },
  )

  test.each(formats)('a new message that holds results goes on with the newest turn: %s', async (format) => {
    const result = { type: 'tool_result', tool_use_id: 'a', content: 'A' }
    const message = storedMessage(3, parts('USER', 'ANTHROPIC', result))
    const userMessage = { message, tokens: 3, reasoningTokens: 0 }
    const window = await buildValid(format, [user('?'), assistant(null, call('a'))], { userMessage, maxTokens: 23 })
    expect(window).toMatchObject({ tokenCount: 23, reasons: [], exchanges: [{ output: 'A' }], firstSeq: 1, lastSeq: 2 })
  })

  test('that is too small even for the newest turn is an error that says what would do', () => {
    const request = { system: { text: 'First.', tokens: 7 }, reserve: 100 }
    const tooSmall = (maxTokens: number) => {
      try {
        build('ANTHROPIC', fields, { ...request, maxTokens })
      } catch (error) {
        expect(error).toBeInstanceOf(ContextTooSmall)
        return error
      }
    }
    expect(tooSmall(1)).toMatchObject({ limit: 1, needed: 167 })
    expect(tooSmall(166)).toMatchObject({ limit: 166, needed: 167 })
    expect(tooSmall(167)).toBeUndefined()
  })

  test('is not spent on results that turn out to have no call', () => {
    const orphans = [tool('x', 'none'), tool('y', 'none'), tool('z', 'none')]
    const fields = [user('one'), ...orphans, assistant('two'), user('three')]
    const window = build('OPENAI_CHAT', fields, { maxTokens: 30 })
    expect(window).toMatchObject({ firstSeq: 1, tokenCount: 30, reasons: ['ORPHANED_RESULT'] })
  })

  test('that is spent asks for no more messages', () => {
    const counted = fields.map((field, index) => ({
      message: storedMessage(index + 1, field),
      tokens: 10,
      reasoningTokens: 0,
    }))
    const request = { format: 'OPENAI_CHAT', maxTokens: 69, reserve: 0, system: null, userMessage: null } as const
    const builder = new WindowBuilder(request, counted.slice(0, 1))
    builder.add(counted.slice(3).toReversed())
    expect(builder.isFull).toBe(false)
    builder.add(counted.slice(2, 3))
    expect(builder.isFull, 'one more message cannot fit, whatever turn it is of').toBe(true)
    expect(builder.finish()).toMatchObject({ firstSeq: 4, reasons: ['BUDGET'] })
  })

  test('of a conversation without words of the user holds the instructions only', () => {
    expect(build('OPENAI_CHAT', fields.slice(0, 1))).toMatchObject({
      messages: [{ role: 'system', content: 'Rules.' }],
      firstSeq: null,
      lastSeq: null,
    })
    expect(build('ANTHROPIC', [])).toMatchObject({ system: null, messages: [], tokenCount: 0 })
  })
})

test('instructions within a conversation keep their place, and go apart where the provider takes them apart', async () => {
  const late: Fields = { role: 'DEVELOPER', content: 'Late.' }
  const fields = [user('one'), late, assistant('two'), user('three')]
  expect((await buildValid('OPENAI_CHAT', fields)).messages[1]).toEqual({ role: 'developer', content: 'Late.' })
  expect((await buildValid('OPENAI_RESPONSES', fields)).messages[1]).toMatchObject({ role: 'developer' })
  for (const format of ['ANTHROPIC', 'AI_SDK', 'AI_SDK_MODEL'] as const) {
    const { system, messages } = await buildValid(format, fields)
    expect(system).toHaveLength(1)
    expect(messages).toHaveLength(3)
  }
})

test('ANTHROPIC: neighbours of one role are one message', async () => {
  const fields = [user('one'), user('two'), assistant('three'), assistant('four'), user('five')]
  expect((await buildValid('ANTHROPIC', fields)).messages).toMatchObject([
    { role: 'user', content: [{ text: 'one' }, { text: 'two' }] },
    { role: 'assistant', content: [{ text: 'three' }, { text: 'four' }] },
    { role: 'user', content: [{ text: 'five' }] },
  ])
})

test('ANTHROPIC: what the API refuses as empty is not there', async () => {
  const fields = [
    user('one'),
    assistant(' \n', call('a'), call('b'), call('c')),
    tool('a', ''),
    tool('b', '', { toolError: true }),
    tool('c', ' '),
    assistant('two \n'),
  ]
  const { messages, reasons } = await buildValid('ANTHROPIC', fields)
  expect(reasons).toEqual([])
  expect(messages).toMatchObject([
    {},
    { content: [{ type: 'tool_use' }, { type: 'tool_use' }, { type: 'tool_use' }] },
    {},
    { role: 'assistant', content: [{ type: 'text', text: 'two' }] },
  ])
  expect(messages[2]).toEqual({
    role: 'user',
    content: [
      { type: 'tool_result', tool_use_id: 'a' },
      { type: 'tool_result', tool_use_id: 'b', is_error: true, content: 'The tool failed.' },
      { type: 'tool_result', tool_use_id: 'c' },
    ],
  })
})

test('OPENAI_CHAT: names that the API refuses are left out', () => {
  const names = ['ada', 'ada-1', 'Ada L', 'a/b', 'x'.repeat(65)]
  const messages = build(
    'OPENAI_CHAT',
    names.map((name) => user('?', { name })),
  ).messages as { name?: string }[]
  expect(messages.map(({ name }) => name)).toEqual(['ada', 'ada-1', undefined, undefined, undefined])
})

describe('files', () => {
  const text = { type: 'text', text: 'See.' }
  const url = 'https://example.com/a'
  const given: [name: string, PartsFormat, part: unknown, kept: Record<ContextFormat, unknown>][] = [
    [
      'a picture by URL',
      'ANTHROPIC',
      { type: 'image', source: { type: 'url', url } },
      {
        OPENAI_CHAT: { type: 'image_url', image_url: { url } },
        OPENAI_RESPONSES: { type: 'input_image', image_url: url, detail: 'auto' },
        ANTHROPIC: { type: 'image', source: { type: 'url', url } },
        AI_SDK: { type: 'file', mediaType: 'image/*', url },
        AI_SDK_MODEL: { type: 'file', mediaType: 'image/*', data: url },
      },
    ],
    [
      'a picture as bytes',
      'AI_SDK',
      { type: 'file', mediaType: 'image/png', url: 'data:image/png;base64,AAAA' },
      {
        OPENAI_CHAT: { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
        OPENAI_RESPONSES: { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'auto' },
        ANTHROPIC: { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
        AI_SDK: { type: 'file', mediaType: 'image/png', url: 'data:image/png;base64,AAAA' },
        AI_SDK_MODEL: { type: 'file', mediaType: 'image/png', data: 'AAAA' },
      },
    ],
    [
      'a document as bytes',
      'OPENAI_RESPONSES',
      { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' },
      {
        OPENAI_CHAT: { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' } },
        OPENAI_RESPONSES: { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' },
        ANTHROPIC: {
          type: 'document',
          source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' },
          title: 'a.pdf',
        },
        AI_SDK: {
          type: 'file',
          mediaType: 'application/pdf',
          url: 'data:application/pdf;base64,AAAA',
          filename: 'a.pdf',
        },
        AI_SDK_MODEL: { type: 'file', mediaType: 'application/pdf', data: 'AAAA', filename: 'a.pdf' },
      },
    ],
    [
      'a document by URL',
      'OPENAI_RESPONSES',
      { type: 'input_file', file_url: `${url}.pdf` },
      {
        OPENAI_CHAT: null,
        OPENAI_RESPONSES: { type: 'input_file', file_url: `${url}.pdf` },
        ANTHROPIC: { type: 'document', source: { type: 'url', url: `${url}.pdf` } },
        AI_SDK: { type: 'file', mediaType: 'application/pdf', url: `${url}.pdf` },
        AI_SDK_MODEL: { type: 'file', mediaType: 'application/pdf', data: `${url}.pdf` },
      },
    ],
    [
      'a plain text',
      'ANTHROPIC',
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Zürich' }, title: 'a.txt' },
      {
        OPENAI_CHAT: { type: 'text', text: 'Zürich' },
        OPENAI_RESPONSES: { type: 'input_file', filename: 'a.txt', file_data: 'data:text/plain;base64,WsO8cmljaA==' },
        ANTHROPIC: {
          type: 'document',
          source: { type: 'text', media_type: 'text/plain', data: 'Zürich' },
          title: 'a.txt',
        },
        AI_SDK: {
          type: 'file',
          mediaType: 'text/plain',
          url: 'data:text/plain;base64,WsO8cmljaA==',
          filename: 'a.txt',
        },
        AI_SDK_MODEL: { type: 'file', mediaType: 'text/plain', data: 'WsO8cmljaA==', filename: 'a.txt' },
      },
    ],
    [
      'a sound',
      'LANGCHAIN',
      { type: 'audio', mimeType: 'audio/wav', data: 'AAAA' },
      {
        OPENAI_CHAT: { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
        OPENAI_RESPONSES: null,
        ANTHROPIC: null,
        AI_SDK: { type: 'file', mediaType: 'audio/wav', url: 'data:audio/wav;base64,AAAA' },
        AI_SDK_MODEL: { type: 'file', mediaType: 'audio/wav', data: 'AAAA' },
      },
    ],
    [
      'what lies with its provider',
      'ANTHROPIC',
      { type: 'image', source: { type: 'file', file_id: 'f' } },
      {
        OPENAI_CHAT: null,
        OPENAI_RESPONSES: null,
        ANTHROPIC: { type: 'image', source: { type: 'file', file_id: 'f' } },
        AI_SDK: null,
        AI_SDK_MODEL: null,
      },
    ],
  ]

  test.each(given)('%s is translated, or left out with a reason', async (_name, format, part, kept) => {
    const said = format === 'OPENAI_RESPONSES' ? { type: 'input_text', text: 'See.' } : text
    for (const to of formats) {
      // The AI SDK would fetch what a URL names; what is made of it is judged here.
      const window = build(to, [parts('USER', format, part, said)])
      readAsProvider(to, window)
      const [message] = window.messages as { content?: unknown[] | string; parts?: unknown[] }[]
      const [first, ...rest] = (message?.parts ?? message?.content ?? []) as unknown[]
      expect({ to, first: kept[to] === null ? null : first }).toEqual({ to, first: kept[to] })
      expect(rest.length > 0 || kept[to] === null).toBe(true)
      expect(window.reasons).toEqual(kept[to] === null ? ['UNSUPPORTED_PART'] : [])
    }
  })

  test('pictures in results are kept where results can have them', () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }
    const fields = [
      user('?'),
      assistant(null, call('a')),
      parts('USER', 'ANTHROPIC', {
        type: 'tool_result',
        tool_use_id: 'a',
        content: [{ type: 'text', text: 'A' }, image],
      }),
    ]
    const reasonsIn = (format: ContextFormat) => build(format, fields).reasons
    expect(formats.filter((format) => reasonsIn(format).length === 0)).toEqual([
      'OPENAI_RESPONSES',
      'ANTHROPIC',
      'AI_SDK_MODEL',
    ])
    expect(build('OPENAI_RESPONSES', fields).messages.at(-1)).toMatchObject({
      output: [{ type: 'input_text', text: 'A' }, { type: 'input_image' }],
    })
    const output = {
      type: 'content',
      value: [
        { type: 'text', text: 'A' },
        { type: 'file', mediaType: 'image/png' },
      ],
    }
    expect(build('AI_SDK_MODEL', fields).messages.at(-1)).toMatchObject({ content: [{ output }] })
  })
})

describe('messages of LangChain', () => {
  const content = [
    { type: 'text', text: 'I look.' },
    { type: 'tool_use', id: 'a', name: 'look', input: { n: 1 } },
  ]
  const spoken = [
    new HumanMessage('What?'),
    new AIMessage({ content, tool_calls: [{ type: 'tool_call', id: 'a', name: 'look', args: { n: 1 } }] }),
    new ToolMessage({ content: 'A', tool_call_id: 'a', status: 'error', name: 'look' }),
  ]
  const roles = { human: 'USER', ai: 'ASSISTANT', tool: 'TOOL' } as const
  const whole = mapChatMessagesToStoredMessages(spoken).map((stored) => ({
    ...parts(roles[stored.type as keyof typeof roles], 'LANGCHAIN', stored),
    toolCallId: stored.data.tool_call_id ?? null,
  }))
  const inBlocks: Fields[] = [
    parts('USER', 'LANGCHAIN', { type: 'text', text: 'What?' }),
    parts('ASSISTANT', 'LANGCHAIN', { type: 'reasoning', reasoning: 'Hm.' }, content[0], {
      type: 'tool_call',
      id: 'a',
      name: 'look',
      args: { n: 1 },
    }),
    tool('a', 'A', { toolError: true }),
  ]

  test.each(formats)('go to a model as stored messages and as content blocks alike: %s', async (format) => {
    const stored = await buildValid(format, whole)
    expect(stored.exchanges).toEqual([{ name: 'look', input: { n: 1 }, output: 'A' }])
    expect((await buildValid(format, inBlocks)).messages).toEqual(stored.messages)
    if (format === 'ANTHROPIC') expect(stored.messages.at(-1)).toMatchObject({ content: [{ is_error: true }] })
  })
})

describe('what a message says', () => {
  const text = (type: string, value: string) => ({ type, text: value })

  test.each<[PartsFormat | null, unknown[], string | null]>([
    ['OPENAI_CHAT', [text('text', 'a'), { type: 'refusal', refusal: 'no' }, text('text', 'b')], 'ab'],
    [
      'OPENAI_RESPONSES',
      [
        { role: 'user', content: 'a' },
        { type: 'message', content: [text('input_text', 'b')] },
      ],
      'ab',
    ],
    ['OPENAI_RESPONSES', [text('output_text', 'a'), text('refusal', 'x'), text('text', 'b')], 'ab'],
    ['OPENAI_RESPONSES', [{ type: 'function_call_output', call_id: 'a', output: [text('input_text', 'x')] }], null],
    [
      'ANTHROPIC',
      [text('text', 'a\n'), { type: 'tool_result', tool_use_id: 'a', content: [text('text', 'x')] }],
      'a\n',
    ],
    ['AI_SDK', [text('text', 'a'), text('reasoning', 'x'), text('text', 'b')], 'ab'],
    ['AI_SDK', [{ type: 'tool-look', toolCallId: 'a', state: 'output-available', output: 'x' }], null],
    ['LANGCHAIN', [text('text', 'a'), { type: 'reasoning', reasoning: 'x' }, text('text', 'b')], 'ab'],
    ['LANGCHAIN', [{ type: 'ai', data: { content: 'a' } }], 'a'],
    ['OTHER', [text('text', 'a')], null],
    [null, [text('text', 'a')], null],
  ])('%s: the text of its text parts, joined with nothing: %j', (format, list, expected) => {
    expect(textOfParts(list, format)).toBe(expected)
  })

  test('content stands for the text of parts that have none, after the reasoning that led to it', () => {
    const picture = { type: 'image', source: { type: 'url', url: 'https://example.com/a' } }
    const thought = { type: 'thinking', thinking: 'Hm.', signature: 's' }
    const fields = [
      { ...parts('USER', 'ANTHROPIC', picture), content: 'See.' },
      { ...parts('ASSISTANT', 'ANTHROPIC', thought), content: 'So.' },
      { ...parts('USER', 'OTHER', { mine: 1 }), content: 'Mine.' },
    ]
    const window = build('ANTHROPIC', fields)
    expect(window.messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'See.' }, picture] },
      { role: 'assistant', content: [thought, { type: 'text', text: 'So.' }] },
      { role: 'user', content: [{ type: 'text', text: 'Mine.' }] },
    ])
    expect(window.reasons, 'parts of no known dialect are left out').toEqual(['UNSUPPORTED_PART'])
  })

  test('all of it can be counted, whatever the format', () => {
    const message = storedMessage(1, {
      ...parts(
        'ASSISTANT',
        'AI_SDK',
        text('reasoning', 'Hm.'),
        text('text', 'So.'),
        { type: 'file', mediaType: 'image/png', url: 'data:image/png;base64,AAAA' },
        { type: 'tool-look', toolCallId: 'a', state: 'output-available', input: { n: 1 }, output: { m: 2 } },
        { type: 'data-x', data: 1 },
      ),
      toolCalls: [call('a', '{"n": 1}'), call('b')],
    })
    expect(readCountable(message)).toEqual({
      texts: ['So.', 'look', '{"n": 1}', '{"type":"data-x","data":1}', '{"m":2}', 'look', '{}'],
      reasoning: ['Hm.'],
      calls: 2,
      files: 1,
    })
  })
})
