import type { Logger } from 'pino'
import { Rounds } from '../postgres/rounds.ts'
import type { Store } from '../postgres/store.ts'
import { failExpired, readExpired } from './stream-end.ts'

const streamsPerRound = 100

/**
 * Looks every `everyMs` milliseconds for streams whose producer is gone, and fails them, so that no message streams for
 * ever.
 */
export function startReaper(store: Store, everyMs: number, log: Logger): Rounds {
  const work = async () => {
    for (const expired of await readExpired(store, streamsPerRound)) await failExpired(store, expired)
  }
  const failure = 'could not fail streams whose producer is gone'
  return new Rounds({ everyMs, beginsAtOnce: false, work, failure }, log)
}
