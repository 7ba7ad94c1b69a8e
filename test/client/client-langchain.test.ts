import { setImmediate as turn } from 'node:timers/promises'
import {
  AIMessage,
  AIMessageChunk,
  type BaseMessage,
  ChatMessage,
  ChatMessageChunk,
  FunctionMessage,
  FunctionMessageChunk,
  HumanMessage,
  HumanMessageChunk,
  mapChatMessagesToStoredMessages,
  RemoveMessage,
  SystemMessage,
  SystemMessageChunk,
  ToolMessage,
  ToolMessageChunk,
} from '@langchain/core/messages'
import { RunnableLambda, RunnableWithMessageHistory } from '@langchain/core/runnables'
import { expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { ColloquyChatMessageHistory } from '../../client/src/langchain.ts'
import { toInput } from '../../client/src/sdk/langchain-message.ts'
import { useBed } from '../support/bed.ts'
import { TcpProxy } from '../support/network/tcp-proxy.ts'
import { expectNothingOpenAfterEach } from '../support/nothing-open.ts'
import { until } from '../support/until.ts'

const bed = useBed()

expectNothingOpenAfterEach(bed)

function history(conversationId: string, { url }: { readonly url: string } = bed.server, user = 'ada') {
  const connectionParams = { 'x-user-id': user }
  return new ColloquyChatMessageHistory({
    url: `${url}/graphql`,
    conversationId,
    connectionParams,
    webSocketImpl: WebSocket,
    timeoutMs: 500,
  })
}

/** As LangChain writes them down, and as JSON has it. */
const written = (messages: BaseMessage[]) => JSON.parse(JSON.stringify(mapChatMessagesToStoredMessages(messages)))

const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** One of each kind, with whatever it may carry. */
const kinds: Record<string, BaseMessage> = {
  'a human text': new HumanMessage('Where is my order?'),
  'an empty text': new HumanMessage(''),
  'a human with a name and an id': new HumanMessage({ content: 'a\n😀 ', name: 'Ada', id: 'human-1' }),
  'content blocks': new HumanMessage({
    content: [
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${png}`, detail: 'low' } },
    ],
  }),
  'one block of text alone': new HumanMessage({ content: [{ type: 'text', text: 'alone' }] }),
  'no blocks': new AIMessage({ content: [] }),
  'standard blocks': new AIMessage({
    contentBlocks: [
      { type: 'reasoning', reasoning: 'Think.' },
      { type: 'text', text: 'Look.' },
      { type: 'tool_call', id: 'call-0', name: 'look', args: { at: [1, 2] } },
    ],
  }),
  instructions: new SystemMessage('Be brief.'),
  'instructions of a developer': new SystemMessage({
    content: 'Be brief.',
    additional_kwargs: { __openai_role__: 'developer' },
  }),
  'tool calls, good and bad, with all that is known of them': new AIMessage({
    id: 'run-1',
    content: [{ type: 'text', text: 'Let me see.', index: 0, citations: null }],
    tool_calls: [
      { id: 'call-1', name: 'find_order', args: { id: 4, nested: { 'a b': null } }, type: 'tool_call' },
      { id: 'call-2', name: 'find_order', args: {} },
      { name: 'without_id', args: { x: 1 } },
    ],
    invalid_tool_calls: [{ id: 'call-3', name: 'find_order', args: '{"id": ', error: 'Malformed args.' }],
    usage_metadata: { input_tokens: 7, output_tokens: 5, total_tokens: 12, input_token_details: { cache_read: 3 } },
    response_metadata: { model_name: 'm-1', finish_reason: 'tool_calls', logprobs: { content: [] } },
    additional_kwargs: {
      refusal: null,
      tool_calls: [{ id: 'call-1', type: 'function', function: { name: 'f', arguments: '' } }],
    },
  }),
  'names that are empty or long': new AIMessage({
    id: 'i'.repeat(300),
    name: '',
    content: 'x',
    tool_calls: [
      { id: '', name: 'f', args: {} },
      { id: 'c', name: 'n'.repeat(300), args: {} },
    ],
    response_metadata: { model_name: '', finish_reason: 'y'.repeat(300) },
  }),
  'a result of no call': new ToolMessage({ content: 'r', tool_call_id: '' }),
  'a tool call alone': new AIMessage({
    content: '',
    tool_calls: [{ id: 'c', name: 'f', args: { a: 'ü' }, type: 'tool_call' }],
  }),
  'a result': new ToolMessage({
    content: '{"status":"shipped"}',
    tool_call_id: 'call-1',
    name: 'find_order',
    status: 'success',
  }),
  'a failed result with an artifact': new ToolMessage({
    content: [{ type: 'text', text: 'no' }],
    tool_call_id: 'call-2',
    status: 'error',
    artifact: { rows: [1, 2, 3], more: null },
    metadata: { took: 3 },
  }),
  'a result without a status': new ToolMessage({ content: '', tool_call_id: 'call-3' }),
  'an artifact larger than metadata may be': new ToolMessage({
    content: 'a lot',
    tool_call_id: 'call-4',
    artifact: 'x'.repeat(50_000),
  }),
  'an artifact that large beside blocks': new ToolMessage({
    content: [{ type: 'text', text: 'a lot' }],
    tool_call_id: 'call-5',
    artifact: 'x'.repeat(50_000),
  }),
  'a role of its own': new ChatMessage('I object.', 'critic'),
  'a function of old': new FunctionMessage({ content: 'r', name: 'f' }),
  'a chunk, as the message it has come to be': new AIMessageChunk({
    id: 'run-2',
    content: 'abc',
    tool_call_chunks: [{ id: 'q', name: 'f', args: '{"a":1}', index: 0 }],
  }),
  'a chunk of a human': new HumanMessageChunk('h'),
  'a chunk of instructions': new SystemMessageChunk('s'),
  'a chunk of a result': new ToolMessageChunk({ content: 'r', tool_call_id: 'call-1', name: 'f', status: 'success' }),
  'a chunk of a function': new FunctionMessageChunk({ content: 'r', name: 'f' }),
  'a chunk of a role of its own': new ChatMessageChunk('I object.', 'critic'),
}

test.each(Object.keys(kinds))('it comes back equal: %s', async (kind) => {
  const message = kinds[kind] as BaseMessage
  await history(kind).addMessage(message)
  const back = await history(kind).getMessages()
  expect(written(back)).toEqual(written([message]))
  expect(back[0]?.type).toBe(message.type)
  expect(back[0]?.content).toEqual(message.content)
})

test.each(Object.keys(kinds))('it comes back equal when another program stored it whole: %s', async (kind) => {
  const message = kinds[kind] as BaseMessage
  const whole = [message.toDict(), message.toJSON()].map((part) => JSON.parse(JSON.stringify(part)))
  const { role, toolCallId } = toInput(message, 'x')
  for (const [at, part] of whole.entries()) {
    const id = `whole ${at} ${kind}`
    await bed.server.as().append(id, { role, toolCallId, parts: [part], partsFormat: 'LANGCHAIN' })
    const [back] = await history(id).getMessages()
    expect(back?.content).toEqual(message.content)
    expect(written([back as BaseMessage])).toEqual(written([message]))
  }
})

test('a message that deletes another one is none that can be stored', async () => {
  await expect(history('remove').addMessage(new RemoveMessage({ id: 'x' }))).rejects.toThrow('remove')
})

test('what other programs read of a message is in the fields of the API', async () => {
  await history('fields').addMessages(Object.values(kinds))
  const { conversation } = await bed.server.as().get(`{ conversation(id: "fields") { messages(first: 100) { nodes {
    role name content partsFormat toolCalls { callId name arguments } toolCallId toolName toolError model finishReason clientId
    metadata
  } } } }`)
  const { nodes } = conversation.messages
  const at = (kind: string) => nodes[Object.keys(kinds).indexOf(kind)]
  expect(at('a human with a name and an id')).toMatchObject({ role: 'USER', name: 'Ada', clientId: 'human-1' })
  expect(at('content blocks')).toMatchObject({ partsFormat: 'LANGCHAIN', content: 'What is this?' })
  expect(at('instructions of a developer')).toMatchObject({ role: 'DEVELOPER' })
  expect(at('tool calls, good and bad, with all that is known of them')).toMatchObject({
    role: 'ASSISTANT',
    toolCalls: [
      { callId: 'call-1', name: 'find_order', arguments: '{"id":4,"nested":{"a b":null}}' },
      { callId: 'call-2', name: 'find_order', arguments: '{}' },
      // It may have a result that tells the model of the error: both have to be in a window.
      { callId: 'call-3', name: 'find_order', arguments: '{"id": ' },
    ],
    model: 'm-1',
    finishReason: 'tool_calls',
  })
  // Nothing is kept twice.
  const { langchain } = at('standard blocks').metadata
  expect(langchain).toEqual({ data: { response_metadata: { output_version: 'v1' } } })
  expect(at('a human text').metadata).toEqual({})
  expect(at('a failed result with an artifact')).toMatchObject({ role: 'TOOL', toolCallId: 'call-2', toolError: true })
  expect(at('an artifact larger than metadata may be')).toMatchObject({ role: 'TOOL', content: 'a lot' })
})

test('getMessages reads the active path: another answer comes instead of the first one, and not beside it', async () => {
  const ada = bed.server.as()
  await ada.append('branched', { role: 'USER', content: 'Q', clientId: 'q' })
  const { id } = (await ada.get('{ conversation(id: "branched") { lastMessage { id } } }')).conversation.lastMessage
  for (const content of ['A', 'B']) await ada.append('branched', { role: 'ASSISTANT', content, parentId: id })
  const said = async () => (await history('branched').getMessages()).map(({ content }) => content)
  expect(await said()).toEqual(['Q', 'B'])
  const choose = 'mutation ($id: ID!) { setActiveLeaf(input: { messageId: $id }) { message { content } } }'
  const { nodes } = (await ada.get('{ conversation(id: "branched") { messages { nodes { id } } } }')).conversation
    .messages
  await ada.get(choose, { id: nodes[1].id })
  expect(await said()).toEqual(['Q', 'A'])
  // What is added continues what was read.
  await history('branched').addMessages([new HumanMessage({ content: 'On', id: 'on' })])
  expect(await said()).toEqual(['Q', 'A', 'On'])
})

test('messages that another program has stored come as LangChain has them, without those that are gone or streaming', async () => {
  const ada = bed.server.as()
  await ada.append('foreign', { role: 'USER', content: 'Q', clientId: 'q' })
  await ada.append('foreign', {
    role: 'ASSISTANT',
    parts: [{ type: 'text', text: 'A' }],
    partsFormat: 'ANTHROPIC',
    toolCalls: [
      { callId: 'c', name: 'f', arguments: '{"a":1}' },
      { callId: 'd', name: 'f', arguments: 'no' },
    ],
  })
  await ada.append('foreign', { role: 'TOOL', toolCallId: 'c', toolName: 'f', toolError: true, content: 'R' })
  const { message } = await ada.append('foreign', 'gone')
  await ada.get(`mutation { deleteMessage(input: { messageId: "${message.id}" }) { message { id } } }`)
  await ada.get(`mutation { startMessage(input: { conversationId: "foreign" }) { attempt } }`)
  const back = await history('foreign').getMessages()
  expect(written(back)).toEqual(
    written([
      new HumanMessage({ content: 'Q', id: 'q' }),
      new AIMessage({
        content: [{ type: 'text', text: 'A' }],
        tool_calls: [{ name: 'f', args: { a: 1 }, id: 'c', type: 'tool_call' }],
        invalid_tool_calls: [{ name: 'f', args: 'no', id: 'd', error: 'Malformed args.', type: 'invalid_tool_call' }],
      }),
      new ToolMessage({ content: 'R', tool_call_id: 'c', name: 'f', status: 'error' }),
    ]),
  )
})

test('a thousand messages go in as many batches as it takes, and come back in order', async () => {
  const messages = Array.from({ length: 1_003 }, (_, n) => new HumanMessage(String(n)))
  await history('many').addMessages(messages)
  expect((await history('many').getMessages()).map(({ content }) => content)).toEqual(
    messages.map(({ content }) => content),
  )
})

test('messages that together are larger than a request may be go in as many as it takes', async () => {
  const messages = Array.from({ length: 12 }, () => new HumanMessage('ü'.repeat(400_000)))
  await history('large').addMessages(messages)
  const stored = (await history('large').getMessages()).map(({ content }) => content === 'ü'.repeat(400_000))
  expect(stored).toEqual(messages.map(() => true))
})

test('a batch is stored whole or not at all, and a corrected one may be added again', async () => {
  const bad = new HumanMessage('half \ud800')
  const messages = [new HumanMessage('one'), new HumanMessage({ content: 'two', id: 'two' })]
  const chat = history('whole')
  await expect(chat.addMessages([...messages, bad])).rejects.toMatchObject({ code: 'BAD_USER_INPUT' })
  expect(await chat.getMessages()).toEqual([])
  await chat.addMessages(messages)
  expect(await chat.getMessages()).toHaveLength(2)
})

test('messages are stored once, however often they are added', async () => {
  const named = new HumanMessage({ content: 'named', id: 'n-1' })
  const unnamed = new HumanMessage('unnamed')
  const chat = history('once')
  await chat.addMessages([named, unnamed])
  await chat.addMessages([named, unnamed])
  await history('once').addMessage(new HumanMessage({ content: 'named', id: 'n-1' }))
  expect((await chat.getMessages()).map(({ content }) => content)).toEqual(['named', 'unnamed'])
  const other = new HumanMessage({ content: 'another', id: 'n-1' })
  await expect(chat.addMessage(other)).rejects.toMatchObject({ code: 'CONFLICT', reason: 'CLIENT_ID' })
})

test('an append whose answer is lost is made again, and stored once', async () => {
  await using proxy = await TcpProxy.before(bed.server)
  const chat = history('lost', proxy)
  for (let n = 0; n < 20; n++) {
    const added = chat.addMessage(new HumanMessage(String(n)))
    // Before the request, between it and its answer, or after both: as it happens.
    for (let turns = Math.random() * 100; turns > 0; turns--) await turn()
    proxy.cut()
    await added
  }
  const contents = (await chat.getMessages()).map(({ content }) => Number(content))
  expect(contents).toEqual(Array.from({ length: 20 }, (_, n) => n))
})

test('messages stand in the order of the calls, whether or not anybody waits between them', async () => {
  await using proxy = await TcpProxy.before(bed.server)
  const chat = history('in order', proxy)
  proxy.stall()
  const added = Promise.all(Array.from({ length: 10 }, (_, n) => chat.addUserMessage(String(n))))
  await until(() => proxy.size > 0)
  // Whatever is on its way is tried again, each after a wait of its own.
  proxy.cut()
  proxy.resume()
  await added
  expect((await chat.getMessages()).map(({ content }) => Number(content))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('a history that was cleared is empty, takes its old messages again, and a missing one is empty too', async () => {
  const chat = history('cleared')
  expect(await chat.getMessages()).toEqual([])
  await chat.clear()
  const kept = new HumanMessage({ content: 'kept', id: 'k' })
  await chat.addMessages([new HumanMessage('old'), kept])
  await chat.clear()
  expect(await chat.getMessages()).toEqual([])
  const summary = new SystemMessage('summary')
  await chat.addMessages([kept, summary])
  expect(written(await chat.getMessages())).toEqual(written([kept, summary]))
})

test("a chain of LangChain's own remembers what was said", async () => {
  const seen: BaseMessage[][] = []
  const model = RunnableLambda.from((messages: BaseMessage[]) => {
    seen.push(messages)
    return new AIMessage(`Answer ${seen.length}.`)
  })
  const chain = new RunnableWithMessageHistory({ runnable: model, getMessageHistory: (id) => history(id) })
  const config = { configurable: { sessionId: 'chain' } }
  await chain.invoke([new HumanMessage('First?')], config)
  await chain.invoke([new HumanMessage('Second?')], config)
  expect(seen[1]?.map(({ content }) => content)).toEqual(['First?', 'Answer 1.', 'Second?'])
  const kept = await history('chain').getMessages()
  expect(kept.map(({ content }) => content)).toEqual(['First?', 'Answer 1.', 'Second?', 'Answer 2.'])
})

test('what JSON cannot hold is refused, and nothing is stored', async () => {
  const chat = history('refused')
  const bytes = new HumanMessage({ content: [{ type: 'image', data: new Uint8Array([1]), mimeType: 'image/png' }] })
  await expect(chat.addMessages([new HumanMessage('first'), bytes])).rejects.toThrow('base64')
  const none = new ToolMessage({ content: '', tool_call_id: 'c', artifact: { share: Number.NaN } })
  await expect(chat.addMessage(none)).rejects.toThrow('NaN')
  expect(await chat.getMessages()).toEqual([])
})

test('histories of one id and two users are two', async () => {
  await history('mine').addUserMessage('hello')
  expect(await history('mine', bed.server, 'bob').getMessages()).toEqual([])
})
