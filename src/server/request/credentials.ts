import type { IncomingHttpHeaders } from 'node:http'
import type { Credentials } from '../../auth/viewer.ts'
import { unauthenticated } from '../../errors.ts'

/** The credentials of a request or of an upgrade. */
export function readHeaders(headers: IncomingHttpHeaders): Credentials {
  return {
    authorization: one(headers.authorization),
    serviceKey: one(headers['x-service-key']),
    userId: one(headers['x-user-id']),
  }
}

/**
 * The credentials of a socket. Its connection parameters have the names of the headers, in upper or lower case; what
 * they do not give is taken from the headers of the upgrade.
 *
 * @throws ApiError UNAUTHENTICATED when a parameter is not a text
 */
export function readConnectionParams(
  params: Readonly<Record<string, unknown>> | undefined,
  headers: IncomingHttpHeaders,
): Credentials {
  const given = new Map<string, unknown>(
    Object.entries(params ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  )
  const fallback = readHeaders(headers)
  return {
    authorization: text('authorization', given) ?? fallback.authorization,
    serviceKey: text('x-service-key', given) ?? fallback.serviceKey,
    userId: text('x-user-id', given) ?? fallback.userId,
  }
}

/**
 * Node reads headers as Latin-1. A user's id is UTF-8: otherwise one user would have two names, in a header and in a
 * token.
 */
function one(value: string | string[] | undefined): string | undefined {
  if (value === undefined) return undefined
  const latin1 = Array.isArray(value) ? value.join(', ') : value
  if (isAscii.test(latin1)) return latin1
  const bytes = Buffer.from(latin1, 'latin1')
  const utf8 = bytes.toString('utf8')
  return Buffer.from(utf8).equals(bytes) ? utf8 : latin1
}

const isAscii = /^[ -~]*$/

function text(name: string, given: ReadonlyMap<string, unknown>): string | undefined {
  const value = given.get(name) ?? undefined
  if (value === undefined || typeof value === 'string') return value
  throw unauthenticated(`The connection parameter ${name} must be a text.`)
}
