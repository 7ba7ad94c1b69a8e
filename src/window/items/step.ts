import type { Call, Result, Said } from './item.ts'
import type { Spoken } from './spoken.ts'

/** What was said at once, and the results of its calls, in the order of the calls. */
export interface Step {
  readonly message: Spoken
  readonly items: readonly Said[]
  readonly answers: readonly Answer[]
}

export interface Answer {
  readonly call: Call
  readonly result: Result
  /** Whose result it is; null for one that was never given. */
  readonly message: Spoken | null
}
