import { request as send } from 'node:https'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { followConversation, request } from '../../client/src/index.ts'
import { findBreaches } from '../faults/history.ts'
import { Load } from '../faults/load.ts'
import { Api } from '../support/api.ts'
import { createDatabase, type TestDatabase } from '../support/database/database.ts'
import { isLong } from '../support/long.ts'
import { EventStreamReader } from '../support/network/event-stream.ts'
import { freePort } from '../support/network/listen.ts'
import { isInstalled, ReverseProxy } from '../support/network/reverse-proxy.ts'
import { Wire } from '../support/network/wire.ts'
import { patient } from '../support/patient.ts'
import { buildPrograms } from '../support/program/program.ts'
import { ServerProcess } from '../support/program/server-process.ts'
import { Random } from '../support/random.ts'
import { until } from '../support/until.ts'

const user = { 'x-user-id': 'ada' }
/** Hints come from the other server, and not from the poll. */
const settings = {
  ...patient,
  TRUST_PROXY: '127.0.0.1',
  ALLOW_UNAUTHENTICATED: 'true',
  LOG_LEVEL: 'info',
  POLL_MS: '600000',
  SHUTDOWN_DELAY_MS: '5000',
}
const follow = 'subscription ($id: ID!) { messageAppended(conversationId: $id, after: "") { node { seq content } } }'
const append = `mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { message { seq } } }`
/** At the root of a site, and beside an application. */
const paths = ['', '/colloquy']

beforeAll(buildPrograms)

describe.each(['nginx', 'caddy'] as const)('two servers behind %s and TLS, as deploy/ configures it', (kind) => {
  const isMissing = !isInstalled(kind)
  const missing = `there is no ${kind} (Debian: apt-get install nginx-light caddy)`
  let database: TestDatabase
  let ports: [number, number]
  let servers: [ServerProcess, ServerProcess]
  let proxy: ReverseProxy

  const start = (index: 0 | 1) =>
    ServerProcess.start(database.url, { ...settings, RATE_LIMIT: '5000', PORT: String(ports[index]) })

  beforeAll(async () => {
    if (isMissing) return
    database = await createDatabase()
    ports = [await freePort(), await freePort()]
    servers = [await start(0), await start(1)]
    proxy = await ReverseProxy.before(kind, ports)
  })
  afterAll(async () => {
    await proxy?.[Symbol.asyncDispose]()
    for (const server of servers ?? []) await server[Symbol.asyncDispose]()
    await database?.[Symbol.asyncDispose]()
  })
  const behind = (name: string, act: (path: string) => Promise<void>) =>
    test.for(paths)(`${name}, at "%s/"`, async (path, { skip }) => {
      skip(isMissing, missing)
      await act(path)
    })

  behind('requests are answered, and GraphiQL has all its files', async (path) => {
    const site = `${proxy.url}${path}`
    expect((await new Api(site, user).append(`http ${path}`, 'Hello')).message.seq).toBe(1)
    const page = await fetch(`${site}/graphiql`)
    const links = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link as string)
    expect(links.length).toBeGreaterThan(4)
    for (const link of links) {
      const file = await fetch(new URL(link, page.url))
      expect([link, file.status]).toEqual([link, 200])
      await file.arrayBuffer()
    }
  })

  behind('whoever comes without TLS is sent to it', async (path) => {
    const answer = await fetch(`${proxy.plainUrl}${path}/graphiql`, { redirect: 'manual' })
    await answer.text()
    expect(answer.status).toBe(308)
    expect(new URL(answer.headers.get('location') ?? '')).toMatchObject({
      protocol: 'https:',
      hostname: '127.0.0.1',
      pathname: `${path}/graphiql`,
    })
  })

  behind('each event of a stream comes while the stream is open', async (path) => {
    const site = `${proxy.url}${path}`
    const id = `stream ${path}`
    const ada = new Api(site, user)
    await ada.append(id, 'first')
    await using stream = await EventStreamReader.open(site, { query: follow, variables: { id } })
    expect((await stream.result()).data.messageAppended.node).toEqual({ seq: 1, content: 'first' })
    for (const content of ['short', 'long'.repeat(10_000)]) {
      const { message } = await ada.append(id, content)
      expect((await stream.result()).data.messageAppended.node).toEqual({ seq: message.seq, content })
    }
  })

  test('a WebSocket goes on at the other server when its own is killed', { timeout: 300_000 }, async ({ skip }) => {
    skip(isMissing, missing)
    const at = { url: `${proxy.url}/colloquy/graphql`, connectionParams: user, webSocketImpl: WebSocket }
    const conversationId = 'socket'
    await request(at, 'mutation ($id: ID!) { createConversation(input: { id: $id }) { created } }', {
      id: conversationId,
    })
    let connections = 0
    const following = followConversation({ ...at, conversationId, after: '', onRetry: () => connections++ })
    const seen: string[] = []
    const say = async (content: string) => {
      const message = { role: 'USER', content, clientId: content }
      await request(at, append, { input: { conversationId, message } })
      for await (const event of { [Symbol.asyncIterator]: () => ({ next: () => following.next() }) }) {
        if (event.__typename !== 'MessageAppended') continue
        seen.push(String(event.edge.node.content))
        break
      }
    }
    await say('before')
    for (const index of [0, 1] as const) {
      servers[index].program.kill('SIGKILL')
      await servers[index].program.exited
      await say(`without ${index}`)
      servers[index] = await start(index)
      await say(`with ${index}`)
    }
    expect(seen).toEqual(['before', 'without 0', 'with 0', 'without 1', 'with 1'])
    expect(connections).toBeGreaterThan(0)
    await following.return?.()
  })

  behind('servers hear the address, the host and the scheme of a caller from it alone', async (path) => {
    const operationName = `From${path.slice(1)}`
    const query = `query ${operationName} { viewer { userId } }`
    const headers = {
      'content-type': 'application/json',
      'x-forwarded-for': '203.0.113.9',
      'x-forwarded-host': 'elsewhere.example',
      forwarded: 'for=203.0.113.9;host=elsewhere.example',
      origin: proxy.url,
      ...user,
    }
    const answer = await new Promise((resolve, reject) => {
      const options = { method: 'POST', headers, localAddress: '127.0.0.2' }
      const sent = send(`${proxy.url}${path}/graphql`, options, (response) => void json(response).then(resolve, reject))
      sent.on('error', reject)
      sent.end(JSON.stringify({ query }))
    })
    expect(answer).toEqual({ data: { viewer: { userId: 'ada' } } })
    const lines = () => servers.flatMap(({ program }) => program.stdout.split('\n').slice(0, -1))
    const find = () => lines().find((line) => line.includes(`"operation":"${operationName}"`))
    await until(() => find() !== undefined)
    expect(JSON.parse(find() as string)).toMatchObject({ address: '127.0.0.2', path: '/graphql', status: 200 })

    const site = `${proxy.url}${path}`
    await using wire = await Wire.open(site, user, { origin: proxy.url })
    expect(await wire.ask('{ viewer { userId } }')).toEqual({ data: { viewer: { userId: 'ada' } } })
    const stranger = { origin: 'http://elsewhere.example', 'x-forwarded-host': 'elsewhere.example' }
    await expect(Wire.dial(site, stranger)).rejects.toThrow('403')
  })

  behind('a body that is too large is refused with 413, and the largest is not', async (path) => {
    const ada = new Api(`${proxy.url}${path}`, user)
    const limit = 4 * 1024 * 1024
    const body = (bytes: number) => JSON.stringify({ query: '{ viewer { userId } }' }).padEnd(bytes, ' ')
    expect(await (await ada.post(body(limit))).json()).toEqual({ data: { viewer: { userId: 'ada' } } })
    const refused = await ada.post(body(limit + 1))
    await refused.text()
    expect(refused.status).toBe(413)
  })

  behind('whoever has used up the rate is told when to try again', async (path) => {
    const greedy = new Api(`${proxy.url}${path}`, { 'x-user-id': `greedy ${path}` })
    const fields = Array.from(
      { length: 18 },
      (_, n) => `f${n}: conversation(id: "none") { history(last: 1000) { seq } }`,
    )
    // Each server counts by itself, so each has to be asked for more than its burst.
    let refused: Response | undefined
    for (let n = 0; n < 30 && refused === undefined; n++) {
      const response = await greedy.post(JSON.stringify({ query: `{ ${fields.join(' ')} }` }))
      await response.text()
      if (response.status !== 200) refused = response
    }
    expect(refused?.status).toBe(429)
    expect(refused?.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
  })

  test.skipIf(!isLong)(
    'no request fails while one server after the other is stopped and started',
    { timeout: 300_000 },
    async ({ skip }) => {
      skip(isMissing, missing)
      using load = await Load.begin('rolling', proxy, new Random(1))
      for (const index of [0, 1] as const) {
        await proxy.takeOut(index)
        servers[index].program.kill('SIGTERM')
        expect(await servers[index].program.exited).toEqual({ code: 0, signal: null })
        servers[index] = await start(index)
        await proxy.takeIn()
        // The proxy has found it: there is always one that it knows.
        await servers[index].program.prints(/"over":"http"/)
        await load.recovered()
      }
      expect((await load.finish()).flatMap(findBreaches)).toEqual([])
      expect([load.counts.unanswered, load.strange]).toEqual([0, []])
    },
  )
})
