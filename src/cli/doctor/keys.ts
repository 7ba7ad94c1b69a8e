import { createLocalJWKSet } from 'jose'
import { fetchKeys, reasonOf } from '../../auth/fetch-keys.ts'
import type { Found } from './finding.ts'

/** Asks the identity provider as a server does. @param url AUTH_JWKS_URL */
export async function checkKeys(url: string): Promise<Found> {
  const good = `The keys of bearer tokens come from ${url}.`
  const wrong = (reason: string) => ({
    good,
    wrong: [
      `No keys come from ${url}: ${reason}; correct AUTH_JWKS_URL, or let this machine reach it: without keys bearer tokens are UNAVAILABLE`,
    ],
  })
  try {
    const keys = await fetchKeys(url)
    createLocalJWKSet(keys)
    return keys.keys.length > 0 ? { good, wrong: [] } : wrong('its list is empty')
  } catch (error) {
    return wrong(reasonOf(error))
  }
}
