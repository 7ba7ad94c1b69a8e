import type { IncomingHttpHeaders } from 'node:http'
import { type Config, isLoopback } from '../../config.ts'
import { forbidden } from '../../errors.ts'

/** Whether web pages of an origin may use this server. */
export type TakesOrigin = (origin: string) => boolean

/**
 * The origins in CORS_ORIGINS may use the server. In development so may the pages that this machine serves, on any
 * port, because the development servers of web frameworks have ports of their own.
 */
export function createTakesOrigin({ identity, corsOrigins }: Config): TakesOrigin {
  return (origin) => corsOrigins.includes(origin) || (identity === undefined && isLoopbackOrigin(origin))
}

function isLoopbackOrigin(origin: string): boolean {
  const host = /^https?:\/\/([^/:]+|\[[^\]/]+\])(?::\d+)?$/.exec(origin)?.[1]
  return host !== undefined && isLoopback(host)
}

/**
 * A browser asks the server before it sends a POST of a foreign page, but not before a GET. So a GET is refused where
 * the browser says that the page is of another site or of another origin, unless that origin may use the server.
 * Programs that are no browsers do not send Sec-Fetch-Site.
 *
 * @throws ApiError FORBIDDEN
 */
export function requireOwnPage(headers: IncomingHttpHeaders, takesOrigin: TakesOrigin): void {
  const site = headers['sec-fetch-site']
  if (site === undefined || site === 'same-origin' || site === 'none') return
  const { origin } = headers
  if (origin !== undefined && takesOrigin(origin)) return
  throw forbidden('A page of another origin may not send GET here; send POST, or add the origin to CORS_ORIGINS.')
}
