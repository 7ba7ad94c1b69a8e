import type { IncomingHttpHeaders } from 'node:http'
import { type Config, isLoopback } from '../../config.ts'
import type { TakesOrigin } from '../request/origins.ts'

/** Says why a request may not come in; null: it may. */
export type HostGuard = (headers: IncomingHttpHeaders) => string | null

/**
 * Without identity settings every caller may name any user, so no web page from elsewhere may reach the server. `Host`
 * has to be a loopback name, against DNS rebinding, and `Origin` has to be the server's own or one that it takes. With
 * identity settings the caller's credentials decide, and this guard lets everybody in.
 */
export function createHostGuard(config: Config, takesOrigin: TakesOrigin): HostGuard {
  if (config.identity !== undefined) return () => null
  return ({ host, origin }) => {
    if (isLoopback(config.host) && !isLoopback(hostname(host))) {
      return 'Without identity settings this server answers only on a loopback host name.'
    }
    const isOwn = origin === undefined || origin === `http://${host}` || origin === `https://${host}`
    if (isOwn || takesOrigin(origin)) return null
    return 'Without identity settings this server answers only pages of this machine; add the origin to CORS_ORIGINS.'
  }
}

function hostname(host: string | undefined): string {
  return (host ?? '').toLowerCase().replace(/:\d+$/, '')
}
