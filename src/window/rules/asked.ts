import type { Entry, SaidEntry } from '../entries/entry.ts'
import type { Approval, ApprovalRequest, ApprovalResponse, Call, Hosted, Reply, Result } from '../items/item.ts'
import type { Spoken } from '../items/spoken.ts'

/** A call, and what was answered to it. */
export interface Asked {
  readonly call: Call | Hosted
  readonly entry: SaidEntry
  reply: { readonly item: Result | Hosted; readonly message: Spoken } | null
  approval: Approval | null
  /** The message that holds the answer of people. */
  approvedIn: Spoken | null
}

/** The calls of a turn with their results. */
export interface AskedCalls {
  readonly calls: ReadonlyMap<Call | Hosted, Asked>
  /** Replies that answer nothing, and questions to people about no call. */
  readonly orphans: ReadonlySet<Reply | ApprovalRequest>
}

/**
 * Gives every reply to its call: the nearest earlier call that has the same id and no result yet.
 *
 * @param entries of one turn, oldest first
 */
export function findReplies(entries: readonly Entry[]): AskedCalls {
  const calls = new OpenCalls()
  for (const entry of entries) {
    if ('reply' in entry) calls.answer(entry.reply, entry.message)
    else {
      for (const item of entry.items) {
        if (item.kind === 'approval-request') calls.requestApproval(item)
        else if (item.kind === 'hosted' && item.half === 'result') calls.answer(item, entry.message)
        else if (item.kind === 'call' || item.kind === 'hosted') calls.ask(item, entry)
      }
    }
  }
  return calls
}

class OpenCalls implements AskedCalls {
  readonly calls = new Map<Call | Hosted, Asked>()
  readonly orphans = new Set<Reply | ApprovalRequest>()
  /** The calls without a result, by what answers them; the latest last. */
  readonly #open = new Map<string, Asked[]>()
  readonly #latest = new Map<string, Asked>()
  readonly #byPart = new Map<unknown, Asked>()
  readonly #byApproval = new Map<string, Asked>()

  ask(call: Call | Hosted, entry: SaidEntry): void {
    const asked: Asked = { call, entry, reply: null, approval: call.approval ?? null, approvedIn: null }
    this.calls.set(call, asked)
    this.#latest.set(call.callId, asked)
    for (const key of keysOf(call)) {
      const opened = this.#open.get(key)
      if (opened) opened.push(asked)
      else this.#open.set(key, [asked])
    }
    if (call.raw !== null) this.#byPart.set(call.raw.part, asked)
    if (call.approval !== undefined) this.#byApproval.set(call.approval.id, asked)
  }

  requestApproval(request: ApprovalRequest): void {
    const { approvalId: id, callId, raw } = request
    const asked = this.#latest.get(callId)
    if (asked === undefined) {
      this.orphans.add(request)
      return
    }
    asked.approval = { id, isApproved: null, request: raw.part as Approval['request'], response: null }
    this.#byApproval.set(id, asked)
  }

  answer(reply: Reply, message: Spoken): void {
    const asked = reply.kind === 'approval-response' ? this.#approve(reply, message) : this.#take(reply)
    if (asked === undefined) {
      if (reply.kind !== 'result' || !reply.isInferred) this.orphans.add(reply)
    } else if (reply.kind !== 'approval-response') asked.reply = { item: reply, message }
  }

  #approve({ approvalId, isApproved, raw }: ApprovalResponse, message: Spoken): Asked | undefined {
    const asked = this.#byApproval.get(approvalId)
    if (asked === undefined || asked.approval === null) return undefined
    asked.approval = { ...asked.approval, isApproved, response: raw.part as Approval['request'] }
    asked.approvedIn = message
    return asked
  }

  /**
   * Finds the call that a result answers. In the AI SDK one part may be both a call and its result: that result answers
   * that call (`own`) and no other. A call that is answered stays in its lists until it is the last one there, and is
   * skipped then: a search for it at each result would take time that grows with the square of the number of calls.
   */
  #take(reply: Result | Hosted): Asked | undefined {
    const own = this.#byPart.get(reply.raw?.part)
    if (own?.reply === null) return own
    for (const key of keysFor(reply)) {
      const open = this.#open.get(key) ?? []
      for (let asked = open.pop(); asked !== undefined; asked = open.pop()) {
        if (asked.reply === null) return asked
      }
    }
    return undefined
  }
}

/** What answers a call. A native call may also be answered in words, and a hosted call only in its own dialect. */
function keysOf(call: Call | Hosted): string[] {
  if (call.kind === 'hosted') return [`hosted/${call.raw.format}/${call.callId}`]
  const inWords = `words/${call.callId}`
  return call.native === undefined ? [inWords] : [inWords, `native/${call.native}/${call.callId}`]
}

/** The AI SDK writes the results of hosted calls as any other. */
function keysFor(reply: Result | Hosted): string[] {
  if (reply.kind === 'hosted') return [`hosted/${reply.raw.format}/${reply.callId}`]
  if (reply.native !== undefined) return [`native/${reply.native}/${reply.callId}`]
  return [`words/${reply.callId}`, ...(reply.raw?.format === 'AI_SDK' ? [`hosted/AI_SDK/${reply.callId}`] : [])]
}
