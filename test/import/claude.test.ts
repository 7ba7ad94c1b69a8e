import { describe, expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { readStored, type Stored, summary, useImports } from '../support/program/import.ts'

const bed = useBed()
const imports = useImports(bed)

const noMessage = '00000000-0000-4000-8000-000000000000'

function message(uuid: string, sender: string, content: Stored[], more: Stored = {}): Stored {
  return {
    uuid,
    text: '',
    content,
    sender,
    created_at: '2026-03-29T07:06:35.552627Z',
    updated_at: '2026-03-29T07:06:35.552627Z',
    attachments: [],
    files: [],
    ...more,
  }
}

function text(words: string): Stored {
  return { start_timestamp: null, stop_timestamp: null, flags: null, type: 'text', text: words, citations: [] }
}

function conversation(uuid: string, messages: readonly Stored[], more: Stored = {}): Stored {
  return {
    uuid,
    name: 'Title',
    created_at: '2026-03-29T07:06:34.084721Z',
    updated_at: '2026-03-29T12:59:41.658730Z',
    account: { uuid: 'account' },
    chat_messages: messages,
    ...more,
  }
}

describe('an export of Claude', () => {
  test('has its messages with their times, once when it is repeated', async () => {
    const file = [
      conversation('plain', [message('h', 'human', [text('Hello')]), message('a', 'assistant', [text('Hi')])], {
        summary: 'A greeting.',
      }),
      conversation('old', [message('h', 'human', [], { text: 'Only text' }), message('a', 'assistant', [])]),
      conversation('none', []),
    ]
    const notes = ['1 × conversation without a message to store: left out (first: Line 1, [2])']
    expect(await imports.runValue(file)).toEqual({ code: 0, stdout: summary(2, 4, 0, notes), stderr: '' })
    const read = await readStored(bed, 'plain')
    const common = { metadata: { claude: { updated_at: '2026-03-29T07:06:35.552627Z' } } }
    expect(read).toMatchObject({
      title: 'Title',
      createdAt: '2026-03-29T07:06:34.084721Z',
      updatedAt: '2026-03-29T07:06:35.552627Z',
      times: ['2026-03-29T07:06:35.552627Z', '2026-03-29T07:06:35.552627Z'],
      metadata: {
        claude: { summary: 'A greeting.', updated_at: '2026-03-29T12:59:41.658730Z', account: { uuid: 'account' } },
      },
      messages: [
        { clientId: 'h', role: 'USER', content: 'Hello', ...common },
        { clientId: 'a', role: 'ASSISTANT', content: 'Hi', ...common },
      ],
    })
    expect((await readStored(bed, 'old'))?.messages).toMatchObject([{ content: 'Only text' }, { content: '' }])
    expect(await imports.runValue(file, 'ada', 2)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('before  4\n'),
    })
    expect(await readStored(bed, 'plain')).toEqual(read)
  })

  test('has thoughts, calls and results in their order, each as the Messages API takes it', async () => {
    const blocks = [
      { start_timestamp: null, type: 'thinking', thinking: 'I look.', summaries: [{ summary: 's' }], cut_off: false },
      text('Looking.'),
      {
        type: 'tool_use',
        id: 'toolu_1',
        name: 'Google Calendar:list',
        input: { max: 2 },
        message: 'List',
        integration_name: 'Calendar',
        display_content: null,
      },
      { type: 'tool_use', id: 'toolu_2', name: 'find', input: {} },
      {
        type: 'tool_result',
        tool_use_id: 'toolu_1',
        content: [{ type: 'text', text: 'two', uuid: 'x' }],
        is_error: false,
      },
      {
        type: 'tool_result',
        tool_use_id: 'toolu_2',
        name: 'find',
        content: [
          { type: 'text', text: 'nothing' },
          { type: 'knowledge', title: 'A', url: 'https://a.example' },
        ],
        is_error: true,
      },
      { type: 'token_budget' },
      text('Done.'),
    ]
    await imports.runValue([
      conversation('turn', [
        message('h', 'human', [text('Look')]),
        message('a', 'assistant', blocks),
        message('h2', 'human', [text('Thanks')]),
      ]),
    ])
    const read = await readStored(bed, 'turn')
    expect(read?.messages.slice(1)).toEqual([
      {
        clientId: 'a',
        parent: 'h',
        role: 'ASSISTANT',
        content: 'Looking.',
        partsFormat: 'ANTHROPIC',
        parts: [
          { type: 'thinking', thinking: 'I look.' },
          { type: 'text', text: 'Looking.' },
          { type: 'tool_use', id: 'toolu_1', name: 'Google Calendar:list', input: { max: 2 } },
          { type: 'tool_use', id: 'toolu_2', name: 'find', input: {} },
        ],
        toolCalls: [
          { callId: 'toolu_1', name: 'Google Calendar:list', arguments: '{"max":2}', type: 'function', extra: null },
          { callId: 'toolu_2', name: 'find', arguments: '{}', type: 'function', extra: null },
        ],
        metadata: {
          claude: {
            updated_at: '2026-03-29T07:06:35.552627Z',
            blocks: [
              { summaries: [{ summary: 's' }], cut_off: false },
              { message: 'List', integration_name: 'Calendar' },
            ],
          },
        },
      },
      {
        clientId: 'a:1',
        parent: 'a',
        role: 'TOOL',
        toolCallId: 'toolu_1',
        toolName: 'Google Calendar:list',
        content: 'two',
        toolError: undefined,
      },
      {
        clientId: 'a:2',
        parent: 'a:1',
        role: 'TOOL',
        toolCallId: 'toolu_2',
        toolName: 'find',
        toolError: true,
        content: 'nothing{"type":"knowledge","title":"A","url":"https://a.example"}',
        partsFormat: 'ANTHROPIC',
        parts: [
          { type: 'text', text: 'nothing' },
          { type: 'text', text: '{"type":"knowledge","title":"A","url":"https://a.example"}' },
        ],
        metadata: { claude: { blocks: [{ name: 'find' }] } },
      },
      {
        clientId: 'a:3',
        parent: 'a:2',
        role: 'ASSISTANT',
        content: 'Done.',
        metadata: { claude: { blocks: [{ type: 'token_budget' }] } },
      },
      expect.objectContaining({ clientId: 'h2', parent: 'a:3', content: 'Thanks' }),
    ])
  })

  test('has the texts of attachments as documents, and the names of files', async () => {
    const attachment = { file_name: 'notes.txt', file_type: 'text/plain', file_size: 5, extracted_content: 'notes' }
    const pasted = { file_name: '', file_type: 'txt', extracted_content: 'pasted' }
    const file = { file_name: 'photo.png', file_uuid: 'f' }
    const { stdout } = await imports.runValue([
      conversation('files', [
        message('h', 'human', [text('Read')], { attachments: [attachment, pasted], files: [file] }),
      ]),
    ])
    expect(stdout).toBe(
      summary(1, 1, 0, ['1 × file: its name is kept, because the file is not in the export (first: Line 1, [0])']),
    )
    const source = (data: string) => ({ type: 'text', media_type: 'text/plain', data })
    expect((await readStored(bed, 'files'))?.messages).toMatchObject([
      {
        content: 'Read',
        parts: [
          { type: 'document', source: source('notes'), title: 'notes.txt' },
          { type: 'document', source: source('pasted') },
          { type: 'text', text: 'Read' },
        ],
        metadata: {
          claude: {
            attachments: [{ file_name: 'notes.txt', file_type: 'text/plain', file_size: 5 }, { file_type: 'txt' }],
            files: [file],
          },
        },
      },
    ])
  })

  test('has its branches, wherever the file has the messages', async () => {
    const of = (parent: string) => ({ parent_message_uuid: parent })
    const messages = [
      message('h', 'human', [text('q')], of(noMessage)),
      message('a', 'assistant', [text('a')], of('h')),
      message('below', 'human', [text('below')], of('b')),
      message('b', 'assistant', [text('b')], of('h')),
      message('h2', 'human', [text('edited')], of(noMessage)),
    ]
    await imports.runValue([
      conversation('tree', messages, { current_leaf_message_uuid: 'a' }),
      conversation('newest', messages.slice(0, 4)),
    ])
    const read = await readStored(bed, 'tree')
    expect(read?.messages.map(({ clientId, parent }: Stored) => [clientId, parent])).toEqual([
      ['h', undefined],
      ['a', 'h'],
      ['b', 'h'],
      ['below', 'b'],
      ['h2', undefined],
    ])
    expect(read?.history).toEqual(['h', 'a'])
    expect((await readStored(bed, 'newest'))?.history).toEqual(['h', 'b', 'below'])
  })

  test('tells a faulty message with its place, and stores the others', async () => {
    const messages = [
      message('h', 'human', [text('q')]),
      message('r', 'robot', [text('x')]),
      message('nul', 'assistant', [text('a\0b')]),
      message('a', 'assistant', [text('a')]),
    ]
    const file = [conversation('faulty', messages), { uuid: 'odd', chat_messages: 'none' }]
    const { code, stdout, stderr } = await imports.runValue(file)
    expect(stderr.split('\n')).toEqual([
      'Line 1, [0] ("faulty"): chat_messages[1].sender: "robot" is none of human, assistant.',
      expect.stringMatching(/^Line 1, \[1\] \("odd"\): is in no format that is known/),
      'Line 1, [0] ("faulty"): chat_messages[2].content: must not contain the character NUL.',
      '',
    ])
    expect(stdout).toContain('Conversations          1\nMessages stored        2\n')
    expect(code).toBe(1)
    expect((await readStored(bed, 'faulty'))?.history).toEqual(['h', 'a'])
  })
})
