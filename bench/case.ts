import type { Database } from './database.ts'
import type { Generator } from './generator.ts'

/** What every case works with. */
export interface Bench {
  readonly database: Database
  readonly generator: Generator
  readonly options: Options
}

export interface Options {
  /** Length of one measurement, in seconds; a case may take a multiple of it. */
  readonly seconds: number
  /** How often each server has its turn. */
  readonly rounds: number
  /** The sizes and times of the goals, also where they take longer than a run may. */
  readonly full: boolean
  /** A built checkout of another commit, which alone is measured beside this one; undefined: the peers are. */
  readonly against: string | undefined
}

export interface Case {
  readonly name: string
  readonly title: string
  /** The setting without which it is not run. */
  readonly needs?: string
  run(bench: Bench): Promise<Outcome>
}

export interface Outcome {
  /** How it was measured, for people. */
  readonly method: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly goals: readonly Goal[]
  /** What has to be known to read the numbers. */
  readonly notes: readonly string[]
}

export interface Goal {
  readonly goal: string
  readonly reached: string
  readonly isReached: boolean
}
