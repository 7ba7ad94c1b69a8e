import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { applyEvent, type FollowedMessage, followConversation } from '../../client/src/index.ts'
import { useBed } from '../support/bed.ts'
import { useGuide } from '../support/documents/guide.ts'
import { Clone } from '../support/program/clone.ts'
import { buildPrograms } from '../support/program/program.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const bed = useBed()
const guide = useGuide('examples/agent/README.md')
const [start, ask, askAgain, watch] = guide.take('sh', 4)
const [shown] = guide.take('', 1)

let clone: Clone

beforeAll(async () => {
  buildPrograms()
  clone = await Clone.make()
})

afterAll(() => clone[Symbol.asyncDispose]())

test("the example's server says what its README says", async () => {
  expect(guide.text).toContain('`Colloquy is ready.`')
  await using server = clone.run(start, { PORT: '0' })
  await server.prints(/Colloquy is ready\./)
})

/** What a command of the example's README prints, run word for word as in a clone, without a key. */
async function run(command: string, server: { readonly url: string }): Promise<string> {
  const child = spawn('sh', ['-c', command], {
    env: { ...keyless(), COLLOQUY_URL: `${server.url}/graphql` },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const printed = await text(child.stdout)
  return printed.replace(/^(\n|> .*\n)+/, '')
}

test("the example's agent does what its README says, and picks the conversation up again by its id", async () => {
  expect(await run(ask, bed.server)).toBe(shown)

  const seen = new Set<string>()
  const watching = (async () => {
    const connectionParams = { 'x-user-id': 'local' }
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
  await using watcher = clone.run(watch.replace('http://127.0.0.1:4000', other.url))
  await until(() => other.inspect().watchers > 0)
  const printed = await run(askAgain, other)
  await watching
  await watcher.prints(/^data: .*"text":"/m)
  const again = 'Order 4, a lamp, is on its way. It arrives on Friday.'
  expect(printed).toBe(`${shown}you: And when does it arrive?\n${shown.split('\n').slice(1).join('\n')}`)
  // It came token by token, to whoever watched at another server.
  expect(seen.size).toBeGreaterThan(2)
  expect([...seen].every((text) => again.startsWith(text))).toBe(true)
  expect(seen).toContain(again)
})

test("the example's agent follows PORT, and says at once that no server is there or that it has no such option", async () => {
  const port = new URL(bed.server.url).port
  const script = '--import @oxc-node/core/register examples/agent/main.ts'
  const agent = async (settings: string, args = '') => {
    const child = spawn('sh', ['-c', `${settings} exec node ${script} ${args}`], { env: keyless() })
    const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
    return { stdout, stderr, status }
  }
  const found = await agent(`PORT=${port} CONVERSATION=port`)
  expect(found.stderr).toBe('')
  expect(found.stdout).toContain('agent: Order 4')
  for (const [settings, args, sentence] of [
    ['PORT=1', '', /^agent failed: .*http:\/\/127\.0\.0\.1:1\/graphql: npm start, or name yours in COLLOQUY_URL\.\n$/],
    ['COLLOQUY_URL=nowhere', '', /^agent failed: ERR_INVALID_URL\. .*COLLOQUY_URL\.\n$/],
    [`PORT=${port}`, '--x', /^agent has no option --x\. .*\n$/],
  ] as const) {
    const { stdout, stderr, status } = await agent(settings, args)
    expect([stdout, status]).toEqual(['', 1])
    expect(stderr).toMatch(sentence)
  }
})

/** The environment without keys of providers. */
function keyless(): NodeJS.ProcessEnv {
  const { OPENAI_API_KEY: _openai, ANTHROPIC_API_KEY: _anthropic, ...environment } = process.env
  return environment
}
