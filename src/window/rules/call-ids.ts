import type { CallIdRule } from '../dialects/dialect.ts'
import type { Call, Said } from '../items/item.ts'
import { type Step, withItems } from '../items/step.ts'

/**
 * Gives every call of a window, and its result, an id that the provider accepts. A call keeps its own id if it can;
 * otherwise it gets an id that is made from its own and that no other call has. The same window always gets the same
 * ids.
 */
export function withCallIds(steps: readonly Step[], rule: CallIdRule): Step[] {
  const all = steps.flatMap(({ items }) => items)
  const callIds = all.flatMap((item) => (isRenamed(item) ? [item.callId] : []))
  const own = new Set(callIds.filter((id) => fit(id, rule) === id))
  // Calls that only one dialect knows keep the ids that their provider gave them.
  const taken = new Set(all.flatMap((item) => ('callId' in item && !isRenamed(item) ? (item.callId ?? []) : [])))
  const make = makeIds(rule, (id) => own.has(id) || taken.has(id))
  return steps.map((step) => {
    const here = new Set<string>()
    const calls = new Map<Said, Said>()
    for (const call of step.items) {
      if (!isRenamed(call)) continue
      const isOwn = own.has(call.callId) && !(rule.mayRepeat ? here : taken).has(call.callId)
      const id = isOwn ? call.callId : make(fit(call.callId, rule))
      for (const set of [here, taken]) set.add(id)
      calls.set(call, { ...call, callId: id })
    }
    return withItems(step, calls)
  })
}

function isRenamed(item: Said): item is Call {
  return item.kind === 'call' && item.native === undefined
}

function fit(id: string, { maxLength, unfit }: CallIdRule): string {
  const made = (unfit === null ? id : id.replace(unfit, '_')).slice(0, maxLength)
  return made === '' ? 'call' : made
}

/** Seven digits are enough: a window has at most ten million tokens, and so fewer calls than that. */
const numberRoom = '-9999999'.length

/**
 * Makes `ID`, `ID-2`, `ID-3` …. It remembers the last number of each id, because some models give the same id to all
 * their calls. Ids that are equal after they were cut share their numbers.
 */
function makeIds({ maxLength }: CallIdRule, isTaken: (id: string) => boolean): (id: string) => string {
  const next = new Map<string, number>()
  return (id) => {
    if (!isTaken(id)) return id
    const start = id.slice(0, maxLength - numberRoom)
    for (let n = next.get(start) ?? 2; ; n++) {
      const made = `${start}-${n}`
      next.set(start, n + 1)
      if (!isTaken(made)) return made
    }
  }
}
