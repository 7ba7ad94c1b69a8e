import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { errorCodes } from '../../src/errors.ts'
import { useBed } from '../support/bed.ts'
import { hold } from '../support/database/hold.ts'
import { untilWaiting } from '../support/database/until-waiting.ts'
import { holdMessages } from '../support/network/abandon.ts'
import { EventStreamReader } from '../support/network/event-stream.ts'
import { Socket } from '../support/network/socket.ts'
import { logged } from '../support/observe/logged.ts'
import { Samples } from '../support/observe/metrics.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const bed = useBed({ METRICS_PORT: '0' })
const read = () => Samples.read(bed.server.metricsUrl)

/** Waits until a sample has a value: a socket's end comes after its last answer. */
function untilSample(name: string, labels: Record<string, string>, value: number): Promise<void> {
  return until(async () => (await read()).of(name, labels) === value)
}

test('operations are counted by their root field, how they came, and OK or the code of their first error', async () => {
  const ada = bed.server.as()
  await ada.append('counted', 'first')
  await ada.get('query Any { a: conversation(id: "counted") { id } }')
  await ada.get('{ __typename ...Root } fragment Root on Query { conversation(id: "counted") { id } }')
  await ada.get('{ viewer { id } conversation(id: "counted") { id } }')
  await ada.fail('{ conversation(id: "counted") { messages(first: 1000) { nodes { id } } } }')
  await ada.fail('{ secret }')
  await ada.fail('{')
  await bed.server.as({ 'x-user-id': '' }).ask('{ viewer { id } }')
  const counted = (operation: string, code: string) => ({ operation, over: 'http', code })
  await untilSample('colloquy_operations_total', counted('appendMessage', 'OK'), 1)
  await untilSample('colloquy_operations_total', counted('conversation', 'OK'), 2)
  await untilSample('colloquy_operations_total', counted('several', 'OK'), 1)
  await untilSample('colloquy_operations_total', counted('conversation', 'BAD_USER_INPUT'), 1)
  await untilSample('colloquy_operations_total', counted('none', 'GRAPHQL_VALIDATION_FAILED'), 1)
  await untilSample('colloquy_operations_total', counted('none', 'GRAPHQL_PARSE_FAILED'), 1)
  await untilSample('colloquy_operations_total', counted('none', 'UNAUTHENTICATED'), 1)
  const samples = await read()
  expect(samples.of('colloquy_operation_duration_seconds_count', { operation: 'conversation', over: 'http' })).toBe(3)
})

test('operations over a socket are counted too, and those that were not admitted', async () => {
  const socket = await Socket.connect(bed.server)
  await socket.run('1', '{ viewer { id } }')
  await socket.run('2', '{ nothing }')
  socket.ws.terminate()
  await untilSample('colloquy_operations_total', { operation: 'viewer', over: 'websocket', code: 'OK' }, 1)
  const refused = { operation: 'none', over: 'websocket', code: 'GRAPHQL_VALIDATION_FAILED' }
  await untilSample('colloquy_operations_total', refused, 1)
})

test('an operation whose client no longer waits for it is ABORTED, and no error of the server', async () => {
  const query = 'query Left { conversation(id: "left") { context(maxTokens: 1000) { included } } }'
  await bed.server.as().append('left', 'x')
  const socket = await Socket.connect(bed.server)
  const held = await holdMessages(bed.database)
  socket.begin('1', query)
  await held.blocked()
  socket.complete('1')
  await held.untilNobodyWaits()
  await held.letGo()
  const { status } = await logged(bed.server, ({ operation }) => operation === 'Left')
  expect(status).toBe('ABORTED')
  const counted = { operation: 'conversation', over: 'websocket', code: 'ABORTED' }
  expect((await read()).of('colloquy_operations_total', counted)).toBe(1)
  socket.ws.terminate()
})

test('no label holds anything that a caller chose', async () => {
  const ada = bed.server.as({ 'x-user-id': 'secret-user' })
  const query = 'query SecretName($id: ID!) { secretAlias: conversation(id: $id) { title } }'
  await ada.post(JSON.stringify({ query, operationName: 'SecretName', variables: { id: 'secret-id' } }))
  await fetch(`${bed.server.url}/secret-path`)
  await logged(bed.server, ({ operation }) => operation === 'SecretName')
  const { values } = await read()
  expect([...values.keys()].filter((name) => /secret/i.test(name))).toEqual([])
  const codes = [...values.keys()].flatMap((name) => / ?code="([^"]*)"/.exec(name)?.[1] ?? [])
  const known = [...errorCodes, 'OK', 'ABORTED', 'GRAPHQL_PARSE_FAILED', 'GRAPHQL_VALIDATION_FAILED']
  expect(codes.filter((code) => !known.includes(code))).toEqual([])
})

test('appends that come together are one batch', async () => {
  const ada = bed.server.as()
  await ada.append('batch', 'first')
  const before = await read()
  const client = await hold(bed.database, 'batch')
  const first = ada.append('batch', 'held')
  await untilWaiting(bed.database)
  const others = Array.from({ length: 3 }, (_, n) => ada.append('batch', `together ${n}`))
  await until(async () => (await read()).of('colloquy_writes_waiting', { of: 'appends' }) === 3)
  await client.query('commit')
  await Promise.all([first, ...others])
  const after = await read()
  const grown = (name: string) => after.of(name) - before.of(name)
  expect(grown('colloquy_appends_total')).toBe(4)
  expect(grown('colloquy_append_messages_total')).toBe(4)
  expect(grown('colloquy_append_batch_size_sum')).toBe(4)
  expect(grown('colloquy_append_batch_size_count')).toBe(2)
  expect(after.of('colloquy_writes_waiting', { of: 'appends' })).toBe(0)
})

test('watchers, deliveries and their lag are told; what was caught up with has no lag', async () => {
  const ada = bed.server.as()
  const { conversation } = await ada.append('watched', 'old')
  await ada.append('watched', 'older than the subscription')
  const before = await read()
  const query = 'subscription ($after: String) { messageAppended(conversationId: "watched", after: $after) { cursor } }'
  const results = [1, 2].map(() => ada.subscribe(query, { after: conversation.cursor }))
  for (const each of results) await each.next()
  const watching = await read()
  expect(watching.of('colloquy_watchers')).toBe(2)
  expect(watching.of('colloquy_watched_keys')).toBe(1)
  expect(watching.of('colloquy_sockets')).toBe(2)
  expect(watching.of('colloquy_delivery_lag_seconds_count')).toBe(before.of('colloquy_delivery_lag_seconds_count'))
  await ada.append('watched', 'live')
  for (const each of results) await each.next()
  const after = await read()
  expect(after.of('colloquy_deliveries_total') - watching.of('colloquy_deliveries_total')).toBe(2)
  expect(after.of('colloquy_event_results_total') - watching.of('colloquy_event_results_total')).toBe(1)
  expect(after.of('colloquy_delivery_lag_seconds_count') - before.of('colloquy_delivery_lag_seconds_count')).toBe(1)
  expect(after.of('colloquy_hints_total', { what: 'published' })).toBeGreaterThan(0)
  expect(after.of('colloquy_bus_up')).toBe(1)
  for (const each of results) await each[Symbol.asyncDispose]()
  await untilSample('colloquy_watchers', {}, 0)
})

test('event streams are counted by themselves', async () => {
  await bed.server.as().append('streamed', 'first')
  const query = 'subscription { conversationEvents(conversationId: "streamed", after: "") { cursor } }'
  await using reader = await EventStreamReader.open(bed.server.url, { query, identity: { 'x-user-id': 'ada' } })
  await reader.event()
  expect((await read()).of('colloquy_event_streams')).toBe(1)
})

test('what is refused beside operations is counted by the reason', async () => {
  await using server = await serve(bed.database.url, { METRICS_PORT: '0', MAX_SOCKETS: '1', MAX_SUBSCRIPTIONS: '1' })
  const refused = async (reason: string) =>
    (await Samples.read(server.metricsUrl)).of('colloquy_refused_total', { reason })
  const first = await Socket.connect(server)
  await expect(Socket.connect(server)).rejects.toThrow()
  expect(await refused('sockets_per_user')).toBe(1)
  first.begin('1', 'subscription { conversationsChanged { cursor } }')
  await first.run('2', '{ viewer { id } }')
  expect(await refused('operations_per_socket')).toBe(1)
  await fetch(`${server.url}/graphql`, { headers: { origin: 'https://elsewhere.example' } })
  expect(await refused('host')).toBe(1)
  first.ws.terminate()
})

test('the pool, the process and the event loop are told', async () => {
  const samples = await read()
  expect(samples.of('colloquy_pool_size')).toBe(16)
  expect(samples.of('colloquy_database_up')).toBe(1)
  expect(samples.of('colloquy_embedded_database')).toBe(0)
  expect(samples.of('colloquy_pipelines_open')).toBe(2)
  expect(samples.of('process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
  expect(samples.of('process_cpu_seconds_total')).toBeGreaterThan(0)
  expect(samples.of('colloquy_event_loop_delay_seconds', { quantile: '0.99' })).toBeGreaterThanOrEqual(0)
})

test('metrics are on a port of their own, which answers nothing else', async () => {
  const { server } = bed
  expect((await fetch(`${server.url}/metrics`)).status).toBe(404)
  const url = server.metricsUrl as string
  expect(new URL(url).hostname).toBe('127.0.0.1')
  expect((await fetch(new URL('/graphql', url))).status).toBe(404)
  expect((await fetch(url, { method: 'POST' })).status).toBe(405)
  expect((await fetch(url)).headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
})

test('without METRICS_PORT there are none, and a port that is taken is told in one sentence', async () => {
  await using none = await serve(bed.database.url)
  expect(none.metricsUrl).toBeNull()
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as AddressInfo
  await expect(serve(bed.database.url, { METRICS_PORT: String(port) })).rejects.toThrow(
    /set METRICS_PORT to a free one/,
  )
  other.close()
})
