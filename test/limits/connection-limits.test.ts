import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { useBed } from '../support/bed.ts'
import { Wire } from '../support/network/wire.ts'

async function dial(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  await once(socket, 'connect')
  return socket
}

async function health(socket: Socket): Promise<string> {
  socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
  return text(socket)
}

describe.each([
  ['in all', { MAX_CONNECTIONS: '3' }],
  ['from one address', { MAX_CONNECTIONS_PER_ADDRESS: '3' }],
])('connections %s', (_what, settings) => {
  const bed = useBed(settings)

  test('one above the limit is refused before it says anything, and one is taken when another has gone', async () => {
    const wire = await Wire.open(bed.server.url)
    const idle = [await dial(bed.server.url), await dial(bed.server.url)]
    const refused = await text(await dial(bed.server.url))
    expect(refused).toMatch(/^HTTP\/1\.1 503 [\s\S]*"code":"UNAVAILABLE"/)
    await wire[Symbol.asyncDispose]()
    expect(await health(await dial(bed.server.url))).toMatch(/^HTTP\/1\.1 200 /)
    for (const one of idle) one.destroy()
  })
})

describe('connections of a trusted proxy', () => {
  const bed = useBed({ MAX_CONNECTIONS_PER_ADDRESS: '1', TRUST_PROXY: '127.0.0.0/8' })

  test('are not limited by its address, for they are those of its clients', async () => {
    const idle = await dial(bed.server.url)
    expect(await health(await dial(bed.server.url))).toMatch(/^HTTP\/1\.1 200 /)
    idle.destroy()
  })
})
