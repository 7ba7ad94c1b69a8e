import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { useGuide } from '../support/guide.ts'

const bed = useBed()
const [react] = useGuide('docs/chat.md').take('graphql', 1)

test('the mutation of docs/chat.md does what it says', async () => {
  const ada = bed.server.as()
  const { message } = await ada.append('team', 'Hello')
  expect((await ada.get(react, { message: message.id })).addReaction.message.reactions).toEqual([
    { emoji: '👍🏽', count: 1, viewerReacted: true },
  ])
})
