import { type Server, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { HostGuard } from '../http/host-guard.ts'
import type { TransportDependencies } from '../operation/transport-dependencies.ts'
import type { Sockets } from './websocket.ts'

/**
 * Hands upgrades at `path` to the sockets when the guard, the same as for HTTP requests, lets them in. A browser asks
 * nobody before it opens a WebSocket, so a page of another origin has to be one that may use the server. Programs that
 * are no browsers send no `Origin`.
 */
export function attachSockets(
  server: Server,
  path: string,
  guard: HostGuard,
  { takesOrigin, proxies, refusals }: TransportDependencies,
  sockets: Sockets,
): void {
  server.on('upgrade', (request, stream, head) => {
    // A client may vanish now. An error event without a listener would end the process.
    stream.on('error', () => stream.destroy())
    const reason = guard(request)
    if (reason !== null) {
      refusals.add('host')
      return refuse(stream, 403, reason)
    }
    const { origin } = request.headers
    if (origin !== undefined && !takesOrigin(origin) && !proxies.isOwnOrigin(origin, request)) {
      refusals.add('origin')
      return refuse(stream, 403, 'A page of this origin may not open a WebSocket here; add the origin to CORS_ORIGINS.')
    }
    if (request.url?.split('?')[0] !== path) {
      refusals.add('path')
      return refuse(stream, 404, `WebSocket is at ${path}.`)
    }
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
