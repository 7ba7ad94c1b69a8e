import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { applyEvent, type FollowedMessage, followConversation } from '../../client/src/index.ts'
import { useBed } from '../support/bed.ts'
import { serve } from '../support/server.ts'

const bed = useBed()

/** What a command of the example's README prints, run word for word as in a clone, without a key. */
async function run(command: string, server: { readonly url: string }): Promise<string> {
  const { OPENAI_API_KEY: _openai, ANTHROPIC_API_KEY: _anthropic, ...environment } = process.env
  const child = spawn('sh', ['-c', command], {
    env: { ...environment, COLLOQUY_URL: `${server.url}/graphql` },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const printed = await text(child.stdout)
  return printed.replace(/^(\n|> .*\n)+/, '')
}

test("the example's agent does what its README says, and picks the conversation up again by its id", async () => {
  const readme = await readFile('examples/agent/README.md', 'utf8')
  const commands = [...readme.matchAll(/```sh\n(npm run agent.*)\n```/g)].map(([, command]) => command as string)
  expect(commands).toHaveLength(2)
  const shown = /```\n(you: [\s\S]*?)```/.exec(readme)?.[1]
  expect(await run(commands[0] as string, bed.server)).toBe(shown)

  const seen = new Set<string>()
  const watching = (async () => {
    const connectionParams = { 'x-user-id': 'ada' }
    const url = `${bed.server.url}/graphql`
    let messages: readonly FollowedMessage[] = []
    for await (const event of followConversation({ url, conversationId: 'agent', connectionParams, after: '' })) {
      messages = applyEvent(messages, event)
      const last = messages[7]
      if (last?.content) seen.add(last.content)
      if (last?.status === 'COMPLETE') return
    }
  })()
  await using other = await serve(bed.database.url)
  const printed = await run(commands[1] as string, other)
  await watching
  const again = 'Order 4, a lamp, is on its way. It arrives on Friday.'
  expect(printed).toBe(`${shown}you: And when does it arrive?\n${shown?.split('\n').slice(1).join('\n')}`)
  // It came token by token, to whoever watched at another server.
  expect(seen.size).toBeGreaterThan(2)
  expect([...seen].every((text) => again.startsWith(text))).toBe(true)
  expect(seen).toContain(again)
})
