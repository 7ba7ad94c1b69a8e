import { type Config, isLoopback } from '../../config.ts'

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
