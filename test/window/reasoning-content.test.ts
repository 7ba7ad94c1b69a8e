import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/entities/message/message.ts'
import type { PartsFormat } from '../../src/entities/message/message-enums.ts'
import { ContextFormat, ReasoningContent } from '../../src/entities/window-enums.ts'
import { readCountable } from '../../src/window/entries/countable.ts'
import { type ContextWindow, WindowBuilder } from '../../src/window/window.ts'
import { seeded, storedMessage } from '../support/window/transcripts.ts'
import { readAsProvider, requireReasoning } from '../support/window/window-rules.ts'

type Fields = Partial<Message>
const formats = Object.values(ContextFormat)

function build(
  fields: readonly Fields[],
  reasoningContent: ReasoningContent,
  format: ContextFormat = 'OPENAI_CHAT',
): ContextWindow {
  const request = { format, maxTokens: 1e6, reserve: 0, system: null, userMessage: null, reasoningContent }
  const builder = new WindowBuilder(request, [])
  const counted = fields.map((field, at) => ({ message: storedMessage(at + 1, field), tokens: 10, reasoningTokens: 5 }))
  builder.add(counted.toReversed())
  return builder.finish()
}

const question = { role: 'USER', content: '?' } as const
const made = (callId: string) => ({ callId, name: 'look', arguments: '{}', type: 'function', extra: null })
const said = (list: readonly unknown[], more: Fields = {}, partsFormat: PartsFormat = 'OPENAI_CHAT'): Fields => ({
  role: 'ASSISTANT',
  partsFormat,
  parts: [...list],
  ...more,
})
const done = (toolCallId: string): Fields => ({ role: 'TOOL', toolCallId, content: 'done' })
const part = (type: string, value: unknown) => ({ type, [type]: value })

const details = [
  { type: 'reasoning.text', text: 'Hm.', signature: 's', index: 0 },
  { type: 'reasoning.summary', summary: 'So.', index: 1 },
  { type: 'reasoning.encrypted', data: 'e', index: 2 },
]
const everyField = { reasoning_content: 'Hm.', reasoning: 'Hm.', reasoning_details: details }
const thoughts = Object.entries(everyField).map(([type, value]) => part(type, value))

describe('reasoning that stood beside the content', () => {
  const fields = [
    question,
    said(thoughts, { content: 'I look.', toolCalls: [made('a')] }),
    done('a'),
    said([part('reasoning_content', 'It is there.')], { content: 'There.' }),
  ]
  const [calling, answering] = [
    { role: 'assistant', content: 'I look.' },
    { role: 'assistant', content: 'There.' },
  ]

  test.each(formats)('is left out unless a window asks for it, and not counted: %s', (format) => {
    for (const wish of Object.values(ReasoningContent)) {
      if (format === 'OPENAI_CHAT' && wish !== 'NONE') continue
      const window = build(fields, wish, format)
      expect(JSON.stringify(window.messages)).not.toMatch(/Hm\.|It is there|reasoning/)
      expect(window).toMatchObject({ reasons: [], tokenCount: 40 })
      readAsProvider(format, window)
    }
  })

  test('comes back with the messages that call tools, or with all, each field under its name', () => {
    const calls = build(fields, 'TOOL_CALLS')
    expect(calls.messages[1]).toEqual({ ...calling, ...everyField, tool_calls: [expect.anything()] })
    expect(calls.messages[3]).toEqual(answering)
    expect(calls.tokenCount).toBe(45)
    const all = build(fields, 'ALL')
    expect(all.messages[1]).toEqual(calls.messages[1])
    expect(all.messages[3]).toEqual({ ...answering, reasoning_content: 'It is there.' })
    expect(all.tokenCount).toBe(50)
  })

  test('comes back wherever it stands among the parts, and joined if it is in several', () => {
    const list = [
      part('reasoning_content', 'One '),
      { type: 'text', text: 'I look.' },
      part('reasoning_content', 'two.'),
      part('reasoning_details', [details[0]]),
      part('reasoning_details', [details[1]]),
    ]
    const { messages } = build([question, said(list)], 'ALL')
    expect(messages[1]).toEqual({
      role: 'assistant',
      content: [{ type: 'text', text: 'I look.' }],
      reasoning_content: 'One two.',
      reasoning_details: details.slice(0, 2),
    })
  })

  test('counts once, though a provider says it in several fields', () => {
    const countable = (list: readonly unknown[]) => readCountable(storedMessage(1, said(list))).reasoning.join('|')
    expect(countable(thoughts)).toBe('Hm.||')
    expect(countable([part('reasoning_details', details)])).toBe('Hm.So.')
    expect(countable([part('reasoning', 'One'), part('reasoning', 'two')])).toBe('One|two')
  })

  test('of a message that failed or was cancelled does not come back; its calls have a space', () => {
    for (const status of ['FAILED', 'CANCELLED'] as const) {
      const window = build([question, said(thoughts, { toolCalls: [made('a')], status })], 'ALL')
      expect(window.messages[1]).toEqual({
        role: 'assistant',
        content: null,
        reasoning_content: ' ',
        tool_calls: [expect.anything()],
      })
      requireReasoning(window)
    }
  })

  test('alone is nothing to say', () => {
    expect(build([question, said(thoughts)], 'ALL')).toMatchObject({ messages: [{ role: 'user' }], reasons: ['EMPTY'] })
  })

  test('of other dialects comes back as `reasoning_content`, if it has a text', () => {
    const others: [PartsFormat, unknown][] = [
      ['AI_SDK', { type: 'reasoning', text: 'Hm.' }],
      ['ANTHROPIC', { type: 'thinking', thinking: 'Hm.', signature: 's' }],
      ['OPENAI_RESPONSES', { type: 'reasoning', id: 'rs', summary: [{ type: 'summary_text', text: 'Hm.' }] }],
    ]
    for (const [partsFormat, thought] of others) {
      const window = build(
        [question, said([thought], { toolCalls: [made('a')] }, partsFormat), done('a')],
        'TOOL_CALLS',
      )
      expect(window.messages[1]).toMatchObject({ reasoning_content: 'Hm.' })
    }
    const hidden = { type: 'redacted_thinking', data: 'x' }
    const window = build([question, said([hidden], { toolCalls: [made('a')] }, 'ANTHROPIC'), done('a')], 'ALL')
    expect(window.messages[1]).toMatchObject({ reasoning_content: ' ' })
  })

  test('a part that only has its name is left out', () => {
    const odd = [part('reasoning', 7), part('reasoning_content', null), part('reasoning_details', 'x')]
    for (const one of odd) {
      const { messages, reasons } = build([question, said([one, { type: 'text', text: 'So.' }])], 'ALL')
      expect(messages[1]).toEqual({ role: 'assistant', content: [{ type: 'text', text: 'So.' }] })
      expect(reasons).toEqual(['UNSUPPORTED_PART'])
    }
  })

  test.each(Array.from({ length: 30 }, (_, seed) => seed))(
    'is there for every call, whatever was stored: %i',
    (seed) => {
      const next = seeded(seed)
      const kinds: [PartsFormat, unknown][] = [
        ...thoughts.map((thought): [PartsFormat, unknown] => ['OPENAI_CHAT', thought]),
        ['AI_SDK', { type: 'reasoning', text: next(2) ? 'Hm.' : '' }],
        ['ANTHROPIC', { type: 'thinking', thinking: 'Hm.', signature: next(2) ? 's' : '' }],
        ['OPENAI_RESPONSES', { type: 'reasoning', id: 'rs', summary: [] }],
        ['OTHER', { type: 'thought' }],
      ]
      const stored: Fields[] = [question]
      for (let at = 0; at < 12; at++) {
        const [partsFormat, thought] = kinds[next(kinds.length)] as [PartsFormat, unknown]
        const status = (['COMPLETE', 'COMPLETE', 'COMPLETE', 'FAILED'] as const)[next(4)]
        const toolCalls = next(2) ? [made(`call_${at}`)] : []
        stored.push(said([thought], { content: next(2) ? 'So.' : null, toolCalls, status }, partsFormat))
        if (toolCalls.length > 0 && next(3)) stored.push(done(`call_${at}`))
        if (next(4) === 0) stored.push(question)
      }
      for (const wish of ['TOOL_CALLS', 'ALL'] as const) {
        const window = build(stored, wish)
        requireReasoning(window)
        readAsProvider('OPENAI_CHAT', window)
      }
    },
  )
})
