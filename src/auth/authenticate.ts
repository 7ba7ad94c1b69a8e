import type { Logger } from 'pino'
import { contractLimits, type Identity } from '../config.ts'
import { forbidden, unauthenticated } from '../errors.ts'
import { bearerTokens } from './bearer-token.ts'
import { findServiceKey } from './service-key.ts'
import type { Authenticate, Caller, Credentials, Viewer } from './viewer.ts'

/**
 * Makes the function that finds out who calls, by the ways of identity that are configured. It fails closed: it accepts
 * exactly one proof, and refuses whatever it does not understand.
 *
 * @param identity undefined: development, where a caller says who it is; a caller that does not is `local`
 */
export function createAuthenticate(identity: Identity | undefined, log: Logger): Authenticate {
  if (identity === undefined) {
    return async ({ userId }) => {
      return { viewer: readViewer(userId ?? 'local', true), backend: null, mayActForOthers: true, expiresAt: null }
    }
  }
  const verify = bearerTokens(identity, log)
  return async (credentials) => {
    const { authorization, serviceKey, userId } = credentials
    if (serviceKey !== undefined) return byServiceKey(identity, serviceKey, credentials)
    if (authorization === undefined || verify === null) throw unauthenticated(howTo(identity))
    if (userId !== undefined) {
      throw unauthenticated('x-user-id is for service keys only; a bearer token names its own user.')
    }
    const token = await verify(authorization)
    return {
      viewer: readViewer(token.userId, false),
      backend: null,
      mayActForOthers: false,
      expiresAt: token.expiresAt,
    }
  }
}

/**
 * The viewer of one operation.
 *
 * @param named the user that the operation itself names, as an operation on a socket may do
 * @throws ApiError UNAUTHENTICATED if nobody is named, FORBIDDEN if the caller may not name anybody
 */
export function viewerOf(caller: Caller, named?: unknown): Viewer {
  if (named !== undefined && named !== null) {
    if (!caller.mayActForOthers) throw forbidden('Only a backend with a service key may name the user of an operation.')
    return readViewer(named, true)
  }
  if (caller.viewer === null) throw unauthenticated('Name the user to act for in x-user-id.')
  return caller.viewer
}

function byServiceKey(identity: Identity, serviceKey: string, credentials: Credentials): Caller {
  if (credentials.authorization !== undefined) throw unauthenticated('Send a service key or a bearer token, not both.')
  const backend = findServiceKey(identity.serviceKeys, serviceKey)
  if (backend === null) throw unauthenticated('This service key is not known.')
  const viewer = credentials.userId === undefined ? null : readViewer(credentials.userId, true)
  return { viewer, backend, mayActForOthers: true, expiresAt: null }
}

function readViewer(userId: unknown, mayBringTimes: boolean): Viewer {
  const isUser =
    typeof userId === 'string' &&
    userId !== '' &&
    (userId.length <= contractLimits.userId || [...userId].length <= contractLimits.userId) &&
    !userId.includes('\0') &&
    userId.isWellFormed()
  if (isUser) return { userId, mayBringTimes }
  throw unauthenticated(`A user id has 1 to ${contractLimits.userId} characters, none of them NUL.`)
}

function howTo(identity: Identity): string {
  const ways = []
  if (identity.jwksUrl !== undefined || identity.secret !== undefined) ways.push('a bearer token in authorization')
  if (identity.serviceKeys.size > 0) ways.push('a service key in x-service-key with the user in x-user-id')
  return `Send ${ways.join(', or ')}.`
}
