import type { EntityManager } from '@mikro-orm/postgresql'
import type { Pool } from 'pg'
import type { Logger } from 'pino'

/** A notice, after the commit, that a conversation moved, or a list of conversations. */
export interface Moved {
  readonly key: string
  readonly revision: number
}

/** Text moves no revision: its hint is below all of them, and only who follows a streaming message looks. */
export const textHint = 0

/** A list has no revision: above all of them it means that whoever hears it looks. It has at most 15 digits, as hints do. */
export const listRevision = 999_999_999_999_999

/** What every question to PostgreSQL needs. */
export interface Store {
  readonly pool: Pool
  /** Forked per use; for what is rare. Hot statements go to the pool. */
  readonly em: EntityManager
  /** Tells of what moved, in this process and beyond. `commit` calls it, and nobody else. */
  readonly announce: (moved: Moved) => void
  readonly log: Logger
}
