import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { withExample, withSettings } from '../../scripts/generated.ts'
import { useBed } from '../support/bed.ts'

const bed = useBed()

test("the README's table of settings is that of config.ts, and its client is the example: npm run generate", async () => {
  const readme = await readFile('README.md', 'utf8')
  const example = await readFile('examples/hello.mjs', 'utf8')
  expect(readme).toContain('| `PORT` |')
  expect(readme).toBe(withExample(withSettings(readme), example))
})

test("the README's client prints its own message and then live ones", async () => {
  const client = spawn(process.execPath, ['examples/hello.mjs'], {
    env: { ...process.env, COLLOQUY_URL: `${bed.server.url}/graphql` },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: client.stdout })[Symbol.asyncIterator]()
  expect((await lines.next()).value).toContain("{ seq: 1, role: 'USER', content: 'Hello, world' }")
  await bed.server.as().append('hello', 'and live')
  expect((await lines.next()).value).toContain("{ seq: 2, role: 'USER', content: 'and live' }")
  client.kill()
  await new Promise((resolve) => client.once('exit', resolve))
})

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
