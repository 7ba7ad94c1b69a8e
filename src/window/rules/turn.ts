import type { OmissionReason } from '../../entities/window-enums.ts'
import type { Spoken } from '../items/spoken.ts'
import type { Step } from '../items/step.ts'
import { interruptedTokens, pair } from './pairing.ts'
import type { Reading } from './reading.ts'

/** Steps that a window has all together, or not at all. */
export interface Turn {
  readonly steps: readonly Step[]
  readonly tokens: number
  readonly reasons: ReadonlySet<OmissionReason>
  /** The messages that the steps show, whole or in part. */
  readonly messages: ReadonlySet<Spoken>
}

/** @param readings oldest first */
export function makeTurn(readings: readonly Reading[]): Turn {
  const entries = readings.flatMap((reading) => reading.entries)
  const steps = pair(entries)
  const answers = steps.flatMap((step) => step.answers)
  const given = answers.flatMap(({ message }) => (message === null ? [] : [message]))
  const messages = new Set([...steps.map(({ message }) => message), ...given])
  const reasons = new Set(readings.flatMap((reading) => [...reading.reasons]))
  if (given.length < entries.length - steps.length) reasons.add('ORPHANED_RESULT')
  if (given.length < answers.length) reasons.add('INTERRUPTED_CALL')
  const counted = readings.filter(({ message }) => messages.has(message))
  const tokens = counted.reduce((sum, reading) => sum + reading.tokens, 0)
  return { steps, tokens: tokens + (answers.length - given.length) * interruptedTokens, reasons, messages }
}

/**
 * The tokens that a reading adds to its turn in any case. A reading of results alone may add none: they may have no
 * call.
 */
export function leastTokens({ entries, tokens }: Reading): number {
  return entries.some((entry) => 'items' in entry) ? tokens : 0
}
