import { join } from 'node:path'
import { Chat } from '@ai-sdk/react'
import { FakeListChatModel } from '@langchain/core/utils/testing'
import { type AgentInputItem, type Model, tool, Usage } from '@openai/agents'
import { tool as aiTool, DefaultChatTransport, jsonSchema, type UIMessage, type UIMessageChunk } from 'ai'
import { MockLanguageModelV4, simulateReadableStream } from 'ai/test'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { loadChat, saveChat } from '../../client/src/ai-sdk.ts'
import { streamAnswer } from '../../client/src/ai-sdk-stream.ts'
import { readContext, streamMessage } from '../../client/src/index.ts'
import { ColloquySession } from '../../client/src/openai-agents.ts'
import { useBed } from '../support/bed.ts'
import { TcpProxy } from '../support/network/tcp-proxy.ts'
import { until } from '../support/until.ts'
import { writeBlocks } from './blocks.ts'

const bed = useBed()

// biome-ignore lint/suspicious/noExplicitAny: the blocks of the guide are modules that do not exist before the test.
type Block = any

/** The models that the blocks ask. */
const models: Block = {}
let place: string
let proxy: TcpProxy

const at = (conversationId: string) => ({
  url: `${bed.server.url}/graphql`,
  connectionParams: { 'x-user-id': 'ada' },
  conversationId,
})

beforeAll(async () => {
  Object.assign(globalThis, { models })
  const model = 'export const model = new Proxy({}, { get: (_, name) => globalThis.models.model[name] })'
  const others = 'export const { tools, chatModel, agentModel, agentTools } = globalThis.models'
  models.chatModel = new FakeListChatModel({ responses: ['It was shipped.', 'On Monday.'] })
  models.agentModel = agentModel
  models.tools = { weather }
  models.agentTools = [findOrder]
  proxy = await TcpProxy.before(bed.server)
  place = await writeBlocks('chats', proxy.url, { 'model.ts': `${model}\n${others}\n` })
})

afterAll(() => proxy[Symbol.asyncDispose]())

const json = (value: unknown) => JSON.parse(JSON.stringify(value))

/** A model of the AI SDK that says its pieces one by one, when it is told to. */
class SlowModel {
  readonly #controller = Promise.withResolvers<ReadableStreamDefaultController<Block>>()
  isAborted = false
  readonly model = new MockLanguageModelV4({
    doStream: async ({ abortSignal }) => {
      const stream = new ReadableStream<Block>({ start: (controller) => this.#controller.resolve(controller) })
      abortSignal?.addEventListener('abort', async () => {
        this.isAborted = true
        const controller = await this.#controller.promise
        controller.error(abortSignal.reason)
      })
      return { stream }
    },
  })

  async say(...parts: Block[]): Promise<void> {
    const controller = await this.#controller.promise
    for (const part of parts) controller.enqueue(part)
  }

  async end(): Promise<void> {
    await this.say({ type: 'text-end', id: 't' }, finish)
    ;(await this.#controller.promise).close()
  }
}

const usage = { inputTokens: { total: 1 }, outputTokens: { total: 1 } }
const finish = { type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage }
const reasoning = [
  { type: 'reasoning-start', id: 'r' },
  { type: 'reasoning-delta', id: 'r', delta: 'Hm' },
  { type: 'reasoning-delta', id: 'r', delta: '.' },
  { type: 'reasoning-end', id: 'r' },
]
const begin = [{ type: 'stream-start', warnings: [] }, ...reasoning, { type: 'text-start', id: 't' }]
const piece = (delta: string) => ({ type: 'text-delta', id: 't', delta })

/** A tab of a browser, with the routes of the guide behind it. */
async function openTab(id: string) {
  const { GET, POST } = await import(join(place, 'chat-routes.ts'))
  const { chatOptions } = await import(join(place, 'chat-options.ts'))
  const { resume, ...options } = await chatOptions(id)
  expect(resume).toBe(true)
  const closed = new AbortController()
  const transport = new DefaultChatTransport<UIMessage>({
    api: 'https://app.example/api/chat',
    fetch: async (url, init) => {
      const request = new Request(url as string, init)
      const response: Response = await (request.method === 'POST' ? POST(request) : GET(request))
      // As a server does whose client has gone away.
      const body = response.body?.pipeThrough(new TransformStream(), { signal: closed.signal })
      return new Response(body ?? null, response)
    },
  })
  const chat = new Chat<UIMessage>({ ...options, transport })
  return { chat, close: () => closed.abort(), resumed: chat.resumeStream() }
}

const textOf = (message: UIMessage | undefined) =>
  message?.parts.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('')

test('AI SDK: a tab that is loaded again in the middle of an answer shows what there is of it, and goes on live', async () => {
  const slow = new SlowModel()
  models.model = slow.model
  const first = await openTab('reload')
  await first.resumed
  void first.chat.sendMessage({ text: 'Is it cold?' })
  await slow.say(...begin, piece('It is '))
  await until(() => textOf(first.chat.messages[1]) === 'It is ')
  first.close()
  const second = await openTab('reload')
  expect(second.chat.messages).toEqual(json(first.chat.messages.slice(0, 1)))
  await until(() => textOf(second.chat.messages[1]) === 'It is ')
  expect(second.chat.status).toBe('streaming')
  expect(second.chat.messages[1]?.parts).toMatchObject([{ type: 'step-start' }, { type: 'reasoning', text: 'Hm.' }, {}])
  await slow.say(piece('very '))
  await until(() => textOf(second.chat.messages[1]) === 'It is very ')
  await slow.say(piece('cold.'))
  await slow.end()
  await second.resumed
  expect(second.chat.status).toBe('ready')
  expect(textOf(second.chat.messages[1])).toBe('It is very cold.')
  expect(second.chat.messages[1]?.id).toBe(first.chat.messages[1]?.id)
  expect(await loadChat(at('reload'))).toEqual(json(second.chat.messages))
  const third = await openTab('reload')
  await third.resumed
  expect(third.chat.messages).toEqual(json(second.chat.messages))
  expect(third.chat.status).toBe('ready')
})

test('AI SDK: connections that are lost lose and double nothing, of the answer that is stored and of the one that goes on', async () => {
  const slow = new SlowModel()
  models.model = slow.model
  const first = await openTab('lost')
  await first.resumed
  void first.chat.sendMessage({ text: 'Count.' })
  await slow.say(...begin, piece('0 '))
  await until(() => first.chat.messages.length === 2)
  const second = await openTab('lost')
  await until(() => textOf(second.chat.messages[1]) !== '')
  let text = '0 '
  for (let n = 1, cuts = 0; cuts < 4; cuts++) {
    proxy.cut()
    const before = text.length
    // The answer goes on while the tab comes back, and a while after it.
    for (let more = 0; more < 20; n++) {
      text += `${n} `
      await slow.say(piece(`${n} `))
      await until(() => textOf(first.chat.messages[1]) === text)
      if ((textOf(second.chat.messages[1])?.length ?? 0) > before) more += 1
    }
  }
  await until(() => textOf(second.chat.messages[1]) === text)
  await slow.end()
  await second.resumed
  expect(second.chat.messages).toEqual(json(first.chat.messages))
  expect(await loadChat(at('lost'))).toEqual(json(first.chat.messages))
})

test('AI SDK: a call that waits is there after a reload, and the answer goes on in its place after the approval', async () => {
  const call = { type: 'tool-call', toolCallId: 'c-1', toolName: 'weather', input: '{"city":"Köln"}' }
  const asked = { ...finish, finishReason: { unified: 'tool-calls', raw: 'tool_calls' } }
  const asking = () =>
    new MockLanguageModelV4({
      doStream: async () => ({
        stream: simulateReadableStream({ chunks: [...begin.slice(0, -1), call, asked] as Block[] }),
      }),
    })
  models.model = asking()
  const first = await openTab('approval')
  await first.resumed
  await first.chat.sendMessage({ text: 'Is it cold?' })
  await until(async () => (await loadChat(at('approval'))).length === 2)
  const second = await openTab('approval')
  await second.resumed
  expect(second.chat.messages).toEqual(json(first.chat.messages))
  const part = second.chat.messages[1]?.parts.find((one) => 'approval' in one) as Block
  const slow = new SlowModel()
  models.model = slow.model
  await second.chat.addToolApprovalResponse({ id: part.approval.id, approved: true })
  const sent = second.chat.sendMessage()
  await slow.say(...begin.slice(0, 1), { type: 'text-start', id: 't' }, piece('Three.'))
  await slow.end()
  await sent
  expect(second.chat.error).toBeUndefined()
  await until(async () => textOf((await loadChat(at('approval')))[1]) === 'Three.')
  expect(await loadChat(at('approval'))).toEqual(json(second.chat.messages))
  expect(second.chat.messages[1]?.parts).toMatchObject([
    { type: 'step-start' },
    { type: 'reasoning' },
    { type: 'tool-weather', state: 'output-available', output: { degrees: 3 } },
    { type: 'step-start' },
    { type: 'text', text: 'Three.' },
  ])
})

test('AI SDK: another answer is a version, also of a tab that was loaded again, and a stop from elsewhere stops the model', async () => {
  const ada = bed.server.as()
  const quick = new SlowModel()
  models.model = quick.model
  const tab = await openTab('anew')
  await tab.resumed
  const sent = tab.chat.sendMessage({ text: 'Is it cold?' })
  await quick.say(...begin, piece('Yes.'))
  await quick.end()
  await sent
  await until(async () => (await loadChat(at('anew'))).length === 2)
  const slow = new SlowModel()
  models.model = slow.model
  const again = tab.chat.regenerate()
  await slow.say(...begin, piece('No'))
  await until(() => textOf(tab.chat.messages[1]) === 'No')
  const reloaded = await openTab('anew')
  await until(() => textOf(reloaded.chat.messages[1]) === 'No')
  const query = '{ conversation(id: "anew") { activeLeaf { id siblings { count } } } }'
  const { activeLeaf } = (await ada.get(query)).conversation
  expect(activeLeaf.siblings.count).toBe(2)
  await ada.get('mutation ($id: ID!) { stopMessage(input: { messageId: $id }) { message { id } } }', activeLeaf)
  // The producer hears of it with the next piece of text.
  await slow.say(piece('.'))
  await until(() => slow.isAborted)
  await again
  await reloaded.resumed
  expect(textOf(reloaded.chat.messages[1])).toBe('No.')
  await until(async () => textOf((await loadChat(at('anew')))[1]) === 'No.')
  const after = await ada.get('{ conversation(id: "anew") { lastSeq activeLeaf { status } } }')
  expect(after).toEqual({ conversation: { lastSeq: 3, activeLeaf: { status: 'CANCELLED' } } })
})

test('AI SDK: a model that fails leaves what it said, and an answer of an agent goes on after a reload, too', async () => {
  models.model = new MockLanguageModelV4({
    doStream: async () => ({
      stream: simulateReadableStream({
        chunks: [...begin, piece('It is '), { type: 'error', error: new Error('away') }] as Block[],
      }),
    }),
  })
  const tab = await openTab('fails')
  await tab.chat.sendMessage({ text: 'Is it cold?' })
  expect(tab.chat.error).toBeDefined()
  await until(async () => textOf((await loadChat(at('fails')))[1]) === 'It is ')
  const { conversation } = await bed.server
    .as()
    .get('{ conversation(id: "fails") { lastMessage { status error { code } } } }')
  expect(conversation.lastMessage).toEqual({ status: 'FAILED', error: { code: 'MODEL_FAILED' } })
  const answer = streamMessage({ ...at('agent'), ifMissing: 'CREATE', messages: [{ role: 'USER', content: 'Cold?' }] })
  answer.write('Ye')
  await answer.started
  const watching = await openTab('agent')
  await until(() => textOf(watching.chat.messages[1]) === 'Ye')
  answer.write('s.')
  await answer.complete()
  await watching.resumed
  expect(watching.chat.messages.map(textOf)).toEqual(['Cold?', 'Yes.'])
})

test('AI SDK: what is too large to be streamed is in the answer when it ends', async () => {
  const messages: UIMessage[] = [{ id: 'q', role: 'user', parts: [{ type: 'text', text: 'Draw.' }] }]
  await saveChat({ ...at('large'), messages })
  const answer = streamAnswer({ ...at('large'), messages })
  const data = 'x'.repeat(200_000)
  const chunks = new ReadableStream<UIMessageChunk>({
    start: (controller) => {
      for (const chunk of [
        { type: 'start' },
        // Each replaces the one before: the answer is small, and its chunks are more than a message holds.
        ...Array.from({ length: 8 }, () => ({ type: 'data-drawing', id: 'd', data })),
        { type: 'text-start', id: 't' },
        { type: 'text-delta', id: 't', delta: 'There.' },
        { type: 'text-end', id: 't' },
        { type: 'finish' },
      ] as UIMessageChunk[])
        controller.enqueue(chunk)
      controller.close()
    },
  })
  const shown: UIMessageChunk[] = []
  for await (const chunk of answer.store(chunks)) shown.push(chunk)
  await answer.stored
  const [, stored] = await loadChat(at('large'))
  expect(stored?.parts).toMatchObject([
    { type: 'data-drawing', data },
    { type: 'text', text: 'There.' },
  ])
  expect(shown[0]).toEqual({ type: 'start', messageId: stored?.id })
})

test('LangChain: a chain goes on with the history of its conversation', async () => {
  const { ask } = await import(join(place, 'langchain.ts'))
  expect((await ask('langchain', 'Where is my order?')).content).toBe('It was shipped.')
  expect((await ask('langchain', 'When does it come?')).content).toBe('On Monday.')
  expect(await contents('langchain')).toEqual([
    'Where is my order?',
    'It was shipped.',
    'When does it come?',
    'On Monday.',
  ])
})

test('graphql-request: a call that is made again stores nothing twice', async () => {
  const { say } = await import(join(place, 'graphql-request.ts'))
  expect(await say('requests', 'Hello', 'c-1')).toBe(1)
  expect(await say('requests', 'Hello', 'c-1')).toBe(1)
  expect(await contents('requests')).toEqual(['Hello'])
})

async function contents(id: string): Promise<(string | null)[]> {
  const query = 'query ($id: ID!) { conversation(id: $id) { history { content } } }'
  const { conversation } = await bed.server.as().get(query, { id })
  return conversation.history.map(({ content }: { content: string | null }) => content)
}

const weather = aiTool({
  inputSchema: jsonSchema<{ city: string }>({ type: 'object', properties: { city: { type: 'string' } } }),
  needsApproval: true,
  execute: async () => ({ degrees: 3 }),
})

const findOrder = tool({
  name: 'find_order',
  description: 'Says where an order is.',
  parameters: z.object({ id: z.number() }),
  execute: async ({ id }) => `Order ${id}: shipped`,
})

/** Asks for two calls at first, and then says what it was told. */
const seen: AgentInputItem[][] = []
const agentModel: Model = {
  getResponse: async ({ input }) => {
    const items = typeof input === 'string' ? [] : input
    seen.push(json(items))
    const last = items.at(-1) as Block
    const call = (id: number) => ({
      type: 'function_call' as const,
      callId: `call-${seen.length}-${id}`,
      name: 'find_order',
      arguments: JSON.stringify({ id }),
      status: 'completed' as const,
    })
    const said = (text: string) => ({
      type: 'message' as const,
      role: 'assistant' as const,
      status: 'completed' as const,
      content: [{ type: 'output_text' as const, text }],
    })
    const output = last.role === 'user' ? [call(1), call(2)] : [said('Both were shipped.')]
    return { usage: new Usage(), output }
  },
  // biome-ignore lint/correctness/useYield: it is not asked for.
  getStreamedResponse: async function* () {
    throw new Error('It does not stream.')
  },
}

test('OpenAI Agents: runs go on with the session, and everybody else reads its texts, calls and results', async () => {
  const { ask } = await import(join(place, 'agents.ts'))
  expect(await ask('session', 'Where are my orders?')).toBe('Both were shipped.')
  expect(await ask('session', 'Sure?')).toBe('Both were shipped.')
  // The second run has seen the whole first one.
  expect(seen[2]?.map((item: Block) => item.type ?? item.role)).toEqual([
    'message',
    'function_call',
    'function_call',
    'function_call_result',
    'function_call_result',
    'message',
    'message',
  ])
  const session = new ColloquySession<AgentInputItem>(at('session'))
  const items = await session.getItems()
  expect(items).toHaveLength(12)
  expect(json(items.slice(0, 6))).toEqual(seen[2]?.slice(0, 6))
  const window = await readContext<Block>({ ...at('session'), maxTokens: 1_000, format: 'OPENAI_CHAT' })
  expect(window?.messages.slice(0, 5).map(({ role }: Block) => role)).toEqual([
    'user',
    'assistant',
    'tool',
    'assistant',
    'tool',
  ])
})

test('OpenAI Agents: items come back equal, the newest are read first and taken away, and a session is cleared', async () => {
  const session = new ColloquySession<AgentInputItem>(at('items'))
  expect(await session.getItems()).toEqual([])
  expect(await session.popItem()).toBeUndefined()
  await session.clearSession()
  const items: AgentInputItem[] = [
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'See' },
        { type: 'input_image', image: 'https://a.example/b.png' },
      ],
    },
    {
      type: 'reasoning',
      content: [],
      rawContent: [{ type: 'reasoning_text', text: 'Hm' }],
      providerData: { a: [1, null] },
    },
    ...Array.from({ length: 230 }, (_, n): AgentInputItem => ({ role: 'user', content: String(n) })),
    { type: 'hosted_tool_call', name: 'web_search', arguments: '{}', status: 'completed', output: 'x' },
  ]
  await session.addItems(items)
  expect(await session.getItems()).toEqual(items)
  expect(await session.getItems(150)).toEqual(items.slice(-150))
  expect(await session.getItems(0)).toEqual([])
  expect(await session.popItem()).toEqual(items.at(-1))
  expect(await session.getItems(1)).toEqual(items.slice(-2, -1))
  await session.addItems([{ role: 'user', content: 'more' }])
  expect(await session.getItems(2)).toEqual([...items.slice(-2, -1), { role: 'user', content: 'more' }])
  await session.clearSession()
  expect(await session.getItems()).toEqual([])
  await session.addItems([{ role: 'user', content: 'again' }])
  expect(await session.getItems()).toEqual([{ role: 'user', content: 'again' }])
  expect(await session.getSessionId()).toBe('items')
})
