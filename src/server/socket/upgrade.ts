import { type Server, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { HostGuard } from '../http/host-guard.ts'
import type { Sockets } from './websocket.ts'

/** Hands upgrades at `path` to the sockets, past the guard that HTTP requests pass. */
export function attachSockets(server: Server, path: string, guard: HostGuard, sockets: Sockets): void {
  server.on('upgrade', (request, stream, head) => {
    // A client that vanishes now is no error of ours, and unheard it would end the process.
    stream.on('error', () => stream.destroy())
    const reason = guard(request.headers)
    if (reason !== null) return refuse(stream, 403, reason)
    if (request.url?.split('?')[0] !== path) return refuse(stream, 404, `WebSocket is at ${path}.`)
    sockets.accept(request, stream, head)
  })
}

function refuse(stream: Duplex, status: number, reason: string): void {
  stream.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: text/plain; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(reason)}\r\nconnection: close\r\n\r\n${reason}`,
    // Only half closed otherwise, for as long as the client likes.
    () => stream.destroy(),
  )
}
