import { expect, onTestFinished, test, vi } from 'vitest'
import { useBed } from '../support/bed.ts'
import { Socket } from '../support/network/socket.ts'
import { until } from '../support/until.ts'

/* What takes long is done in several turns of the event loop, so that everybody else has a turn in between. */

const bed = useBed()

const append = 'mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }'

/** What happens to a content, in order: it is parsed, others have a turn, it is read. */
function watch(content: string, onParsed = () => {}): string[] {
  const steps: string[] = []
  const { parse } = JSON
  const parsing = vi.spyOn(JSON, 'parse').mockImplementation((text: string, reviver) => {
    if (text.includes('¶¶¶') && steps.length === 0) {
      steps.push('parsed')
      onParsed()
      setImmediate(() => steps.push('turn'))
    }
    return parse(text, reviver)
  })
  const { isWellFormed } = String.prototype
  const reading = vi.spyOn(String.prototype, 'isWellFormed').mockImplementation(function (this: string) {
    if (String(this) === content) steps.push('read')
    return isWellFormed.call(this)
  })
  onTestFinished(() => {
    parsing.mockRestore()
    reading.mockRestore()
  })
  return steps
}

const lengths: readonly [string, number, readonly string[]][] = [
  ['long', 200_000, ['parsed', 'turn', 'read']],
  ['short', 1_000, ['parsed', 'read', 'turn']],
]

test.each(lengths)(
  'a %s body is parsed and read in turns of their own, or in one',
  async (_what, characters, order) => {
    const content = '¶'.repeat(characters)
    const steps = watch(content)
    const input = { conversationId: 'body', ifMissing: 'CREATE', messages: [{ role: 'USER', content }] }
    expect(await bed.server.as().get(append, { input })).toEqual({ appendMessages: { replayed: [false] } })
    expect(steps).toEqual(order)
  },
)

test.each(lengths)('so is a %s message of a socket', async (what, characters, order) => {
  await using socket = await Socket.connect(bed.server)
  const content = '¶'.repeat(characters)
  const steps = watch(content)
  const input = { conversationId: `socket-${what}`, ifMissing: 'CREATE', messages: [{ role: 'USER', content }] }
  expect(await socket.run('1', append, { input })).toEqual({ data: { appendMessages: { replayed: [false] } } })
  expect(steps).toEqual(order)
})

test('messages of a socket are handled in order, those behind a long one after it', async () => {
  await using socket = await Socket.connect(bed.server)
  const sizes = [10, 200_000, 11, 300_000, 12, 200_001]
  for (const [n, size] of sizes.entries()) {
    const messages = [{ role: 'USER', content: '¶'.repeat(size) }]
    socket.begin(String(n), append, { input: { conversationId: 'order', ifMissing: 'CREATE', messages } })
  }
  socket.send({ type: 'ping', payload: { behind: 'all' } })
  const answered = new Set<unknown>()
  let isPonged = false
  while (answered.size < sizes.length || !isPonged) {
    const message = await socket.receive()
    if (message?.type === 'complete') answered.add(message.id)
    if (message?.type === 'pong') isPonged = true
  }
  const { conversation } = await bed.server
    .as()
    .get('{ conversation(id: "order") { messages(first: 10) { nodes { content } } } }')
  expect(conversation.messages.nodes.map((node: { content: string }) => node.content.length)).toEqual(sizes)
})

test('a socket that closes while a long message is read begins nothing of it', async () => {
  await using socket = await Socket.connect(bed.server)
  const content = '¶'.repeat(200_000)
  const steps = watch(content, () => socket.ws.terminate())
  const input = { conversationId: 'closed', ifMissing: 'CREATE', messages: [{ role: 'USER', content }] }
  socket.begin('1', append, { input })
  await until(() => steps.includes('turn') && bed.server.inspect().sockets === 0)
  expect(steps).not.toContain('read')
})

test('the tool calls of a long append are read and checked by some thousands in a turn', async () => {
  const [messages, calls] = [100, 100]
  let [inTurn, most, all] = [0, 0, 0]
  const count = () => {
    inTurn += 1
    all += 1
  }
  const { isWellFormed } = String.prototype
  const checking = vi.spyOn(String.prototype, 'isWellFormed').mockImplementation(function (this: string) {
    count()
    return isWellFormed.call(this)
  })
  const { hasOwn } = Object
  // Asked of each key of an input.
  const reading = vi.spyOn(Object, 'hasOwn').mockImplementation((object, key) => {
    if (key === 'arguments') count()
    return hasOwn(object, key)
  })
  let turn: NodeJS.Immediate
  const next = () => {
    most = Math.max(most, inTurn)
    inTurn = 0
    turn = setImmediate(next)
  }
  next()
  onTestFinished(() => {
    clearImmediate(turn)
    checking.mockRestore()
    reading.mockRestore()
  })
  const toolCalls = Array.from({ length: calls }, (_, n) => ({ callId: `c${n}`, name: 'n', arguments: '{"a":"\\"b"}' }))
  const input = {
    conversationId: 'calls',
    ifMissing: 'CREATE',
    messages: Array.from({ length: messages }, () => ({ role: 'ASSISTANT', toolCalls })),
  }
  const { appendMessages } = await bed.server.as().get(append, { input })
  expect(appendMessages.replayed).toHaveLength(messages)
  expect(all).toBeGreaterThanOrEqual(4 * messages * calls)
  expect(most).toBeLessThan(3 * 3_000)
  const stored = await bed.server
    .as()
    .get('{ conversation(id: "calls") { lastMessage { toolCalls { callId arguments } } } }')
  expect(stored.conversation.lastMessage.toolCalls).toEqual(toolCalls.map(({ name: _, ...call }) => call))
})
