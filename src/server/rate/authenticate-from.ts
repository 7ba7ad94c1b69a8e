import type { Authenticate, Caller, Credentials } from '../../auth/viewer.ts'
import { ApiError } from '../../errors.ts'
import type { From, Proxies } from '../request/proxies.ts'
import { payerAt } from './payer.ts'
import type { Rates } from './rates.ts'

export interface Authentication {
  readonly authenticate: Authenticate
  /** null: there is no limit. */
  readonly rates: Rates | null
  readonly proxies: Proxies
}

/**
 * Answers who is calling. Whoever is not known is limited by address, and whoever is known never is: many users may share
 * an address.
 *
 * @throws ApiError UNAUTHENTICATED, UNAVAILABLE; RATE_LIMITED in place of UNAUTHENTICATED for an address that owes
 */
export async function authenticateFrom(
  from: From,
  credentials: Credentials,
  { authenticate, rates, proxies }: Authentication,
): Promise<Caller> {
  try {
    return await authenticate(credentials)
  } catch (error) {
    if (error instanceof ApiError && error.code === 'UNAUTHENTICATED') {
      const address = proxies.addressOf(from)
      if (address !== null) rates?.attempt(payerAt(address))
    }
    throw error
  }
}
