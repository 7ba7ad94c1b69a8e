import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/entities/message/message.ts'
import type { PartsFormat } from '../../src/entities/message/message-enums.ts'
import type { ContextFormat } from '../../src/entities/window-enums.ts'
import { type ContextWindow, WindowBuilder } from '../../src/window/window.ts'
import { seeded, storedMessage } from '../support/window/transcripts.ts'
import { readAsProvider, readBySdk } from '../support/window/window-rules.ts'

type Fields = Partial<Message>
type Item = Record<string, unknown>

function build(format: ContextFormat, fields: readonly Fields[]): ContextWindow {
  const builder = new WindowBuilder({ format, maxTokens: 1e6, reserve: 0, system: null, userMessage: null }, [])
  const counted = fields.map((field, at) => ({ message: storedMessage(at + 1, field), tokens: 10, reasoningTokens: 5 }))
  builder.add(counted.toReversed())
  return builder.finish()
}

const question = { role: 'USER', content: '?' } as const
const said = (partsFormat: PartsFormat, list: readonly unknown[], more: Fields = {}): Fields => ({
  role: 'ASSISTANT',
  partsFormat,
  parts: [...list],
  ...more,
})
const answered = (callId: string): Fields => ({ role: 'TOOL', toolCallId: callId, content: 'done' })

const reasoning = (id: string): Item => ({ type: 'reasoning', id, summary: [], encrypted_content: 'e' })
const spoken = (id: string, text = 'So.'): Item => ({
  type: 'message',
  id,
  role: 'assistant',
  status: 'completed',
  content: [
    { type: 'output_text', text, annotations: [] },
    { type: 'output_text', text: '!', annotations: [] },
  ],
})
const called = (id: string): Item => ({
  type: 'function_call',
  id: `fc_${id}`,
  call_id: id,
  name: 'look',
  arguments: '{}',
})
const typed = (id: string): Item => ({
  type: 'custom_tool_call',
  id: `ctc_${id}`,
  call_id: id,
  name: 'type',
  input: 'x',
})
const withoutId = ({ id: _, ...item }: Item): Item => item

/** The items of an assistant in a window, without those that answer calls. */
const itemsOf = ({ messages }: ContextWindow) =>
  (messages as Item[]).slice(1).filter(({ type }) => !String(type).endsWith('_output'))

describe('OPENAI_RESPONSES: an item loses its id with the reasoning that it needs', () => {
  test.each(['FAILED', 'CANCELLED'] as const)('in a message that is %s, which loses its reasoning', (status) => {
    const items = [reasoning('rs_1'), spoken('msg_1'), called('a'), typed('b')]
    const window = build('OPENAI_RESPONSES', [question, said('OPENAI_RESPONSES', items, { status })])
    expect(itemsOf(window)).toEqual(items.slice(1).map(withoutId))
    const functions = said('OPENAI_RESPONSES', items.slice(0, -1), { status })
    readAsProvider('OPENAI_RESPONSES', build('OPENAI_RESPONSES', [question, functions]))
  })

  test('where reasoning says nothing to the API: without an id and without encrypted content', () => {
    const [bare, empty] = [
      { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }] },
      { type: 'reasoning', id: '', summary: [], encrypted_content: null },
    ]
    for (const none of [bare, empty]) {
      const window = build('OPENAI_RESPONSES', [question, said('OPENAI_RESPONSES', [none, called('a')])])
      expect(itemsOf(window)).toEqual([withoutId(called('a'))])
      expect(window.tokenCount).toBe(10 + 10 + 20)
    }
  })

  test('and keeps it where the reasoning is there, with a summary at least', () => {
    const kept = [
      { type: 'reasoning', id: 'rs_1' },
      { type: 'reasoning', encrypted_content: 'e', summary: null },
    ]
    for (const one of kept) {
      const window = build('OPENAI_RESPONSES', [question, said('OPENAI_RESPONSES', [one, called('a')])])
      expect(itemsOf(window)).toEqual([{ ...one, summary: [] }, called('a')])
    }
    const plain = [spoken('msg_1'), called('a')]
    expect(itemsOf(build('OPENAI_RESPONSES', [question, said('OPENAI_RESPONSES', plain)]))).toEqual(plain)
  })

  test('until reasoning comes that is kept', () => {
    const none = { type: 'reasoning', summary: [] }
    const items = [none, called('a'), reasoning('rs_2'), called('b'), none, spoken('msg_1'), reasoning('rs_3')]
    expect(itemsOf(build('OPENAI_RESPONSES', [question, said('OPENAI_RESPONSES', items)]))).toEqual([
      withoutId(called('a')),
      reasoning('rs_2'),
      called('b'),
      withoutId(spoken('msg_1')),
    ])
  })

  test('also in later messages of the turn, and not in the next turn', () => {
    const one = (item: Item, more: Fields = {}) => said('OPENAI_RESPONSES', [item], more)
    const fields = [question, one(reasoning('rs_1')), one(called('a')), answered('a'), one(spoken('msg_1')), question]
    const window = build('OPENAI_RESPONSES', [...fields, one(spoken('msg_2', 'Other.'))])
    expect(itemsOf(window).filter(({ type, role }: Item) => type !== 'message' || role === 'assistant')).toEqual([
      withoutId(called('a')),
      withoutId(spoken('msg_1')),
      spoken('msg_2', 'Other.'),
    ])
    const failed = [question, one(reasoning('rs_1'), { status: 'FAILED' }), said('OPENAI_RESPONSES', [called('a')])]
    expect(itemsOf(build('OPENAI_RESPONSES', failed))).toEqual([withoutId(called('a'))])
  })

  test('what cannot be without its id is left out: a reference, and what the provider ran', () => {
    const none = { type: 'reasoning', summary: [] }
    const others = [{ type: 'item_reference', id: 'msg_9' }, { id: 'fc_9' }]
    const window = build('OPENAI_RESPONSES', [question, said('OPENAI_RESPONSES', [none, ...others, spoken('msg_1')])])
    expect(itemsOf(window)).toEqual([withoutId(spoken('msg_1'))])
    expect(window.reasons).toEqual(['REASONING', 'UNSUPPORTED_PART'])
  })

  test('a reference to reasoning stands for it', () => {
    const reference = { type: 'item_reference', id: 'rs_1' }
    const items = [reference, called('a')]
    expect(itemsOf(build('OPENAI_RESPONSES', [question, said('OPENAI_RESPONSES', items)]))).toEqual(items)
    const failed = build('OPENAI_RESPONSES', [question, said('OPENAI_RESPONSES', items, { status: 'FAILED' })])
    expect(itemsOf(failed)).toEqual([withoutId(called('a'))])
  })

  test.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'in whatever order and messages a response is stored: %i',
    (seed) => {
      const next = seeded(seed)
      let made = 0
      const makeItem = (): Item => {
        const id = String(++made)
        const kind = next(5)
        if (kind === 0) return reasoning(`rs_${id}`)
        if (kind === 1) return { type: 'reasoning', summary: [] }
        return kind === 2 ? spoken(`msg_${id}`) : kind === 3 ? called(id) : typed(id)
      }
      const fields: Fields[] = [question]
      for (let at = next(8); at >= 0; at--) {
        const status = (['COMPLETE', 'COMPLETE', 'FAILED', 'CANCELLED'] as const)[next(4)]
        fields.push(said('OPENAI_RESPONSES', Array.from({ length: 1 + next(4) }, makeItem), { status }))
      }
      const stored = JSON.stringify(fields)
      const window = build('OPENAI_RESPONSES', fields)
      expect(JSON.stringify(fields)).toBe(stored)
      // The item that each id needs is the last reasoning that was stored before it.
      const needs = new Map<unknown, Item>()
      let last: Item | null = null
      for (const item of fields.slice(1).flatMap(({ parts }) => parts as Item[])) {
        if (item.type === 'reasoning') last = item
        else if (last !== null) needs.set(item.id, last)
      }
      const items = itemsOf(window)
      const ids = new Set(items.map(({ id }) => id))
      for (const item of items) {
        if (item.id !== undefined && item.type !== 'reasoning' && needs.has(item.id)) {
          expect(needs.get(item.id)?.id).toBeDefined()
          expect(ids).toContain(needs.get(item.id)?.id)
        }
      }
    },
  )
})

describe('AI_SDK: a part loses the id of its item with the reasoning', () => {
  const metadata = (itemId: string, more: object = {}) => ({ openai: { itemId, ...more }, azure: { itemId } })
  const parts = [
    { type: 'reasoning', text: 'Hm.', providerMetadata: metadata('rs_1', { reasoningEncryptedContent: 'e' }) },
    { type: 'text', text: 'So.', providerMetadata: metadata('msg_1', { phase: 'commentary' }) },
    {
      type: 'tool-look',
      toolCallId: 'a',
      state: 'output-available',
      input: { itemId: 'mine' },
      output: { itemId: 'mine' },
      callProviderMetadata: metadata('fc_1'),
    },
    { type: 'tool-call', toolCallId: 'b', toolName: 'look', input: {}, providerOptions: metadata('fc_2') },
  ]

  test.each(['AI_SDK', 'AI_SDK_MODEL'] as const)('in %s', async (format) => {
    for (const status of ['FAILED', 'CANCELLED'] as const) {
      const window = build(format, [question, said('AI_SDK', parts, { status })])
      const text = JSON.stringify(window.messages)
      expect(text).not.toMatch(/rs_1|msg_1|fc_1|fc_2/)
      expect(text).toContain('"phase":"commentary"')
      expect(text).toContain('"itemId":"mine"')
      await readBySdk(format, window)
      expect(readAsProvider(format, window)).toHaveLength(2)
    }
    const whole = JSON.stringify(build(format, [question, said('AI_SDK', parts)]).messages)
    for (const id of ['rs_1', 'msg_1', 'fc_1', 'fc_2']) expect(whole).toContain(id)
  })

  test('a call and its result stay one part', () => {
    const { messages } = build('AI_SDK', [question, said('AI_SDK', parts, { status: 'FAILED' })])
    const { callProviderMetadata: _, ...bare } = parts[2] as Item
    expect((messages[1] as { parts: unknown[] }).parts).toContainEqual(bare)
  })
})

test('reasoning that goes with a call takes the ids behind it, also in the next message', () => {
  const screen = { type: 'computer_call', id: 'cu_1', call_id: 'c', action: {} }
  const { id: _, ...bare } = spoken('msg_1')
  for (const all of [
    [said('OPENAI_RESPONSES', [reasoning('rs_1'), screen, spoken('msg_1')])],
    [said('OPENAI_RESPONSES', [reasoning('rs_1'), screen]), said('OPENAI_RESPONSES', [spoken('msg_1')])],
  ]) {
    const { messages, reasons } = build('OPENAI_RESPONSES', [question, ...all])
    expect(messages.slice(1)).toEqual([bare])
    expect(reasons).toEqual(['INTERRUPTED_CALL'])
  }
})

describe('ANTHROPIC: thoughts that the API cannot verify are left out', () => {
  const text = { type: 'text', text: 'So.' }
  test.each([
    [{ type: 'thinking', thinking: 'Hm.', signature: '' }],
    [{ type: 'thinking', thinking: 'Hm.' }],
    [{ type: 'thinking', thinking: 'Hm.', signature: null }],
    [{ type: 'redacted_thinking' }],
    [{ type: 'redacted_thinking', data: '' }],
  ])('%o', (thought) => {
    const window = build('ANTHROPIC', [question, said('ANTHROPIC', [thought, text])])
    expect(window.messages[1]).toEqual({ role: 'assistant', content: [text] })
    expect(window.tokenCount, 'and are not counted').toBe(20)
    expect(window.reasons).toEqual(['REASONING'])
    const alone = build('ANTHROPIC', [question, said('ANTHROPIC', [thought])])
    expect(alone.reasons).toEqual(['EMPTY'])
  })

  test('those that were signed stay, also without a text', () => {
    const thoughts = [
      { type: 'thinking', thinking: '', signature: 's' },
      { type: 'redacted_thinking', data: 'x' },
    ]
    const { messages } = build('ANTHROPIC', [question, said('ANTHROPIC', [...thoughts, text])])
    expect(messages[1]).toEqual({ role: 'assistant', content: [...thoughts, text] })
  })
})
