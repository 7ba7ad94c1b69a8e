import { atLeast } from '../compare.ts'
import { mercurius, naive, ours, pipelinedMercurius, postgraphile } from '../contenders.ts'
import { standardData } from '../data.ts'
import { requestCase } from '../request-case.ts'

export const list = requestCase({
  name: 'list',
  title: 'List of 20 conversations with the last message of each, 32 connections',
  method: 'Each request reads the 20 newest conversations of a random user; every user has 100.',
  load: { question: 'list', connections: 32, conversations: { first: 0, count: standardData.conversations } },
  contenders: [ours, mercurius, pipelinedMercurius, postgraphile, naive],
  goals: (measured) => atLeast(measured, 'mercurius', 1.3),
})
