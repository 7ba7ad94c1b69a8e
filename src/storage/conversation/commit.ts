import type { EntityManager } from '@mikro-orm/postgresql'
import type { Pool, PoolClient } from 'pg'
import type { Conversation } from '../../entities/conversation.ts'
import { listRevision, type Moved, type Store } from '../postgres/store.ts'
import { listKey } from './conversation-key.ts'

/** What a write answers, and what it moved. */
export interface Written<T> {
  readonly result: T
  readonly moved: readonly Moved[]
}

/** Writes; once it is settled, PostgreSQL has committed. */
export type Write<T> = (store: Store) => Promise<Written<T>>

/**
 * The one way to write what somebody may follow: writes, and after the commit tells of what moved. A hint carries no truth,
 * so one that cannot be sent does not fail the write.
 */
export async function commit<T>(store: Store, write: Write<T>): Promise<T> {
  const { result, moved } = await write(store)
  try {
    for (const one of moved) store.announce(one)
  } catch (error) {
    store.log.warn({ err: error }, 'what moved could not be announced; whoever follows it sees it with the next poll')
  }
  return result
}

/** A write of a single statement, which PostgreSQL commits by itself: one round trip. */
export function atOnce<T>(run: (pool: Pool) => Promise<Written<T>>): Write<T> {
  return ({ pool }) => run(pool)
}

/** A write of several statements on one connection; whatever `work` throws rolls all of them back. */
export function inTransaction<T>(work: (client: PoolClient) => Promise<Written<T>>): Write<T> {
  return async ({ pool }) => {
    const client = await pool.connect()
    let broken: Error | undefined
    try {
      await client.query('begin')
      const written = await work(client)
      await client.query('commit')
      return written
    } catch (error) {
      await client.query('rollback').catch((failure: Error) => {
        broken = failure
      })
      throw error
    } finally {
      client.release(broken)
    }
  }
}

/** A write by a unit of work of MikroORM, for what is rare: load, change, flush. */
export function inUnitOfWork<T>(work: (em: EntityManager) => Promise<Written<T>>): Write<T> {
  return ({ em }) => em.fork().transactional(work)
}

/** A write that changed conversations: those who follow one are told, and those who follow its owner's list. */
export function moving<T>(result: T, ...conversations: readonly Conversation[]): Written<T> {
  const moved = conversations.flatMap(({ key, revision, userId }) => [
    { key, revision },
    { key: listKey(userId), revision: listRevision },
  ])
  return { result, moved }
}

/** A write that found nothing to change. */
export function unmoved<T>(result: T): Written<T> {
  return { result, moved: [] }
}
