import type { Case, Goal } from '../case.ts'
import { broadcast, graphqlWs, ours, participants } from '../contenders.ts'
import { standardData } from '../data.ts'
import { show } from '../numbers.ts'
import { compareDelivery, type Delivery, reportDelivery } from '../watch-case.ts'

const watchers = 2_000

export const fanOut: Case = {
  name: 'fan-out',
  title: 'Fan-out: 2,000 watchers of one conversation',
  async run(bench) {
    const url = await bench.database.copy('bench', standardData)
    const measured = await compareDelivery(bench, participants([ours, graphqlWs, broadcast], bench.options), url, {
      watchers,
      watchersPerSocket: 1,
      conversations: { first: 4711, count: 1 },
      connections: 4,
      perSecond: () => 10,
      seconds: bench.options.seconds,
    })
    const method =
      'Each watcher has a socket of its own; ten messages a second go to all of them. Ours stores them first; the others ' +
      'make them up. CPU is per delivery.'
    return reportDelivery(measured, method, bench.options.against === undefined ? goals(measured) : [])
  },
}

function goals(measured: ReadonlyMap<string, Delivery>): Goal[] {
  const [first] = measured.values()
  const ratio = (first?.serverCpu ?? Number.NaN) / (measured.get(broadcast.name)?.serverCpu ?? Number.NaN)
  return [{ goal: 'CPU per delivery ≤ 1.3 × broadcast', reached: `${show(ratio)} ×`, isReached: ratio <= 1.3 }]
}
