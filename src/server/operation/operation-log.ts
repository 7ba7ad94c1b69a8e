import type { Logger } from 'pino'

/** One line for each operation, on whatever way it came. */
export interface OperationEntry {
  readonly requestId: string
  readonly over: 'http' | 'websocket'
  /** Over HTTP, without its query. */
  readonly path?: string
  readonly operation: string | null
  readonly viewer: string | null
  readonly ms: number
  readonly status: number | string
}

export function logOperation(log: Logger, entry: OperationEntry): void {
  log.info({ ...entry, ms: Math.round(entry.ms * 10) / 10 }, 'request')
}
