import { createHash } from 'node:crypto'
import { type JWTPayload, SignJWT } from 'jose'
import type { Identity } from '../support/api.ts'

/* Users with tokens, and backends with service keys, so that both can be told apart. */

const secret = 'a secret of thirty-two bytes or more'

const keyOf = (name: string, more = '') => {
  return `${name}:${createHash('sha256').update(`key of ${name}`).digest('hex')}${more}`
}

export const identitySettings = {
  AUTH_SECRET: secret,
  AUTH_SERVICE_KEYS: [keyOf('helper'), keyOf('mover', ':import:service'), keyOf('desk', ':support')].join(),
  AUTH_ROLES_CLAIM: 'scope',
}

export function backend(name: 'helper' | 'mover' | 'desk', userId: string): Identity {
  return { 'x-service-key': `key of ${name}`, 'x-user-id': userId }
}

/** @param actsFor the user for whom an operator acts @param said claims that the token has besides */
export async function user(userId: string, scope = '', actsFor?: string, said: JWTPayload = {}): Promise<Identity> {
  const token = await new SignJWT({ ...said, scope })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(userId)
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret))
  return { authorization: `Bearer ${token}`, ...(actsFor === undefined ? {} : { 'x-user-id': actsFor }) }
}
