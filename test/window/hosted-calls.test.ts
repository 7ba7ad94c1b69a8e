import type { BetaContentBlockParam } from '@anthropic-ai/sdk/resources/beta/messages/messages'
import type { ResponseInputItem } from 'openai/resources/responses/responses'
import { describe, expect, test } from 'vitest'
import { ContextFormat, type PendingCallRule } from '../../src/entities/window-enums.ts'
import { ContextTooSmall } from '../../src/facts.ts'
import type { ContextWindow } from '../../src/window/window.ts'
import { build, type Fields, parts, tool, user } from '../support/window.ts'
import { readAsProvider, readBySdk } from '../support/window-rules.ts'

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
