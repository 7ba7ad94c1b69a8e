import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import type { Viewer } from '../../auth/viewer.ts'

/**
 * Who pays for an operation: its user; and if a backend acts for the user with a service key, the user of that backend,
 * so that neither uses up what the other may.
 */
export function payerOf({ userId }: Viewer, backend: string | null): string {
  return backend === null ? userId : `${userId}\0${backend}`
}

/** Where a request or an upgrade comes from. */
export interface From {
  readonly socket: Socket
  readonly headers: IncomingHttpHeaders
}

/**
 * The address of a caller who is not known. Of IPv6 the first half: whoever has one address there has as many as it
 * likes in that half.
 */
export function addressOf({ socket }: From): string {
  const address = socket.remoteAddress ?? ''
  if (!address.includes(':')) return address
  const v4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  return v4 ?? firstHalf(address)
}

/** Four groups of a well-formed address; `::` stands for as many zeros as are missing. */
function firstHalf(address: string): string {
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? []
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':')
    while (groups.length + after.length < 8) groups.push('0')
    groups.push(...after)
  }
  return groups.slice(0, 4).join(':')
}
