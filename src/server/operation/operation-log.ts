import type { Logger } from 'pino'

/** One line of the log for an operation, whichever way the operation came. */
export interface OperationEntry {
  readonly requestId: string
  readonly over: 'http' | 'websocket'
  /** The path of an HTTP request, without its query. */
  readonly path?: string
  readonly operation: string | null
  readonly viewer: string | null
  readonly ms: number
  readonly status: number | string
}

export function logOperation(log: Logger, entry: OperationEntry): void {
  log.info({ ...entry, ms: Math.round(entry.ms * 10) / 10 }, 'request')
}
