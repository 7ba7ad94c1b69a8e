import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/entities/message/message.ts'
import { ContextFormat, PendingCallRule } from '../../src/entities/window-enums.ts'
import { ContextTooSmall } from '../../src/facts.ts'
import type { ContextWindow } from '../../src/window/window.ts'
import { seeded } from '../support/window/transcripts.ts'
import { build, type Fields, parts, tool, user } from '../support/window/window.ts'
import { readAsProvider, readBySdk } from '../support/window/window-rules.ts'

const formats = Object.values(ContextFormat)
const rules = Object.values(PendingCallRule)
const dialects = ['OPENAI_RESPONSES', 'ANTHROPIC', 'AI_SDK'] as const
type Dialect = (typeof dialects)[number]

/** The parts of a call, and those of its result, if the two are not one part. */
interface Exchange {
  readonly asked: object[]
  readonly answered: object[]
}

/** Kinds of calls: `n` makes their ids. */
const kinds: Record<Dialect, readonly ((n: number, caller: number) => Exchange)[]> = {
  OPENAI_RESPONSES: [
    (n) => ({
      asked: [{ type: 'function_call', id: `fc_${n}`, call_id: `c${n}`, name: 'look', arguments: '{}' }],
      answered: [{ type: 'function_call_output', call_id: `c${n}`, output: 'x' }],
    }),
    (n) => ({
      asked: [
        { type: 'reasoning', id: `rs_${n}`, summary: [] },
        { type: 'computer_call', id: `cu_${n}`, call_id: `c${n}` },
      ],
      answered: [{ type: 'computer_call_output', call_id: `c${n}`, output: { type: 'computer_screenshot' } }],
    }),
    (n) => ({
      asked: [{ type: 'shell_call', id: `sh_${n}`, call_id: `c${n}`, action: { commands: ['ls'] } }],
      answered: [{ type: 'shell_call_output', call_id: `c${n}`, output: [] }],
    }),
    (n) => ({
      asked: [{ type: 'mcp_approval_request', id: `m${n}`, name: 'look', arguments: '{}', server_label: 's' }],
      answered: [{ type: 'mcp_approval_response', approval_request_id: `m${n}`, approve: n % 2 === 0 }],
    }),
    (n) => ({
      asked: [{ type: 'program', id: `pr_${n}`, call_id: `c${n}`, code: '' }],
      answered: [{ type: 'program_output', id: `po_${n}`, call_id: `c${n}`, result: '' }],
    }),
    (n, caller) => ({
      asked: [
        {
          type: 'function_call',
          id: `fc_${n}`,
          call_id: `c${n}`,
          name: 'look',
          arguments: '{}',
          caller: { type: 'program', caller_id: `c${caller}` },
        },
      ],
      answered: [{ type: 'function_call_output', call_id: `c${n}`, output: 'x' }],
    }),
    (n) => ({ asked: [{ type: 'web_search_call', id: `ws_${n}`, status: 'completed' }], answered: [] }),
  ],
  ANTHROPIC: [
    (n) => ({
      asked: [
        { type: 'thinking', thinking: 'Hm.', signature: 's' },
        { type: 'tool_use', id: `c${n}`, name: 'look', input: {} },
      ],
      answered: [{ type: 'tool_result', tool_use_id: `c${n}`, content: 'x' }],
    }),
    (n) => ({
      asked: [{ type: 'server_tool_use', id: `s${n}`, name: 'code_execution', input: {} }],
      answered: [{ type: 'code_execution_tool_result', tool_use_id: `s${n}`, content: {} }],
    }),
    (n) => ({
      asked: [{ type: 'mcp_tool_use', id: `s${n}`, name: 'look', server_name: 's', input: {} }],
      answered: [{ type: 'mcp_tool_result', tool_use_id: `s${n}`, content: 'x' }],
    }),
    (n, caller) => ({
      asked: [
        {
          type: 'tool_use',
          id: `c${n}`,
          name: 'look',
          input: {},
          caller: { type: 'code_execution_20250825', tool_id: `s${caller}` },
        },
      ],
      answered: [{ type: 'tool_result', tool_use_id: `c${n}`, content: 'x' }],
    }),
  ],
  AI_SDK: [
    (n) => ({
      asked: [{ type: 'tool-look', toolCallId: `c${n}`, state: 'input-available', input: {} }],
      answered: [{ type: 'tool-result', toolCallId: `c${n}`, toolName: 'look', output: { type: 'text', value: 'x' } }],
    }),
    (n) => ({
      asked: [
        {
          type: 'tool-look',
          toolCallId: `c${n}`,
          state: ['approval-requested', 'approval-responded', 'output-denied'][n % 3],
          input: {},
          approval: { id: `ap${n}`, ...(n % 3 === 0 ? {} : { approved: n % 3 === 1 }) },
        },
      ],
      answered: [],
    }),
    (n) => ({
      asked: [
        { type: 'tool-call', toolCallId: `c${n}`, toolName: 'look', input: {} },
        { type: 'tool-approval-request', approvalId: `ap${n}`, toolCallId: `c${n}` },
      ],
      answered: [{ type: 'tool-approval-response', approvalId: `ap${n}`, approved: n % 2 === 0 }],
    }),
    (n) => ({
      asked: [
        {
          type: 'tool-search',
          toolCallId: `c${n}`,
          state: 'output-available',
          input: {},
          output: 'x',
          providerExecuted: true,
        },
      ],
      answered: [],
    }),
    (n) => ({
      asked: [{ type: 'tool-call', toolCallId: `c${n}`, toolName: 'search', input: {}, providerExecuted: true }],
      answered: [
        { type: 'tool-result', toolCallId: `c${n}`, toolName: 'search', output: { type: 'text', value: 'x' } },
      ],
    }),
  ],
}

const texts: Record<Dialect, (text: string, role: Message['role'], n: number) => object> = {
  OPENAI_RESPONSES: (text, role, n) =>
    role === 'USER'
      ? { type: 'input_text', text }
      : { type: 'message', id: `msg_${n}`, role: 'assistant', content: [{ type: 'output_text', text }] },
  ANTHROPIC: (text) => ({ type: 'text', text }),
  AI_SDK: (text) => ({ type: 'text', text }),
}

/**
 * A conversation of one dialect, with results at every place: beside their calls, in later messages of each role, beside
 * words, twice, or nowhere; with messages that are stored twice, that failed, that are still written, or that paused.
 */
function makeConversation(seed: number): Fields[] {
  const next = seeded(seed)
  const dialect = dialects[next(dialects.length)] as Dialect
  const fields: Fields[] = []
  let results: object[] = []
  const say = (role: Message['role'], ...list: object[]) => {
    const status = (['FAILED', 'CANCELLED', 'STREAMING'] as const)[next(25)] ?? 'COMPLETE'
    const finishReason = next(4) === 0 ? 'pause_turn' : 'stop'
    const id = role === 'TOOL' ? { toolCallId: `c${next(9)}` } : {}
    if (list.length > 0) fields.push({ ...parts(role, dialect, ...list), ...id, status, finishReason })
  }
  const take = () => {
    const taken = results.filter(() => next(4) > 0)
    results = results.filter((result) => !taken.includes(result) || next(12) === 0)
    return taken
  }
  for (let n = 1, length = 4 + next(10); n <= length; n++) {
    const choice = next(12)
    const text = (role: Message['role']) => texts[dialect](`words ${n}`, role, n)
    if (n === 1 || choice === 0) fields.push(user(`question ${n}`))
    else if (choice === 1) say('USER', ...take(), text('USER'), ...take())
    else if (choice < 4) say('USER', ...take())
    else if (choice < 6) for (const result of take()) say('TOOL', result)
    else if (choice === 6) say('ASSISTANT', ...take(), text('ASSISTANT'))
    else if (choice === 7) fields.push({ ...(fields[next(fields.length)] as Fields) })
    else if (choice === 8) fields.push(tool(`c${n - 1}`, 'words'))
    else {
      const said: object[] = next(2) ? [text('ASSISTANT')] : []
      for (let m = 1 + next(3); m > 0; m--) {
        const made = kinds[dialect][next(kinds[dialect].length)]?.(10 * n + m, 10 * n + m + 1)
        if (made === undefined) continue
        said.push(...made.asked)
        if (next(3) === 0) said.push(...made.answered)
        else results.push(...made.answered)
      }
      say('ASSISTANT', ...said, ...(next(3) ? [] : [text('ASSISTANT')]))
    }
  }
  return fields
}

/** null where even the newest turn does not fit. */
function fitted(make: () => ContextWindow): ContextWindow | null {
  try {
    return make()
  } catch (error) {
    expect(error).toBeInstanceOf(ContextTooSmall)
    return null
  }
}

describe('windows over calls of every kind are valid, and grow with their budget', () => {
  test.each(Array.from({ length: 300 }, (_, seed) => seed))('conversation %i', async (seed) => {
    const fields = makeConversation(seed)
    for (const format of formats) {
      for (const pendingCalls of rules) {
        let before: ContextWindow | null = null
        const whole = build(format, fields, { pendingCalls })
        for (let maxTokens = 10; maxTokens <= whole.tokenCount; maxTokens += 5) {
          const window = fitted(() => build(format, fields, { pendingCalls, maxTokens }))
          expect(window !== null || before === null, 'what fitted still fits').toBe(true)
          if (window === null) continue
          expect(window.tokenCount).toBeLessThanOrEqual(maxTokens)
          const isLess = before?.included.some((message) => !window.included.some(({ seq }) => seq === message.seq))
          expect(isLess ?? false, 'a greater budget never gives less').toBe(false)
          before = window
          readAsProvider(format, window, { waits: pendingCalls === 'KEEP', pauses: true })
          expect(window.messages.length).toBeGreaterThan(0)
        }
        expect(whole.reasons).not.toContain('BUDGET')
        if (before !== null) expect(before.included.length).toBe(whole.included.length)
        const isSdk = format === 'AI_SDK' || format === 'AI_SDK_MODEL'
        if (isSdk && pendingCalls !== 'KEEP') await readBySdk(format, whole)
      }
    }
  })
})
