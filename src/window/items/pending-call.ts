import type { Call, Hosted } from './item.ts'
import type { Spoken } from './spoken.ts'

/** A call that somebody still has to run or to allow before the model can go on. */
export interface PendingCall {
  readonly call: Call | Hosted
  /** null when nobody was asked whether the call may run. */
  readonly approvalId: string | null
  /** null when nobody was asked; false while nobody has answered. */
  readonly approved: boolean | null
  readonly message: Spoken
}
