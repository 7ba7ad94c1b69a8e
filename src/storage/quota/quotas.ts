import type { Logger } from 'pino'
import type { QuotaLimits } from '../../config.ts'
import type { QuotaName } from '../../facts.ts'
import { Quota, type Quotas } from '../postgres/quota.ts'
import type { Runner } from '../postgres/statement.ts'
import { Turns } from '../postgres/turns.ts'
import { Looks } from './looks.ts'

/**
 * Disposing them ends the looks that are under way.
 *
 * @param connections how many statements of looks may run at once
 */
export function createQuotas(
  limits: QuotaLimits,
  on: Runner,
  connections: number,
  log: Logger,
): Quotas & AsyncDisposable {
  const ending = new AbortController()
  const looks = new Looks(on, new Turns(connections), ending.signal)
  const create = (name: QuotaName) => {
    const limit = limits[name]
    return limit === undefined ? null : new Quota(name, limit, (userId) => looks[name](userId), log)
  }
  return {
    conversations: create('conversations'),
    bytes: create('bytes'),
    streams: create('streams'),
    [Symbol.asyncDispose]: async () => ending.abort(),
  }
}
