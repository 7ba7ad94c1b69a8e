import type { OmissionReason } from '../../entities/window-enums.ts'
import type { Spoken } from '../items/spoken.ts'
import type { Step } from '../items/step.ts'
import { interruptedTokens, pair } from './pairing.ts'
import type { Reading } from './reading.ts'

/** Messages that are in a window together, or not at all. */
export interface Turn {
  readonly steps: readonly Step[]
  readonly tokens: number
  readonly reasons: ReadonlySet<OmissionReason>
  /** Those of which something is in the steps. */
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

/** Tokens that these readings count in any turn: a result may turn out to have no call. */
export function leastTokens({ entries, tokens }: Reading): number {
  return entries.some((entry) => 'items' in entry) ? tokens : 0
}
