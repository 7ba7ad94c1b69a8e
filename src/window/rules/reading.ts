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

/** The tokens of the reasoning count only when the dialect keeps reasoning. */
export function readCounted({ message, tokens, reasoningTokens }: Counted<Spoken>, dialect: Dialect): Reading {
  const reasons = new Set<OmissionReason>()
  const nothing = { message, entries: [], tokens: 0, reasons, reasoned: null }
  if (message.deletedAt) return nothing
  if (message.status === 'STREAMING') return { ...nothing, reasons: reasons.add('STREAMING') }
  const { entries, reasoned } = fitEntries(readEntries(message), dialect, reasons)
  if (entries.length === 0) return { ...nothing, reasons: reasons.add('EMPTY'), reasoned }
  const hasReasoning = entries.some((entry) => 'items' in entry && entry.items.some(({ kind }) => kind === 'reasoning'))
  return { message, entries, tokens: tokens + (hasReasoning ? reasoningTokens : 0), reasons, reasoned }
}

/**
 * A message of the user begins a turn where its words begin. Results may stand before these words, as in Anthropic's
 * messages of the user: such results belong to the turn before. All tokens of the message count in the turn that its
 * words begin.
 */
export function splitAtTurn(reading: Reading): { readonly before: Reading; readonly begun: Reading } | null {
  if (reading.message.role !== 'USER') return null
  const at = reading.entries.findIndex((entry) => 'items' in entry)
  if (at === -1) return null
  return {
    before: { ...reading, entries: reading.entries.slice(0, at), tokens: 0, reasons: new Set() },
    begun: { ...reading, entries: reading.entries.slice(at) },
  }
}
