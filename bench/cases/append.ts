import { atLeast } from '../compare.ts'
import { mercurius, naive, ours, postgraphile } from '../contenders.ts'
import { standardData } from '../data.ts'
import { requestCase } from '../request-case.ts'

export const append = requestCase({
  name: 'append',
  title: 'Append, 128 connections',
  method: 'Each request appends one message with a client id to a random conversation.',
  load: { question: 'append', connections: 128, conversations: { first: 0, count: standardData.conversations } },
  contenders: [ours, mercurius, postgraphile, naive],
  withPgbench: true,
  goals: (measured) => [
    ...atLeast(measured, 'pgbench', 1.7),
    ...atLeast(measured, 'mercurius', 2.5),
    ...atLeast(measured, 'PostGraphile', 5),
    ...atLeast(measured, 'naive', 25),
  ],
})
