import type { OmissionReason } from '../../entities/window-enums.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { Item, Output, Reasoning, Said } from '../items/item.ts'
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
      const kept = withoutLastReasoning(keep(entry.items, (item) => saysItem(item, entry, dialect), reasons))
      const items = ids.of(entry.items, new Set(kept), unsupported)
      return items.length === 0 ? [] : [{ ...entry, items }]
    }
    if (!answerers.has(entry.message.role)) {
      unsupported()
      return []
    }
    const output = keep(entry.result.output, (item) => saysOutput(item, entry.message, dialect), reasons)
    return [{ ...entry, result: { ...entry.result, output } }]
  })
  return { entries: fitted, reasoned: ids.reasoned }
}

const answerers: ReadonlySet<Spoken['role']> = new Set(['USER', 'ASSISTANT', 'TOOL'] as const)

type Verdict = 'kept' | 'silent' | 'unsupported'

/** An empty text says nothing. Of a message that failed or was cancelled, a model gets only what people saw. */
function saysItem(item: Said, { message, items }: SaidEntry, dialect: Dialect): Verdict {
  const { role, status } = message
  const isInstruction = role === 'SYSTEM' || role === 'DEVELOPER'
  switch (item.kind) {
    case 'text':
      return item.text === '' ? 'silent' : verdict(dialect.takes(item, role))
    case 'reasoning':
      return verdict(role === 'ASSISTANT' && status === 'COMPLETE' && takesReasoning(item, items, dialect))
    case 'call':
      return verdict(role === 'ASSISTANT' && dialect.takes(item, role))
    case 'other':
      return verdict(
        !isInstruction && status === 'COMPLETE' && item.raw.format === dialect.parts && dialect.takes(item, role),
      )
    default:
      return verdict(!isInstruction && dialect.takes(item, role))
  }
}

function takesReasoning(item: Reasoning, beside: SaidEntry['items'], dialect: Dialect): boolean {
  if (dialect.takesReasoning) return dialect.takesReasoning(item, beside)
  return item.raw.format === dialect.parts && dialect.takes(item, 'ASSISTANT')
}

function saysOutput(item: Output, { status }: Spoken, dialect: Dialect): Verdict {
  if (item.kind === 'text') return item.text === '' ? 'silent' : verdict(dialect.takesOutput(item))
  if (item.kind === 'other' && (status !== 'COMPLETE' || item.raw.format !== dialect.parts)) return 'unsupported'
  return verdict(dialect.takesOutput(item))
}

function verdict(isTaken: boolean): Verdict {
  return isTaken ? 'kept' : 'unsupported'
}

/** Reasoning that the dialect does not take is left out without a reason, because that is the rule and no loss. */
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
function withoutLastReasoning(items: readonly Said[]): Said[] {
  const end = items.findLastIndex(({ kind }) => kind !== 'reasoning')
  return items.slice(0, end + 1)
}
