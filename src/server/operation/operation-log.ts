import type { Logger } from 'pino'

/** One line of the log for an operation, whichever way the operation came. */
export interface OperationEntry {
  readonly requestId: string
  readonly over: 'http' | 'websocket'
  /** Of the caller, as `Proxies` knows it; null: the connection was gone before. */
  readonly address: string | null
  /** The path of an HTTP request, without its query. */
  readonly path?: string
  readonly operation: string | null
  readonly viewer: string | null
  /** Who acts for the viewer, if that is somebody else. */
  readonly actor?: string | undefined
  /** From the request to the end of its answer, in milliseconds. */
  readonly ms: number
  readonly status: number | string
  /** Of the answer with its headers or frames. */
  readonly bytes: number
  /** Of the trace to which the operation belongs. */
  readonly traceId?: string | undefined
  /** How many refusals of this caller the line stands for, if they are several. */
  readonly refusals?: number | undefined
}

export function logOperation(log: Logger, entry: OperationEntry): void {
  // Whole microseconds: what is refused at once takes less than a tenth of a millisecond.
  log.info({ ...entry, ms: Math.round(entry.ms * 1_000) / 1_000 }, 'request')
}
