import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { useGuide } from '../support/documents/guide.ts'

const bed = useBed()
const [react, reply, rate, list, refuse, take] = useGuide('docs/chat.md').take('graphql', 6)

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
})
