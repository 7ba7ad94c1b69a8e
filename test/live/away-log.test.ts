import { pino } from 'pino'
import { expect, test } from 'vitest'
import { AwayLog } from '../../src/live/away-log.ts'

test('what is away is told in one line, then once a minute, without a stack, and once when it is back', () => {
  const lines: Record<string, unknown>[] = []
  const away = new AwayLog(pino({}, { write: (line) => void lines.push(JSON.parse(line)) }), 'set NATS_URL')
  for (let now = 0; now < 120_000; now += 500) away.failed(new Error('connection refused'), now)
  expect(lines).toMatchObject([
    { level: 40, reason: 'connection refused', msg: 'set NATS_URL' },
    { level: 40, reason: 'connection refused', msg: 'set NATS_URL' },
  ])
  expect(JSON.stringify(lines)).not.toContain('stack')
  away.failed(new Error('connection refused'), 120_000)
  expect(lines).toHaveLength(3)
  away.back()
  away.back()
  expect(lines).toHaveLength(4)
  // A line that comes and goes is told no more often.
  away.failed(new Error('connection refused'), 121_000)
  expect(lines).toHaveLength(4)
})
