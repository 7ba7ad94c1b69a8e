import { pino } from 'pino'
import type { Orm } from '../../src/database/orm.ts'
import type { Store } from '../../src/storage/postgres/store.ts'

/** What the functions of storage/ take, for tests that call them without a server. It tells nobody what moved. */
export function storeOf({ pool, orm }: Orm): Store {
  return { pool, reads: pool, spreads: false, em: orm.em, announce: () => {}, log: pino({ level: 'silent' }) }
}
