import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { prepareCluster } from '../../src/database/embedded/embedded-cluster.ts'
import { Api } from '../support/api.ts'
import { Postgres } from '../support/database/replicated-postgres.ts'
import { isLong } from '../support/long.ts'
import { EventStreamReader } from '../support/network/event-stream.ts'
import { freePort } from '../support/network/listen.ts'
import { readDashboard } from '../support/observe/dashboard.ts'
import { hasPrometheus, noPrometheus, Prometheus } from '../support/observe/prometheus.ts'
import { buildPrograms } from '../support/program/program.ts'
import { ServerProcess } from '../support/program/server-process.ts'

beforeAll(buildPrograms)

/** What a busy machine may bring about without any fault. */
const ofTime = ['ColloquySlow', 'ColloquyDeliveryLag', 'ColloquyEventLoopBlocked']

// It takes half a minute of two cores; the gate checks the names and the alerts without it.
test.skipIf(!isLong)(
  'a load is seen on every panel of the dashboard and raises no alert, and a lost PostgreSQL and a server that has ended raise theirs',
  async ({ skip }) => {
    skip(!hasPrometheus, noPrometheus)
    const folder = await mkdtemp(join(tmpdir(), 'watched-load-'))
    await using stack = new AsyncDisposableStack()
    stack.defer(() => rm(folder, { recursive: true, force: true }))
    const postgres = stack.use(
      new Postgres(await prepareCluster(join(folder, 'own'), { fsync: 'off' }), await freePort()),
    )
    await postgres.start({})
    const ports = [await freePort(), await freePort()] as const
    const start = async (databaseUrl: string, index: 0 | 1) =>
      stack.use(
        await ServerProcess.start(databaseUrl, {
          DATA_DIR: join(folder, 'embedded'),
          METRICS_PORT: String(ports[index]),
          // No look of the poll falls into the test, which would fail without PostgreSQL.
          POLL_MS: '600000',
        }),
      )
    const embedded = await start('', 0)
    // Its PostgreSQL ends with it, but not if it is killed.
    stack.defer(() => end(embedded))
    const other = await start(postgres.url, 1)
    const prometheus = stack.use(await Prometheus.reading(...ports))

    const followers = await Promise.all([embedded, other].map(follow))
    for (const follower of followers) stack.use(follower)
    for (let round = 0; round < 3; round++) {
      await Promise.all([embedded, other].map((server) => load(server, round)))
      await prometheus.look()
    }
    const panels = await readDashboard()
    expect(panels.length).toBeGreaterThan(40)
    for (const [place, expression] of panels) {
      const samples = await prometheus.query(withVariables(expression))
      const values = samples.map(({ value }) => value).filter(Number.isFinite)
      expect([place, values.length > 0]).toEqual([place, true])
    }
    const alerts = await prometheus.alerts()
    expect(alerts.size).toBe(15)
    expect([...alerts].filter(([name, state]) => state !== 'inactive' && !ofTime.includes(name))).toEqual([])

    await postgres.crash()
    await end(embedded)
    // A rate needs two values, and there is none of a code that no answer had yet.
    for (let round = 0; round < 2; round++) {
      const refused = await new Api(other.url, { 'x-user-id': 'ada' }).ask('{ conversation(id: "load") { id } }')
      expect(refused.errors?.[0]?.extensions.code).toBe('UNAVAILABLE')
      await prometheus.look()
    }
    const raised = new Map([...(await prometheus.alerts())].filter(([, state]) => state !== 'inactive'))
    for (const name of ofTime) raised.delete(name)
    expect([...raised.keys()].sort()).toEqual([
      'ColloquyBusAway',
      'ColloquyDatabaseDown',
      'ColloquyDown',
      'ColloquyPipelinesLost',
      'ColloquyUnavailable',
    ])
  },
)

async function end({ program }: ServerProcess): Promise<void> {
  program.kill('SIGTERM')
  await program.exited
}

function follow(server: ServerProcess): Promise<EventStreamReader> {
  const query = 'subscription { conversationsChanged { cursor } }'
  return EventStreamReader.open(server.url, { query, identity: { 'x-user-id': 'ada' } })
}

/** Appends, a page, a stream, a follower, and requests that are refused. */
async function load(server: ServerProcess, round: number): Promise<void> {
  const ada = new Api(server.url, { 'x-user-id': 'ada' })
  await Promise.all([1, 2, 3].map((n) => ada.append('load', `message ${n}`)))
  const query = 'subscription { messageAppended(conversationId: "load") { node { content } } }'
  await using reader = await EventStreamReader.open(server.url, { query, identity: ada.identity })
  const { startMessage } = await ada.get(
    'mutation { startMessage(input: { conversationId: "load" }) { message { id } } }',
  )
  const { id } = startMessage.message
  await ada.get(
    `mutation ($id: ID!) { appendMessageText(input: { messageId: $id, attempt: 1, chunk: 0, text: "x" }) { nextChunk } }`,
    { id },
  )
  await ada.get(
    'mutation ($id: ID!) { completeMessage(input: { messageId: $id, attempt: 1, chunks: 1 }) { message { id } } }',
    { id },
  )
  await ada.append('load', `followed in round ${round}`)
  await reader.event()
  await ada.get('{ conversation(id: "load") { messages(last: 50) { nodes { content } } } }')
  await ada.fail('{ secret }')
  const stranger = await fetch(`${server.url}/graphql`, { headers: { origin: 'https://elsewhere.example' } })
  expect(stranger.status).toBe(403)
  await stranger.text()
}

/** As Grafana puts them in, where all servers are chosen and a panel shows the last hour. */
function withVariables(expression: string): string {
  return expression.replaceAll('$instance', '.+').replaceAll('$__rate_interval', '1m')
}
