import type { ContentBlockParam, DocumentBlockParam, ToolResultBlockParam } from '@anthropic-ai/sdk/resources/messages'
import type { ModelMessage, UIMessage } from 'ai'
import type { ChatCompletionContentPart } from 'openai/resources/chat/completions'
import type { ResponseInputItem } from 'openai/resources/responses/responses'
import { describe, expect, test } from 'vitest'
import type { Message } from '../../src/entities/message/message.ts'
import type { PartsFormat } from '../../src/entities/message/message-enums.ts'
import { ContextFormat } from '../../src/entities/window-enums.ts'
import { type ContextWindow, WindowBuilder, type WindowRequest } from '../../src/window/window.ts'
import { storedMessage } from '../support/window/transcripts.ts'
import { readAsProvider, readBySdk, readMarks } from '../support/window/window-rules.ts'

const formats = Object.values(ContextFormat)
type Fields = Partial<Message>

function build(format: ContextFormat, fields: readonly Fields[], more: Partial<WindowRequest> = {}): ContextWindow {
  const counted = fields.map((field, at) => ({ message: storedMessage(at + 1, field), tokens: 1, reasoningTokens: 1 }))
  const others = counted.findIndex(({ message: { role } }) => role !== 'SYSTEM' && role !== 'DEVELOPER')
  const request = { format, maxTokens: 1e6, reserve: 0, system: null, userMessage: null, ...more }
  const builder = new WindowBuilder(request, counted.slice(0, others === -1 ? counted.length : others))
  builder.add(counted.toReversed())
  return builder.finish()
}

const parts = (role: Message['role'], partsFormat: PartsFormat, ...list: unknown[]): Fields => ({
  role,
  partsFormat,
  parts: list,
})
const question = { role: 'USER', content: '?' } as const
const made = (callId: string, text = '{}') => ({ callId, name: 'look', arguments: text, type: 'function', extra: null })
const answered = (callId: string): Fields => ({ role: 'TOOL', toolCallId: callId, content: `done ${callId}` })

const cache_control = { type: 'ephemeral' } as const
const breakpoint = { mode: 'explicit' } as const
/** What a tool is given, and what it answers, may be named as a mark is: it stays. */
const data = { cache_control: 'mine', providerOptions: { anthropic: { cacheControl: 'mine' } } }

const source = { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } as const
const inner = { type: 'text', text: 'in', cache_control } as const
const document: DocumentBlockParam = {
  type: 'document',
  source: { type: 'content', content: [inner] },
  cache_control,
}
const result: ToolResultBlockParam = {
  type: 'tool_result',
  tool_use_id: 'a',
  content: [
    inner,
    { type: 'image', source, cache_control },
    { type: 'search_result', source: 'x', title: 'x', content: [inner], cache_control },
    document,
    { type: 'tool_reference', tool_name: 'look', cache_control },
  ],
  cache_control,
}
const said: ContentBlockParam[] = [
  { type: 'thinking', thinking: 'Hm.', signature: 's' },
  { type: 'text', text: 'So.', cache_control },
  { type: 'server_tool_use', id: 's', name: 'web_fetch', input: data, cache_control },
  {
    type: 'web_fetch_tool_result',
    tool_use_id: 's',
    content: { type: 'web_fetch_result', url: 'https://example.com', content: document },
    cache_control,
  },
  { type: 'container_upload', file_id: 'f', cache_control },
  { type: 'tool_use', id: 'a', name: 'look', input: data, cache_control },
]
const asked: ContentBlockParam[] = [
  { type: 'text', text: '?', cache_control },
  { type: 'image', source, cache_control },
  document,
  { type: 'search_result', source: 'x', title: 'x', content: [inner], cache_control },
]

const chatAsked = [
  { type: 'text', text: '?', prompt_cache_breakpoint: breakpoint, cache_control },
  { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' }, prompt_cache_breakpoint: breakpoint },
  { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' }, prompt_cache_breakpoint: breakpoint },
  { type: 'file', file: { file_data: 'data:application/pdf;base64,JVBERg==' }, prompt_cache_breakpoint: breakpoint },
] as (ChatCompletionContentPart & { cache_control?: object })[]

const responsesAsked: ResponseInputItem = {
  type: 'message',
  role: 'user',
  content: [
    { type: 'input_text', text: '?', prompt_cache_breakpoint: breakpoint },
    {
      type: 'input_image',
      detail: 'auto',
      image_url: 'data:image/png;base64,iVBORw0KGgo=',
      prompt_cache_breakpoint: breakpoint,
    },
    { type: 'input_file', file_data: 'data:application/pdf;base64,JVBERg==', prompt_cache_breakpoint: breakpoint },
  ],
}
const responsesAnswered: ResponseInputItem = {
  type: 'function_call_output',
  call_id: 'a',
  output: [{ type: 'input_text', text: 'x', prompt_cache_breakpoint: breakpoint }],
}

/** Every provider's package of the AI SDK has its own name for it. */
const everyMark = {
  anthropic: { cacheControl: { type: 'ephemeral', ttl: '1h' }, signature: 's' },
  openrouter: { cache_control: { type: 'ephemeral' } },
  alibaba: { cacheControl: { type: 'ephemeral' } },
  bedrock: { cachePoint: { type: 'default' } },
  openai: { promptCacheBreakpoint: breakpoint, itemId: 'i' },
}
const uiSaid: UIMessage['parts'] = [
  { type: 'step-start' },
  { type: 'reasoning', text: 'Hm.', providerMetadata: everyMark },
  { type: 'text', text: 'So.', providerMetadata: everyMark },
  { type: 'file', mediaType: 'image/png', url: 'https://example.com/a.png', providerMetadata: everyMark },
  { type: 'source-url', sourceId: '1', url: 'https://example.com', providerMetadata: everyMark },
  {
    type: 'dynamic-tool',
    toolName: 'look',
    toolCallId: 'a',
    state: 'output-available',
    input: data,
    output: data,
    callProviderMetadata: everyMark,
    resultProviderMetadata: everyMark,
  },
  { type: 'data-mine', data },
]
const modelSaid: ModelMessage = {
  role: 'assistant',
  content: [
    { type: 'reasoning', text: 'Hm.', providerOptions: everyMark },
    { type: 'text', text: 'So.', providerOptions: everyMark },
    { type: 'tool-call', toolCallId: 'a', toolName: 'look', input: data, providerOptions: everyMark },
    { type: 'tool-call', toolCallId: 'b', toolName: 'look', input: data, providerOptions: everyMark },
  ],
}
const modelAnswered: ModelMessage = {
  role: 'tool',
  content: [
    {
      type: 'tool-result',
      toolCallId: 'a',
      toolName: 'look',
      output: { type: 'content', value: [{ type: 'text', text: 'x', providerOptions: everyMark }] },
      providerOptions: everyMark,
    },
    { type: 'tool-result', toolCallId: 'b', toolName: 'look', output: { type: 'json', value: data } },
  ],
}

/** Marks in every place that the types of the SDKs have. */
const marked: Record<PartsFormat, Fields[]> = {
  ANTHROPIC: [
    parts('SYSTEM', 'ANTHROPIC', { type: 'text', text: 'Be brief.', cache_control }),
    parts('USER', 'ANTHROPIC', ...asked),
    parts('ASSISTANT', 'ANTHROPIC', ...said),
    parts('USER', 'ANTHROPIC', result),
  ],
  OPENAI_CHAT: [
    parts('SYSTEM', 'OPENAI_CHAT', { type: 'text', text: 'Be brief.', cache_control }),
    parts('USER', 'OPENAI_CHAT', ...chatAsked),
    {
      ...parts('ASSISTANT', 'OPENAI_CHAT', { type: 'text', text: 'So.', cache_control }),
      toolCalls: [{ ...made('a', JSON.stringify(data)), extra: { cache_control, kept: 1 } }],
    },
    { ...parts('TOOL', 'OPENAI_CHAT', { type: 'text', text: 'x', cache_control }), toolCallId: 'a' },
  ],
  OPENAI_RESPONSES: [
    parts('USER', 'OPENAI_RESPONSES', responsesAsked),
    { role: 'ASSISTANT', toolCalls: [made('a', JSON.stringify(data))] },
    { ...parts('TOOL', 'OPENAI_RESPONSES', responsesAnswered), toolCallId: 'a' },
  ],
  AI_SDK: [
    parts('SYSTEM', 'AI_SDK', { type: 'text', text: 'Be brief.', providerOptions: everyMark }),
    parts('USER', 'AI_SDK', { type: 'text', text: '?', providerMetadata: everyMark }),
    parts('ASSISTANT', 'AI_SDK', ...uiSaid),
    question,
    parts('ASSISTANT', 'AI_SDK', ...modelSaid.content),
    { ...parts('TOOL', 'AI_SDK', ...modelAnswered.content), toolCallId: 'a' },
  ],
  LANGCHAIN: [
    parts('USER', 'LANGCHAIN', { type: 'text', text: '?', cache_control }),
    parts('ASSISTANT', 'LANGCHAIN', { type: 'text', text: 'So.', cache_control }),
  ],
  OTHER: [question, parts('ASSISTANT', 'OTHER', { cache_control }, { type: 'text', text: 'So.' })],
}

/** No key of a mark, but in what is the caller's own. */
function marksIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, held]) => {
    if (held === 'mine') return []
    return [...(/cache_?(control|point)|cache_?breakpoint/i.test(key) ? [key] : []), ...marksIn(held)]
  })
}

describe.each(formats)('marks that were stored, in %s', (format) => {
  test.each(Object.keys(marked) as PartsFormat[])('are left out, wherever they stand in %s', async (partsFormat) => {
    const fields = marked[partsFormat]
    const stored = JSON.stringify(fields)
    const window = build(format, fields)
    expect(marksIn([window.system, window.messages])).toEqual([])
    expect(readMarks(window)).toEqual([])
    expect(JSON.stringify(fields), 'the stored parts are not touched').toBe(stored)
    const isOwn = partsFormat === format || (partsFormat === 'AI_SDK' && format === 'AI_SDK_MODEL')
    expect(window.reasons.includes('CACHE_MARK')).toBe(
      isOwn || (partsFormat === 'OPENAI_CHAT' && format === 'OPENAI_CHAT'),
    )
    if (format === 'AI_SDK' || format === 'AI_SDK_MODEL') await readBySdk(format, window)
  })

  test.each([1, 2, 3, 4])('do not count towards new ones: %i', (cacheMarks) => {
    for (const fields of Object.values(marked)) {
      const window = build(format, fields, { cacheMarks })
      expect(readMarks(window).length).toBeLessThanOrEqual(format === 'OPENAI_RESPONSES' ? 0 : cacheMarks)
    }
  })
})

test('all but the marks of a part in the dialect of the window stays, also data that is named as a mark', () => {
  const [, user, assistant, tool] = marked.ANTHROPIC as [Fields, Fields, Fields, Fields]
  const bare = (list: unknown): unknown =>
    JSON.parse(
      JSON.stringify(list, (_, held) => (held?.cache_control?.type ? { ...held, cache_control: undefined } : held)),
    )
  expect(build('ANTHROPIC', [user, assistant, tool]).messages).toEqual([
    { role: 'user', content: bare(user.parts) },
    { role: 'assistant', content: bare(assistant.parts) },
    { role: 'user', content: bare(tool.parts) },
  ])
  const { messages } = build('AI_SDK', [question, marked.AI_SDK[2] as Fields])
  const left = { anthropic: { signature: 's' }, openai: { itemId: 'i' } }
  expect(messages[1]).toMatchObject({
    parts: [
      { type: 'step-start' },
      { type: 'reasoning', providerMetadata: left },
      { type: 'text', providerMetadata: left },
      {},
      {},
      { input: data, output: data, callProviderMetadata: left },
      { data },
    ],
  })
  expect(JSON.stringify(messages)).not.toContain('openrouter')
})

test('six messages of the user with a mark each are taken by Anthropic, which takes four marks', () => {
  const text = { type: 'text', text: '?', cache_control }
  const fields = Array.from({ length: 6 }, () => [
    parts('USER', 'ANTHROPIC', text),
    { role: 'ASSISTANT', content: '!' } as const,
  ])
  expect(readMarks(build('ANTHROPIC', fields.flat()))).toEqual([])
  expect(readMarks(build('ANTHROPIC', fields.flat(), { cacheMarks: 4 }))).toHaveLength(4)
})

describe('new marks', () => {
  const system = { text: 'Be brief.', tokens: 1 }
  const turn = (at: number): Fields[] => [
    { role: 'USER', content: `Question ${at}` },
    { role: 'ASSISTANT', content: `I look ${at}.`, toolCalls: [made(`a${at}`), made(`b${at}`)] },
    answered(`a${at}`),
    answered(`b${at}`),
    { role: 'ASSISTANT', content: `Answer ${at}.` },
  ]
  const fields = [...turn(1), ...turn(2), ...turn(3), question]
  const given = formats.filter((format) => format !== 'OPENAI_RESPONSES')

  test.each(given)(
    'stand at the end of the instructions, then at the end of the window, then before it: %s',
    async (format) => {
      for (let cacheMarks = 0; cacheMarks <= 4; cacheMarks++) {
        const window = build(format, fields, { cacheMarks, system })
        const found = readMarks(window).map((block) => JSON.stringify(block))
        expect(found).toHaveLength(cacheMarks)
        if (cacheMarks >= 1) expect(found[0]).toContain('Be brief.')
        if (cacheMarks >= 2) expect(found.at(-1)).toContain('?')
        if (cacheMarks >= 3) expect(found.at(-2)).toContain(format === 'AI_SDK' ? 'Question 3' : 'done b3')
        if (cacheMarks >= 4 && format !== 'AI_SDK') expect(found.at(-3)).toContain('Question 3')
        readAsProvider(format, window)
        if (format === 'AI_SDK' || format === 'AI_SDK_MODEL') await readBySdk(format, window)
      }
    },
  )

  test('without instructions all of them are in the messages', () => {
    expect(readMarks(build('ANTHROPIC', fields, { cacheMarks: 1 })).map(({ text }) => text)).toEqual(['?'])
    expect(readMarks(build('OPENAI_CHAT', fields, { cacheMarks: 1 })).map(({ text }) => text)).toEqual(['?'])
  })

  test('OPENAI_RESPONSES has none, because OpenAI caches by itself', () => {
    expect(build('OPENAI_RESPONSES', fields, { cacheMarks: 4, system })).toEqual(
      build('OPENAI_RESPONSES', fields, { system }),
    )
  })

  test('are never on a thought or on an empty text, whatever the window ends with', () => {
    const signed = { type: 'thinking', thinking: 'Hm.', signature: 's' }
    const [blank, word] = [
      { type: 'text', text: ' ' },
      { type: 'text', text: 'So.' },
    ]
    const ends: Fields[] = [
      parts('ASSISTANT', 'ANTHROPIC', signed, word, signed),
      parts('ASSISTANT', 'ANTHROPIC', signed, { type: 'redacted_thinking', data: 'x' }, word),
      parts('ASSISTANT', 'ANTHROPIC', word, { type: 'brand_new' }),
      parts('USER', 'OPENAI_CHAT', word, blank),
      parts('USER', 'OPENAI_CHAT', blank),
      { role: 'ASSISTANT', toolCalls: [made('a')] },
      parts('ASSISTANT', 'AI_SDK', { type: 'text', text: 'So.' }, { type: 'reasoning', text: 'Hm.' }),
    ]
    for (const format of formats) {
      for (const end of ends) {
        for (let cacheMarks = 1; cacheMarks <= 4; cacheMarks++) {
          const window = build(format, [...turn(1), question, end], { cacheMarks, system })
          const found = readMarks(window).length
          if (format === 'OPENAI_RESPONSES') expect(found).toBe(0)
          else if (cacheMarks < 3) expect(found).toBe(cacheMarks)
          else expect(found).toBeGreaterThanOrEqual(2)
        }
      }
    }
  })

  /** A provider's cache: what was written at marks, and is found from marks, back over 20 blocks. */
  function makeCache() {
    const written = new Set<string>()
    return (window: ContextWindow): { readonly found: number; readonly length: number } => {
      const blocks = [window.system, ...window.messages].flatMap((held) =>
        Array.isArray(held) ? held : ((held as { content: Record<string, unknown>[] } | null)?.content ?? []),
      ) as Record<string, unknown>[]
      const bare = blocks.map(({ cache_control: _, ...block }) => JSON.stringify(block))
      const ends = blocks.flatMap((block, at) => (block.cache_control ? [at + 1] : []))
      const key = (end: number) => bare.slice(0, end).join('\n')
      const reach = ends.flatMap((end) => Array.from({ length: 20 }, (_, back) => end - back))
      const found = Math.max(0, ...reach.filter((end) => end > 0 && written.has(key(end))))
      for (const end of ends) written.add(key(end))
      return { found, length: blocks.length }
    }
  }

  test.each([
    [3, 1],
    [3, 30],
    [4, 30],
    [2, 3],
  ])('let the next request find all that the one before it had: %i marks, %i calls at once', (cacheMarks, calls) => {
    const request = makeCache()
    const all: Fields[] = []
    let before = 0
    for (let at = 0; at < 4; at++) {
      const ids = Array.from({ length: calls }, (_, index) => `call_${at}_${index}`)
      const steps: Fields[][] = [
        [{ role: 'USER', content: `Question ${at}` }],
        [{ role: 'ASSISTANT', content: 'I look.', toolCalls: ids.map((id) => made(id)) }, ...ids.map(answered)],
      ]
      for (const step of steps) {
        all.push(...step)
        const { found, length } = request(build('ANTHROPIC', all, { cacheMarks, system }))
        expect(found).toBe(before)
        before = length
      }
      all.push({ role: 'ASSISTANT', content: 'Done.' })
    }
  })
})
