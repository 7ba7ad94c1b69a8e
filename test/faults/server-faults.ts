import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from './fault.ts'

const hour = 3_600_000

export const serverFaults: readonly Fault[] = [
  {
    name: 'a server is killed with SIGKILL, and another one started',
    times: 10,
    timesInShort: 1,
    happen: (house, _load, random) => house.replace(random.pick(house.seats)),
  },
  {
    name: "the servers' clocks jump an hour apart, and back",
    times: 2,
    timesInShort: 1,
    happen: async ({ seats: [first, second] }, load) => {
      await first?.probe.shiftClock(hour)
      await second?.probe.shiftClock(-hour)
      await load.recovered()
      await pause(1_000)
      for (const probe of [first?.probe, second?.probe]) await probe?.shiftClock(0)
    },
  },
]
