import { GraphQLString } from 'graphql'
import { expect, onTestFinished, test, vi } from 'vitest'
import { useBed } from '../support/bed.ts'

/* What takes long is done in several turns of the event loop, so that everybody else has a turn in between. */

const bed = useBed()

const append = 'mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }'

test.each([
  ['long', 200_000, ['parsed', 'turn', 'read']],
  ['short', 1_000, ['parsed', 'read', 'turn']],
])('a %s body is parsed and read in turns of their own, or in one', async (_what, characters, order) => {
  const steps: string[] = []
  const content = '¶'.repeat(characters)
  const { parse } = JSON
  const parsing = vi.spyOn(JSON, 'parse').mockImplementation((text: string, reviver) => {
    if (text.includes('¶¶¶') && steps.length === 0) {
      steps.push('parsed')
      setImmediate(() => steps.push('turn'))
    }
    return parse(text, reviver)
  })
  const read = GraphQLString.parseValue
  const reading = vi.spyOn(GraphQLString, 'parseValue').mockImplementation((value) => {
    if (value === content) steps.push('read')
    return read(value)
  })
  onTestFinished(() => {
    parsing.mockRestore()
    reading.mockRestore()
  })
  const input = { conversationId: 'body', ifMissing: 'CREATE', messages: [{ role: 'USER', content }] }
  expect(await bed.server.as().get(append, { input })).toEqual({ appendMessages: { replayed: [false] } })
  expect(steps).toEqual(order)
})

test('the tool calls of a long append are checked by some thousands in a turn', async () => {
  const [messages, calls] = [100, 100]
  let [inTurn, most, all] = [0, 0, 0]
  const { isWellFormed } = String.prototype
  const checking = vi.spyOn(String.prototype, 'isWellFormed').mockImplementation(function (this: string) {
    inTurn += 1
    all += 1
    return isWellFormed.call(this)
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
  })
  const toolCalls = Array.from({ length: calls }, (_, n) => ({ callId: `c${n}`, name: 'n', arguments: '{"a":"\\"b"}' }))
  const input = {
    conversationId: 'calls',
    ifMissing: 'CREATE',
    messages: Array.from({ length: messages }, () => ({ role: 'ASSISTANT', toolCalls })),
  }
  const { appendMessages } = await bed.server.as().get(append, { input })
  expect(appendMessages.replayed).toHaveLength(messages)
  expect(all).toBeGreaterThanOrEqual(3 * messages * calls)
  expect(most).toBeLessThan(3 * 3_000)
  const stored = await bed.server
    .as()
    .get('{ conversation(id: "calls") { lastMessage { toolCalls { callId arguments } } } }')
  expect(stored.conversation.lastMessage.toolCalls).toEqual(toolCalls.map(({ name: _, ...call }) => call))
})
