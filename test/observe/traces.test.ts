import { SpanStatusCode } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { beforeEach, expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { engine } from '../support/database/engine.ts'
import { hold } from '../support/database/hold.ts'
import { untilWaiting } from '../support/database/until-waiting.ts'
import { EventStreamReader } from '../support/network/event-stream.ts'
import { Socket } from '../support/network/socket.ts'
import { logged } from '../support/observe/logged.ts'
import { Samples } from '../support/observe/metrics.ts'
import { useTracing } from '../support/observe/tracing.ts'
import { serve } from '../support/server.ts'
import { until } from '../support/until.ts'

const tracing = useTracing()
const bed = useBed({ METRICS_PORT: '0' })
beforeEach(() => tracing.forget())

const traceId = '0af7651916cd43dd8448eb211c80319c'
const parentId = 'b7ad6b7169203331'
const traceparent = `00-${traceId}-${parentId}-01`

function isOf(trace: string, name?: string): (span: ReadableSpan) => boolean {
  return (span) => span.spanContext().traceId === trace && (name === undefined || span.name === name)
}

function isStatement({ attributes }: ReadableSpan): boolean {
  return 'db.query.summary' in attributes
}

const append = 'mutation ($input: AppendMessageInput!) { appendMessage(input: $input) { message { seq } } }'
const messages = '{ conversation(id: "traced") { messages(first: 5) { nodes { content } } } }'

test('a request, its operation, its resolvers and its statements are one trace, which the caller began', async () => {
  const ada = bed.server.as()
  await ada.append('traced', 'first')
  await ada.post(JSON.stringify({ query: messages }), { traceparent })
  const request = await tracing.ended(isOf(traceId, 'POST /graphql'))
  expect(request.parentSpanContext?.spanId).toBe(parentId)
  expect(request.attributes).toMatchObject({
    'http.route': '/graphql',
    'http.response.status_code': 200,
    'colloquy.code': 'OK',
  })
  const statements = tracing.spans.filter((span) => isOf(traceId)(span) && isStatement(span))
  expect(statements.length).toBeGreaterThan(0)
  for (const statement of statements) {
    const path = ['POST /graphql', 'query conversation', 'Query.conversation']
    expect(tracing.pathOf(statement).slice(0, 3)).toEqual(path)
    expect(statement.attributes['db.system.name']).toBe('postgresql')
  }
})

test('an append has the statement that was done for it', async () => {
  await bed.server.as().append('alone', 'first')
  const statement = await tracing.ended(isStatement)
  await tracing.ended(isOf(statement.spanContext().traceId, 'POST /graphql'))
  const path = ['POST /graphql', 'mutation appendMessage', 'Mutation.appendMessage', 'appends']
  const inside = engine.spreads ? ['transaction', statement.name] : [statement.name]
  expect(tracing.pathOf(statement)).toEqual([...path, ...inside])
})

test('one statement for several appends belongs to the first of them, and is linked with the others', async () => {
  const ada = bed.server.as()
  await ada.append('together', 'first')
  const client = await hold(bed.database, 'together')
  const held = ada.append('together', 'held')
  await untilWaiting(bed.database)
  tracing.forget()
  const others = [1, 2, 3].map((n) => ada.append('together', `together ${n}`))
  const waiting = async () =>
    (await Samples.read(bed.server.metricsUrl)).of('colloquy_writes_waiting', { of: 'appends' })
  await until(async () => (await waiting()) === 3)
  await client.query('commit')
  await Promise.all([held, ...others])
  const batch = await tracing.ended(
    ({ name, attributes }) => name === 'appends' && attributes['colloquy.batch.size'] === 3,
  )
  expect(batch.links).toHaveLength(2)
  const traces = batch.links.map(({ context }) => context.traceId)
  expect(new Set([...traces, batch.spanContext().traceId]).size).toBe(3)
})

test('what is delivered belongs to what happened', async () => {
  const ada = bed.server.as()
  await ada.append('followed', 'first')
  const results = ada.subscribe('subscription { messageAppended(conversationId: "followed") { node { content } } }')
  await tracing.ended(({ name }) => name === 'websocket subscribe')
  await ada.append('followed', 'second')
  await results.next()
  tracing.forget()
  await ada.append('followed', 'third')
  await results.next()
  const delivery = await tracing.ended(({ name }) => name === 'delivery')
  const { traceId: same } = delivery.spanContext()
  for (const name of ['POST /graphql', 'feed', 'appends']) await tracing.ended(isOf(same, name))
  const around = ['POST /graphql', 'mutation appendMessage', 'Mutation.appendMessage', 'appends']
  expect(tracing.pathOf(delivery)).toEqual([...around, 'feed', 'delivery'])
  const executed = tracing.spans.find(({ name }) => name === 'subscription messageAppended')
  expect(executed?.parentSpanContext?.spanId).toBe(delivery.spanContext().spanId)
  await results[Symbol.asyncDispose]()
})

test('an operation on a socket names its trace in its extensions, and the log has it', async () => {
  const socket = await Socket.connect(bed.server)
  const query = 'query OnSocket { conversation(id: "none") { id } }'
  socket.send({ id: '1', type: 'subscribe', payload: { query, extensions: { traceparent } } })
  await socket.result('1')
  const request = await tracing.ended(({ name }) => name === 'websocket subscribe')
  expect(request.parentSpanContext?.spanId).toBe(parentId)
  expect(request.spanContext().traceId).toBe(traceId)
  const statement = await tracing.ended(isStatement)
  expect(tracing.pathOf(statement)[0]).toBe('websocket subscribe')
  expect((await logged(bed.server, ({ operation }) => operation === 'OnSocket')).traceId).toBe(traceId)
  socket.ws.terminate()
})

test('an event stream is a request too', async () => {
  const request = { query: messages, identity: { 'x-user-id': 'ada' } }
  await using reader = await EventStreamReader.open(bed.server.url, request)
  await reader.event()
  await reader.event()
  const statement = await tracing.ended(isStatement)
  await tracing.ended(({ name }) => name === 'POST /graphql/stream')
  expect(tracing.pathOf(statement).slice(0, 2)).toEqual(['POST /graphql/stream', 'query conversation'])
})

test('what the caller did wrong is a code, and what the server could not do is an error', async () => {
  await using server = await serve(bed.database.url, { LOCK_TIMEOUT_MS: '50' })
  const ada = server.as()
  await ada.append('locked', 'first')
  const client = await hold(bed.database, 'locked')
  tracing.forget()
  await ada.fail('{ conversation(id: "locked") { messages(first: 1000) { nodes { id } } } }')
  const wrong = await tracing.ended(({ attributes }) => attributes['colloquy.code'] === 'BAD_USER_INPUT')
  expect(wrong.status.code).toBe(SpanStatusCode.UNSET)
  await ada.fail(append, { input: { conversationId: 'locked', message: { role: 'USER', content: 'late' } } })
  const failed = await tracing.ended(({ attributes }) => attributes['colloquy.code'] === 'UNAVAILABLE')
  expect(failed.status.code).toBe(SpanStatusCode.ERROR)
  // A worker of Citus has waited for another lock than the coordinator, and has a code of its own.
  const statement = tracing.spans.find((span) => isStatement(span) && 'error.type' in span.attributes)
  expect(statement?.attributes['error.type']).toMatch(engine.spreads ? /^\w{5}$/ : /^55P03$/)
  expect(statement?.status).toEqual({ code: SpanStatusCode.ERROR })
  await client.query('rollback')
})

test('nothing that a caller wrote is in a span', async () => {
  const ada = bed.server.as({ 'x-user-id': 'secret-user' })
  const secret = (n: number) => `secret-${n}`
  const named = append.replace('mutation', 'mutation SecretName')
  const input = {
    conversationId: secret(1),
    ifMissing: 'CREATE',
    message: {
      role: 'USER',
      content: secret(2),
      clientId: secret(3),
      name: secret(4),
      metadata: { secret: secret(5) },
    },
  }
  await ada.post(JSON.stringify({ query: named, variables: { input }, operationName: 'SecretName' }))
  await ada.fail(append, { input: { ...input, message: { ...input.message, content: secret(6) } } })
  await ada.ask(`{ secretAlias: conversation(id: "${secret(7)}") { messages(first: 1000) { nodes { id } } } }`)
  await ada.fail('{ secretField }')
  await fetch(`${bed.server.url}/graphql?secret=${secret(8)}`, { headers: { 'x-user-id': 'secret-user' } })
  const results = ada.subscribe(
    `subscription SecretEvents { messageAppended(conversationId: "${secret(1)}", after: "") { cursor } }`,
  )
  await results.next()
  await results[Symbol.asyncDispose]()
  await tracing.ended(({ name }) => name === 'GET /graphql')
  await tracing.ended(({ name }) => name === 'delivery')
  const told = tracing.spans.map(({ name, attributes, events, status }) => ({ name, attributes, events, status }))
  expect(told.length).toBeGreaterThan(20)
  expect(told.filter((span) => /secret/i.test(JSON.stringify(span)))).toEqual([])
})
