import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { Outbox } from '../../src/server/socket/outbox.ts'
import { SocketConnection } from '../../src/server/socket/socket-connection.ts'
import { textFrame } from '../../src/server/socket/text-frame.ts'

test('a client that has taken unsent bytes since the last look stays, though none were unsent at any look', async () => {
  await using pair = await connect()
  const { connection, client } = pair
  connection.look()
  client.pause()
  const sending: Promise<void>[] = []
  // Until the kernel takes no more: what leaves then has been taken by the client.
  while (sending.length === 0) {
    const sent = connection.send(textFrame('.'.repeat(1_000_000)))
    if (sent !== null) sending.push(sent)
  }
  client.resume()
  await Promise.all(sending)
  connection.look()
  expect(connection.isOpen).toBe(true)
  connection.look()
  expect(connection.isOpen).toBe(false)
})

test('the frames of one turn go in one write, those of a long turn in writes of 16 KiB, and all before the close', async () => {
  await using pair = await connect()
  const { connection, client, stream } = pair
  const writes: number[] = []
  for (const name of ['_write', '_writev'] as const) {
    const write = stream[name] as (...args: unknown[]) => void
    stream[name] = (...args: unknown[]) => {
      writes.push(stream.writableLength)
      write.apply(stream, args)
    }
  }
  const received: string[] = []
  client.on('message', (data) => received.push(String(data)))
  for (let n = 0; n < 10; n++) expect(connection.send(textFrame(`few ${n}`))).toBeNull()
  expect(writes).toHaveLength(0)
  await turn()
  expect(writes).toHaveLength(1)
  for (let n = 0; n < 40; n++) void connection.send(textFrame('.'.repeat(1_000)))
  await turn()
  expect(writes).toHaveLength(1 + 3)
  void connection.send(textFrame('last'))
  connection.close()
  await once(client, 'close')
  expect(received.slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, n) => `few ${n}`))
  expect(received).toHaveLength(51)
  expect(received.at(-1)).toBe('last')
})

/** A connection that nobody looks at but the test, and its client, who answers no pings. */
async function connect() {
  const server = createServer()
  const upgrades = new WebSocketServer({ server, perMessageDeflate: false })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, { autoPong: false })
  const listener = { receive() {}, isTooFast() {}, ended() {}, closed() {} }
  const opened = once(client, 'open')
  const [socket, request] = (await once(upgrades, 'connection')) as [WebSocket, IncomingMessage]
  const connection = new SocketConnection(socket, request, new Outbox(), 1_000, pino({ level: 'silent' }), listener)
  await opened
  return {
    connection,
    client,
    stream: request.socket,
    [Symbol.asyncDispose]: async () => {
      client.terminate()
      server.close()
      await once(server, 'close')
    },
  }
}
