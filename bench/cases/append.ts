import { atLeast } from '../compare.ts'
import { mercurius, naive, ours, pipelinedMercurius, postgraphile } from '../contenders.ts'
import { standardData } from '../data.ts'
import { requestCase } from '../request-case.ts'

export const append = requestCase({
  name: 'append',
  title: 'Append, 128 connections',
  method: 'Each request appends one message with a client id to a random conversation.',
  load: { question: 'append', connections: 128, conversations: { first: 0, count: standardData.conversations } },
  contenders: [ours, mercurius, pipelinedMercurius, postgraphile, naive],
  withPgbench: true,
  goals: (measured) => [
    ...atLeast(measured, 'pgbench', 1.5),
    ...atLeast(measured, 'mercurius', 2),
    ...atLeast(measured, 'PostGraphile', 5),
    ...atLeast(measured, 'naive', 25),
  ],
})
