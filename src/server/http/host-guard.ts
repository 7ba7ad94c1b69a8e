import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { type Config, isLoopback } from '../../config.ts'
import type { TakesOrigin } from '../request/origins.ts'
import { type Proxies, withoutMapping } from '../request/proxies.ts'

/** Says why a request may not come in; null: it may. */
export type HostGuard = (request: IncomingMessage) => string | null

/**
 * Without identity settings every caller may name any user, so nothing from elsewhere may reach the server: the
 * connection comes from this machine and not by way of a proxy, `Host` is a loopback name, against DNS rebinding, and
 * `Origin` is the server's own or one that it takes. With identity settings the caller's credentials decide, and this
 * guard lets everybody in.
 */
export function createHostGuard(config: Config, takesOrigin: TakesOrigin, proxies: Proxies): HostGuard {
  if (config.identity !== undefined) return () => null
  const { allowsUnauthenticated } = config
  return (request) => {
    const { headers, socket } = request
    const { host, origin } = headers
    if (!allowsUnauthenticated && (!isLoopbackAddress(socket.remoteAddress) || cameThroughProxy(headers))) {
      return 'Without identity settings this server answers only programs on its machine, and nothing that came through a proxy; set AUTH_JWKS_URL, AUTH_SECRET or AUTH_SERVICE_KEYS.'
    }
    if (isLoopback(config.host) && !isLoopback(hostname(host))) {
      return 'Without identity settings this server answers only on a loopback host name.'
    }
    if (origin === undefined || takesOrigin(origin) || proxies.isOwnOrigin(origin, request)) return null
    return 'Without identity settings this server answers only pages of this machine; add the origin to CORS_ORIGINS.'
  }
}

function isLoopbackAddress(address: string | undefined): boolean {
  return address !== undefined && isLoopback(withoutMapping(address))
}

/** A proxy on this machine connects from loopback, and some put a loopback name in `Host`. */
function cameThroughProxy(headers: IncomingHttpHeaders): boolean {
  for (const name in headers) {
    if (name === 'forwarded' || name === 'via' || name === 'x-real-ip' || name.startsWith('x-forwarded-')) return true
  }
  return false
}

function hostname(host: string | undefined): string {
  return (host ?? '').toLowerCase().replace(/:\d+$/, '')
}
