import { describe, expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { readMessages, readStored, type Stored, summary, useImports } from '../support/program/import.ts'

const bed = useBed()
const imports = useImports(bed)

const stored = (id: string) => readMessages(bed, id)
const question = { role: 'user', content: 'Who?' }

describe('an answer of chat completions', () => {
  const cases: readonly [string, Stored, Stored][] = [
    [
      'that refuses keeps the refusal as a part',
      { content: null, refusal: 'I cannot.' },
      { parts: [{ type: 'refusal', refusal: 'I cannot.' }], partsFormat: 'OPENAI_CHAT' },
    ],
    [
      'that says something and refuses keeps both',
      { content: 'Hm.', refusal: 'No.' },
      {
        content: 'Hm.',
        parts: [
          { type: 'text', text: 'Hm.' },
          { type: 'refusal', refusal: 'No.' },
        ],
        partsFormat: 'OPENAI_CHAT',
      },
    ],
    [
      'that is spoken keeps the transcript and the id',
      { content: null, audio: { id: 'audio_1', expires_at: 1_700_000_000, transcript: 'Hello.' } },
      {
        content: 'Hello.',
        metadata: { openai: { audio: { id: 'audio_1', expires_at: 1_700_000_000, transcript: 'Hello.' } } },
      },
    ],
    ['that says nothing is an empty text', { content: null }, { content: '' }],
    ['that has no content at all is an empty text', {}, { content: '' }],
    ['that has an empty list of parts is an empty text', { content: [] }, { content: '' }],
    [
      'that has annotations keeps them',
      { content: 'See.', annotations: [{ type: 'url_citation', url_citation: { url: 'https://a.example' } }] },
      {
        content: 'See.',
        metadata: {
          openai: { annotations: [{ type: 'url_citation', url_citation: { url: 'https://a.example' } }] },
        },
      },
    ],
    [
      'that was thought about keeps the reasoning before the text',
      { content: 'Four.', reasoning_content: 'Two and two.' },
      {
        content: 'Four.',
        parts: [
          { type: 'reasoning_content', reasoning_content: 'Two and two.' },
          { type: 'text', text: 'Four.' },
        ],
        partsFormat: 'OPENAI_CHAT',
      },
    ],
    [
      'of another provider keeps the fields in which it was thought about',
      { content: 'Four.', reasoning: 'So.', reasoning_details: [{ type: 'reasoning.text', text: 'So.' }] },
      {
        content: 'Four.',
        parts: [
          { type: 'reasoning', reasoning: 'So.' },
          { type: 'reasoning_details', reasoning_details: [{ type: 'reasoning.text', text: 'So.' }] },
          { type: 'text', text: 'Four.' },
        ],
        partsFormat: 'OPENAI_CHAT',
      },
    ],
    [
      'that only calls, after reasoning, keeps both',
      {
        content: '',
        reasoning_content: 'I look.',
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }],
      },
      {
        parts: [{ type: 'reasoning_content', reasoning_content: 'I look.' }],
        partsFormat: 'OPENAI_CHAT',
        toolCalls: [{ callId: 'c1', name: 'look', arguments: '{}', type: 'function', extra: null }],
      },
    ],
    [
      'that has parts keeps them between reasoning and refusal',
      { content: [{ type: 'text', text: 'a' }], reasoning_content: 'r', refusal: 'n' },
      {
        content: 'a',
        parts: [
          { type: 'reasoning_content', reasoning_content: 'r' },
          { type: 'text', text: 'a' },
          { type: 'refusal', refusal: 'n' },
        ],
        partsFormat: 'OPENAI_CHAT',
      },
    ],
  ]
  test.each(cases)('%s', async (name, answer, expected) => {
    const conversation = { id: name, messages: [question, { role: 'assistant', ...answer }, question] }
    expect(await imports.runValue(conversation)).toEqual({ code: 0, stdout: summary(1, 3, 0), stderr: '' })
    const asked = { role: 'USER', content: 'Who?' }
    expect(await stored(name)).toEqual([asked, { role: 'ASSISTANT', ...expected }, asked])
    expect(await imports.runValue(conversation)).toEqual({ code: 0, stdout: summary(1, 0, 3), stderr: '' })
  })

  test('leaves out the bytes of a sound, and tells it', async () => {
    const audio = { id: 'audio_2', data: 'UklGRg==', transcript: 'Hi.' }
    const { code, stdout } = await imports.runValue({
      id: 'sound',
      messages: [question, { role: 'assistant', content: null, audio }],
    })
    expect(stdout).toBe(summary(1, 2, 0, ['1 × sound: left out; its transcript and its id are kept (first: Line 1)']))
    expect(code).toBe(0)
    expect((await stored('sound'))[1]?.metadata).toEqual({ openai: { audio: { id: 'audio_2', transcript: 'Hi.' } } })
  })
})

describe('a conversation of chat completions', () => {
  test('keeps its title, and its other fields in metadata', async () => {
    await imports.runValue({ id: 'about', title: 'Tea', model: 'm-1', seed: 7, messages: [question] })
    const conversation = await readStored(bed, 'about')
    expect(conversation).toMatchObject({ title: 'Tea', metadata: { openai: { model: 'm-1', seed: 7 } } })
  })

  test('keeps the times of its messages', async () => {
    const messages = [
      { ...question, created_at: 1_700_000_000.25 },
      { ...question, createdAt: '2026-01-31T10:30:00.123456+01:00' },
      { ...question, created_at: 'yesterday' },
      { ...question, created_at: '2999-01-01T00:00:00Z' },
      { ...question, created_at: -5 },
    ]
    await imports.runValue({ id: 'times', messages })
    const read = await readStored(bed, 'times')
    const [first, second] = ['2023-11-14T22:13:20.25Z', '2026-01-31T09:30:00.123456Z']
    // A time that cannot be stays in the metadata. Such a message has the time of the one before it.
    expect(read).toMatchObject({ createdAt: first, updatedAt: second, times: [first, ...Array(4).fill(second)] })
    expect((await stored('times')).map(({ metadata }) => metadata?.openai.created_at)).toEqual([
      undefined,
      undefined,
      'yesterday',
      '2999-01-01T00:00:00Z',
      -5,
    ])
  })

  test('leaves out a faulty message wherever it stands, and stores all others', async () => {
    const text = (content: string) => ({ role: 'user', content })
    const messages: unknown[] = Array.from({ length: 230 }, (_, index) => text(`${index}`))
    messages[3] = { role: 'robot', content: 'x' }
    messages[104] = { role: 'user', content: null }
    messages[105] = text('x'.repeat(1_100_000))
    messages[229] = 'text'
    const { code, stdout, stderr } = await imports.runValue({ id: 'holes', messages })
    expect(stderr.split('\n').map((line) => line.slice(0, 48))).toEqual([
      'Line 1 ("holes"): messages[3].role: "robot" is n',
      'Line 1 ("holes"): messages[229]: must be an obje',
      'Line 1 ("holes"): messages[104]: a message needs',
      'Line 1 ("holes"): messages[105] has 1100014 byte',
      '',
    ])
    expect(stdout).toBe(`${summary(1, 226, 0)}Left out with a fault:
  2 × not as its format has it (first: Line 1)
  1 × refused by the server (first: Line 1)
  1 × too large for the server (first: Line 1)
`)
    expect(code).toBe(1)
    const last = await bed.server
      .as({ 'x-user-id': 'ada' })
      .get('{ conversation(id: "holes") { lastSeq lastMessage { clientId content } } }')
    expect(last.conversation).toEqual({ lastSeq: 226, lastMessage: { clientId: 'import:228', content: '228' } })
  })

  test('leaves out only the message that JSON.parse would change', async () => {
    const line = `{"id":"inexact","messages":[{"role":"user","content":"a"},{"role":"user","content":"b","seed":12345678901234567890},
      {"role":"user","content":"c","content":"d"},{"role":"user","content":"e"}]}`
    const { code, stderr } = await imports.run(await imports.write('inexact.json', line), 'ada')
    expect(stderr.split('\n')).toEqual([
      expect.stringContaining('messages[1]: the number 12345678901234567890 does not fit into a double'),
      expect.stringContaining('messages[2]: the key "content" stands twice in one object'),
      '',
    ])
    expect(code).toBe(1)
    expect((await stored('inexact')).map(({ content }) => content)).toEqual(['a', 'e'])
  })
})

describe('a fine-tuning file', () => {
  const tools = [{ type: 'function', function: { name: 'find', parameters: { type: 'object' } } }]
  const example = {
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Find it.' },
      { role: 'assistant', content: null, function_call: { name: 'find', arguments: '{"a": 1.0}' } },
      { role: 'function', name: 'find', content: 'here' },
      { role: 'assistant', content: 'Here.', weight: 0 },
    ],
    tools,
    parallel_tool_calls: false,
  }

  test('has no ids: each example is one conversation, however often it is imported', async () => {
    const other = { messages: [question, { role: 'assistant', content: 'Me.' }] }
    const path = await imports.write('tune.jsonl', `${JSON.stringify(example)}\n${JSON.stringify(other)}`)
    expect(await imports.run(path, 'tuner')).toEqual({ code: 0, stdout: summary(2, 7, 0), stderr: '' })
    const moved = await imports.write('moved.jsonl', `${JSON.stringify(other)}\n${JSON.stringify(example)}`)
    expect(await imports.run(moved, 'tuner')).toEqual({ code: 0, stdout: summary(2, 0, 7), stderr: '' })
    const list = await bed.server
      .as({ 'x-user-id': 'tuner' })
      .get('{ conversations(first: 10) { nodes { id lastSeq metadata } } }')
    expect(list.conversations.nodes).toHaveLength(2)
    const [first] = list.conversations.nodes.filter(({ lastSeq }: Stored) => lastSeq === 5)
    expect(first.id).toMatch(/^import-[0-9a-f]{32}$/)
    expect(first.metadata).toEqual({ openai: { tools, parallel_tool_calls: false } })
    const read = await readStored(bed, first.id, 'tuner')
    expect(read?.messages.slice(2)).toMatchObject([
      {
        role: 'ASSISTANT',
        toolCalls: [{ callId: 'call_import_2', name: 'find', arguments: '{"a": 1.0}', type: 'function' }],
      },
      {
        role: 'TOOL',
        toolName: 'find',
        toolCallId: 'call_import_2',
        content: 'here',
        metadata: { openai: { role: 'function' } },
      },
      { role: 'ASSISTANT', content: 'Here.', metadata: { openai: { weight: 0 } } },
    ])
  })

  test('with tools that metadata has no room for tells that they are left out', async () => {
    const large = [{ type: 'function', function: { name: 'find', description: 'x'.repeat(20_000) } }]
    const { code, stdout } = await imports.runValue({ ...example, id: 'large-tools', tools: large })
    expect(stdout).toBe(
      summary(1, 5, 0, ['1 × field openai.tools: left out, because metadata has room for 16384 bytes (first: Line 1)']),
    )
    expect(code).toBe(0)
    expect((await readStored(bed, 'large-tools'))?.metadata).toEqual({ openai: { parallel_tool_calls: false } })
  })

  test('with preferences has both answers as branches, and the preferred one on the active path', async () => {
    const preference = {
      id: 'preference',
      input: { messages: [{ role: 'system', content: 's' }, question], tools },
      preferred_output: [{ role: 'assistant', content: 'good' }],
      non_preferred_output: [{ role: 'assistant', content: 'bad' }],
    }
    for (const counts of [summary(1, 4, 0), summary(1, 0, 4)]) {
      expect(await imports.runValue(preference)).toEqual({ code: 0, stdout: counts, stderr: '' })
    }
    const conversation = await readStored(bed, 'preference')
    expect(conversation?.metadata).toEqual({ openai: { tools } })
    expect(conversation?.history).toEqual(['import:0', 'import:1', 'import:preferred_output:0'])
    const [, asked, bad, good] = conversation?.messages ?? []
    const openai = (preferred: boolean) => ({ parent: asked.clientId, metadata: { openai: { preferred } } })
    expect(bad).toMatchObject({ content: 'bad', ...openai(false) })
    expect(good).toMatchObject({ content: 'good', ...openai(true) })
  })
})
