import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { useGuide } from '../support/documents/guide.ts'

const bed = useBed()
const [react, reply, rate, list, refuse, take, wait, queue, follow, join] = useGuide('docs/chat.md').take('graphql', 10)

test('the documents of docs/chat.md do what it says', async () => {
  const ada = bed.server.as()
  const { message } = await ada.append('team', 'Hello')
  const add = `mutation { addParticipant(input: { conversationId: "team", userId: "grace" }) { conversation { id } } }`
  await ada.get(add)
  expect((await ada.get(react, { message: message.id })).addReaction.message.reactions).toEqual([
    { emoji: '👍🏽', count: 1, viewerReacted: true },
  ])
  expect((await ada.get(reply, { message: message.id })).appendMessage.message).toMatchObject({
    replyTo: { id: message.id, content: 'Hello', author: { userId: 'ada' } },
    mentions: [{ userId: 'grace' }],
  })
  const answer = (await ada.append('team', { role: 'ASSISTANT', content: '21' })).message.id
  const said = { rating: 'DOWN', reason: 'wrong-number', comment: 'It is 12, not 21.' }
  expect((await ada.get(rate, { answer })).setFeedback.message.feedback).toEqual(said)
  expect((await ada.get(list)).feedback.nodes).toMatchObject([
    { ...said, messageId: answer, message: { content: '21' } },
  ])
  const asking = await ada.append('team', {
    role: 'ASSISTANT',
    toolCalls: [{ callId: 'call_1', name: 'pay', arguments: '{}' }],
  })
  expect((await ada.get(refuse, { answer: asking.message.id })).answerCall.message.toolCalls).toEqual([
    {
      callId: 'call_1',
      approval: { approved: false, reason: 'Not this month.', userId: 'ada', answeredAt: expect.any(String) },
    },
  ])
  const { conversation } = await ada.get('{ conversation(id: "team") { context(maxTokens: 1000) { messages } } }')
  expect(conversation.context.messages.at(-1).content).toBe('A person refused this call: Not this month.')
  expect((await ada.get(take, { conversation: 'team' })).takeOver.conversation).toEqual({
    id: 'team',
    takenOverBy: 'ada',
  })

  await ada.append('help', 'Give me my money back.')
  await using queues = bed.server.as({ 'x-user-id': 'sue' }).subscribe(follow as string)
  expect((await queues.next())?.data).toEqual({ waitingConversationsChanged: { count: 0, nodes: [] } })
  const waiting = { since: expect.any(String), reason: 'A refund above my limit.' }
  expect((await ada.get(wait, { conversation: 'help' })).waitForPerson.conversation).toEqual({ id: 'help', waiting })
  const sue = bed.server.as({ 'x-user-id': 'sue' })
  const page = (await sue.get(queue)).waitingConversations
  const node = { conversationId: expect.stringMatching(/^cnv_/), ownerId: 'ada', title: null, ...waiting }
  expect(page).toMatchObject({ count: 1, nodes: [node], pageInfo: { hasNextPage: false } })
  expect((await queues.next())?.data).toEqual({ waitingConversationsChanged: { count: 1, nodes: page.nodes } })
  const id = page.nodes[0].conversationId
  expect((await sue.get(join, { waiting: id })).joinWaiting.conversation).toEqual({
    id,
    viewerRole: 'OBSERVER',
    history: [{ content: 'Give me my money back.' }],
  })
})
