import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { useGuide } from '../support/documents/guide.ts'

const bed = useBed()
const [add] = useGuide('docs/participants.md').take('graphql', 1)

test('the mutation of docs/participants.md lets another user take part', async () => {
  await bed.server.as().append('support', 'Hello')
  const { conversation } = (await bed.server.as().get(add)).addParticipant
  expect(conversation.participants.nodes).toMatchObject([
    { userId: 'ada', role: 'OWNER' },
    { userId: 'grace', role: 'MEMBER' },
  ])
  const { conversations } = await bed.server
    .as({ 'x-user-id': 'grace' })
    .get('{ conversations { nodes { id history { content } } } }')
  expect(conversations.nodes).toEqual([{ id: expect.stringMatching(/^cnv_/), history: [{ content: 'Hello' }] }])
})
