import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
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

/** A connection that nobody looks at but the test, and its client, who answers no pings. */
async function connect() {
  const server = createServer()
  const upgrades = new WebSocketServer({ server, perMessageDeflate: false })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, { autoPong: false })
  const listener = { receive() {}, isTooFast() {}, ended() {}, closed() {} }
  const [socket, request] = (await once(upgrades, 'connection')) as [WebSocket, IncomingMessage]
  const connection = new SocketConnection(socket, request, 1_000, pino({ level: 'silent' }), listener)
  return {
    connection,
    client,
    [Symbol.asyncDispose]: async () => {
      client.terminate()
      server.close()
      await once(server, 'close')
    },
  }
}
