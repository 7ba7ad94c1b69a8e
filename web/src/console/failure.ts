import { CombinedGraphQLErrors } from '@apollo/client'

/** Why the server did not answer, in words. */
export function sayFailure(error: unknown): string {
  if (!CombinedGraphQLErrors.is(error)) return error instanceof Error ? error.message : 'The server could not be asked.'
  return error.errors[0]?.message ?? 'The server answered with an error.'
}
