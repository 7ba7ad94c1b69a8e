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

/** The credentials of a socket: its connection parameters, named as the headers in any case, before its upgrade's. @throws ApiError */
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

/** Node reads headers as Latin-1; a user's id is UTF-8, or the same user would have two names. */
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
