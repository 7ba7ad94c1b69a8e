import type { Client } from 'pg'
import type { Config } from '../../config.ts'
import type { OpenDatabase } from '../database.ts'

/** What was found: `good`, `wrong`, or `skipped` because it cannot be looked at. */
export interface Finding {
  readonly check: string
  readonly state: 'good' | 'wrong' | 'skipped'
  /** What is the case, and where it is wrong, what to do about it. */
  readonly sentence: string
}

/** What a check finds, without its name: it is good, or these sentences are wrong. */
export interface Found {
  readonly good: string
  readonly wrong: readonly string[]
}

/** A database that answers. */
export interface Examined {
  readonly config: Config
  readonly database: OpenDatabase
  readonly client: Client
}
