import {
  AbstractChat,
  type ChatState,
  convertToModelMessages,
  createUIMessageStreamResponse,
  DefaultChatTransport,
  generateId,
  jsonSchema,
  stepCountIs,
  streamText,
  tool,
  toUIMessageStream,
  type UIMessage,
  validateUIMessages,
} from 'ai'
import { MockLanguageModelV4, simulateReadableStream } from 'ai/test'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { loadChat, readModelMessages, saveChat } from '../client/src/ai-sdk.ts'
import { useBed } from './support/bed.ts'
import { expectNothingOpenAfterEach } from './support/nothing-open.ts'

const bed = useBed()

expectNothingOpenAfterEach(bed)

const at = (conversationId: string) => ({
  url: `${bed.server.url}/graphql`,
  conversationId,
  connectionParams: { 'x-user-id': 'ada' },
  webSocketImpl: WebSocket,
})

const user = (id: string, text: string): UIMessage => ({ id, role: 'user', parts: [{ type: 'text', text }] })
const assistant = (id: string, ...parts: UIMessage['parts']): UIMessage => ({ id, role: 'assistant', parts })

/** As JSON has them. */
const json = (value: unknown) => JSON.parse(JSON.stringify(value))

const call = { toolCallId: 'c-1', input: { city: 'Köln', at: [1, { a: null }] } } as const
const metadata = { provider: { signature: 'EqQB…==' } }

/** Every kind of part, and every state of a tool's. */
const everything: UIMessage['parts'] = [
  { type: 'step-start' },
  { type: 'reasoning', text: 'Hm.', state: 'done', providerMetadata: metadata },
  { type: 'text', text: 'Let me see. ', state: 'done', providerMetadata: metadata },
  { type: 'text', text: '', state: 'streaming' },
  { type: 'custom', kind: 'openai.compaction', providerMetadata: metadata },
  { type: 'source-url', sourceId: 's-1', url: 'https://example.com/', title: 'Example' },
  { type: 'source-document', sourceId: 's-2', mediaType: 'application/pdf', title: 'D', filename: 'd.pdf' },
  { type: 'file', mediaType: 'image/png', filename: 'a.png', url: 'data:image/png;base64,iVBORw0KGgo=' },
  { type: 'reasoning-file', mediaType: 'image/png', url: 'https://example.com/a.png' },
  { type: 'data-weather', id: 'd-1', data: { degrees: -0.5, wind: null } },
  { type: 'tool-weather', ...call, state: 'input-streaming', input: { city: 'Kö' }, rawInput: '{"city": "Kö' },
  { type: 'tool-weather', ...call, state: 'input-available', callProviderMetadata: metadata },
  { type: 'tool-weather', ...call, state: 'approval-requested', approval: { id: 'a-1', signature: 'x' } },
  { type: 'tool-weather', ...call, state: 'approval-responded', approval: { id: 'a-1', approved: true, reason: 'ok' } },
  { type: 'tool-weather', ...call, state: 'output-available', output: { degrees: 3 }, preliminary: true },
  { type: 'tool-weather', ...call, state: 'output-available', output: null, approval: { id: 'a-1', approved: true } },
  { type: 'tool-weather', ...call, state: 'output-error', errorText: 'No such city.' },
  { type: 'tool-weather', ...call, state: 'output-denied', approval: { id: 'a-1', approved: false, reason: 'no' } },
  {
    type: 'dynamic-tool',
    toolName: 'search',
    ...call,
    state: 'output-available',
    output: 'text',
    providerExecuted: true,
  },
  { type: 'dynamic-tool', toolName: 'search', ...call, state: 'output-error', input: undefined, errorText: 'bad' },
]

test('a chat comes back equal: every kind of part, every state of a tool, and metadata of any shape', async () => {
  const chat: UIMessage[] = [
    { id: 's', role: 'system', parts: [{ type: 'text', text: 'Be brief.' }] },
    { ...user('u', 'Is it cold?'), metadata: { createdAt: 1_700_000_000_000, tags: [] } },
    assistant('a', ...everything),
    assistant('empty'),
    { ...user('u2', ''), metadata: 'a text' },
    { ...user('u3', '3'), metadata: {} },
    { ...user('u4', '4'), metadata: [1] },
    { ...user('u5', '5'), metadata: null },
    { ...user('u6', '6'), metadata: { aiSdk: { aiSdk: 1 } } },
  ]
  await saveChat({ ...at('everything'), messages: chat })
  const loaded = await loadChat(at('everything'))
  expect(loaded).toEqual(json(chat))
  expect(json(loaded)).toEqual(json(chat))
  const { conversation } = await bed.server
    .as()
    .get('{ conversation(id: "everything") { message(clientId: "a") { content partsFormat } } }')
  expect(conversation.message).toEqual({ content: 'Let me see. ', partsFormat: 'AI_SDK' })
})

test('a chat of many messages is saved and loaded in their order', async () => {
  const messages = Array.from({ length: 250 }, (_, n) => user(`m-${n}`, String(n)))
  await saveChat({ ...at('many'), messages })
  expect(await loadChat(at('many'))).toEqual(messages)
})

/** The revisions of a conversation's messages; they move when a message is written. */
async function revisions(id: string): Promise<string[]> {
  const query = 'query ($id: ID!) { conversation(id: $id) { messages(first: 100) { nodes { revision } } } }'
  const { conversation } = await bed.server.as().get(query, { id })
  return conversation.messages.nodes.map(({ revision }: { revision: string }) => revision)
}

test('only what has changed is written, and saving the same again changes nothing', async () => {
  const question = user('q', 'Is it cold?')
  const asked = { type: 'tool-weather', ...call, state: 'input-available' } as const
  await saveChat({ ...at('changes'), messages: [question, assistant('a', asked)] })
  const answered = { ...asked, state: 'output-available', output: { degrees: 3 } } as const
  const messages = [question, assistant('a', answered, { type: 'text', text: 'Yes.' }), user('q2', 'Thanks.')]
  await saveChat({ ...at('changes'), messages })
  expect(await loadChat(at('changes'))).toEqual(messages)
  const [first, second, third] = await revisions('changes')
  expect([first, third]).toEqual(['0', '0'])
  expect(second).not.toBe('0')
  const { cursor } = (await bed.server.as().get('{ conversation(id: "changes") { cursor } }')).conversation
  await saveChat({ ...at('changes'), messages })
  await saveChat({ ...at('changes'), messages, previous: [] })
  expect(await bed.server.as().get('{ conversation(id: "changes") { cursor lastSeq } }')).toEqual({
    conversation: { cursor, lastSeq: 3 },
  })
})

test('what was taken out of a loaded chat is deleted, and what others have added meanwhile stays', async () => {
  await saveChat({ ...at('again'), messages: [user('q', '?'), assistant('a'), user('q2', '??'), assistant('a2')] })
  const previous = await loadChat(at('again'))
  await saveChat({ ...at('again'), messages: [...previous, user('elsewhere', '!')] })
  const edited = { ...user('q2', 'Another question?') }
  const messages = [...previous.slice(0, 2), edited, assistant('a3')]
  await saveChat({ ...at('again'), messages, previous })
  await saveChat({ ...at('again'), messages, previous })
  const loaded = await loadChat(at('again'))
  expect(loaded.map(({ id }) => id)).toEqual(['q', 'a', 'q2', 'elsewhere', 'a3'])
  expect(loaded[2]).toEqual(edited)
  await saveChat({ ...at('again'), messages: messages.slice(0, 1) })
  expect(await loadChat(at('again'))).toEqual(loaded)
  await expect(saveChat({ ...at('again'), messages: [assistant('a2')] })).rejects.toThrow('was deleted')
})

test('a message that would stand before one that is saved is refused, and nothing is written', async () => {
  await saveChat({ ...at('order'), messages: [user('1', '1'), user('2', '2')] })
  const messages = [user('1', '1'), user('new', 'new'), user('2', 'two')]
  await expect(saveChat({ ...at('order'), messages })).rejects.toThrow(RangeError)
  await expect(saveChat({ ...at('order'), messages: [user('2', '2'), user('1', '1')] })).rejects.toThrow(RangeError)
  expect((await loadChat(at('order'))).map(({ id }) => id)).toEqual(['1', '2'])
})

test('what other programs have stored is shown, with results in their calls, and can be saved with the rest', async () => {
  const ada = bed.server.as()
  await ada.append('foreign', { role: 'USER', content: 'Q', clientId: 'q' })
  const toolCalls = ['c-1', 'c-2', 'c-3'].map((callId) => ({ callId, name: 'f', arguments: '{"a":1}' }))
  await ada.append('foreign', { role: 'ASSISTANT', content: 'A', toolCalls })
  await ada.append('foreign', { role: 'TOOL', toolCallId: 'c-2', content: 'no', toolError: true })
  await ada.append('foreign', { role: 'TOOL', toolCallId: 'c-1', content: '{"b":2}' })
  // An answer that failed before its first word.
  const { startMessage } = await ada.get(
    'mutation { startMessage(input: { conversationId: "foreign" }) { attempt message { id } } }',
  )
  await ada.get(
    'mutation ($id: ID!) { completeMessage(input: { messageId: $id, attempt: 1, chunks: 0, status: FAILED }) { replayed } }',
    { id: startMessage.message.id },
  )
  expect(await loadChat(at('foreign'))).toHaveLength(2)
  const [question, answer] = (await loadChat(at('foreign'))) as [UIMessage, UIMessage]
  const part = { type: 'dynamic-tool', toolName: 'f', input: { a: 1 } }
  expect(question).toEqual(user('q', 'Q'))
  expect(answer.parts).toEqual([
    { type: 'text', text: 'A' },
    { ...part, toolCallId: 'c-1', state: 'output-available', output: { b: 2 } },
    { ...part, toolCallId: 'c-2', state: 'output-error', errorText: 'no' },
    { ...part, toolCallId: 'c-3', state: 'input-available' },
  ])
  await saveChat({ ...at('foreign'), messages: [question, answer, user('q2', 'more')] })
  expect(await revisions('foreign')).toEqual(['0', '0', '0', '0', expect.anything(), '0'])
  // A result after other words of the user answers none of the calls before them.
  await ada.append('foreign', { role: 'TOOL', toolCallId: 'c-3', content: 'late' })
  expect((await loadChat(at('foreign')))[1]).toEqual(answer)
  const corrected = { ...answer, parts: [{ type: 'text', text: 'B' }] } as UIMessage
  await saveChat({ ...at('foreign'), messages: [question, corrected, user('q2', 'more')] })
  expect((await loadChat(at('foreign')))[1]).toEqual(corrected)
})

/** What `useChat` of every framework is made of. */
class Chat extends AbstractChat<UIMessage> {
  constructor(init: { id: string; messages: UIMessage[]; transport: DefaultChatTransport<UIMessage> }) {
    const state: ChatState<UIMessage> = {
      status: 'ready',
      error: undefined,
      messages: init.messages,
      pushMessage: (message) => void state.messages.push(message),
      popMessage: () => void state.messages.pop(),
      replaceMessage: (index, message) => void state.messages.splice(index, 1, message),
      snapshot: (thing) => structuredClone(thing),
    }
    super({ ...init, state })
  }
}

const usage = {
  inputTokens: { total: 3, noCache: 3, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 2, text: 2, reasoning: 0 },
}

type Piece = Awaited<ReturnType<MockLanguageModelV4['doStream']>>['stream'] extends ReadableStream<infer P> ? P : never

const asking = (): Piece[] => [
  { type: 'reasoning-start', id: 'r' },
  { type: 'reasoning-delta', id: 'r', delta: 'Ask.' },
  { type: 'reasoning-end', id: 'r', providerMetadata: metadata },
  { type: 'tool-call', toolCallId: generateId(), toolName: 'weather', input: '{"city":"Köln"}' },
  { type: 'finish', usage, finishReason: { unified: 'tool-calls', raw: 'tool_calls' } },
]
const telling: Piece[] = [
  { type: 'text-start', id: 't' },
  { type: 'text-delta', id: 't', delta: 'Three ' },
  { type: 'text-delta', id: 't', delta: 'degrees.' },
  { type: 'text-end', id: 't' },
  { type: 'finish', usage, finishReason: { unified: 'stop', raw: 'stop' } },
]

/** A model that asks for the weather, and then tells it. */
const weatherModel = () =>
  new MockLanguageModelV4({
    doStream: async ({ prompt }) => ({
      stream: simulateReadableStream({
        chunkDelayInMs: null,
        initialDelayInMs: null,
        chunks: prompt.at(-1)?.role === 'tool' ? telling : asking(),
      }),
    }),
  })

const tools = {
  weather: tool({
    inputSchema: jsonSchema<{ city: string }>({ type: 'object', properties: { city: { type: 'string' } } }),
    execute: async ({ city }) => ({ city, degrees: 3 }),
  }),
}

/** The route of the AI SDK's own guide to persistence. */
async function answer(request: Request): Promise<Response> {
  const { id, messages } = (await request.json()) as { id: string; messages: UIMessage[] }
  const previous = await loadChat(at(id))
  await validateUIMessages({ messages })
  const { stream } = streamText({
    model: weatherModel(),
    messages: await convertToModelMessages(messages),
    tools,
    stopWhen: stepCountIs(3),
  })
  return createUIMessageStreamResponse({
    stream: toUIMessageStream({
      stream,
      originalMessages: messages,
      generateMessageId: generateId,
      messageMetadata: ({ part }) => (part.type === 'finish' ? { tokens: part.totalUsage.totalTokens } : undefined),
      onEnd: ({ messages }) => saveChat({ ...at(id), messages, previous }),
    }),
  })
}

test('a chat of useChat goes on where it was after a reload, and another answer takes the place of the first', async () => {
  const fetch = async (url: unknown, init?: RequestInit) => answer(new Request(url as string, init))
  const open = async () =>
    new Chat({
      id: 'useChat',
      messages: await loadChat(at('useChat')),
      transport: new DefaultChatTransport({ api: 'http://localhost/', fetch }),
    })
  const first = await open()
  await first.sendMessage({ text: 'How cold is it?' })
  expect(first.error).toBeUndefined()
  expect(await loadChat(at('useChat'))).toEqual(json(first.messages))
  expect(first.messages).toHaveLength(2)

  const second = await open()
  await second.sendMessage({ text: 'And now?' })
  expect(await loadChat(at('useChat'))).toEqual(json(second.messages))
  expect(await validateUIMessages({ messages: await loadChat(at('useChat')) })).toHaveLength(4)
  expect(await convertToModelMessages(await loadChat(at('useChat')))).toEqual(
    await convertToModelMessages(second.messages),
  )

  const before = second.messages.at(-1)?.id
  await second.regenerate()
  expect(second.messages.at(-1)?.id).not.toBe(before)
  expect(await loadChat(at('useChat'))).toEqual(json(second.messages))
})

test('a model is given as much of a saved chat as fits, with calls and their results together', async () => {
  const output = { type: 'tool-weather', ...call, state: 'output-available', output: { degrees: 3 } } as const
  const turns = Array.from({ length: 20 }, (_, n) => [
    user(`q-${n}`, `Question ${n}?`),
    assistant(`a-${n}`, { ...output, toolCallId: `c-${n}` }, { type: 'text', text: `Answer ${n}.` }),
  ])
  await saveChat({ ...at('window'), messages: turns.flat() })
  const window = await readModelMessages({ ...at('window'), maxTokens: 200, system: 'Be brief.' })
  const model = weatherModel()
  await streamText({ model, ...window, messages: window?.messages ?? [] }).consumeStream()
  const [{ prompt } = { prompt: [] }] = model.doStreamCalls
  expect(prompt.slice(0, 2)).toMatchObject([{ role: 'system', content: 'Be brief.' }, { role: 'user' }])
  expect(JSON.stringify(prompt)).toContain('Answer 19.')
  expect(JSON.stringify(prompt)).not.toContain('Question 0?')
  expect(window?.omitted.reasons).toEqual(['BUDGET'])
  const parts = (type: string) =>
    prompt.flatMap(({ content }) => (typeof content === 'string' ? [] : content.filter((part) => part.type === type)))
  expect(parts('tool-call').length).toBeGreaterThan(0)
  expect(parts('tool-result')).toHaveLength(parts('tool-call').length)
  expect(await readModelMessages({ ...at('no such chat'), maxTokens: 200 })).toBeNull()
})
