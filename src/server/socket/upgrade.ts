import { type Server, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { HostGuard } from '../http/host-guard.ts'
import type { Sockets } from './websocket.ts'

/** Hands upgrades at `path` to the sockets when the guard, the same as for HTTP requests, lets them in. */
export function attachSockets(server: Server, path: string, guard: HostGuard, sockets: Sockets): void {
  server.on('upgrade', (request, stream, head) => {
    // A client may vanish now. An error event without a listener would end the process.
    stream.on('error', () => stream.destroy())
    const reason = guard(request)
    if (reason !== null) return refuse(stream, 403, reason)
    if (request.url?.split('?')[0] !== path) return refuse(stream, 404, `WebSocket is at ${path}.`)
    sockets.accept(request, stream, head)
  })
}

function refuse(stream: Duplex, status: number, reason: string): void {
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(reason)}\r\nconnection: close\r\n\r\n${reason}`,
    // Without this the stream would stay half open for as long as the client likes.
    () => stream.destroy(),
  )
}
