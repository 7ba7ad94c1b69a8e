import type { Case, Goal } from '../case.ts'
import { naive, ours } from '../contenders.ts'
import { standardData } from '../data.ts'
import { show } from '../numbers.ts'
import { compareDelivery, type Delivery, reportDelivery } from '../watch-case.ts'

/** The naive stack stores a few hundred messages a second at best. */
const naiveRate = 100

export const live: Case = {
  name: 'live',
  title: 'Live: 10,000 conversations with one watcher each, 2,000 appends per second',
  async run(bench) {
    const url = await bench.database.copy('bench', standardData)
    const measured = await compareDelivery(bench, [ours, naive], url, {
      watchers: standardData.conversations,
      watchersPerSocket: 10,
      conversations: { first: 0, count: standardData.conversations },
      connections: 128,
      perSecond: (contender) => (contender === naive ? naiveRate : 2_000),
      seconds: 2 * bench.options.seconds,
    })
    const method =
      'Ten watchers share a socket. Latency is from `createdAt`, which is taken before the commit, to the delivery: more than ' +
      `from the commit on. CPU is per delivered message, its append included; the naive stack gets ${naiveRate} appends per second.`
    return reportDelivery(measured, method, goals(measured))
  },
}

function goals(measured: ReadonlyMap<string, Delivery>): Goal[] {
  const own = measured.get(ours.name)
  const p99 = own?.p99 ?? Number.NaN
  const ratio = (own?.serverCpu ?? Number.NaN) / (measured.get(naive.name)?.serverCpu ?? Number.NaN)
  return [
    { goal: 'p99 ≤ 25 ms', reached: `${show(p99)} ms`, isReached: p99 <= 25 },
    { goal: 'CPU per delivered message ≤ 0.5 × naive', reached: `${show(ratio)} ×`, isReached: ratio <= 0.5 },
  ]
}
