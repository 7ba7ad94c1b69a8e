import { describe, expect, test } from 'vitest'
import { toolName as clientToolName } from '../../client/src/index.ts'
import type { Message } from '../../src/entities/message/message.ts'
import { ContextFormat } from '../../src/entities/window-enums.ts'
import { toolName } from '../../src/window/rules/tool-name.ts'
import { type ContextWindow, WindowBuilder } from '../../src/window/window.ts'
import { seeded, storedMessage } from '../support/window/transcripts.ts'
import { readAsProvider, readBySdk } from '../support/window/window-rules.ts'

const formats = Object.values(ContextFormat)
const most = { OPENAI_CHAT: 64, OPENAI_RESPONSES: 64, ANTHROPIC: 128 } as const
const providers = Object.keys(most) as (keyof typeof most)[]

/** Names of every script and length, and those that only differ a little. */
function makeNames(count: number): string[] {
  const next = seeded(11)
  const alphabets = [
    'abcXYZ019_-',
    'a.b/c:d e',
    'поиск',
    '検索する',
    'بحث',
    '😀👩‍👩‍👧',
    'é\u0301\u200b',
    '\t\n"\\',
    'a_b.c-d',
  ]
  const lengths = [1, 2, 5, 30, 63, 64, 65, 127, 128, 129, 200, 2_000]
  const names = Array.from({ length: count }, () => {
    const signs = [...(alphabets[next(alphabets.length)] as string)]
    const length = lengths[next(lengths.length)] as number
    return Array.from({ length }, () => signs[next(signs.length)]).join('')
  })
  return ['', '__proto__', 'constructor', 'calendar.listEvents', 'calendar_listEvents', 'calendar listEvents', ...names]
}

const names = makeNames(3_000)

describe.each(providers)('names of tools in %s', (format) => {
  test('are such that the provider takes them, and a name that it takes is unchanged', () => {
    for (const name of names) {
      const written = toolName(name, format)
      expect(written).toMatch(new RegExp(`^[a-zA-Z0-9_-]{1,${most[format]}}$`))
      const isTaken = new RegExp(`^[a-zA-Z0-9_-]{1,${most[format]}}$`).test(name)
      expect(written === name).toBe(isTaken)
      expect(toolName(written, format), 'what was changed once stays').toBe(written)
    }
  })

  test('differ when the stored names differ', () => {
    const written = new Set(names.map((name) => toolName(name, format)))
    expect(written.size).toBe(new Set(names).size)
  })

  test('are known for all time, because a cache of the provider holds requests of yesterday', () => {
    expect(toolName('calendar.listEvents', format)).toBe('calendar_listEvents_74a3c9a5ce3dc84c')
    expect(toolName('', format)).toMatch(/^tool_[0-9a-f]{16}$/)
    expect(toolName('検索', format)).toMatch(/^___[0-9a-f]{16}$/)
    expect(toolName('x'.repeat(200), format)).toMatch(new RegExp(`^x{${most[format] - 17}}_[0-9a-f]{16}$`))
  })
})

test('names of tools are the keys of the caller’s tools in the AI SDK: they stay', () => {
  for (const name of names)
    for (const format of ['AI_SDK', 'AI_SDK_MODEL'] as const) expect(toolName(name, format)).toBe(name)
})

test('the hash is FNV-1a of 64 bits, computed here with whole numbers of any size', () => {
  for (const name of names) {
    let value = 0xcbf29ce484222325n
    for (const byte of Buffer.from(name, 'utf16le')) value = ((value ^ BigInt(byte)) * 0x100000001b3n) % 2n ** 64n
    const written = toolName(name, 'ANTHROPIC')
    if (written !== name) expect(written.slice(-16)).toBe(value.toString(16).padStart(16, '0'))
  }
})

test('the client has the same rule', () => {
  for (const name of names)
    for (const format of formats) expect(clientToolName(name, format)).toBe(toolName(name, format))
})

function windowOf(format: ContextFormat, fields: readonly Partial<Message>[]): ContextWindow {
  const builder = new WindowBuilder({ format, maxTokens: 1e6, reserve: 0, system: null, userMessage: null }, [])
  const counted = fields.map((field, at) => ({ message: storedMessage(at + 1, field), tokens: 1, reasoningTokens: 1 }))
  builder.add(counted.toReversed())
  return builder.finish()
}

const question = { role: 'USER', content: '?' } as const
const made = (name: string, callId = 'a') => ({ callId, name, arguments: '{}', type: 'function', extra: null })

/** One call of a tool of this name, as each dialect stores it. */
function spellings(name: string): Record<string, Partial<Message>[]> {
  const answer = { role: 'TOOL', toolCallId: 'a', toolName: name, content: 'done' } as const
  return {
    plain: [{ role: 'ASSISTANT', toolCalls: [made(name)] }, answer],
    OPENAI_CHAT: [
      {
        role: 'ASSISTANT',
        parts: [{ type: 'function', id: 'a', function: { name, arguments: '{}' } }],
        partsFormat: 'OPENAI_CHAT',
      },
      answer,
    ],
    OPENAI_RESPONSES: [
      {
        role: 'ASSISTANT',
        parts: [{ type: 'function_call', call_id: 'a', name, arguments: '{}' }],
        partsFormat: 'OPENAI_RESPONSES',
      },
      {
        role: 'TOOL',
        toolCallId: 'a',
        parts: [{ type: 'function_call_output', call_id: 'a', name, output: 'done' }],
        partsFormat: 'OPENAI_RESPONSES',
      },
    ],
    ANTHROPIC: [
      { role: 'ASSISTANT', parts: [{ type: 'tool_use', id: 'a', name, input: {} }], partsFormat: 'ANTHROPIC' },
      { role: 'USER', parts: [{ type: 'tool_result', tool_use_id: 'a', content: 'done' }], partsFormat: 'ANTHROPIC' },
    ],
    AI_SDK: [
      {
        role: 'ASSISTANT',
        parts: [
          {
            type: 'dynamic-tool',
            toolName: name,
            toolCallId: 'a',
            state: 'output-available',
            input: {},
            output: 'done',
          },
        ],
        partsFormat: 'AI_SDK',
      },
    ],
    LANGCHAIN: [
      {
        role: 'ASSISTANT',
        parts: [{ type: 'tool_use', id: 'a', name, input: {} }],
        partsFormat: 'LANGCHAIN',
        toolCalls: [made(name)],
      },
      answer,
    ],
  }
}

test.each(formats)(
  'a window has a tool under one name, however it is stored, and says which names changed: %s',
  async (format) => {
    for (const name of names.filter((_, at) => at % 50 === 0 && at !== 0)) {
      const written = toolName(name, format)
      for (const [spelling, fields] of Object.entries(spellings(name))) {
        const window = windowOf(format, [question, ...fields])
        const [exchange, ...others] = readAsProvider(format, window)
        expect([spelling, exchange?.name, others]).toEqual([spelling, written, []])
        expect(window.toolNames).toEqual(written === name ? [] : [{ name, written }])
        expect(window.reasons).toEqual(written === name ? [] : ['TOOL_NAME'])
        if (written !== name) expect(JSON.stringify(window.messages)).not.toContain(JSON.stringify(name))
        if (format === 'AI_SDK' || format === 'AI_SDK_MODEL') await readBySdk(format, window)
      }
    }
  },
)

test('each changed name is told once, in the order of the window, whatever else the window holds', () => {
  const call = (id: string, name: string): Partial<Message>[] => [
    { role: 'ASSISTANT', toolCalls: [made(name, id)] },
    { role: 'TOOL', toolCallId: id, content: 'done' },
  ]
  const fields = [question, ...call('1', 'b.b'), ...call('2', 'fine'), ...call('3', 'a.a'), ...call('4', 'b.b')]
  const { toolNames } = windowOf('ANTHROPIC', fields)
  expect(toolNames.map(({ name }) => name)).toEqual(['b.b', 'a.a'])
  const alone = windowOf('ANTHROPIC', [question, ...call('1', 'a.a')]).toolNames
  expect(alone).toEqual([toolNames[1]])
})

test('names that the provider chose stay: tools of its own, and what it ran itself', () => {
  const own = [
    { type: 'server_tool_use', id: 's', name: 'web_search', input: {} },
    { type: 'web_search_tool_result', tool_use_id: 's', content: [] },
    { type: 'tool_use', id: 'a', name: 'str_replace_based_edit_tool', input: {} },
    { type: 'tool_use', id: 'b', name: 'screenshot', toolset_name: 'computer', input: {} },
  ]
  const fields = [question, { role: 'ASSISTANT', parts: own, partsFormat: 'ANTHROPIC' } as const]
  const { messages, toolNames } = windowOf('ANTHROPIC', fields)
  expect((messages[1] as { content: unknown }).content).toEqual(own)
  expect(toolNames).toEqual([])
})

test('ANTHROPIC: a result that refers to a tool names it as the window does', () => {
  const content = [{ type: 'tool_reference', tool_name: 'files/read' }]
  const fields: Partial<Message>[] = [
    question,
    { role: 'ASSISTANT', toolCalls: [made('find_tools')] },
    { role: 'USER', parts: [{ type: 'tool_result', tool_use_id: 'a', content }], partsFormat: 'ANTHROPIC' },
  ]
  const { messages, toolNames } = windowOf('ANTHROPIC', fields)
  const [change] = toolNames
  expect(change).toEqual({ name: 'files/read', written: toolName('files/read', 'ANTHROPIC') })
  expect(JSON.stringify(messages)).toContain(`"tool_name":"${change?.written}"`)
})
