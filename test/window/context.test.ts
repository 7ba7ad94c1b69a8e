import type { Worker } from 'node:worker_threads'
import o200k from 'gpt-tokenizer/encoding/o200k_base'
import { describe, expect, test } from 'vitest'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { blocked } from '../support/database/blocked.ts'
import { countStatements } from '../support/database/statements.ts'
import { expectNothingOpenAfterEach } from '../support/nothing-open.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const bed = useBed()
expectNothingOpenAfterEach(bed)

const system = (content: string) => ({ role: 'SYSTEM', content })
const user = (content: string) => ({ role: 'USER', content })
const text = (content: string) => ({ role: 'ASSISTANT', content })
const call = (...ids: string[]) => ({
  role: 'ASSISTANT',
  toolCalls: ids.map((callId) => ({ callId, name: 'find', arguments: '{"q":1}' })),
})
const result = (toolCallId: string) => ({ role: 'TOOL', toolCallId, content: `result of ${toolCallId}` })

let conversations = 0

/** A new conversation of these messages; answers its id. */
async function store(...messages: object[]): Promise<string> {
  const id = `context-${conversations++}`
  const append = 'mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }'
  await bed.server.as().get(append, { input: { conversationId: id, ifMissing: 'CREATE', messages } })
  return id
}

const window = 'system messages tokenCount included firstSeq lastSeq'
const contextOf = (fields: string) => `
  query ($id: ID!, $maxTokens: Int!, $system: String, $userMessage: MessageInput, $format: ContextFormat!, $encoding: TokenEncoding!, $reserve: Int,
    $maxImages: Int, $cacheMarks: Int! = 0, $reasoningContent: ReasoningContent! = NONE) {
    conversation(id: $id) { lastSeq context(
      maxTokens: $maxTokens, system: $system, userMessage: $userMessage, format: $format, encoding: $encoding, reserve: $reserve,
      maxImages: $maxImages, cacheMarks: $cacheMarks, reasoningContent: $reasoningContent
    ) { ${fields} } }
  }`
const defaults = { maxTokens: 100_000, format: 'OPENAI_CHAT', encoding: 'O200K_BASE' }

/** The window of a conversation, as its viewer gets it. */
async function read(id: string, args: object = {}, fields = window, api: Api = bed.server.as()) {
  return (await api.get(contextOf(fields), { ...defaults, id, ...args })).conversation.context
}

/** The first error of a window that must have one. */
async function refuse(id: string, args: object, api: Api = bed.server.as()) {
  return (await api.fail(contextOf(window), { ...defaults, id, ...args })).extensions
}

const contents = ({ messages }: { messages: { content: unknown }[] }) => messages.map(({ content }) => content)

async function ask(sql: string, ...values: unknown[]): Promise<Record<string, unknown>[]> {
  const client = await bed.database.connect()
  return (await client.query(sql, values)).rows
}

const countsOf = (id: string) =>
  ask(
    `select k.seq, k.encoding, k.revision::int, k.tokens from message_token_count k
     join conversation c on c.key = k.conversation_key where c.id = $1 order by k.encoding, k.seq`,
    id,
  )

describe('calls that wait', () => {
  const waiting = 'messages pendingCalls { callId name type arguments approved approvalId messageId }'
  const read = async (id: string, args: string) =>
    (await bed.server.as().get(`{ conversation(id: "${id}") { context(maxTokens: 1000${args}) { ${waiting} } } }`))
      .conversation.context
  const idOf = async (id: string, seq: number) =>
    (await bed.server.as().get(`{ conversation(id: "${id}") { message(seq: ${seq}) { id } } }`)).conversation.message.id

  test('are named, and the argument says what becomes of them', async () => {
    const id = await store(user('one'), call('a', 'b'), result('a'))
    const messageId = await idOf(id, 2)
    const b = { callId: 'b', name: 'find', type: 'function', arguments: '{"q":1}', messageId }
    const contents = async (args: string) => {
      const { messages, pendingCalls } = await read(id, args)
      expect(pendingCalls).toEqual([{ ...b, approved: null, approvalId: null }])
      return messages.slice(2).map(({ content }: { content: string }) => content)
    }
    const interrupted = ['result of a', 'Interrupted: this call was not answered.']
    expect(await contents('')).toEqual(interrupted)
    expect(await contents(', pendingCalls: OMIT')).toEqual(['result of a'])
    expect(await contents(', pendingCalls: KEEP'), 'OPENAI_CHAT knows no calls that wait').toEqual(interrupted)
    expect((await read(id, ', userMessage: { role: USER, content: "And?" }')).pendingCalls).toEqual([])
  })

  test('are not those that the provider runs, which stay where it paused', async () => {
    const search = { type: 'server_tool_use', id: 'srv', name: 'web_search', input: { query: 'cats' } }
    const paused = { role: 'ASSISTANT', partsFormat: 'ANTHROPIC', parts: [search], finishReason: 'pause_turn' }
    const { messages, pendingCalls } = await read(await store(user('one'), paused), ', format: ANTHROPIC')
    expect(messages[1]).toEqual({ role: 'assistant', content: [search] })
    expect(pendingCalls).toEqual([])
    const ended = await read(await store(user('one'), { ...paused, finishReason: 'end_turn' }), ', format: ANTHROPIC')
    expect(ended.messages).toHaveLength(1)
  })

  test('say whether people have allowed them', async () => {
    const part = (toolCallId: string, state: string, approval: object) => ({
      type: 'tool-find',
      toolCallId,
      state,
      input: { q: 1 },
      approval,
    })
    const parts = [
      part('a', 'approval-requested', { id: 'ask-a' }),
      part('b', 'approval-responded', { id: 'ask-b', approved: true }),
      part('c', 'approval-responded', { id: 'ask-c', approved: false }),
    ]
    const id = await store(user('one'), { role: 'ASSISTANT', partsFormat: 'AI_SDK', parts })
    const { messages, pendingCalls } = await read(id, ', format: AI_SDK, pendingCalls: KEEP')
    expect(messages[1].parts.slice(1)).toEqual(parts)
    expect(pendingCalls).toMatchObject([
      { callId: 'a', approved: false, approvalId: 'ask-a' },
      { callId: 'b', approved: true, approvalId: 'ask-b' },
    ])
  })
})

describe('a window', () => {
  test('is the instructions, the newest turns, oldest first, and then the new message', async () => {
    const id = await store(system('be kind'), user('one'), text('two'), user('three'), text('four'))
    const all = await read(id, { system: 'first of all', userMessage: user('five') })
    expect(all).toMatchObject({ system: null, included: 5, firstSeq: 2, lastSeq: 5 })
    expect(all.messages.map(({ role }: { role: string }) => role)).toEqual([
      ...['system', 'system', 'user', 'assistant', 'user', 'assistant', 'user'],
    ])
    expect(contents(all)).toEqual(['first of all', 'be kind', 'one', 'two', 'three', 'four', 'five'])
    expect(await read(id, { system: null, userMessage: null, reserve: null, maxImages: null })).toEqual(await read(id))
    expect(
      (await ask('select count(*)::int from message where content in ($1, $2)', 'first of all', 'five'))[0],
    ).toEqual({
      count: 0,
    })
  })

  test.each(['OPENAI_CHAT', 'OPENAI_RESPONSES', 'ANTHROPIC', 'AI_SDK', 'AI_SDK_MODEL'])(
    'is written as %s',
    async (format) => {
      const id = await store(
        system('be kind'),
        user('find it'),
        call('a', 'b'),
        result('b'),
        result('a'),
        text('found'),
      )
      const { system: apart, messages, tokenCount } = await read(id, { format })
      expect(JSON.stringify([apart, messages])).toContain('be kind')
      const order = ['find it', '"a"', 'result of a', 'found']
      const places = order.map((piece) => JSON.stringify(messages).indexOf(piece))
      expect(places).toEqual(places.toSorted((one, other) => one - other))
      expect(places).not.toContain(-1)
      expect(tokenCount).toBe((await read(id)).tokenCount)
    },
  )

  test('has as many pictures as its provider takes, or as the caller asks for, and counts no others', async () => {
    const picture = (at: number) => ({ type: 'image', source: { type: 'url', url: `https://example.com/${at}.png` } })
    const screenshots = Array.from({ length: 120 }, (_, at) => picture(at))
    const id = await store({ role: 'USER', parts: screenshots, partsFormat: 'ANTHROPIC' })
    const countIn = async (args: object) => {
      const { messages, tokenCount, omitted } = await read(
        id,
        { maxTokens: 1_000_000, ...args },
        `${window} omitted { reasons }`,
      )
      return [JSON.stringify(messages).split('example.com').length - 1, tokenCount, omitted.reasons]
    }
    expect(await countIn({ format: 'ANTHROPIC' })).toEqual([95, 4 + 95_000 + 25 * 5, ['IMAGE_LIMIT']])
    expect(await countIn({ format: 'OPENAI_CHAT' })).toEqual([120, 120_004, []])
    expect(await countIn({ format: 'OPENAI_CHAT', maxImages: 8 })).toEqual([8, 4 + 8_000 + 112 * 5, ['IMAGE_LIMIT']])
    expect(await countIn({ maxImages: 0 })).toEqual([0, 4 + 120 * 5, ['IMAGE_LIMIT']])
    const words = o200k.encode('[picture left out]').length
    expect(words).toBe(5)
  })

  test('of an empty conversation holds what is given', async () => {
    const data = await bed.server.as().get(
      `mutation { createConversation(input: { id: "context-empty" }) { conversation {
         context(maxTokens: 100, system: "be kind", userMessage: { role: USER, content: "hello" }) { ${window} omitted { messages tokens reasons } }
       } } }`,
    )
    const { context } = data.createConversation.conversation
    expect(contents(context)).toEqual(['be kind', 'hello'])
    expect(context).toMatchObject({ included: 0, firstSeq: null, lastSeq: null })
    expect(context.omitted).toEqual({ messages: 0, tokens: 0, reasons: [] })
  })

  test('has all instructions that the conversation begins with, however many', async () => {
    const instructions = Array.from({ length: 40 }, (_, n) => ({
      role: n % 2 ? 'SYSTEM' : 'DEVELOPER',
      content: `rule ${n}`,
    }))
    const id = await store(...instructions, user('old'), text('old'), system('later'), user('new'))
    const { tokenCount } = await read(id, { userMessage: user('x') })
    const cut = await read(id, { userMessage: user('x'), maxTokens: tokenCount - 1 })
    expect(contents(cut).slice(0, 40)).toEqual(instructions.map(({ content }) => content))
    expect(contents(cut).slice(40)).toEqual(['new', 'x'])
  })

  test('takes what just fits, and not a token more', async () => {
    const id = await store(user('a very long time ago'), text('yes'), user('and now'), text('no'))
    await edit(id, 1, 'a long time ago')
    const all = await read(id)
    expect(all.included).toBe(4)
    expect(await read(id, { maxTokens: all.tokenCount })).toEqual(all)
    const cut = await read(id, { maxTokens: all.tokenCount - 1 }, `${window} omitted { messages tokens reasons }`)
    expect(contents(cut)).toEqual(['and now', 'no'])
    expect(cut).toMatchObject({ included: 2, firstSeq: 3, lastSeq: 4 })
    expect(cut.omitted).toEqual({ messages: 2, tokens: all.tokenCount - cut.tokenCount, reasons: ['BUDGET'] })
    expect(await read(id, { maxTokens: all.tokenCount + 10, reserve: 10 })).toEqual(all)
    expect((await read(id, { maxTokens: all.tokenCount + 10, reserve: 11 })).included).toBe(2)
  })

  test('that cannot hold the newest turn is an error that says what would do', async () => {
    const id = await store(
      system('be kind'),
      user('old'),
      text('old'),
      user('find it'),
      call('a'),
      result('a'),
      text('found'),
    )
    const refused = await refuse(id, { maxTokens: 30, reserve: 5, system: 'first' })
    expect(refused).toMatchObject({ code: 'BAD_USER_INPUT', reason: 'CONTEXT_TOO_SMALL', limit: 30 })
    const needed = refused.needed as number
    const least = await read(id, { maxTokens: needed, reserve: 5, system: 'first' })
    expect(least).toMatchObject({ included: 5, firstSeq: 4, tokenCount: needed - 5 })
    expect(await refuse(id, { maxTokens: needed - 1, reserve: 5, system: 'first' })).toMatchObject({ needed })
    expect(await refuse(id, { maxTokens: 1, userMessage: user('x'.repeat(500)) })).toMatchObject({
      reason: 'CONTEXT_TOO_SMALL',
    })
  })

  test('leaves out what is deleted and what streams, and keeps what a failed message said', async () => {
    const id = await store(user('one'), text('two'), user('three'))
    const ada = bed.server.as()
    const { conversation } = await ada.get(`{ conversation(id: "${id}") { message(seq: 2) { id } } }`)
    await ada.get(`mutation { deleteMessage(input: { messageId: "${conversation.message.id}" }) { message { seq } } }`)
    const { startMessage } = await ada.get(
      `mutation { startMessage(input: { conversationId: "${id}" }) { message { id } attempt } }`,
    )
    const { attempt, message } = startMessage
    await ada.get(
      `mutation { appendMessageText(input: { messageId: "${message.id}", attempt: ${attempt}, chunk: 0, text: "half of it" }) { nextChunk } }`,
    )
    const fields = `${window} omitted { messages tokens reasons }`
    const streaming = await read(id, {}, fields)
    expect(contents(streaming)).toEqual(['one', 'three'])
    expect(streaming.omitted).toEqual({ messages: 1, tokens: 0, reasons: ['STREAMING'] })
    await ada.get(
      `mutation { completeMessage(input: { messageId: "${message.id}", attempt: ${attempt}, chunks: 1, status: FAILED }) { replayed } }`,
    )
    const failed = await read(id, {}, fields)
    expect(contents(failed)).toEqual(['one', 'three', 'half of it'])
    expect(failed.omitted).toEqual({ messages: 0, tokens: 0, reasons: [] })
  })
})

test('a window tells which names of tools it changed', async () => {
  const toolCalls = [{ callId: 'a', name: 'calendar.listEvents', arguments: '{}' }]
  const id = await store(user('When?'), { role: 'ASSISTANT', toolCalls }, result('a'))
  const fields = 'messages toolNames { name written } omitted { reasons }'
  const [written] = /calendar_listEvents_[0-9a-f]{16}/.exec(JSON.stringify(await read(id, {}, fields))) ?? []
  for (const format of ['OPENAI_CHAT', 'OPENAI_RESPONSES', 'ANTHROPIC']) {
    expect(await read(id, { format }, fields)).toMatchObject({
      toolNames: [{ name: 'calendar.listEvents', written }],
      omitted: { reasons: ['TOOL_NAME'] },
    })
  }
  expect((await read(id, { format: 'AI_SDK' }, fields)).toolNames).toEqual([])
})

test('a window has the marks for a cache that it is asked for, and none that were stored', async () => {
  const cache_control = { type: 'ephemeral' }
  const parts = [{ type: 'text', text: 'Stored.', cache_control }]
  const id = await store({ role: 'USER', parts, partsFormat: 'ANTHROPIC' }, text('Yes.'), user('And now?'))
  const fields = 'system messages omitted { reasons }'
  const bare = await read(id, { format: 'ANTHROPIC' }, fields)
  expect(JSON.stringify(bare)).not.toContain('cache_control')
  expect(bare.omitted.reasons).toEqual(['CACHE_MARK'])
  const marked = await read(id, { format: 'ANTHROPIC', system: 'Be brief.', cacheMarks: 2 }, fields)
  expect(marked.system).toEqual([{ type: 'text', text: 'Be brief.', cache_control }])
  expect(marked.messages.at(-1).content).toEqual([{ type: 'text', text: 'And now?', cache_control }])
  expect(marked.messages[0].content).toEqual([{ type: 'text', text: 'Stored.' }])
})

test('a window of chat completions has the reasoning that it is asked for, and counts it then', async () => {
  const parts = [{ type: 'reasoning_content', reasoning_content: 'Let me look it up.' }]
  const toolCalls = [{ callId: 'a', name: 'find', arguments: '{}' }]
  const id = await store(
    user('When?'),
    { role: 'ASSISTANT', parts, partsFormat: 'OPENAI_CHAT', toolCalls },
    result('a'),
  )
  const bare = await read(id)
  expect(JSON.stringify(bare.messages)).not.toContain('reasoning')
  const asked = await read(id, { reasoningContent: 'TOOL_CALLS' })
  expect(asked.messages[1]).toMatchObject({ role: 'assistant', reasoning_content: 'Let me look it up.' })
  expect(asked.tokenCount - bare.tokenCount).toBe(o200k.countTokens('Let me look it up.'))
})

describe('the answer of a mutation has the window', () => {
  const fields = `conversation { lastSeq context(maxTokens: 1000) { ${window} } }`

  test('of startMessage: with the messages that it stored, and without the one that it began', async () => {
    const id = await store(system('be kind'), user('one'), text('two'))
    const start = `mutation ($input: StartMessageInput!) { startMessage(input: $input) { message { seq } ${fields} } }`
    const input = { conversationId: id, messages: [user('three')], clientId: 'answer' }
    const { startMessage } = await bed.server.as().get(start, { input })
    expect(startMessage.message.seq).toBe(5)
    expect(startMessage.conversation.lastSeq).toBe(5)
    expect(contents(startMessage.conversation.context)).toEqual(['be kind', 'one', 'two', 'three'])
    expect(startMessage.conversation.context.lastSeq).toBe(4)
  })

  test('of startMessage: that creates the conversation', async () => {
    const start = `mutation ($input: StartMessageInput!) { startMessage(input: $input) { ${fields} } }`
    const input = { conversationId: 'context-created', ifMissing: 'CREATE', messages: [user('hello')] }
    const { startMessage } = await bed.server.as().get(start, { input })
    expect(contents(startMessage.conversation.context)).toEqual(['hello'])
  })

  test('of appendMessage and appendMessages: up to what they stored', async () => {
    const id = await store(user('one'))
    const ada = bed.server.as()
    const one = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { ${fields} } }`
    const { appendMessage } = await ada.get(one, { input: { conversationId: id, message: text('two') } })
    expect(contents(appendMessage.conversation.context)).toEqual(['one', 'two'])
    const many = `mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { ${fields} } }`
    const input = { conversationId: id, messages: [user('three'), text('four')] }
    const { appendMessages } = await ada.get(many, { input })
    expect(contents(appendMessages.conversation.context)).toEqual(['one', 'two', 'three', 'four'])
  })
})

test('a window ends with the last seq that the same answer has, whatever came meanwhile', async () => {
  const id = await store(user('one'), text('two'))
  const reading = await holdReading()
  const asked = bed.server.as().get(contextOf(window), { ...defaults, id })
  await blocked(reading)
  await bed.server.as().append(id, 'three')
  await reading.query('commit')
  const { conversation } = await asked
  expect(conversation.lastSeq).toBe(2)
  expect(contents(conversation.context)).toEqual(['one', 'two'])
})

test('a window of a conversation that is deleted meanwhile is NOT_FOUND, and of one without messages empty', async () => {
  const id = await store(user('one'))
  const ada = bed.server.as()
  const reading = await holdReading()
  const asked = refuse(id, {})
  await blocked(reading)
  await ada.get(`mutation { deleteConversation(input: { id: "${id}" }) { deletedConversationId } }`)
  await reading.query('commit')
  expect((await asked).code).toBe('NOT_FOUND')
  const cleared = await store(user('one'))
  await ada.get(`mutation { clearConversation(input: { id: "${cleared}" }) { conversation { id } } }`)
  expect(await read(cleared)).toMatchObject({ messages: [], included: 0, tokenCount: 0 })
})

describe('tokens', () => {
  test('are counted once and kept: the next window writes nothing, and takes what is kept', async () => {
    const id = await store(user('hello world'), text('hello'))
    const before = await read(id)
    expect(await countsOf(id)).toEqual([
      { seq: 1, encoding: 'O200K_BASE', revision: 0, tokens: 6 },
      { seq: 2, encoding: 'O200K_BASE', revision: 0, tokens: 5 },
    ])
    expect(before.tokenCount).toBe(11)
    const first = await store(user('another'))
    expect(await countStatements(bed.database, () => read(first))).toBe(7)
    expect(await countStatements(bed.database, () => read(first))).toBe(3)
    await ask("update message_token_count set tokens = 1000 where tokens = 6 and encoding = 'O200K_BASE'")
    expect((await read(id)).tokenCount).toBe(1005)
  })

  test('are those of all that a model reads, 4 for each message and each call, and 1000 for a picture', async () => {
    const of = (...texts: string[]) => texts.reduce((sum, one) => sum + o200k.encode(one).length, 0)
    const picture = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(10_000)}` } }
    const id = await store(
      { role: 'USER', parts: [{ type: 'text', text: 'what is this?' }, picture], partsFormat: 'OPENAI_CHAT' },
      call('a', 'b'),
      result('a'),
      result('b'),
    )
    await read(id)
    expect((await countsOf(id)).map(({ tokens }) => tokens)).toEqual([
      of('what is this?') + 4 + 1_000,
      2 * of('find', '{"q":1}') + 4 + 2 * 4,
      of('result of a') + 4,
      of('result of b') + 4,
    ])
  })

  test('are counted by each encoding for itself', async () => {
    const id = await store(user('Größenordnungsmäßig 今日はいい天気ですね'))
    const [o200k, cl100k] = [await read(id), await read(id, { encoding: 'CL100K_BASE' })]
    expect(cl100k.tokenCount).toBeGreaterThan(o200k.tokenCount)
    expect(await countsOf(id)).toEqual([
      { seq: 1, encoding: 'CL100K_BASE', revision: 0, tokens: cl100k.tokenCount },
      { seq: 1, encoding: 'O200K_BASE', revision: 0, tokens: o200k.tokenCount },
    ])
  })

  test('are counted of the messages that may come into the window, and of few others', async () => {
    const id = await store(
      ...Array.from({ length: 40 }, (_, n) => [user(' word'.repeat(400)), text(`answer ${n}`)]).flat(),
    )
    expect((await read(id, { maxTokens: 1_000 })).included).toBe(4)
    expect((await countsOf(id)).length).toBeLessThan(12)
  })

  test('of an edited message are counted anew', async () => {
    const id = await store(user('hello world'))
    expect((await read(id)).tokenCount).toBe(6)
    await edit(id, 1, 'hello')
    expect((await read(id)).tokenCount).toBe(5)
    expect((await countsOf(id)).map(({ tokens }) => tokens)).toEqual([5])
  })

  test('of an earlier conversation of the same id are not those of this one', async () => {
    const id = await store(user('hello world'.repeat(100)))
    await read(id)
    const ada = bed.server.as()
    await ada.get(`mutation { deleteConversation(input: { id: "${id}" }) { deletedConversationId } }`)
    await ada.append(id, 'hello')
    expect((await read(id)).tokenCount).toBe(5)
  })

  test('of what is not in the window are null while some were not counted', async () => {
    const id = await store(
      ...Array.from({ length: 60 }, (_, n) => [user(`question ${n}`), text(`answer ${n}`)])
        .flat()
        .slice(0, 100),
    )
    const omitted = `${window} omitted { messages tokens reasons }`
    const small = await read(id, { maxTokens: 30 }, omitted)
    expect(small.omitted).toEqual({ messages: 100 - small.included, tokens: null, reasons: ['BUDGET'] })
    const all = await read(id, {}, omitted)
    expect(all.omitted).toEqual({ messages: 0, tokens: 0, reasons: [] })
    const again = await read(id, { maxTokens: 30 }, omitted)
    expect(again.omitted.tokens).toBe(all.tokenCount - small.tokenCount)
  })

  test('of a message that is edited while they are counted are not kept', async () => {
    const id = await store(user('hello world'), text('hello'))
    const counting = await holdCounts()
    const asked = read(id)
    await blocked(counting)
    await edit(id, 1, 'hello')
    await counting.query('commit')
    expect((await asked).tokenCount).toBe(11)
    expect((await countsOf(id)).map(({ seq }) => seq)).toEqual([2])
    expect((await read(id)).tokenCount).toBe(10)
  })

  test('of messages that are gone when they were counted are not kept, and the window is answered', async () => {
    const id = await store(user('hello world'))
    const counting = await holdCounts()
    const asked = read(id)
    await blocked(counting)
    await bed.server.as().get(`mutation { deleteConversation(input: { id: "${id}" }) { deletedConversationId } }`)
    await counting.query('commit')
    expect((await asked).tokenCount).toBe(6)
    await until(async () => (await countsOf(id)).length === 0)
  })

  test('are the same from servers that count at once', async () => {
    const id = await store(...Array.from({ length: 50 }, (_, n) => [user(`question ${n}`), text(`answer ${n}`)]).flat())
    await using other = await serve(bed.database.url)
    const windows = await Promise.all(
      Array.from({ length: 10 }, (_, n) => read(id, {}, window, (n % 2 ? other : bed.server).as())),
    )
    for (const one of windows) expect(one).toEqual(windows[0])
    expect(await countsOf(id)).toHaveLength(100)
  })

  test('that cannot be counted are UNAVAILABLE, and the next window is answered', async () => {
    const id = await store(user('hello world'))
    const started = new Set<Worker>()
    const see = (thread: Worker) => void started.add(thread)
    process.on('worker', see)
    await using server = await serve(bed.database.url)
    const ada = server.as()
    const asked = ada.ask(contextOf(window), { ...defaults, id })
    await until(() => started.size > 0)
    process.off('worker', see)
    for (const thread of started) void thread.terminate()
    const answer = await asked
    expect(answer.errors?.map(({ extensions }) => extensions.code)).toEqual(['UNAVAILABLE'])
    expect((await read(id, {}, window, ada)).tokenCount).toBe(6)
  })
})

describe('a long conversation', () => {
  const narrow = useBed({ MAX_ANSWER_BYTES: '65536' })

  test('is read only as far as the window goes', async () => {
    const ada = narrow.server.as()
    await ada.append('long', 'the first')
    const client = await narrow.database.connect()
    await client.query(`
      insert into message (conversation_key, seq, role, content, size, created_at, updated_at)
      select key, n, case when n % 2 = 0 then 'ASSISTANT' else 'USER' end, 'message ' || n, 20, now(), now()
      from conversation, generate_series(2, 20000) n`)
    await client.query('update conversation set last_seq = 20000')
    const ask = () => read('long', { maxTokens: 500 }, window, ada)
    const first = await ask()
    expect(first).toMatchObject({ lastSeq: 20_000, firstSeq: 20_001 - first.included })
    expect(first.included).toBeGreaterThan(40)
    const { rows } = await client.query('select count(*)::int, min(seq) from message_token_count')
    expect(rows[0].count).toBeLessThan(first.included * 4)
    expect(await countStatements(narrow.database, ask)).toBe(3)
    expect(await ask()).toEqual(first)
    const { omitted } = await read('long', { maxTokens: 500 }, 'omitted { messages }', ada)
    expect(omitted.messages).toBe(20_000 - first.included)
  })

  test('is refused as a whole when the window has more bytes than an answer may', async () => {
    const ada = narrow.server.as()
    for (const content of ['a', 'b', 'c']) await ada.append('wide', `${content}word `.repeat(5_000))
    const error = await refuse('wide', { maxTokens: 100_000 }, ada)
    expect(error).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', path: 'context', limit: 65_536 })
    expect((await read('wide', { maxTokens: 12_000 }, window, ada)).included).toBe(1)
  })
})

describe('a window of somebody else', () => {
  test('is not to be had, in whatever way it is asked for', async () => {
    const id = await store(user('a secret'))
    const bob = bed.server.as({ 'x-user-id': 'bob' })
    const { conversation } = await bed.server.as().get(`{ conversation(id: "${id}") { message(seq: 1) { id } } }`)
    expect(await bob.get(`{ conversation(id: "${id}") { context(maxTokens: 100) { messages } } }`)).toEqual({
      conversation: null,
    })
    const node =
      'query ($id: ID!) { node(id: $id) { ... on Message { conversation { context(maxTokens: 100) { messages } } } } }'
    expect(await bob.get(node, { id: conversation.message.id })).toEqual({ node: null })
    expect(await countsOf(id)).toEqual([])
    await bob.append(id, 'mine')
    expect(contents(await read(id, {}, window, bob))).toEqual(['mine'])
  })
})

describe('a window has limits', () => {
  test.each([
    ['maxTokens', { maxTokens: 0 }],
    ['maxTokens', { maxTokens: 10_000_001 }],
    ['reserve', { reserve: -1 }],
    ['maxImages', { maxImages: -1 }],
    ['reserve', { maxTokens: 1_000, reserve: 1_000 }],
    ['system', { system: 'half \ud800' }],
    ['userMessage.role', { userMessage: text('x') }],
    ['userMessage', { userMessage: { role: 'USER' } }],
    ['cacheMarks', { cacheMarks: -1 }],
    ['cacheMarks', { cacheMarks: 5 }],
  ])('of %s: %o', async (path, args) => {
    const id = await store(user('x'))
    expect(await refuse(id, args)).toMatchObject({ code: 'BAD_USER_INPUT', path })
  })

  test('that are where they are said to be', async () => {
    const id = await store(user('x'))
    expect((await read(id, { maxTokens: 10_000_000, reserve: 9_999_000 })).included).toBe(1)
    const long = ' word'.repeat(209_715)
    expect(await read(id, { maxTokens: 1_000_000, system: `${long}x` })).toMatchObject({ included: 1 })
    expect(await refuse(id, { system: `${long}xx` })).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      path: 'system',
      limit: 1_048_576,
      actual: 1_048_577,
    })
    expect(await refuse(id, { userMessage: user(`${long}xx`) })).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
  })

  test('of ten in one operation', async () => {
    const id = await store(user('x'))
    const ada = bed.server.as()
    const of = (count: number) =>
      `{ conversation(id: "${id}") { ${Array.from({ length: count }, (_, n) => `a${n}: context(maxTokens: 100) { included }`).join(' ')} } }`
    expect(Object.keys((await ada.get(of(10))).conversation)).toHaveLength(10)
    expect((await ada.fail(of(11))).extensions).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', limit: 10, actual: 11 })
  })
})

async function edit(id: string, seq: number, content: string): Promise<void> {
  const ada = bed.server.as()
  const { conversation } = await ada.get(`{ conversation(id: "${id}") { message(seq: ${seq}) { id } } }`)
  const input = { messageId: conversation.message.id, content }
  await ada.get('mutation ($input: EditMessageInput!) { editMessage(input: $input) { message { seq } } }', { input })
}

/** Counts can be read and none can be kept until the transaction of this connection ends. */
async function holdCounts() {
  const client = await bed.database.connect()
  await client.query('begin')
  await client.query('lock table message_token_count in exclusive mode')
  return client
}

/** No window can be read until the transaction of this connection ends. */
async function holdReading() {
  const client = await bed.database.connect()
  await client.query('begin')
  await client.query('lock table message_token_count in access exclusive mode')
  return client
}
