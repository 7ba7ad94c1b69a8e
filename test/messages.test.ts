import { expect, test } from 'vitest'
import { useBed } from './support/bed.ts'

const bed = useBed()

test('an appended message is read back', async () => {
  const ada = bed.server.as()
  const { message, conversation } = await ada.append('first', 'Hello')
  expect(message).toMatchObject({ seq: 1, content: 'Hello' })
  expect(conversation).toMatchObject({ id: 'first', lastSeq: 1 })
  const data = await ada.get(
    '{ conversation(id: "first") { messages { nodes { content } pageInfo { hasNextPage } } } }',
  )
  expect(data.conversation.messages).toEqual({ nodes: [{ content: 'Hello' }], pageInfo: { hasNextPage: false } })
})

test('a subscription replays from the beginning and goes on live', async () => {
  const ada = bed.server.as()
  await ada.append('live', 'one')
  await using feed = ada.subscribe(
    'subscription { messageAppended(conversationId: "live", after: "") { cursor node { seq content } } }',
  )
  expect((await feed.next())?.data.messageAppended.node).toEqual({ seq: 1, content: 'one' })
  await ada.append('live', 'two')
  const second = await feed.next()
  expect(second?.data.messageAppended.node).toEqual({ seq: 2, content: 'two' })
  expect(second?.extensions?.cursor).toBe(second?.data.messageAppended.cursor)
})
