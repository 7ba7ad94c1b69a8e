import { beforeAll, expect, test } from 'vitest'
import { isLong } from '../support/long.ts'
import { buildPrograms } from '../support/program/program.ts'
import { faults } from './faults.ts'
import { House } from './house.ts'
import { seededRandom } from './seed.ts'
import { tryFault, warmUp } from './trial.ts'

beforeAll(buildPrograms)

/** `npm run test:faults` does all of them, more often, and on both buses. The storms break connections and servers in every run. */
test.skipIf(!isLong)(
  'nothing is lost or told twice, whatever happens to servers, PostgreSQL and connections',
  {
    timeout: 600_000,
  },
  async () => {
    const random = seededRandom()
    await using house = await House.open('PostgreSQL', random)
    await warmUp(house, random)
    for (const fault of faults.filter(({ timesInShort }) => timesInShort > 0)) {
      const outcome = await tryFault(house, fault, fault.timesInShort, random)
      expect(outcome).toMatchObject({ breaches: [], strange: [] })
    }
  },
)
