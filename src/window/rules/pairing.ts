import type { OmissionReason } from '../../entities/window-enums.ts'
import type { Entry, SaidEntry } from '../entries/entry.ts'
import { withoutLastReasoning } from '../entries/fit.ts'
import { ItemIds } from '../entries/item-ids.ts'
import type { Call, Hosted, Said } from '../items/item.ts'
import type { PendingCall } from '../items/pending-call.ts'
import type { CallAnswer, Spoken } from '../items/spoken.ts'
import { type Answer, type Step, type Waiting, withItems } from '../items/step.ts'
import { type Asked, findReplies } from './asked.ts'
import { decide, type Fate, type Place } from './fate.ts'

/** The tokens that are counted for the result of an interrupted call, and for that of a refused one without a reason. */
export const interruptedTokens = 20

/** A reason has fewer tokens, in any language. */
function refusedTokens(reason: string | null): number {
  return interruptedTokens + Math.ceil(Buffer.byteLength(reason ?? '') / 2)
}

export interface Paired {
  readonly steps: readonly Step[]
  readonly reasons: ReadonlySet<OmissionReason>
  readonly pending: readonly PendingCall[]
  /** The tokens of results that no message holds. */
  readonly addedTokens: number
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
  const fates = decide([...calls.values()], said.at(-1), place)
  const reasons = new Set<OmissionReason>(orphans.size > 0 ? ['ORPHANED_RESULT'] : [])
  const heard = new Set<Spoken>()
  const replies = new Set<unknown>()
  let addedTokens = 0
  for (const [asked, { kind, reason }] of fates) {
    if (kind === 'interrupted') addedTokens += interruptedTokens
    if (kind === 'refused') addedTokens += refusedTokens(answerTo(asked)?.reason ?? null)
    if (reason !== undefined) reasons.add(reason)
    if (kind === 'out') continue
    if (asked.reply !== null) replies.add(asked.reply.item)
    for (const message of [asked.reply?.message, asked.approvedIn]) if (message) heard.add(message)
  }
  const ids = new ItemIds()
  const steps = said.flatMap((entry) => makeStep(entry, { calls, fates, replies, ids }))
  const pending = [...calls.values()].filter((asked) => fates.get(asked)?.isPending).map(pendingCall)
  return { steps, reasons, pending, addedTokens, heard }
}

function answerTo({ call }: Asked): CallAnswer | undefined {
  return call.kind === 'call' ? call.answered : undefined
}

function pendingCall(asked: Asked): PendingCall {
  const {
    call,
    entry: { message },
    approval,
  } = asked
  const isApproved = approval?.isApproved === true || answerTo(asked)?.approved === true
  const approved = isApproved || (approval === null ? null : false)
  return { call, approvalId: approval?.id ?? null, approved, message }
}

interface Decided {
  readonly calls: ReadonlyMap<Call | Hosted, Asked>
  readonly fates: ReadonlyMap<Asked, Fate>
  /** The replies that stay. */
  readonly replies: ReadonlySet<unknown>
  /** Over all steps, because reasoning that goes with a call takes the ids of the items behind it. */
  readonly ids: ItemIds
}

function makeStep({ message, items }: SaidEntry, { calls, fates, replies, ids }: Decided): Step[] {
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
    else if (fate.answer !== undefined) answers.push(fate.answer)
    return [item, ...movedReply(asked)]
  })
  const left = withoutLastReasoning(kept)
  const bare = message.role === 'ASSISTANT' ? withoutIds(spoken, new Set(left), ids) : new Map<Said, Said>()
  return left.length === 0 ? [] : [withItems({ message, items: left, answers, waiting }, bare)]
}

/** An item that cannot be without its id keeps it: its result may stand in another message. */
function withoutIds(spoken: readonly Said[], kept: ReadonlySet<Said>, ids: ItemIds): Map<Said, Said> {
  const pairs = spoken.flatMap((item) => ids.of([item], kept, () => {}).map((bare) => [item, bare] as const))
  return new Map(pairs.filter(([item, bare]) => item !== bare))
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
