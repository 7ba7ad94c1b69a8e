import { setTimeout as pause } from 'node:timers/promises'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { createDatabase } from '../support/database/database.ts'
import { engine } from '../support/database/engine.ts'
import { ask } from '../support/database/nodes.ts'
import { isLong } from '../support/long.ts'
import { TcpProxy } from '../support/network/tcp-proxy.ts'
import { buildPrograms } from '../support/program/program.ts'
import { ServerProcess } from '../support/program/server-process.ts'
import { Storm } from '../support/storm.ts'
import { until } from '../support/until.ts'

/** How long the weather lasts; what comes after it takes the time that it takes. */
const seconds = Number(process.env.STORM_SECONDS ?? 6)
const timeout = seconds * 1_000 + (engine.spreads ? 600_000 : 120_000)

/** Three PostgreSQLs on the same cores bear less, and whoever waits for longer than 2.5 s asks again. */
const conversations = Array.from({ length: engine.spreads ? 4 : 10 }, (_, index) => `c${index}`)
/** Of each conversation: some from the beginning, some later from the beginning, some later from what they have read. */
const followers = [
  ...Array.from({ length: 12 }, () => ({ from: 'beginning', isLate: false }) as const),
  ...Array.from({ length: 4 }, () => ({ from: 'beginning', isLate: true }) as const),
  ...Array.from({ length: 4 }, () => ({ from: 'now', isLate: true }) as const),
]

const poolSize = 8
const settings = { POOL_SIZE: String(poolSize), POLL_MS: '1000', PING_MS: '2000' }
/** How much more a server may hold afterwards: the heap grows as long as the machine has memory, and is given back late. */
const sparedMiB = 500

beforeAll(buildPrograms)

test('cut, stalled and dropped at random, two servers: every list is exactly right, every text what was written', {
  timeout,
}, async () => {
  await using database = await createDatabase()
  await using first = await ServerProcess.start(database.url, settings)
  await using second = await ServerProcess.start(database.url, settings)
  await weather([first, second], async () => [first, second])
})

test.skipIf(!isLong)(
  'one of three servers is drained and replaced, and another one killed: the same',
  { timeout },
  async () => {
    await using stack = new AsyncDisposableStack()
    const database = stack.use(await createDatabase())
    const start = async (more = {}) => stack.use(await ServerProcess.start(database.url, { ...settings, ...more }))
    // It stores late what it has accepted, and so takes some of it with it.
    const [stays, drained, killed] = [await start(), await start(), await start({ TEXT_WINDOW_MS: '1000' })]
    await weather([stays, drained, killed], async (proxy) => {
      await pause((seconds * 1_000) / 3)
      drained.program.kill('SIGTERM')
      const next = await start()
      proxy.aim(stays, next, drained, killed)
      expect(await drained.program.exited).toEqual({ code: 0, signal: null })
      await pause((seconds * 1_000) / 6)
      killed.program.kill('SIGKILL')
      await killed.program.exited
      return [stays, next]
    })
  },
)

/** Moving a part of the tables takes seconds, and nothing is written to it meanwhile where that is asked for. */
const movesMs = 600_000

describe('on Citus', () => {
  const [, ...workers] = inject('cluster').nodes

  test('a worker ends all its connections, again and again: the same', { timeout }, async ({ skip }) => {
    skip(workers.length === 0, 'TEST_CITUS_URL names no Citus')
    await using database = await createDatabase()
    await using first = await ServerProcess.start(database.url, settings)
    await using second = await ServerProcess.start(database.url, settings)
    const worker = new URL(database.url)
    worker.host = new URL(workers[0] as string).host
    await weather([first, second], async () => {
      for (let time = 0; time < 5; time++) {
        await pause((seconds * 1_000) / 6)
        await ask(worker.href, terminate)
      }
      return [first, second]
    })
  })

  test('a worker is added, and conversations move to it and back: the same', { timeout: movesMs }, async ({ skip }) => {
    skip(workers.length < 2, 'TEST_CITUS_URL names no Citus with two workers')
    await using database = await createDatabase('bare')
    const { hostname, port } = new URL(workers[1] as string)
    const worker = `'${hostname}', ${port || 5432}`
    const name = new URL(database.url).pathname.slice(1)
    await ask(database.url, `select citus_remove_node(${worker})`)
    await ask(database.url, `alter database ${name} set citus.shard_count = 4`)
    await using first = await ServerProcess.start(database.url, settings)
    await using second = await ServerProcess.start(database.url, settings)
    const shards = async () => {
      const count = `select count(*)::int from pg_dist_shard_placement where nodeport = ${port || 5432}`
      return (await ask(database.url, count))[0]?.count
    }
    await weather([first, second], async () => {
      await ask(database.url, `select citus_add_node(${worker})`)
      expect(await shards()).toBe(0)
      const byCount = "rebalance_strategy := 'by_shard_count'"
      await ask(database.url, `select rebalance_table_shards(${byCount}, shard_transfer_mode := 'block_writes')`)
      expect(await shards()).toBeGreaterThan(0)
      // The usual way, by logical replication.
      await ask(database.url, `select citus_drain_node(${worker}, 'auto')`)
      expect(await shards()).toBe(0)
      return [first, second]
    })
  })
})

const terminate = `
  select pg_terminate_backend(pid, 5000) from pg_stat_activity
  where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()`

/** @param happens with the servers meanwhile; answers those that are left */
async function weather(
  servers: readonly ServerProcess[],
  happens: (proxy: TcpProxy) => Promise<ServerProcess[]>,
): Promise<void> {
  await using proxy = await TcpProxy.before(...servers)
  using storm = new Storm(proxy)
  for (const id of conversations) {
    await storm.ask('mutation ($input: CreateConversationInput!) { createConversation(input: $input) { created } }', {
      input: { id, ifExists: 'RETURN' },
    })
  }
  const before = await Promise.all(servers.map(measure))

  const disturbing = disturb(proxy, storm)
  const followed = conversations.flatMap((id) =>
    followers.map(async ({ from, isLate }) => {
      if (isLate) await pause(Math.random() * seconds * 900)
      return [id, from, await storm.follow(id, from, 'last')] as const
    }),
  )
  const worked = conversations.map(async (id, index) => {
    // There, everything goes from time to time, and what is streaming too.
    const isCleared = index === 0
    const [written, cleared, edited, streamed, others] = await Promise.all([
      storm.write(id, 'w'),
      isCleared ? storm.clear(id, 'c') : new Map<string, number>(),
      storm.edit(id, 'e'),
      storm.stream(id),
      storm.stream(id),
    ])
    const acknowledged = new Map([...written, ...cleared])
    return { id, isCleared, acknowledged, edited, streamed: new Map([...streamed, ...others]) }
  })
  const [following, working, happening] = [Promise.all(followed), Promise.all(worked), happens(proxy)]
  await Promise.race([pause(seconds * 1_000), failureOf(following, working, happening)])
  const left = await happening
  storm.end()
  await disturbing
  proxy.aim(...left)
  proxy.resume()
  const work = await working
  for (const id of conversations) await storm.append(id, 'last')

  const views = await following
  for (const { id, isCleared, acknowledged, edited, streamed } of work) {
    const { messages } = await storm.read(id)
    for (const [of, from, view] of views) if (of === id) expect(view, `${id} from ${from}`).toEqual(messages)
    expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, index) => index + 1))

    const byClientId = Map.groupBy(messages, ({ clientId }) => clientId)
    for (const [clientId, seq] of acknowledged) {
      expect(byClientId.get(clientId), clientId).toMatchObject([{ seq, ...(isCleared ? {} : { content: clientId }) }])
    }
    for (const [clientId, content] of isCleared ? [] : edited) {
      expect(byClientId.get(clientId), clientId).toMatchObject([{ content }])
    }
    for (const [messageId, text] of streamed) {
      const message = messages.find((one) => one.id === messageId)
      if (!isCleared || message?.deletedAt === null) expect(message?.content, messageId).toBe(text)
      expect(message?.nextChunk).toBeNull()
    }
    // Nobody's twice: there are as many as were acknowledged.
    const appends = messages.filter(({ clientId }) => clientId?.includes(':'))
    expect(appends).toHaveLength(acknowledged.size + edited.size)
    expect(messages.every(({ status }) => status !== 'STREAMING')).toBe(true)
  }

  // No socket is left, and no more connections to PostgreSQL than the pool may have and the hints need.
  const most = Math.max(...before.map(({ handles }) => handles)) + poolSize + 4
  for (const server of left) {
    await until(async () => (await server.handles()) <= most)
    const least = Math.min(...before.map(({ residentMiB }) => residentMiB))
    expect(await server.residentMiB()).toBeLessThan(least + sparedMiB)
  }
  if (process.env.STORM_SECONDS !== undefined) {
    const after = await Promise.all(left.map(measure))
    console.info(JSON.stringify({ ...storm.counts, before, after }))
  }
}

/** Only rejects, with the first of them that does. */
function failureOf(...promises: readonly Promise<unknown>[]): Promise<never> {
  return new Promise((_, reject) => {
    for (const promise of promises) promise.catch(reject)
  })
}

/** A share of the connections is cut, stalled or dropped every 0.2 to 2 seconds, and what was stalled goes on. */
async function disturb(proxy: TcpProxy, storm: Storm): Promise<void> {
  const kinds = [
    () => proxy.cut(0.3),
    () => proxy.stall(0.2),
    () => proxy.drop(0.1),
    () => proxy.resume(),
    () => proxy.cut(),
  ]
  for (let n = 0; !storm.isOver; n++) {
    kinds[n % kinds.length]?.()
    await storm.breathe(1_100)
  }
}

async function measure(server: ServerProcess) {
  return { handles: await server.handles(), residentMiB: await server.residentMiB() }
}
