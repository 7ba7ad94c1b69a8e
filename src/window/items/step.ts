import type { Approval, Call, Hosted, Result, Said } from './item.ts'
import type { Spoken } from './spoken.ts'

/**
 * What one message says without a break, and the results of its calls, in the order of the calls. Each call has a result
 * or waits for one.
 */
export interface Step {
  readonly message: Spoken
  readonly items: readonly Said[]
  readonly answers: readonly Answer[]
  readonly waiting: readonly Waiting[]
}

export interface Answer {
  readonly call: Call
  readonly result: Result
  /** The message that holds the result; null when no message does, and `result` says that the call was interrupted. */
  readonly message: Spoken | null
  /** What people answered, if they did not allow the call. */
  readonly denial?: Approval
}

/** A call that goes out without a result. */
export interface Waiting {
  readonly call: Call | Hosted
  readonly approval: Approval | null
  /** The message that holds the answer of people, if it is not the message of the call. */
  readonly message: Spoken | null
}
