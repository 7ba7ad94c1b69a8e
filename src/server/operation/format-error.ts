import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import type { Logger } from 'pino'
import { ApiError, unavailable } from '../../errors.ts'

const longestMessage = 1_000

/**
 * What a caller may see of an error: ours and GraphQL's own as they are, a database that is away as UNAVAILABLE, and
 * of anything else only that it is in the log under the request's id.
 */
export function formatError(error: unknown, requestId: string, log: Logger): GraphQLFormattedError {
  const cause = error instanceof GraphQLError ? (error.originalError ?? error) : error
  const shown = isPublic(cause) ? error : isOutage(cause) ? outage : null
  if (shown !== error) {
    const level = shown === null ? 'error' : 'warn'
    hideRows(cause)
    log[level]({ err: cause, requestId }, shown === null ? 'a request failed' : 'the database was away')
  }
  const place = error instanceof GraphQLError ? error : undefined
  if (shown === null) {
    return withPlace(place, 'Something went wrong here; the log has it under this request id.', {
      code: 'INTERNAL_SERVER_ERROR',
      requestId,
    })
  }
  const { message, extensions } = shown as GraphQLError
  return withPlace(place, shorten(message), extensions)
}

/**
 * The log is told nothing of what messages say, and PostgreSQL quotes rows in `detail` and values in `where`; MikroORM
 * puts the detail into the message and the stack as well.
 */
function hideRows(error: unknown): void {
  if (!(error instanceof Error)) return
  const { detail } = error as { detail?: unknown }
  if (typeof detail === 'string' && detail !== '') {
    error.message = error.message.replaceAll(detail, '…')
    error.stack = error.stack?.replaceAll(detail, '…') ?? error.message
  }
  for (const name of ['detail', 'where']) {
    if (Object.hasOwn(error, name)) Object.defineProperty(error, name, { enumerable: false })
  }
}

/** Errors that Apollo has formatted already: its own have a code, and so have those that were thrown as ours. */
function isPublic(cause: unknown): boolean {
  return cause instanceof ApiError || (cause instanceof GraphQLError && cause.originalError === undefined)
}

/** GraphQL quotes a value that it refuses, at whatever length, and only then says why. */
function shorten(message: string): string {
  if (message.length <= longestMessage) return message
  const half = longestMessage / 2
  return `${message.slice(0, half)} … ${message.slice(-half)}`.toWellFormed()
}

function withPlace(
  error: GraphQLError | undefined,
  message: string,
  extensions: Record<string, unknown>,
): GraphQLFormattedError {
  return {
    message,
    ...(error?.locations ? { locations: error.locations } : {}),
    ...(error?.path ? { path: error.path } : {}),
    // `http` is what Apollo's own errors tell Apollo.
    extensions: { ...extensions, http: undefined, code: extensions.code ?? 'BAD_USER_INPUT' },
  }
}

const outage = unavailable(
  'The database was away or took too long. What was asked may have been done: try again, with the same client ids.',
)

/** Whether PostgreSQL could not be reached, was too busy, or ended the connection or the statement. */
export function isOutage(error: unknown): boolean {
  const { code, message, severity } = (error ?? {}) as { code?: unknown; message?: unknown; severity?: unknown }
  // PostgreSQL says FATAL where it lets nobody in, for whatever reason, or ends the connection.
  if (severity === 'FATAL' || severity === 'PANIC') return true
  if (typeof code === 'string' && outageCodes.test(code)) return true
  return typeof message === 'string' && outageMessages.test(message)
}

/** PostgreSQL's classes of lost connections, exhausted resources, shutdown, timeouts and deadlocks; Node's of sockets. */
const outageCodes =
  /^(08...|53...|57P0.|57014|55P03|25P0[34]|4000.|40P01|ECONN.+|EPIPE|ETIMEDOUT|ENOENT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN)$/
const outageMessages =
  /^(timeout exceeded when trying to connect|Query read timeout|Connection terminated|Client has encountered a connection error|Cannot use a pool after)/
