import type { OmissionReason, PendingCallRule } from '../../entities/window-enums.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { SaidEntry } from '../entries/entry.ts'
import { denialText } from '../items/denial.ts'
import type { Call, Hosted, Result } from '../items/item.ts'
import type { CallAnswer } from '../items/spoken.ts'
import type { Answer } from '../items/step.ts'
import type { Asked } from './asked.ts'

/** Where a turn stands. */
export interface Place {
  readonly dialect: Dialect
  /** The window ends with this turn, so the model goes on with it. */
  readonly isNewest: boolean
  /** What becomes of the calls that wait; null if none may wait. */
  readonly pendingCalls: PendingCallRule | null
}

/** What becomes of a call. */
export interface Fate {
  /** `out`: neither the call nor its result is in the window. */
  readonly kind: 'answered' | 'refused' | 'interrupted' | 'waits' | 'out'
  /** The answer to a call that is no hosted one, if it has one. */
  readonly answer?: Answer
  readonly isPending?: boolean
  readonly reason?: OmissionReason
}

/** @param last what was said last in the turn */
export function decide(calls: readonly Asked[], last: SaidEntry | undefined, place: Place): Map<Asked, Fate> {
  const fates = new Map<Asked, Fate>()
  const goOn = new Set<string | undefined>()
  for (const asked of calls) {
    const { call } = asked
    if (call.kind === 'hosted') continue
    const fate = fateOfCall(asked, call, last, place)
    fates.set(asked, fate)
    if (fate.kind !== 'out' && asked.entry === last) goOn.add(call.callerId)
  }
  const hosts = new Set<string>()
  for (const asked of calls) {
    const { call } = asked
    const fate = fates.get(asked) ?? fateOfHosted(asked, call, last, goOn, place)
    const isHosted = call.callerId === undefined || hosts.has(call.callerId) || call.raw?.format !== place.dialect.parts
    fates.set(asked, isHosted ? fate : { ...fate, ...leftOut(asked) })
    if (isHosted && fate.kind !== 'out' && call.kind === 'hosted') hosts.add(call.callId)
  }
  return fates
}

function leftOut({ reply }: Asked): Fate {
  return { kind: 'out', reason: reply === null ? 'INTERRUPTED_CALL' : 'ORPHANED_RESULT' }
}

/** Whether another dialect alone can express it. */
function isForeign(call: Call | Hosted, dialect: Dialect): boolean {
  if (call.kind === 'call' && call.native === undefined) return false
  return call.raw?.format !== dialect.parts || !dialect.takes(call, 'ASSISTANT')
}

function fateOfCall(asked: Asked, call: Call, last: SaidEntry | undefined, { dialect, pendingCalls }: Place): Fate {
  const isLast = asked.entry === last && pendingCalls !== null
  const mayKeep = isLast && pendingCalls === 'KEEP' && dialect.keepsWaiting?.(call) === true
  const takesWords = call.native === undefined || dialect.answersInWords?.(call) === true
  const answer = answerOf(asked, call)
  const isPending = answer === null && isLast && call.answered?.approved !== false && waits(asked)
  if (isForeign(call, dialect)) return { kind: 'out', reason: 'UNSUPPORTED_PART', isPending }
  if (answer !== null) {
    if (answer.result.native !== call.native && !takesWords) return leftOut(asked)
    const isOnlyApproval = answer.result.raw === null || answer.result.raw.part === call.raw?.part
    return mayKeep && answer.denial && isOnlyApproval ? { kind: 'waits' } : { kind: 'answered', answer }
  }
  if (call.answered?.approved === false && takesWords) {
    return { kind: 'refused', answer: refused(call, asked, call.answered) }
  }
  if (isPending && mayKeep) return { kind: 'waits', isPending }
  const isOmitted = isPending && pendingCalls === 'OMIT'
  if (isOmitted || !takesWords) return { ...leftOut(asked), isPending }
  return { kind: 'interrupted', answer: interrupted(call), reason: 'INTERRUPTED_CALL', isPending }
}

function answerOf({ reply, approval, approvedIn }: Asked, call: Call): Answer | null {
  if (reply?.item.kind === 'result') {
    const denial = approval !== null && reply.item.isDenial ? { denial: approval } : {}
    return { call, result: reply.item, message: reply.message, ...denial }
  }
  if (approval?.isApproved !== false) return null
  const result = { ...resultOf(call, denialText(approval.response ?? {})), isDenial: true }
  return { call, result, message: approvedIn, denial: approval }
}

/**
 * A hosted call without a result stays where its turn goes on with it: the provider paused there, or a call that the
 * hosted call's program made is in the last step, or people have allowed it.
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/programmatic-tool-calling (2026-11)
 */
function fateOfHosted(
  asked: Asked,
  call: Call | Hosted,
  last: SaidEntry | undefined,
  goOn: ReadonlySet<string | undefined>,
  { dialect, isNewest, pendingCalls }: Place,
): Fate {
  const { entry, reply, approval } = asked
  const isLast = entry === last
  const isPending = reply === null && approval?.isApproved === null && isLast && pendingCalls !== null && waits(asked)
  if (isForeign(call, dialect)) return { kind: 'out', reason: 'UNSUPPORTED_PART', isPending }
  if (reply !== null) return { kind: 'answered' }
  const isPaused = approval?.isApproved === true || entry.message.finishReason === 'pause_turn'
  const isGoing = approval?.isApproved !== null && isNewest && (goOn.has(call.callId) || (isLast && isPaused))
  const isKept = isPending && pendingCalls === 'KEEP'
  if (isGoing || isKept || approval?.isApproved === false) return { kind: 'waits', isPending }
  return { ...leftOut(asked), isPending }
}

/** Nobody runs a call that the model did not finish. */
function waits({ call, entry }: Asked): boolean {
  return entry.message.status === 'COMPLETE' && !('isPartial' in call && call.isPartial)
}

function interrupted(call: Call): Answer {
  return { call, result: resultOf(call, 'Interrupted: this call was not answered.'), message: null }
}

/** No message holds this answer: `answerCall` stored it beside the message of the call. */
function refused(call: Call, { approval }: Asked, { reason }: CallAnswer): Answer {
  const text = reason === null ? 'A person refused this call.' : `A person refused this call: ${reason}`
  const { id, request } = approval ?? { id: call.callId, request: {} }
  const denial = { id, isApproved: false, request, response: { reason: text } }
  return { call, result: { ...resultOf(call, text), isDenial: true }, message: null, denial }
}

function resultOf({ callId, name }: Call, text: string): Result {
  return { kind: 'result', callId, name, isError: true, output: [{ kind: 'text', text, raw: null }], raw: null }
}
