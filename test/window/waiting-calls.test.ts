import { convertToModelMessages, jsonSchema, type ModelMessage, tool as sdkTool, streamText, type UIMessage } from 'ai'
import { MockLanguageModelV4, simulateReadableStream } from 'ai/test'
import { describe, expect, test } from 'vitest'
import { ContextFormat, PendingCallRule } from '../../src/entities/window-enums.ts'
import type { ContextWindow, WindowRequest } from '../../src/window/window.ts'
import { storedMessage } from '../support/window/transcripts.ts'
import { assistant, build, call, type Fields, parts, tool, user } from '../support/window/window.ts'
import { readAsProvider, readBySdk } from '../support/window/window-rules.ts'

const formats = Object.values(ContextFormat)
const rules = Object.values(PendingCallRule)
const interrupted = 'Interrupted: this call was not answered.'

const pendingOf = ({ pendingCalls }: ContextWindow) =>
  pendingCalls.map(({ call: { callId }, approved }) => [callId, approved] as const)
const keep: Partial<WindowRequest> = { pendingCalls: 'KEEP' }
const omit: Partial<WindowRequest> = { pendingCalls: 'OMIT' }

describe('a call waits', () => {
  const asked = assistant('I look.', call('a'), call('b'))
  const waits = (...fields: Fields[]) => formats.map((format) => pendingOf(build(format, [user('?'), ...fields])))
  const all = (...pending: (readonly [string, boolean | null])[]) => formats.map(() => pending)

  test('in the last step of the assistant, until it has its result', () => {
    expect(waits(asked)).toEqual(all(['a', null], ['b', null]))
    expect(waits(asked, tool('a', 'A'))).toEqual(all(['b', null]))
    expect(waits(asked, tool('b', 'B'))).toEqual(all(['a', null]))
    expect(waits(asked, tool('b', 'B'), tool('a', 'A'))).toEqual(all())
    expect(waits(asked, tool('x', 'nobody’s'))).toEqual(all(['a', null], ['b', null]))
    expect(waits(asked, tool('a', 'A'), tool('b', 'B'), assistant(null, call('c')))).toEqual(all(['c', null]))
  })

  test('also behind messages that say nothing', () => {
    const still = { ...assistant('still'), status: 'STREAMING' as const }
    expect(waits(asked, still)).toEqual(all(['a', null], ['b', null]))
    expect(waits(asked, assistant(''))).toEqual(all(['a', null], ['b', null]))
  })

  test('no more when anything was said after it', () => {
    for (const after of [assistant('Well.'), user('Never mind.'), { role: 'SYSTEM', content: 'Late.' } as const]) {
      expect(waits(asked, after)).toEqual(all())
    }
    const message = storedMessage(9, user('And?'))
    for (const format of formats) {
      const userMessage = { message, tokens: 1, reasoningTokens: 0 }
      expect(pendingOf(build(format, [user('?'), asked], { userMessage }))).toEqual([])
    }
  })

  test('not when its message failed or was cancelled, or the model did not finish it', () => {
    for (const status of ['FAILED', 'CANCELLED'] as const) expect(waits({ ...asked, status })).toEqual(all())
    const half = { type: 'tool-look', toolCallId: 'a', state: 'input-streaming', input: { q: 'ca' } }
    expect(waits(parts('ASSISTANT', 'AI_SDK', { type: 'text', text: 'So.' }, half))).toEqual(all())
  })

  test.each(formats)('and the argument says what becomes of it: %s', async (format) => {
    const thought = { type: 'reasoning', text: 'Hm.' }
    const of = (toolCallId: string) => ({ type: 'tool-call', toolCallId, toolName: 'look', input: {} })
    const fields = [user('?'), parts('ASSISTANT', 'AI_SDK', thought, of('a'), of('b')), tool('a', 'A')]
    const alone = [user('?'), parts('ASSISTANT', 'AI_SDK', { type: 'text', text: 'So.' }, thought, of('a'))]
    const isKept = format === 'AI_SDK' || format === 'AI_SDK_MODEL'
    const outputs = (given: Fields[], request: Partial<WindowRequest>) => {
      const window = build(format, given, request)
      const exchanges = readAsProvider(format, window, { waits: request.pendingCalls === 'KEEP' })
      const text = JSON.stringify(window.messages)
      return {
        outputs: exchanges.map(({ output }) => output),
        hasThought: text.includes('Hm.'),
        names: text.match(/"look"/g)?.length ?? 0,
        reasons: window.reasons,
        tokens: window.tokenCount,
      }
    }
    const withThought = isKept ? 5 : 0
    const whole = { outputs: ['A', interrupted], hasThought: isKept, reasons: ['INTERRUPTED_CALL'] }
    expect(outputs(fields, {})).toMatchObject({ ...whole, tokens: 50 + withThought })
    expect(outputs(fields, omit)).toMatchObject({ ...whole, outputs: ['A'], tokens: 30 + withThought })
    const kept = outputs(fields, keep)
    if (isKept) expect(kept).toMatchObject({ outputs: ['A'], hasThought: true, reasons: [], tokens: 35 })
    else expect(kept).toMatchObject({ ...whole, tokens: 50 })
    expect(outputs(alone, omit)).toMatchObject({
      outputs: [],
      hasThought: false,
      names: 0,
      reasons: ['INTERRUPTED_CALL'],
    })
    if (isKept) await readBySdk(format, build(format, fields, omit))
  })

  test.each(formats)('a message of nothing but calls that are left out is not in the window: %s', (format) => {
    const window = build(format, [user('?'), assistant(null, call('a'))], omit)
    readAsProvider(format, window)
    expect(window).toMatchObject({ tokenCount: 10, lastSeq: 1, reasons: ['INTERRUPTED_CALL'] })
    expect(pendingOf(window)).toEqual([['a', null]])
  })

  test.each(rules)('a greater budget never gives a smaller window: %s', (pendingCalls) => {
    const fields = [
      user('one'),
      assistant(null, call('x')),
      user('two'),
      assistant('So.', call('y')),
      tool('y', 'Y'),
      user('three'),
      assistant(null, call('a'), call('b')),
      tool('b', 'B'),
    ]
    for (const format of formats) {
      let included = 0
      const whole = build(format, fields, { pendingCalls })
      for (let maxTokens = 50; maxTokens <= whole.tokenCount; maxTokens++) {
        const window = build(format, fields, { pendingCalls, maxTokens })
        readAsProvider(format, window, { waits: pendingCalls === 'KEEP' })
        expect(window.tokenCount).toBeLessThanOrEqual(maxTokens)
        expect(window.included.length).toBeGreaterThanOrEqual(included)
        expect(pendingOf(window)).toEqual([['a', null]])
        included = window.included.length
      }
      expect(included).toBe(whole.included.length)
    }
  })
})

describe('a call that a person answered', () => {
  const answered = (approved: boolean, reason: string | null = null): Fields => ({
    ...assistant('I look.', call('a'), call('b')),
    callAnswers: new Map([['a', { approved, reason }]]),
  })
  const textOf = (format: ContextFormat, text: string) => (format.startsWith('AI_SDK') ? 'denied' : text)

  test.each(formats)('and refused has that as its result: %s', async (format) => {
    for (const pendingCalls of rules) {
      for (const [reason, text, tokens] of [
        [null, 'A person refused this call.', 20],
        ['Too dear', 'A person refused this call: Too dear', 24],
      ] as const) {
        const window = build(format, [user('?'), answered(false, reason), tool('b', 'B')], { pendingCalls })
        const exchanges = readAsProvider(format, window)
        expect(exchanges.map(({ output }) => output)).toEqual([textOf(format, text), 'B'])
        expect(JSON.stringify(window.messages)).toContain(text)
        expect(window).toMatchObject({ reasons: [], pendingCalls: [], tokenCount: 30 + tokens })
        if (format === 'AI_SDK' || format === 'AI_SDK_MODEL') await readBySdk(format, window)
        const later = build(format, [user('?'), answered(false, reason), user('And?')], { pendingCalls })
        expect(readAsProvider(format, later).map(({ output }) => output)).toEqual([textOf(format, text), interrupted])
      }
    }
  })

  test.each(formats)('and refused has its own result, if that came later: %s', (format) => {
    const window = build(format, [user('?'), answered(false), tool('b', 'B'), tool('a', 'A')])
    expect(readAsProvider(format, window).map(({ output }) => output)).toEqual(['A', 'B'])
    expect(window.tokenCount).toBe(40)
  })

  test('and approved waits as before, and says that it may run', () => {
    for (const format of formats) {
      const [known, unknown] = [answered(true), assistant('I look.', call('a'), call('b'))].map((asked) =>
        build(format, [user('?'), asked], keep),
      )
      expect(known?.messages).toEqual(unknown?.messages)
      expect(pendingOf(known as ContextWindow)).toEqual([
        ['a', true],
        ['b', null],
      ])
    }
  })

  test('in a part of the AI SDK has its question answered', () => {
    const asked = { type: 'tool-look', toolCallId: 'a', input: {}, state: 'approval-requested', approval: { id: 'ap' } }
    const refused = {
      ...parts('ASSISTANT', 'AI_SDK', asked),
      callAnswers: new Map([['a', { approved: false, reason: 'No.' }]]),
    }
    const [, message] = build('AI_SDK', [user('?'), refused], keep).messages
    const approval = { id: 'ap', approved: false, reason: 'A person refused this call: No.' }
    expect(message).toMatchObject({ parts: [{ type: 'step-start' }, { state: 'output-denied', approval }] })
  })
})

describe('what waits names itself', () => {
  test('as it is stored, with its message', () => {
    const asked = assistant(null, call('with space', '{ "n": 1.0 }'))
    const [pending] = build('ANTHROPIC', [user('?'), asked]).pendingCalls
    expect(pending).toMatchObject({
      call: { callId: 'with space', name: 'look', type: 'function', arguments: '{ "n": 1.0 }' },
      approvalId: null,
      approved: null,
      message: { seq: 2 },
    })
  })

  test('also if it is no function, and if only another dialect can express it', () => {
    const asked = {
      type: 'computer_call',
      id: 'cu',
      call_id: 'a',
      status: 'completed',
      pending_safety_checks: [],
      action: { type: 'screenshot' },
    }
    for (const format of formats) {
      const window = build(format, [
        user('?'),
        assistant(null, call('x')),
        parts('ASSISTANT', 'OPENAI_RESPONSES', asked),
      ])
      expect(readAsProvider(format, window)).toHaveLength(1)
      expect(window.pendingCalls).toMatchObject([
        { call: { callId: 'a', name: 'computer', type: 'computer_call', arguments: JSON.stringify(asked) } },
      ])
    }
  })
})

describe('OPENAI_RESPONSES: a request for approval', () => {
  const request = { type: 'mcp_approval_request', id: 'mcpr_1', name: 'look', arguments: '{}', server_label: 's' }
  const response = { type: 'mcp_approval_response', approval_request_id: 'mcpr_1', approve: true }
  const asked = parts(
    'ASSISTANT',
    'OPENAI_RESPONSES',
    { type: 'mcp_list_tools', id: 'mcpl', server_label: 's', tools: [] },
    request,
  )

  test('waits for its response: it is refused as interrupted, left out, or kept', () => {
    const of = (request: Partial<WindowRequest>) => {
      const window = build('OPENAI_RESPONSES', [user('?'), asked], request)
      readAsProvider('OPENAI_RESPONSES', window, { waits: request.pendingCalls === 'KEEP' })
      expect(pendingOf(window)).toEqual([['mcpr_1', false]])
      expect(window.pendingCalls[0]).toMatchObject({ approvalId: 'mcpr_1', call: { name: 'look', arguments: '{}' } })
      return window.messages.slice(2)
    }
    expect(of({})).toEqual([request, { ...response, approve: false, reason: interrupted }])
    expect(of(omit)).toEqual([])
    expect(of(keep)).toEqual([request])
  })

  test.each(rules)('goes out with its response, from whoever that comes: %s', (pendingCalls) => {
    for (const fields of [
      parts('USER', 'OPENAI_RESPONSES', response),
      { ...parts('TOOL', 'OPENAI_RESPONSES', response), toolCallId: 'mcpr_1' },
    ]) {
      const window = build('OPENAI_RESPONSES', [user('?'), asked, fields], { pendingCalls })
      readAsProvider('OPENAI_RESPONSES', window)
      expect(window.messages.slice(2)).toEqual([request, response])
      expect(window).toMatchObject({ reasons: [], pendingCalls: [] })
    }
  })
})

describe('the AI SDK', () => {
  const states = {
    asked: { state: 'approval-requested', approval: { id: 'ap', requestReason: 'It costs.' } },
    allowed: { state: 'approval-responded', approval: { id: 'ap', approved: true } },
    denied: { state: 'approval-responded', approval: { id: 'ap', approved: false, reason: 'Too dear.' } },
    open: { state: 'input-available' },
  }
  const uiPart = (state: keyof typeof states, toolCallId = 'a') => ({
    type: 'tool-look',
    toolCallId,
    input: { n: 1 },
    ...states[state],
  })
  const inUi = (...given: (keyof typeof states)[]): Fields[] => [
    user('?'),
    parts(
      'ASSISTANT',
      'AI_SDK',
      { type: 'step-start' },
      ...given.map((state, n) => uiPart(state, n === 0 ? 'a' : 'b')),
    ),
  ]
  const request = { type: 'tool-approval-request', approvalId: 'ap', toolCallId: 'a' }
  const responseOf = (approved: boolean) => ({
    type: 'tool-approval-response',
    approvalId: 'ap',
    approved,
    reason: 'Because.',
  })
  const inModel = (approved: boolean | null, more: object = {}): Fields[] => [
    user('?'),
    parts(
      'ASSISTANT',
      'AI_SDK',
      { type: 'tool-call', toolCallId: 'a', toolName: 'look', input: { n: 1 }, ...more },
      request,
    ),
    ...(approved === null ? [] : [{ ...parts('TOOL', 'AI_SDK', responseOf(approved)), toolCallId: 'a' }]),
  ]

  test.each(Object.keys(states) as (keyof typeof states)[])('KEEP gives a part back unchanged: %s', (state) => {
    const window = build('AI_SDK', inUi(state), keep)
    expect(window.messages[1]).toMatchObject({ parts: [{ type: 'step-start' }, uiPart(state)] })
    expect(window.reasons).toEqual([])
  })

  test('approvals are told: asked, allowed, and denied, which waits no more', () => {
    for (const format of formats) {
      const pending = (fields: Fields[]) =>
        build(format, fields).pendingCalls.map(({ approved, approvalId }) => [approved, approvalId])
      expect(pending(inUi('open'))).toEqual([[null, null]])
      for (const fields of [inUi('asked'), inModel(null)]) expect(pending(fields)).toEqual([[false, 'ap']])
      for (const fields of [inUi('allowed'), inModel(true)]) expect(pending(fields)).toEqual([[true, 'ap']])
      for (const fields of [inUi('denied'), inModel(false)]) expect(pending(fields)).toEqual([])
    }
  })

  const spellings: readonly (readonly [string, (state: 'asked' | 'allowed' | 'denied') => Fields[]])[] = [
    ['UIMessage', (state) => inUi(state)],
    ['ModelMessage', (state) => inModel(state === 'asked' ? null : state === 'allowed')],
  ]

  describe.each(spellings)('stored as %s', (_name, of) => {
    test.each(formats)('a denial is an answer, whatever the argument says: %s', async (format) => {
      for (const pendingCalls of rules) {
        for (const after of [[], [user('And?')], [assistant('Well.')]] as Fields[][]) {
          const window = build(format, [...of('denied'), ...after], { pendingCalls })
          const isKept = pendingCalls === 'KEEP' && after.length === 0
          const [exchange] = readAsProvider(format, window, { waits: isKept })
          expect(window.reasons).toEqual([])
          const isSdk = format === 'AI_SDK' || format === 'AI_SDK_MODEL'
          if (isSdk && isKept) expect(exchange).toBeUndefined()
          else expect(exchange?.output).toMatch(isSdk ? /^denied$/ : /^(Too dear|Because)\.$/)
          if (isSdk) await readBySdk(format, window)
        }
      }
    })

    test.each(formats)('what is not answered is interrupted, or left out: %s', async (format) => {
      for (const state of ['asked', 'allowed'] as const) {
        for (const after of [[], [user('And?')], [assistant('Well.')]] as Fields[][]) {
          const window = build(format, [...of(state), ...after])
          expect(readAsProvider(format, window)).toMatchObject([{ output: interrupted }])
          if (format === 'AI_SDK' || format === 'AI_SDK_MODEL') await readBySdk(format, window)
        }
        expect(readAsProvider(format, build(format, of(state), omit))).toEqual([])
      }
    })

    test('an allowed tool runs, and its result goes to the model', async () => {
      const { prompt, ran } = await run(await inBoth(of('allowed')))
      expect(ran).toEqual([[{ n: 1 }], [{ n: 1 }]])
      for (const messages of prompt)
        expect(messages.at(-1)).toMatchObject({ role: 'tool', content: [{ output: { value: 'seen' } }] })
    })

    test('a denied tool does not run, and the model reads that', async () => {
      const { prompt, ran } = await run(await inBoth(of('denied')))
      expect(ran).toEqual([[], []])
      for (const messages of prompt) {
        expect(messages.at(-1)).toMatchObject({ role: 'tool', content: [{ output: { type: 'execution-denied' } }] })
      }
    })
  })

  test('an allowed tool runs beside one that has its result, and one that was denied', async () => {
    const two: Fields[] = [
      user('?'),
      parts(
        'ASSISTANT',
        'AI_SDK',
        { ...uiPart('open', 'b'), state: 'output-available', output: 'B' },
        uiPart('allowed'),
        { ...uiPart('denied', 'c'), approval: { ...states.denied.approval, id: 'other' } },
      ),
    ]
    const { prompt, ran } = await run(await inBoth(two))
    expect(ran).toEqual([[{ n: 1 }], [{ n: 1 }]])
    for (const messages of prompt) {
      const results = messages
        .filter(({ role }) => role === 'tool')
        .flatMap(({ content }) => content as { toolCallId: string }[])
      expect(results.map(({ toolCallId }) => toolCallId).toSorted()).toEqual(['a', 'b', 'c'])
    }
  })

  test('a call that the provider runs goes out when people have allowed it', async () => {
    const named = { toolCallId: 'a', toolName: 'look' }
    for (const fields of [
      [user('?'), parts('ASSISTANT', 'AI_SDK', { ...uiPart('allowed'), providerExecuted: true })],
      inModel(true, { providerExecuted: true }).with(2, {
        ...parts('TOOL', 'AI_SDK', { ...responseOf(true), providerExecuted: true }),
        toolCallId: 'a',
      }),
    ]) {
      for (const pendingCalls of rules) {
        const window = build('AI_SDK_MODEL', fields, { pendingCalls })
        expect(window).toMatchObject({ reasons: [], pendingCalls: [] })
        const { prompt } = await run([window.messages as ModelMessage[]])
        expect(prompt[0]?.slice(1)).toMatchObject([
          { role: 'assistant', content: [{ type: 'tool-call', ...named, providerExecuted: true }] },
          { role: 'tool', content: [{ type: 'tool-approval-response', approvalId: 'ap', approved: true }] },
        ])
      }
    }
    const open = [user('?'), parts('ASSISTANT', 'AI_SDK', { ...uiPart('asked'), providerExecuted: true })]
    for (const format of formats) {
      const window = build(format, open)
      const isOwn = format === 'AI_SDK' || format === 'AI_SDK_MODEL'
      expect(window).toMatchObject({ messages: [{}], reasons: [isOwn ? 'INTERRUPTED_CALL' : 'UNSUPPORTED_PART'] })
      expect(pendingOf(window)).toEqual([['a', false]])
    }
    expect(JSON.stringify(build('AI_SDK', open, keep).messages)).toContain('approval-requested')
  })

  test('what the provider ran goes out with its result, or not at all', async () => {
    const done = { ...uiPart('open'), providerExecuted: true, state: 'output-available', output: { hits: 1 } }
    const called = { type: 'tool-call', toolCallId: 'a', toolName: 'look', input: { n: 1 }, providerExecuted: true }
    const result = {
      type: 'tool-result',
      toolCallId: 'a',
      toolName: 'look',
      output: { type: 'json', value: { hits: 1 } },
    }
    const text = { type: 'text', text: 'So.' }
    const model = (...fields: Fields[]) => build('AI_SDK_MODEL', [user('?'), ...fields])
    for (const window of [
      model(parts('ASSISTANT', 'AI_SDK', done, text)),
      model(parts('ASSISTANT', 'AI_SDK', called, result, text)),
    ]) {
      readAsProvider('AI_SDK_MODEL', window)
      await readBySdk('AI_SDK_MODEL', window)
      expect(window.messages.slice(1)).toEqual([{ role: 'assistant', content: [called, result, text] }])
      expect(window.reasons).toEqual([])
    }
    const late = model(parts('ASSISTANT', 'AI_SDK', called), parts('ASSISTANT', 'AI_SDK', result, text))
    readAsProvider('AI_SDK_MODEL', late)
    expect(JSON.stringify(late.messages)).toContain('hits')
    const open = model(parts('ASSISTANT', 'AI_SDK', text, called))
    expect(open).toMatchObject({ reasons: ['INTERRUPTED_CALL'] })
    expect(open.messages.slice(1)).toEqual([{ role: 'assistant', content: [text] }])
    const orphan = model(parts('ASSISTANT', 'AI_SDK', text), parts('ASSISTANT', 'AI_SDK', result, text))
    expect(orphan.reasons).toEqual(['ORPHANED_RESULT'])
  })
})

/** The same window as ModelMessages, and as UIMessages that the SDK converts. */
async function inBoth(fields: Fields[]): Promise<ModelMessage[][]> {
  const [ui, model] = [build('AI_SDK', fields, keep), build('AI_SDK_MODEL', fields, keep)]
  readAsProvider('AI_SDK', ui, { waits: true })
  readAsProvider('AI_SDK_MODEL', model, { waits: true })
  return [await convertToModelMessages(ui.messages as UIMessage[]), model.messages as ModelMessage[]]
}

/** What the tool was run with, and what the model read, when the SDK goes on with each of these windows. */
async function run(windows: ModelMessage[][]) {
  const ran: unknown[][] = []
  const prompt: { role: string; content: unknown }[][] = []
  for (const messages of windows) {
    const inputs: unknown[] = []
    const model = new MockLanguageModelV4({
      doStream: {
        stream: simulateReadableStream({
          chunks: [
            { type: 'text-start', id: '1' },
            { type: 'text-delta', id: '1', delta: 'Done.' },
            { type: 'text-end', id: '1' },
            {
              type: 'finish',
              finishReason: { unified: 'stop', raw: 'stop' },
              usage: {
                inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
                outputTokens: { total: 1, text: 1, reasoning: 0 },
              },
            },
          ],
        }),
      },
    })
    const look = sdkTool({
      inputSchema: jsonSchema<{ n: number }>({ type: 'object' }),
      needsApproval: true,
      execute: (input) => {
        inputs.push(input)
        return 'seen'
      },
    })
    await streamText({ model, messages: structuredClone(messages), tools: { look } }).consumeStream({
      onError: (error) => {
        throw error
      },
    })
    ran.push(inputs)
    prompt.push(model.doStreamCalls[0]?.prompt as { role: string; content: unknown }[])
  }
  return { ran, prompt }
}
