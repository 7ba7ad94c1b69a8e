import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { createClient } from 'graphql-ws'
import { expect, test } from 'vitest'
import { applyEvent, followConversation, request, resumable, streamMessage } from '../../client/src/index.ts'
import { withExample, withLimits, withSettings } from '../../scripts/generated.ts'
import { useBed } from '../support/bed.ts'

const bed = useBed()
/** Who the examples and GraphiQL are in development. */
const local = { 'x-user-id': 'local' }

test("the README's table of settings is that of config.ts, and its client is the example: npm run generate", async () => {
  const readme = await readFile('README.md', 'utf8')
  const example = await readFile('examples/hello.mjs', 'utf8')
  expect(readme).toContain('| `PORT` |')
  expect(readme).toBe(withExample(withSettings(readme), example))
})

test('the limits of SECURITY.md are those of config.ts: npm run generate', async () => {
  const security = await readFile('SECURITY.md', 'utf8')
  expect(security).toContain('| `MAX_BODY_BYTES` |')
  expect(security).toBe(withLimits(security))
})

test("the README's client prints its own message and then live ones", async () => {
  const client = spawn(process.execPath, ['examples/hello.mjs'], {
    env: { ...process.env, COLLOQUY_URL: `${bed.server.url}/graphql` },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: client.stdout })[Symbol.asyncIterator]()
  expect((await lines.next()).value).toContain("{ seq: 1, role: 'USER', content: 'Hello, world' }")
  await bed.server.as(local).append('hello', 'and live')
  expect((await lines.next()).value).toContain("{ seq: 2, role: 'USER', content: 'and live' }")
  client.kill()
  await new Promise((resolve) => client.once('exit', resolve))
})

test("the README's client follows PORT, and ends with one sentence without a server or with an argument", async () => {
  const hello = async (env: Record<string, string>, ...args: string[]) => {
    const child = spawn(process.execPath, ['examples/hello.mjs', ...args], { env: { PATH: process.env.PATH, ...env } })
    const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
    return { stdout, stderr, status }
  }
  for (const [result, reason] of [
    [
      await hello({ PORT: '1' }),
      /^hello failed: .*http:\/\/127\.0\.0\.1:1\/graphql: npm start, or name yours in COLLOQUY_URL\.\n$/,
    ],
    [await hello({ COLLOQUY_URL: 'nowhere' }), /^hello failed: ERR_INVALID_URL\. .*nowhere: .*\n$/],
    [await hello({ COLLOQUY_URL: `${bed.server.url}/elsewhere` }), /^hello failed: There is nothing here.*\n$/],
    [await hello({ PORT: '1' }, '--x'), /^hello failed: it takes no arguments, and --x was given\. .*\n$/],
  ] as const) {
    expect(result.stderr).toMatch(reason)
    expect([result.stdout, result.status]).toEqual(['', 1])
  }
})

test("the README's programs run word for word, in their order, after the client", async () => {
  const blocks = await programsOf('README.md')
  expect(blocks).toHaveLength(3)
  const seen = await run(blocks)
  expect(seen).toEqual(['Hello, world'])
  expect(await contents('support-17')).toEqual(['And when?', 'To morrow.'])
})

test("the programs of the client's README that follow and stream run word for word, in their order", async () => {
  const blocks = (await programsOf('client/README.md')).filter((block) => /^const (following|answer) = /m.test(block))
  expect(blocks).toHaveLength(2)
  await bed.server
    .as(local)
    .get('mutation { deleteConversation(input: { id: "support-17" }) { deletedConversationId } }')
  const [follow, stream] = blocks as [string, string]
  const following = run([follow])
  await run([stream])
  expect(await following).toEqual(['And when?'])
  expect(await contents('support-17')).toEqual(['And when?', 'To morrow.'])
})

async function programsOf(path: string): Promise<string[]> {
  const blocks = [...(await readFile(path, 'utf8')).matchAll(/```ts\n([\s\S]*?)```/g)].map(
    ([, block]) => block as string,
  )
  return blocks.map((block) => block.replaceAll(/^import .*\n/gm, ''))
}

/** Runs programs one after the other, with what they name and do not make. Answers what they showed first, and ends them there. */
async function run(programs: readonly string[]): Promise<string[]> {
  const shown: string[] = []
  const end = new Error('shown')
  const clients: { dispose(): unknown }[] = []
  const names = {
    applyEvent,
    followConversation,
    request,
    streamMessage,
    createClient: (options: Parameters<typeof createClient>[0]) => {
      const client = createClient(options)
      clients.push(client)
      return client
    },
    resumable,
    url: `${bed.server.url}/graphql`,
    connectionParams: local,
    freshToken: async () => 'token',
    question: 'And when?',
    content: 'And when?',
    model: Object.assign(() => ['To ', 'morrow.'], { [Symbol.iterator]: () => ['To ', 'morrow.'].values() }),
    show: (messages: readonly { content: string | null }[]) => {
      const content = messages[0]?.content
      if (content === undefined || content === null) return
      shown.push(content)
      throw end
    },
  }
  const AsyncFunction = (async () => {}).constructor as FunctionConstructor
  for (const program of programs) {
    const here = program
      .replaceAll("'https://chat.example/graphql'", 'url')
      // In development a user is named where others have a token.
      .replaceAll(/connectionParams: async \(\) => \(.*\),/g, 'connectionParams,')
    await new AsyncFunction(...Object.keys(names), here)(...Object.values(names)).catch((error: unknown) => {
      if (error !== end) throw error
    })
  }
  for (const client of clients) await client.dispose()
  return shown
}

async function contents(id: string): Promise<string[]> {
  const query = 'query ($id: ID!) { conversation(id: $id) { history { content } } }'
  const { conversation } = await bed.server.as(local).get(query, { id })
  return conversation.history.map(({ content }: { content: string }) => content)
}

test("the README's agent's turns are valid and do what they say", async () => {
  const readme = await readFile('README.md', 'utf8')
  const [turn, stream] = [...readme.matchAll(/```graphql\n([\s\S]*?)```/g)].map(([, block]) => block as string)
  const ada = bed.server.as()
  const run = async (query: string | undefined, operationName: string, variables?: object) => {
    const response = await ada.post(JSON.stringify({ query, operationName, variables }))
    // biome-ignore lint/suspicious/noExplicitAny: as a caller of an untyped API does.
    return ((await response.json()) as { data: any }).data
  }
  expect(await run(turn, 'Open')).toEqual({ createConversation: { created: true } })
  expect(await run(turn, 'Ask')).toEqual({ appendMessage: { message: { seq: 1 } } })
  expect(await run(turn, 'Answer')).toEqual({ appendMessages: { conversation: { lastSeq: 4 } } })
  expect(await run(turn, 'Answer')).toEqual({ appendMessages: { conversation: { lastSeq: 4 } } })
  const { conversation } = await run(turn, 'Read')
  expect(conversation.history.map(({ role }: { role: string }) => role)).toEqual([
    'USER',
    'ASSISTANT',
    'TOOL',
    'ASSISTANT',
  ])
  const { message: started, conversation: open } = (await run(stream, 'Start')).startMessage
  expect(open.context.messages.at(-1)).toEqual({ role: 'user', content: 'And when?' })
  const { id } = started
  expect(await run(stream, 'Stream', { id })).toEqual({ appendMessageText: { nextChunk: 1, stopRequested: false } })
  const { message } = (await run(stream, 'Complete', { id })).completeMessage
  expect(message).toEqual({ content: 'Tomorrow.', status: 'COMPLETE' })
})
