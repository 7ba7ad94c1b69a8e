import { GraphQLError, type GraphQLFormattedError } from 'graphql'
import type { Logger } from 'pino'
import { ApiError, unavailable } from '../../errors.ts'
import { Fact } from '../../facts.ts'
import { apiErrorOf } from '../../graphql/fact-errors.ts'

const longestMessage = 1_000

/**
 * What a caller may see of an error. Our own errors and GraphQL's are shown as they are, and a database that is away as
 * UNAVAILABLE. Of any other error the caller sees only the request's id, under which the log has the error.
 */
export function formatError(error: unknown, requestId: string, log: Logger): GraphQLFormattedError {
  return formatErrors([error], requestId, log)[0] as GraphQLFormattedError
}

/**
 * The same for all errors of one answer. A database that is away may fail each of a hundred fields, so the log has one
 * line for all outages of an answer, and one for all errors that nobody expected: the first one, and how many they are.
 */
export function formatErrors(errors: readonly unknown[], requestId: string, log: Logger): GraphQLFormattedError[] {
  const outages: unknown[] = []
  const faults: unknown[] = []
  const formatted = errors.map((error) => format(error, requestId, outages, faults))
  if (outages.length > 0) log.warn({ err: outages[0], errors: outages.length, requestId }, 'the database was away')
  if (faults.length > 0) log.error({ err: faults[0], errors: faults.length, requestId }, 'a request failed')
  return formatted
}

/** @param outages gets the cause that the log has to tell; so does `faults` */
function format(error: unknown, requestId: string, outages: unknown[], faults: unknown[]): GraphQLFormattedError {
  const cause = causeOf(error)
  const place = error instanceof GraphQLError ? error : undefined
  if (cause instanceof ApiError || cause instanceof GraphQLError) return withPlace(place, error as GraphQLError)
  if (cause instanceof Fact) return withPlace(place, apiErrorOf(cause, fieldOf(place)))
  hideRows(cause)
  if (isOutage(cause)) {
    outages.push(cause)
    return withPlace(place, outage)
  }
  faults.push(cause)
  return withPlace(place, {
    message: 'Something went wrong here; the log has it under this request id.',
    extensions: { code: 'INTERNAL_SERVER_ERROR', requestId },
  })
}

/** The error that was thrown, without the errors that GraphQL has put around it. */
function causeOf(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError !== undefined ? causeOf(error.originalError) : error
}

/** The name, in the answer, of the field that failed. */
function fieldOf(place: GraphQLError | undefined): string {
  const names = place?.path?.filter((step) => typeof step === 'string')
  return names?.at(-1) ?? 'query'
}

/**
 * Removes from an error what messages say, because the log must not have it. PostgreSQL quotes rows in `detail` and
 * values in `where`, and MikroORM copies the detail into the message and the stack.
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

/**
 * Keeps both ends of a message: GraphQL first quotes the value that it refuses, however long it is, and then says why.
 */
function shorten(message: string): string {
  if (message.length <= longestMessage) return message
  const half = longestMessage / 2
  return `${message.slice(0, half)} … ${message.slice(-half)}`.toWellFormed()
}

function withPlace(
  place: GraphQLError | undefined,
  { message, extensions }: Pick<ApiError, 'message' | 'extensions'>,
): GraphQLFormattedError {
  return {
    message: shorten(message),
    ...(place?.locations ? { locations: place.locations } : {}),
    ...(place?.path ? { path: place.path } : {}),
    // Apollo's own errors have an `http` that is meant for Apollo and not for callers.
    extensions: { code: 'BAD_USER_INPUT', ...extensions, http: undefined },
  }
}

const outage = unavailable(
  'The database was away or took too long. What was asked may have been done: try again, with the same client ids.',
)

/** Whether PostgreSQL or a machine of Citus could not be reached, was too busy, or ended the connection or the statement. */
export function isOutage(error: unknown): boolean {
  const { code, message, severity } = (error ?? {}) as { code?: unknown; message?: unknown; severity?: unknown }
  // PostgreSQL says FATAL when it refuses or ends a connection, for any reason.
  if (severity === 'FATAL' || severity === 'PANIC') return true
  if (typeof code === 'string' && outageCodes.test(code)) return true
  if (typeof message !== 'string') return false
  return code === internalError ? lostMachine.test(message) : outageMessages.test(message)
}

/**
 * PostgreSQL's classes of lost connections, exhausted resources, shutdown, timeouts, deadlocks, unknown outcomes and of
 * servers that take no writes; Node's of sockets.
 */
const outageCodes =
  /^(08...|53...|57P0.|57014|55P03|25006|25P0[34]|4000.|40P01|ECONN.+|EPIPE|ETIMEDOUT|ENOENT|EHOSTUNREACH|ENOTFOUND|EAI_AGAIN)$/
const outageMessages =
  /^(timeout exceeded when trying to connect|Query read timeout|Connection terminated|Client has encountered a connection error|Cannot use a pool after)/

/** Also of what PostgreSQL takes for a fault of its own. */
const internalError = 'XX000'

/**
 * Citus has this code for a machine that it loses inside a transaction: before the COMMIT; in the middle of it, when the
 * outcome is unknown; and where libpq has only words for a lost connection. Citus 13.2: `placement_connection.c`,
 * `remote_transaction.c`, `remote_commands.c`.
 */
const lostMachine =
  /^(failure on connection marked as essential: |could not commit transaction for shard \d+ on |failed to prepare transaction |server closed the connection unexpectedly|could not (receive data from|send data to) server: |SSL connection has been closed unexpectedly|SSL SYSCALL error: |no connection to the server)/
