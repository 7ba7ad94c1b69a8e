import type { Call, Result } from '../items/item.ts'
import type { Answer, Step } from '../items/step.ts'
import type { Entry } from './entry.ts'

/** The tokens that are counted for the result of an interrupted call. */
export const interruptedTokens = 20

/**
 * Gives every result to its call: the nearest earlier call that has the same id and no result yet. A result that finds
 * no call is left out. A call that got no result gets one that says that the call was interrupted.
 *
 * @param entries of one turn, oldest first
 */
export function pair(entries: readonly Entry[]): Step[] {
  const steps = entries.flatMap((entry) => ('items' in entry ? [{ entry, answers: new Map<Call, Answer>() }] : []))
  const open = new Map<string, Asked[]>()
  const byPart = new Map<unknown, Asked>()
  let at = 0
  for (const entry of entries) {
    if ('items' in entry) {
      const answers = steps[at++]?.answers
      for (const call of entry.items) {
        if (call.kind !== 'call' || answers === undefined) continue
        const asked = { call, answers }
        const opened = open.get(call.callId)
        if (opened) opened.push(asked)
        else open.set(call.callId, [asked])
        if (call.raw !== null) byPart.set(call.raw.part, asked)
      }
    } else {
      const { callId, raw } = entry.result
      const asked = takeCall(open.get(callId) ?? [], byPart.get(raw?.part))
      asked?.answers.set(asked.call, { call: asked.call, result: entry.result, message: entry.message })
    }
  }
  return steps.map(({ entry: { message, items }, answers }) => {
    const calls = items.filter((item) => item.kind === 'call')
    return { message, items, answers: calls.map((call) => answers.get(call) ?? interrupted(call)) }
  })
}

interface Asked {
  readonly call: Call
  readonly answers: Map<Call, Answer>
}

/**
 * Finds the call that a result answers, and takes it out of `open`. In the AI SDK one part may be both a call and its
 * result: that result answers that call (`own`) and no other. Such a call stays in `open` until it is the last one, and
 * is skipped then: a search for it at each result would take time that grows with the square of the number of calls.
 */
function takeCall(open: Asked[], own: Asked | undefined): Asked | undefined {
  let asked = own
  while (asked === undefined || asked.answers.has(asked.call)) {
    if (open.length === 0) return undefined
    asked = open.pop()
  }
  return asked
}

function interrupted(call: Call): Answer {
  const text = 'Interrupted: this call was not answered.'
  const result: Result = {
    kind: 'result',
    callId: call.callId,
    name: call.name,
    isError: true,
    output: [{ kind: 'text', text, raw: null }],
    raw: null,
  }
  return { call, result, message: null }
}
