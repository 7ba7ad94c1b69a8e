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

/** The step with other items in place of some of its own. Each result is that of the new call. */
export function withItems(step: Step, others: ReadonlyMap<Said, Said>): Step {
  if (others.size === 0) return step
  return {
    ...step,
    items: step.items.map((item) => others.get(item) ?? item),
    answers: step.answers.map((answer) => {
      const call = (others.get(answer.call) ?? answer.call) as Call
      return { ...answer, call, result: { ...answer.result, callId: call.callId, name: call.name } }
    }),
    waiting: step.waiting.map((one) => ({ ...one, call: (others.get(one.call) ?? one.call) as Call | Hosted })),
  }
}
