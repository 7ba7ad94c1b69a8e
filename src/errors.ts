import { GraphQLError } from 'graphql'

/** Every `extensions.code` that Colloquy itself sends; GraphQL's own parse and validation codes stand beside them. */
export type ErrorCode =
  | 'UNAUTHENTICATED'
  | 'FORBIDDEN'
  | 'NOT_FOUND'
  | 'BAD_USER_INPUT'
  | 'CONFLICT'
  | 'CURSOR_EXPIRED'
  | 'PAYLOAD_TOO_LARGE'
  | 'UNAVAILABLE'
  | 'INTERNAL_SERVER_ERROR'

/** An error whose sentence and extensions the caller may see. Anything else is logged and masked at the edge. */
export class ApiError extends GraphQLError {
  readonly code: ErrorCode

  constructor(code: ErrorCode, sentence: string, extensions: Record<string, unknown> = {}) {
    super(sentence, { extensions: { code, ...extensions } })
    this.name = 'ApiError'
    this.code = code
  }
}

/** The server cannot start, and its operator can do something about it: `main` prints the sentence and exits with 1. */
export class StartupError extends Error {
  override readonly name = 'StartupError'
}
