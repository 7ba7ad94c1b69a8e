import { Connection, type ConnectionOptions, type Operation } from './connection.ts'
import { FinalError, finalAnswer } from './final-answer.ts'

export interface RequestOptions extends ConnectionOptions {
  /** Ends it with its reason; what is on its way may still happen. */
  readonly signal?: AbortSignal
}

/** What the server answered, where trying again would not help. */
export class RequestError extends FinalError {
  override readonly name = 'RequestError'
}

/** As `request`. */
export type Ask = (query: string, variables: Record<string, unknown>) => Promise<Record<string, unknown>>

/**
 * One query or mutation, tried again until it is answered: only for what may happen twice, as reads and appends with client
 * ids.
 *
 * @throws RequestError, or the reason of the signal
 */
export function request(
  options: RequestOptions,
  query: string,
  variables: Record<string, unknown> = {},
): Promise<Record<string, unknown>> {
  return withConnection(options, (ask) => ask(query, variables))
}

/** Work that asks the server one thing after the other, on one connection that ends with it. */
export async function withConnection<Outcome>(
  options: RequestOptions,
  work: (ask: Ask, connection: Connection) => Promise<Outcome>,
): Promise<Outcome> {
  const { signal } = options
  signal?.throwIfAborted()
  const over = new AbortController()
  const abort = () => over.abort(signal?.reason)
  signal?.addEventListener('abort', abort, { once: true })
  const connection = new Connection(options, over.signal, true)
  try {
    return await work((query, variables) => askAgain(connection, over.signal, { query, variables }), connection)
  } finally {
    signal?.removeEventListener('abort', abort)
    over.abort()
    connection.close()
  }
}

async function askAgain(
  connection: Connection,
  over: AbortSignal,
  operation: Operation,
): Promise<Record<string, unknown>> {
  let strangers = 0
  for (;;) {
    over.throwIfAborted()
    try {
      const data = await connection.ask(operation)
      connection.succeeded()
      return data
    } catch (thrown) {
      over.throwIfAborted()
      const final = finalAnswer(thrown)
      if (final !== null) throw new RequestError(final.code, final.reason, final.message, final.path)
      strangers = closeCode(thrown) === forbidden ? strangers + 1 : 0
      if (strangers === 2) throw new RequestError('UNAUTHENTICATED', null, (thrown as CloseEvent).reason)
      await connection.wait(thrown)
    }
  }
}

/** Once may be a token that has expired on the way; the next connection has asked for a fresh one. */
const forbidden = 4403

function closeCode(thrown: unknown): unknown {
  return (thrown as { code?: unknown } | null)?.code
}
