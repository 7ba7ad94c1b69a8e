import type { JWTPayload } from 'jose'
import { contractLimits } from '../config.ts'
import type { Person } from '../entities/person.ts'

/**
 * What the claims of a token say of its user, by the names that OpenID Connect Core 1.0, section 5.1, gives them; null:
 * nothing. A claim that cannot be shown is as one that is absent: the token proves its user without it.
 */
export function readPerson(userId: string, { name, preferred_username, picture, iat }: JWTPayload): Person | null {
  const shown = [name, preferred_username].find(isName) ?? null
  const seen = isPicture(picture) ? picture : null
  if (shown === null && seen === null) return null
  return { userId, name: shown, picture: seen, saidAt: toTime(iat) }
}

function isName(claim: unknown): claim is string {
  return isText(claim, 2 * contractLimits.name) && claim.trim() !== '' && [...claim].length <= contractLimits.name
}

function isPicture(claim: unknown): claim is string {
  if (!isText(claim, contractLimits.picture)) return false
  return /^data:image\/[a-z0-9.+-]+[;,]/i.test(claim) || (/^https:\/\//i.test(claim) && URL.canParse(claim))
}

/** @param most of `length`: a character takes one or two */
function isText(claim: unknown, most: number): claim is string {
  return typeof claim === 'string' && claim.length <= most && claim.isWellFormed() && !/\p{Cc}/u.test(claim)
}

/** No later than now: what a clock that goes ahead had said would hold for too long. */
function toTime(iat: number | undefined): string {
  const now = Date.now()
  const seconds = typeof iat === 'number' && iat >= 0 ? iat : Number.POSITIVE_INFINITY
  return new Date(Math.min(seconds * 1_000, now)).toISOString()
}
