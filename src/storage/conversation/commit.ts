import type { EntityManager } from '@mikro-orm/postgresql'
import type { Pool, PoolClient } from 'pg'
import type { Conversation } from '../../entities/conversation.ts'
import { TransactionTooLong } from '../../facts.ts'
import { inSpan } from '../../observe/spans.ts'
import { listRevision, type Moved, type Store } from '../postgres/store.ts'
import { listKey, waitingKey } from './conversation-key.ts'

/** The result of a write, and the conversations and lists that the write moved. */
export interface Written<T> {
  readonly result: T
  readonly moved: readonly Moved[]
}

/** A write. When its promise is fulfilled, PostgreSQL has committed. */
export type Write<T> = (store: Store) => Promise<Written<T>>

/**
 * Runs a write, and announces after its commit what moved. Every write that somebody may follow goes through here. A
 * hint carries no truth, so a hint that cannot be sent does not fail the write.
 */
export async function commit<T>(store: Store, write: Write<T>): Promise<T> {
  const { result, moved } = await write(store)
  try {
    for (const one of moved) store.announce(one)
  } catch (error) {
    store.log.warn({ err: error }, 'could not announce a change; its followers see it at their next poll')
  }
  return result
}

/** A write of one statement. PostgreSQL commits a single statement by itself, so the write takes one round trip. */
export function atOnce<T>(run: (pool: Pool) => Promise<Written<T>>): Write<T> {
  return ({ pool }) => run(pool)
}

/**
 * A write of several statements on one connection. An error that `work` throws rolls all of them back.
 *
 * @throws TransactionTooLong
 */
export function inTransaction<T>(work: (client: PoolClient) => Promise<Written<T>>): Write<T> {
  return (store) => inSpan('transaction', {}, () => transact(store, work))
}

async function transact<T>(
  { pool, transactionMs }: Store,
  work: (client: PoolClient) => Promise<Written<T>>,
): Promise<Written<T>> {
  const client = await pool.connect()
  let broken: Error | undefined
  try {
    const requireTime = limitTime(transactionMs)
    await client.query('begin')
    const written = await work(client)
    requireTime()
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

/**
 * A write by a unit of work of MikroORM (load, change, flush), for writes that are rare.
 *
 * @throws TransactionTooLong
 */
export function inUnitOfWork<T>(work: (em: EntityManager) => Promise<Written<T>>): Write<T> {
  return ({ em, transactionMs }) =>
    inSpan('unit of work', {}, () => {
      const requireTime = limitTime(transactionMs)
      return em.fork().transactional(async (own) => {
        const written = await work(own)
        requireTime()
        return written
      })
    })
}

/**
 * To be called before a transaction begins; what it answers, before the commit. The times that a transaction stores are
 * those of its beginning, and readers of lists rely on it that none is committed much later.
 */
function limitTime(transactionMs: number): () => void {
  const began = performance.now()
  return () => {
    if (performance.now() - began > transactionMs) throw new TransactionTooLong()
  }
}

/** A write that changed conversations. The followers of each conversation, and of its owner's list, get a hint. */
export function moving<T>(result: T, ...conversations: readonly Conversation[]): Written<T> {
  const moved = conversations.flatMap(({ key, revision, userId }) => [{ key, revision }, listMoved(userId)])
  return { result, moved }
}

/** A write that changed one conversation, and what it moved besides. */
export function movingOthers(conversation: Conversation, others: readonly Moved[]): Written<Conversation> {
  const { result, moved } = moving(conversation, conversation)
  return { result, moved: [...moved, ...others] }
}

/** The list of a user moved. */
export function listMoved(userId: string): Moved {
  return { key: listKey(userId), revision: listRevision }
}

/** It moved which conversations wait for a person. */
export const waitingMoved: Moved = { key: waitingKey, revision: listRevision }

/** A write that found nothing to change. */
export function unmoved<T>(result: T): Written<T> {
  return { result, moved: [] }
}
