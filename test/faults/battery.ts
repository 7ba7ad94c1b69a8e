import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasNats } from '../support/network/nats.ts'
import { buildPrograms } from '../support/program/program.ts'
import { faults } from './faults.ts'
import { House } from './house.ts'
import { report } from './report.ts'
import { seededRandom } from './seed.ts'
import { type Outcome, tryFault, warmUp } from './trial.ts'

const random = seededRandom()
const begun = performance.now()
const outcomes: Outcome[] = []
let planned = 0

beforeAll(buildPrograms)

describe.each(['PostgreSQL', 'NATS'] as const)('hints over %s', (bus) => {
  const isMissing = bus === 'NATS' && !hasNats
  let house: House

  beforeAll(async () => {
    if (isMissing) return
    house = await House.open(bus, random)
    await warmUp(house, random)
  })
  afterAll(async () => {
    await house?.[Symbol.asyncDispose]()
  })

  for (const fault of faults.filter((one) => one.bus === undefined || one.bus === bus)) {
    if (isMissing || fault.missing !== undefined) {
      test.skip(fault.name)
      continue
    }
    planned += 1
    test(fault.name, async () => {
      const outcome = await tryFault(house, fault, fault.times, random)
      outcomes.push(outcome)
      console.info(JSON.stringify({ ...outcome, recoveryMs: outcome.recoveryMs.map(Math.round) }))
      expect(outcome).toMatchObject({ breaches: [], strange: [] })
    })
  }
})

/** A run of some of them says nothing of the whole. */
afterAll(async () => {
  if (outcomes.length < planned) return
  const missing = faults.flatMap((fault) => (fault.missing === undefined ? [] : [`${fault.name}: ${fault.missing}`]))
  if (!hasNats) missing.push('everything over NATS: this machine has no nats-server')
  await report(outcomes, missing, (performance.now() - begun) / 1_000)
})
