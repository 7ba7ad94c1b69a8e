import type { EntityManager } from '@mikro-orm/postgresql'
import type { Pool, PoolClient } from 'pg'
import type { Conversation } from '../../entities/conversation.ts'
import { listKey } from '../conversation/conversation-key.ts'

/** A notice, after the commit, that a conversation moved, or a list of conversations. */
export interface Moved {
  readonly key: string
  readonly revision: number
}

/** What every question to PostgreSQL needs. */
export interface Store {
  readonly pool: Pool
  /** Forked per use; for what is rare. Hot statements go to the pool. */
  readonly em: EntityManager
  /** Told of every change after it was committed. It must not throw. */
  readonly announce: (moved: Moved) => void
}

/** Text moves no revision: its hint is below all of them, and only who follows a streaming message looks. */
export const textHint = 0

/** A list has no revision: above all of them it means that whoever hears it looks. It has at most 15 digits, as hints do. */
export const listRevision = 999_999_999_999_999

/** Tells, after the commit, that a conversation changed: those who follow it, and those who follow its owner's list. */
export function announceChange(store: Store, { key, revision, userId }: Conversation): void {
  store.announce({ key, revision })
  store.announce({ key: listKey(userId), revision: listRevision })
}

/** A prepared statement: its name is its plan's name on each connection, so one name has one text. */
export interface Statement {
  readonly name: string
  readonly text: string
}

/** One row as the driver hands it over: strings, numbers of int2 and int4, booleans, buffers of bytea, null. */
export type Row = readonly unknown[]

/** Runs a prepared statement and answers its rows as arrays: at 50 rows a page, objects by column name cost twice as much. */
export async function query(on: Pool | PoolClient, statement: Statement, values: unknown[]): Promise<Row[]> {
  const result = await on.query<unknown[]>({ ...statement, values, rowMode: 'array', types: textTypes })
  return result.rows
}

/** Runs `work` in one transaction on one connection; whatever it throws rolls everything back. */
export async function transaction<T>(store: Store, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await store.pool.connect()
  let broken: Error | undefined
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => {
      broken = failure
    })
    throw error
  } finally {
    client.release(broken)
  }
}

const parsers = new Map<number, (value: string) => unknown>([
  [16, (value) => value === 't'],
  [21, Number],
  [23, Number],
  [17, (value) => Buffer.from(value.slice(2), 'hex')],
])

/** Timestamps, bigints and JSON stay text: most of them go out again without anybody looking inside. */
const textTypes = {
  getTypeParser: (oid: number) => parsers.get(oid) ?? ((value: string) => value),
}
