import type { IncomingHttpHeaders } from 'node:http'
import { type Config, isLoopback } from '../../config.ts'

/** Why a request may not come in, or null. */
export type HostGuard = (headers: IncomingHttpHeaders) => string | null

/**
 * In development anybody may name any user, so no web page may reach the server: the `Host` has to be loopback, against
 * DNS rebinding, and an `Origin` has to be the server's own or listed. With identity the proof itself decides.
 */
export function createHostGuard(config: Config): HostGuard {
  if (config.identity !== undefined) return () => null
  return ({ host, origin }) => {
    if (isLoopback(config.host) && !isLoopback(hostname(host))) {
      return 'Without identity settings this server answers only on a loopback host name.'
    }
    const isOwn = origin === undefined || origin === `http://${host}` || origin === `https://${host}`
    if (isOwn || config.corsOrigins.includes(origin)) return null
    return 'Without identity settings this server answers only its own pages; add the origin to CORS_ORIGINS.'
  }
}

function hostname(host: string | undefined): string {
  return (host ?? '').toLowerCase().replace(/:\d+$/, '')
}
