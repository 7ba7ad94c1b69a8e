import type { Logger } from 'pino'
import type { ListTimes } from '../../config.ts'
import { Rounds } from '../postgres/rounds.ts'
import type { Store } from '../postgres/store.ts'
import { purgeTombstones } from './purge.ts'

const everyMs = 60 * 60 * 1_000

/** Deletes old tombstones when the server starts, and then every hour. */
export function startPurger(store: Store, times: ListTimes, log: Logger): Rounds {
  const work = (signal: AbortSignal) => purgeTombstones(store, times, signal)
  const failure = 'could not purge conversations that were deleted long ago'
  return new Rounds({ everyMs, beginsAtOnce: true, work, failure }, log)
}
