import type { Case } from '../case.ts'
import { atLeast, compare, enterServer, report } from '../compare.ts'
import { mercurius, ours } from '../contenders.ts'
import { standardData } from '../data.ts'

export const append: Case = {
  name: 'append',
  title: 'Append, 128 connections',
  async run(bench) {
    const url = await bench.database.copy('bench', standardData)
    const load = {
      question: 'append',
      connections: 128,
      conversations: { first: 0, count: standardData.conversations },
    } as const
    await using entered = new AsyncDisposableStack()
    const entrants = []
    for (const contender of [ours, mercurius]) {
      entrants.push(entered.use(await enterServer(contender, url, load)))
    }
    const measured = await compare(bench, entrants)
    return report(measured, 'Each request appends one message with a client id to a random conversation.', [
      ...atLeast(measured, 'pgbench', 1.7),
      ...atLeast(measured, 'mercurius', 2.5),
      ...atLeast(measured, 'PostGraphile', 5),
      ...atLeast(measured, 'naive', 25),
    ])
  },
}
