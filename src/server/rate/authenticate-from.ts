import type { Authenticate, Caller, Credentials } from '../../auth/viewer.ts'
import { ApiError } from '../../errors.ts'
import { addressOf, type From } from './payer.ts'
import type { Rates } from './rates.ts'

/**
 * Answers who is calling. Whoever is not known is limited by address, and whoever is known never is: many users may share
 * an address.
 *
 * @throws ApiError UNAUTHENTICATED, UNAVAILABLE; RATE_LIMITED in place of UNAUTHENTICATED for an address that owes
 */
export async function authenticateFrom(
  from: From,
  credentials: Credentials,
  { authenticate, rates }: { readonly authenticate: Authenticate; readonly rates: Rates | null },
): Promise<Caller> {
  try {
    return await authenticate(credentials)
  } catch (error) {
    if (error instanceof ApiError && error.code === 'UNAUTHENTICATED') rates?.attempt(addressOf(from))
    throw error
  }
}
