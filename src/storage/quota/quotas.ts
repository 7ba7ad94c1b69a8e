import type { Logger } from 'pino'
import type { QuotaLimits } from '../../config.ts'
import type { QuotaName } from '../../facts.ts'
import { type Measure, Quota, type Quotas } from '../postgres/quota.ts'
import { query, type Runner, type Statement } from '../postgres/statement.ts'
import { Turns } from '../postgres/turns.ts'

/** @param connections how many looks at users may run at once */
export function createQuotas(
  limits: QuotaLimits,
  on: Runner,
  connections: number,
  log: Logger,
): Quotas & AsyncDisposable {
  const turns = new Turns(connections)
  const create = (name: QuotaName, statement: Statement<'user'>) => {
    const limit = limits[name]
    return limit === undefined ? null : new Quota(name, limit, measuring(on, turns, statement), log)
  }
  const quotas: Quotas = {
    conversations: create('conversations', countConversations),
    bytes: create('bytes', sumBytes),
    streams: create('streams', countStreams),
  }
  const dispose = async () => {
    await Promise.all(Object.values(quotas).map((quota) => quota?.[Symbol.asyncDispose]()))
  }
  return { ...quotas, [Symbol.asyncDispose]: dispose }
}

function measuring(on: Runner, turns: Turns, statement: Statement<'user'>): Measure {
  return (userId) =>
    turns.take(async () => {
      const began = performance.now()
      const [row] = await query(on, statement, [userId])
      return { found: Number(row?.[0]), tookMs: performance.now() - began }
    })
}

const countConversations: Statement<'user'> = {
  name: 'quota-conversations',
  kind: 'user',
  text: 'select count(*) from conversation c where c.user_id = $1 and c.deleted_at is null',
}

/**
 * What callers gave of messages, as the limits of a message and of a fork count it. The text of a message that streams is
 * not in its own size.
 */
const sumBytes: Statement<'user'> = {
  name: 'quota-bytes',
  kind: 'user',
  text: `
    select coalesce(sum(m.size), 0) + coalesce(sum(s.size), 0)
    from conversation c
    join message m on m.conversation_key = c.key
    left join message_stream s on s.conversation_key = m.conversation_key and s.seq = m.seq
    where c.user_id = $1 and c.deleted_at is null`,
}

const countStreams: Statement<'user'> = {
  name: 'quota-streams',
  kind: 'user',
  text: `
    select count(*) from conversation c join message_stream s on s.conversation_key = c.key
    where c.user_id = $1 and c.deleted_at is null`,
}
