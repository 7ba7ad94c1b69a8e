import { safeValidateUIMessages } from 'ai'
import { describe, expect, test } from 'vitest'
import type { PartsFormat } from '../../src/entities/message/message-enums.ts'
import { ContextFormat } from '../../src/entities/window-enums.ts'
import { build, buildValid, parts, user } from '../support/window/window.ts'

const formats = Object.values(ContextFormat)
const said = (format: PartsFormat, ...list: unknown[]) => parts('ASSISTANT', format, ...list)

describe('a part of a known kind that lacks what it needs is left out', () => {
  test.each<[PartsFormat, unknown]>([
    ['OPENAI_CHAT', { type: 'image_url' }],
    ['OPENAI_CHAT', { type: 'input_audio', input_audio: true }],
    ['OPENAI_CHAT', { type: 'file', file: { filename: 'a.pdf' } }],
    ['OPENAI_CHAT', { type: 'text', text: 7 }],
    ['OPENAI_RESPONSES', { type: 'input_image', detail: 'auto', image_url: null }],
    ['OPENAI_RESPONSES', { type: 'input_file', file_id: '' }],
    ['OPENAI_RESPONSES', { type: 'function_call', name: 'look', arguments: '{}' }],
    ['OPENAI_RESPONSES', { type: 'computer_call', id: 'cu_1' }],
    ['OPENAI_RESPONSES', { type: 'local_shell_call_output', output: 'x' }],
    ['OPENAI_RESPONSES', { type: null, id: '' }],
    ['OPENAI_RESPONSES', 'no part'],
    ['ANTHROPIC', { type: 'tool_use', name: 'look', input: {} }],
    ['ANTHROPIC', { type: 'web_search_tool_result', content: [] }],
    ['ANTHROPIC', { type: 'image', source: { type: 'file' } }],
    ['ANTHROPIC', { type: 'document' }],
    ['AI_SDK', { type: 'dynamic-tool', toolCallId: 'a', input: {} }],
    ['AI_SDK', { type: 'source-url', sourceId: 's' }],
    ['AI_SDK', { type: 'file', mediaType: 'image/png', providerReference: {} }],
  ])('%s %o', async (format, part) => {
    const text = { type: format === 'OPENAI_RESPONSES' ? 'input_text' : 'text', text: 'Look.' }
    for (const role of ['USER', 'ASSISTANT'] as const) {
      const fields = [user('Go.'), parts(role, format, text, part), user('Go on.')]
      for (const to of formats) {
        const window = await buildValid(to, fields)
        expect(JSON.stringify(window.messages)).not.toContain(JSON.stringify(part))
        expect(window.reasons).toEqual(['UNSUPPORTED_PART'])
      }
    }
  })

  test('a screenshot without an address that anybody can read: neither the call nor its output', async () => {
    const window = await buildValid('OPENAI_RESPONSES', [
      user('Go.'),
      said('OPENAI_RESPONSES', { type: 'computer_call', id: 'cu', call_id: 'c' }),
      parts('USER', 'OPENAI_RESPONSES', {
        type: 'computer_call_output',
        call_id: 'c',
        output: { type: 'computer_screenshot', image_url: 'blob:https://example.com/1' },
      }),
      user('And now?'),
    ])
    expect(window.messages).toHaveLength(2)
    expect(window.reasons.toSorted()).toEqual(['EMPTY', 'INTERRUPTED_CALL', 'UNSUPPORTED_PART'])
  })
})

test('what people must have allowed, because it was run, is allowed', async () => {
  const request = { type: 'mcp_approval_request', id: 'm', name: 'look', arguments: '{}', server_label: 's' }
  const ran = {
    type: 'mcp_call',
    id: 'mcp',
    approval_request_id: 'm',
    name: 'look',
    arguments: '{}',
    server_label: 's',
  }
  const response = { type: 'mcp_approval_response', approval_request_id: 'm', approve: true }
  const thought = { type: 'reasoning', id: 'rs', summary: [] }
  for (const fields of [
    [said('OPENAI_RESPONSES', request), said('OPENAI_RESPONSES', thought, ran)],
    [
      said('OPENAI_RESPONSES', request),
      parts('USER', 'OPENAI_RESPONSES', response),
      said('OPENAI_RESPONSES', thought, ran),
    ],
  ]) {
    const window = await buildValid('OPENAI_RESPONSES', [user('Go.'), ...fields, user('And?')])
    expect(window.messages.slice(1, -1)).toEqual([request, response, thought, ran])
    expect(window.reasons).toEqual([])
  }
  const together = await buildValid('OPENAI_RESPONSES', [user('Go.'), said('OPENAI_RESPONSES', request, ran)])
  expect(together.messages.slice(1)).toEqual([request, response, ran])
  const alone = await buildValid('OPENAI_RESPONSES', [user('Go.'), said('OPENAI_RESPONSES', ran)])
  expect(alone.messages.slice(1)).toEqual([ran])
})

test('AI_SDK: a tool that the provider ran, stored as parts of a ModelMessage, is one part', async () => {
  const call = { type: 'tool-call', toolCallId: 'a', toolName: 'search', input: { q: 1 }, providerExecuted: true }
  const result = { type: 'tool-result', toolCallId: 'a', toolName: 'search', output: { type: 'json', value: [1] } }
  const part = { type: 'dynamic-tool', toolName: 'search', toolCallId: 'a', input: { q: 1 }, providerExecuted: true }
  for (const fields of [[said('AI_SDK', call, result)], [said('AI_SDK', call), said('AI_SDK', result)]]) {
    const { messages, reasons } = await buildValid('AI_SDK', [user('Go.'), ...fields, user('And?')])
    const shown = (messages[1] as { parts: { type: string }[] }).parts.filter(({ type }) => type !== 'step-start')
    expect(shown).toEqual([{ ...part, state: 'output-available', output: [1] }])
    expect(reasons).toEqual([])
  }
})

test.each(formats)('%s: words beside results that no model reads are told', (format) => {
  const call = { type: 'tool_use', id: 'a', name: 'look', input: {} }
  const result = { type: 'tool_result', tool_use_id: 'a', content: 'x' }
  const fields = [
    user('Go.'),
    said('ANTHROPIC', call),
    { ...parts('TOOL', 'ANTHROPIC', result, { type: 'text', text: 'Beside.' }), toolCallId: 'a' },
  ]
  expect(build(format, fields).reasons).toEqual(['UNSUPPORTED_PART'])
})

test('a second result of a call is told', () => {
  const fields = [
    user('Go.'),
    said('ANTHROPIC', { type: 'tool_use', id: 'a', name: 'look', input: {} }),
    ...['first', 'second'].map((content) => ({ role: 'TOOL' as const, toolCallId: 'a', content })),
  ]
  for (const format of formats) {
    const window = build(format, fields)
    expect(JSON.stringify(window.messages)).not.toContain('second')
    expect(window.reasons).toEqual(['ORPHANED_RESULT'])
  }
})

test('OPENAI_RESPONSES: an assistant says no `input_text`, and only an assistant says a refusal in OPENAI_CHAT', async () => {
  const within = { type: 'message', role: 'assistant', content: [{ type: 'input_text', text: 'So.' }] }
  const { messages } = await buildValid('OPENAI_RESPONSES', [user('Go.'), said('OPENAI_RESPONSES', within)])
  expect(messages[1]).toEqual({ type: 'message', role: 'assistant', content: 'So.' })
  const refusal = { type: 'refusal', refusal: 'No.' }
  const chat = await buildValid('OPENAI_CHAT', [parts('USER', 'OPENAI_CHAT', refusal), said('OPENAI_CHAT', refusal)])
  expect(chat.messages).toEqual([
    { role: 'user', content: [{ type: 'text', text: 'No.' }] },
    { role: 'assistant', content: [refusal] },
  ])
})

test('reasoning that its own provider would take, and does not get, is told', () => {
  const thought = { type: 'thinking', thinking: 'Hm.', signature: 's' }
  const text = { type: 'text', text: 'So.' }
  for (const list of [
    [{ ...thought, signature: '' }, text],
    [text, thought],
  ]) {
    expect(build('ANTHROPIC', [user('Go.'), said('ANTHROPIC', ...list)]).reasons).toEqual(['REASONING'])
  }
  const failed = { ...said('ANTHROPIC', thought, text), status: 'FAILED' as const }
  expect(build('ANTHROPIC', [user('Go.'), failed]).reasons).toEqual(['REASONING'])
  expect(build('OPENAI_CHAT', [user('Go.'), failed]).reasons, 'of another provider').toEqual([])
})

describe('AI_SDK: a tool part has what its state must have, and nothing that its state may not have', () => {
  const approvals = [
    undefined,
    7,
    {},
    { id: 'a' },
    { id: 'a', approved: true },
    { id: 'a', approved: false },
    { id: 'a', approved: true, reason: 7 },
  ]
  const states = ['input-streaming', 'input-available', 'approval-requested', 'approval-responded', 'odd']
  test.each([...states, 'output-available', 'output-error', 'output-denied'])('%s', async (state) => {
    for (const approval of approvals) {
      for (const more of [{}, { output: 'o', errorText: 'e' }, { providerExecuted: true }]) {
        const part = { type: 'tool-look', toolCallId: 'c', input: {}, state, ...more, approval }
        const stored = JSON.parse(JSON.stringify(part))
        for (const pendingCalls of ['INTERRUPT', 'KEEP', 'OMIT'] as const) {
          for (const fields of [[], [user('And?')]]) {
            const window = build('AI_SDK', [user('Go.'), said('AI_SDK', stored), ...fields], { pendingCalls })
            expect(await safeValidateUIMessages({ messages: window.messages })).toMatchObject({ success: true })
          }
        }
      }
    }
  })

  test('an approval that fits stays', async () => {
    const part = { type: 'tool-look', toolCallId: 'c', input: {}, state: 'output-available', output: 1 }
    const approval = { id: 'a', approved: true, reason: 'Yes.' }
    const { messages } = await buildValid('AI_SDK', [user('Go.'), said('AI_SDK', { ...part, approval }), user('And?')])
    expect(messages[1]).toMatchObject({ parts: [{ type: 'step-start' }, { ...part, approval }] })
  })
})

test.each([
  [{ sourceType: 'url', id: 's', url: 'https://example.com' }, true],
  [{ sourceType: 'document', id: 's', mediaType: 'text/plain', title: 'T' }, true],
  [{ sourceType: ['x'], id: 's', url: 'https://example.com' }, false],
  [{ sourceType: 'document', id: 's', mediaType: 'text/plain' }, false],
])('AI_SDK: a text keeps the citation %o: %s', async (source, isKept) => {
  const text = { type: 'text', text: 'So.', citations: [{ source: { type: 'source', ...source }, citedText: 'x' }] }
  const { messages } = await buildValid('AI_SDK', [user('Go.'), said('AI_SDK', text)])
  expect(JSON.stringify(messages).includes('citations')).toBe(isKept)
})

test('a result of a provider’s own tool answers no call of another provider with the same id', async () => {
  const call = { type: 'tool-look', toolCallId: 'a', state: 'approval-requested', input: {}, providerExecuted: true }
  const result = { type: 'web_search_tool_result', tool_use_id: 'a', content: [] }
  const fields = [user('Go.'), said('AI_SDK', { ...call, approval: { id: 'p' } }), said('ANTHROPIC', result), user('?')]
  for (const format of formats) expect((await buildValid(format, fields)).messages.length).toBeLessThanOrEqual(2)
})

test('OPENAI_RESPONSES: the output of a custom tool, stored as that of a function, has no name', async () => {
  const { messages } = await buildValid('OPENAI_RESPONSES', [
    user('Go.'),
    said('OPENAI_RESPONSES', { type: 'custom_tool_call', call_id: 'c', name: 'look', input: 'x' }),
    parts('TOOL', 'OPENAI_RESPONSES', {
      type: 'function_call_output',
      call_id: 'c',
      name: 'look',
      namespace: 'n',
      output: 'o',
    }),
  ])
  expect(messages.at(-1)).toEqual({ type: 'custom_tool_call_output', call_id: 'c', output: 'o' })
})

test('OPENAI_RESPONSES: a request for approval without arguments gets some', async () => {
  const request = { type: 'mcp_approval_request', id: 'm', name: 'look', arguments: '', server_label: 's' }
  const { messages } = await buildValid('OPENAI_RESPONSES', [user('Go.'), said('OPENAI_RESPONSES', request), user('?')])
  expect(messages[1]).toEqual({ ...request, arguments: '{}' })
})

test('OPENAI_RESPONSES: an output has no items in its list', async () => {
  const { messages, reasons } = await buildValid('OPENAI_RESPONSES', [
    user('Go.'),
    said('OPENAI_RESPONSES', { type: 'function_call', call_id: 'c', name: 'look', arguments: '{}' }),
    { ...parts('TOOL', 'OPENAI_RESPONSES', { type: 'file_search_call', id: 'f', queries: [] }), toolCallId: 'c' },
  ])
  expect(messages.at(-1)).toEqual({ type: 'function_call_output', call_id: 'c', output: '' })
  expect(reasons).toEqual(['UNSUPPORTED_PART'])
})

test('OPENAI_RESPONSES: an empty call id belongs to no program, and a search without an id to no program’s output', async () => {
  const { messages, reasons } = await buildValid('OPENAI_RESPONSES', [
    user('Go.'),
    said('OPENAI_RESPONSES', { type: 'tool_search_call', arguments: {} }, { type: 'program_output', call_id: '' }),
    user('?'),
  ])
  expect(messages).toHaveLength(2)
  expect(reasons).toContain('UNSUPPORTED_PART')
})

test('OPENAI_RESPONSES: a call that is no function comes once by its call id, under whatever item id', async () => {
  const call = { type: 'local_shell_call', call_id: 'c', action: { type: 'exec', command: [], env: {} } }
  const { messages, reasons } = await buildValid('OPENAI_RESPONSES', [
    user('Go.'),
    said('OPENAI_RESPONSES', { ...call, id: 'one' }, { ...call, id: 'two' }),
    user('?'),
  ])
  expect(messages).toHaveLength(4)
  expect(reasons.toSorted()).toEqual(['INTERRUPTED_CALL', 'REPEATED_ITEM'])
})

test('OPENAI_RESPONSES: an item of several content parts that was stored twice comes once, with all of them', async () => {
  const content = ['One.', 'Two.'].map((text) => ({ type: 'output_text', text, annotations: [] }))
  const item = { type: 'message', id: 'msg', role: 'assistant', status: 'completed', content }
  const twice = [said('OPENAI_RESPONSES', item), said('OPENAI_RESPONSES', structuredClone(item))]
  for (const fields of [twice, twice.flatMap((one) => [one, user('And?')])]) {
    const { messages, reasons } = await buildValid('OPENAI_RESPONSES', [user('Go.'), ...fields])
    expect(messages.filter((message) => (message as { id?: string }).id === 'msg')).toEqual([item])
    expect(reasons).toEqual(['REPEATED_ITEM'])
  }
})

test('AI_SDK: reasoning loses an id that is no text', async () => {
  const thought = { type: 'reasoning', id: {}, text: 'Hm.' }
  const { messages } = await buildValid('AI_SDK', [user('Go.'), said('AI_SDK', thought, { type: 'text', text: 'So.' })])
  expect(messages[1]).toMatchObject({ parts: [{}, { type: 'reasoning', text: 'Hm.' }, {}] })
  expect(JSON.stringify(messages)).not.toContain('"id":{}')
})

test('ANTHROPIC: a document made of blocks has texts and pictures only', async () => {
  const pdf = { type: 'base64', media_type: 'image/png', data: 'JVBERi0xLjcK' }
  const source = { type: 'content', content: [{ type: 'image', source: pdf }] }
  const fields = [user('Go.'), parts('USER', 'ANTHROPIC', { type: 'document', source })]
  const { messages, reasons } = await buildValid('ANTHROPIC', fields)
  expect(JSON.stringify(messages)).not.toContain('document')
  expect(reasons).toContain('UNSUPPORTED_PART')
})

test('OPENAI_RESPONSES: a file goes out by its address or by its bytes, not by both', async () => {
  const file = { type: 'input_file', file_data: 'not base64!', file_url: 'https://example.com/e.pdf', filename: 'e' }
  const { messages } = await buildValid('OPENAI_RESPONSES', [parts('USER', 'OPENAI_RESPONSES', file)])
  const { file_data: _, ...written } = file
  expect(messages).toMatchObject([{ content: [written] }])
  expect(JSON.stringify(messages)).not.toContain('file_data')
})

test('AI_SDK: a call whose result says that it was denied has an approval that says so', async () => {
  const call = { type: 'tool-look', toolCallId: 'c', input: {}, state: 'approval-requested', approval: { id: 'a' } }
  const output = { type: 'execution-denied', reason: 'No.' }
  const result = { type: 'tool-result', toolCallId: 'c', toolName: 'look', output }
  const fields = [user('Go.'), said('AI_SDK', call), { ...parts('TOOL', 'AI_SDK', result), toolCallId: 'c' }]
  const { messages } = await buildValid('AI_SDK', fields)
  expect(messages[1]).toMatchObject({ parts: [{}, { state: 'output-denied', approval: { id: 'a', approved: false } }] })
})

test('AI_SDK: a file loses a reference that the SDK refuses', async () => {
  const file = { type: 'file', mediaType: 'text/plain', url: 'https://example.com/a.txt' }
  const { messages } = await buildValid('AI_SDK', [parts('USER', 'AI_SDK', { ...file, providerReference: null })])
  expect(messages).toMatchObject([{ parts: [file] }])
  expect(JSON.stringify(messages)).not.toContain('providerReference')
})

test('OPENAI_RESPONSES: a call of a program that is not named is left out', async () => {
  const call = { type: 'function_call', call_id: 'c', name: 'look', arguments: '{}', caller: { type: 'program' } }
  const { messages } = await buildValid('OPENAI_RESPONSES', [user('Go.'), said('OPENAI_RESPONSES', call), user('?')])
  expect(messages).toHaveLength(2)
})
