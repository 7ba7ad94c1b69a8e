import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { useGuide } from '../support/guide.ts'

const bed = useBed()
const [react, reply] = useGuide('docs/chat.md').take('graphql', 2)

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
})
