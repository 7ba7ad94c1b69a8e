import type { Goal } from '../case.ts'
import type { Measurement } from '../compare.ts'
import { mercurius, naive, ours, pipelinedMercurius, postgraphile } from '../contenders.ts'
import { standardData } from '../data.ts'
import { show } from '../numbers.ts'
import { requestCase } from '../request-case.ts'

export const appendOne = requestCase({
  name: 'append-one',
  title: 'Append, 1 connection',
  method: 'One caller appends one message after the other, each to a random conversation.',
  load: { question: 'append', connections: 1, conversations: { first: 0, count: standardData.conversations } },
  contenders: [ours, mercurius, pipelinedMercurius, postgraphile, naive],
  withPgbench: true,
  goals: latencyGoal,
})

function latencyGoal(measured: ReadonlyMap<string, Measurement>): Goal[] {
  const ratio = (measured.get(ours.name)?.p50 ?? Number.NaN) / (measured.get(mercurius.name)?.p50 ?? Number.NaN)
  return [{ goal: 'p50 ≤ 1.1 × mercurius', reached: `${show(ratio)} ×`, isReached: ratio <= 1.1 }]
}
