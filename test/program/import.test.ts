import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { isLong } from '../support/long.ts'
import { summary, useImports } from '../support/program/import.ts'
import { Program } from '../support/program/program.ts'
import { serve } from '../support/server.ts'

const bed = useBed()
const imports = useImports(bed)
const write: typeof imports.write = (name, content) => imports.write(name, content)
const run: typeof imports.run = (path, user, env, args) => imports.run(path, user, env, args)

interface Conversation {
  readonly id: string
  readonly messages: readonly Record<string, unknown>[]
}

const call = (id: string, name: string, text: string, more = {}) => ({
  id,
  function: { name, arguments: text },
  type: 'function',
  ...more,
})

const conversations: Conversation[] = [
  {
    id: 'agent',
    messages: [
      { role: 'system', content: 'Be brief.\n' },
      { role: 'developer', content: '' },
      { role: 'user', content: 'Zürich → 東京, 👩‍👩‍👧‍👦 e\u0301 \u2028 \u0001 "quotes" \\', name: 'ada' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          call('call_1', 'search', '{"b": 1,  "a":[1.0, 12345678901234567890], "2": 0, "1": 0}'),
          call('call_2', 'search', 'not { JSON'),
        ],
      },
      { role: 'tool', content: '{"hits":\t[]}', name: 'search', tool_call_id: 'call_2' },
      { role: 'tool', content: '', name: 'search', tool_call_id: 'call_1' },
      { role: 'assistant', content: 'Again.', tool_calls: [call('call_1', 'search', '')] },
      { role: 'tool', content: 'the same call id once more', tool_call_id: 'call_1' },
      { role: 'assistant', content: 'Nothing found.', refusal: null, annotations: [], service_tier: '…' },
    ],
  },
  {
    id: 'teile und ワード',
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'What is this?' },
          { image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' }, type: 'image_url' },
          { type: 'text', text: ' And this?' },
        ],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          call('c', 'look', '{}', { index: 0 }),
          { id: 'd', function: { name: 'look', arguments: '{}', strict: true }, type: 'function' },
          { id: 'e', custom: { name: 'shell', input: 'ls\n' }, type: 'custom' },
        ],
      },
    ],
  },
  {
    id: 'long',
    messages: Array.from({ length: 250 }, (_, index) => ({
      role: index % 2 ? 'assistant' : 'user',
      content: `${index}`,
    })),
  },
  {
    id: 'large',
    messages: Array.from({ length: 6 }, (_, index) => ({ role: 'user', content: `${index}${'ü'.repeat(500_000)}` })),
  },
]

describe('an import', () => {
  test('stores every message as it stands in the file, and once when it is repeated', async () => {
    const path = await write('all.jsonl', conversations.map((conversation) => JSON.stringify(conversation)).join('\n'))
    expect(await run(path, 'ada')).toEqual({ code: 0, stdout: summary(4, 267, 0), stderr: '' })
    for (const conversation of conversations)
      expect(await readBack('ada', conversation.id)).toEqual(conversation.messages)
    expect(await run(path, 'ada')).toEqual({ code: 0, stdout: summary(4, 0, 267), stderr: '' })
    for (const conversation of conversations)
      expect(await readBack('ada', conversation.id)).toEqual(conversation.messages)
  })

  test('goes on where it was interrupted, in a conversation that has grown since', async () => {
    const messages = conversations[2]?.messages ?? []
    await run(await write('begun.jsonl', JSON.stringify({ id: 'grown', messages: messages.slice(0, 130) })), 'ada')
    const path = await write('grown.jsonl', JSON.stringify({ id: 'grown', messages }))
    expect(await run(path, 'ada')).toEqual({ code: 0, stdout: summary(1, 120, 130), stderr: '' })
    expect(await readBack('ada', 'grown')).toEqual(messages)
  })

  test('stores for the user that is named, in any script', async () => {
    const path = await write('one.jsonl', JSON.stringify({ id: 'mine', messages: [{ role: 'user', content: 'mine' }] }))
    await run(path, 'žofie')
    expect(await readBack(Buffer.from('žofie').toString('latin1'), 'mine')).toHaveLength(1)
    expect(await readBack('ada', 'mine')).toBeNull()
  })

  test('takes the lines as they come: a byte order mark, blank lines, CRLF, no end of line', async () => {
    const line = (id: string) => JSON.stringify({ id, messages: [{ role: 'user', content: id }] })
    const path = await write('lines.jsonl', `\ufeff${line('l1')}\r\n\r\n   \n${line('l2')}\n${line('l3')}`)
    expect(await run(path, 'ada')).toEqual({ code: 0, stdout: summary(3, 3, 0), stderr: '' })
  })

  test('sends the lines of one conversation in their order', async () => {
    const lines = Array.from({ length: 12 }, (_, index) =>
      JSON.stringify({ id: 'same', messages: conversations[2]?.messages.slice(0, (index + 1) * 20) }),
    )
    const result = await run(await write('same.jsonl', lines.join('\n')), 'ada')
    expect(result).toEqual({ code: 0, stdout: summary(12, 240, 1_320), stderr: '' })
    expect(await readBack('ada', 'same')).toEqual(conversations[2]?.messages.slice(0, 240))
  })

  test('waits for a server that is away or busy', async () => {
    const answers = [{ drop: true }, { status: 503 }, { code: 'UNAVAILABLE' }, { code: 'RATE_LIMITED' }, {}]
    await using server = await pretend(() => answers.shift() ?? {})
    const path = await write('late.jsonl', JSON.stringify({ id: 'late', messages: [{ role: 'user', content: 'hi' }] }))
    const result = await run(path, 'ada', { COLLOQUY_URL: server.url, COLLOQUY_RETRY_SECONDS: '30' })
    expect(result).toEqual({ code: 0, stdout: summary(1, 1, 0), stderr: '' })
    expect(new Set(server.bodies).size).toBe(1)
    expect(server.bodies).toHaveLength(5)
  })

  test.each([
    ['waits as long as a server says whose rate is used up', '500', 0],
    ['asks no more if that is longer than it may try', '1', 1],
  ])('%s', async (_what, rate, code) => {
    await using server = await serve(bed.database.url, { RATE_LIMIT: rate, RATE_BURST: '100' })
    const path = await write('busy.jsonl', JSON.stringify({ id: 'busy', messages: [{ role: 'user', content: 'hi' }] }))
    await server.as().get('{ conversation(id: "none") { history(last: 1000) { seq } } }')
    const result = await run(path, 'ada', { COLLOQUY_URL: `${server.url}/graphql`, COLLOQUY_RETRY_SECONDS: '30' })
    expect(result.code).toBe(code)
    if (code === 1) expect(result.stderr).toMatch(/is away: This user has used up its rate; try again in \d+ s\./)
    expect(server.logged.filter(({ status }) => status === 429)).toHaveLength(1)
  })
})

describe('an import reports and goes on after', () => {
  const good = JSON.stringify({ id: 'good', messages: [{ role: 'user', content: 'good' }] })
  const withMessage = (message: unknown) => JSON.stringify({ id: 'bad', messages: [message] })
  test.each<[string, string | Buffer, string]>([
    ['no JSON', '{"id": ', 'must be JSON.'],
    ['no conversation', '[]', 'is in no format that is known (openai, ai-sdk, sharegpt, claude, chatgpt).'],
    ['no UTF-8', Buffer.from('{"id":"\xff"}', 'latin1'), 'must be UTF-8.'],
    ['an id that is no text', '{"id": {}, "messages": [{}]}', '"id" must be a text that is not empty.'],
    ['an empty list of messages', '{"id": "bad", "messages": []}', '("bad"): "messages" must be a list with at least'],
    ['no messages', '{"id": "bad"}', '("bad"): is in no format that is known'],
    [
      'a reserved id',
      `{"id": "msg_1", "messages": [{"role": "user", "content": ""}]}`,
      '("msg_1"): "id": must not begin',
    ],
    ['a role that is unknown', withMessage({ role: 'robot' }), '("bad"): messages[0].role: "robot" is none of system,'],
    ['no role', withMessage({}), '("bad"): messages[0].role: '],
    [
      'content of another type',
      withMessage({ role: 'user', content: 1 }),
      'messages[0].content: must be a text, a list',
    ],
    ['nothing said', withMessage({ role: 'user', content: null }), 'messages[0]: a message needs content, parts'],
    ['a tool without its call', withMessage({ role: 'tool', content: '' }), 'messages[0].toolCallId: a TOOL message'],
    [
      'arguments that are no text',
      withMessage({ role: 'assistant', tool_calls: [{ id: 'c', function: { name: 'f', arguments: {} } }] }),
      'messages[0].tool_calls[0].function.arguments: must be a text, as the model wrote it.',
    ],
    [
      'half a surrogate pair',
      '{"id":"bad","messages":[{"role":"user","content":"\\ud800"}]}',
      'messages[0].content: must be',
    ],
    [
      'a number that a double cannot hold',
      '{"id":"bad","messages":[{"role":"user","content":"","seed":12345678901234567890}]}',
      'the number 12345678901234567890 does not fit',
    ],
    ['a large message', withMessage({ role: 'user', content: 'x'.repeat(1_100_000) }), 'messages[0] has 11000'],
  ])('%s', async (_name, line, sentence) => {
    const path = await write('bad.jsonl', Buffer.concat([`${good}\n`, line, `\n${good}`].map((it) => Buffer.from(it))))
    const { code, stdout, stderr } = await run(path, 'eve')
    expect(stderr).toContain('Line 2')
    expect(stderr).toContain(sentence)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stdout).toMatch(/^Conversations +2\n[\s\S]*Left out with a fault:\n {2}1 × .+ \(first: Line 2\)\n$/)
    expect(code).toBe(1)
  })

  test('a message late in a conversation, named by its place', async () => {
    const messages = [...(conversations[2]?.messages.slice(0, 120) ?? []), { role: 'tool', content: '' }]
    const { stderr } = await run(await write('late.jsonl', JSON.stringify({ id: 'place', messages })), 'eve')
    expect(stderr).toBe('Line 1 ("place"): messages[120].toolCallId: a TOOL message must say which call it answers.\n')
  })

  test('a conversation that was imported with other content, which stays', async () => {
    const line = (content: string) => JSON.stringify({ id: 'changed', messages: [{ role: 'user', content }] })
    const path = await write('changed.jsonl', `${line('first')}\n${line('second')}`)
    const { code, stderr } = await run(path, 'eve')
    expect(stderr).toBe(
      'Line 2 ("changed"): messages[0]: is stored already, with another content; the import of this conversation ends here.\n',
    )
    expect(code).toBe(1)
    expect(await readBack('eve', 'changed')).toEqual([{ role: 'user', content: 'first' }])
  })
})

describe('an import ends at once, with one clear line,', () => {
  const one = JSON.stringify({ id: 'x', messages: [{ role: 'user', content: 'x' }] })

  test('when the server stays away', async () => {
    const url = await freeUrl()
    const { code, stderr } = await run(await write('x.jsonl', one), 'ada', { COLLOQUY_URL: url })
    expect(stderr).toBe(
      `The server at ${url} is away: ECONNREFUSED. Import the file again to go on: nothing is stored twice.\n`,
    )
    expect(code).toBe(1)
  })

  test('when no server is there at the start, though it would try again for a minute later', async () => {
    const url = await freeUrl()
    const { code, stdout, stderr } = await run(await write('x.jsonl', one), 'ada', {
      COLLOQUY_URL: '',
      PORT: new URL(url).port,
      COLLOQUY_RETRY_SECONDS: '',
    })
    expect(stderr).toBe(
      `There is no server at ${url} (ECONNREFUSED). ` +
        'Start one with `colloquy start` (in a clone `npm start`), or name yours in COLLOQUY_URL.\n',
    )
    expect([code, stdout]).toEqual([1, ''])
  })

  test('when PORT is no port', async () => {
    const { code, stderr } = await run('x', 'ada', { COLLOQUY_URL: '', PORT: 'many' })
    expect([code, stderr]).toEqual([1, 'PORT must be the port of the server.\n'])
  })

  test('when the caller is refused', async () => {
    const { code, stderr } = await run(await write('x.jsonl', one), 'x'.repeat(256))
    expect(stderr).toMatch(/^The server at \S+ refuses the import: A user id has 1 to 255 characters.*\n$/)
    expect(code).toBe(1)
  })

  test.each(['/elsewhere', '/graphiql'])('when %s is not the endpoint', async (path) => {
    const url = `${bed.server.url}${path}`
    const { code, stderr } = await run(await write('x.jsonl', one), 'ada', { COLLOQUY_URL: url })
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).toContain(url)
    expect(code).toBe(1)
  })

  test('when there is no such file', async () => {
    const { code, stderr } = await run(join(imports.directory, 'none.jsonl'), 'ada')
    expect(stderr).toMatch(/^ENOENT: no such file or directory, open '.*none.jsonl'\n$/)
    expect(code).toBe(1)
  })

  test('when the file is a folder', async () => {
    const { code, stderr } = await run(imports.directory, 'ada')
    expect(stderr).toBe(`${imports.directory} is a folder: name one file.\n`)
    expect(code).toBe(1)
  })

  test('when the file is a pipe or a device', async () => {
    const { code, stderr } = await run('/dev/null', 'ada')
    expect(stderr).toBe('/dev/null is not a file on a disk: save what it holds in one.\n')
    expect(code).toBe(1)
  })

  test.each<[string, Buffer | string, string]>([
    ['is empty', ' \n\n', ' is empty.'],
    ['has no conversation', '[]', ' has no conversation.'],
    ['is a ZIP file', Buffer.from('PK\x03\x04…'), ' is a ZIP file: unpack it, and import the file conversations.json'],
    ['is packed with gzip', Buffer.from([0x1f, 0x8b, 8, 0]), ' is packed with gzip: unpack it first.'],
    ['is UTF-16', Buffer.from('\ufeff[]', 'utf16le'), ' is UTF-16: save it as UTF-8 first.'],
  ])('when the file %s', async (_name, content, sentence) => {
    const path = await write('odd.json', content)
    const { code, stdout, stderr } = await run(path, 'ada')
    expect(stderr).toContain(`${path}${sentence}`)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stdout).toBe('')
    expect(code).toBe(1)
  })

  test.each<[string, string[], string]>([
    [
      'an option is unknown',
      ['x.jsonl', '--fromat', 'x'],
      "unknown option '--fromat' (did you mean --format?); colloquy",
    ],
    ['a format is unknown', ['x.jsonl', '--format', 'csv'], 'is invalid: allowed choices are openai, ai-sdk, sharegpt'],
    ['no file is named', [], "missing required argument 'file'; colloquy import --help says more"],
    [
      'two files are named',
      ['x.jsonl', 'y.jsonl'],
      "too many arguments for 'import': expected 1 argument but got 2: x.jsonl, y.jsonl; colloquy",
    ],
  ])('when %s', async (_name, args, sentence) => {
    await using program = new Program('src/main.js', ['import', ...args], {})
    expect(await program.exited).toEqual({ code: 2, signal: null })
    expect(program.stderr).toContain(sentence)
    expect(program.stderr.trim().split('\n')).toHaveLength(1)
  })

  test('when the address is no URL', async () => {
    const { code, stderr } = await run('x', 'ada', { COLLOQUY_URL: 'localhost:4000' })
    expect(stderr).toBe('COLLOQUY_URL must be the URL of a GraphQL endpoint, http:// or https://.\n')
    expect(code).toBe(1)
  })
})

test('an import follows PORT', async () => {
  const line = JSON.stringify({ id: 'by-port', messages: [{ role: 'user', content: 'x' }] })
  const path = await write('port.jsonl', line)
  const { port } = new URL(bed.server.url)
  const settings = { COLLOQUY_URL: '', PORT: port, COLLOQUY_RETRY_SECONDS: '', COLLOQUY_USER: '' }
  expect(await run(path, '', settings)).toEqual({ code: 0, stdout: summary(1, 1, 0), stderr: '' })
  // Who GraphiQL and the examples are.
  expect(await readBack('local', 'by-port')).toHaveLength(1)
})

test('an import tells what it stored as JSON', async () => {
  const lines = ['{"id": "counted", "messages": [{"role": "user", "content": "x"}]}', '{"id": ']
  const { code, stdout } = await run(await write('counted.jsonl', lines.join('\n')), 'ada', {}, ['--json'])
  expect(code).toBe(1)
  expect(JSON.parse(stdout)).toEqual({
    conversations: 1,
    stored: 1,
    replayed: 0,
    faults: [{ what: 'not JSON', count: 1, first: 'Line 2' }],
    notes: [],
    failure: null,
  })
})

test.skipIf(!isLong)('an import of a file larger than its memory succeeds', async () => {
  const line = (index: number) =>
    JSON.stringify({ id: `m${index}`, messages: [{ role: 'user', content: 'x'.repeat(1_000_000) }] })
  const path = await write('huge.jsonl', Array.from({ length: 150 }, (_, index) => line(index)).join('\n'))
  await using server = await pretend(() => ({}))
  const env = { COLLOQUY_URL: server.url, NODE_OPTIONS: '--max-old-space-size=64' }
  expect(await run(path, 'ada', env)).toEqual({ code: 0, stdout: summary(150, 150, 0), stderr: '' })
})

/** The messages of a conversation in the shape of the file, read page by page; null when there is none. */
async function readBack(user: string, id: string): Promise<Record<string, unknown>[] | null> {
  const api = bed.server.as({ 'x-user-id': user })
  const query = `query ($id: ID!, $after: String) { conversation(id: $id) { messages(first: 40, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes {
      role name content parts partsFormat toolName toolCallId metadata
      toolCalls { callId name arguments type extra }
    }
  } } }`
  const messages: Record<string, unknown>[] = []
  for (let after: string | null = null; ; ) {
    const { conversation } = await api.get(query, { id, after })
    if (conversation === null) return null
    messages.push(...conversation.messages.nodes.map(chatMessage))
    if (!conversation.messages.pageInfo.hasNextPage) return messages
    after = conversation.messages.pageInfo.endCursor
  }
}

// biome-ignore lint/suspicious/noExplicitAny: as it comes from the API.
function chatMessage(message: any): Record<string, unknown> {
  // biome-ignore lint/suspicious/noExplicitAny: as it comes from the API.
  const toolCalls = message.toolCalls.map(({ callId, name, arguments: text, type, extra }: any) => ({
    ...extra,
    id: callId,
    type,
    [type]: { ...extra?.[type], name, [type === 'custom' ? 'input' : 'arguments']: text },
  }))
  const name = message.role === 'TOOL' ? message.toolName : message.name
  if (message.parts !== null) expect(message.partsFormat).toBe('OPENAI_CHAT')
  return {
    role: message.role.toLowerCase(),
    content: message.parts ?? message.content,
    ...(name === null ? {} : { name }),
    ...(message.toolCallId === null ? {} : { tool_call_id: message.toolCallId }),
    ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
    ...message.metadata.openai,
  }
}

interface Pretence {
  readonly drop?: boolean
  readonly status?: number
  readonly code?: string
}

interface PretendServer extends AsyncDisposable {
  readonly url: string
  readonly bodies: readonly string[]
}

/** A server that answers as it is told, and by default as if everything were stored now. */
async function pretend(next: () => Pretence): Promise<PretendServer> {
  const bodies: string[] = []
  const server = createServer(async (request, response) => {
    const body = await textOf(request)
    if (body.length < 10_000) bodies.push(body)
    const { drop, status, code } = next()
    if (drop) return request.socket.destroy()
    if (status) return response.writeHead(status).end('busy')
    const { messages = [] } = JSON.parse(body).variables.input
    const appendMessages = { replayed: messages.map(() => false), messages: messages.map(() => ({ id: 'msg_' })) }
    const answer = code
      ? { errors: [{ message: '…', extensions: { code } }] }
      : { data: { appendMessages, createConversation: { created: true } } }
    response.end(JSON.stringify(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    bodies,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** Where nobody listens. */
async function freeUrl(): Promise<string> {
  await using server = await pretend(() => ({}))
  return server.url
}
