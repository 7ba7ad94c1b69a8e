import type { OmissionReason } from '../../entities/window-enums.ts'
import type { Entry } from '../entries/entry.ts'
import type { Reading } from '../entries/reading.ts'
import { Repeats } from '../entries/repeats.ts'
import type { ApprovalRequest, Said } from '../items/item.ts'
import type { PendingCall } from '../items/pending-call.ts'
import type { Spoken } from '../items/spoken.ts'
import type { Step } from '../items/step.ts'
import type { Place } from './fate.ts'
import { pair } from './pairing.ts'

/** Steps that a window has all together, or not at all. */
export interface Turn {
  readonly steps: readonly Step[]
  readonly tokens: number
  readonly reasons: ReadonlySet<OmissionReason>
  /** The messages that the steps show, whole or in part. */
  readonly messages: ReadonlySet<Spoken>
  readonly pending: readonly PendingCall[]
}

/** @param readings oldest first */
export function makeTurn(readings: readonly Reading[], place: Place): Turn {
  const { entries, repeated } = withoutRepeats(readings.flatMap((reading) => reading.entries))
  const { steps, pending, addedTokens, heard, ...paired } = pair(entries, place)
  const messages = new Set([...steps.map(({ message }) => message), ...heard, ...repeated])
  const reasons = new Set([...readings.flatMap((reading) => [...reading.reasons]), ...paired.reasons])
  if (repeated.size > 0) reasons.add('REPEATED_ITEM')
  const counted = readings.filter(({ message }) => messages.has(message))
  const tokens = counted.reduce((sum, reading) => sum + reading.tokens, 0)
  return { steps, tokens: tokens + addedTokens, reasons, messages, pending }
}

/** A message whose items stand in an earlier message counts all the same: the window shows what it says. */
function withoutRepeats(entries: readonly Entry[]): { entries: Entry[]; repeated: ReadonlySet<Spoken> } {
  const repeats = new Repeats()
  const repeated = new Set<Spoken>()
  const kept = entries.flatMap((entry): Entry[] => {
    if ('reply' in entry) return [entry]
    const items = entry.items.filter((item) => !repeats.isRepeated(item, entry.message))
    if (items.length < entry.items.length) repeated.add(entry.message)
    return items.length === 0 ? [] : [{ ...entry, items }]
  })
  return { entries: kept, repeated }
}

/**
 * The tokens that a reading adds to its turn in any case. A reading of results alone may add none: they may have no
 * call. The same is true of calls that may have no result, and are left out then.
 */
export function leastTokens({ entries, tokens }: Reading): number {
  return entries.some((entry) => 'items' in entry && entry.items.some(isSure)) ? tokens : 0
}

function isSure(item: Said | ApprovalRequest): boolean {
  if (item.kind === 'call') return item.native === undefined && item.callerId === undefined
  return item.kind !== 'hosted' && item.kind !== 'approval-request' && item.kind !== 'reasoning'
}
