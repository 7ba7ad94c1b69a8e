import type { OmissionReason } from '../../entities/window-enums.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { ApprovalRequest, Item, Output, Raw, Reasoning, Reply, Said } from '../items/item.ts'
import type { Spoken } from '../items/spoken.ts'
import type { Entry, SaidEntry } from './entry.ts'
import { ItemIds, type Reasoned } from './item-ids.ts'

export interface Fitted {
  readonly entries: Entry[]
  /** The last reasoning of the entries; null: they have none. */
  readonly reasoned: Reasoned | null
}

/** Keeps of `entries` what this dialect can express. It adds to `reasons` why the rest is left out. */
export function fitEntries(entries: readonly Entry[], dialect: Dialect, reasons: Set<OmissionReason>): Fitted {
  const ids = new ItemIds()
  const unsupported = () => reasons.add('UNSUPPORTED_PART')
  const fitted = entries.flatMap((entry): Entry[] => {
    if ('items' in entry) {
      const said = keep(entry.items, (item) => saysItem(item, entry, dialect), reasons)
      const kept = new Set<Said | ApprovalRequest>(withoutLastReasoning(said))
      if (entry.items.some((item) => isOwnReasoning(item, dialect) && !kept.has(item))) reasons.add('REASONING')
      const items = ids.of(entry.items, kept, unsupported)
      return items.length === 0 ? [] : [{ ...entry, items }]
    }
    const reply = fitReply(entry.reply, entry.message, dialect, reasons)
    return reply === null ? [] : [{ ...entry, reply }]
  })
  return { entries: fitted, reasoned: ids.reasoned }
}

/** Reasoning that the dialect takes back, unless the caller chose which. */
function isOwnReasoning({ kind, raw }: Said | ApprovalRequest, dialect: Dialect): boolean {
  return kind === 'reasoning' && raw?.format === dialect.parts && dialect.takesReasoning === undefined
}

function fitReply(reply: Reply, message: Spoken, dialect: Dialect, reasons: Set<OmissionReason>): Reply | null {
  const isOwn = reply.kind === 'hosted' || (reply.kind === 'result' && reply.native !== undefined)
  if (!answerers.has(message.role) || (isOwn && message.status !== 'COMPLETE')) {
    reasons.add('UNSUPPORTED_PART')
    return null
  }
  if (reply.kind !== 'result') return reply
  if (isOwn) {
    const isTaken = reply.raw?.format !== dialect.parts || reply.output.every((item) => dialect.takesOutput(item))
    if (!isTaken) reasons.add('UNSUPPORTED_PART')
    return isTaken ? reply : null
  }
  return { ...reply, output: keep(reply.output, (item) => saysOutput(item, message, dialect), reasons) }
}

const answerers: ReadonlySet<Spoken['role']> = new Set(['USER', 'ASSISTANT', 'TOOL'] as const)

type Verdict = 'kept' | 'silent' | 'unsupported'

/** An empty text says nothing. Of a message that failed or was cancelled, a model gets only what people saw. */
function saysItem(item: Said | ApprovalRequest, { message, items }: SaidEntry, dialect: Dialect): Verdict {
  const { role, status } = message
  const isInstruction = role === 'SYSTEM' || role === 'DEVELOPER'
  if (role === 'TOOL') return 'unsupported'
  switch (item.kind) {
    case 'text':
    case 'refusal':
      return item.text === '' ? 'silent' : verdict(dialect.takes(item, role))
    case 'reasoning':
      return verdict(role === 'ASSISTANT' && status === 'COMPLETE' && takesReasoning(item, items, dialect))
    // Calls of another dialect are left out by `pair`, with their results.
    case 'call':
      return verdict(role === 'ASSISTANT' && (item.native === undefined || status === 'COMPLETE'))
    case 'hosted':
      return verdict(role === 'ASSISTANT' && status === 'COMPLETE')
    case 'approval-request':
      return verdict(role === 'ASSISTANT')
    case 'other':
      return verdict(!isInstruction && isWhole(item, message, dialect) && dialect.takes(item, role))
    default:
      return verdict(!isInstruction && dialect.takes(item, role))
  }
}

function takesReasoning(item: Reasoning, beside: SaidEntry['items'], dialect: Dialect): boolean {
  if (dialect.takesReasoning) return dialect.takesReasoning(item, beside)
  return item.raw.format === dialect.parts && dialect.takes(item, 'ASSISTANT')
}

function saysOutput(item: Output, message: Spoken, dialect: Dialect): Verdict {
  if (item.kind === 'text' || item.kind === 'refusal')
    return item.text === '' ? 'silent' : verdict(dialect.takesOutput(item))
  if (item.kind === 'other' && !isWhole(item, message, dialect)) return 'unsupported'
  return verdict(dialect.takesOutput(item))
}

/** Parts that only one dialect knows go back to it, if their message is complete. */
function isWhole({ raw }: { readonly raw: Raw | null }, { status }: Spoken, dialect: Dialect): boolean {
  return status === 'COMPLETE' && raw?.format === dialect.parts
}

function verdict(isTaken: boolean): Verdict {
  return isTaken ? 'kept' : 'unsupported'
}

/** Reasoning of other dialects is left out without a reason, because no provider takes it. */
function keep<T extends Item>(items: readonly T[], says: (item: T) => Verdict, reasons: Set<OmissionReason>): T[] {
  return items.filter((item) => {
    const said = says(item)
    if (said === 'unsupported' && item.kind !== 'reasoning' && !isBlank(item)) reasons.add('UNSUPPORTED_PART')
    return said === 'kept'
  })
}

function isBlank(item: Item): boolean {
  return item.kind === 'text' && item.text.trim() === ''
}

/** Leaves out reasoning at the end: providers refuse reasoning with nothing behind it. */
export function withoutLastReasoning<T extends Item>(items: readonly T[]): T[] {
  const end = items.findLastIndex(({ kind }) => kind !== 'reasoning')
  return items.slice(0, end + 1)
}
