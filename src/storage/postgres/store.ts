import type { EntityManager } from '@mikro-orm/postgresql'
import type { Pool } from 'pg'
import type { Logger } from 'pino'
import type { Quotas } from './quota.ts'
import type { Runner } from './statement.ts'

/** A notice, given after the commit, that a conversation or a list of conversations moved. */
export interface Moved {
  readonly key: string
  readonly revision: number
}

/**
 * The revision in a hint of streamed text. Text moves no revision, so this number is below all revisions, and only
 * followers of a streaming message look.
 */
export const textHint = 0

/**
 * The revision in a hint of a list. A list has no revision, so this number is above all revisions, and everybody who
 * hears the hint looks. It has 15 digits: a hint carries at most 15.
 */
export const listRevision = 999_999_999_999_999

/** What every read and write of PostgreSQL needs. */
export interface Store {
  readonly pool: Pool
  /**
   * For short reads of one conversation, or of one list. A statement here must take no lock, must not run long, and must
   * answer few bytes: others stand behind it.
   */
  readonly reads: Runner
  /** For reads that may wait or run long: on the pool. They end when nobody waits for them. */
  readonly lone: Runner
  /** Whether the database spreads conversations over machines, as Citus does. No statement is gathered there. */
  readonly spreads: boolean
  /** How old a transaction may be when it is committed, in milliseconds. */
  readonly transactionMs: number
  /** For work that is rare; it is forked for each use. Statements that run often go to the pool. */
  readonly em: EntityManager
  readonly quotas: Quotas
  /** Tells this process and the others what moved. Only `commit` calls it. */
  readonly announce: (moved: Moved) => void
  readonly log: Logger
}
