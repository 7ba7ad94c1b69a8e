import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { useGuide } from '../support/documents/guide.ts'
import { until } from '../support/until.ts'

const bed = useBed({ SEARCH_FILL: 'on' })
const [search] = useGuide('docs/search.md').take('graphql', 1)

test('the query of docs/search.md finds a message, with those around it', async () => {
  const ada = bed.server.as()
  for (const content of ['Hello', 'The bicycle is parked behind the station.', 'Thanks'])
    await ada.append('trip', content)
  await until(async () => (await ada.get(search)).searchMessages.edges.length > 0)
  const [edge] = (await ada.get(search)).searchMessages.edges
  expect(edge).toMatchObject({
    node: { seq: 2, conversationId: 'trip' },
    before: { content: 'Hello' },
    after: { content: 'Thanks' },
  })
})
