import { createHook } from 'node:async_hooks'
import { parse } from 'graphql'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { Context } from '../../src/graphql/context.ts'
import { Feed, type Reader } from '../../src/live/feed.ts'
import { HeldReads, SharedReads } from '../../src/live/shared-reads.ts'
import { Watchers } from '../../src/live/watchers.ts'
import type { Executor } from '../../src/server/execution/executor.ts'
import { type ResultSink, ResultStream } from '../../src/server/operation/result-stream.ts'
import { EventResults, type Result, type Subscription } from '../../src/server/operation/results.ts'
import { AnswerMemory } from '../../src/storage/postgres/answer-budget.ts'
import { until } from '../support/until.ts'

const log = pino({ level: 'silent' })
const document = parse('subscription { messageAppended(conversationId: "c") { cursor } }')
const subscription: Subscription = {
  viewer: { userId: 'ada' } as Subscription['viewer'],
  requestId: 'r',
  document,
  operationName: null,
  variableValues: null,
  tellsCost: false,
  startedAt: 0,
}

/** An instance on which subscriptions follow the key `c`, of which each read brings an event. */
function instance() {
  const watchers = new Watchers({ interest: () => ({ confirmed: Promise.resolve(), [Symbol.dispose]: () => {} }) })
  const memory = new AnswerMemory(1_000_000)
  const source = { watchers, reads: new SharedReads(memory), log }
  const counts = { reads: 0, executions: 0 }
  const executor = {
    execute: async () => {
      counts.executions += 1
      return { data: { messageAppended: { cursor: 'place' } } }
    },
  }
  const context = { budget: { [Symbol.dispose]: () => {} } } as Context
  const results = new EventResults(executor as unknown as Executor, () => context, null, log)
  const reader: Reader<object> = {
    read: (reads, _hasMoved, tell) => {
      const ask = async () => {
        counts.reads += 1
        return { events: [{ cursor: 'place' }], rest: 'all', revision: counts.reads } as const
      }
      reads.once('what is new', ask, tell)
    },
  }
  return {
    watchers,
    counts,
    memory,
    follow(sink: ResultSink<Subscription>) {
      const stream = new ResultStream(results, subscription, new Feed<object>(source, 'c').begin(reader))
      stream.begin(sink)
      return stream
    },
  }
}

/** How many promises are made while one event goes to so many subscriptions. */
async function promisesFor(count: number): Promise<number> {
  const { watchers, follow, counts } = instance()
  let told = 0
  const sink: ResultSink<Subscription> = {
    next: () => {
      told += 1
      return null
    },
    over: () => {},
    failed: () => {},
  }
  for (let n = 0; n < count; n++) follow(sink)
  await until(() => told === count)
  let promises = 0
  const hook = createHook({
    init: (_id, type) => {
      if (type === 'PROMISE') promises += 1
    },
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  sink.next = () => {
    told += 1
    if (told === 2 * count) {
      hook.disable()
      resolve()
    }
    return null
  }
  hook.enable()
  watchers.moved({ key: 'c', revision: 100 })
  await promise
  expect(counts).toEqual({ reads: 2, executions: 2 })
  return promises
}

test('an event goes to all who follow a conversation in one sweep: it takes no promise for each of them', async () => {
  const few = await promisesFor(2)
  // The runner makes a few of its own meanwhile.
  expect(await promisesFor(200)).toBeLessThan(few + 20)
})

test('whoever fails in a sweep, or ends another in it, fails alone, and nothing of the read stays held', async () => {
  const { watchers, follow, memory } = instance()
  const told: string[] = []
  const failures: unknown[] = []
  const sink = (name: string, next: () => Promise<void> | null): ResultSink<Subscription> => ({
    next: () => {
      told.push(name)
      return next()
    },
    over: () => told.push(`${name} is over`),
    failed: (_, error) => failures.push(error),
  })
  follow(sink('first', () => null))
  follow(
    sink('second', () => {
      throw new Error('cannot be sent')
    }),
  )
  follow(
    sink('third', () => {
      last.return()
      return null
    }),
  )
  const last = follow(sink('last', () => null))
  await until(() => told.includes('last is over'))
  expect(told).toEqual(['first', 'second', 'third', 'last is over'])
  expect(failures).toEqual([new Error('cannot be sent')])
  watchers.moved({ key: 'c', revision: 100 })
  await until(() => told.length === 6)
  expect(told.slice(4)).toEqual(['first', 'third'])
  expect(watchers.size).toBe(2)
  expect(memory.held).toBe(0)
})

test('a subscription that ends while its result is sent is over once it was sent, and not before', async () => {
  const { follow } = instance()
  const sent = Promise.withResolvers<void>()
  const told: (Result | 'over')[] = []
  const stream = follow({
    next: (_, result) => {
      told.push(result)
      return sent.promise
    },
    over: () => told.push('over'),
    failed: () => {},
  })
  await until(() => told.length === 1)
  stream.return()
  expect(told).toHaveLength(1)
  sent.resolve()
  await until(() => told.length === 2)
  expect(told[1]).toBe('over')
})

test('a read is told to all who asked, though one of them cannot take it', async () => {
  const memory = new AnswerMemory(1_000_000)
  const reads = new SharedReads(memory)
  const failures: unknown[] = []
  const taken: string[] = []
  const refusing = new HeldReads(reads, (error) => failures.push(error))
  const taking = new HeldReads(reads, (error) => failures.push(error))
  const ask = async () => 'answer'
  refusing.once('question', ask, () => {
    throw new Error('cannot be taken')
  })
  taking.once('question', ask, (answer) => taken.push(answer))
  await until(() => taken.length === 1)
  expect(failures).toEqual([new Error('cannot be taken')])
})
