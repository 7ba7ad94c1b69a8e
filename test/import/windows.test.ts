import { beforeAll, describe, expect, test } from 'vitest'
import { ContextFormat } from '../../src/entities/window-enums.ts'
import { useBed } from '../support/bed.ts'
import { useImports } from '../support/program/import.ts'
import { type Received, readAsProvider, readBySdk } from '../support/window/window-rules.ts'

const bed = useBed()
const imports = useImports(bed)

/** The same turns in every format: a call with its result between two words of the assistant. */
const files: Readonly<Record<string, unknown>> = {
  openai: {
    id: 'openai',
    messages: [
      { role: 'user', content: 'Find it.' },
      { role: 'assistant', content: 'I look.', function_call: { name: 'find', arguments: '{"at":1}' } },
      { role: 'function', name: 'find', content: 'here' },
      { role: 'assistant', content: 'Found.' },
      { role: 'user', content: 'And that?' },
      { role: 'assistant', content: null },
      { role: 'user', content: 'Hello?' },
      { role: 'assistant', content: null, refusal: 'I cannot.' },
    ],
  },
  sharegpt: {
    id: 'sharegpt',
    conversations: [
      { from: 'human', value: 'Find it.' },
      { from: 'function_call', value: '{"name": "find", "arguments": {"at":1}}' },
      { from: 'observation', value: 'here' },
      { from: 'gpt', value: 'Found.' },
    ],
  },
  chatgpt: [
    {
      conversation_id: 'chatgpt',
      current_node: 'a',
      mapping: Object.fromEntries(
        [
          { id: 'q', message: text('user', 'Find it.') },
          { id: 'thoughts', message: content('assistant', { content_type: 'thoughts', thoughts: [{ summary: 's' }] }) },
          { id: 'call', message: { ...text('assistant', '{"at":1}'), recipient: 'find' } },
          { id: 'result', message: { ...text('tool', 'here'), author: { role: 'tool', name: 'find' } } },
          { id: 'recap', message: content('assistant', { content_type: 'reasoning_recap', content: 'Thought' }) },
          { id: 'a', message: text('assistant', 'Found.') },
          { id: 'other', message: text('assistant', 'Another answer.') },
        ].map((node, index, nodes) => [
          node.id,
          { ...node, parent: node.id === 'other' ? 'q' : (nodes[index - 1]?.id ?? null) },
        ]),
      ),
    },
  ],
  claude: [
    {
      uuid: 'claude',
      chat_messages: [
        { uuid: 'h', sender: 'human', text: 'Find it.', attachments: [{ file_name: 'a.txt', extracted_content: 'a' }] },
        {
          uuid: 'a',
          sender: 'assistant',
          content: [
            { type: 'text', text: 'I look.', citations: [], flags: null },
            { type: 'tool_use', id: 'toolu_1', name: 'find', input: { at: 1 }, message: 'Finding' },
            { type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'text', text: 'here', uuid: 'x' }] },
            { type: 'text', text: 'Found.' },
          ],
        },
      ],
    },
  ],
  'ai-sdk': {
    id: 'ai-sdk',
    messages: [
      { id: 'u', role: 'user', parts: [{ type: 'text', text: 'Find it.' }] },
      {
        id: 'a',
        role: 'assistant',
        parts: [
          { type: 'step-start' },
          { type: 'tool-find', toolCallId: 'c', state: 'output-available', input: { at: 1 }, output: 'here' },
          { type: 'step-start' },
          { type: 'text', text: 'Found.' },
        ],
      },
    ],
  },
}

function content(role: string, of: object) {
  return { author: { role }, content: of }
}

function text(role: string, words: string) {
  return content(role, { content_type: 'text', parts: [words] })
}

describe.each(Object.keys(files))('what was imported from %s', (id) => {
  beforeAll(async () => {
    expect(await imports.runValue(files[id])).toMatchObject({ code: 0, stderr: '' })
  })

  test.each(Object.values(ContextFormat))('gives a window that its provider takes: %s', async (format) => {
    const query = `query ($id: ID!, $format: ContextFormat!) { conversation(id: $id) {
      context(maxTokens: 100000, format: $format) { system messages omitted { messages reasons } }
    } }`
    const { conversation } = await bed.server.as({ 'x-user-id': 'ada' }).get(query, { id, format })
    const window: Received = conversation.context
    expect(readAsProvider(format, window)).toEqual([{ name: 'find', input: { at: 1 }, output: 'here' }])
    if (format === 'AI_SDK' || format === 'AI_SDK_MODEL') await readBySdk(format, window)
    expect(JSON.stringify(window.messages)).toContain('Found.')
    expect(JSON.stringify(window.messages)).not.toContain('Another answer.')
  })
})
