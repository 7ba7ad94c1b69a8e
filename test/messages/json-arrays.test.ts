import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import type { MessageColumn } from '../../src/storage/message/message-columns.ts'
import { arrayValuesOf } from '../../src/storage/message/message-values.ts'
import { Random } from '../support/random.ts'

const { prepareValue }: { prepareValue: (value: unknown) => unknown } = createRequire(import.meta.url)('pg/lib/utils')

const usage = { name: 'usage', property: 'usage', type: 'json' } as unknown as MessageColumn<'usage'>

test('an array of JSON has the bytes that the driver would write', () => {
  const random = new Random(7)
  const letters = [
    'a',
    'é',
    '\n',
    '"',
    '\\',
    '\u2028',
    '👩',
    '\ud800',
    '\u0001',
    '\u007f',
    ' ',
    ',',
    '{',
    '}',
    '0',
    'NULL',
  ]
  const word = () => Array.from({ length: random.below(12) }, () => random.pick(letters)).join('')
  for (let round = 0; round < 500; round++) {
    const values = Array.from({ length: 1 + random.below(4) }, () =>
      random.chance(0.2) ? null : random.pick([word(), 1.5, true, [word(), null], { [word()]: word() }]),
    )
    const [array] = arrayValuesOf([usage], values.map((value) => ({ usage: value })) as never)
    const texts = values.map((value) => (value === null ? null : JSON.stringify(value)))
    expect(array).toBe(values.some((value) => value !== null) ? prepareValue(texts) : null)
  }
})
