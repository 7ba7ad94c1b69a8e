import { CombinedGraphQLErrors } from '@apollo/client'

/** Why a conversation that waited cannot be had. */
export function sayProblem(error: unknown): string {
  const { reason, code } = (CombinedGraphQLErrors.is(error) && error.errors[0]?.extensions) || {}
  if (reason === 'TAKEN_OVER') return 'Somebody else was faster.'
  if (code === 'NOT_FOUND') return 'It does not wait any more.'
  return error instanceof Error ? error.message : String(error)
}
