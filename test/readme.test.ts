import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { withExample, withSettings } from '../scripts/generated.ts'
import { useBed } from './support/bed.ts'

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

test("the README's agent's turn is valid and does what it says", async () => {
  const readme = await readFile('README.md', 'utf8')
  const block = /```graphql\n([\s\S]*?)```/.exec(readme)?.[1] ?? ''
  const ada = bed.server.as()
  const run = async (operationName: string) => {
    const response = await ada.post(JSON.stringify({ query: block, operationName }))
    return ((await response.json()) as { data: Record<string, unknown> }).data
  }
  expect(await run('Open')).toEqual({ createConversation: { created: true } })
  expect(await run('Ask')).toEqual({ appendMessage: { message: { seq: 1 } } })
  expect(await run('Answer')).toEqual({ appendMessages: { conversation: { lastSeq: 4 } } })
  expect(await run('Answer')).toEqual({ appendMessages: { conversation: { lastSeq: 4 } } })
  const { conversation } = (await run('Read')) as { conversation: { history: { role: string }[] } }
  expect(conversation.history.map(({ role }) => role)).toEqual(['USER', 'ASSISTANT', 'TOOL', 'ASSISTANT'])
})
