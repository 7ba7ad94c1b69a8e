import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { runMessagesTurn } from '../../client/src/anthropic.ts'
import { type StreamOptions, streamMessage, toolName } from '../../client/src/index.ts'
import {
  type ChatClient,
  runChatTurn,
  runResponsesTurn,
  type Tool,
  type TurnOptions,
  type TurnResult,
} from '../../client/src/openai.ts'
import { useBed } from '../support/bed.ts'
import { TcpProxy } from '../support/network/tcp-proxy.ts'
import { expectNothingOpenAfterEach } from '../support/nothing-open.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'
import {
  chatScript,
  ModelServer,
  messagesScript,
  responsesScript,
  type Saying,
} from '../support/window/model-server.ts'

const bed = useBed({ POLL_MS: '50' })

expectNothingOpenAfterEach(bed)

interface Loop {
  readonly script: (saying: Saying) => Iterable<object>
  readonly run: (model: { readonly url: string }, options: TurnOptions) => Promise<TurnResult>
}

/** The real SDKs; no network is there, so they talk to a server of ours that speaks like their own. */
const loops: Record<string, Loop> = {
  'OpenAI chat completions': {
    script: chatScript,
    run: ({ url }, options) =>
      runChatTurn({ ...options, client: new OpenAI({ apiKey: 'k', baseURL: `${url}/v1`, maxRetries: 0 }) }),
  },
  'OpenAI responses': {
    script: responsesScript,
    run: ({ url }, options) =>
      runResponsesTurn({ ...options, client: new OpenAI({ apiKey: 'k', baseURL: `${url}/v1`, maxRetries: 0 }) }),
  },
  'Anthropic messages': {
    script: messagesScript,
    run: ({ url }, options) =>
      runMessagesTurn({
        ...options,
        client: new Anthropic({ apiKey: 'k', baseURL: url, maxRetries: 0 }),
        request: { max_tokens: 1_000, ...(options as { request?: object }).request },
      }),
  },
}

const orders: Record<string, Tool> = {
  find_order: {
    description: 'Finds an order.',
    parameters: { type: 'object', properties: { id: { type: 'integer' } }, required: ['id'] },
    execute: ({ id }: { id: number }) => ({ id, status: 'shipped' }),
  },
  fail: {
    parameters: { type: 'object' },
    execute: () => {
      throw new Error('The line is dead.')
    },
  },
}

const turn = (
  conversationId: string,
  more: Partial<TurnOptions> = {},
  server: { url: string } = bed.server,
): TurnOptions => ({
  url: `${server.url}/graphql`,
  connectionParams: { 'x-user-id': 'ada' },
  webSocketImpl: WebSocket,
  timeoutMs: 500,
  conversationId,
  ifMissing: 'CREATE',
  model: 'test-1',
  maxTokens: 10_000,
  system: 'Be brief.',
  tools: orders,
  ...more,
})

async function messagesOf(id: string) {
  const { conversation } = await bed.server.as().get(
    `query ($id: ID!) { conversation(id: $id) { messages(first: 100) { nodes {
      id parentId role status content parts partsFormat toolCalls { callId name arguments } toolCallId toolError model finishReason usage
      clientId error { code }
    } } } }`,
    { id },
  )
  return conversation.messages.nodes
}

const rolesOf = (messages: { role: string }[]) => messages.map(({ role }) => role)

const call = (id: string, name: string, text: string) => ({ id, name, arguments: text })

describe.each(Object.keys(loops))('%s', (name) => {
  const { script, run } = loops[name] as Loop

  test('the model reads as many pictures as the turn allows, the newest', async () => {
    const id = `pictures ${name}`
    const parts = [1, 2, 3].map((at) => ({
      type: 'image',
      source: { type: 'url', url: `https://example.com/${at}.png` },
    }))
    await bed.server.as().append(id, { role: 'USER', parts, partsFormat: 'ANTHROPIC' })
    await using model = await ModelServer.start(script({ texts: ['So.'] }))
    await run(model, turn(id, { userMessage: 'What?', maxImages: 2 }))
    const asked = JSON.stringify(model.requests[0])
    expect([...asked.matchAll(/\d\.png/g)].map(([file]) => file)).toEqual(['2.png', '3.png'])
  })

  test('a turn: the question, calls beside each other, their results, and the answer, each stored as it came', async () => {
    const asked = {
      reasoning: 'EqQB-signed',
      texts: ['Let me', ' see.'],
      calls: [
        call('call_1', 'find_order', '{"id": 4,  "note":"ü"}'),
        call('call_2', 'fail', ''),
        call('call_3', 'no_such_tool', '{}'),
      ],
    }
    await using model = await ModelServer.start(script(asked), script({ texts: ['It is ', 'on its ', 'way. 😀'] }))
    const id = `whole ${name}`
    const result = await run(model, turn(id, { userMessage: 'Where is order 4?' }))
    expect(result).toMatchObject({ outcome: 'COMPLETE', text: 'It is on its way. 😀', steps: 2 })

    const messages = await messagesOf(id)
    expect(rolesOf(messages)).toEqual(['USER', 'ASSISTANT', 'TOOL', 'TOOL', 'TOOL', 'ASSISTANT'])
    expect(messages.every(({ status }: { status: string }) => status === 'COMPLETE')).toBe(true)
    expect(messages[1]).toMatchObject({
      content: 'Let me see.',
      toolCalls: [
        { callId: 'call_1', name: 'find_order', arguments: '{"id": 4,  "note":"ü"}' },
        { callId: 'call_2', name: 'fail' },
        { callId: 'call_3', name: 'no_such_tool', arguments: '{}' },
      ],
      model: name.startsWith('OpenAI') ? 'gpt-test-1' : 'claude-test-1',
    })
    expect(messages[1].usage).toMatchObject(
      name === 'OpenAI chat completions' ? { completion_tokens: 5 } : { input_tokens: 7, output_tokens: 5 },
    )
    expect(messages[2]).toMatchObject({ toolCallId: 'call_1', content: '{"id":4,"status":"shipped"}', toolError: null })
    expect(messages[3]).toMatchObject({ toolCallId: 'call_2', content: 'The line is dead.', toolError: true })
    expect(messages[4]).toMatchObject({
      toolCallId: 'call_3',
      content: 'There is no tool no_such_tool.',
      toolError: true,
    })

    // What the model was given the second time holds what it had said, unchanged.
    const given = JSON.stringify(model.requests[1])
    for (const words of [
      'Be brief.',
      'Where is order 4?',
      'Let me see.',
      'shipped',
      'The line is dead.',
      'find_order',
    ]) {
      expect(given).toContain(words)
    }
    const [, second] = model.requests as { input?: unknown[]; messages?: { content: unknown }[] }[]
    // Without arguments there are none; the API wants them to be JSON.
    const items = messages[1].parts?.map((item: object) =>
      'arguments' in item ? { ...item, arguments: item.arguments || '{}' } : item,
    )
    if (name === 'OpenAI responses') expect(second?.input).toEqual(expect.arrayContaining(items))
    if (name === 'Anthropic messages') expect(second?.messages?.[1]?.content).toEqual(messages[1].parts)
    if (name !== 'OpenAI chat completions') expect(given).toContain('EqQB-signed')
    expect(model.requests[1]).toMatchObject({ model: 'test-1', tools: [{}, {}] })
    // Nothing is stored at the provider, so its reasoning has to come with the answer.
    const apart = { store: false, include: ['reasoning.encrypted_content'] }
    if (name === 'OpenAI responses') expect(model.requests[1]).toMatchObject(apart)
    if (name === 'OpenAI chat completions')
      expect(model.requests[1]).toMatchObject({ stream_options: { include_usage: true } })
  })

  test('a tool whose name the provider refuses is called by another one, and runs and is stored under its own', async () => {
    const id = `names ${name}`
    const names = ['calendar.listEvents', 'поиск', 'x'.repeat(200), 'fine']
    const ran: string[] = []
    const tools = Object.fromEntries(
      names.map((own): [string, Tool] => [own, { parameters: { type: 'object' }, execute: () => void ran.push(own) }]),
    )
    const described = (body: Record<string, unknown>) =>
      (body.tools as { name?: string; function?: { name: string } }[]).map((tool) => tool.name ?? tool.function?.name)
    // The model calls each tool as it was described to it.
    const callAll = (body: Record<string, unknown>) =>
      script({ calls: described(body).map((written, at) => call(`call_${at}`, String(written), '{}')) })
    await using model = await ModelServer.start(callAll, script({ texts: ['Done.'] }))
    await run(model, turn(id, { userMessage: 'All of them.', tools }))
    expect(ran).toEqual(names)

    const [, asked, ...results] = await messagesOf(id)
    expect(asked.toolCalls.map((made: { name: string }) => made.name)).toEqual(names)
    const inParts = (asked.parts ?? []).flatMap((part: { name?: string }) => part.name ?? [])
    expect(inParts).toEqual(name === 'OpenAI chat completions' ? [] : names)
    expect(rolesOf(results)).toEqual(['TOOL', 'TOOL', 'TOOL', 'TOOL', 'ASSISTANT'])
    const [first, second] = model.requests as [Record<string, unknown>, Record<string, unknown>]
    expect(described(second)).toEqual(described(first))
    for (const written of described(first)) expect(JSON.stringify(second)).toContain(`"${written}"`)
    expect(JSON.stringify(second)).not.toContain('calendar.listEvents')
  })

  test('a conversation goes on by its id, with what was said before', async () => {
    await using model = await ModelServer.start(script({ texts: ['One.'] }), script({ texts: ['Two.'] }))
    const id = `on ${name}`
    await run(model, turn(id, { userMessage: 'First?' }))
    await run(model, turn(id, { userMessage: { content: 'Second?', name: 'Ada', clientId: 'mine' } }))
    for (const words of ['First?', 'One.', 'Second?']) expect(JSON.stringify(model.requests[1])).toContain(words)
    expect((await messagesOf(id))[2]).toMatchObject({ content: 'Second?', clientId: 'mine' })
  })

  test('the text is there for others while the model still writes it, and a stop request cancels the model', async () => {
    const id = `stop ${name}`
    let isGone = false
    async function* endless() {
      const events = [...script({ texts: ['Once ', 'upon '] })]
      const lastText = events.findLastIndex((event) => JSON.stringify(event).includes('"upon "'))
      yield* events.slice(0, lastText + 1)
      const more = events[lastText] as object
      while (!isGone) {
        yield more
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    await using model = await ModelServer.start(endless())
    const running = run(model, turn(id, { userMessage: 'Tell me a story.' }))
    try {
      await until(async () => {
        const { conversation } = await bed.server
          .as()
          .get('query ($id: ID!) { conversation(id: $id) { lastSeq } }', { id })
        return conversation?.lastSeq === 2 && (await messagesOf(id))[1].content?.startsWith('Once upon ')
      })
      const [, { id: messageId, status }] = await messagesOf(id)
      expect(status).toBe('STREAMING')
      await bed.server
        .as()
        .get('mutation ($id: ID!) { stopMessage(input: { messageId: $id }) { message { id } } }', { id: messageId })
      expect(await running).toMatchObject({ outcome: 'CANCELLED', messageId })
    } finally {
      isGone = true
    }
    expect((await messagesOf(id))[1]).toMatchObject({ status: 'CANCELLED' })
    expect((await messagesOf(id))[1].content).toMatch(/^Once upon /)
  })

  test('a turn branches: an answer anew, and a question anew, each with its calls', async () => {
    const id = `branch ${name}`
    const again = { calls: [call('call_1', 'find_order', '{"id":1}')] }
    await using model = await ModelServer.start(
      script({ texts: ['One.'] }),
      script(again),
      script({ texts: ['Two.'] }),
      script({ texts: ['Three.'] }),
    )
    await run(model, turn(id, { userMessage: 'Where?' }))
    const [question] = await messagesOf(id)
    expect(await run(model, turn(id, { parentId: question.id }))).toMatchObject({ text: 'Two.' })
    await run(model, turn(id, { userMessage: 'When?', parentId: id }))
    const stored = await messagesOf(id)
    const seqs = new Map(stored.map((message: { id: string }, index: number) => [message.id, index + 1]))
    const parents = stored.map(({ parentId }: { parentId: string }) => seqs.get(parentId) ?? null)
    expect(rolesOf(stored)).toEqual(['USER', 'ASSISTANT', 'ASSISTANT', 'TOOL', 'ASSISTANT', 'USER', 'ASSISTANT'])
    expect(parents).toEqual([null, 1, 1, 3, 4, null, 6])
    // Each read its own path only.
    const asked = model.requests.map((request) => JSON.stringify(request))
    expect(asked[2]).not.toContain('One.')
    expect(asked[3]).not.toContain('Where?')
  })

  test('a turn that is cancelled while its tools run keeps their results', async () => {
    const id = `abort ${name}`
    const cancel = new AbortController()
    const tools = { wait: { parameters: { type: 'object' }, execute: () => cancel.abort() } }
    await using model = await ModelServer.start(script({ calls: [call('call_1', 'wait', '{}')] }))
    const result = await run(model, turn(id, { userMessage: 'Wait.', tools, signal: cancel.signal }))
    expect(result.outcome).toBe('CANCELLED')
    expect(rolesOf(await messagesOf(id))).toEqual(['USER', 'ASSISTANT', 'TOOL'])
    expect(model.requests).toHaveLength(1)
  })

  test('a turn that the provider refuses fails, and the same turn again goes on', async () => {
    const id = `refused ${name}`
    await using model = await ModelServer.start(
      script({ calls: [call('call_1', 'find_order', '{"id":1}')] }),
      { status: 429 },
      script({ texts: ['Here.'] }),
    )
    const options = turn(id, { userMessage: 'Where?', turnId: 't-1' })
    await expect(run(model, options)).rejects.toMatchObject({ status: 429 })
    expect((await messagesOf(id)).at(-1)).toMatchObject({ status: 'FAILED', error: { code: 'MODEL_FAILED' } })
    expect(await run(model, options)).toMatchObject({ outcome: 'COMPLETE', text: 'Here.' })
    expect(rolesOf(await messagesOf(id))).toEqual(['USER', 'ASSISTANT', 'TOOL', 'ASSISTANT', 'ASSISTANT'])
    // And once more: all of it is there, and nobody is asked.
    expect(await run(model, options)).toMatchObject({ outcome: 'COMPLETE', text: 'Here.' })
    expect(await messagesOf(id)).toHaveLength(5)
    expect(model.requests).toHaveLength(3)
  })

  test('an answer that breaks off is a failure, and not an answer', async () => {
    const id = `broken ${name}`
    const events = [...script({ texts: ['Half', ' of it'] })]
    await using model = await ModelServer.start(
      events.slice(
        0,
        events.findLastIndex((event) => JSON.stringify(event).includes('" of it"')),
      ),
    )
    await expect(run(model, turn(id, { userMessage: '?' }))).rejects.toThrow('before it was complete')
    expect((await messagesOf(id))[1]).toMatchObject({ status: 'FAILED', content: 'Half' })
  })

  test('a turn that was lost between its steps is taken up again, and no tool runs twice whose result is stored', async () => {
    const id = `lost ${name}`
    let runs = 0
    const tools = { count: { parameters: { type: 'object' }, execute: () => ++runs } }
    await using model = await ModelServer.start(
      script({ calls: [call('call_1', 'count', '{}')] }),
      script({ texts: ['Done.'] }),
    )
    const options = turn(id, { userMessage: 'Count.', turnId: 't-2', tools })
    expect(await run(model, { ...options, maxSteps: 1 })).toMatchObject({ outcome: 'STEPS', steps: 1 })
    expect(await run(model, options)).toMatchObject({ outcome: 'COMPLETE', text: 'Done.', steps: 2 })
    expect(runs).toBe(1)
    expect(rolesOf(await messagesOf(id))).toEqual(['USER', 'ASSISTANT', 'TOOL', 'ASSISTANT'])
  })

  test('a turn whose process has died is made anew once the server knows it, and nobody writes beside one that lives', async () => {
    const id = `dead ${name}`
    const options = turn(id, { userMessage: 'Are you there?', turnId: 't-3' })
    const dead = new AbortController()
    const stream = streamMessage({
      ...options,
      messages: [{ role: 'USER', content: 'Are you there?', clientId: 't-3/user' }],
      clientId: 't-3/0',
      timeoutSeconds: 1,
      signal: dead.signal,
      model: 'test-1',
    } as StreamOptions)
    stream.write('I was ')
    await until(async () => (await messagesOf(id).catch(() => []))[1]?.content === 'I was ')
    await using model = await ModelServer.start(script({ texts: ['Here I am.'] }))
    await expect(run(model, options)).rejects.toMatchObject({ code: 'CONFLICT', reason: 'STARTED' })
    stream.write('alive')
    await until(async () => (await messagesOf(id))[1].content === 'I was alive')
    dead.abort()
    await until(async () => (await messagesOf(id))[1].status === 'FAILED')
    expect(await run(model, options)).toMatchObject({ outcome: 'COMPLETE', text: 'Here I am.' })
    const messages = await messagesOf(id)
    expect(messages.map(({ content }: { content: string }) => content)).toEqual([
      'Are you there?',
      'I was alive',
      'Here I am.',
    ])
  })

  test('a turn whose process has died before it wrote anything is taken over in its place', async () => {
    const id = `silent ${name}`
    const options = turn(id, { userMessage: 'Are you there?', turnId: 't-4' })
    const dead = new AbortController()
    const stream = streamMessage({
      ...options,
      messages: [{ role: 'USER', content: 'Are you there?', clientId: 't-4/user' }],
      clientId: 't-4/0',
      signal: dead.signal,
    } as StreamOptions)
    await stream.started
    dead.abort()
    await using model = await ModelServer.start(script({ texts: ['Here I am.'] }))
    expect(await run(model, options)).toMatchObject({ outcome: 'COMPLETE', text: 'Here I am.' })
    expect(rolesOf(await messagesOf(id))).toEqual(['USER', 'ASSISTANT'])
  })

  test('a model that says nothing at all has answered all the same', async () => {
    const id = `nothing ${name}`
    await using model = await ModelServer.start(script({}), script({ texts: ['Now.'] }))
    expect(await run(model, turn(id, { userMessage: '?' }))).toMatchObject({ outcome: 'COMPLETE', text: '' })
    expect(await run(model, turn(id, { userMessage: 'Well?' }))).toMatchObject({ outcome: 'COMPLETE', text: 'Now.' })
  })

  test('never lost after it was paid for: what cannot be stored beside the text costs no answer and no turn', async () => {
    const id = `paid ${name}`
    const [first, second] = [call('c1', 'find_order', '{"id":4}'), call('c2', 'x'.repeat(256), '{}')]
    const odd = { reasoning: 'sig\0', refusal: 'No\0' }
    await using model = await ModelServer.start(
      script({ ...odd, texts: ['Let me see.'], calls: [first] }),
      script({ ...odd, texts: ['It was ', 'shipped.'] }),
      script({ texts: ['I cannot.'], calls: [second] }),
      script({ texts: ['Now.'] }),
    )
    const { outcome, text, error } = await run(model, turn(id, { userMessage: 'Where is 4?' }))
    expect({ outcome, text, code: error?.code }).toEqual({
      outcome: 'COMPLETE',
      text: 'It was shipped.',
      code: 'NOT_STORED',
    })
    expect(error?.message).toMatch(/^parts: /)
    expect(await messagesOf(id)).toMatchObject([
      { role: 'USER' },
      {
        content: 'Let me see.',
        status: 'COMPLETE',
        toolCalls: [{ callId: 'c1' }],
        parts: null,
        error: { code: 'NOT_STORED' },
      },
      { role: 'TOOL', toolCallId: 'c1' },
      { content: 'It was shipped.', status: 'COMPLETE', parts: null, error: { code: 'NOT_STORED' } },
    ])
    const lost = await run(model, turn(id, { userMessage: 'And 5?' }))
    expect(lost).toMatchObject({ outcome: 'COMPLETE', text: 'I cannot.', error: { code: 'NOT_STORED' } })
    expect(await run(model, turn(id, { userMessage: 'Well?' }))).toMatchObject({ text: 'Now.', error: null })
  })

  test('never lost after it was paid for: a text with what no server stores is stored without it, and says so', async () => {
    const id = `nul ${name}`
    await using model = await ModelServer.start(script({ texts: ['a', '\0', '\ud83d', '\ude00', 'b\udc00'] }))
    const text = 'a\ufffd😀b\ufffd'
    const result = await run(model, turn(id, { userMessage: '?' }))
    expect(result).toMatchObject({ outcome: 'COMPLETE', text, error: { code: 'NOT_STORED' } })
    expect(result.error?.message).toContain('content: ')
    expect((await messagesOf(id))[1]).toMatchObject({ status: 'COMPLETE', content: text })
  })

  test('never lost after it was paid for: a result of a tool that cannot be stored is told to the model, and the turn goes on', async () => {
    const results: Record<string, () => unknown> = {
      fine: () => 'fine',
      nul: () => 'a\0b',
      half: () => ({ toString: 1, text: '\ud83d' }),
      surrogate: () => 'half \ud83d',
      thrown: () => {
        throw new Error('bad \0')
      },
      large: () => `é${'x'.repeat(1_100_000)}`,
      huge: () => 'y'.repeat(5_000_000),
    }
    const tools = Object.fromEntries(
      Object.entries(results).map(([key, execute]) => [key, { parameters: { type: 'object' }, execute }]),
    )
    const names = Object.keys(results)
    const calls = names.map((key) => call(`call_${key}`, key, '{}'))
    for (const more of [{}, { maxSteps: 1 }]) {
      const id = `results ${name} ${JSON.stringify(more)}`
      await using model = await ModelServer.start(script({ texts: ['Wait.'], calls }), script({ texts: ['So.'] }))
      const options = turn(id, { userMessage: '?', turnId: 't', tools, maxTokens: 100_000, timeoutMs: 15_000 })
      const first = await run(model, { ...options, ...more })
      expect(first.outcome).toBe('maxSteps' in more ? 'STEPS' : 'COMPLETE')
      // Again: what is stored is neither asked nor run.
      expect(await run(model, options)).toMatchObject({ outcome: 'COMPLETE', text: 'So.' })
      expect(model.requests).toHaveLength(2)
      const stored = (await messagesOf(id)).slice(2, -1)
      const said = Object.fromEntries(
        stored.map(
          ({ toolCallId, toolError, content }: { toolCallId: string; toolError: boolean; content: string }) => [
            toolCallId.slice(5),
            { toolError, content },
          ],
        ),
      )
      expect(Object.keys(said)).toEqual(names)
      const refused = (reason: string, begins: string) => ({
        toolError: true,
        content: expect.stringMatching(new RegExp(`^The result was not stored: ${reason} It begins: ${begins}`)),
      })
      expect(said).toEqual({
        fine: { toolError: null, content: 'fine' },
        nul: refused('it must not contain the character NUL\\.', 'a\ufffdb$'),
        // JSON writes a half as an escape.
        half: { toolError: null, content: '{"toString":1,"text":"\\ud83d"}' },
        surrogate: refused('it must be valid Unicode: .*', 'half \ufffd$'),
        thrown: refused('it must not contain the character NUL\\.', 'bad \ufffd$'),
        large: refused('it has 11\\d{5} bytes, and at most 1048576 are allowed\\.', 'éx{999}$'),
        huge: refused('It is larger than the server takes at once\\.', 'y{1000}$'),
      })
      expect(JSON.stringify(model.requests[1])).toContain('The result was not stored')
    }
  })

  test('as many calls as the server takes messages at once, and more, get their results', async () => {
    for (const count of [99, 100, 101]) {
      const id = `${count} calls ${name}`
      const calls = Array.from({ length: count }, (_, n) => call(`call_${n}`, 'find_order', `{"id":${n}}`))
      await using model = await ModelServer.start(script({ calls }), script({ texts: ['All.'] }))
      expect(await run(model, turn(id, { userMessage: '?' }))).toMatchObject({ outcome: 'COMPLETE', text: 'All.' })
    }
  })

  test('connections that are cut cost nothing: nothing is lost, and nothing is there twice', async () => {
    const id = `cut ${name}`
    await using proxy = await TcpProxy.before(bed.server)
    const texts = Array.from({ length: 40 }, (_, n) => `${n} `)
    async function* disturbed() {
      for (const event of script({ texts })) {
        yield event
        if (Math.random() < 0.2) proxy.cut()
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    await using model = await ModelServer.start(
      (function* () {
        proxy.cut()
        yield* script({ calls: [call('call_1', 'find_order', '{"id":1}')] })
        proxy.cut()
      })(),
      disturbed(),
    )
    const result = await run(model, turn(id, { userMessage: 'Count.' }, proxy))
    expect(result.text).toBe(texts.join(''))
    expect(rolesOf(await messagesOf(id))).toEqual(['USER', 'ASSISTANT', 'TOOL', 'ASSISTANT'])
  })

  test('a question that is larger than the window fails the answer, and says so', async () => {
    const id = `small ${name}`
    await using model = await ModelServer.start()
    const options = turn(id, { userMessage: 'word '.repeat(500), maxTokens: 100 })
    await expect(run(model, options)).rejects.toMatchObject({ code: 'BAD_USER_INPUT', reason: 'CONTEXT_TOO_SMALL' })
    expect((await messagesOf(id))[1]).toMatchObject({ status: 'FAILED', error: { code: 'CONTEXT_TOO_SMALL' } })
    expect(model.requests).toHaveLength(0)
  })

  test('many turns under a small window are all taken by the provider', async () => {
    const id = `window ${name}`
    const sayings: Saying[] = Array.from({ length: 24 }, (_, n) =>
      n % 2 === 0
        ? {
            texts: ['Looking.'],
            calls: [call(`call_${n % 3}`, 'find_order', `{"id":${n}}`), call(`call_x${n}`, 'fail', '')],
          }
        : { texts: [`Answer ${n}.`] },
    )
    await using model = await ModelServer.start(...sayings.map((saying) => script(saying)))
    for (let n = 0; n < 12; n++) {
      const result = await run(model, turn(id, { userMessage: `Question ${n}?`, maxTokens: 300 }))
      expect(result).toMatchObject({ outcome: 'COMPLETE', text: `Answer ${2 * n + 1}.` })
    }
    expect(JSON.stringify(model.requests.at(-1))).not.toContain('Question 0?')
  })
})

test('what chat completions hold beside text and calls comes back: a refusal, and what a provider adds to a call', async () => {
  const { run } = loops['OpenAI chat completions'] as Loop
  const extra = { extra_content: { google: { thought_signature: 'abc' } } }
  function* signed() {
    const [first, ...rest] = chatScript({ calls: [call('', 'find_order', '{"id":1}')] })
    yield first as object
    for (const event of rest as { choices: { delta: { tool_calls?: object[] } }[] }[]) {
      const named = event.choices[0]?.delta.tool_calls?.[0]
      if (named !== undefined && 'type' in named) Object.assign(named, extra)
      yield event
    }
  }
  const refusal = chatScript({ texts: ['Well, '], refusal: 'I will not.' })
  await using model = await ModelServer.start(signed(), refusal, chatScript({ texts: ['Hello.'] }))
  await run(model, turn('chat', { userMessage: 'Find it.' }))
  const [, asked, , refused] = await messagesOf('chat')
  // A provider that gives its calls no ids: they get one.
  expect(asked.toolCalls[0].callId).toMatch(/^call_/)
  const parts = [
    { type: 'text', text: 'Well, ' },
    { type: 'refusal', refusal: 'I will not.' },
  ]
  expect(refused).toMatchObject({ content: 'Well, ', parts, partsFormat: 'OPENAI_CHAT' })
  await run(model, turn('chat', { userMessage: 'And hello?' }))
  const { messages } = model.requests[2] as { messages: { tool_calls?: object[]; content: unknown }[] }
  expect(messages[2]?.tool_calls?.[0]).toMatchObject(extra)
  expect(messages[4]?.content).toEqual(parts)
})

test('reasoning that chat completions answer beside the text is kept, and given back where the turn asks for it', async () => {
  const { run } = loops['OpenAI chat completions'] as Loop
  const detail = { type: 'reasoning.text', format: 'unknown', index: 0 }
  const deltas = [
    { reasoning_content: 'Let me ' },
    { reasoning_content: 'look.', reasoning: 'I ' },
    { reasoning: 'look.', reasoning_details: [{ ...detail, text: 'I ' }] },
    { reasoning_details: [{ ...detail, text: 'look.', signature: null }] },
    {
      reasoning_details: [
        { ...detail, signature: 's' },
        { type: 'reasoning.encrypted', index: 1, data: 'ab' },
      ],
    },
    { reasoning_details: [{ type: 'reasoning.encrypted', index: 1, data: 'cd' }], reasoning_content: null },
  ]
  const look = { deltas, texts: ['I look.'], calls: [call('call_1', 'find_order', '{"id":1}')] }
  const said = { deltas: [{ reasoning_content: 'It is there.' }], texts: ['There.'] }
  await using model = await ModelServer.start(
    chatScript(look),
    chatScript(said),
    chatScript({ texts: ['1'] }),
    chatScript({ texts: ['2'] }),
  )
  const fields = {
    reasoning_content: 'Let me look.',
    reasoning: 'I look.',
    reasoning_details: [
      { ...detail, text: 'I look.', signature: 's' },
      { type: 'reasoning.encrypted', index: 1, data: 'abcd' },
    ],
  }
  await run(model, turn('thinks', { userMessage: 'Where?', reasoningContent: 'TOOL_CALLS' }))
  const [, asked, , answered] = await messagesOf('thinks')
  expect(asked).toMatchObject({ content: 'I look.', partsFormat: 'OPENAI_CHAT' })
  expect(asked.parts).toEqual(Object.entries(fields).map(([type, value]) => ({ type, [type]: value })))
  expect(answered.parts).toEqual([{ type: 'reasoning_content', reasoning_content: 'It is there.' }])

  await run(model, turn('thinks', { userMessage: 'Sure?', reasoningContent: 'ALL' }))
  await run(model, turn('thinks', { userMessage: 'Really?' }))
  const given = model.requests.map(({ messages }) => messages) as Record<string, unknown>[][]
  expect(given[1]?.[2]).toEqual({ role: 'assistant', content: 'I look.', tool_calls: [expect.anything()], ...fields })
  expect(given[2]?.[4]).toEqual({ role: 'assistant', content: 'There.', reasoning_content: 'It is there.' })
  expect(JSON.stringify(given[3])).not.toContain('reasoning')
})

test("a pause of Anthropic's is gone on from, and tools that it runs itself stand beside the others", async () => {
  const paused = messagesScript({ texts: ['Searching …'], stopReason: 'pause_turn' })
  await using model = await ModelServer.start(paused, messagesScript({ texts: ['Found.'] }))
  const client = new Anthropic({ apiKey: 'k', baseURL: model.url, maxRetries: 0 })
  const search = { type: 'web_search_20250305', name: 'web_search' }
  const request = { max_tokens: 100, tools: [search], temperature: 0 }
  const result = await runMessagesTurn({ ...turn('pause', { userMessage: 'Search.' }), client, request })
  expect(result).toMatchObject({ outcome: 'COMPLETE', text: 'Found.', steps: 2 })
  expect(model.requests[1]).toMatchObject({
    tools: [{ name: 'find_order' }, { name: 'fail' }, search],
    temperature: 0,
    messages: [{ role: 'user' }, { role: 'assistant', content: [{ type: 'text', text: 'Searching …' }] }],
  })
})

test('a choice of tools names them as the caller does', async () => {
  const tools = { 'files/read': { parameters: { type: 'object' }, execute: () => 'x' } }
  const choices: Record<string, object> = {
    'OpenAI chat completions': {
      type: 'allowed_tools',
      allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'files/read' } }] },
    },
    'OpenAI responses': { type: 'function', name: 'files/read' },
    'Anthropic messages': { type: 'tool', name: 'files/read' },
  }
  for (const [name, { script, run }] of Object.entries(loops)) {
    await using model = await ModelServer.start(script({ texts: ['Ok.'] }))
    const request = { max_tokens: 10, tool_choice: choices[name] }
    await run(model, { ...turn(`choice ${name}`, { userMessage: '?', tools }), request } as TurnOptions)
    const format = name === 'Anthropic messages' ? 'ANTHROPIC' : 'OPENAI_CHAT'
    expect(JSON.stringify(model.requests[0]?.tool_choice)).toContain(`"name":"${toolName('files/read', format)}"`)
  }
})

test('a server that takes less than the beginning of a refused result stores why it was refused', async () => {
  await using server = await serve(bed.database.url, { MAX_MESSAGE_BYTES: '500', MAX_BODY_BYTES: '4096' })
  const { script, run } = loops['Anthropic messages'] as Loop
  const tool = (size: number): Tool => ({ parameters: { type: 'object' }, execute: () => 'x'.repeat(size) })
  const tools = { long: tool(1_000), longer: tool(5_000), fine: tool(10) }
  const calls = Object.keys(tools).map((name) => call(`call_${name}`, name, '{}'))
  await using model = await ModelServer.start(script({ calls }), script({ texts: ['So.'] }))
  const result = await run(model, turn('less', { userMessage: '?', tools }, server))
  expect(result).toMatchObject({ outcome: 'COMPLETE', text: 'So.' })
  expect((await messagesOf('less')).slice(2, 5)).toMatchObject([
    { toolError: true, content: expect.stringMatching(/^The result was not stored: it has 1\d{3} .* allowed\.$/) },
    { toolError: true, content: 'The result was not stored: It is larger than the server takes at once.' },
    { toolError: null, content: 'xxxxxxxxxx' },
  ])
})

test('what a model still asks for after a stop request is not done', async () => {
  let runs = 0
  const tools = { count: { parameters: { type: 'object' }, execute: () => ++runs } }
  const client: ChatClient = {
    chat: {
      completions: {
        // One that takes no notice of its signal.
        create: async (_request, { signal }) =>
          (async function* () {
            yield { choices: [{ delta: { content: 'Well, ' } }] }
            await until(async () => (await messagesOf('deaf'))[1]?.content === 'Well, ')
            const [, { id }] = await messagesOf('deaf')
            await bed.server
              .as()
              .get('mutation ($id: ID!) { stopMessage(input: { messageId: $id }) { message { id } } }', { id })
            while (!signal.aborted) {
              yield { choices: [{ delta: { content: '…' } }] }
              await new Promise((resolve) => setImmediate(resolve))
            }
            const call = { index: 0, id: 'call_1', function: { name: 'count', arguments: '{}' } }
            yield { choices: [{ delta: { tool_calls: [call] }, finish_reason: 'tool_calls' }] }
          })(),
      },
    },
  }
  const result = await runChatTurn({ ...turn('deaf', { userMessage: 'Count.', tools }), client })
  expect(result.outcome).toBe('CANCELLED')
  expect(runs).toBe(0)
  expect((await messagesOf('deaf'))[1]).toMatchObject({ status: 'CANCELLED', toolCalls: [] })
})

test('all steps of a turn go over one connection', async () => {
  let connections = 0
  class Counted extends WebSocket {
    constructor(...args: ConstructorParameters<typeof WebSocket>) {
      super(...args)
      connections += 1
    }
  }
  const { script, run } = loops['Anthropic messages'] as Loop
  await using model = await ModelServer.start(
    script({ calls: [call('call_1', 'find_order', '{"id":1}')] }),
    script({ calls: [call('call_2', 'find_order', '{"id":2}')] }),
    script({ texts: ['Done.'] }),
  )
  const options = turn('one', {
    userMessage: 'Find them.',
    webSocketImpl: Counted,
    timeoutMs: 15_000,
    onRetry: console.log,
  })
  expect(await run(model, options)).toMatchObject({ outcome: 'COMPLETE', steps: 3 })
  expect(connections).toBe(1)
})
