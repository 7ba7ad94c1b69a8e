import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Limits } from '../../config.ts'
import { unavailable } from '../../errors.ts'
import { Counts } from '../connection/counts.ts'
import type { Refusals } from '../metrics/refusals.ts'
import type { Proxies } from '../request/proxies.ts'
import { answerRaw } from './raw-answer.ts'

/**
 * Refuses TCP connections above the limits, in all and of one address, before anything is read of them. A WebSocket or
 * an event stream counts as the connection that it is. A trusted proxy may hold as many as all clients together.
 */
export function limitConnections(
  server: Server,
  { connections, connectionsPerAddress }: Limits,
  proxies: Proxies,
  refusals: Refusals,
): void {
  const counts = new Counts()
  let open = 0
  // One function for all connections: an idle one holds no memory for it.
  function closed(this: Socket): void {
    open -= 1
    counts.remove(addressOf(this))
  }
  server.prependListener('connection', (socket) => {
    const address = addressOf(socket)
    open += 1
    counts.add(address)
    socket.on('close', closed)
    if (open > connections) {
      refusals.add('connections')
      refuse(socket, 'The server has too many connections; try again in a moment.')
    } else if (counts.of(address) > connectionsPerAddress && !proxies.isProxy(socket)) {
      refusals.add('connections_per_address')
      refuse(socket, `At most ${connectionsPerAddress} connections at once from one address.`)
    }
  })
}

/** Node remembers the address beyond the end of the connection, because it was asked for before. */
function addressOf({ remoteAddress }: Socket): string {
  return remoteAddress ?? ''
}

function refuse(socket: Socket, sentence: string): void {
  socket.on('error', () => socket.destroy())
  answerRaw(socket, 503, unavailable(sentence))
}
