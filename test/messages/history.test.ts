import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'

const bed = useBed()

const user = (content: string) => ({ role: 'USER', content })
const text = (content: string) => ({ role: 'ASSISTANT', content })
const call = (...ids: string[]) => ({
  role: 'ASSISTANT',
  toolCalls: ids.map((callId) => ({ callId, name: 'find', arguments: '{}' })),
})
const result = (toolCallId: string) => ({ role: 'TOOL', toolCallId, content: `result of ${toolCallId}` })

let conversations = 0

async function store(messages: object[]): Promise<(last: number, beforeSeq?: number) => Promise<number[]>> {
  const id = `history-${conversations++}`
  const ada = bed.server.as()
  const append = 'mutation ($input: AppendMessagesInput!) { appendMessages(input: $input) { replayed } }'
  await ada.get(append, { input: { conversationId: id, ifMissing: 'CREATE', messages } })
  return async (last, beforeSeq) => {
    const history = `query ($id: ID!, $last: Int!, $beforeSeq: Int) { conversation(id: $id) { history(last: $last, beforeSeq: $beforeSeq) { seq } } }`
    const { conversation } = await ada.get(history, { id, last, beforeSeq })
    return conversation.history.map((message: { seq: number }) => message.seq)
  }
}

test('history is the last messages, oldest first, and 50 unless asked', async () => {
  const history = await store(Array.from({ length: 60 }, (_, i) => user(`m${i}`)))
  expect(await history(3)).toEqual([58, 59, 60])
  expect(await history(1000)).toHaveLength(60)
  const { conversation } = await bed.server.as().get('{ conversation(id: "history-0") { history { seq } } }')
  expect(conversation.history).toHaveLength(50)
})

test('history before a seq ends there', async () => {
  const history = await store([user('a'), text('b'), user('c'), text('d')])
  expect(await history(2, 4)).toEqual([2, 3])
  expect(await history(2, 1)).toEqual([])
  expect(await history(2, 100)).toEqual([3, 4])
})

test('history never begins with a tool result: it reaches back to the call', async () => {
  const history = await store([user('q'), call('a', 'b'), result('a'), result('b'), text('done')])
  expect(await history(1)).toEqual([5])
  expect(await history(2)).toEqual([2, 3, 4, 5])
  expect(await history(3)).toEqual([2, 3, 4, 5])
  expect(await history(4)).toEqual([2, 3, 4, 5])
  expect(await history(1, 4)).toEqual([2, 3])
})

test('history reaches back to the call past what came between', async () => {
  const history = await store([call('a'), user('meanwhile'), text('one moment'), result('a'), text('done')])
  expect(await history(2)).toEqual([1, 2, 3, 4, 5])
})

test('history reaches back to the nearest call of a repeated call id', async () => {
  const history = await store([call('a'), result('a'), user('again'), call('a'), result('a')])
  expect(await history(1)).toEqual([4, 5])
})

test('history reaches back to the assistant before results whose call it does not know', async () => {
  const history = await store([user('q'), text('calls in its own way'), result('x'), result('y')])
  expect(await history(1)).toEqual([2, 3, 4])
})

test('history leaves out leading results that have no call at all', async () => {
  const history = await store([result('x'), result('y'), user('hello')])
  expect(await history(3)).toEqual([3])
  expect(await history(2)).toEqual([3])
  const orphans = await store([user('q'), result('x')])
  expect(await orphans(1)).toEqual([])
})

test('history leaves out streaming messages', async () => {
  const history = await store([user('q'), text('whole'), text('half')])
  const client = await bed.database.connect()
  await client.query("update message set status = 'STREAMING' where content = 'half'")
  expect(await history(5)).toEqual([1, 2])
})
