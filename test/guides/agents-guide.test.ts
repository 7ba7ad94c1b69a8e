import { readFile } from 'node:fs/promises'
import { buildSchema, parse, validate } from 'graphql'
import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { useGuide } from '../support/documents/guide.ts'

const bed = useBed()

const operations = useGuide('docs/agents.md').take('graphql', 3)

test("every operation of the agents' guide is valid", async () => {
  const schema = buildSchema(await readFile('schema.graphql', 'utf8'))
  expect(operations.flatMap((block) => validate(schema, parse(block)))).toEqual([])
})

test("the turn of the agents' guide, tools included, does what the guide says, and may be repeated", async () => {
  const [first, second] = operations
  const ada = bed.server.as()
  const run = async (query: string | undefined, operationName: string, variables?: object) => {
    const response = await ada.post(JSON.stringify({ query, operationName, variables }))
    // biome-ignore lint/suspicious/noExplicitAny: as a caller of an untyped API does.
    return ((await response.json()) as { data: any }).data
  }
  const asked = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Where is my order 4?' },
  ]
  for (let time = 0; time < 2; time++) {
    const { attempt, message, conversation } = (await run(first, 'Start')).startMessage
    expect(attempt).toBe(1)
    expect(conversation.context.messages).toEqual(asked)
    const { id } = message
    for (let again = 0; again < 2; again++) {
      expect(await run(first, 'Stream', { id })).toEqual({ appendMessageText: { nextChunk: 1, stopRequested: false } })
    }
  }
  const { id } = (await run(first, 'Start')).startMessage.message
  const complete = { completeMessage: { message: { status: 'COMPLETE' } } }
  expect(await run(first, 'Complete', { id })).toEqual(complete)
  expect(await run(first, 'Complete', { id })).toEqual(complete)
  expect((await run(second, 'StartAgain')).startMessage.conversation.context.messages).toEqual([
    ...asked,
    {
      role: 'assistant',
      content: 'I look it up.',
      tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'find_order', arguments: '{"id":4}' } }],
    },
    { role: 'tool', tool_call_id: 'call_1', content: '{"arrives":"on Friday"}' },
  ])
})
