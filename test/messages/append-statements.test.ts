import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { engine } from '../support/database/engine.ts'
import { countStatements } from '../support/database/statements.ts'

const bed = useBed()

test('an append takes one round trip to the database', async ({ skip }) => {
  skip(engine.spreads, 'on Citus it is a transaction of two statements, which is cheaper there')
  const ada = bed.server.as()
  await ada.append('one-trip', 'first')
  const again = { role: 'USER', content: 'second', clientId: 'x' }
  expect(await countStatements(bed.database, () => ada.append('one-trip', again))).toBe(1)
  expect(await countStatements(bed.database, () => ada.append('one-trip-new', 'creates'))).toBe(1)
})
