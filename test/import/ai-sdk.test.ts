import type { UIMessage } from 'ai'
import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { readMessages, readStored, type Stored, summary, useImports } from '../support/program/import.ts'

const bed = useBed()
const imports = useImports(bed)

const chat = [
  { id: 's', role: 'system', parts: [{ type: 'text', text: 'Be brief.' }] },
  {
    id: 'u1',
    role: 'user',
    metadata: { mood: 'calm' },
    parts: [
      { type: 'text', text: 'What is it?' },
      { type: 'file', mediaType: 'image/png', url: 'data:image/png;base64,AAAA' },
    ],
  },
  {
    id: 'a1',
    role: 'assistant',
    parts: [
      { type: 'step-start' },
      { type: 'reasoning', text: 'I look.', providerMetadata: { anthropic: { signature: 's' } } },
      { type: 'tool-look', toolCallId: 'c1', state: 'output-available', input: { at: 1 }, output: { seen: true } },
      { type: 'step-start' },
      { type: 'text', text: 'A cat.' },
      { type: 'source-url', sourceId: '1', url: 'https://a.example' },
    ],
  },
  { id: 'a2', role: 'assistant', parts: [] },
] satisfies UIMessage[]

test('UIMessages: {id, messages} is stored as it is, with the ids of its messages, once when it is repeated', async () => {
  const file = { id: 'chat', title: 'Cats', createdAt: '2026-01-31T09:30:00Z', messages: chat }
  expect(await imports.runValue(file)).toEqual({ code: 0, stdout: summary(1, 4, 0), stderr: '' })
  expect(await imports.runValue([file], 'ada', 2)).toEqual({ code: 0, stdout: summary(1, 0, 4), stderr: '' })
  const read = await readStored(bed, 'chat')
  expect(read).toMatchObject({ title: 'Cats', metadata: {} })
  expect(read?.messages.map(({ clientId, parts = [] }: Stored) => ({ clientId, parts }))).toEqual(
    chat.map(({ id, parts }) => ({ clientId: id, parts })),
  )
  expect(read?.messages).toMatchObject([
    { role: 'SYSTEM', content: 'Be brief.', partsFormat: 'AI_SDK' },
    { role: 'USER', metadata: { mood: 'calm' } },
    { role: 'ASSISTANT', content: 'A cat.' },
    { role: 'ASSISTANT', content: '' },
  ])
})

test.each([
  ['on one line', undefined],
  ['pretty', 2],
])('UIMessages: a list of them is one conversation, %s', async (name, indent) => {
  expect(await imports.runValue(chat, name, indent)).toEqual({ code: 0, stdout: summary(1, 4, 0), stderr: '' })
  expect(await imports.runValue(chat, name, 1)).toEqual({ code: 0, stdout: summary(1, 0, 4), stderr: '' })
  const { conversations } = await bed.server
    .as({ 'x-user-id': name })
    .get('{ conversations(first: 5) { nodes { id } } }')
  expect(conversations.nodes).toHaveLength(1)
  expect(conversations.nodes[0].id).toMatch(/^import-[0-9a-f]{32}$/)
})

test('UIMessages: messages that have one id twice, or none, are all stored', async () => {
  const said = (id: string | undefined, text: string) => ({ id, role: 'user', parts: [{ type: 'text', text }] })
  const { stdout } = await imports.runValue({
    id: 'ids',
    messages: [said('x', 'a'), said('x', 'b'), said(undefined, 'c')],
  })
  const notes = ['1 × message id that another message of its conversation has: changed (first: Line 1)']
  expect(stdout).toBe(summary(1, 3, 0, notes))
  const read = await readStored(bed, 'ids')
  expect(read?.messages.map(({ clientId, content }: Stored) => [clientId, content])).toEqual([
    ['x', 'a'],
    ['import:1', 'b'],
    ['import:2', 'c'],
  ])
})

test('UIMessages: those of version 4 get the form that the SDK reads now, and keep their times', async () => {
  const invocation = { state: 'result', step: 0, toolCallId: 'c', toolName: 'look', args: { a: 1 }, result: 'seen' }
  const messages = [
    { id: 'u', role: 'user', content: 'Look', createdAt: '2025-02-01T10:00:00.000Z' },
    {
      id: 'a',
      role: 'assistant',
      content: 'Seen.',
      annotations: ['x'],
      parts: [
        { type: 'reasoning', reasoning: 'Hm.', details: [{ type: 'text', text: 'Hm.', signature: 'sig' }] },
        { type: 'tool-invocation', toolInvocation: invocation },
        { type: 'source', source: { sourceType: 'url', id: '1', url: 'https://a.example', title: 'A' } },
        { type: 'file', mimeType: 'image/png', data: 'AAAA' },
        { type: 'text', text: 'Seen.' },
      ],
    },
  ]
  await imports.runValue({ id: 'v4', messages })
  expect((await readStored(bed, 'v4'))?.times).toEqual(Array(2).fill('2025-02-01T10:00:00Z'))
  expect(await readMessages(bed, 'v4')).toEqual([
    {
      role: 'USER',
      content: 'Look',
      parts: [{ type: 'text', text: 'Look' }],
      partsFormat: 'AI_SDK',
    },
    {
      role: 'ASSISTANT',
      content: 'Seen.',
      partsFormat: 'AI_SDK',
      metadata: { aiSdk: { annotations: ['x'] } },
      parts: [
        { type: 'reasoning', text: 'Hm.', providerMetadata: { anthropic: { signature: 'sig' } } },
        { type: 'tool-look', toolCallId: 'c', state: 'output-available', input: { a: 1 }, output: 'seen' },
        { type: 'source-url', sourceId: '1', url: 'https://a.example', title: 'A' },
        { type: 'file', mediaType: 'image/png', url: 'data:image/png;base64,AAAA' },
        { type: 'text', text: 'Seen.' },
      ],
    },
  ])
})

test('UIMessages: a faulty message is told with its place, and the others are stored', async () => {
  const messages = [
    { ...chat[1], id: 'u' },
    { id: 'r', role: 'robot', parts: [] },
    { id: 'p', role: 'user', parts: 'x' },
    7,
    chat[2],
  ]
  const { code, stdout, stderr } = await imports.runValue({ id: 'faulty', messages })
  expect(stderr.split('\n')).toEqual([
    'Line 1 ("faulty"): messages[1].role: "robot" is none of system, user, assistant.',
    'Line 1 ("faulty"): messages[2].parts: must be a list.',
    'Line 1 ("faulty"): messages[3]: must be an object.',
    '',
  ])
  expect(stdout).toContain('Messages stored        2\n')
  expect(code).toBe(1)
  expect((await readStored(bed, 'faulty'))?.history).toEqual(['u', 'a1'])
})
