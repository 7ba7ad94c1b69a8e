import type { Entry } from './entry.ts'
import { ItemIds, type Reasoned } from './item-ids.ts'
import type { Reading } from './reading.ts'

/**
 * A response may be stored as several messages, such as one for each of its items. So reasoning that is left out takes
 * the ids of items in later messages with it, until reasoning comes that is kept.
 *
 * @param readings of one turn, oldest first
 */
export function loseIds(readings: readonly Reading[]): readonly Reading[] {
  let before: Reasoned | null = null
  return readings.map((reading) => {
    const ids = new ItemIds(before)
    before = reading.reasoned ?? before
    if (ids.reasoned?.isKept !== false || reading.message.role !== 'ASSISTANT') return reading
    const reasons = new Set(reading.reasons)
    const entries = reading.entries.flatMap((entry): Entry[] => {
      if (!('items' in entry)) return [entry]
      const items = ids.of(entry.items, new Set(entry.items), () => reasons.add('UNSUPPORTED_PART'))
      return items.length === 0 ? [] : [{ ...entry, items }]
    })
    return { ...reading, entries, reasons }
  })
}
