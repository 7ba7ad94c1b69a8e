import { atLeast, atMostServerCpu } from '../compare.ts'
import { mercurius, naive, ours, pipelinedMercurius, postgraphile } from '../contenders.ts'
import { standardData } from '../data.ts'
import { requestCase } from '../request-case.ts'

export const page = requestCase({
  name: 'page',
  title: 'Page of 50, 32 connections',
  method: 'Each request reads the last 50 messages of a random conversation.',
  load: { question: 'page', connections: 32, conversations: { first: 0, count: standardData.conversations } },
  contenders: [ours, mercurius, pipelinedMercurius, postgraphile, naive],
  goals: (measured) => [
    ...atLeast(measured, 'mercurius', 1.5),
    ...atLeast(measured, 'PostGraphile', 4),
    ...atLeast(measured, 'naive', 8),
    ...atMostServerCpu(measured, 320),
  ],
})
