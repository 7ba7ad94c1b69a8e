import { pino } from 'pino'
import type { Orm } from '../../../src/database/orm.ts'
import type { Store } from '../../../src/storage/postgres/store.ts'
import { engine } from './engine.ts'

/** What the functions of storage/ take, for tests that call them without a server. It tells nobody what moved. */
export function storeOf({ pool, orm }: Orm, differing: Partial<Store> = {}): Store {
  const log = pino({ level: 'silent' })
  const usual = {
    pool,
    reads: pool,
    lone: pool,
    spreads: engine.spreads,
    transactionMs: 60_000,
    em: orm.em,
    quotas: { conversations: null, bytes: null, streams: null },
    announce: () => {},
    log,
  }
  return { ...usual, ...differing }
}
