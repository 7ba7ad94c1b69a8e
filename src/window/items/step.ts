import type { Call, Result, Said } from './item.ts'
import type { Spoken } from './spoken.ts'

/** What one message says without a break, and the results of its calls, in the order of the calls. */
export interface Step {
  readonly message: Spoken
  readonly items: readonly Said[]
  readonly answers: readonly Answer[]
}

export interface Answer {
  readonly call: Call
  readonly result: Result
  /** The message that holds the result; null when no message does, and `result` says that the call was interrupted. */
  readonly message: Spoken | null
}

/** The step with other calls in place of its own. Each result is that of the new call. */
export function withCalls(step: Step, calls: ReadonlyMap<Call, Call>): Step {
  return {
    message: step.message,
    items: step.items.map((item) => (item.kind === 'call' ? (calls.get(item) ?? item) : item)),
    answers: step.answers.map(({ call, result, message }) => {
      const made = calls.get(call) ?? call
      return { call: made, result: { ...result, callId: made.callId, name: made.name }, message }
    }),
  }
}
