import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { hold } from '../support/hold.ts'
import { logged } from '../support/logged.ts'
import { untilWaiting } from '../support/until-waiting.ts'

const bed = useBed()

test.each(['http', 'websocket'] as const)('the log says how long an operation over %s took', async (over) => {
  const ada = bed.server.as()
  await ada.append(over, 'first')
  const client = await hold(bed.database, over)
  const input = { conversationId: over, message: { role: 'USER', content: 'late' } }
  const query = 'mutation Slow($input: AppendMessageInput!) { appendMessage(input: $input) { message { seq } } }'
  const answer =
    over === 'http'
      ? ada.post(JSON.stringify({ query, variables: { input }, operationName: 'Slow' }))
      : ada.subscribe(query, { input }).next()
  await untilWaiting(bed.database)
  const from = performance.now()
  for (let asked = 0; asked < 100; asked++) await client.query('select 1')
  const held = performance.now() - from
  await client.query('commit')
  await answer
  const entry = await logged(bed.server, (line) => line.operation === 'Slow' && line.over === over)
  expect(entry.ms).toBeGreaterThan(held)
})

test('what is refused at once has a duration too', async () => {
  await fetch(`${bed.server.url}/nowhere`)
  const { ms } = await logged(bed.server, ({ path }) => path === '/nowhere')
  expect(ms).toBeGreaterThan(0)
  expect(Math.round(Number(ms) * 1_000) / 1_000).toBe(ms)
})
