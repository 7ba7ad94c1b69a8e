import { atLeast } from '../compare.ts'
import { mercurius, naive, ours, postgraphile } from '../contenders.ts'
import { requestCase } from '../request-case.ts'

export const appendHot = requestCase({
  name: 'append-hot',
  title: 'Append, 128 writers on one conversation',
  method: 'Each request appends one message with a client id to the same conversation.',
  load: { question: 'append', connections: 128, conversations: { first: 4711, count: 1 } },
  contenders: [ours, mercurius, postgraphile, naive],
  goals: (measured) => atLeast(measured, 'mercurius', 6),
})
