import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../support/random.ts'
import type { Fault } from './fault.ts'
import { type Finding, findBreaches } from './history.ts'
import type { House, Seat } from './house.ts'
import { type Counts, Load } from './load.ts'

/** What came of one fault on one house. */
export interface Outcome {
  readonly fault: string
  readonly bus: string
  readonly times: number
  readonly counts: Counts
  readonly seconds: number
  /** From the end of the fault until every writer was answered and every follower had seen it, each time. */
  readonly recoveryMs: readonly number[]
  readonly heapMiB: number
  /** What was acknowledged and is not there once, and what somebody was shown wrongly. */
  readonly breaches: readonly Finding[]
  /** Answers and lines of logs that no fault excuses. */
  readonly strange: readonly string[]
}

/**
 * Lets people work on each server, without any fault, and remembers what the servers hold afterwards. Windows are among
 * that: a server starts a thread for the first one.
 */
export async function warmUp(house: House, random: Random): Promise<void> {
  const work = async ({ server }: Seat) => {
    using load = await Load.begin(`warm ${server.url}`, server, random)
    await load.readWindow()
    await pause(1_000)
    await load.finish()
  }
  await Promise.all(house.seats.map(work))
  await house.remember()
}

/**
 * Does a fault so many times while people work. Then everybody comes to an end, and what they were told is compared with
 * what is stored.
 *
 * @throws when the servers do not let go of what they held for it
 */
export async function tryFault(house: House, fault: Fault, times: number, random: Random): Promise<Outcome> {
  const begun = performance.now()
  const bus = house.nats === null ? 'PostgreSQL' : 'NATS'
  const known = house.complaints().length
  using load = await Load.begin(`${bus}, ${fault.name}`.slice(0, 90), house.front, random)
  const recoveryMs: number[] = []
  for (let time = 0; time < times; time++) {
    await fault.happen(house, load, random)
    recoveryMs.push(await load.recovered())
  }
  const seconds = (performance.now() - begun) / 1_000
  const breaches = (await load.finish()).flatMap(findBreaches)
  const { heapMiB } = await house.settle()
  const strange = [...load.strange, ...house.complaints().slice(known)]
  return { fault: fault.name, bus, times, counts: load.counts, seconds, recoveryMs, heapMiB, breaches, strange }
}
