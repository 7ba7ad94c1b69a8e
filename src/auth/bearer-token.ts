import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify } from 'jose'
import type { Identity } from '../config.ts'
import { unauthenticated, unavailable } from '../errors.ts'

/** What a token says. */
export interface BearerToken {
  readonly userId: string
  /** When it is not accepted any more, in milliseconds since 1970; null: never. */
  readonly expiresAt: number | null
}

/** Reads an authorization header. @throws ApiError UNAUTHENTICATED; UNAVAILABLE if the keys cannot be fetched */
export type VerifyBearer = (authorization: string) => Promise<BearerToken>

/** By how many seconds the clock that made a token may differ from the server's, for requests and sockets alike. */
const clockTolerance = 5

/** Verifies JWTs (RFC 7519) as configured; null if no bearer tokens are configured. */
export function bearerTokens(identity: Identity): VerifyBearer | null {
  const verify = verifier(identity)
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
    if (payload.exp !== undefined) return { userId, expiresAt: (payload.exp + clockTolerance) * 1_000 }
    if (identity.requiresExpiry) throw unauthenticated('The token has no claim exp: it would be valid for ever.')
    return { userId, expiresAt: null }
  }
}

function verifier(identity: Identity): ((token: string) => Promise<JWTPayload>) | null {
  const options: JWTVerifyOptions = { clockTolerance }
  if (identity.issuer !== undefined) options.issuer = identity.issuer
  if (identity.audience !== undefined) options.audience = identity.audience
  if (identity.jwksUrl !== undefined) {
    const keys = createRemoteJWKSet(new URL(identity.jwksUrl))
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
    return async (token) => (await jwtVerify(token, keys, { ...options, algorithms })).payload
  }
  if (identity.secret !== undefined) {
    const secret = new TextEncoder().encode(identity.secret)
    return async (token) => (await jwtVerify(token, secret, { ...options, algorithms: ['HS256'] })).payload
  }
  return null
}

/** A bad token is the caller's fault. Keys that cannot be fetched are not, so the caller may try again. */
function refusal(error: unknown): Error {
  if (error instanceof errors.JWTExpired) return unauthenticated('The token has expired.')
  const isFetch = error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid
  if (isFetch || !(error instanceof errors.JOSEError) || error.code === 'ERR_JOSE_GENERIC') {
    return unavailable('The keys of bearer tokens cannot be fetched at the moment; try again.')
  }
  return unauthenticated('The token is not valid here.')
}
