import { expect, onTestFinished, test, vi } from 'vitest'
import { Rates } from '../../src/server/rate/rates.ts'
import type { Api } from '../support/api.ts'
import { useBed } from '../support/bed.ts'
import { hold } from '../support/database/hold.ts'
import { untilWaiting } from '../support/database/until-waiting.ts'
import { logged } from '../support/observe/logged.ts'
import { serve } from '../support/server.ts'

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

test('who floods has one line at once, and then one a second that says how many refusals it stands for', () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const rates = new Rates({ perSecond: 1, burst: 10 }, 20)
  const flood = (count: number) => Array.from({ length: count }, () => rates.countRefusal('flood'))
  expect(flood(3)).toEqual([1, 0, 0])
  expect(rates.countRefusal('another')).toBe(1)
  expect(rates.countRefusalAt('flood')).toBe(1)
  vi.advanceTimersByTime(999)
  expect(flood(2)).toEqual([0, 0])
  vi.advanceTimersByTime(1)
  expect(flood(2)).toEqual([5, 0])
  vi.advanceTimersByTime(5_000)
  expect(flood(1)).toEqual([2])
})

test('the log has no line for each refusal of a flood, and one for each that comes later', async () => {
  await using server = await serve(bed.database.url, { RATE_LIMIT: '1', RATE_BURST: '100' })
  const [flood, other] = ['flood', 'other'].map((user) => server.as({ 'x-user-id': user })) as [Api, Api]
  for (const user of [flood, other]) await user.get('{ conversation(id: "none") { history(last: 1000) { seq } } }')
  const count = 50
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  for (let n = 0; n < count; n++) expect((await flood.fail('{ viewer { id } }')).extensions.code).toBe('RATE_LIMITED')
  await other.fail('{ viewer { id } }')
  vi.advanceTimersByTime(1_000)
  await flood.fail('{ viewer { id } }')
  const { refusals } = await logged(server, (line) => line.refusals !== undefined)
  expect(refusals).toBe(count)
  const refused = server.logged.filter(({ status }) => status === 429)
  expect(refused.map(({ viewer }) => viewer)).toEqual(['flood', 'other', 'flood'])
})
