import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { Wire } from '../support/wire.ts'

describe.each([
  ['in all', { MAX_CONNECTIONS: '3' }],
  ['from one address', { MAX_CONNECTIONS_PER_ADDRESS: '3' }],
])('connections %s', (_what, settings) => {
  const bed = useBed(settings)

  async function dial(): Promise<Socket> {
    const socket = connect(Number(new URL(bed.server.url).port), '127.0.0.1')
    await once(socket, 'connect')
    return socket
  }

  test('one above the limit is refused before it says anything, and one is taken when another has gone', async () => {
    const wire = await Wire.open(bed.server.url)
    const idle = [await dial(), await dial()]
    const refused = await text(await dial())
    expect(refused).toMatch(/^HTTP\/1\.1 503 [\s\S]*"code":"UNAVAILABLE"/)
    await wire[Symbol.asyncDispose]()
    const socket = await dial()
    socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 200 /)
    for (const one of idle) one.destroy()
  })
})
