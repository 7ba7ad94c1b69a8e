import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { readMessages, readStored, type Stored, summary, useImports } from '../support/program/import.ts'

const bed = useBed()
const imports = useImports(bed)

test('ShareGPT: people, models and instructions under all their names, once when it is repeated', async () => {
  const names = ['system', 'human', 'gpt', 'user', 'chatgpt', 'human', 'assistant', 'human', 'bing']
  const turns = names.map((from, index) => ({ from, value: `${index}`, ...(index === 2 ? { markdown: '*2*' } : {}) }))
  const file = [
    { id: 'QWJhYvA_0', conversations: turns, source: 'web' },
    { id: 17, items: [{ from: 'human', value: 'number' }] },
  ]
  expect(await imports.runValue(file)).toEqual({ code: 0, stdout: summary(2, 10, 0), stderr: '' })
  expect(await imports.runValue(file, 'ada', 2)).toEqual({ code: 0, stdout: summary(2, 0, 10), stderr: '' })
  const conversation = await readStored(bed, 'QWJhYvA_0')
  expect(conversation?.metadata).toEqual({ sharegpt: { source: 'web' } })
  expect(conversation?.messages.map(({ role, content }: Stored) => `${role} ${content}`)).toEqual([
    'SYSTEM 0',
    'USER 1',
    'ASSISTANT 2',
    'USER 3',
    'ASSISTANT 4',
    'USER 5',
    'ASSISTANT 6',
    'USER 7',
    'ASSISTANT 8',
  ])
  expect(conversation?.messages[2].metadata).toEqual({ sharegpt: { markdown: '*2*' } })
  expect(await readMessages(bed, '17')).toEqual([{ role: 'USER', content: 'number' }])
})

test('ShareGPT: calls as they were written, and their results, in JSON Lines without ids', async () => {
  const line = {
    system: 'Use tools.',
    tools: '[{"name": "find"}]',
    conversations: [
      { from: 'human', value: 'Find.' },
      { from: 'function_call', value: '{"name": "find", "arguments": {"b": 1.0,  "a": [2]}}' },
      { from: 'observation', value: '{"at": 3}' },
      { from: 'function_call', value: '[{"name": "x", "arguments": "{}"}, {"name": "y", "arguments": {}}]' },
      { from: 'tool', value: 'of x' },
      { from: 'tool', value: 'of y' },
      { from: 'gpt', value: 'Found.' },
    ],
  }
  const path = await imports.write('tools.jsonl', `${JSON.stringify(line)}\n`)
  expect(await imports.run(path, 'tool user')).toEqual({ code: 0, stdout: summary(1, 8, 0), stderr: '' })
  expect(await imports.run(path, 'tool user')).toEqual({ code: 0, stdout: summary(1, 0, 8), stderr: '' })
  const { conversations } = await bed.server
    .as({ 'x-user-id': 'tool user' })
    .get('{ conversations(first: 2) { nodes { id metadata } } }')
  const [{ id, metadata }] = conversations.nodes
  expect(metadata).toEqual({ sharegpt: { tools: '[{"name": "find"}]' } })
  const call = (callId: string, name: string, text: string) => ({
    callId,
    name,
    arguments: text,
    type: 'function',
    extra: null,
  })
  const result = (toolCallId: string, toolName: string, content: string) => ({
    role: 'TOOL',
    toolCallId,
    toolName,
    content,
  })
  expect((await readMessages(bed, id, 'tool user')).slice(0, 7)).toEqual([
    { role: 'SYSTEM', content: 'Use tools.' },
    { role: 'USER', content: 'Find.' },
    { role: 'ASSISTANT', toolCalls: [call('call_import_1', 'find', '{"b": 1.0,  "a": [2]}')] },
    result('call_import_1', 'find', '{"at": 3}'),
    { role: 'ASSISTANT', toolCalls: [call('call_import_3', 'x', '{}'), call('call_import_3_1', 'y', '{}')] },
    result('call_import_3', 'x', 'of x'),
    result('call_import_3_1', 'y', 'of y'),
  ])
})

test('ShareGPT: roles and contents of the chat shape within its list', async () => {
  const conversations = [
    { role: 'user', content: 'a' },
    { role: 'assistant', content: null, tool_calls: [{ id: 'c', function: { name: 'f', arguments: '' } }] },
    { role: 'tool', content: 'b', tool_call_id: 'c' },
  ]
  await imports.runValue([{ id: 'mixed', conversations }])
  expect(await readMessages(bed, 'mixed')).toMatchObject([
    { role: 'USER', content: 'a' },
    { role: 'ASSISTANT', toolCalls: [{ callId: 'c', name: 'f' }] },
    { role: 'TOOL', content: 'b', toolCallId: 'c' },
  ])
})

test('ShareGPT: of two answers the chosen one is on the active path', async () => {
  await imports.runValue([
    {
      id: 'ranked',
      conversations: [{ from: 'human', value: 'q' }],
      chosen: { from: 'gpt', value: 'good' },
      rejected: { from: 'gpt', value: 'bad' },
    },
  ])
  const conversation = await readStored(bed, 'ranked')
  expect(conversation?.history).toEqual(['import:0', 'import:chosen:0'])
  expect(conversation?.messages).toMatchObject([
    { content: 'q' },
    { content: 'bad', parent: 'import:0' },
    { content: 'good', parent: 'import:0' },
  ])
})

test('ShareGPT: a faulty turn is told with its place, and the others are stored', async () => {
  const conversations = [
    { from: 'human', value: 'a' },
    { from: 'robot', value: 'b' },
    { from: 'gpt', value: { text: 'c' } },
    { from: 'gpt', value: null },
    { from: 'function_call', value: 'look()' },
    { from: 'observation', value: 'seen' },
  ]
  const { code, stdout, stderr } = await imports.runValue(
    [
      { id: 'first', conversations: [{ from: 'human', value: '1' }] },
      { id: 'faulty', conversations },
    ],
    'ada',
    2,
  )
  expect(stderr.split('\n')).toEqual([
    expect.stringMatching(/^Line 11, \[1\] \("faulty"\): conversations\[1\]\.from: "robot" is none of system, /),
    'Line 11, [1] ("faulty"): conversations[2].value: must be a text.',
    '',
  ])
  expect(stdout).toContain('1 × call that is not {"name", "arguments"} as JSON: kept as text (first: Line 11, [1])')
  expect(stdout).toContain('1 × result without a call of its own: a model does not read it (first: Line 11, [1])')
  expect(code).toBe(1)
  expect(await readMessages(bed, 'faulty')).toEqual([
    { role: 'USER', content: 'a' },
    { role: 'ASSISTANT', content: '' },
    { role: 'ASSISTANT', content: 'look()' },
    { role: 'TOOL', content: 'seen', toolCallId: 'call_import_5' },
  ])
})
