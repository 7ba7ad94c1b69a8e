import { errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'
import type { Logger } from 'pino'
import type { Identity } from '../config.ts'
import type { Person } from '../entities/person.ts'
import { ApiError, unauthenticated } from '../errors.ts'
import { KeySet } from './key-set.ts'
import { readPerson } from './person-claims.ts'
import { noRoles, type Roles, readRoles } from './roles.ts'

/** What a token says. */
export interface BearerToken {
  readonly userId: string
  readonly roles: Roles
  /** What it says of its user for others; null: nothing. */
  readonly person: Person | null
  /** When it is not accepted any more, in milliseconds since 1970; null: never. */
  readonly expiresAt: number | null
}

/** Reads an authorization header. @throws ApiError UNAUTHENTICATED; UNAVAILABLE if the keys cannot be fetched */
export type VerifyBearer = (authorization: string) => Promise<BearerToken>

/** By how many seconds the clock that made a token may differ from the server's, for requests and sockets alike. */
export const clockTolerance = 5

/**
 * Verifies JWTs (RFC 7519) as configured; null if no bearer tokens are configured.
 *
 * @param now milliseconds of a clock that never goes back, by which keys get old
 */
export function bearerTokens(identity: Identity, log: Logger, now = () => performance.now()): VerifyBearer | null {
  const verify = verifier(identity, log, now)
  if (verify === null) return null
  return async (authorization) => {
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
    if (token === undefined) throw unauthenticated('The authorization header must be: Bearer, a space and the token.')
    const payload = await verify(token).catch((error: unknown) => {
      throw refusal(error)
    })
    const userId = payload[identity.userClaim]
    if (typeof userId !== 'string')
      throw unauthenticated(`The token has no claim ${identity.userClaim} that is a text.`)
    const { rolesClaim } = identity
    const roles = rolesClaim === undefined ? noRoles : readRoles(rolesClaim, payload[rolesClaim])
    const said = { userId, roles, person: readPerson(userId, payload) }
    if (payload.exp !== undefined) return { ...said, expiresAt: (payload.exp + clockTolerance) * 1_000 }
    if (identity.requiresExpiry) throw unauthenticated('The token has no claim exp: it would be valid for ever.')
    return { ...said, expiresAt: null }
  }
}

function verifier(identity: Identity, log: Logger, now: () => number): ((token: string) => Promise<JWTPayload>) | null {
  const options: JWTVerifyOptions = { clockTolerance }
  if (identity.issuer !== undefined) options.issuer = identity.issuer
  if (identity.audience !== undefined) options.audience = identity.audience
  if (identity.jwksUrl !== undefined) {
    const { find } = new KeySet(identity.jwksUrl, identity.keysMs, log, now)
    // The list keeps a token from choosing an algorithm with a shared secret. Such a token could be signed with the
    // public key.
    const algorithms = [
      'RS256',
      'RS384',
      'RS512',
      'PS256',
      'PS384',
      'PS512',
      'ES256',
      'ES384',
      'ES512',
      'EdDSA',
      'Ed25519',
    ]
    return async (token) => (await jwtVerify(token, find, { ...options, algorithms })).payload
  }
  if (identity.secret !== undefined) {
    const secret = new TextEncoder().encode(identity.secret)
    return async (token) => (await jwtVerify(token, secret, { ...options, algorithms: ['HS256'] })).payload
  }
  return null
}

/** A bad token is the caller's fault. */
function refusal(error: unknown): Error {
  if (error instanceof ApiError) return error
  if (error instanceof errors.JWTExpired) return unauthenticated('The token has expired.')
  if (error instanceof errors.JOSEError) return unauthenticated('The token is not valid here.')
  return error as Error
}
