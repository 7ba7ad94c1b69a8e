import type { BetaContentBlockParam } from '@anthropic-ai/sdk/resources/beta/messages/messages'
import type { ResponseInputItem } from 'openai/resources/responses/responses'
import { describe, expect, test } from 'vitest'
import type { PartsFormat } from '../../src/entities/message/message-enums.ts'
import { ContextFormat, type PendingCallRule } from '../../src/entities/window-enums.ts'
import { ContextTooSmall } from '../../src/facts.ts'
import type { ContextWindow } from '../../src/window/window.ts'
import { storedMessage } from '../support/window/transcripts.ts'
import { build, type Fields, parts, tool, user } from '../support/window/window.ts'
import { readAsProvider, readBySdk } from '../support/window/window-rules.ts'

const formats = Object.values(ContextFormat)
const rules: readonly PendingCallRule[] = ['INTERRUPT', 'OMIT', 'KEEP']

/** Items of every kind that the SDK's types know. A new kind does not compile until somebody has thought of it. */
const items: { readonly [Type in NonNullable<ResponseInputItem['type']>]: ResponseInputItem } = {
  message: { type: 'message', role: 'assistant', content: 'So.' },
  reasoning: { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'e' },
  function_call: { type: 'function_call', id: 'fc_1', call_id: 'c', name: 'look', arguments: '{}' },
  function_call_output: { type: 'function_call_output', id: 'fco_1', call_id: 'c', output: 'x' },
  custom_tool_call: { type: 'custom_tool_call', id: 'ctc_1', call_id: 'c', name: 'look', input: 'in' },
  custom_tool_call_output: { type: 'custom_tool_call_output', id: 'ctco_1', call_id: 'c', output: 'x' },
  computer_call: {
    type: 'computer_call',
    id: 'cu_1',
    call_id: 'c',
    pending_safety_checks: [],
    status: 'completed',
    action: { type: 'screenshot' },
  },
  computer_call_output: {
    type: 'computer_call_output',
    call_id: 'c',
    output: { type: 'computer_screenshot', image_url: 'data:image/png;base64,AAAA' },
  },
  local_shell_call: {
    type: 'local_shell_call',
    id: 'lsh_1',
    call_id: 'c',
    status: 'completed',
    action: { type: 'exec', command: ['ls'], env: {} },
  },
  local_shell_call_output: { type: 'local_shell_call_output', id: 'c', output: 'a b' },
  shell_call: { type: 'shell_call', id: 'sh_1', call_id: 'c', action: { commands: ['ls'] }, status: 'completed' },
  shell_call_output: {
    type: 'shell_call_output',
    call_id: 'c',
    output: [{ stdout: 'a b', stderr: '', outcome: { type: 'exit', exit_code: 0 } }],
  },
  apply_patch_call: {
    type: 'apply_patch_call',
    id: 'apc_1',
    call_id: 'c',
    status: 'completed',
    operation: { type: 'delete_file', path: 'a' },
  },
  apply_patch_call_output: { type: 'apply_patch_call_output', call_id: 'c', status: 'completed', output: 'done' },
  tool_search_call: { type: 'tool_search_call', id: 'tsc_1', call_id: 'c', execution: 'client', arguments: {} },
  tool_search_output: { type: 'tool_search_output', call_id: 'c', execution: 'client', tools: [] },
  program: { type: 'program', id: 'pr_1', call_id: 'c', code: 'look()', fingerprint: 'f' },
  program_output: { type: 'program_output', id: 'pro_1', call_id: 'c', result: 'x', status: 'completed' },
  mcp_approval_request: { type: 'mcp_approval_request', id: 'c', name: 'look', arguments: '{}', server_label: 's' },
  mcp_approval_response: { type: 'mcp_approval_response', approval_request_id: 'c', approve: true },
  mcp_call: { type: 'mcp_call', id: 'mcp_1', name: 'look', arguments: '{}', server_label: 's', output: 'x' },
  mcp_list_tools: { type: 'mcp_list_tools', id: 'mcpl_1', server_label: 's', tools: [] },
  web_search_call: {
    type: 'web_search_call',
    id: 'ws_1',
    status: 'completed',
    action: { type: 'search', query: 'cats', queries: ['cats'] },
  },
  file_search_call: { type: 'file_search_call', id: 'fs_1', status: 'completed', queries: ['cats'] },
  code_interpreter_call: {
    type: 'code_interpreter_call',
    id: 'ci_1',
    status: 'completed',
    code: '1',
    container_id: 'cntr_1',
    outputs: [],
  },
  image_generation_call: { type: 'image_generation_call', id: 'ig_1', status: 'completed', result: 'AAAA' },
  compaction: { type: 'compaction', id: 'cmp_1', encrypted_content: 'e' },
  compaction_trigger: { type: 'compaction_trigger' },
  item_reference: { type: 'item_reference', id: 'msg_9' },
  additional_tools: { type: 'additional_tools', role: 'developer', tools: [] },
  configuration_update: { type: 'configuration_update' } as ResponseInputItem,
}

type ItemType = keyof typeof items

/** Every call, and what answers it. */
const itemPairs: readonly (readonly [ItemType, ItemType])[] = [
  ['function_call', 'function_call_output'],
  ['custom_tool_call', 'custom_tool_call_output'],
  ['computer_call', 'computer_call_output'],
  ['local_shell_call', 'local_shell_call_output'],
  ['shell_call', 'shell_call_output'],
  ['apply_patch_call', 'apply_patch_call_output'],
  ['tool_search_call', 'tool_search_output'],
  ['program', 'program_output'],
  ['mcp_approval_request', 'mcp_approval_response'],
]

/** Blocks of every kind that the SDK's types know. */
const blocks: { readonly [Type in BetaContentBlockParam['type']]: BetaContentBlockParam } = {
  text: { type: 'text', text: 'So.' },
  image: { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
  document: { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' } },
  search_result: { type: 'search_result', source: 's', title: 't', content: [{ type: 'text', text: 'x' }] },
  thinking: { type: 'thinking', thinking: 'Hm.', signature: 's' },
  redacted_thinking: { type: 'redacted_thinking', data: 'x' },
  tool_use: { type: 'tool_use', id: 'c', name: 'look', input: {} },
  tool_result: { type: 'tool_result', tool_use_id: 'c', content: 'x' },
  server_tool_use: { type: 'server_tool_use', id: 'c', name: 'web_search', input: { query: 'cats' } },
  mcp_tool_use: { type: 'mcp_tool_use', id: 'c', name: 'look', server_name: 's', input: {} },
  web_search_tool_result: { type: 'web_search_tool_result', tool_use_id: 'c', content: [] },
  web_fetch_tool_result: {
    type: 'web_fetch_tool_result',
    tool_use_id: 'c',
    content: { type: 'web_fetch_tool_result_error', error_code: 'unavailable' },
  },
  advisor_tool_result: {
    type: 'advisor_tool_result',
    tool_use_id: 'c',
    content: { type: 'advisor_result', text: 'x' },
  },
  code_execution_tool_result: {
    type: 'code_execution_tool_result',
    tool_use_id: 'c',
    content: { type: 'code_execution_result', content: [], return_code: 0, stderr: '', stdout: 'x' },
  },
  bash_code_execution_tool_result: {
    type: 'bash_code_execution_tool_result',
    tool_use_id: 'c',
    content: { type: 'bash_code_execution_result', content: [], return_code: 0, stderr: '', stdout: 'x' },
  },
  text_editor_code_execution_tool_result: {
    type: 'text_editor_code_execution_tool_result',
    tool_use_id: 'c',
    content: { type: 'text_editor_code_execution_create_result', is_file_update: false },
  },
  tool_search_tool_result: {
    type: 'tool_search_tool_result',
    tool_use_id: 'c',
    content: { type: 'tool_search_tool_search_result', tool_references: [] },
  },
  mcp_tool_result: { type: 'mcp_tool_result', tool_use_id: 'c', content: 'x' },
  container_upload: { type: 'container_upload', file_id: 'f' },
  compaction: { type: 'compaction', content: 'x' },
  fallback: { type: 'fallback', from: { model: 'a' }, to: { model: 'b' } },
  mcp_tool_listing: { type: 'mcp_tool_listing', mcp_server_name: 's', tools: [] },
  tool_addition: { type: 'tool_addition' } as BetaContentBlockParam,
  tool_removal: { type: 'tool_removal' } as BetaContentBlockParam,
}

type BlockType = keyof typeof blocks
const serverResults = (Object.keys(blocks) as BlockType[]).filter((type) => type.endsWith('_tool_result'))
const blockPairs = serverResults.map((type): readonly [BlockType, BlockType] => [
  type === 'mcp_tool_result' ? 'mcp_tool_use' : 'server_tool_use',
  type,
])

type Pair = readonly [format: 'OPENAI_RESPONSES' | 'ANTHROPIC', asked: unknown, answered: unknown]
const pairs: readonly (readonly [name: string, ...Pair])[] = [
  ...itemPairs.map(([one, other]) => [one, 'OPENAI_RESPONSES', items[one], items[other]] as const),
  ...blockPairs.map(([one, other]) => [`${one} ${other}`, 'ANTHROPIC', blocks[one], blocks[other]] as const),
  [
    'a kind of the future',
    'OPENAI_RESPONSES',
    { type: 'dream_call', call_id: 'c' },
    { type: 'dream_call_output', call_id: 'c', output: 'x' },
  ],
]

const said = { OPENAI_RESPONSES: items.message, ANTHROPIC: blocks.text }
const words = { OPENAI_RESPONSES: { type: 'input_text', text: 'And?' }, ANTHROPIC: { type: 'text', text: 'And?' } }

/** The places where the two halves of a call are found. */
const placements: readonly (readonly [name: string, of: (...pair: Pair) => Fields[]])[] = [
  ['in one message', (format, ...pair) => [parts('ASSISTANT', format, ...pair, said[format])]],
  ['the call at the end', (format, asked) => [parts('ASSISTANT', format, said[format], asked)]],
  ['the call before words of the user', (format, asked) => [parts('ASSISTANT', format, asked), user('And?')]],
  [
    'the call alone, in a message that failed',
    (format, asked) => [{ ...parts('ASSISTANT', format, asked), status: 'FAILED' }],
  ],
  [
    'the result alone in a message of the assistant',
    (format, _, answered) => [parts('ASSISTANT', format, answered, said[format])],
  ],
  ['the result alone in a message of the user', (format, _, answered) => [parts('USER', format, answered)]],
  [
    'the result in a TOOL message',
    (format, asked, answered) => [
      parts('ASSISTANT', format, asked),
      { ...parts('TOOL', format, answered), toolCallId: 'c' },
      parts('ASSISTANT', format, said[format]),
    ],
  ],
  [
    'the result in a message of the user',
    (format, asked, answered) => [
      parts('ASSISTANT', format, asked),
      parts('USER', format, answered),
      parts('ASSISTANT', format, said[format]),
    ],
  ],
  [
    'the result before words of the user',
    (format, asked, answered) => [parts('ASSISTANT', format, asked), parts('USER', format, answered, words[format])],
  ],
  [
    'the result behind words of the user',
    (format, asked, answered) => [parts('ASSISTANT', format, asked), parts('USER', format, words[format], answered)],
  ],
  [
    'the result in the next message',
    (format, asked, answered) => [
      parts('ASSISTANT', format, asked),
      parts('ASSISTANT', format, answered, said[format]),
    ],
  ],
  [
    'a result in words',
    (format, asked) => [
      parts('ASSISTANT', format, asked),
      tool('c', 'words'),
      parts('ASSISTANT', format, said[format]),
    ],
  ],
  [
    'words of the user between the two',
    (format, asked, answered) => [
      parts('ASSISTANT', format, asked),
      user('And?'),
      parts('ASSISTANT', format, answered, said[format]),
    ],
  ],
  [
    'a thought before the call alone',
    (format, asked) => [
      parts('ASSISTANT', format, format === 'ANTHROPIC' ? blocks.thinking : items.reasoning, asked),
      user('And?'),
    ],
  ],
]

/** Whether the placement has both halves in one turn. */
const isWhole = (name: string) => /^in one message$|^the result (in|before|behind)/.test(name)
const isFunction = (part: unknown) => /^(function|custom_tool)_call$/.test((part as { type: string }).type)

describe.each(placements)('both halves of a call that is no function, or neither: %s', (placement, of) => {
  test.each(pairs)('%s', async (_name, stored, asked, answered) => {
    const fields = [user('Before.'), user('?'), ...of(stored, asked, answered)]
    for (const format of formats) {
      for (const pendingCalls of rules) {
        const judge = (window: ContextWindow) => {
          const messages = withoutFuture(window.messages)
          readAsProvider(format, { ...window, messages }, { waits: pendingCalls === 'KEEP' })
        }
        const whole = build(format, fields, { pendingCalls })
        judge(whole)
        for (let maxTokens = 10; maxTokens < whole.tokenCount; maxTokens += 5) {
          const window = fitted(() => build(format, fields, { pendingCalls, maxTokens }))
          if (window !== null) judge(window)
        }
        if (isFunction(asked)) continue
        const text = JSON.stringify(whole.messages)
        const isMissing = [asked, answered].some((half) => !text.includes(`"${(half as { type: string }).type}"`))
        if (format === stored && isWhole(placement))
          expect({ isMissing, reasons: whole.reasons }).toEqual({ isMissing: false, reasons: [] })
        const isTold = whole.reasons.length > 0 || whole.pendingCalls.length > 0
        expect(isTold || !isMissing, JSON.stringify(whole)).toBe(true)
        if ((format === 'AI_SDK' || format === 'AI_SDK_MODEL') && whole.pendingCalls.length === 0) {
          await readBySdk(format, whole)
        }
      }
    }
  })
})

/** null where even the newest turn does not fit. */
function fitted(make: () => ContextWindow): ContextWindow | null {
  try {
    return make()
  } catch (error) {
    expect(error).toBeInstanceOf(ContextTooSmall)
    return null
  }
}

/** The kinds of the future that the rules of today cannot know are judged here, and taken out. */
function withoutFuture(messages: readonly unknown[]): unknown[] {
  const types = messages.map((message) => String((message as { type?: unknown }).type))
  const counts = ['dream_call', 'dream_call_output'].map((kind) => types.filter((type) => type === kind).length)
  expect(counts[0]).toBe(counts[1])
  return messages.filter((_, at) => !types[at]?.startsWith('dream_'))
}

describe('ANTHROPIC: a call of a server tool without a result', () => {
  const search = blocks.server_tool_use
  const found = blocks.web_search_tool_result
  const code = { type: 'server_tool_use', id: 'srv', name: 'code_execution', input: { code: 'look()' } }
  const ran = { ...blocks.code_execution_tool_result, tool_use_id: 'srv' }
  const called = { ...blocks.tool_use, caller: { type: 'code_execution_20250825', tool_id: 'srv' } }
  const paused = (...list: unknown[]) => ({ ...parts('ASSISTANT', 'ANTHROPIC', ...list), finishReason: 'pause_turn' })
  const window = (...fields: Fields[]) => {
    const made = build('ANTHROPIC', [user('?'), ...fields])
    readAsProvider('ANTHROPIC', made, { pauses: true })
    const kinds = (made.messages as { content: { type: string }[] }[]).flatMap(({ content }) =>
      content.map(({ type }) => type),
    )
    return { kinds: kinds.slice(1), reasons: made.reasons, pending: made.pendingCalls.map(({ call }) => call.callId) }
  }

  test('stays where the provider paused, and its result may come in the next message', () => {
    expect(window(paused(search))).toEqual({ kinds: ['server_tool_use'], reasons: [], pending: [] })
    const whole = ['server_tool_use', 'web_search_tool_result', 'text']
    expect(window(paused(search), parts('ASSISTANT', 'ANTHROPIC', found, blocks.text)).kinds).toEqual(whole)
    const isStill = window(paused(search), { ...parts('ASSISTANT', 'ANTHROPIC'), content: 'So', status: 'STREAMING' })
    expect(isStill).toMatchObject({ kinds: ['server_tool_use'], reasons: ['STREAMING'] })
  })

  test('is left out where something else was said after it', () => {
    const gone = { kinds: ['text'], reasons: ['INTERRUPTED_CALL'], pending: [] }
    expect(window(paused(search), user('And?'))).toEqual(gone)
    expect(window(paused(search), parts('ASSISTANT', 'ANTHROPIC', blocks.text))).toEqual(gone)
    expect(window(parts('ASSISTANT', 'ANTHROPIC', blocks.text, search))).toEqual(gone)
    expect(window(paused(blocks.thinking, search), user('And?')), 'with the thought that led to it').toEqual(gone)
  })

  test('and its new words come with the next question: it is left out', () => {
    const userMessage = { message: storedMessage(9, user('And?')), tokens: 1, reasoningTokens: 0 }
    const made = build('ANTHROPIC', [user('?'), paused(search)], { userMessage })
    readAsProvider('ANTHROPIC', made)
    expect(made.reasons).toEqual(['INTERRUPTED_CALL'])
  })

  test('stays while a call that its program made waits, and when that call has its result', () => {
    const asked = parts('ASSISTANT', 'ANTHROPIC', code, called)
    expect(window(asked)).toEqual({
      kinds: ['server_tool_use', 'tool_use', 'tool_result'],
      reasons: ['INTERRUPTED_CALL'],
      pending: ['c'],
    })
    const answered = parts('USER', 'ANTHROPIC', blocks.tool_result)
    const kinds = ['server_tool_use', 'tool_use', 'tool_result']
    expect(window(asked, answered)).toEqual({ kinds, reasons: [], pending: [] })
    const again = parts('ASSISTANT', 'ANTHROPIC', { ...called, id: 'd' })
    const more = parts('USER', 'ANTHROPIC', { ...blocks.tool_result, tool_use_id: 'd' })
    expect(window(asked, answered, again, more).kinds).toEqual([...kinds, 'tool_use', 'tool_result'])
    const done = parts('ASSISTANT', 'ANTHROPIC', ran, blocks.text)
    expect(window(asked, answered, done)).toMatchObject({
      kinds: [...kinds, 'code_execution_tool_result', 'text'],
      reasons: [],
    })
  })

  test('is left out with the calls that its program made, and with their results', () => {
    const asked = parts('ASSISTANT', 'ANTHROPIC', blocks.text, code, called)
    const answered = parts('USER', 'ANTHROPIC', blocks.tool_result)
    const gone = { kinds: ['text', 'text'], pending: [] }
    expect(window(asked, user('And?'))).toEqual({ ...gone, reasons: ['INTERRUPTED_CALL'] })
    const late = window(asked, answered, user('And?'))
    expect({ ...late, reasons: late.reasons.toSorted() }).toEqual({
      ...gone,
      reasons: ['INTERRUPTED_CALL', 'ORPHANED_RESULT'],
    })
    expect(window(asked, answered, parts('ASSISTANT', 'ANTHROPIC', blocks.text))).toMatchObject(gone)
  })

  test.each(formats.filter((format) => format !== 'ANTHROPIC'))(
    'the calls of its program are functions for others: %s',
    (format) => {
      const fields = [
        user('?'),
        parts('ASSISTANT', 'ANTHROPIC', code, called),
        parts('USER', 'ANTHROPIC', blocks.tool_result),
      ]
      const made = build(format, fields)
      expect(readAsProvider(format, made)).toEqual([{ name: 'look', input: {}, output: 'x' }])
      expect(made.reasons).toEqual(['UNSUPPORTED_PART'])
    },
  )
})

test('OPENAI_RESPONSES: a program stays while a call that it made has its result', () => {
  const called = { ...items.function_call, call_id: 'd', caller: { type: 'program', caller_id: 'c' } }
  const answered = { ...items.function_call_output, call_id: 'd', caller: { type: 'program', caller_id: 'c' } }
  const asked = parts('ASSISTANT', 'OPENAI_RESPONSES', items.reasoning, items.program, called)
  const result = { ...parts('TOOL', 'OPENAI_RESPONSES', answered), toolCallId: 'd' }
  const going = build('OPENAI_RESPONSES', [user('?'), asked, result])
  readAsProvider('OPENAI_RESPONSES', going, { pauses: true })
  expect(going.messages.slice(1)).toEqual([items.reasoning, items.program, called, answered])
  const ended = parts('ASSISTANT', 'OPENAI_RESPONSES', items.program_output, items.message)
  const whole = build('OPENAI_RESPONSES', [user('?'), asked, result, ended])
  readAsProvider('OPENAI_RESPONSES', whole)
  expect(whole).toMatchObject({ reasons: [] })
  expect(whole.messages).toHaveLength(7)
  const left = build('OPENAI_RESPONSES', [user('?'), asked, result, user('And?')])
  expect(left.messages).toHaveLength(2)
})

describe('a text as the result of a call that is no function', () => {
  const outputOf = (asked: ResponseInputItem, ...more: Fields[]) => {
    const window = build('OPENAI_RESPONSES', [user('?'), parts('ASSISTANT', 'OPENAI_RESPONSES', asked), ...more])
    readAsProvider('OPENAI_RESPONSES', window)
    return window.messages.slice(2)
  }

  test('is an output of its own kind, where that can be a text', () => {
    expect(outputOf(items.shell_call, tool('c', 'a b'))).toEqual([items.shell_call_output])
    expect(outputOf(items.apply_patch_call, tool('c', 'done'))).toEqual([items.apply_patch_call_output])
    expect(outputOf(items.local_shell_call, tool('c', 'a b'))).toEqual([
      { ...items.local_shell_call_output, call_id: 'c' },
    ])
    const interrupted = 'Interrupted: this call was not answered.'
    expect(outputOf(items.shell_call)).toMatchObject([{ output: [{ stderr: interrupted, outcome: { exit_code: 1 } }] }])
    expect(outputOf(items.apply_patch_call)).toMatchObject([{ status: 'failed', output: interrupted }])
    expect(outputOf(items.mcp_approval_request)).toMatchObject([{ approve: false, reason: interrupted }])
  })

  test('is left out with its call otherwise', () => {
    const window = build('OPENAI_RESPONSES', [
      user('?'),
      parts('ASSISTANT', 'OPENAI_RESPONSES', items.computer_call),
      tool('c', 'words'),
    ])
    expect(window).toMatchObject({ messages: [{}], reasons: ['ORPHANED_RESULT'] })
  })
})

describe('results beside words of the user', () => {
  const text = { type: 'text', text: 'And?' }
  const input = { type: 'input_text', text: 'And?' }
  const results: readonly (readonly [stored: PartsFormat, asked: unknown, word: unknown, answered: unknown])[] = [
    ['ANTHROPIC', blocks.tool_use, text, blocks.tool_result],
    ['OPENAI_RESPONSES', items.function_call, input, items.function_call_output],
    ['OPENAI_RESPONSES', items.shell_call, input, items.shell_call_output],
    [
      'AI_SDK',
      { type: 'tool-call', toolCallId: 'c', toolName: 'look', input: {} },
      text,
      { type: 'tool-result', toolCallId: 'c', toolName: 'look', output: { type: 'text', value: 'x' } },
    ],
  ]
  const orders: readonly (readonly [string, (word: unknown, answered: unknown) => unknown[]])[] = [
    ['before', (word, answered) => [answered, word]],
    ['behind', (word, answered) => [word, answered]],
    ['between', (word, answered) => [word, answered, word]],
  ]
  const cases = orders.flatMap(([order, of]) => results.map((result) => [order, result[0], of, result] as const))

  test.each(cases)(
    'belong to the turn before, when they stand %s them: %s',
    (_order, stored, of, [, asked, word, answered]) => {
      const fields = [user('?'), parts('ASSISTANT', stored, asked), parts('USER', stored, ...of(word, answered))]
      for (const format of formats) {
        const whole = build(format, fields)
        const exchanges = readAsProvider(format, whole)
        if (isFunction(asked) || stored === format) expect(whole.reasons).toEqual([])
        if (stored !== 'OPENAI_RESPONSES' || isFunction(asked)) expect(exchanges).toMatchObject([{ output: 'x' }])
        const newest = build(format, fields, { maxTokens: 10 })
        readAsProvider(format, newest)
        expect(newest).toMatchObject({ firstSeq: 3, tokenCount: 10 })
        expect(newest.reasons).toContain('BUDGET')
        expect(newest.messages).toHaveLength(1)
      }
    },
  )
})

test.each(formats)('a new message of results and words answers the turn before, and begins one: %s', (format) => {
  const message = storedMessage(3, parts('USER', 'ANTHROPIC', blocks.text, blocks.tool_result))
  const fields = [user('?'), parts('ASSISTANT', 'ANTHROPIC', blocks.tool_use)]
  const window = build(format, fields, { userMessage: { message, tokens: 3, reasoningTokens: 0 } })
  expect(readAsProvider(format, window)).toEqual([{ name: 'look', input: {}, output: 'x' }])
  expect(window).toMatchObject({ reasons: [], pendingCalls: [], tokenCount: 23 })
})

test('a result that names no call begins no turn', () => {
  const { call_id: _, ...nameless } = items.function_call_output as { call_id: string }
  const window = build('OPENAI_RESPONSES', [user('?'), parts('USER', 'OPENAI_RESPONSES', nameless), user('And?')])
  readAsProvider('OPENAI_RESPONSES', window)
  expect(window).toMatchObject({ reasons: ['ORPHANED_RESULT'], messages: [{}, {}] })
})

describe('items that were stored twice', () => {
  const [thought, asked, answered] = [items.reasoning, items.function_call, items.function_call_output]
  const result = { ...parts('TOOL', 'OPENAI_RESPONSES', answered), toolCallId: 'c' }
  const told = { type: 'message', id: 'msg_1', role: 'assistant', content: [{ type: 'output_text', text: 'So.' }] }
  const once = parts('ASSISTANT', 'OPENAI_RESPONSES', thought, asked)
  const cases: readonly (readonly [string, Fields[]])[] = [
    ['before the result', [once, once, result, parts('ASSISTANT', 'OPENAI_RESPONSES', told)]],
    ['behind the result', [once, result, once, parts('ASSISTANT', 'OPENAI_RESPONSES', told)]],
    ['with more', [once, result, parts('ASSISTANT', 'OPENAI_RESPONSES', thought, asked, answered, told)]],
    ['in one message', [parts('ASSISTANT', 'OPENAI_RESPONSES', thought, asked, thought, asked, answered, told)]],
    [
      'all of them',
      [
        once,
        result,
        once,
        result,
        parts('ASSISTANT', 'OPENAI_RESPONSES', told),
        parts('ASSISTANT', 'OPENAI_RESPONSES', told),
      ],
    ],
  ]

  test.each(cases)('are written once: %s', (_name, fields) => {
    const window = build('OPENAI_RESPONSES', [user('?'), ...fields])
    expect(readAsProvider('OPENAI_RESPONSES', window)).toEqual([{ name: 'look', input: {}, output: 'x' }])
    expect(window.messages.slice(1)).toEqual([thought, asked, answered, told])
    expect(window.reasons).toContain('REPEATED_ITEM')
    expect(window.reasons).not.toContain('INTERRUPTED_CALL')
    const spoken = window.included.filter(({ role }) => role === 'ASSISTANT')
    expect(spoken).toHaveLength(fields.filter(({ role }) => role === 'ASSISTANT').length)
    for (const format of formats) expect(readAsProvider(format, build(format, [user('?'), ...fields]))).toHaveLength(1)
  })

  test('also when a later turn has them again, as long as the window has both turns', () => {
    const fields = [
      user('?'),
      once,
      result,
      user('And?'),
      parts('ASSISTANT', 'OPENAI_RESPONSES', thought, asked, answered, told),
    ]
    const whole = build('OPENAI_RESPONSES', fields)
    readAsProvider('OPENAI_RESPONSES', whole)
    expect(whole.messages.map((item) => (item as { type: string }).type)).toEqual([
      'message',
      'reasoning',
      'function_call',
      'function_call_output',
      'message',
      'message',
    ])
    expect(whole.reasons).toEqual(['REPEATED_ITEM'])
    const newest = build('OPENAI_RESPONSES', fields, { maxTokens: whole.tokenCount - 1 })
    expect(newest.messages.slice(1)).toEqual([thought, asked, answered, told])
  })

  test('of the AI SDK too, which names them by `itemId`', () => {
    const of = (itemId: string) => ({ openai: { itemId } })
    const said = [
      { type: 'reasoning', text: 'Hm.', providerMetadata: of('rs_1') },
      { type: 'reasoning', text: 'Hm!', providerMetadata: of('rs_1') },
      {
        type: 'tool-look',
        toolCallId: 'c',
        state: 'output-available',
        input: {},
        output: 'x',
        callProviderMetadata: of('fc_1'),
      },
    ]
    for (const format of ['AI_SDK', 'AI_SDK_MODEL'] as const) {
      const fields = [
        user('?'),
        parts('ASSISTANT', 'AI_SDK', ...said),
        parts('ASSISTANT', 'AI_SDK', ...said, { type: 'text', text: 'So.' }),
      ]
      const window = build(format, fields)
      expect(readAsProvider(format, window)).toHaveLength(1)
      const text = JSON.stringify(window.messages)
      expect(text.match(/rs_1/g), 'one item of two parts').toHaveLength(2)
      expect(text.match(/fc_1/g)).toHaveLength(1)
    }
  })
})
