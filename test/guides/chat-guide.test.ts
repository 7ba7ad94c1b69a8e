import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { useGuide } from '../support/documents/guide.ts'

const bed = useBed()
const [react, reply, rate, list] = useGuide('docs/chat.md').take('graphql', 4)

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
})
