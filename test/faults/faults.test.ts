import { beforeAll, expect, test } from 'vitest'
import { hasNats } from '../support/nats.ts'
import { buildPrograms } from '../support/program.ts'
import { faults } from './faults.ts'
import { House } from './house.ts'
import { seededRandom } from './seed.ts'
import { tryFault, warmUp } from './trial.ts'

beforeAll(buildPrograms)

/** `npm run test:faults` does all of them, on both buses, and more often. */
test.each(['PostgreSQL', 'NATS'] as const)(
  'nothing is lost or told twice, whatever happens to servers, PostgreSQL and connections: hints over %s',
  async (bus) => {
    if (bus === 'NATS' && !hasNats) return
    const random = seededRandom()
    await using house = await House.open(bus, random)
    await warmUp(house, random)
    for (const fault of faults.filter(({ timesInShort }) => timesInShort > 0)) {
      const outcome = await tryFault(house, fault, fault.timesInShort, random)
      expect(outcome).toMatchObject({ breaches: [], strange: [] })
    }
  },
)
