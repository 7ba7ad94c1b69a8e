import type { OmissionReason } from '../../entities/window-enums.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { Counted, Spoken } from '../items/spoken.ts'
import { type Entry, readEntries } from './entry.ts'
import { fitEntries } from './fit.ts'
import type { Reasoned } from './item-ids.ts'

/** A message as one dialect expresses it. */
export interface Reading {
  readonly message: Spoken
  readonly entries: readonly Entry[]
  readonly tokens: number
  readonly reasons: ReadonlySet<OmissionReason>
  /** The last reasoning of the message; null: it has none. */
  readonly reasoned: Reasoned | null
}

/** The tokens of the reasoning count only when the dialect keeps reasoning, those of the author only beside words. */
export function readCounted(counted: Counted<Spoken>, dialect: Dialect): Reading {
  const { message, tokens, reasoningTokens, author, callAnswers } = counted
  const reasons = new Set<OmissionReason>()
  const nothing = { message, entries: [], tokens: 0, reasons, reasoned: null }
  if (message.deletedAt) return nothing
  if (message.status === 'STREAMING') return { ...nothing, reasons: reasons.add('STREAMING') }
  const { entries, reasoned } = fitEntries(readEntries(message, callAnswers), dialect, reasons)
  if (entries.length === 0) {
    reasons.delete('REASONING')
    return { ...nothing, reasons: reasons.add('EMPTY'), reasoned }
  }
  const isSaid = entries.some((entry) => 'items' in entry)
  const hasReasoning = entries.some((entry) => 'items' in entry && entry.items.some(({ kind }) => kind === 'reasoning'))
  const more = (hasReasoning ? reasoningTokens : 0) + (isSaid ? (author?.tokens ?? 0) : 0)
  return { message, entries, tokens: tokens + more, reasons, reasoned }
}

/**
 * A message of the user begins a turn with its words. Its replies belong to the turn before, wherever they stand in the
 * message. All tokens of the message count in the turn that its words begin.
 */
export function splitAtTurn(reading: Reading): { readonly before: Reading; readonly begun: Reading } | null {
  const { message, entries } = reading
  const items = entries.flatMap((entry) => ('items' in entry ? entry.items : []))
  if (message.role !== 'USER' || items.length === 0) return null
  const replies = entries.filter((entry) => 'reply' in entry)
  return {
    before: { ...reading, entries: replies, tokens: 0, reasons: new Set() },
    begun: { ...reading, entries: [{ message, items }] },
  }
}
