import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { EventStreamReader } from '../support/network/event-stream.ts'
import { Socket } from '../support/network/socket.ts'
import { logged } from '../support/observe/logged.ts'

const bed = useBed()
const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`

/** Sends requests one after the other on one connection, and answers all bytes that came. */
async function send(...bodies: string[]): Promise<Buffer> {
  const { hostname, port } = new URL(bed.server.url)
  const socket = connect(Number(port), hostname)
  const all = buffer(socket)
  for (const [index, body] of bodies.entries()) {
    const connection = index === bodies.length - 1 ? 'close' : 'keep-alive'
    socket.write(
      `POST /graphql HTTP/1.1\r\nhost: ${hostname}\r\nx-user-id: ada\r\ncontent-type: application/json\r\n` +
        `connection: ${connection}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    )
    const { operationName } = JSON.parse(body)
    await logged(bed.server, ({ operation }) => operation === operationName)
  }
  return all
}

test('the log has the bytes of an answer with its headers, and the viewer', async () => {
  const body = (name: string) => JSON.stringify({ query: `query ${name} { viewer { id } }`, operationName: name })
  const all = await send(body('First'), body('Second'))
  const first = await logged(bed.server, ({ operation }) => operation === 'First')
  const second = await logged(bed.server, ({ operation }) => operation === 'Second')
  expect(Number(first.bytes) + Number(second.bytes)).toBe(all.length)
  expect(Number(first.bytes)).toBeGreaterThan(100)
  expect(first).toMatchObject({ viewer: 'ada', over: 'http', status: 200 })
})

test('the log has the bytes of all results of an operation on a socket', async () => {
  const ada = bed.server.as()
  await ada.append('bytes', 'first')
  await ada.append('bytes', 'second')
  const socket = await Socket.connect(bed.server)
  let bytes = 0
  socket.begin('1', 'subscription Sent { messageAppended(conversationId: "bytes", after: "") { node { content } } }')
  for (let n = 0; n < 2; n++) {
    // A frame of fewer than 126 bytes has a head of two, and a longer one has four.
    const length = Buffer.byteLength(JSON.stringify(await socket.receive()))
    bytes += length + (length < 126 ? 2 : 4)
  }
  socket.complete('1')
  const entry = await logged(bed.server, ({ operation }) => operation === 'Sent')
  expect(entry).toMatchObject({ viewer: 'ada', over: 'websocket', status: 'ok', bytes })
  socket.ws.terminate()
})

test('the log has the bytes of an event stream', async () => {
  const request = { query: 'query Streamed { viewer { id } }', identity: { 'x-user-id': 'ada' } }
  await using reader = await EventStreamReader.open(bed.server.url, request)
  while ((await reader.event()) !== null);
  const { bytes } = await logged(bed.server, ({ operation }) => operation === 'Streamed')
  expect(bytes).toBeGreaterThan(200)
})

test('the log has the trace that a caller names, also where nobody listens to traces', async () => {
  const ada = bed.server.as()
  await ada.post(JSON.stringify({ query: 'query Traced { viewer { id } }' }), { traceparent })
  expect((await logged(bed.server, ({ operation }) => operation === 'Traced')).traceId).toBe(traceId)
  const socket = await Socket.connect(bed.server)
  const query = 'query TracedOnSocket { viewer { id } }'
  socket.send({ id: '1', type: 'subscribe', payload: { query, extensions: { traceparent } } })
  await socket.result('1')
  expect((await logged(bed.server, ({ operation }) => operation === 'TracedOnSocket')).traceId).toBe(traceId)
  socket.ws.terminate()
})

test.each([
  'nonsense',
  `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
  `ff-${traceId}-00f067aa0ba902b7-01`,
  `00-${traceId.toUpperCase()}-00f067aa0ba902b7-01`,
  `00-${traceId}`,
])('what is no traceparent is not in the log: %s', async (given) => {
  const name = `Wrong${given.length}${given.slice(0, 2)}${given.charCodeAt(5)}`
  await bed.server.as().post(JSON.stringify({ query: `query ${name} { viewer { id } }` }), { traceparent: given })
  expect(await logged(bed.server, ({ operation }) => operation === name)).not.toHaveProperty('traceId')
})
