import { Refusal } from './connection.ts'

/** What the server answered, where trying again would not help. */
export interface FinalAnswer {
  /** `CONFLICT`, `NOT_FOUND`, `PAYLOAD_TOO_LARGE`, … */
  readonly code: string
  /** Of a conflict: `CLIENT_ID`, `LAST_SEQ`, `NOT_STREAMING`, … */
  readonly reason: string | null
  readonly message: string
  /** Where in the input the fault is; null: the server does not say. */
  readonly path: string | null
}

/** One that is thrown. */
export abstract class FinalError extends Error implements FinalAnswer {
  readonly code: string
  readonly reason: string | null
  readonly path: string | null

  constructor(code: string, reason: string | null, message: string, path: string | null = null) {
    super(message)
    this.code = code
    this.reason = reason
    this.path = path
  }
}

/** Its own fault, or nothing there: it would be the same the next time. */
const finalCodes = [
  'CONFLICT',
  'NOT_FOUND',
  'BAD_USER_INPUT',
  'PAYLOAD_TOO_LARGE',
  'COST_LIMIT',
  'QUOTA_EXCEEDED',
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
]
const tooBigForTheSocket = 1009

/** @param thrown by `Connection.ask`. @returns null: it may be tried again */
export function finalAnswer(thrown: unknown): FinalAnswer | null {
  if (thrown instanceof Refusal && finalCodes.includes(thrown.code)) {
    const { reason, path } = thrown.extensions
    return { code: thrown.code, reason: asText(reason), message: thrown.message, path: asText(path) }
  }
  if ((thrown as { code?: unknown }).code !== tooBigForTheSocket) return null
  return { code: 'PAYLOAD_TOO_LARGE', reason: null, message: 'It is larger than the server takes at once.', path: null }
}

function asText(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
