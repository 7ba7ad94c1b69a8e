import type { OmissionReason, PendingCallRule } from '../../entities/window-enums.ts'
import type { Dialect } from '../dialects/dialect.ts'
import { denialText } from '../items/denial.ts'
import type { Call, Hosted, Result, Said } from '../items/item.ts'
import type { PendingCall } from '../items/pending-call.ts'
import type { Spoken } from '../items/spoken.ts'
import type { Answer, Step, Waiting } from '../items/step.ts'
import { type Asked, findReplies } from './asked.ts'
import type { Entry, SaidEntry } from './entry.ts'
import { withoutLastReasoning } from './fit.ts'

/** The tokens that are counted for the result of an interrupted call. */
export const interruptedTokens = 20

/** Where a turn stands. */
export interface Place {
  readonly dialect: Dialect
  /** The window ends with this turn, so the model goes on with it. */
  readonly isNewest: boolean
  /** What becomes of the calls that wait; null if none may wait. */
  readonly pendingCalls: PendingCallRule | null
}

export interface Paired {
  readonly steps: readonly Step[]
  readonly reasons: ReadonlySet<OmissionReason>
  readonly pending: readonly PendingCall[]
  /** How many results say that their calls were interrupted. */
  readonly interrupted: number
  /** The messages whose replies were used. */
  readonly heard: ReadonlySet<Spoken>
}

/**
 * Gives every call its result. A result that finds no call is left out. A call without a result either waits for it, or
 * gets one that says that the call was interrupted, or is left out where there is no such result.
 *
 * @param entries of one turn, oldest first
 */
export function pair(entries: readonly Entry[], place: Place): Paired {
  const { calls, orphans } = findReplies(entries)
  const said = entries.filter((entry) => 'items' in entry)
  const pending: PendingCall[] = []
  const fates = decide([...calls.values()], said.at(-1), place, pending)
  const reasons = new Set<OmissionReason>(orphans.size > 0 ? ['ORPHANED_RESULT'] : [])
  const heard = new Set<Spoken>()
  const replies = new Set<unknown>()
  let interrupted = 0
  for (const [asked, fate] of fates) {
    if (fate.kind === 'interrupted') interrupted++
    if (fate.kind === 'interrupted' || (fate.kind === 'out' && asked.reply === null)) reasons.add('INTERRUPTED_CALL')
    if (fate.kind === 'out' && asked.reply !== null) reasons.add('ORPHANED_RESULT')
    if (fate.kind === 'out') continue
    if (asked.reply !== null) replies.add(asked.reply.item)
    for (const message of [asked.reply?.message, asked.approvedIn]) if (message) heard.add(message)
  }
  const steps = said.flatMap((entry) => makeStep(entry, { calls, fates, replies }))
  return { steps, reasons, pending, interrupted, heard }
}

/** What becomes of a call. */
type Fate =
  | { readonly kind: 'answered'; readonly answer: Answer | null }
  | { readonly kind: 'interrupted'; readonly answer: Answer }
  | { readonly kind: 'waits' }
  /** Neither the call nor its result is in the window. */
  | { readonly kind: 'out' }

function decide(
  calls: readonly Asked[],
  last: SaidEntry | undefined,
  place: Place,
  pending: PendingCall[],
): Map<Asked, Fate> {
  const fates = new Map<Asked, Fate>()
  const goOn = new Set<string | undefined>()
  for (const asked of calls) {
    if (asked.call.kind === 'hosted') continue
    const fate = fateOfCall(asked, asked.call, last, place, pending)
    fates.set(asked, fate)
    if (fate.kind !== 'out' && asked.entry === last) goOn.add(asked.call.callerId)
  }
  for (const asked of calls) {
    if (asked.call.kind === 'hosted') fates.set(asked, fateOfHosted(asked, last, goOn, place, pending))
  }
  const hosts = new Set<string>()
  for (const asked of calls) {
    const { call } = asked
    const isWithoutHost =
      call.callerId !== undefined && call.raw?.format === place.dialect.parts && !hosts.has(call.callerId)
    if (isWithoutHost) fates.set(asked, { kind: 'out' })
    else if (call.kind === 'hosted' && fates.get(asked)?.kind !== 'out') hosts.add(call.callId)
  }
  return fates
}

function fateOfCall(
  asked: Asked,
  call: Call,
  last: SaidEntry | undefined,
  { dialect, pendingCalls }: Place,
  pending: PendingCall[],
): Fate {
  const isLast = asked.entry === last && pendingCalls !== null
  const mayKeep = isLast && pendingCalls === 'KEEP' && dialect.keepsWaiting?.(call) === true
  const takesWords = call.native === undefined || dialect.answersInWords?.(call) === true
  const answer = answerOf(asked, call)
  if (answer !== null) {
    if (answer.result.native !== call.native && !takesWords) return { kind: 'out' }
    const isOnlyApproval = answer.result.raw === null || answer.result.raw.part === call.raw?.part
    return mayKeep && answer.result.isDenial && isOnlyApproval ? { kind: 'waits' } : { kind: 'answered', answer }
  }
  if (isLast && waits(asked)) {
    pending.push(pendingCall(asked))
    if (pendingCalls === 'OMIT') return { kind: 'out' }
    if (mayKeep) return { kind: 'waits' }
  }
  return takesWords ? { kind: 'interrupted', answer: interrupted(call) } : { kind: 'out' }
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
  last: SaidEntry | undefined,
  goOn: ReadonlySet<string | undefined>,
  { isNewest, pendingCalls }: Place,
  pending: PendingCall[],
): Fate {
  const { call, entry, reply, approval } = asked
  if (reply !== null) return { kind: 'answered', answer: null }
  if (approval?.isApproved === false) return { kind: 'waits' }
  const isLast = entry.message === last?.message
  if (approval?.isApproved === null) {
    if (!isLast || pendingCalls === null || !waits(asked)) return { kind: 'out' }
    pending.push(pendingCall(asked))
    return { kind: pendingCalls === 'KEEP' ? 'waits' : 'out' }
  }
  const isGoing =
    goOn.has(call.callId) || (isLast && (approval?.isApproved === true || entry.message.finishReason === 'pause_turn'))
  return { kind: isNewest && isGoing ? 'waits' : 'out' }
}

/** Nobody runs a call that the model did not finish. */
function waits({ call, entry }: Asked): boolean {
  return entry.message.status === 'COMPLETE' && !('isPartial' in call && call.isPartial)
}

function pendingCall({ call, entry: { message }, approval }: Asked): PendingCall {
  const approved = approval === null ? null : approval.isApproved === true
  return { call, approvalId: approval?.id ?? null, approved, message }
}

function interrupted(call: Call): Answer {
  return { call, result: resultOf(call, 'Interrupted: this call was not answered.'), message: null }
}

function resultOf({ callId, name }: Call, text: string): Result {
  return { kind: 'result', callId, name, isError: true, output: [{ kind: 'text', text, raw: null }], raw: null }
}

interface Decided {
  readonly calls: ReadonlyMap<Call | Hosted, Asked>
  readonly fates: ReadonlyMap<Asked, Fate>
  /** The replies that stay. */
  readonly replies: ReadonlySet<unknown>
}

function makeStep({ message, items }: SaidEntry, { calls, fates, replies }: Decided): Step[] {
  const answers: Answer[] = []
  const waiting: Waiting[] = []
  const spoken = items.filter((item) => item.kind !== 'approval-request')
  const kept = withoutCalls(spoken, (call) => isOut(calls, fates, call)).flatMap((item): Said[] => {
    if (item.kind !== 'call' && item.kind !== 'hosted') return [item]
    if (item.kind === 'hosted' && item.half === 'result') return replies.has(item) ? [item] : []
    const asked = calls.get(item)
    const fate = asked && fates.get(asked)
    if (asked === undefined || fate === undefined) return []
    if (fate.kind === 'waits') waiting.push({ call: item, approval: asked.approval, message: asked.approvedIn })
    else if (fate.kind !== 'out' && fate.answer !== null) answers.push(fate.answer)
    return [item, ...movedReply(asked)]
  })
  const left = withoutLastReasoning(kept)
  return left.length === 0 ? [] : [{ message, items: left, answers, waiting }]
}

/** The result of a hosted call that another message holds than an assistant's goes behind its call. */
function movedReply({ call, reply }: Asked): Hosted[] {
  if (call.kind !== 'hosted' || reply === null) return []
  if (reply.item.kind === 'hosted') return reply.message.role === 'ASSISTANT' ? [] : [reply.item]
  const { callId, raw } = reply.item
  return raw === null ? [] : [{ kind: 'hosted', half: 'result', callId, name: '', arguments: '', raw }]
}

function isOut(calls: Decided['calls'], fates: Decided['fates'], call: Call | Hosted): boolean {
  const asked = calls.get(call)
  return asked !== undefined && fates.get(asked)?.kind === 'out'
}

/** Leaves calls out, and reasoning that is directly before such calls and before no other call. */
function withoutCalls(items: readonly Said[], isOut: (call: Call | Hosted) => boolean): Said[] {
  const kept: Said[] = []
  /** How many of the last ones in `kept` are reasoning, with nothing behind it but calls that are left out. */
  let thoughts = 0
  let isAfterCall = false
  for (const item of items) {
    if (isCall(item) && isOut(item)) {
      isAfterCall = true
      continue
    }
    if (isAfterCall && !isCall(item)) kept.splice(kept.length - thoughts)
    if (isAfterCall || item.kind !== 'reasoning') thoughts = 0
    if (item.kind === 'reasoning') thoughts++
    isAfterCall = false
    kept.push(item)
  }
  return isAfterCall ? kept.slice(0, kept.length - thoughts) : kept
}

function isCall(item: Said): item is Call | Hosted {
  return item.kind === 'call' || (item.kind === 'hosted' && item.half === 'call')
}
