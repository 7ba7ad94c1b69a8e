import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { getHeapSpaceStatistics } from 'node:v8'
import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { isLong } from '../support/long.ts'

const bed = useBed()

const page = `{ conversation(id: "long") { messages(last: 50) { edges { cursor node { id seq content createdAt } } pageInfo { endCursor } } } }`
const list = `{ conversations(first: 20) { nodes { id lastMessage { content } } pageInfo { endCursor } cursor } }`

/** Bytes of objects that a young collection has moved, because something old still led to them. */
function oldBytes(): number {
  const old = getHeapSpaceStatistics().filter(({ space_name }) => /^(old|large_object)_space$/.test(space_name))
  return old.reduce((sum, { space_used_size }) => sum + space_used_size, 0)
}

/** How many bytes each of many requests leaves behind, until the next full collection. */
async function leftBehind(ask: () => Promise<unknown>): Promise<number> {
  for (let time = 0; time < 300; time++) await ask()
  let grown = 0
  let last = oldBytes()
  const times = 700
  for (let time = 0; time < times; time++) {
    await ask()
    const now = oldBytes()
    grown += Math.max(0, now - last)
    last = now
  }
  return grown / times
}

test.each([['a page', page] as const, ...(isLong ? [['a list', list] as const] : [])])(
  'when a request is over, nothing of its answer waits for a full garbage collection: %s',
  async (_, query) => {
    const ada = bed.server.as()
    const messages = Array.from({ length: 50 }, (_, at) => ({ role: 'USER', content: `${at} ${'word '.repeat(300)}` }))
    for (const id of ['long', ...Array.from({ length: 19 }, (_, at) => `other-${at}`)]) {
      await ada.ask(`mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }`, {
        input: { conversationId: id, ifMissing: 'CREATE', messages },
      })
    }
    const bytes = JSON.stringify(await ada.get(query)).length
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const left = await leftBehind(() => ask(agent, query))
    agent.destroy()
    expect(left).toBeLessThan(bytes / 2)
  },
  300_000,
)

/** Without `fetch`, which itself leaves behind what it has read. */
async function ask(agent: Agent, query: string): Promise<void> {
  const headers = { 'content-type': 'application/json', 'x-user-id': 'ada' }
  const asked = request(`${bed.server.url}/graphql`, { method: 'POST', agent, headers })
  asked.end(JSON.stringify({ query }))
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  expect(answer.statusCode).toBe(200)
  answer.resume()
  await once(answer, 'end')
}
