import type { Logger } from 'pino'
import type { Authenticate } from '../../auth/viewer.ts'
import type { Config } from '../../config.ts'
import type { OperationMeter } from '../metrics/operation-meter.ts'
import type { Refusals } from '../metrics/refusals.ts'
import type { Rates } from '../rate/rates.ts'
import type { TakesOrigin } from '../request/origins.ts'
import type { Proxies } from '../request/proxies.ts'
import type { Operations } from './operations.ts'

/** What each way to the server is built with: HTTP, WebSocket and event streams. */
export interface TransportDependencies {
  readonly operations: Operations
  readonly authenticate: Authenticate
  /** null: there is no limit. */
  readonly rates: Rates | null
  readonly meter: OperationMeter
  readonly refusals: Refusals
  readonly takesOrigin: TakesOrigin
  readonly proxies: Proxies
  readonly config: Config
  readonly log: Logger
}
