import type { OmissionReason } from '../../entities/window-enums.ts'
import type { Dialect } from '../dialects/dialect.ts'
import type { Counted, Spoken } from '../items/spoken.ts'
import { type Entry, readEntries } from './entry.ts'
import { fitEntries } from './fit.ts'

/** A message as one dialect says it. */
export interface Reading {
  readonly message: Spoken
  readonly entries: readonly Entry[]
  readonly tokens: number
  readonly reasons: ReadonlySet<OmissionReason>
}

/** Reasoning counts only where it is said. */
export function readCounted({ message, tokens, reasoningTokens }: Counted<Spoken>, dialect: Dialect): Reading {
  const reasons = new Set<OmissionReason>()
  if (message.deletedAt) return { message, entries: [], tokens: 0, reasons }
  if (message.status === 'STREAMING') return { message, entries: [], tokens: 0, reasons: reasons.add('STREAMING') }
  const entries = fitEntries(readEntries(message), dialect, reasons)
  if (entries.length === 0) return { message, entries, tokens: 0, reasons: reasons.add('EMPTY') }
  const hasReasoning = entries.some((entry) => 'items' in entry && entry.items.some(({ kind }) => kind === 'reasoning'))
  return { message, entries, tokens: tokens + (hasReasoning ? reasoningTokens : 0), reasons }
}

/**
 * Where the user begins to speak in it, a turn begins. Results that stand before, as Anthropic has them in messages of the
 * user, belong to the turn before; the message is counted where its words are.
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
